"""Channels of Telegram as feeds of a whole newsbell, read from a site that shows them as t.me does.

All posts and articles are invented.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from channel_pages import channel_page, landing_page, post
from support import FeedServer, ManualClock, Recorder, item, newsbell, poll, query, rss

from bot.model.delivery import DeliveryKind
from bot.model.feeds import Policy
from bot.model.status import FeedStatus
from bot.model.stories import StoredFeatures
from bot.parse.entry_keys import link_key
from bot.service.app import App
from bot.stories.packed_features import unpack

NAME = "euphrates_post"
MINUTE = timedelta(minutes=1)
OUTLETS = ("coast", "herald", "wire")
TOLD = {
    "coast": (
        "S-300 batteries and Russian troops seen in Deir ez-Zor, militias leave Mayadin",
        "Residents saw Russian troops set up S-300 batteries near Deir ez-Zor; Mayadin is empty.",
    ),
    "herald": (
        "Russian troops move S-300 launchers into Deir ez-Zor after militias leave Mayadin",
        "A column of S-300 launchers and Russian troops entered Deir ez-Zor on Monday.",
    ),
    "wire": (
        "Militias leave Mayadin as Russian troops with S-300 batteries enter Deir ez-Zor",
        "Russian troops brought S-300 batteries to Deir ez-Zor, and the militias left Mayadin.",
    ),
}
WORDS = (
    "Russian troops with S-300 batteries move into Deir ez-Zor as militias leave Mayadin.",
    "A column of S-300 launchers entered the city on Monday night; militias left Mayadin.",
)


class Channel:
    """What the site shows of the channel: ten posts of a page, earlier ones on request."""

    def __init__(self, server: FeedServer) -> None:
        self.posts: dict[int, tuple[str, datetime]] = {}
        self.asked: list[str] = []
        self.broken_before = False
        server.handle(f"/s/{NAME}", self.show)

    def write(self, *texts: str, at: datetime) -> int:
        for text in texts:
            self.posts[max(self.posts, default=0) + 1] = (text, at)
        return max(self.posts)

    async def show(self, request: web.Request) -> web.StreamResponse:
        before = int(request.query.get("before", "1000000"))
        self.asked.append(request.query_string)
        if before < 1000000 and self.broken_before:
            return web.Response(status=502)
        numbers = [number for number in sorted(self.posts) if number < before][-10:]
        shown = [
            post(
                number, self.posts[number][0], at=self.posts[number][1], views=f"{len(self.asked)}K"
            )
            for number in numbers
        ]
        return web.Response(text=channel_page(*shown), content_type="text/html")


@pytest.fixture
def channel(server: FeedServer) -> Channel:
    return Channel(server)


@pytest.fixture
def terminal() -> Recorder:
    return Recorder()


@pytest.fixture
async def app(
    tmp_path: Path, server: FeedServer, clock: ManualClock, channel: Channel, terminal: Recorder
) -> AsyncIterator[App]:
    """A newsbell that has read a channel of three posts and three outlets."""
    channel.write("Good morning", "The market is open", "Schools reopen", at=clock.now())
    for name in OUTLETS:
        server.put(f"/{name}", rss(item("old", "Old news of the coast")))
    outlets = [{"url": server.url(f"/{name}"), "publisher": name} for name in OUTLETS]
    config = {
        "settings": {
            "network": {"allow": ["127.0.0.0/8"]},
            "sources": {"telegram": server.base},
        },
        "chats": {"here": {"terminal": True}},
        "feeds": [f"https://t.me/{NAME.upper()}", "@quiet_people", *outlets],
        "subscriptions": [
            {"name": "Troops", "query": "S-300 OR ferry OR quay", "to": ["here"]},
            {"name": "Photos", "query": "photo", "feeds": [f"@{NAME}"], "to": ["here"]},
        ],
    }
    server.put("/s/quiet_people", landing_page("1 204 subscribers"))
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as made:
        await poll(made)
        assert terminal.titles() == [], "what is there at first alerts nobody"
        yield made


async def feeds(app: App) -> tuple[FeedStatus, ...]:
    return (await app.store.admin.status()).feeds


async def stories_of(app: App, word: str) -> tuple[int, int, int]:
    """How many entries have a word in the headline, of how many stories and origins."""
    [counts] = query(
        app,
        "select count(*), count(distinct story_id), count(distinct origin) from entries "
        "where title like ?",
        f"%{word}%",
    )
    return counts[0], counts[1], counts[2]


def publish(server: FeedServer, name: str, headline: str, text: str, clock: ManualClock) -> None:
    told = item(f"{name}-1", headline, text=text, link=f"https://{name}.example/1", at=clock.now())
    server.put(f"/{name}", rss(told, item("old", "Old news of the coast"), title=name))


async def test_the_channel_is_first_three_outlets_follow_and_there_is_a_single_alert(
    app: App, channel: Channel, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    clock.advance(5 * MINUTE)
    channel.write("⚡️ BREAKING<br/>" + "<br/>".join(WORDS), at=clock.now())
    await poll(app)
    for name in OUTLETS:
        clock.advance(5 * MINUTE)
        publish(server, name, *TOLD[name], clock)
        await poll(app)

    assert terminal.titles() == [f"⚡️ BREAKING {WORDS[0]}"]
    [first] = [alert for delivery, _ in terminal.sent for alert in delivery.alerts][:1]
    assert (first.feed, first.link) == (f"@{NAME}", f"https://t.me/{NAME}/4")
    assert await stories_of(app, "S-300") == (4, 1, 4)


async def test_a_post_that_links_to_an_article_joins_its_story(
    app: App, channel: Channel, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    clock.advance(5 * MINUTE)
    publish(server, "coast", "Ferry runs aground", "Nobody is hurt.", clock)
    await poll(app)
    clock.advance(5 * MINUTE)
    link = '<a href="https://coast.example/1?utm_source=tg">wrote</a>'
    channel.write(f"A colleague of ours {link} about the ferry quay", at=clock.now())
    await poll(app)

    assert terminal.titles() == ["Ferry runs aground"]
    assert await stories_of(app, "ferry") == (2, 1, 1)


async def test_posts_that_the_page_shows_no_more_are_fetched_and_edits_change_the_alert(
    app: App, channel: Channel, clock: ManualClock, terminal: Recorder
) -> None:
    clock.advance(60 * MINUTE)
    others = (f"Call of bakery number {number}" for number in range(26))
    channel.write("Ferries stay in the harbour today", *others, at=clock.now())
    channel.broken_before = True
    await poll(app)
    assert terminal.titles() == [], "a part of what was missed is nothing that a poll keeps"
    channel.broken_before = False
    channel.asked.clear()
    await poll(app)

    assert channel.asked == ["", "before=21", "before=11"]
    assert "Ferries stay in the harbour today" in terminal.titles()
    assert [feed.entries for feed in await feeds(app) if feed.name == f"@{NAME}"] == [30]
    clock.advance(5 * MINUTE)
    channel.write("Ferries leave the harbour of Tartus again", at=clock.now())
    await poll(app)
    number = max(channel.posts)
    channel.posts[number] = ("Ferries leave the harbour of Latakia again", clock.now())
    clock.advance(5 * MINUTE)
    await poll(app)

    assert terminal.titles(DeliveryKind.EDIT)[-1:] == ["Ferries leave the harbour of Latakia again"]
    assert channel.asked[3:] == ["", ""]


async def test_what_a_channel_deletes_and_says_again_is_said_again(
    app: App, channel: Channel, clock: ManualClock, terminal: Recorder
) -> None:
    """Each siren is an alarm of its own, though all have the same words."""
    said = ("Siren at the quay", "All clear at the quay", "The quay is open again")
    for day in range(3):
        clock.advance(timedelta(hours=20))
        channel.posts = {10 * (day + 1): ("Good morning", clock.now())}
        channel.write(*said, at=clock.now())
        await poll(app)  # the site may have shown no earlier posts because it was asked too often
        await poll(app)
    [state] = [feed.state for feed in await feeds(app) if feed.name == f"@{NAME}"]

    assert state.policy is Policy.GUID
    assert (await stories_of(app, "quay"))[0] == 9


async def test_each_siren_is_an_alert_of_its_own(
    app: App, channel: Channel, clock: ManualClock, terminal: Recorder
) -> None:
    siren = "Air raid alert at the quay in the Kyiv region and the city of Kyiv"
    clock.advance(MINUTE)
    channel.write(siren, siren, at=clock.now())  # a slip of the hand is none
    await poll(app)
    for hours in (1, 3, 20, 2, 2):
        clock.advance(timedelta(hours=hours))
        channel.write(siren, at=clock.now())
        await poll(app)

    assert terminal.titles() == [siren] * 6


async def test_deleted_posts_are_no_reason_to_read_what_was_there_before(
    app: App, channel: Channel, clock: ManualClock, terminal: Recorder
) -> None:
    at = clock.now() - timedelta(days=9)
    channel.posts = {number: (f"Old post number {number}", at) for number in range(1, 60)}
    clock.advance(5 * MINUTE)
    channel.asked.clear()
    await poll(app)

    assert channel.asked == [""]
    assert terminal.titles() == []


async def test_a_channel_without_a_preview_says_so(app: App) -> None:
    [state] = [feed.state for feed in await feeds(app) if feed.name == "@quiet_people"]

    assert (state.failure, "no preview" in state.failure_text) == ("no_preview", True)


async def test_a_restart_finds_the_stories_of_links_again(
    app: App, channel: Channel, server: FeedServer, clock: ManualClock
) -> None:
    clock.advance(5 * MINUTE)
    channel.write('They <a href="https://wire.example/1">wrote</a> about a quay', at=clock.now())
    await poll(app)
    restored = await app.store.polls.window(clock.now() - timedelta(hours=1), clock.now(), 0, 100)
    publish(server, "wire", "Harbour wall falls", "", clock)
    await poll(app)

    stored = [unpack(stored) for stored, _ in restored if isinstance(stored, StoredFeatures)]
    links = {features.headline: features.link for features in stored}
    assert links["they wrote about a quay"] == link_key("https://wire.example/1")
    assert links["schools reopen"] == link_key(f"https://t.me/{NAME}/3")
    assert query(
        app,
        "select count(*), count(distinct story_id) from entries where title in (?, ?)",
        "They wrote about a quay",
        "Harbour wall falls",
    ) == [(2, 1)]
