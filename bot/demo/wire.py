"""A small HTTP server of invented feeds on loopback: RSS with validators, faults on demand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b
from xml.sax.saxutils import escape

from aiohttp import web

from bot.ports import Clock


@dataclass(slots=True)
class Item:
    """One invented article."""

    guid: str
    title: str
    text: str
    at: datetime
    link: str = ""


@dataclass(slots=True)
class Outlet:
    """One invented outlet and its feed."""

    name: str
    items: list[Item] = field(default_factory=list)
    broken: bool = False

    def document(self) -> bytes:
        """The feed as RSS 2.0."""
        items = "".join(
            f"<item><guid isPermaLink='false'>{escape(item.guid)}</guid>"
            f"<title>{escape(item.title)}</title><link>{escape(item.link)}</link>"
            f"<description>{escape(item.text)}</description>"
            f"<pubDate>{format_datetime(item.at)}</pubDate></item>"
            for item in self.items
        )
        channel = f"<title>{escape(self.name)}</title><link>https://demo.example/</link>{items}"
        return f"<rss version='2.0'><channel>{channel}</channel></rss>".encode()


class Newswire:
    """All outlets, by the last part of their address."""

    def __init__(self, clock: Clock) -> None:
        self.outlets: dict[str, Outlet] = {}
        self.polls = 0
        self._clock = clock

    def now(self) -> datetime:
        """The time on the demo's clock."""
        return self._clock.now()

    def publish(
        self,
        outlet: str,
        guid: str,
        title: str,
        text: str,
        *,
        link: str = "",
        at: datetime | None = None,
    ) -> None:
        """Put an article at the top of an outlet's feed."""
        address = link or f"https://{outlet}.example/{guid}"
        self.outlets[outlet].items.insert(
            0, Item(guid, title, text, at or self._clock.now(), address)
        )

    def retitle(self, outlet: str, guid: str, title: str) -> None:
        """Give a published article another headline."""
        for item in self.outlets[outlet].items:
            if item.guid == guid:
                item.title = title

    async def answer(self, request: web.Request) -> web.Response:
        """Serve one feed."""
        self.polls += 1
        outlet = self.outlets.get(request.match_info["name"])
        if outlet is None:
            raise web.HTTPNotFound
        if outlet.broken:
            return web.Response(status=500, text="out of order")
        body = outlet.document()
        etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": etag})


@asynccontextmanager
async def serve(wire: Newswire) -> AsyncIterator[str]:
    """Serve while the context lasts; the address of the wire."""
    application = web.Application()
    application.router.add_get("/{name}.xml", wire.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
