"""Decide when a send may go out under Telegram's limits, with one budget for all that is sent.

Limits (Bot FAQ, and measured by many): 1 message a second in one chat, 20 a minute in one group
(edits count), 30 a second overall. Within them sends are spread and a part of each group's minute
is reserved, so that what is urgent need not wait long behind what is not. Chats whose address is 0
(terminals) are not limited.

The server counts a request when it arrives, which is some time between its start and its answer.
So a request under way counts as if it arrived at every moment, and an answered one as if it
arrived with the answer: however uneven the way, no limit is broken. Takes `now`; sends nothing.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.model.clock import ClockStep
from bot.model.delivery import NotSent, SendOutcome, Unchanged

CHAT_GAP = timedelta(seconds=1.02)  #: a little over: two clocks measure it
GROUP_BUDGET = 20
GROUP_SPAN = timedelta(seconds=60.5)
GROUP_RESERVED = 3  #: of GROUP_BUDGET, for what is urgent
OVERALL_BUDGET = 30
OVERALL_SPAN = timedelta(seconds=1.01)
#: sends to all together within BURST_SPAN: after thirty at once an urgent one would wait a second
BURST = 10
BURST_SPAN = timedelta(seconds=0.3)
#: a request that is not answered this soon has arrived by then, if it ever does
LONGEST_ARRIVAL = timedelta(seconds=0.5)
#: different chats told to slow down within FLOOD_SPAN: the limit is the bot's, not theirs
FLOOD_CHATS = 3
FLOOD_SPAN = timedelta(seconds=5)
LONGEST_CLOSED = timedelta(days=1)  #: what the server may ask for at most
_REMEMBERED_CHATS = 10_000


class RateLimiter:
    """Sends of the last minute, by address, and what the server said about the limits."""

    def __init__(self, sends: Iterable[tuple[int, datetime]] = ()) -> None:
        self._overall: list[datetime] = []
        self._starts: deque[datetime] = deque(maxlen=BURST)
        self._under_way: dict[int, datetime] = {}  # address to start
        self._chats: dict[int, deque[datetime]] = {}
        self._floods: deque[tuple[int, datetime, datetime]] = deque()  # address, when, until
        self._closed_until: datetime | None = None
        for address, at in sorted(sends, key=lambda send: send[1]):
            self._count(address, at)

    def allowed_at(
        self, address: int, now: datetime, ahead: int = 0, *, urgent: bool = False
    ) -> datetime:
        """The earliest moment at which a send to this address keeps all limits; `now` for at once.

        `ahead` counts sends to other addresses that are to begin at the same moment; an urgent
        send may use what is reserved.
        """
        if address == 0:
            return now
        moments = [self.overall_allowed_at(now, ahead)]
        sends = self._chats.get(address)
        if sends:
            moments.append(sends[-1] + CHAT_GAP)
            budget = GROUP_BUDGET if urgent else GROUP_BUDGET - GROUP_RESERVED
            if address < 0 and len(sends) >= budget:
                moments.append(sends[-budget] + GROUP_SPAN)
        return max(moments)

    def overall_allowed_at(self, now: datetime, ahead: int = 0) -> datetime:
        """The earliest moment at which the limits for all together allow a send."""
        arriving = sum(
            begun > now - LONGEST_ARRIVAL - OVERALL_SPAN for begun in self._under_way.values()
        )
        return max(
            now,
            self._closed_until or now,
            _free_at(self._overall, OVERALL_BUDGET - ahead - arriving, OVERALL_SPAN, now),
            _free_at(self._starts, BURST - ahead, BURST_SPAN, now),
        )

    def begin(self, address: int, at: datetime) -> None:
        """A send or edit starts."""
        if address:
            self._under_way[address] = at
            self._starts.append(at)

    def end(
        self,
        address: int,
        at: datetime,
        outcome: SendOutcome | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        """It was answered or given up; with what outcome, and when the chat is tried again."""
        begun = self._under_way.pop(address, None)
        if begun and not isinstance(outcome, Unchanged):
            self._count(address, min(at, begun + LONGEST_ARRIVAL))
        if retry_at is None:
            return
        if isinstance(outcome, NotSent) and outcome.rate_limited:
            self._rate_limited(address, at, retry_at)

    def clock_set(self, step: ClockStep) -> None:
        """Move all remembered times with the clock, which somebody set."""
        at, until = step.happened_at, partial(step.waited_until, longest=LONGEST_CLOSED)
        self._overall = sorted(map(at, self._overall))
        self._starts = deque(map(at, self._starts), maxlen=BURST)
        self._under_way = {address: at(begun) for address, begun in self._under_way.items()}
        self._chats = {
            address: deque(map(at, times), maxlen=GROUP_BUDGET)
            for address, times in self._chats.items()
        }
        self._floods = deque((chat, at(when), until(end)) for chat, when, end in self._floods)
        if self._closed_until:
            self._closed_until = until(self._closed_until)

    def _count(self, address: int, at: datetime) -> None:
        if address == 0:
            return
        insort(self._overall, at)
        del self._overall[:-OVERALL_BUDGET]
        sends = self._chats.setdefault(address, deque(maxlen=GROUP_BUDGET))
        sends.append(at)
        if len(self._chats) > _REMEMBERED_CHATS:
            since = at - GROUP_SPAN
            self._chats = {key: times for key, times in self._chats.items() if times[-1] > since}

    def _rate_limited(self, address: int, now: datetime, until: datetime) -> None:
        """A 429 came. It concerns its chat alone; if several chats get one within seconds, all.

        All wait as long as several of them were told to: a long wait among short ones concerns its
        chat alone again.
        """
        self._floods.append((address, now, until))
        while self._floods and self._floods[0][1] < now - FLOOD_SPAN:
            self._floods.popleft()
        by_chat = {chat: until for chat, _, until in self._floods}
        waits = sorted(by_chat.values(), reverse=True)
        if len(waits) >= FLOOD_CHATS:
            self._close(waits[FLOOD_CHATS - 1])

    def _close(self, until: datetime) -> None:
        """Nothing is sent to any chat before."""
        self._closed_until = max(until, self._closed_until or until)


def _free_at(times: Sequence[datetime], free: int, span: timedelta, now: datetime) -> datetime:
    """When a further send may begin if fewer than `free` of these may lie within the span before.

    `times` are in order.
    """
    if free > len(times):
        return now
    return (times[-free] if free > 0 else now) + span
