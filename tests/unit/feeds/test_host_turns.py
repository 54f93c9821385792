"""Shares of hosts: who is polled next, and how many at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support import NOON

from bot.feeds import host_turns
from bot.feeds.host_turns import HostTurns
from bot.model.feeds import (
    Failure,
    FeedDue,
    FeedState,
    Fetched,
    FetchFailed,
    Freshness,
)
from bot.model.hosts import HostPace


def feed(number: int, host: str, seconds: float = 0.0) -> FeedDue:
    state = FeedState(NOON, seconds=seconds)
    return FeedDue(number, f"http://{host}/{number}", f"{host} {number}", host, (), None, state)


def turns(spacing: float = 0.0) -> HostTurns:
    return HostTurns(lambda host: timedelta(seconds=spacing))


def add(queue: HostTurns, *feeds: FeedDue) -> None:
    for each in feeds:
        queue.add(each)


def test_a_host_is_asked_for_one_feed_at_a_time_and_holds_one_place() -> None:
    queue = turns()
    add(queue, *(feed(n, "slow.example") for n in range(1, 16)), feed(99, "plain.example"))
    assert {each.id for each in queue.start(0)} == {1, 99}
    assert queue.start(1) == []
    assert queue.running == 2
    assert queue.waiting == 14


def test_the_next_feed_of_a_host_has_its_turn_when_the_host_answered() -> None:
    queue = turns()
    add(queue, feed(1, "a.example"), feed(2, "a.example"))
    (first,) = queue.start(0)
    assert queue.answered(first, 0.5) == 0.5
    assert [each.id for each in queue.start(0.5)] == [2]  # the first is still being parsed
    assert queue.running == 2


def test_a_pause_between_two_requests_is_kept() -> None:
    queue = turns(spacing=2.0)
    add(queue, feed(1, "a.example"), feed(2, "a.example"))
    (first,) = queue.start(0)
    queue.finished(first, 1.0)
    assert queue.start(2.9) == []
    assert queue.next_change(2.9) is not None
    assert [each.id for each in queue.start(3.0)] == [2]


def test_a_pause_is_kept_for_a_feed_that_is_claimed_later() -> None:
    queue = turns(spacing=2.0)
    add(queue, feed(1, "a.example"))
    (first,) = queue.start(0)
    queue.finished(first, 1.0)
    add(queue, feed(2, "a.example"))
    assert queue.start(2.0) == []
    assert [each.id for each in queue.start(3.1)] == [2]


def test_places_are_kept_for_hosts_that_answered_quickly() -> None:
    queue = turns()
    add(queue, *(feed(n, f"unknown{n}.example") for n in range(1, 200)))
    add(queue, *(feed(n, f"quick{n}.example", seconds=0.1) for n in range(300, 400)))
    begun = queue.start(0)
    quick = sum(each.id >= 300 for each in begun)
    assert len(begun) == host_turns.PLACES
    assert quick == host_turns.QUICK_PLACES


def test_hosts_that_were_slow_get_a_small_share() -> None:
    queue = turns()
    add(queue, *(feed(n, f"slow{n}.example", seconds=29.0) for n in range(1, 100)))
    assert len(queue.start(0)) == host_turns.SLOW_PLACES
    assert queue.start(100) == []


def test_a_poll_that_takes_long_gives_its_place_back_while_it_goes_on() -> None:
    queue = turns()
    add(queue, *(feed(n, f"hangs{n}.example", seconds=0.1) for n in range(1, 151)))
    assert len(queue.start(0)) == host_turns.PLACES
    assert queue.next_change(0) == host_turns.SLOW
    assert len(queue.start(host_turns.SLOW)) == 50
    assert queue.running == 150


def test_polls_under_way_have_a_bound_and_places_for_quick_hosts_remain() -> None:
    queue = turns()
    add(queue, *(feed(n, f"hangs{n}.example") for n in range(1, 400)))
    for at in range(0, 60, 5):
        queue.start(float(at))
    assert queue.running == host_turns.ALL_PLACES - host_turns.QUICK_PLACES
    add(queue, feed(999, "quick.example", seconds=0.1))
    assert [each.id for each in queue.start(60.0)] == [999]


def test_a_host_that_turns_out_slow_may_have_few_feeds_claimed() -> None:
    queue = turns()
    add(queue, *(feed(n, "a.example") for n in range(1, 21)))
    assert queue.share().of("a.example") == 0
    assert queue.share().of("other.example") == host_turns.HOST_QUEUE
    (first,) = queue.start(0)
    queue.finished(first, 30.0)
    assert queue.share().of("a.example") == 0
    dropped = queue.drop(surplus=True)
    assert len(dropped) == 17
    assert queue.waiting == host_turns.SLOW_QUEUE


def test_slow_hosts_together_may_have_few_feeds_claimed() -> None:
    queue = turns()
    add(queue, *(feed(n, f"slow{n // 2}.example", seconds=29.0) for n in range(2, 100)))
    share = queue.share()
    assert share.of("slow1.example") == 0
    assert share.of("quick.example") == host_turns.HOST_QUEUE


def test_dropped_feeds_are_not_polled_and_may_come_again() -> None:
    queue = turns()
    add(queue, feed(1, "a.example"), feed(2, "b.example"))
    assert sorted(queue.drop()) == [1, 2]
    assert queue.start(0) == []
    add(queue, feed(1, "a.example"))
    assert [each.id for each in queue.start(0)] == [1]
    assert queue.start(1) == []


def test_hosts_without_work_are_forgotten() -> None:
    queue = turns()
    for number in range(1, 3 * host_turns.HOSTS):
        add(queue, feed(number, f"host{number}.example"))
        (begun,) = queue.start(float(number))
        queue.finished(begun, number + 0.1)
    assert len(queue._hosts) <= host_turns.HOSTS
    assert queue.running == queue.waiting == 0


def test_a_feed_that_moved_counts_for_the_host_it_moved_to() -> None:
    moved = feed(1, "a.example")
    moved = replace(moved, state=replace(moved.state, adopted_url="http://b.example/1"))
    queue = turns()
    add(queue, moved, feed(2, "a.example"))
    assert len(queue.start(0)) == 2


def test_a_refusal_gives_the_feeds_of_its_host_back_and_lets_none_in_until_it_is_stored() -> None:
    queue = turns()
    add(queue, *(feed(n, "a.example") for n in range(1, 6)), feed(9, "b.example"))
    first = queue.start(0)[0]
    queue.answered(first, 0.5)
    answer = queue.judge(first, FetchFailed(Failure.SLOW_DOWN, ""), NOON)
    assert answer.refused
    assert answer.given_back == (2, 3, 4, 5)
    assert queue.start(1) == []
    assert queue.share().of("a.example") == 0
    add(queue, feed(6, "a.example"))  # it was being claimed meanwhile
    assert queue.start(1) == []
    assert queue.waiting == 0
    assert queue.settled(first) == [6]
    assert queue.share().of("a.example") == 1


def test_a_host_that_is_asked_seldom_has_one_feed_claimed_and_is_not_waited_for() -> None:
    queue = turns(spacing=60.0)
    add(queue, feed(1, "a.example"), feed(2, "a.example"))
    (first,) = queue.start(0)
    queue.answered(first, 0.5)
    good = Fetched(b"", first.url, "", None, None, Freshness())
    answer = queue.judge(first, good, NOON)
    assert (answer.refused, answer.given_back) == (False, (2,))
    assert answer.pace
    assert answer.pace.not_before == NOON + timedelta(seconds=60)


def test_a_document_that_took_long_to_read_does_not_undo_what_its_host_said_since() -> None:
    queue = turns()
    add(queue, feed(1, "a.example"), feed(2, "a.example"))
    (first,) = queue.start(0)
    queue.answered(first, 0.5)
    limited = replace(HostPace(), interval=timedelta(minutes=1), asked_at=NOON)
    queue._hosts["a.example"].pace = limited
    (second,) = queue.start(0.5)
    good = Fetched(b"", first.url, "", None, None, Freshness())
    early = queue.judge(first, good, NOON)
    queue.answered(second, 1.0)
    late = queue.judge(second, FetchFailed(Failure.SLOW_DOWN, ""), NOON)
    assert queue.latest(first, early).pace == late.pace


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://a.example/1", "https://a.example:443/2"),
        ("http://a.example:80/1", "https://A.example/2"),
        ("https://a.example./1", "https://user@a.example/2"),
    ],
)
def test_a_host_has_one_queue_however_it_is_written(first: str, second: str) -> None:
    queue = turns()
    add(queue, replace(feed(1, "x"), url=first), replace(feed(2, "x"), url=second))
    assert len(queue.start(0)) == 1
