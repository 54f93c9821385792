"""A feed server on loopback whose feeds behave, or do not. Each feed has an address of its own.

No assertions. What is published is in the feed's document for as long as `KEPT` allows.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random

from aiohttp import web
from support import item, rss

KEPT = 150  #: articles that a document holds
_OLD = datetime(2026, 1, 1, tzinfo=UTC)


class Mode(StrEnum):
    """How a feed answers."""

    PLAIN = "plain"
    DATELESS = "dateless"  #: items without a date
    JSON = "json"
    SURROGATE = "surrogate"  #: JSON whose other items have lone surrogates in every place
    SLOW = "slow"  #: a byte a second
    HANGING = "hanging"
    BROKEN = "500"
    FLOOD = "429"
    HUGE = "huge"  #: more than is taken
    GARBAGE = "garbage"
    FLAKY = "flaky"  #: now one, now another


_WHIMS = (Mode.BROKEN, Mode.GARBAGE, Mode.HUGE)


@dataclass
class Wire:
    """One feed: what it has published, and how it answers."""

    name: str
    url: str
    mode: Mode
    items: deque[tuple[int, str, datetime, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    version: int = 0
    requests: int = 0
    #: whether a request showed that newsbell stored a document of it
    known: bool = False

    def add(self, number: int, title: str, at: datetime, text: str = "") -> None:
        """Publish an article."""
        self.items.appendleft((number, title, at, text))
        self.version += 1

    def retitle(self, number: int, title: str) -> None:
        """Change the headline of an article that is still in the document."""
        for place, (other, _, at, text) in enumerate(self.items):
            if other == number:
                self.items[place] = (number, title, at, text)
                self.version += 1

    def document(self, mode: Mode) -> tuple[str, str]:
        """The document as it is, and its media type."""
        if mode in {Mode.JSON, Mode.SURROGATE}:
            return self._json(mode is Mode.SURROGATE), "application/feed+json"
        dated = mode is not Mode.DATELESS
        items = [
            item(f"{self.name}-{number}", title, text=text, at=at if dated else None)
            for number, title, at, text in self.items
        ]
        old = item(f"{self.name}-old", f"Old item of {self.name}", at=_OLD)
        return rss(*items, old, title=self.name), "application/rss+xml"

    def _json(self, surrogates: bool) -> str:
        items: list[dict[str, str]] = [
            {
                "id": f"{self.name}-{number}",
                "url": f"https://news.example/{self.name}/{number}",
                "title": title,
                "content_text": text,
                "date_published": at.isoformat(),
            }
            for number, title, at, text in self.items
        ]
        lone = "\ud800"
        if surrogates:
            items += [
                {"id": "s1", "url": f"http://a.example/2#{lone}", "title": "One"},
                {"id": f"s2{lone}", "title": f"Two {lone}", "external_url": f"http://{lone}/"},
                {"id": "s3", "url": "http://[a", "title": "Three 1e999 people"},
                {"id": "s4", "title": "Four", "date_published": "0001-01-01T00:00:00+01:00"},
            ]
        return json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": self.name,
                "home_page_url": f"http://a.example/{lone}" if surrogates else "",
                "items": items,
            }
        )


@dataclass
class Wires:
    """All feeds of a run, on one port of many loopback addresses."""

    chance: Random
    fine: bool = False  #: nothing is broken any more, but what is broken by nature
    port: int = 0
    feeds: dict[str, Wire] = field(default_factory=dict)
    open_requests: int = 0

    def add(self, name: str, mode: Mode, address: str) -> Wire:
        """Add a feed at this loopback address."""
        url = f"http://{address}:{self.port}/{name}"
        self.feeds[name] = Wire(name, url, mode)
        return self.feeds[name]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request as the feed's mode says."""
        wire = self.feeds.get(request.path[1:])
        if wire is None:
            return web.Response(status=404)
        wire.requests += 1
        mode = wire.mode
        if mode is Mode.FLAKY:
            whim = not self.fine and wire.requests > 3 and self.chance.random() < 0.25
            mode = self.chance.choice(_WHIMS) if whim else Mode.PLAIN
        if mode in {Mode.SLOW, Mode.HANGING}:
            return await self._drip(request, wire, mode)
        self.open_requests += 1
        try:
            return await self._answer(request, wire, mode)
        finally:
            self.open_requests -= 1

    async def _answer(self, request: web.Request, wire: Wire, mode: Mode) -> web.StreamResponse:
        if mode is Mode.BROKEN:
            return web.Response(status=500, text="no")
        if mode is Mode.FLOOD:
            return web.Response(status=429, headers={"Retry-After": "5"})
        if mode is Mode.GARBAGE:
            return web.Response(body=self.chance.randbytes(20_000), content_type="text/xml")
        if mode is Mode.HUGE:
            return await self._huge(request)
        tag = f'"{wire.name}-{wire.version}"'
        stored = request.headers.get("If-None-Match", "")
        wire.known |= bool(stored)
        if stored == tag:
            return web.Response(status=304, headers={"ETag": tag})
        text, kind = wire.document(mode)
        return web.Response(text=text, content_type=kind, headers={"ETag": tag})

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        try:
            await response.prepare(request)
            for _ in range(16):
                await response.write(b"<x>" * 349_525)
        except ConnectionError:
            pass  # it has had enough
        return response

    async def _drip(self, request: web.Request, wire: Wire, mode: Mode) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/rss+xml"})
        body = wire.document(Mode.PLAIN)[0].encode()
        if mode is Mode.HANGING:
            await asyncio.sleep(120)
        try:
            await response.prepare(request)
            for byte in body[:120]:
                await response.write(bytes([byte]))
                await asyncio.sleep(1)
        except ConnectionError:
            pass  # it has waited long enough
        return response


@asynccontextmanager
async def wires(chance: Random) -> AsyncIterator[Wires]:
    """Serve feeds on a free port of all loopback addresses."""
    served = Wires(chance)
    application = web.Application()
    application.router.add_get("/{path:.*}", served.serve)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()  # noqa: S104 (each feed has its address)
    served.port = runner.addresses[0][1]
    try:
        yield served
    finally:
        await runner.cleanup()


def moment(offset: float = 0.0) -> datetime:
    """The time now, on a wall clock that is so many seconds ahead."""
    return datetime.now(UTC) + timedelta(seconds=offset)
