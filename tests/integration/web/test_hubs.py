"""Hubs on loopback (WebSub): agreed with, renewed, believed where they sign, and never needed."""

import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support import FeedServer, ManualClock, item, newsbell, poll, query, rss
from web_reader import Answer, Reader, reader, web_page

from bot.parse.hubs import hub_of_document, hub_of_header, hub_of_json_feed
from bot.service.app import App
from bot.service.hubs import retry_after
from bot.web.signed import hub_address, hub_secret

PUBLIC = "http://127.0.0.1:1"
DAY = timedelta(days=1)


class Hub:
    """A hub that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.status, self.url = 202, ""

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(status=self.status)


@asynccontextmanager
async def hub_server() -> AsyncIterator[Hub]:
    hub, application = Hub(), web.Application()
    application.router.add_post("/", hub.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield hub
    finally:
        await runner.cleanup()


def document(*titles: str, hub: str = "", own: str = "") -> str:
    links = f'<a:link rel="hub" href="{hub}"/><a:link rel="self" href="{own}"/>' if hub else ""
    text = rss(*(item(title, title) for title in titles))
    return text.replace("<channel>", f'<channel xmlns:a="http://www.w3.org/2005/Atom">{links}', 1)


def config(feed: str) -> str:
    return json.dumps(
        {
            "settings": {
                "network": {"allow": ["127.0.0.0/8"]},
                "web": {"listen": "127.0.0.1:8080", "public": PUBLIC},
            },
            "chats": {"here": {"terminal": True}},
            "feeds": [{"url": feed, "name": "Wire"}],
            "subscriptions": [{"name": "All", "query": "*", "to": ["here"]}],
        }
    )


class Desk:
    """A newsbell whose feed names a hub."""

    def __init__(self, app: App, clock: ManualClock, page: Reader) -> None:
        self.app, self.clock, self.page = app, clock, page

    @property
    def hubs(self) -> Any:
        assert self.app.hubs is not None
        return self.app.hubs

    async def verify(self, asked: dict[str, str], **other: str) -> Answer:
        """Ask back whether the subscription is meant, as a hub does."""
        query = {
            "hub.mode": "subscribe",
            "hub.topic": asked["hub.topic"],
            "hub.challenge": "a-word",
            "hub.lease_seconds": "86400",
        } | {name.replace("_", ".", 1): value for name, value in other.items()}
        path = asked["hub.callback"].removeprefix(PUBLIC)
        return await self.page.get(path + "?" + "&".join(f"{k}={v}" for k, v in query.items()))

    def due(self) -> bool:
        """Whether the feed is due now."""
        rows = query(self.app, "select next_poll_at from feeds")
        return datetime.fromisoformat(rows[0][0]) <= self.clock.now()


@asynccontextmanager
async def desk(folder: Path, server: FeedServer, clock: ManualClock) -> AsyncIterator[Desk]:
    async with (
        newsbell(folder, config(server.url("/wire.xml")), clock=clock) as app,
        web_page(app) as base,
        reader(base) as page,
    ):
        yield Desk(app, clock, page)


async def test_a_hub_that_agreed_makes_its_feed_due_and_is_asked_again_in_time(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    own = server.url("/wire.xml")
    async with hub_server() as hub, desk(tmp_path, server, clock) as here:
        server.put("/wire.xml", document("first", hub=hub.url, own=own))
        await poll(here.app)
        await here.hubs.look()
        [asked] = hub.asked
        assert asked["hub.mode"] == "subscribe"
        assert asked["hub.topic"] == own
        assert asked["hub.callback"].startswith(f"{PUBLIC}/hub/1/")
        assert "hub.secret" not in asked  # this hub has no TLS
        assert (await here.verify(asked, hub_topic="http://other.example/")).status == 404
        assert (await here.verify(asked, hub_mode="unsubscribe")).status == 404
        answer = await here.verify(asked)
        assert (answer.status, answer.text) == (200, "a-word")
        clock.advance(timedelta(minutes=1))
        await here.hubs.look()
        assert len(hub.asked) == 1
        assert not here.due()

        path = asked["hub.callback"].removeprefix(PUBLIC)
        assert (await here.page.post(path, headers={})).status == 202
        await here.hubs.look()
        assert here.due()
        forged = path[:-1] + ("0" if path[-1] != "0" else "1")
        assert (await here.page.post(forged, headers={})).status == 404

        clock.advance(timedelta(hours=17))
        await here.hubs.look()
        assert len(hub.asked) == 2  # a third of the day before the end


async def test_what_is_not_signed_well_is_taken_and_not_believed(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    own = server.url("/wire.xml")
    async with desk(tmp_path, server, clock) as here:
        server.put("/wire.xml", document("first", hub="https://hub.example/", own=own))
        await poll(here.app)
        await here.hubs.look()  # the hub cannot be reached
        clock.advance(timedelta(minutes=1))
        key = await here.app.store.web.key()
        secret = hub_secret(key, 1, "https://hub.example/").encode()
        path = hub_address(key, PUBLIC, 1).removeprefix(PUBLIC)
        good = "sha256=" + hmac.new(secret, b"", "sha256").hexdigest()
        for signature, believed in (("", False), ("sha256=00", False), (good, True)):
            answer = await here.page.post(path, headers={"X-Hub-Signature": signature})
            assert answer.status == 202
            await here.hubs.look()
            assert here.due() is believed


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'<link rel="hub" href="https://h.example/"/>', ("https://h.example/", "own")),
        (b"<atom:link href='/h' rel='hub'/>", ("https://a.example/h", "own")),
        (
            (
                b'<link rel="self" href="https://a.example/x"/>'
                b'<link rel="hub" href="https://h/?a&amp;b"/>'
            ),
            ("https://h/?a&b", "https://a.example/x"),
        ),
        (b'<link rel="hub" href="javascript:alert(1)"/>', None),
        (b'<link rel="self" href="https://a.example/x"/>', None),
        (b"<title>the hub of news</title>", None),
    ],
)
def test_the_hub_of_a_document_is_found(head: bytes, expected: tuple[str, str] | None) -> None:
    found = hub_of_document(head, "https://a.example/feed")
    own = "https://a.example/feed"
    wanted = expected and (expected[0], own if expected[1] == "own" else expected[1])
    assert (found and (found.hub, found.topic)) == wanted


def test_the_hub_of_a_header_and_of_a_json_feed_is_found() -> None:
    header = '<https://h.example/>; rel="hub", <https://a.example/own>; rel=self'
    found = hub_of_header(header, "https://a.example/feed")
    assert found
    assert (found.hub, found.topic) == ("https://h.example/", "https://a.example/own")
    feed = {"hubs": [{"type": "WebSub", "url": "https://h.example/"}], "feed_url": 7}
    found = hub_of_json_feed(feed, "https://a.example/feed")
    assert found
    assert found.topic == "https://a.example/feed"


def test_a_hub_that_does_not_agree_is_asked_less_and_less() -> None:
    assert [retry_after(tries) for tries in (0, 1, 50)] == [
        timedelta(minutes=10),
        timedelta(minutes=20),
        DAY,
    ]
