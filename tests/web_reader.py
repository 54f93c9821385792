"""Somebody who reads the web page of a newsbell over HTTP on loopback. Not assertions."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from botapi import BotApi
from selectolax.lexbor import LexborHTMLParser
from support import ManualClock
from telegram_harness import ANN, BOB, TelegramHarness, open_harness

from bot.service.app import App
from bot.service.control import WEB_LINK
from bot.service.web_requests import change_web

HOSTILE = (
    "<script>alert(1)</script> tram",
    '"><img src=x onerror=alert(2)> tram',
    "{{ 7 * 7 }} {% raw %} tram ' onmouseover='alert(3)",
    "\u202eevil\u202c tram </title></section> & &lt;b&gt;",
)  #: headlines that a page may only show


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def tree(self) -> LexborHTMLParser:
        """The document."""
        return LexborHTMLParser(self.text)

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of the first element that fits."""
        element = self.tree.css_first(selector)
        return element.attributes.get(name) if element else None

    @property
    def words(self) -> str:
        """What a person reads, spaces made single."""
        body = self.tree.body
        return re.sub(r"\s+", " ", body.text(separator=" ")) if body else ""


class Reader:
    """A browser without JavaScript; its forms say where they come from."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base, self._session = base, session

    async def get(self, path: str, **headers: str) -> Answer:
        """Load a page; redirects are not followed."""
        async with self._session.get(
            self.base + path, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def post(
        self, path: str, headers: Mapping[str, str] | None = None, **form: str
    ) -> Answer:
        """Send a form."""
        own = {"Origin": self.base} if headers is None else headers
        async with self._session.post(
            self.base + path, data=form, headers=own, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def raw(self, request: bytes) -> int:
        """Send bytes that may be no request; the status of the answer."""
        host, _, port = self.base.removeprefix("http://").rpartition(":")
        incoming, outgoing = await asyncio.open_connection(host, int(port))
        outgoing.write(request)
        status = (await incoming.readline()).split()[1]
        outgoing.close()
        return int(status)

    async def sign_in(self, link: str) -> None:
        """Open a link, and press its button."""
        answer = await self.post("/login/" + link.rpartition("/")[2])
        assert answer.status == 303, answer.words

    def cookies(self) -> list[aiohttp.cookiejar.Morsel[str]]:  # type: ignore[name-defined]
        """What it keeps."""
        return list(self._session.cookie_jar)


@asynccontextmanager
async def web_page(app: App) -> AsyncIterator[str]:
    """The web page of an app on a free port; its address."""
    page = app.web
    assert page is not None
    page._port = 0
    running = asyncio.create_task(page.run())
    async with asyncio.timeout(30):
        while not page.addresses:
            await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{page.addresses[0][1]}"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def reader(base: str) -> AsyncIterator[Reader]:
    """A browser of its own."""
    jar = aiohttp.CookieJar(unsafe=True)  # takes cookies of addresses in numbers
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Reader(base, session)


WEB = {"listen": "127.0.0.1:8080"}  #: settings of a page; the harness takes a free port


@dataclass(slots=True)
class Site:
    """A newsbell with a page, and who reads it."""

    harness: TelegramHarness
    base: str
    stack: AsyncExitStack

    async def reader(self) -> Reader:
        return await self.stack.enter_async_context(reader(self.base))

    async def link(self, user: int, command: str = "/web") -> str:
        """The link that the bot sends to somebody."""
        self.harness.api.say(user, user, command)
        await self.harness.listen()
        await self.harness.deliver(timedelta(seconds=5))
        texts = [message.text for message in self.harness.api.messages(user)]
        return next(text for text in reversed(texts) if "/login/" in text).splitlines()[-1]

    async def signed_in(self, user: int) -> Reader:
        browser = await self.reader()
        await browser.sign_in(await self.link(user))
        return browser

    async def operator(self) -> Reader:
        """Who opened the link of the command line."""
        store, now = self.harness.app.store, self.harness.clock.now()
        await change_web(store.web, WEB_LINK, "of-the-command-line", 0, now)
        browser = await self.reader()
        await browser.sign_in("of-the-command-line")
        return browser

    async def chat(self, name: str) -> int:
        return int((await self.harness.rows("select id from chats where name = ?", name))[0][0])


@asynccontextmanager
async def site(folder: Path, clock: ManualClock, **more: Any) -> AsyncIterator[Site]:
    """Ann is an operator, Bob is let in; both have alerts of their own."""
    options: dict[str, Any] = {"admins": [ANN], "web": WEB, **more}
    async with BotApi() as api, AsyncExitStack() as stack:
        chats = options.pop("chats", {"ann": ANN, "bob": BOB})
        harness = await stack.enter_async_context(
            open_harness(folder, api, chats, clock, **options)
        )
        for number, name in ((ANN, "Ann"), (BOB, "Bob")):
            api.add_private(number, name)
        base = await stack.enter_async_context(web_page(harness.app))
        yield Site(harness, base, stack)
