"""A feed that stopped is silent after a pause that its history makes unlikely, and not before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bot.feeds.silence import is_silent, with_news
from bot.model.entries import EntryKeys, NewEntry, Silence
from bot.model.feeds import FeedState

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
DAY = timedelta(days=1)
KEYS = EntryKeys(b"", b"", b"", b"")

Rhythm = Callable[[datetime, Random], bool]


def entry(
    at: datetime, *, late: timedelta | None = None, silent: Silence | None = None
) -> NewEntry:
    published = at - late if late is not None else None
    return NewEntry(1, 1, KEYS, "", "", "", "", "", "", published, None, at, silent)


def poll(state: FeedState, at: datetime, *new: NewEntry) -> FeedState:
    """The state after a poll without fault."""
    after = replace(state, last_poll_at=at, last_ok_at=at, interval=INTERVAL)
    return replace(with_news(after, state, new), baseline_at=state.baseline_at or at)


def begun(at: datetime = MONDAY) -> FeedState:
    return poll(FeedState(next_poll_at=at), at, entry(at, silent=Silence.BASELINE))


def lived(rhythm: Rhythm, days: int, seed: int = 1) -> tuple[FeedState, datetime, list[datetime]]:
    """A feed that was polled each half hour for days; and when it would have been named."""
    state, at, chance = begun(), MONDAY, Random(seed)
    named: list[datetime] = []
    for _ in range(days * 48):
        at += INTERVAL
        new = [entry(at)] if rhythm(at, chance) else []
        state = poll(state, at, *new)
        if not state.stopped and is_silent(state, at):
            named.append(at)
            state = replace(state, stopped=True)
    return state, at, named


def steady(_: datetime, chance: Random) -> bool:
    return chance.random() < 0.3


def by_day(at: datetime, chance: Random) -> bool:
    return 7 <= at.hour < 22 and chance.random() < 0.3


def on_weekdays(at: datetime, chance: Random) -> bool:
    return at.weekday() < 5 and 8 <= at.hour < 18 and chance.random() < 0.3


def on_weekdays_but_holidays(at: datetime, chance: Random) -> bool:
    is_holiday = at.day == 6 and at.month in {4, 5}
    return not is_holiday and on_weekdays(at, chance)


def now_and_then(_: datetime, chance: Random) -> bool:
    return chance.random() < 1 / 96  # every second day


@pytest.mark.parametrize(
    "rhythm", [steady, by_day, on_weekdays, on_weekdays_but_holidays, now_and_then]
)
@pytest.mark.parametrize("seed", range(2))
def test_its_own_nights_weekends_and_quiet_weeks_are_no_silence(rhythm: Rhythm, seed: int) -> None:
    assert lived(rhythm, 120, seed)[2] == []


@pytest.mark.parametrize(
    ("rhythm", "soonest", "latest"),
    [
        (steady, timedelta(hours=6), timedelta(days=1)),
        (by_day, timedelta(hours=14), timedelta(days=2)),
        (on_weekdays, timedelta(days=4), timedelta(days=7)),
        (now_and_then, timedelta(days=14), timedelta(days=60)),
    ],
)
def test_a_feed_that_stops_is_silent_once_that_is_unlikely_for_it(
    rhythm: Rhythm, soonest: timedelta, latest: timedelta
) -> None:
    state, at, _ = lived(rhythm, 120)
    stopped = state.news_at
    assert stopped
    while not is_silent(state, at):
        at += INTERVAL
        state = poll(state, at)
    assert soonest < at - stopped < latest


def test_a_feed_is_watched_for_two_weeks_first() -> None:
    state, at, _ = lived(steady, 13)
    assert not is_silent(state, at + 30 * DAY)
    state, at, _ = lived(steady, 16)
    assert is_silent(state, at + 30 * DAY)


def test_news_end_a_silence() -> None:
    state, at, _ = lived(steady, 30)
    state = replace(state, stopped=True)
    assert poll(state, at + INTERVAL).stopped
    assert not poll(state, at + INTERVAL, entry(at + INTERVAL)).stopped


def test_an_archive_is_no_news() -> None:
    state, at, _ = lived(steady, 30)
    old = entry(at + INTERVAL, silent=Silence.ARCHIVE)
    assert poll(state, at + INTERVAL, old).news_at == state.news_at


def test_while_newsbell_was_away_no_pause_is_counted() -> None:
    state, at, _ = lived(steady, 30)
    away = at + 5 * DAY
    after = poll(state, away, entry(away))
    assert (after.news_at, after.pauses) == (away, state.pauses)
    assert after.longest_pause == state.longest_pause < DAY.total_seconds()


def test_a_long_pause_that_was_is_forgotten_slowly() -> None:
    state, at, _ = lived(steady, 30)
    for _ in range(5 * 48):
        at += INTERVAL
        state = poll(state, at)
    state = poll(state, at, entry(at))
    longest = state.longest_pause
    assert longest >= 5 * DAY.total_seconds() - 86400
    for _ in range(90 * 48):
        at += INTERVAL
        state = poll(state, at, entry(at))
    assert longest * 0.45 < state.longest_pause < longest * 0.55


def test_a_feed_of_an_earlier_version_is_watched_from_now_on() -> None:
    state = poll(FeedState(next_poll_at=MONDAY, baseline_at=MONDAY), MONDAY + DAY)
    assert (state.rhythm_at, state.news_at) == (MONDAY + DAY, MONDAY + DAY)


def test_the_delay_is_that_of_late_articles_as_a_rule() -> None:
    state, minute = begun(), timedelta(minutes=1)
    at = MONDAY + INTERVAL
    state = poll(state, at, *(entry(at, late=late * minute) for late in (2, 4, 600)))
    assert state.delay == 240.0
    state = poll(state, at + INTERVAL, entry(at + INTERVAL, late=14 * minute))
    assert state.delay == pytest.approx(240 + 0.2 * 600)
    state = poll(state, at + 2 * INTERVAL, entry(at, late=3 * DAY), entry(at))
    assert state.delay == pytest.approx(360), "an archive, and no date, say nothing"
