"""Whose turn it is: which of the claimed feeds may be polled now. No I/O, no clock.

A host is asked for one feed at a time, with a pause in between, and a poll takes a place only when
its host may be asked. So one host, however many feeds it has and however slow it is, holds one
place. Places are shared by how a host answered last time: slow hosts get a few, hosts of which
nothing is known leave some to those that answered quickly, and a poll that takes long gives its
place back while it goes on.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from heapq import heappop, heappush

from bot.model.feeds import FeedDue
from bot.model.poll import HostShare
from bot.text.url import host_and_port

PLACES = 100  #: polls under way that began less than SLOW ago
ALL_PLACES = 200  #: polls under way, however long ago they began
SLOW = 5.0  #: seconds after which an answer is slow
SLOW_PLACES = 20  #: polls under way at hosts that were slow last time
QUICK_PLACES = 25  #: of PLACES and of ALL_PLACES, kept for hosts that answered quickly last time
QUEUE = 500  #: claimed feeds that wait for their host's turn
HOST_QUEUE = 20  #: of them, for a host whose pace is not known
QUICK_QUEUE = 100  #: of them, for a host that answered quickly
SLOW_QUEUE = 2  #: of them, for a slow host
HOSTS = 1000  #: hosts above which those without work are forgotten


class _Pace(Enum):
    SLOW = "slow"
    UNKNOWN = "unknown"
    QUICK = "quick"


_QUEUES = {_Pace.SLOW: SLOW_QUEUE, _Pace.UNKNOWN: HOST_QUEUE, _Pace.QUICK: QUICK_QUEUE}


@dataclass(slots=True)
class _Host:
    """A host with its claimed feeds."""

    name: str
    pace: _Pace
    feeds: deque[FeedDue] = field(default_factory=deque)
    asking: int = 0  # id of the feed that it is asked for; 0 for none
    free_at: float = 0.0

    @property
    def is_idle(self) -> bool:
        return not (self.feeds or self.asking)


@dataclass(slots=True)
class _Running:
    """A poll under way."""

    host: _Host
    pace: _Pace  # of the host when the poll began
    began: float


class HostTurns:
    """The claimed feeds, by host. Times are seconds of one monotonic clock."""

    def __init__(self, spacing: Callable[[str], timedelta]) -> None:
        """`spacing` is the pause between two requests to a host."""
        self.spacing = spacing
        self.waiting = 0  #: claimed feeds that do not run
        self._hosts: dict[str, _Host] = {}
        self._ready: dict[_Pace, deque[_Host]] = {pace: deque() for pace in _Pace}
        self._pausing: list[tuple[float, str]] = []  # a heap of hosts between two requests
        self._running: dict[int, _Running] = {}  # by id of the feed, oldest first
        self._late: set[int] = set()
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
        slow = sum(len(host.feeds) for host in self._hosts.values() if host.pace is _Pace.SLOW)
        quotas: dict[str, int] = {}
        for name, host in self._hosts.items():
            if host.pace is _Pace.SLOW and slow >= SLOW_QUEUE * SLOW_PLACES:
                quotas[name] = 0
            else:
                quotas[name] = max(0, _QUEUES[host.pace] - len(host.feeds))
        return HostShare(quotas, HOST_QUEUE)

    def add(self, feed: FeedDue) -> None:
        """Take in a claimed feed."""
        name = host_and_port(feed.address)
        host = self._hosts.get(name)
        if host is None:
            self._forget_idle()
            host = self._hosts[name] = _Host(name, _pace(feed.state.seconds))
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
            self._ready[host.pace].append(host)
        begun: list[FeedDue] = []
        for pace, ready in self._ready.items():
            while ready and self._has_place(pace):
                host = ready.popleft()
                if host.asking or not host.feeds:
                    continue
                feed = host.feeds.popleft()
                host.asking = feed.id
                self.waiting -= 1
                self._running[feed.id] = _Running(host, pace, now)
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
        host.pace = _pace(max(took, 1e-6))
        host.free_at = now + self.spacing(host.name).total_seconds()
        if host.feeds:
            self._line_up(host)
        return took

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
            times += [poll.began + SLOW for poll in young][:1]
        return max(0.0, min(times) - now) if times else None

    def drop(self, *, surplus: bool = False) -> list[int]:
        """Let go of the feeds that wait (only of what slow hosts have too much of); their ids."""
        dropped: list[int] = []
        for host in self._hosts.values():
            least = SLOW_QUEUE if surplus else 0
            while len(host.feeds) > least and (not surplus or host.pace is _Pace.SLOW):
                dropped.append(host.feeds.pop().id)
        self.waiting -= len(dropped)
        return dropped

    def _line_up(self, host: _Host) -> None:
        """Put a host with feeds where `start` finds it when it may be asked."""
        heappush(self._pausing, (host.free_at, host.name))

    def _has_place(self, pace: _Pace) -> bool:
        kept = 0 if pace is _Pace.QUICK else QUICK_PLACES
        if self.young >= PLACES or len(self._running) >= ALL_PLACES - kept:
            return False
        if not kept:
            return True
        slow = sum(poll.pace is _Pace.SLOW for poll in self._running.values())
        if pace is _Pace.SLOW and slow >= SLOW_PLACES:
            return False
        others = sum(
            poll.pace is not _Pace.QUICK
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


def _pace(seconds: float) -> _Pace:
    """How an answer that took so long counts; 0 for none yet."""
    if not seconds:
        return _Pace.UNKNOWN
    return _Pace.SLOW if seconds >= SLOW else _Pace.QUICK
