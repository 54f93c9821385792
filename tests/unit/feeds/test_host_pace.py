"""How often a host may be asked: what refusals teach, and how it is forgotten."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOON

from bot.feeds.host_pace import (
    FIRST_LESSON,
    HELD,
    LONGEST,
    Refusal,
    after_answer,
    needs_storing,
    refusal,
)
from bot.feeds.poll_schedule import LONGEST_WAIT
from bot.model.feeds import (
    Failure,
    FeedDue,
    FeedState,
    Fetched,
    FetchFailed,
    FetchOutcome,
    Freshness,
)
from bot.model.hosts import HostPace

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NONE = timedelta(0)
SPACING = SECOND


def good(asked: timedelta | None = None) -> FetchOutcome:
    return Fetched(b"", "http://a.example/", "", None, None, Freshness(None, asked))


def bad(failure: Failure, asked: timedelta | None = None) -> FetchFailed:
    return FetchFailed(failure, "It failed.", Freshness(None, asked))


def feed(failure: Failure | None = None, **parts: object) -> FeedDue:
    state = replace(FeedState(NOON, failure=failure), **parts)  # type: ignore[arg-type]
    return FeedDue(1, "http://a.example/1", "A", "A", (), None, state)


answers = st.one_of(
    st.builds(good, st.none() | st.timedeltas(SECOND, timedelta(days=400))),
    st.builds(
        bad, st.sampled_from(Failure), st.none() | st.timedeltas(SECOND, timedelta(days=400))
    ),
)


@given(st.lists(st.tuples(answers, st.timedeltas(NONE, 3 * HOUR)), max_size=60), st.booleans())
def test_no_host_waits_longer_than_it_asks_or_an_hour_and_none_that_refused_is_asked_at_once(
    events: list[tuple[FetchOutcome, timedelta]], others_work: bool
) -> None:
    pace, now = HostPace(), NOON
    for answer, span in events:
        now = max(now + span, pace.not_before or now)
        kind, refused = refusal(feed(), answer, pace, now, others_work=others_work)
        pace = after_answer(pace, answer, kind, SPACING, now)
        asked = min(answer.freshness.retry_after or NONE, LONGEST_WAIT)
        assert pace.interval <= LONGEST
        assert (pace.not_before or now) - now <= max(LONGEST, asked)
        if refused:
            assert pace.not_before
            assert pace.not_before - now >= max(HELD, asked)
        if kind is Refusal.LIMIT:
            assert pace.interval >= HELD
        assert pace.interval == NONE or pace.interval >= HELD


def ask(limit: timedelta, hours: int, asked: timedelta | None = None) -> list[bool]:
    """Ask a host as often as its pace allows that lets one request pass in a while."""
    pace, now, let_in_at = HostPace(), NOON, NOON - HOUR
    let_in = []
    while now < NOON + hours * HOUR:
        passes = now - let_in_at >= limit
        let_in.append(passes)
        let_in_at = now if passes else let_in_at
        answer = good() if passes else bad(Failure.SLOW_DOWN, asked)
        kind, _ = refusal(feed(), answer, pace, now, others_work=True)
        pace = after_answer(pace, answer, kind, SPACING, now)
        now = max(now + SPACING, pace.not_before or now)
    return let_in


@pytest.mark.parametrize("asked", [None, 10 * SECOND, 30 * SECOND])
@pytest.mark.parametrize("seconds", [2, 6, 10, 30, 45, 60])
def test_a_host_is_asked_about_as_often_as_it_allows_and_seldom_refuses(
    seconds: int, asked: timedelta | None
) -> None:
    limit = timedelta(seconds=seconds)
    let_in = ask(limit, 24, asked)
    refused, possible = let_in.count(False), 24 * HOUR / limit
    print(  # noqa: T201
        f"one in {seconds} s, Retry-After {asked}: {let_in.count(True) / possible:.0%} of what is "
        f"possible, {refused} refused"
    )
    assert refused <= 0.05 * len(let_in)
    if limit >= 10 * SECOND:
        assert let_in.count(True) >= 0.75 * possible


@pytest.mark.parametrize("asked", [None, 30 * SECOND])
def test_of_a_host_with_one_request_a_minute_no_two_refusals_follow_each_other(
    asked: timedelta | None,
) -> None:
    assert not any(not first and not second for first, second in pairwise(ask(MINUTE, 48, asked)))


@pytest.mark.parametrize("minutes", [2, 5, 15])
def test_an_interval_grows_until_the_host_lets_requests_in(minutes: int) -> None:
    let_in = ask(minutes * MINUTE, 48)
    assert let_in.count(True) >= 0.5 * 48 * 60 / minutes
    assert let_in[-50:].count(False) <= 5


def test_refusals_in_a_row_wait_twice_as_long_each_time_up_to_an_hour() -> None:
    pace, now, waits = HostPace(), NOON, []
    for _ in range(9):
        pace = after_answer(pace, bad(Failure.SLOW_DOWN), Refusal.LIMIT, SPACING, now)
        assert pace.not_before
        waits.append((pace.not_before - now) / MINUTE)
        now = pace.not_before
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert pace.interval == FIRST_LESSON
    assert after_answer(pace, good(), Refusal.NO, SPACING, now).refusals == 0


@pytest.mark.parametrize(
    ("answer", "before", "others_work", "expected"),
    [
        (good(), None, True, (Refusal.NO, False)),
        (good(MINUTE), None, True, (Refusal.PAUSE, False)),
        (bad(Failure.SLOW_DOWN), None, False, (Refusal.LIMIT, True)),
        (bad(Failure.SERVER, MINUTE), None, False, (Refusal.PAUSE, True)),
        (bad(Failure.SERVER), None, True, (Refusal.NO, False)),
        (bad(Failure.BLOCKED), None, True, (Refusal.LIMIT, True)),
        (bad(Failure.BLOCKED), None, False, (Refusal.NO, False)),
        (bad(Failure.BLOCKED, MINUTE), None, False, (Refusal.LIMIT, True)),
        (bad(Failure.BLOCKED), Failure.BLOCKED, True, (Refusal.NO, False)),
        (bad(Failure.BLOCKED), Failure.SLOW_DOWN, True, (Refusal.NOT_ITS_OWN, False)),
        (bad(Failure.NOT_FOUND), None, True, (Refusal.NO, False)),
    ],
)
def test_whose_refusal_an_answer_is(
    answer: FetchOutcome,
    before: Failure | None,
    others_work: bool,
    expected: tuple[Refusal, bool],
) -> None:
    assert refusal(feed(before), answer, HostPace(), NOON, others_work=others_work) == expected


def test_403_to_a_second_feed_is_the_hosts_whatever_the_first_one_was() -> None:
    pace = HostPace(refusals=2)
    for before in (None, Failure.BLOCKED, Failure.SLOW_DOWN):
        answer = bad(Failure.BLOCKED)
        kind, _ = refusal(feed(before), answer, pace, NOON, others_work=True)
        assert kind is Refusal.LIMIT


def test_only_what_has_to_outlive_the_process_is_stored() -> None:
    plain = HostPace(asked_at=NOON)
    assert not needs_storing(HostPace(), plain, NOON)
    assert needs_storing(plain, HostPace(not_before=NOON + MINUTE), NOON)
    assert needs_storing(HostPace(interval=MINUTE), plain, NOON)


def test_an_interval_of_feeds_yaml_is_kept_where_a_shorter_one_was_learned() -> None:
    pace = HostPace(interval=10 * SECOND, since=NOON, asked_at=NOON)
    after = after_answer(pace, good(), Refusal.NO, MINUTE, NOON)
    assert after.not_before == NOON + MINUTE
    assert after_answer(pace, good(), Refusal.NO, SECOND, NOON).not_before == NOON + 10 * SECOND
