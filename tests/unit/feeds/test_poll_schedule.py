"""When a feed is polled again, as its publisher asks, and which failures make a notice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss

from bot.feeds import poll_schedule
from bot.feeds.feed_notices import REMEDIES, shown_url
from bot.feeds.poll_result import failed, refused
from bot.feeds.poll_schedule import (
    BACK_OFF,
    CEILING,
    FLOOR,
    LOCAL_PAUSE,
    LONGEST_WAIT,
    OUTAGES,
    after_failure,
    after_success,
    skip,
)
from bot.fetch.headers import freshness
from bot.model.delivery import DeliveryKind
from bot.model.feeds import (
    Failure,
    FeedDue,
    FeedHints,
    FeedState,
    FetchFailed,
    Freshness,
    Hint,
    Redirection,
)
from bot.model.hosts import HostPace
from bot.service.app import App
from bot.text.duration import in_words

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FRESH = Freshness()
JITTERED = 1.1

spans = st.timedeltas(timedelta(0), timedelta(days=400))
chances = st.floats(0, 1, exclude_max=True)
wishes = st.builds(Freshness, st.none() | spans, st.none() | spans)
everies = st.none() | st.timedeltas(timedelta(seconds=1), CEILING)
hint_sets = st.builds(
    FeedHints,
    st.none() | spans,
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
)  # all hours and all days among them
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 (hypothesis adds the zone)
    datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
rates = st.floats(0, 5000)


def state(**parts: object) -> FeedState:
    return replace(FeedState(NOON), **parts)  # type: ignore[arg-type]


def feed(of: FeedState, every: timedelta | None = None) -> FeedDue:
    return FeedDue(1, "http://feeds.example/a", "A", "A", (), every, of)


@given(everies, wishes, hint_sets, rates, st.none() | spans, moments, chances)
def test_the_next_poll_is_neither_too_soon_nor_too_late_whatever_feed_and_server_say(
    every: timedelta | None,
    fresh: Freshness,
    hints: FeedHints,
    rate: float,
    quiet: timedelta | None,
    now: datetime,
    chance: float,
) -> None:
    known = state(hints=hints, rate=rate, newest=now - quiet if quiet is not None else None)
    plan = after_success(feed(known, every), known, fresh, now, chance)
    assert plan.at - now >= (every or FLOOR)
    asked = min(fresh.retry_after or timedelta(0), LONGEST_WAIT)
    assert plan.at - now <= max(CEILING, asked) * JITTERED
    assert plan.at - now >= asked
    assert plan.interval <= plan.at - now
    assert plan.reason


@given(everies, wishes, st.integers(1, 500), st.sampled_from(Failure), moments, chances)
def test_the_next_try_is_neither_too_soon_nor_too_late_and_waits_as_the_server_asked(
    every: timedelta | None,
    fresh: Freshness,
    failures: int,
    failure: Failure,
    now: datetime,
    chance: float,
) -> None:
    known = state(
        failures=failures, failure=failure, gone=failures if failure is Failure.GONE else 0
    )
    plan = after_failure(feed(known, every), known, fresh, now, chance)
    asked = min(fresh.retry_after or timedelta(0), LONGEST_WAIT)
    least = every or FLOOR
    if failure is Failure.LOCAL:
        least = min(least, LOCAL_PAUSE)
    if failure in OUTAGES:
        least = min(least, BACK_OFF / JITTERED)
    assert max(least, asked) <= plan.at - now <= max(CEILING, asked) * JITTERED
    assert plan.reason


def test_a_lack_of_open_files_does_not_back_a_feed_off() -> None:
    known, feed_of = state(failures=0), feed
    for _ in range(20):
        commit = failed(feed_of(known), FetchFailed(Failure.LOCAL, "No files."), NOON, 0)
        known = commit.state
    assert known.failures == 1
    assert known.next_poll_at - NOON == LOCAL_PAUSE
    assert known.failure is Failure.LOCAL
    later = failed(feed_of(known), FetchFailed(Failure.SERVER, "It fails."), NOON, 0).state
    assert later.next_poll_at - NOON <= 2 * FLOOR


def test_a_document_that_is_slow_to_read_is_read_less_often_than_every_says() -> None:
    known = state()
    every = timedelta(seconds=4)
    assert after_success(feed(known, every), known, FRESH, NOON, 0, 0.1).interval == every
    slow = after_success(feed(known, every), known, FRESH, NOON, 0, 3.0)
    assert slow.interval == 10 * MINUTE


@given(everies, st.integers(1, 100), chances)
def test_each_further_failure_waits_at_least_as_long(
    every: timedelta | None, failures: int, chance: float
) -> None:
    fewer, more = (
        state(failures=count, failure=Failure.SERVER) for count in (failures, failures + 1)
    )
    assert (
        after_failure(feed(fewer, every), fewer, FRESH, NOON, chance).at
        <= after_failure(feed(more, every), more, FRESH, NOON, chance).at
    )


def waits(failure: Failure, every: timedelta | None, since: datetime) -> list[int]:
    """Whole minutes of the longest wait after each further failure."""
    minutes = []
    for failures in range(1, 12):
        known = state(failures=failures, failure=failure, failing_since=since)
        plan = after_failure(feed(known, every), known, FRESH, NOON, 1)
        minutes.append(round((plan.at - NOON) / MINUTE))
    return minutes


@pytest.mark.parametrize("failure", sorted(OUTAGES))
@pytest.mark.parametrize("days", [0, 400])
@pytest.mark.parametrize(
    ("every", "longest"),
    [
        (timedelta(seconds=30), timedelta(seconds=150)),
        (MINUTE, 5 * MINUTE),
        (5 * MINUTE, 15 * MINUTE),
        (6 * MINUTE, HOUR),
        (None, HOUR),
        (DAY, HOUR),
    ],
)
def test_a_site_that_is_down_is_looked_at_again_soon_however_long_it_has_been_down(
    failure: Failure, days: int, every: timedelta | None, longest: timedelta
) -> None:
    known = state(failures=99, failure=failure, failing_since=NOON - days * DAY)
    for chance in (0.0, 0.5, 1.0):
        span = after_failure(feed(known, every), known, FRESH, NOON, chance).at - NOON
        assert longest * 0.9 < span <= longest


def test_failures_of_an_outage_double_the_wait_up_to_its_bound() -> None:
    assert waits(Failure.SERVER, None, NOON)[:6] == [6, 11, 22, 44, 60, 60]
    assert waits(Failure.SERVER, MINUTE, NOON)[:5] == [1, 2, 4, 5, 5]


def test_any_failure_may_be_an_outage_on_its_first_day_and_doubles_up_to_a_day_later() -> None:
    """A page instead of the feed, or a 404 while a site is moved."""
    for failure in (Failure.NOT_FOUND, Failure.NOT_A_FEED, Failure.BLOCKED, Failure.LOGIN):
        assert waits(failure, None, NOON - 23 * HOUR)[4:] == [60] * 7
        assert waits(failure, None, NOON - 25 * HOUR)[4:7] == [88, 176, 352]
        assert waits(failure, None, NOON - 25 * HOUR)[-1] == 1584


@pytest.mark.parametrize(
    ("every", "hours", "within"),
    [
        (MINUTE, 9, 5 * MINUTE),
        (MINUTE, 6, 5 * MINUTE),
        (None, 12, HOUR),
        (10 * MINUTE, 24, HOUR),
        (2 * HOUR, 9, HOUR),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_after_an_outage_of_hours_newsbell_looks_again_soon(
    every: timedelta | None, hours: int, within: timedelta, chance: float
) -> None:
    now, back, known = NOON, NOON + hours * HOUR, state()
    while now < back:
        commit = failed(feed(known, every), FetchFailed(Failure.SERVER, "500"), now, chance)
        known = commit.state
        now = known.next_poll_at
    print(f"every {every}, down {hours} h: looked at {now - back} later")  # noqa: T201
    assert now - back <= within


@pytest.mark.parametrize(
    ("hints", "headers", "asked", "why"),
    [
        (FeedHints(ttl=HOUR), {}, HOUR, "ttl"),
        (FeedHints(ttl=DAY), {}, DAY, "ttl"),
        (FeedHints(), {"Cache-Control": "max-age=86400"}, DAY, "Cache-Control"),
        (FeedHints(), {"Expires": "Thu, 31 Dec 2037 23:55:55 GMT"}, DAY, "Expires"),
        (FeedHints(skip_hours=frozenset(range(24))), {}, timedelta(0), "skipHours"),
        (FeedHints(ttl=MINUTE), {}, timedelta(0), ""),
    ],
)
def test_an_interval_of_feeds_yaml_wins_over_what_the_publisher_hints(
    hints: FeedHints, headers: dict[str, str], asked: timedelta, why: str
) -> None:
    known = state(hints=hints)
    plan = after_success(feed(known, 2 * MINUTE), known, freshness(headers, NOON), NOON, 0)
    assert (plan.at, plan.reason) == (NOON + 2 * MINUTE, "every")
    assert plan.hint == asked
    assert why in plan.hint_reason
    assert bool(why) == bool(plan.hint_reason)


def test_no_interval_of_feeds_yaml_wins_over_retry_after_or_a_document_slow_to_read() -> None:
    known, every = state(), 2 * MINUTE
    asked = freshness({"Retry-After": "3600"}, NOON)
    assert after_success(feed(known, every), known, asked, NOON, 0).interval == HOUR
    assert after_success(feed(known, every), known, FRESH, NOON, 0, 3.0).interval == 10 * MINUTE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("120.5", 120.5),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120),
        ("Monday, 02-Mar-26 12:02:00 GMT", 120),
        ("2026-03-02T12:02:00Z", 120),
        ("1772452920", 120),
        ("1772452920.25", 120.25),
        ("1772452920000", 120),
        ("1772452000", 0),
        ("Sun, 01 Mar 2026 12:00:00 GMT", 0),
        ("999999999", 366 * 86400),
        ("99999999999999999999", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_retry_after_is_read_as_seconds_as_a_date_and_as_a_moment(
    text: str, seconds: float
) -> None:
    wait = freshness({"Retry-After": text}, NOON).retry_after or timedelta(0)
    assert wait.total_seconds() == seconds


def test_a_moment_in_retry_after_is_relative_to_the_clock_of_the_server() -> None:
    headers = {"Retry-After": "1772456520", "Date": "Mon, 02 Mar 2026 13:00:00 GMT"}
    assert freshness(headers, NOON).retry_after == 2 * MINUTE


@given(rates, rates)
def test_a_feed_that_publishes_more_is_looked_at_at_least_as_often(
    first: float, second: float
) -> None:
    fewer, more = sorted((first, second))
    newest = NOON - 10 * MINUTE
    assert poll_schedule.adaptive(state(rate=more, newest=newest), NOON) <= poll_schedule.adaptive(
        state(rate=fewer, newest=newest), NOON
    )


@pytest.mark.parametrize(
    ("hints", "headers", "minutes", "why"),
    [
        (FeedHints(), {}, 30, "as often as it publishes"),
        (FeedHints(ttl=2 * HOUR), {}, 120, "ttl"),
        (FeedHints(), {"Cache-Control": "public, max-age=7200"}, 120, "Cache-Control"),
        (FeedHints(), {"Cache-Control": 'max-age="7200"'}, 120, "Cache-Control"),
        (FeedHints(), {"Cache-Control": "max-age=7200", "Age": "1800"}, 90, "Cache-Control"),
        (
            FeedHints(),
            {"Cache-Control": "max-age=7200", "Expires": "Mon, 02 Mar 2026 22:00:00 GMT"},
            120,
            "Cache-Control",
        ),
        (
            FeedHints(),
            {"Cache-Control": "public", "Expires": "Mon, 02 Mar 2026 14:00:00 GMT"},
            120,
            "Expires",
        ),
        (FeedHints(), {"Expires": "Mon, 02 Mar 2026 14:00:00 GMT"}, 120, "Expires"),
        (
            FeedHints(),
            {"Expires": "Mon, 02 Mar 2026 14:00:00 GMT", "Date": "Mon, 02 Mar 2026 13:00:00 GMT"},
            60,
            "Expires",
        ),
        (FeedHints(), {"Expires": "0"}, 30, "publishes"),
        (FeedHints(), {"Expires": "Sun, 01 Mar 2026 14:00:00 GMT"}, 30, "publishes"),
        (FeedHints(), {"Cache-Control": "no-cache, max-age=7200"}, 30, "publishes"),
        (
            FeedHints(),
            {"Cache-Control": "no-store", "Expires": "Mon, 02 Mar 2026 22:00:00 GMT"},
            30,
            "publishes",
        ),
        (FeedHints(), {"Cache-Control": "max-age=60"}, 30, "publishes"),
        (FeedHints(), {"Cache-Control": "s-maxage=7200"}, 30, "publishes"),
        (FeedHints(), {"Cache-Control": "max-age=99999999999999"}, 1440, "Cache-Control"),
        (FeedHints(), {"Retry-After": "7200"}, 120, "Retry-After"),
        (FeedHints(), {"Retry-After": "Mon, 02 Mar 2026 14:00:00 GMT"}, 120, "Retry-After"),
        (
            FeedHints(),
            {
                "Retry-After": "Mon, 02 Mar 2026 14:00:00 GMT",
                "Date": "Mon, 02 Mar 2026 13:00:00 GMT",
            },
            60,
            "Retry-After",
        ),
        (FeedHints(), {"Retry-After": "259200"}, 4320, "Retry-After"),
        (FeedHints(), {"Retry-After": "99999999"}, 7 * 1440, "Retry-After"),
        (FeedHints(), {"Retry-After": "soon"}, 30, "publishes"),
        (FeedHints(), {"Retry-After": "-5"}, 30, "publishes"),
        (
            FeedHints(ttl=3 * HOUR),
            {"Cache-Control": "max-age=7200", "Retry-After": "3600"},
            180,
            "ttl",
        ),
    ],
)
def test_the_longest_wish_of_feed_and_server_counts(
    hints: FeedHints, headers: dict[str, str], minutes: int, why: str
) -> None:
    known = state(hints=hints)
    plan = after_success(feed(known), known, freshness(headers, NOON), NOON, 0)
    assert (plan.interval / MINUTE, plan.at) == (minutes, NOON + minutes * MINUTE)
    assert why in plan.reason


def test_hours_and_days_that_the_feed_asks_to_skip_are_skipped_for_a_day_at_most() -> None:
    lunch = FeedHints(skip_hours=frozenset({12, 13}))
    assert skip(NOON + 30 * MINUTE, lunch) == NOON + 2 * HOUR
    plan = after_success(feed(state(hints=lunch)), state(hints=lunch), FRESH, NOON, 0)
    assert (plan.at, plan.reason) == (NOON + 2 * HOUR, "the feed's skipHours or skipDays")
    monday = FeedHints(skip_days=frozenset({0}))  # noon is one
    assert (
        after_success(feed(state(hints=monday)), state(hints=monday), FRESH, NOON, 0).at
        == NOON + 12 * HOUR
    )
    always = FeedHints(skip_hours=frozenset(range(24)))
    assert (
        after_success(feed(state(hints=always)), state(hints=always), FRESH, NOON, 0).at
        == NOON + DAY
    )


@given(
    moments, hint_sets.filter(lambda hints: len(hints.skip_hours) < 24 and len(hints.skip_days) < 7)
)
def test_what_is_skipped_to_is_the_next_hour_that_is_not_skipped(
    at: datetime, hints: FeedHints
) -> None:
    awake = skip(at, hints)
    assert awake >= at
    assert awake.hour not in hints.skip_hours
    assert awake.weekday() not in hints.skip_days
    assert skip(awake, hints) == awake


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (90, "90s"),
        (60, "1m"),
        (300, "5m"),
        (5400, "90m"),
        (5430, "90m"),
        (7200, "2h"),
        (86400, "1d"),
        (9000, "2.5h"),
    ],
)
def test_spans_are_written_as_people_write_them(span: int, text: str) -> None:
    assert in_words(timedelta(seconds=span)) == text


@pytest.mark.parametrize("failure", sorted(set(Failure) - {Failure.LOCAL, Failure.SLOW_DOWN}))
def test_every_failure_has_a_remedy_in_the_notice(failure: Failure) -> None:
    assert REMEDIES[failure].endswith(".")
    known = state(failures=2, failing_since=NOON - 2 * DAY, gone=2)
    commit = failed(feed(known), FetchFailed(failure, "It failed."), NOON, 0)
    (notice,) = commit.notices
    assert notice.kind == "feed_failing"
    assert notice.text == (
        f"A has failed 3 times in a row for 2 days: It failed. {REMEDIES[failure]}\n"
        "http://feeds.example/a"
    )


def test_a_host_that_refuses_for_a_day_makes_a_notice_for_its_feed() -> None:
    known = state(failures=1, failure=Failure.SLOW_DOWN, failing_since=NOON - DAY)
    answer = FetchFailed(Failure.SLOW_DOWN, "It refuses.")
    commit = refused(feed(known), answer, HostPace(NOON + HOUR), NOON)
    (notice,) = commit.notices
    assert notice.text == (
        f"A has failed 1 time in a row for 24 hours: It refuses. {REMEDIES[Failure.SLOW_DOWN]}\n"
        "http://feeds.example/a"
    )
    assert refused(feed(commit.state), answer, None, NOON + DAY).notices == ()


def test_a_failure_of_its_own_after_refusals_of_its_host_is_a_feeds_first() -> None:
    known = state()
    for _ in range(5):
        known = refused(feed(known), FetchFailed(Failure.SLOW_DOWN, ""), None, NOON).state
    later = failed(feed(known), FetchFailed(Failure.SERVER, ""), NOON, 0).state
    assert (later.failures, later.interval) == (1, FLOOR)


def test_a_notice_shows_an_address_without_what_may_be_secret_in_it() -> None:
    assert (
        shown_url("https://me:hush@feeds.example:81/a/b?key=hush&plain#x")
        == "https://feeds.example:81/a/b?key=…&plain"
    )


def notices(terminal: Recorder) -> list[str]:
    return terminal.texts(DeliveryKind.NOTICE)


async def next_poll(app: App) -> datetime:
    return (await app.store.admin.status()).feeds[0].state.next_poll_at


LATER = NOON + timedelta(days=365)  #: stored while the clock was ahead


def test_a_feed_fetched_whole_at_a_time_that_has_not_come_is_fetched_whole_again() -> None:
    assert not poll_schedule.conditional(state(full_at=LATER), NOON)
    assert poll_schedule.conditional(state(full_at=NOON), NOON)


def test_a_failure_that_began_at_a_time_that_has_not_come_began_now() -> None:
    before = state(failing_since=LATER, failures=2)
    after = poll_schedule.failed(before, Failure.DNS, "", NOON)
    assert after.failing_since == NOON
    assert poll_schedule.notice_due(after, NOON + timedelta(days=1))


def test_a_redirect_seen_at_a_time_that_has_not_come_is_adopted_after_a_day() -> None:
    moved = state(redirection=Redirection("https://new.example/", 5, LATER))
    moved = poll_schedule.redirected(moved, "https://new.example/", NOON)
    moved = poll_schedule.redirected(moved, "https://new.example/", NOON + timedelta(days=1))
    assert moved.adopted_url == "https://new.example/"


@pytest.mark.parametrize(
    ("interval", "reason", "longest"),
    [
        (timedelta(seconds=4), "every", timedelta(seconds=4.4)),
        (timedelta(days=7), "the server's Retry-After", timedelta(days=7.7)),
        (timedelta(minutes=30), Hint.SKIPS, timedelta(hours=26.4)),
        (timedelta(0), "", timedelta(0)),
    ],
)
def test_a_stored_plan_says_how_far_ahead_it_can_have_been(
    interval: timedelta, reason: str, longest: timedelta
) -> None:
    assert poll_schedule.longest_wait(interval, reason) == longest


async def test_a_restart_does_not_move_the_next_poll(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    """The jitter is part of the schedule and is kept, so that a restart makes no burst."""
    server.put("/a", rss(item("1", "Old", at=NOON - 3 * DAY)))
    config = config_text([server.url("/a")])
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
        planned = await next_poll(app)
    clock.advance(MINUTE)
    async with newsbell(tmp_path, config, clock=clock) as app:
        assert await next_poll(app) == planned
        await app.poller.run_once()
    assert len(server.seen) == 1


async def test_one_notice_after_three_failures_and_24_hours_and_one_on_recovery(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a", rss(item("1", "Old", at=NOON - 3 * DAY)))
    async with newsbell(
        tmp_path,
        config_text([{"url": server.url("/a"), "name": "A"}]),
        clock=clock,
        terminal=terminal,
    ) as app:
        await poll(app)
        server.put("/a", "", status=500)
        for _ in range(4):
            await poll(app)
            clock.advance(HOUR)
        assert notices(terminal) == []
        clock.advance(20 * HOUR)
        for _ in range(5):
            await poll(app)
            clock.advance(30 * HOUR)
        (notice,) = notices(terminal)
        assert (
            "A has failed 5 times in a row for 24 hours: The site's server fails (500)." in notice
        )
        server.put("/a", rss(item("1", "Old", at=NOON - 3 * DAY)))
        await poll(app)
        await poll(app)
    assert len(notices(terminal)) == 2
    assert "A works again after" in notices(terminal)[1]


async def test_a_day_of_silence_is_no_notice_before_the_third_failure(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        for expected in (0, 0, 1, 1):
            await poll(app)
            clock.advance(25 * HOUR)
            assert len(notices(terminal)) == expected


async def test_a_failure_that_mends_itself_is_never_reported(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        for _ in range(5):
            await poll(app)
        server.put("/a", rss(item("1", "Old", at=NOON - 3 * DAY)))
        await poll(app)
    assert notices(terminal) == []


async def test_a_feed_that_is_gone_three_times_is_reported_at_once_and_polled_daily(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a", "", status=410)
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        await poll(app)
        assert notices(terminal) == []
        assert await next_poll(app) <= clock.now() + 11 * MINUTE
        await poll(app)
        assert "gone for good (410)" in notices(terminal)[0]
        assert DAY <= await next_poll(app) - clock.now() <= DAY * JITTERED
        await poll(app)
    assert len(notices(terminal)) == 1


async def test_one_other_answer_begins_the_count_of_410_anew(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        for status in (410, 410, 404, 410, 410):
            server.put("/a", "", status=status)
            await poll(app)
    assert notices(terminal) == []
