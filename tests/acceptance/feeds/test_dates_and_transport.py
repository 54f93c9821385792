"""Dates and transport as feeds really have them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from feed_harness import FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, item, rss

from bot.model.feeds import Failure

FIRE = item("2", "Harbour fire")


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal) as app:
        yield app


def dated(text: str) -> str:
    """An item whose date is written like this."""
    return item("2", "Harbour fire", at=None, extra=f"<pubDate>{text}</pubDate>")


# 23 to 26. Dates.


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=40), timedelta(days=4000)])
async def test_a_date_in_the_future_withholds_no_alert_and_orders_as_now(
    harness: FeedHarness, ahead: timedelta
) -> None:
    await harness.publish(rss(*archive(3)))
    assert await harness.publish(rss(item("2", "Harbour fire", at=NOON + ahead), *archive(3))) == [
        "Harbour fire"
    ]
    newest = (await harness.state()).newest
    assert newest is not None
    assert newest <= harness.clock.now() + timedelta(hours=1)
    assert await harness.publish(
        rss(item("3", "Harbour flood", at=harness.clock.now()), *archive(3))
    ) == ["Harbour flood"]


async def test_a_feed_whose_dates_are_all_ahead_is_alerted_entry_by_entry(
    harness: FeedHarness,
) -> None:
    ahead = [
        item(f"f{n}", f"Harbour tomorrow {n * n}", at=NOON + timedelta(days=1)) for n in range(3)
    ]
    await harness.publish(rss(item("1", "Old", at=NOON + timedelta(hours=20))))
    assert len(await harness.publish(rss(*ahead))) == 3


async def test_without_dates_entries_are_alerted_once_at_first_sight(harness: FeedHarness) -> None:
    old = [item(f"o{n}", f"Harbour {n}", at=None) for n in range(4)]
    assert await harness.publish(rss(*old)) == []
    new = item("n", "Harbour fire", at=None)
    assert await harness.publish(rss(new, *old)) == ["Harbour fire"]
    assert await harness.publish(rss(*old, new, head=" ")) == []
    assert harness.alerts[0].published is None
    assert harness.alerts[0].first_seen_at == NOON + timedelta(minutes=20)


async def test_a_date_that_appears_or_goes_makes_nothing_new(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    await harness.publish(rss(item(None, "Harbour fire", link="", at=None), *archive(3)))
    assert (
        await harness.publish(rss(item(None, "Harbour fire", link="", at=NOON), *archive(3))) == []
    )
    assert (
        await harness.publish(
            rss(item(None, "Harbour fire", link="", at=NOON + timedelta(hours=1)), *archive(3))
        )
        == []
    )
    assert harness.alert_titles == ["Harbour fire"]


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("Mon, 02 Mar 26 11:00:00 GMT", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 11:00:00 +0200", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("2026-03-02T11:00:00Z", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("1772449200", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("Mon, 01 Jan 0001 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("ma, 02 maalis 2026 11:00:00 +0200", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("Mon, 32 Foo 2026 99:99:99 GMT", None),
    ],
)
async def test_odd_dates_are_understood_or_left_out_and_alerted(
    harness: FeedHarness, written: str, understood: datetime | None
) -> None:
    await harness.publish(rss(*archive(3)))
    assert await harness.publish(rss(dated(written), *archive(3))) == ["Harbour fire"]
    assert harness.alerts[0].published == understood


async def test_a_date_without_zone_is_taken_as_utc(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(3)))
    await harness.publish(rss(dated("Mon, 02 Mar 2026 11:00:00"), *archive(3)))
    assert harness.alerts[0].published == datetime(2026, 3, 2, 11, tzinfo=UTC)


async def test_an_old_or_senseless_date_silences_no_entry_of_an_ordinary_poll(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(3)))
    late = item("late", "Harbour report published late", at=NOON - timedelta(days=300))
    assert await harness.publish(rss(late, *archive(3))) == ["Harbour report published late"]
    assert await harness.publish(
        rss(dated("Thu, 01 Jan 1970 00:00:00 GMT"), late, *archive(3))
    ) == ["Harbour fire"]


# 27, 28. Validators.


async def test_a_server_that_always_answers_304_is_asked_in_full_after_eight_days(
    harness: FeedHarness,
) -> None:
    async def stuck(request: web.Request) -> web.Response:
        if "If-Modified-Since" in request.headers or "If-None-Match" in request.headers:
            return web.Response(status=304)
        return web.Response(text=body, headers={"Last-Modified": "Tue, 01 Jan 2041 00:00:00 GMT"})

    body = rss(*archive(3))
    harness.server.handle("/feed.xml", stuck)
    await harness.poll()
    body = rss(FIRE, *archive(3))
    assert await harness.poll(after=timedelta(days=7)) == []
    assert await harness.poll(after=timedelta(days=1, minutes=1)) == ["Harbour fire"]
    asked = ["If-Modified-Since" in request.headers for request in harness.server.seen]
    assert asked == [False, True, False]


@pytest.mark.parametrize("changing", ["ETag", "Last-Modified"])
async def test_each_validator_is_kept_alone_whatever_the_body(
    harness: FeedHarness, changing: str
) -> None:
    headers = {"ETag": '"one"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}
    later = {"ETag": 'W/"two"', "Last-Modified": "Mon, 02 Mar 2026 10:00:01 GMT"}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, headers=headers)

    body = rss(*archive(3))
    harness.server.handle("/feed.xml", answer)
    await harness.poll()
    headers = {**headers, changing: later[changing]}
    await harness.poll()
    state = await harness.state()
    assert (state.etag, state.last_modified) == (headers["ETag"], headers["Last-Modified"])
    await harness.poll()
    sent = harness.server.seen[-1].headers
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == (
        headers["ETag"],
        headers["Last-Modified"],
    )


async def test_a_304_with_a_new_etag_replaces_the_old_one(harness: FeedHarness) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match"):
            return web.Response(status=304, headers={"ETag": '"second"'})
        return web.Response(
            text=rss(*archive(3)),
            headers={"ETag": '"first"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"},
        )

    harness.server.handle("/feed.xml", answer)
    await harness.poll()
    await harness.poll()
    state = await harness.state()
    assert (state.etag, state.last_modified) == ('"second"', "Mon, 02 Mar 2026 10:00:00 GMT")


@pytest.mark.parametrize("status", [400, 412, 501])
async def test_a_server_that_refuses_conditional_requests_is_asked_without(
    harness: FeedHarness, status: int
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match"):
            return web.Response(status=status)
        return web.Response(text=body, headers={"ETag": '"one"'})

    body = rss(*archive(3))
    harness.server.handle("/feed.xml", answer)
    await harness.poll()
    body = rss(FIRE, *archive(3))
    await harness.poll()
    assert harness.alert_titles == []
    assert await harness.poll() == ["Harbour fire"]


async def test_without_validators_the_same_body_is_known_by_its_hash(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(3)))
    first = await harness.state()
    assert await harness.poll() == []
    state = await harness.state()
    assert (state.etag, state.last_modified) == (None, None)
    assert state.body_hash == first.body_hash != b""


# 29, 30. Pages instead of feeds.

CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Enable JavaScript "
    "and cookies to continue</body></html>"
)


@pytest.mark.parametrize("status", [200, 403, 503])
async def test_a_challenge_page_is_named_keeps_the_feed_and_backs_off(
    harness: FeedHarness, status: int
) -> None:
    await harness.publish(rss(*archive(3)))
    for _ in range(3):
        assert (
            await harness.publish(CHALLENGE, status=status, headers={"Content-Type": "text/html"})
            == []
        )
    state = await harness.state()
    assert state.failure is Failure.BLOCKED
    assert "challenge page" in state.failure_text
    assert state.next_poll_at - harness.clock.now() >= timedelta(minutes=20)
    assert await harness.publish(rss(FIRE, *archive(3))) == ["Harbour fire"]
    assert (await harness.state()).failure is None


@pytest.mark.parametrize(
    "page",
    [
        (
            "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form><input "
            "name='q'></form></body></html>"
        ),
        "<html><body><h1>This domain is for sale</h1></body></html>",
        (
            "<!-- consent --><!doctype HTML><html lang='de'><body>Wir brauchen Ihre "
            "Einwilligung<article><item>x</item></article></body></html>"
        ),
        "Not found, but with status 200",
        "",
        '{"error": "no such feed"}',
    ],
)
async def test_a_page_is_not_a_feed_and_clears_nothing(harness: FeedHarness, page: str) -> None:
    await harness.publish(rss(*archive(3)))
    before = await harness.state()
    assert (
        await harness.publish(page, headers={"Content-Type": "text/html", "ETag": '"page"'}) == []
    )
    state = await harness.state()
    assert state.failure is Failure.NOT_A_FEED
    assert (state.document, state.etag) == (before.document, before.etag)
    assert await harness.publish(rss(FIRE, *archive(3))) == ["Harbour fire"]


async def test_a_first_answer_that_is_a_page_is_no_baseline(harness: FeedHarness) -> None:
    await harness.publish(
        "<!DOCTYPE html><html><body>Down for maintenance</body></html>",
        headers={"Content-Type": "text/html"},
    )
    assert (await harness.state()).baseline_at is None
    assert await harness.publish(rss(*archive(3))) == []
