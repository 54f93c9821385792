"""Whose turn it is: which of the claimed feeds may be polled now. No I/O, no clock.

A host is asked for one feed at a time, with a pause in between, and a poll takes a place only when
its host may be asked. So one host, however many feeds it has and however slow it is, holds one
place. Places are shared by how a host answered last time: slow hosts get a few, hosts of which
nothing is known leave some to those that answered quickly, and a poll that takes long gives its
place back while it goes on.

A host that refuses ends its round: the feeds that wait for it are given back. `host_pace` decides
how often it is asked from then on.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from heapq import heappop, heappush

from bot.feeds.host_pace import HELD, after_answer, needs_storing, refusal
from bot.model.feeds import FeedDue, FetchFailed, FetchOutcome
from bot.model.hosts import HostAnswer, HostPace
from bot.model.poll import HostShare
from bot.text.url import host_and_port

PLACES = 100  #: polls under way that began less than SLOW ago
ALL_PLACES = 200  #: polls under way, however long ago they began
SLOW = 5.0  #: seconds after which an answer is slow
SLOW_PLACES = 20  #: polls under way at hosts that were slow last time
QUICK_PLACES = 25  #: of PLACES and of ALL_PLACES, kept for hosts that answered quickly last time
QUEUE = 500  #: claimed feeds that wait for their host's turn
HOST_QUEUE = 20  #: of them, for a host whose speed is not known
QUICK_QUEUE = 100  #: of them, for a host that answered quickly
SLOW_QUEUE = 2  #: of them, for a slow host
HOSTS = 1000  #: hosts above which those without work are forgotten


class _Speed(Enum):
    SLOW = "slow"
    UNKNOWN = "unknown"
    QUICK = "quick"


_QUEUES = {_Speed.SLOW: SLOW_QUEUE, _Speed.UNKNOWN: HOST_QUEUE, _Speed.QUICK: QUICK_QUEUE}


@dataclass(slots=True)
class _Host:
    """A host with its claimed feeds."""

    name: str
    speed: _Speed
    pace: HostPace
    feeds: deque[FeedDue] = field(default_factory=deque)
    asking: int = 0  # id of the feed that it is asked for; 0 for none
    free_at: float = 0.0
    read: int = 0  # id of the feed that it last answered for
    closed_by: int = 0  # id of the feed whose answer ended the round, until that is stored
    too_late: list[int] = field(default_factory=list)  # ids of feeds that were claimed meanwhile

    @property
    def is_idle(self) -> bool:
        return not (self.feeds or self.asking or self.closed_by)


@dataclass(slots=True)
class _Running:
    """A poll under way."""

    host: _Host
    speed: _Speed  # of the host when the poll began
    began: float


class HostTurns:
    """The claimed feeds, by host. Times are seconds of one monotonic clock."""

    def __init__(self, spacing: Callable[[str], timedelta]) -> None:
        """`spacing` is the pause between two requests to a host."""
        self.spacing = spacing
        self.waiting = 0  #: claimed feeds that do not run
        self._hosts: dict[str, _Host] = {}
        self._ready: dict[_Speed, deque[_Host]] = {speed: deque() for speed in _Speed}
        self._pausing: list[tuple[float, str]] = []  # a heap of hosts between two requests
        self._running: dict[int, _Running] = {}  # by id of the feed, oldest first
        self._late: set[int] = set()
        self._closed: dict[int, _Host] = {}  # by id of the feed whose answer ended its round
        self._now = 0.0

    @property
    def running(self) -> int:
        """How many polls are under way."""
        return len(self._running)

    @property
    def young(self) -> int:
        """How many of them began lately, and so hold one of PLACES."""
        return len(self._running) - len(self._late)

    @property
    def is_short_of_places(self) -> bool:
        """Whether a host that may be asked waits for a place."""
        return any(self._ready.values())

    def share(self) -> HostShare:
        """Return how many feeds of each host may be claimed."""
        slow = sum(len(host.feeds) for host in self._hosts.values() if host.speed is _Speed.SLOW)
        quotas: dict[str, int] = {}
        for name, host in self._hosts.items():
            if host.closed_by or (host.speed is _Speed.SLOW and slow >= SLOW_QUEUE * SLOW_PLACES):
                quotas[name] = 0
            elif host.pace.interval >= HELD or self.spacing(name) >= HELD:
                quotas[name] = int(host.is_idle)
            else:
                quotas[name] = max(0, _QUEUES[host.speed] - len(host.feeds))
        return HostShare(quotas, HOST_QUEUE)

    def add(self, feed: FeedDue) -> None:
        """Take in a claimed feed."""
        name = host_and_port(feed.address)
        host = self._hosts.get(name)
        if host is None:
            self._forget_idle()
            host = self._hosts[name] = _Host(name, _speed(feed.state.seconds), feed.host_pace)
        if host.closed_by:
            host.too_late.append(feed.id)
            return
        if not (host.feeds or host.asking):
            self._line_up(host)
        host.feeds.append(feed)
        self.waiting += 1

    def start(self, now: float) -> list[FeedDue]:
        """Return the feeds that are to be polled now, and count them as under way."""
        self._now = now
        self._settle_late(now)
        while self._pausing and self._pausing[0][0] <= now:
            host = self._hosts[heappop(self._pausing)[1]]
            self._ready[host.speed].append(host)
        begun: list[FeedDue] = []
        for speed, ready in self._ready.items():
            while ready and self._has_place(speed):
                host = ready.popleft()
                if host.asking or not host.feeds:
                    continue
                feed = host.feeds.popleft()
                host.asking = feed.id
                self.waiting -= 1
                self._running[feed.id] = _Running(host, speed, now)
                begun.append(feed)
        return begun

    def answered(self, feed: FeedDue, now: float) -> float:
        """The host has answered, or failed to: the next has its turn. Return the seconds it took.

        0 where that was told before.
        """
        poll = self._running.get(feed.id)
        if poll is None or poll.host.asking != feed.id:
            return 0.0
        host, took = poll.host, now - poll.began
        host.asking = 0
        host.speed = _speed(max(took, 1e-6))
        pause = self.spacing(host.name)
        host.free_at = now + (pause.total_seconds() if pause < HELD else 0.0)
        if host.feeds:
            self._line_up(host)
        return took

    def judge(self, feed: FeedDue, answer: FetchOutcome, now: datetime) -> HostAnswer:
        """Decide what an answer says of its host; `now` is the wall clock's.

        Where the host is to be left alone for a while, the feeds that wait for it are given back,
        and no others are claimed until `settled`.
        """
        poll = self._running.get(feed.id)
        if poll is None:
            return HostAnswer()
        host, before = poll.host, poll.host.pace
        others_work = host.read not in {0, feed.id} or bool(
            feed.has_siblings and feed.state.last_ok_at
        )
        kind, refused = refusal(feed, answer, before, now, others_work=others_work)
        pace = after_answer(before, answer, kind, self.spacing(host.name), now)
        host.pace = pace
        if not isinstance(answer, FetchFailed):
            host.read = feed.id
        given_back: tuple[int, ...] = ()
        if pace.not_before and pace.not_before > now:
            host.closed_by = feed.id
            self._closed[feed.id] = host
            given_back = tuple(each.id for each in host.feeds)
            host.feeds.clear()
            self.waiting -= len(given_back)
        stored = pace if needs_storing(before, pace, now) else None
        return HostAnswer(stored, refused, given_back)

    def latest(self, feed: FeedDue, answer: HostAnswer) -> HostAnswer:
        """Return the answer with what its host said since: a document takes long to read."""
        poll = self._running.get(feed.id)
        return replace(answer, pace=poll.host.pace) if poll and answer.pace else answer

    def settled(self, feed: FeedDue) -> list[int]:
        """What the feed's answer says of its host is stored, or lost with the poll.

        Return the ids of feeds that were claimed meanwhile, and are to be given back.
        """
        host = self._closed.pop(feed.id, None)
        if host is None or host.closed_by != feed.id:
            return []
        host.closed_by = 0
        too_late, host.too_late = host.too_late, []
        return too_late

    def _interval(self, host: _Host) -> timedelta:
        """The least time between two requests to a host."""
        return max(host.pace.interval, self.spacing(host.name))

    def finished(self, feed: FeedDue, now: float) -> None:
        """The poll is over: its place is free."""
        self.answered(feed, now)
        self._running.pop(feed.id, None)
        self._late.discard(feed.id)

    def next_change(self, now: float) -> float | None:
        """Return in how many seconds `start` may find more without a poll having ended."""
        times = [self._pausing[0][0]] if self._pausing else []
        if self.waiting:
            young = (poll for number, poll in self._running.items() if number not in self._late)
            if oldest := next(young, None):
                times.append(oldest.began + SLOW)
        return max(0.0, min(times) - now) if times else None

    def drop(self, *, surplus: bool = False) -> list[int]:
        """Let go of the feeds that wait (only of what slow hosts have too much of); their ids."""
        dropped: list[int] = []
        for host in self._hosts.values():
            least = SLOW_QUEUE if surplus else 0
            while len(host.feeds) > least and (not surplus or host.speed is _Speed.SLOW):
                dropped.append(host.feeds.pop().id)
        self.waiting -= len(dropped)
        return dropped

    def _line_up(self, host: _Host) -> None:
        """Put a host with feeds where `start` finds it when it may be asked."""
        heappush(self._pausing, (host.free_at, host.name))

    def _has_place(self, speed: _Speed) -> bool:
        kept = 0 if speed is _Speed.QUICK else QUICK_PLACES
        if self.young >= PLACES or len(self._running) >= ALL_PLACES - kept:
            return False
        if not kept:
            return True
        slow = sum(poll.speed is _Speed.SLOW for poll in self._running.values())
        if speed is _Speed.SLOW and slow >= SLOW_PLACES:
            return False
        others = sum(
            poll.speed is not _Speed.QUICK
            for number, poll in self._running.items()
            if number not in self._late
        )
        return others < PLACES - kept

    def _settle_late(self, now: float) -> None:
        """Note the polls that take long: they hold no place of PLACES any more."""
        for number, poll in self._running.items():
            if now - poll.began < SLOW:
                break
            self._late.add(number)

    def _forget_idle(self) -> None:
        if len(self._hosts) >= HOSTS:
            lined_up = {name for _, name in self._pausing}
            self._hosts = {
                name: host
                for name, host in self._hosts.items()
                if not host.is_idle or name in lined_up or host.free_at > self._now
            }


def _speed(seconds: float) -> _Speed:
    """How an answer that took so long counts; 0 for none yet."""
    if not seconds:
        return _Speed.UNKNOWN
    return _Speed.SLOW if seconds >= SLOW else _Speed.QUICK
