"""A clock that is set, back or ahead, stops nothing, loses nothing and repeats nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from feed_harness import FeedHarness, archive, watching
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    config_text,
    execute,
    item,
    newsbell,
    query,
    rss,
)

from bot.delivery.rate_limits import CHAT_GAP, GROUP_BUDGET, GROUP_SPAN, RateLimiter
from bot.i18n.phrase import span_phrase
from bot.model.clock import ClockStep
from bot.model.delivery import Sent
from bot.service.app import App
from bot.store.mappers import put_time

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
STEPS = (2 * MINUTE, HOUR, DAY, 90 * DAY, YEAR, 50 * YEAR)
SIGNED = [sign * step for step in STEPS for sign in (1, -1)]
GROUP = -1_000_000_000_001


def _name(step: timedelta) -> str:
    return f"{'ahead' if step > timedelta(0) else 'back'} {span_phrase(abs(step))}"


def _config(server: FeedServer, *paths: str) -> str:
    """These feeds, each polled every four seconds."""
    feeds = [{"url": server.url(path), "name": path, "every": "4s"} for path in paths]
    return config_text(feeds)


async def _set(app: App, clock: ManualClock, step: timedelta) -> None:
    clock.set_wrong(step)
    await app.jobs.compare_clocks()


async def _poll_due(app: App) -> None:
    """Poll what is due and deliver what may go out."""
    await app.poller.run_once()
    await app.deliverer.run_once(timedelta(0))


def _asked(server: FeedServer, path: str) -> int:
    return sum(seen.path == path for seen in server.seen)


@pytest.mark.parametrize("step", SIGNED, ids=_name)
async def test_feeds_are_polled_and_alerted_once_while_the_clock_is_set_to_and_fro(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder, step: timedelta
) -> None:
    items = archive(3)
    server.put("/feed.xml", rss(*items))
    async with newsbell(
        tmp_path, _config(server, "/feed.xml"), clock=clock, terminal=terminal
    ) as app:
        await _poll_due(app)
        for number, span in enumerate((step, -step)):
            await _set(app, clock, span)
            clock.advance(5 * SECOND)
            title = f"Harbour closed by storm, report {'ab'[number]}"
            items.insert(0, item(f"new-{number}", title, at=NOON))
            server.put("/feed.xml", rss(*items))
            before = _asked(server, "/feed.xml")
            await _poll_due(app)
            assert _asked(server, "/feed.xml") == before + 1
        clock.advance(5 * SECOND)
        await _poll_due(app)
        assert sorted(set(terminal.titles())) == sorted(terminal.titles())
        assert query(app, "select count(*) from entries where first_seen_at > ''") == [(5,)]
        assert query(app, "select count(*) from alerts where message_id is null") == [(0,)]


@pytest.mark.parametrize("step", SIGNED, ids=_name)
async def test_feeds_are_polled_and_alerted_after_restarts_with_another_clock(
    tmp_path: Path, server: FeedServer, terminal: Recorder, step: timedelta
) -> None:
    items = archive(3)
    moment = NOON
    titles = ("Harbour opens new quay", "Storm floods harbour tunnel", "Strike ends at harbour")
    for number, span in enumerate((timedelta(0), step, timedelta(0))):
        clock = ManualClock(NOON + span + number * MINUTE)
        config = _config(server, "/feed.xml")
        server.put("/feed.xml", rss(*items))
        async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
            before = _asked(server, "/feed.xml")
            for _ in range(2):
                clock.advance(5 * SECOND)
                await _poll_due(app)
            assert _asked(server, "/feed.xml") == before + 2
            items.insert(0, item(f"new-{number}", titles[number], at=moment))
            server.put("/feed.xml", rss(*items))
            clock.advance(5 * SECOND)
            await _poll_due(app)
            assert terminal.titles() == list(titles[: number + 1])


async def test_an_hour_ahead_that_an_older_version_stored_is_corrected_at_the_start(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    """No time of a run is stored: the last poll says how far the clock was ahead."""
    server.put("/feed.xml", rss(*archive(2)))
    config = _config(server, "/feed.xml")
    ahead = ManualClock(NOON + YEAR)
    async with newsbell(tmp_path, config, clock=ahead, terminal=terminal) as app:
        await _poll_due(app)
        execute(app, "delete from meta where name like 'clock%'")
        execute(
            app,
            "insert into hosts (host, not_before) values ('127.0.0.1', ?)",
            put_time(NOON + YEAR + MINUTE),
        )
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        clock.advance(5 * SECOND)
        before = _asked(server, "/feed.xml")
        await _poll_due(app)
        assert _asked(server, "/feed.xml") == before + 1
        [(until,)] = query(app, "select not_before from hosts where host = '127.0.0.1'")
        assert until == put_time(NOON + MINUTE)


#: what waits, how it is written and read, and how long it may wait at most
WAITS: dict[str, tuple[str, str, timedelta]] = {
    "host": (
        """insert into hosts (host, not_before) values ('slow.example', ?)
        on conflict (host) do update set not_before = excluded.not_before""",
        "select not_before from hosts",
        7 * DAY,
    ),
    "chat": ("update chats set not_before = ?", "select not_before from chats", DAY),
    "delivery": (
        "update outbox set not_before = ?",
        "select max(not_before) from outbox",
        DAY,
    ),
    "pending alert": (
        "update alerts set held = 1, due_at = ?",
        "select due_at from alerts",
        3 * DAY,
    ),
    "question": (
        """insert into pending values (1, 'harbour', ?)
        on conflict (chat_id) do update set expires_at = excluded.expires_at""",
        "select expires_at from pending",
        HOUR,
    ),
}


@pytest.mark.parametrize("name", WAITS)
async def test_no_wait_outlasts_what_could_have_been_asked_for(
    tmp_path: Path, server: FeedServer, clock: ManualClock, name: str
) -> None:
    write, read, longest = WAITS[name]
    async with _with_rows(tmp_path, server, clock) as harness:
        app = harness.app
        execute(app, "update subscriptions set publishers = 2, or_after = 60")
        for stored, step, expected in (
            (NOON + MINUTE, timedelta(0), NOON + MINUTE),
            (NOON + YEAR, timedelta(0), NOON + longest),
            (NOON + YEAR + MINUTE, -YEAR, NOON + MINUTE),
            (NOON - YEAR + MINUTE, YEAR, NOON + MINUTE),
        ):
            execute(app, write, put_time(stored))
            await app.store.admin.correct_moments(ClockStep(NOON, step))
            assert query(app, read) == [(put_time(expected),)]


async def test_what_was_withdrawn_while_the_clock_was_wrong_goes_out_when_it_is_right(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with _with_rows(tmp_path, server, clock) as harness:
        app = harness.app
        execute(app, "delete from outbox_alerts")
        execute(app, "delete from outbox")
        execute(
            app,
            "update alerts set held = 1, message_id = null, due_at = null, created_at = ?",
            put_time(NOON + YEAR),
        )
        [(held,)] = query(app, "select count(*) from alerts")
        assert held > 0

        await app.store.admin.correct_moments(ClockStep(clock.now(), -YEAR))

        assert query(app, "select count(*) from alerts where held = 1") == [(0,)]
        queued = "select count(*) from outbox where kind = 'alert' and state = 'queued'"
        assert query(app, queued) == [(held,)]


async def test_waits_that_a_clock_ahead_left_are_mended_at_the_start_and_told_once(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/feed.xml", rss(*archive(2)))
    config = _config(server, "/feed.xml")
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await _poll_due(app)
        execute(app, "update feeds set next_poll_at = ?", put_time(NOON + 5 * YEAR))
        execute(app, "update chats set not_before = ?", put_time(NOON + 5 * YEAR))
    for _ in range(2):
        async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
            assert query(app, "select next_poll_at from feeds") == [(put_time(NOON),)]
            assert query(app, "select not_before from chats") == [(put_time(NOON + DAY),)]
            notices = query(app, "select text from outbox where kind = 'notice'")
            (text,) = [text for (text,) in notices if "clock" in text]
            assert "2 waits of feeds, sites and chats" in text


async def test_the_operator_is_told_once_and_nothing_is_deleted_for_a_day(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/feed.xml", rss(*archive(3)))
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.poll()
        await harness.publish(rss(*archive(1)))  # two leave the document
        await _set(harness.app, clock, 120 * DAY)
        await harness.app.jobs.compare_clocks()
        await harness.app.jobs.prune()
        await harness.poll()
        assert await harness.entries() == 3
        assert len(harness.notices) == 1
        assert "set ahead by 120 days" in harness.notices[0]
        await _set(harness.app, clock, -120 * DAY)
        await harness.app.jobs.prune()
        clock.advance(DAY + MINUTE)
        await harness.app.jobs.prune()
        await harness.poll()
        assert await harness.entries() == 3
        clock.advance(95 * DAY)
        await harness.app.jobs.compare_clocks()
        await harness.app.jobs.prune()
        assert await harness.entries() == 1


async def test_a_clock_that_is_slewed_is_followed_without_a_word(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/feed.xml", rss(*archive(1)))
    async with watching(tmp_path, server, clock, terminal) as harness:
        for _ in range(1000):
            clock.advance(SECOND)
            clock.set_wrong(timedelta(milliseconds=20))
            await harness.app.jobs.compare_clocks()
        await harness.poll()
        assert not harness.notices


async def test_two_reports_of_a_story_are_one_alert_over_a_step_of_the_clock(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    """Without dates in the feeds, so that the clock alone says when they came."""
    first, second = (
        "Ferry capsizes in Port Selva harbour, forty missing",
        ("Forty missing as ferry capsizes in Port Selva harbour"),
    )
    server.put("/a.xml", rss(*archive(2)))
    server.put("/b.xml", rss(*archive(2, first=3)))
    config = _config(server, "/a.xml", "/b.xml")
    for step in (YEAR, -YEAR):
        folder = tmp_path / _name(step).replace(" ", "-")
        folder.mkdir()
        clock, terminal = ManualClock(), Recorder()
        server.put("/a.xml", rss(*archive(2)))
        server.put("/b.xml", rss(*archive(2, first=3)))
        async with newsbell(folder, config, clock=clock, terminal=terminal) as app:
            await _poll_due(app)
            server.put("/a.xml", rss(item("a-1", first, at=None), *archive(2)))
            clock.advance(5 * SECOND)
            await _poll_due(app)
            await _set(app, clock, step)
            server.put("/b.xml", rss(item("b-1", second, at=None), *archive(2, first=3)))
            clock.advance(5 * SECOND)
            await _poll_due(app)
            assert terminal.titles() == [first]
        # and after a restart, when the clock is right again
        clock = ManualClock(NOON + MINUTE)
        async with newsbell(folder, config, clock=clock, terminal=terminal) as app:
            third = "Ferry capsizes in Port Selva harbour: forty still missing"
            server.put(
                "/a.xml", rss(item("a-2", third, at=None), item("a-1", first, at=None), *archive(2))
            )
            clock.advance(5 * SECOND)
            await _poll_due(app)
            assert terminal.titles() == [first]


@pytest.mark.parametrize("step", SIGNED, ids=_name)
def test_the_budget_of_a_group_is_neither_lost_nor_refilled_by_a_step(step: timedelta) -> None:
    limits, now = RateLimiter(), NOON
    for _ in range(GROUP_BUDGET):
        now += CHAT_GAP
        limits.begin(GROUP, now)
        limits.end(GROUP, now, Sent(1))
    expected = limits.allowed_at(GROUP, now, urgent=True) - now
    assert MINUTE / 2 < expected < GROUP_SPAN
    limits.clock_set(ClockStep(now + step, step))
    assert limits.allowed_at(GROUP, now + step, urgent=True) - (now + step) == expected


async def test_sends_that_a_clock_ahead_stored_fill_no_budget_at_the_start(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with _with_rows(tmp_path, server, clock) as harness:
        sent = "update outbox set state = 'sent', settled_at = ?"
        execute(harness.app, sent, put_time(NOON + YEAR))
        store = harness.app.store.deliveries
        assert await store.recent_sends(NOON - MINUTE, clock.now()) == []


@asynccontextmanager
async def _with_rows(
    folder: Path, server: FeedServer, clock: ManualClock
) -> AsyncIterator[FeedHarness]:
    """A newsbell at noon with an alert that was sent and a delivery that waits."""
    server.put("/feed.xml", rss(*archive(1)))
    async with watching(folder, server, clock, Recorder()) as harness:
        await harness.poll(after=timedelta(0))
        await harness.publish(rss(item("n", "Harbour reopens"), *archive(1)), after=timedelta(0))
        execute(harness.app, "update outbox set state = 'queued'")
        yield harness
