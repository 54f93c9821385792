"""Decide when a send may go out under Telegram's limits, with one budget for everything that is sent. Takes `now`; sends nothing.

Limits (Bot FAQ; measured by many): 1 message a second in one chat, 20 a minute in one group (edits count), 30 a second overall.
Within them sends are spread and a part of each group's minute is kept, so that what is urgent need not wait long behind what is not.
Chats whose address is 0 (terminals) are not paced.

The server counts a request when it arrives, which is some time between its start and its answer. So one that is under way counts as if it
arrived at every moment, and one that was answered as if it arrived with the answer: however uneven the way, no limit is broken.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

CHAT_GAP = timedelta(seconds=1.02)  #: a little over: two clocks measure it
GROUP_BUDGET = 20
GROUP_SPAN = timedelta(seconds=60.5)
OVERALL_BUDGET = 30
OVERALL_SPAN = timedelta(seconds=1.01)
BURST = 10  #: sends to all together within BURST_SPAN: thirty at once would leave an urgent one a second to wait
BURST_SPAN = timedelta(seconds=0.3)
GROUP_KEPT = 3  #: of GROUP_BUDGET, for what is urgent
LATEST = timedelta(
    seconds=0.5
)  #: a request that is not answered so soon has arrived by then, if it ever does
FLOOD_CHATS = (
    3  #: different chats told to slow down within FLOOD_SPAN: the limit is the bot's, not theirs
)
FLOOD_SPAN = timedelta(seconds=5)


class Pace:
    """Sends of the last minute, by address."""

    def __init__(self, sends: Iterable[tuple[int, datetime]] = ()) -> None:
        self._overall: list[datetime] = []
        self._starts: deque[datetime] = deque(maxlen=BURST)
        self._under_way: dict[int, datetime] = {}  # address to start
        self._chats: dict[int, deque[datetime]] = {}
        self._floods: deque[tuple[int, datetime, datetime]] = deque()
        self._closed_until: datetime | None = None
        for address, at in sorted(sends, key=lambda send: send[1]):
            self._count(address, at)

    def allowed_at(
        self, address: int, now: datetime, ahead: int = 0, *, urgent: bool = False
    ) -> datetime:
        """The earliest moment at which a send to this address keeps all limits; `now` where it may go at once.

        `ahead` counts sends to other addresses that are to begin at the same moment; an urgent one may use what is kept.
        """
        if address == 0:
            return now
        moments = [self.open_at(now, ahead)]
        sends = self._chats.get(address)
        if sends:
            moments.append(sends[-1] + CHAT_GAP)
            budget = GROUP_BUDGET if urgent else GROUP_BUDGET - GROUP_KEPT
            if address < 0 and len(sends) >= budget:
                moments.append(sends[-budget] + GROUP_SPAN)
        return max(moments)

    def open_at(self, now: datetime, ahead: int = 0) -> datetime:
        """The earliest moment at which a send to anyone keeps the limits that hold for all together."""
        moments = [now]
        if self._closed_until:
            moments.append(self._closed_until)
        arriving = sum(begun > now - LATEST - OVERALL_SPAN for begun in self._under_way.values())
        moments.append(
            _free_at(self._overall, OVERALL_BUDGET - ahead - arriving, OVERALL_SPAN, now)
        )
        moments.append(_free_at(self._starts, BURST - ahead, BURST_SPAN, now))
        return max(moments)

    def close(self, until: datetime) -> None:
        """Nothing is sent to anyone before."""
        self._closed_until = max(until, self._closed_until or until)

    def begin(self, address: int, at: datetime) -> None:
        """A send or edit starts."""
        if address:
            self._under_way[address] = at
            self._starts.append(at)

    def end(self, address: int, at: datetime) -> None:
        """It was answered or given up."""
        begun = self._under_way.pop(address, None)
        if begun:
            self._count(address, min(at, begun + LATEST))

    def _count(self, address: int, at: datetime) -> None:
        if address == 0:
            return
        insort(self._overall, at)
        del self._overall[:-OVERALL_BUDGET]
        sends = self._chats.setdefault(address, deque(maxlen=GROUP_BUDGET))
        sends.append(at)
        if len(self._chats) > 10_000:
            self._chats = {
                one: times for one, times in self._chats.items() if times[-1] > at - GROUP_SPAN
            }

    def flooded(self, address: int, now: datetime, until: datetime) -> None:
        """A 429 came. One chat's is its own affair (it is parked); several chats' within seconds close everything.

        That lasts as long as several of them were told to wait: a long wait among short ones is its chat's own again.
        """
        self._floods.append((address, now, until))
        while self._floods and self._floods[0][1] < now - FLOOD_SPAN:
            self._floods.popleft()
        waits = sorted({one: until for one, _, until in self._floods}.values(), reverse=True)
        if len(waits) >= FLOOD_CHATS:
            self.close(waits[FLOOD_CHATS - 1])


def _free_at(times: Sequence[datetime], free: int, span: timedelta, now: datetime) -> datetime:
    """When one more may begin where fewer than `free` of these may lie within the span before it; `times` in order."""
    if free > len(times):
        return now
    return (times[-free] if free > 0 else now) + span
