"""Errors, redirects, caches, cut and mislabelled bodies as feeds really have them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from feed_harness import FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, feed_server, item, rss

from bot.model.feeds import Failure

FIRE = item("2", "Harbour fire")


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal) as app:
        yield app


# 31. A platform is down for days.


@pytest.mark.parametrize(
    ("status", "failure", "longest"),
    [
        (404, Failure.NOT_FOUND, timedelta(hours=24)),
        (500, Failure.SERVER, timedelta(hours=1)),
        (503, Failure.SERVER, timedelta(hours=1)),
    ],
)
async def test_errors_for_days_back_off_to_a_bound_and_never_end_the_feed(
    harness: FeedHarness, status: int, failure: Failure, longest: timedelta
) -> None:
    """To a day where the feed is gone, to an hour where its site is down."""
    await harness.publish(rss(*archive(3)))
    waits = []
    for _ in range(12):
        await harness.publish("gone", status=status, after=timedelta(hours=6))
        waits.append((await harness.state()).interval)
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=10)
    assert longest * 0.9 < waits[-1] <= longest
    assert (await harness.state()).failure is failure
    assert len(harness.notices) == 1, "the operator hears of it once"
    assert await harness.publish(rss(FIRE, *archive(3))) == ["Harbour fire"]
    assert len(harness.notices) == 2, "and once more when it works again"


async def test_a_short_storm_sends_no_notice(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    for _ in range(5):
        await harness.publish("", status=500)
    assert await harness.publish(rss(FIRE, *archive(3))) == ["Harbour fire"]
    assert harness.notices == []


async def test_retry_after_parks_the_host(harness: FeedHarness) -> None:
    await harness.publish("", status=503, headers={"Retry-After": "7200"})
    asked = len(harness.server.seen)
    await harness.poll(after=timedelta(minutes=110))
    assert len(harness.server.seen) == asked
    await harness.poll(after=timedelta(minutes=15))
    assert len(harness.server.seen) == asked + 1


# 32. Redirects.


def moved(server: FeedServer, path: str, to: str, status: int = 301) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": to})

    server.handle(path, answer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_redirect_is_followed(harness: FeedHarness, status: int) -> None:
    harness.server.put("/new.xml", rss(*archive(3)))
    moved(harness.server, "/feed.xml", "/new.xml", status)
    await harness.poll()
    assert (await harness.state()).failure is None
    assert await harness.entries() == 3


async def test_a_permanent_redirect_is_adopted_after_three_polls_over_a_day_only(
    harness: FeedHarness,
) -> None:
    harness.server.put("/new.xml", rss(*archive(3)))
    moved(harness.server, "/feed.xml", "/new.xml", 301)
    for _ in range(6):
        await harness.poll(after=timedelta(hours=3))
    assert (await harness.state()).adopted_url is None
    await harness.poll(after=timedelta(hours=12))
    assert (await harness.state()).adopted_url == harness.server.url("/new.xml")
    assert any("moved permanently" in notice for notice in harness.notices)


async def test_a_temporary_301_changes_nothing(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    harness.server.put("/narrow.xml", rss(*archive(1)))
    moved(harness.server, "/feed.xml", "/narrow.xml", 301)
    await harness.poll(after=timedelta(hours=12))
    await harness.poll(after=timedelta(hours=13))
    assert await harness.publish(rss(FIRE, *archive(3)), after=timedelta(hours=12)) == [
        "Harbour fire"
    ]
    state = await harness.state()
    assert (state.adopted_url, state.redirection) == (None, None)


async def test_an_adopted_redirect_that_fails_is_rolled_back(harness: FeedHarness) -> None:
    harness.server.put("/new.xml", rss(*archive(3)))
    moved(harness.server, "/feed.xml", "/new.xml", 308)
    for _ in range(4):
        await harness.poll(after=timedelta(hours=12))
    assert (await harness.state()).adopted_url
    for _ in range(3):
        await harness.publish("", path="/new.xml", status=404, after=timedelta(hours=12))
    assert (await harness.state()).adopted_url is None
    assert await harness.publish(rss(FIRE, *archive(3)), after=timedelta(days=2)) == [
        "Harbour fire"
    ]


async def test_a_redirect_in_a_circle_is_the_feeds_failure(harness: FeedHarness) -> None:
    moved(harness.server, "/feed.xml", "/b.xml", 302)
    moved(harness.server, "/b.xml", "/feed.xml", 302)
    await harness.poll()
    assert (await harness.state()).failure is Failure.REDIRECT
    assert len(harness.server.seen) <= 6


async def test_validators_stay_with_the_address_that_gave_them(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)), headers={"ETag": '"mine"'})
    async with feed_server("127.0.0.2") as other:
        other.put("/elsewhere.xml", rss(*archive(3)))
        moved(harness.server, "/feed.xml", other.url("/elsewhere.xml"), 302)
        await harness.poll()
        assert "If-None-Match" not in other.seen[0].headers


# 33. Old and new copies in turn.


async def test_a_cdn_that_serves_old_and_new_copies_in_turn_is_alerted_once(
    harness: FeedHarness,
) -> None:
    old, new = rss(*archive(6)), rss(FIRE, *archive(5))
    await harness.publish(old)
    for turn in range(6):
        await harness.publish(old if turn % 2 else new, headers={"ETag": f'"{turn % 2}"'})
    assert harness.alert_titles == ["Harbour fire"]


def atom(title: str, updated: str) -> str:
    return (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>Wire</title><id>urn:wire</id>"
        f"<entry><id>urn:1</id><title>{title}</title><updated>{updated}</updated></entry>"
        "<entry><id>urn:0</id><title>Old</title><updated>2026-01-01T00:00:00Z</updated></entry>"
        "</feed>"
    )


async def test_an_older_copy_does_not_bring_back_older_words(harness: FeedHarness) -> None:
    await harness.publish(atom("Quiet day", "2026-02-01T00:00:00Z"))
    before, after = (
        atom("Harbour on fire", "2026-03-02T10:00:00Z"),
        atom("Harbour fire is out", "2026-03-02T11:00:00Z"),
    )
    for document in (before, after, before, after, before):
        await harness.publish(document)
    assert harness.alert_titles == ["Harbour on fire"]
    assert harness.edits == ["Harbour fire is out"]


async def test_an_older_copy_whose_date_of_publication_moves_does_not_bring_back_older_words(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(2)))
    before = rss(item("2", "Harbour on fire", at=NOON - timedelta(hours=2)), *archive(2))
    after = rss(item("2", "Harbour fire is out", at=NOON - timedelta(hours=1)), *archive(2))
    for document in (before, after, before, after, before):
        await harness.publish(document)
    assert harness.alert_titles == ["Harbour on fire"]
    assert harness.edits == ["Harbour fire is out"]


# 34. The end is missing.


def cut_off(server: FeedServer, body: bytes, announced: int, **headers: str) -> None:
    """Announce more bytes than are sent, and hang up."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/rss+xml",
                "Content-Length": str(announced),
                **headers,
            }
        )
        await response.prepare(request)
        await response.write(body)
        assert request.transport is not None
        request.transport.close()
        await asyncio.sleep(0)
        return response

    server.handle("/feed.xml", answer)


@pytest.mark.parametrize("tell_length", [True, False])
async def test_of_a_body_cut_inside_an_item_the_whole_items_count_and_the_rest_comes_later(
    harness: FeedHarness, *, tell_length: bool
) -> None:
    await harness.publish(rss(*archive(3)))
    document = rss(FIRE, item("3", "Harbour flood"), *archive(3))
    at = document.index("flood") + 3
    if tell_length:
        cut_off(harness.server, document[:at].encode(), len(document), ETag='"whole"')
        assert await harness.poll() == ["Harbour fire"]
    else:
        assert await harness.publish(document[:at], headers={"ETag": '"whole"'}) == ["Harbour fire"]
    state = await harness.state()
    assert (state.etag, state.failure) == (None, None)
    assert await harness.publish(document, headers={"ETag": '"whole"'}) == ["Harbour flood"]
    assert (await harness.state()).etag == '"whole"'


@pytest.mark.parametrize("tell_length", [True, False])
async def test_of_a_body_cut_between_items_no_validators_are_kept(
    harness: FeedHarness, *, tell_length: bool
) -> None:
    await harness.publish(rss(*archive(3)))
    document = rss(FIRE, item("3", "Harbour flood"), *archive(3))
    at = document.index("<item>", document.index("Harbour fire"))
    if tell_length:
        cut_off(harness.server, document[:at].encode(), len(document), ETag='"whole"')
        assert await harness.poll() == ["Harbour fire"]
    else:
        assert await harness.publish(document[:at], headers={"ETag": '"whole"'}) == ["Harbour fire"]
    assert (await harness.state()).etag is None
    assert await harness.publish(document, headers={"ETag": '"whole"'}) == ["Harbour flood"]


async def test_a_first_fetch_that_is_cut_makes_no_alerts_of_the_rest(
    harness: FeedHarness,
) -> None:
    document = rss(*archive(12))
    await harness.publish(document[: document.index("old-7")])
    assert await harness.publish(document) == []
    assert await harness.publish(document.replace("<item>", FIRE + "<item>", 1)) == ["Harbour fire"]


async def test_a_feed_that_always_lacks_its_end_is_still_alerted(harness: FeedHarness) -> None:
    def document(*items: str) -> str:
        return rss(*items).removesuffix("</channel></rss>")

    await harness.publish(document(*archive(3)))
    assert await harness.publish(document(FIRE, *archive(3))) == ["Harbour fire"]
    assert await harness.publish(document(item("3", "Harbour flood"), FIRE, *archive(3))) == [
        "Harbour flood"
    ]
    assert (await harness.state()).failure is None


async def test_cut_gzip_is_distinguished_from_whole_gzip(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    items = [item(f"n{n}", f"Harbour {n} {n * 7919 % 1009}") for n in range(8)]
    packed = gzip.compress(rss(*items, *archive(3)).encode(), mtime=0)
    await harness.publish(
        packed[: len(packed) * 3 // 4], headers={"Content-Encoding": "gzip", "ETag": '"whole"'}
    )
    assert (await harness.state()).etag is None
    await harness.publish(packed, headers={"Content-Encoding": "gzip", "ETag": '"whole"'})
    assert len(harness.alert_titles) == len(set(harness.alert_titles)) == 8


# 35. Codings.


@pytest.mark.parametrize(
    ("times", "header"),
    [(1, "gzip"), (1, ""), (2, "gzip"), (0, "gzip"), (1, "x-gzip")],
    ids=["gzip", "gzip that does not say so", "gzip twice", "plain that says gzip", "x-gzip"],
)
async def test_mislabelled_gzip_is_read(harness: FeedHarness, times: int, header: str) -> None:
    def packed(*items: str) -> bytes:
        body = rss(*items).encode()
        for _ in range(times):
            body = gzip.compress(body, mtime=0)
        return body

    headers = {"Content-Encoding": header} if header else {}
    await harness.publish(packed(*archive(3)), headers=headers)
    assert await harness.publish(packed(FIRE, *archive(3)), headers=headers) == ["Harbour fire"]


async def test_a_coding_that_was_not_asked_for_is_the_feeds_failure(
    harness: FeedHarness,
) -> None:
    await harness.publish(b"\x0b\x02\x80hello\x03", headers={"Content-Encoding": "br"})
    assert (await harness.state()).failure is Failure.ENCODING


async def test_gzip_thrice_is_opened_twice_only(harness: FeedHarness) -> None:
    body = rss(*archive(3)).encode()
    for _ in range(3):
        body = gzip.compress(body, mtime=0)
    await harness.publish(body, headers={"Content-Encoding": "gzip"})
    assert (await harness.state()).failure is Failure.NOT_A_FEED
