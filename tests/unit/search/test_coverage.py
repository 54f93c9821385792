"""What part of the past stored entries show, and how much news it ordinarily has."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support import NOON

from bot.model.archive import ArrivalFacts, FeedPast
from bot.search.coverage import WEEKEND, Coverage, begins

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
NO_ARRIVALS = ArrivalFacts((), timedelta(0))


def feed(
    name: str = "a",
    *,
    watched: datetime = NOON,
    count: int = 0,
    shown: Sequence[datetime] = (),
    undated: int = 0,
) -> FeedPast:
    return FeedPast(f"https://{name}.example/", name, (), watched, count, tuple(shown), undated)


def cover(*feeds: FeedPast, now: datetime = NOON, arrivals: ArrivalFacts = NO_ARRIVALS) -> Coverage:
    return Coverage.of(feeds, arrivals, (now - WEEK, now))


def start(past: FeedPast, lag: timedelta = timedelta(0)) -> datetime:
    return begins(past, NOON - WEEK, lag)


def test_a_feed_is_covered_from_its_first_fetch_or_the_whole_period() -> None:
    assert start(feed(watched=NOON - DAY)) == NOON - DAY
    assert start(feed(watched=NOON - 30 * DAY)) == NOON - WEEK


def test_a_document_in_order_of_time_goes_back_as_far_as_it_shows() -> None:
    shown = [NOON - number * HOUR for number in range(1, 21)]

    assert start(feed(shown=shown)) == pytest.approx(NOON - 18 * HOUR, abs=HOUR)
    assert start(feed(shown=shown), 2 * HOUR) == pytest.approx(NOON - 16 * HOUR, abs=HOUR)


def test_old_articles_on_a_front_page_are_no_past() -> None:
    shown = [NOON - number * HOUR for number in range(1, 11)]
    kept = [NOON - number * 20 * DAY for number in range(1, 6)]

    assert start(feed(shown=[*shown, *kept])) > NOON - 11 * HOUR


@pytest.mark.parametrize(("dated", "undated"), [(2, 0), (5, 6), (0, 30)])
def test_few_dates_are_no_past(dated: int, undated: int) -> None:
    shown = [NOON - number * HOUR for number in range(1, dated + 1)]

    assert start(feed(shown=shown, undated=undated)) == NOON


def test_a_whole_week_counts_seven_days_however_it_is_spread() -> None:
    hours = tuple(
        (NOON - WEEK + number * HOUR, 1 + 9 * (6 <= number % 24 < 20)) for number in range(168)
    )
    coverage = cover(
        feed(watched=NOON - 30 * DAY, count=1000), arrivals=ArrivalFacts(hours, timedelta(0))
    )

    assert coverage.days() == pytest.approx(7, rel=0.02)
    assert coverage.days_to_come(WEEK) == pytest.approx(7, rel=0.01)
    assert (coverage.since, coverage.unseen, coverage.too_early) == (NOON - WEEK, 0, False)


def test_a_night_counts_less_than_a_day() -> None:
    """The hours of the day are learned from all that was seen."""
    now = datetime(2026, 3, 5, 6, tzinfo=UTC)
    moments = (now - number * HOUR for number in range(1, 49))
    hours = tuple((at, 100 if 6 <= at.hour < 22 else 10) for at in moments)
    coverage = cover(
        feed(watched=now - 2 * DAY, count=3000),
        now=now,
        arrivals=ArrivalFacts(hours, timedelta(0)),
    )

    night, whole = coverage.days_to_come(HOUR), coverage.days_to_come(DAY)
    assert whole == pytest.approx(coverage.days() / 2, rel=0.1)
    assert night > whole / 24, "the night is over"


def test_a_weekend_counts_less_than_working_days_before_one_was_seen() -> None:
    friday = datetime(2026, 3, 6, 23, 59, tzinfo=UTC)
    coverage = cover(feed(watched=friday - 2 * DAY, count=200), now=friday)

    assert coverage.days_to_come(DAY) / (coverage.days() / 2) == pytest.approx(WEEKEND, rel=0.02)


def test_a_weekend_is_that_of_the_zone() -> None:
    friday = datetime(2026, 3, 6, 12, tzinfo=UTC)
    past = [feed(watched=friday - DAY, count=100)]
    period = (friday - WEEK, friday)
    there = Coverage.of(past, NO_ARRIVALS, period, ZoneInfo("Pacific/Auckland"))

    assert there.days_to_come(DAY) < Coverage.of(past, NO_ARRIVALS, period).days_to_come(DAY)


def test_time_counts_by_the_share_of_the_news_that_is_covered() -> None:
    young = feed("young", watched=NOON - 12 * HOUR, count=12)
    old = feed("old", watched=NOON - 24 * HOUR, count=72)
    coverage = cover(young, old)

    assert coverage.span / HOUR == pytest.approx(12 + 12 * 0.75, abs=0.2)
    assert coverage.days(2) < coverage.days(1), "two publishers are seen where both are covered"
    assert coverage.since == NOON - 24 * HOUR


def test_only_the_chosen_feeds_count() -> None:
    feeds = (feed("a", watched=NOON - HOUR, count=1), feed("b", watched=NOON - DAY, count=1))
    period = (NOON - WEEK, NOON)

    assert Coverage.of(feeds, NO_ARRIVALS, period, UTC, ("a",)).too_early
    assert not Coverage.of(feeds, NO_ARRIVALS, period, UTC, ("b",)).too_early
    nothing = Coverage.of(feeds, NO_ARRIVALS, period, UTC, ("c",))
    assert (nothing.too_early, nothing.since) == (True, NOON)
