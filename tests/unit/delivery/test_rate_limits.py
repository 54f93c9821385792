"""What the limiter allows breaks none of Telegram's limits and leaves little of them unused."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

import pytest
from botapi.limits import FloodGate
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.delivery.rate_limits import (
    CHAT_GAP,
    FLOOD_CHATS,
    GROUP_BUDGET,
    GROUP_RESERVED,
    GROUP_SPAN,
    LONGEST_ARRIVAL,
    RateLimiter,
)
from bot.model.delivery import NotSent

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
addresses = st.sampled_from([1, 2, 3, *range(100, 140), -1, -2, -3])
pauses = st.floats(0, 3).map(lambda seconds: timedelta(seconds=seconds))


def most_within(moments: Iterable[datetime], span: timedelta) -> int:
    """Return how many of these are within a window of this length at most."""
    ordered = sorted(moments)
    first = best = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= span:
            first += 1
        best = max(best, last - first + 1)
    return best


def sent(limits: RateLimiter, address: int, at: datetime) -> None:
    """One that was answered at once."""
    limits.begin(address, at)
    limits.end(address, at)


def rate_limit(limits: RateLimiter, address: int, at: datetime, until: datetime) -> None:
    """Telegram answered a send with 429."""
    limits.end(address, at, NotSent("", rate_limited=True), until)


def keeps_the_limits(sends: list[tuple[int, datetime]]) -> None:
    assert most_within((at for _, at in sends), SECOND) <= 30
    for address in {address for address, _ in sends}:
        own = [at for recipient, at in sends if recipient == address]
        assert most_within(own, SECOND) <= 1
        assert address > 0 or most_within(own, MINUTE) <= 20


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(addresses, pauses, st.booleans()), max_size=300))
def test_no_window_of_any_sequence_that_is_allowed_breaks_a_limit(
    wishes: list[tuple[int, timedelta, bool]],
) -> None:
    """Someone wants to send; sometimes he waits until he may, sometimes he gives up."""
    limits, now, sends = RateLimiter(), NOON, []
    for address, pause, patient in wishes:
        now += pause / 20
        at = limits.allowed_at(address, now)
        assert at >= now
        if at > now and not patient:
            continue
        now = at
        assert limits.allowed_at(address, now) == now, "at the moment that was named it may go"
        sent(limits, address, now)
        sends.append((address, now))

    keeps_the_limits(sends)


@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(
        st.tuples(
            addresses, pauses, st.floats(0, LONGEST_ARRIVAL.total_seconds()), st.floats(0, 1)
        ),
        max_size=300,
    )
)
def test_no_limit_is_broken_at_the_server_however_uneven_the_way(
    wishes: list[tuple[int, timedelta, float, float]],
) -> None:
    """Each request takes its time, and arrives at some moment of it."""
    limits, now = RateLimiter(), NOON
    under_way: dict[int, datetime] = {}
    arrivals: list[tuple[int, datetime]] = []

    def pass_to(moment: datetime) -> None:
        for ends, address in sorted(
            (ends, address) for address, ends in under_way.items() if ends <= moment
        ):
            limits.end(address, ends)
            del under_way[address]

    for address, pause, takes, arrives in wishes:
        now += pause / 30
        pass_to(now)
        if address in under_way:
            now = under_way[address]
            pass_to(now)
        while (at := limits.allowed_at(address, now)) > now:
            now = min([at, *(ends for ends in under_way.values())])
            pass_to(now)
        limits.begin(address, now)
        under_way[address] = now + timedelta(seconds=takes)
        arrivals.append((address, now + timedelta(seconds=takes * arrives)))

    keeps_the_limits(arrivals)


def test_requests_that_hang_do_not_keep_the_others_from_going_out() -> None:
    limits, now = RateLimiter(), NOON
    for address in range(1, 21):
        now = limits.allowed_at(address, now)
        limits.begin(address, now)
    began, now = now + 2 * SECOND, now + 2 * SECOND
    for address in range(100, 400):
        now = limits.allowed_at(address, now)
        sent(limits, address, now)

    assert now - began < 11 * SECOND


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(addresses, pauses), max_size=200), st.integers(0, 200))
def test_the_limits_hold_over_a_restart(wishes: list[tuple[int, timedelta]], after: int) -> None:
    limits, now = RateLimiter(), NOON
    sends: list[tuple[int, datetime]] = []
    for count, (address, pause) in enumerate(wishes):
        if count == after:
            recent = [send for send in sends if send[1] > now - GROUP_SPAN]
            Random(1).shuffle(recent)
            limits = RateLimiter(recent)
        now = max(now + pause / 30, limits.allowed_at(address, now + pause / 30))
        sent(limits, address, now)
        sends.append((address, now))

    keeps_the_limits(sends)


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 40), st.integers(0, 60), st.floats(0, 2))
def test_sends_that_begin_together_keep_the_limit_of_all(
    before: int, requested: int, later: float
) -> None:
    """What begins at the same moment counts though none of it is written down yet."""
    limits, sends = RateLimiter(), []
    for address in range(1, before + 1):
        at = max(NOON, limits.allowed_at(address, NOON))
        sent(limits, address, at)
        sends.append((address, at))
    now = max([NOON, *(at for _, at in sends)]) + timedelta(seconds=later)
    ahead = 0
    for address in range(1000, 1000 + requested):
        if limits.allowed_at(address, now, ahead) == now:
            ahead += 1
    sends += [(address, now) for address in range(1000, 1000 + ahead)]

    keeps_the_limits(sends)


@pytest.mark.parametrize("chats", [60, 200, 1000])
def test_with_many_chats_nearly_thirty_a_second_go_out(chats: int) -> None:
    limits, now, url_guard, count = RateLimiter(), NOON, FloodGate(), 0
    end = NOON + timedelta(seconds=60)
    while now < end:
        address = 1 + count % chats
        at = limits.allowed_at(address, now)
        if at > now:
            now = at
            continue
        sent(limits, address, now)
        assert (
            url_guard.admit("sendMessage", address, now.timestamp(), group=False, edit=False)
            is None
        )
        count += 1

    assert count >= 0.95 * 30 * 60


@pytest.mark.parametrize(
    ("urgent", "budget"), [(True, GROUP_BUDGET), (False, GROUP_BUDGET - GROUP_RESERVED)]
)
def test_a_group_gets_nearly_twenty_a_minute_and_fewer_that_are_not_urgent(
    urgent: bool, budget: int
) -> None:
    limits, now, count = RateLimiter(), NOON, 0
    while now < NOON + timedelta(minutes=10):
        now = limits.allowed_at(-5, now, urgent=urgent)
        sent(limits, -5, now)
        count += 1

    assert budget * 10 >= count - budget >= 0.9 * budget * 10


def test_what_is_urgent_goes_out_within_a_second_though_all_others_use_every_slot() -> None:
    """In a chat that was written to just now it is the gap of that chat, which Telegram demands."""
    limits, now, chance = RateLimiter(), NOON, Random(1)
    waits = []
    for number in range(3000):
        now = limits.allowed_at(100 + number, now)
        sent(limits, 100 + number, now)
        at = now + timedelta(seconds=chance.random() / 10)
        waits.append(max(at, limits.allowed_at(7, at, urgent=True)) - at)

    assert max(waits) <= SECOND / 2


def test_what_is_urgent_goes_out_in_a_group_that_has_had_its_share_of_the_minute() -> None:
    limits, now = RateLimiter(), NOON
    for _ in range(GROUP_BUDGET - GROUP_RESERVED):
        now = limits.allowed_at(-5, now)
        sent(limits, -5, now)

    assert limits.allowed_at(-5, now) > now + 30 * SECOND
    assert limits.allowed_at(-5, now, urgent=True) == now + CHAT_GAP


def test_a_terminal_is_not_paced() -> None:
    limits = RateLimiter()
    for number in range(FLOOD_CHATS):
        rate_limit(limits, number, NOON, NOON + MINUTE)
    for _ in range(100):
        sent(limits, 0, NOON)

    assert limits.allowed_at(0, NOON) == NOON


def test_a_rate_limit_of_one_chat_concerns_it_alone_and_several_stop_all_sends() -> None:
    limits = RateLimiter()
    for number in range(FLOOD_CHATS - 1):
        rate_limit(limits, number, NOON, NOON + MINUTE)
        rate_limit(limits, number, NOON, NOON + MINUTE)
    assert limits.allowed_at(99, NOON) == NOON

    rate_limit(limits, 50, NOON + 6 * SECOND, NOON + MINUTE)
    assert limits.allowed_at(99, NOON) == NOON, "those of long ago do not count"

    for number in range(FLOOD_CHATS):
        rate_limit(limits, number, NOON + 7 * SECOND, NOON + MINUTE)
    assert limits.allowed_at(99, NOON) == NOON + MINUTE
    assert limits.allowed_at(99, NOON + 10 * MINUTE) == NOON + 10 * MINUTE


def test_a_long_wait_among_several_short_ones_is_not_everybodys() -> None:
    limits = RateLimiter()
    for number, minutes in enumerate([200, 1, 2, 300, 3]):
        rate_limit(limits, number, NOON, NOON + minutes * MINUTE)

    assert limits.allowed_at(99, NOON) == NOON + 3 * MINUTE, "so long at least three of them wait"


def test_what_is_remembered_stays_small() -> None:
    limits, now = RateLimiter(), NOON
    for address in range(1, 30_000):
        now += SECOND / 25
        sent(limits, address, now)

    assert len(limits._chats) <= 10_001
