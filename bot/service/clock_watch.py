"""Notice that the wall clock was set, and go on as if it had not been.

The wall clock is compared with the monotonic one while newsbell runs, and with the last time that
is stored at a start. What waits is moved along (`store.correct_moments`), and the operator is told.
Until the clock has run evenly for a day, nothing is deleted for its age.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.i18n.phrase import Phrase, counted_phrase, joined, phrase, span_phrase
from bot.model.clock import ClockStep
from bot.model.delivery import NoticeKind, notice
from bot.ports import AdminStore, Clock

LOOK = timedelta(seconds=1)  #: between two comparisons
TOLERANCE = timedelta(seconds=3)  #: by which the clocks may part before it counts
FOLLOWED = timedelta(milliseconds=50)  #: of a second: so fast a clock may be slewed
NOTED = 60.0  #: seconds between two times that are stored
TOLD = timedelta(minutes=1)  #: a smaller step is logged only
DOUBTED = timedelta(hours=1)  #: a smaller step makes nothing look old
LONGEST_GAP = timedelta(days=7)  #: between two runs, after which the clock is doubted
EVEN = timedelta(days=1)  #: for which a clock has to run evenly before it is trusted

log = structlog.stdlib.get_logger("newsbell.clock")


class ClockWatch:
    """Compares the clocks of one newsbell."""

    def __init__(
        self, store: AdminStore, clock: Clock, on_step: Callable[[ClockStep], None]
    ) -> None:
        """`on_step` tells what holds times in memory how far the clock was set."""
        self._store, self._clock, self._listeners = store, clock, [on_step]
        self._offset, _ = self._measure()
        self._noted_at = clock.monotonic()

    async def start(self) -> timedelta:
        """Compare the clock with the last run; return how far it is behind, as a negative span.

        Zero where it is right. Raises StoreError.
        """
        self._offset, _ = self._measure()
        self._noted_at = self._clock.monotonic()
        now, seen = self._clock.now(), await self._store.clock_seen()
        gap = now - seen if seen else timedelta(0)
        if gap < -TOLERANCE:
            step = ClockStep(now, gap)
            behind = -gap > DOUBTED and await self._store.is_clock_behind(step)
            await self._correct(step)
            return gap if behind else timedelta(0)
        count = await self._store.correct_moments(ClockStep(now), is_set=gap > LONGEST_GAP)
        if count:
            # Of an earlier run, whose clock nobody compared while it was ahead.
            log.warning("waits_shortened", corrected=count)
            told = notice(NoticeKind.CLOCK, waits_text(count))
            await self._store.notify(told, now)
        return timedelta(0)

    async def look(self) -> None:
        """Compare the clocks. Raises StoreError, and then does it at the next look."""
        offset, error = self._measure()
        span = timedelta(seconds=offset - self._offset)
        if abs(span) > TOLERANCE + error:
            step = ClockStep(self._clock.now(), span)
            await self._correct(step)
            self._offset = offset
            for listener in self._listeners:
                listener(step)
            return
        # A clock that is slewed gains or loses a little each second, and waits go along.
        limit = FOLLOWED.total_seconds()
        self._offset += min(max(span.total_seconds(), -limit), limit)
        if self._clock.monotonic() - self._noted_at >= NOTED:
            self._noted_at = self._clock.monotonic()  # also where the disk is full: not each second
            await self._store.note_time(self._clock.now())

    @contextmanager
    def telling(self, on_step: Callable[[ClockStep], None]) -> Iterator[None]:
        """Call this as well, while the context lasts."""
        self._listeners.append(on_step)
        try:
            yield
        finally:
            self._listeners.remove(on_step)

    async def is_even(self) -> bool:
        """Whether the clock has run evenly for long enough to say how old something is."""
        set_at = await self._store.clock_set_at()
        return set_at is None or self._clock.now() - set_at >= EVEN

    def _measure(self) -> tuple[float, timedelta]:
        """Return wall time less monotonic time in seconds, and how far that may be off."""
        before = self._clock.monotonic()
        wall = self._clock.now().timestamp()
        after = self._clock.monotonic()
        return wall - (before + after) / 2, timedelta(seconds=after - before)

    async def _correct(self, step: ClockStep) -> None:
        size = abs(step.span)
        told = notice(NoticeKind.CLOCK, notice_text(step)) if size >= TOLD else None
        try:
            count = await self._store.correct_moments(step, told, is_set=size >= DOUBTED)
        except StoreError as error:
            log.error("clock_correction_failed", error=str(error))
            raise
        log.warning("clock_set", seconds=round(step.span.total_seconds()), corrected=count)


def notice_text(step: ClockStep) -> Phrase:
    """What the operator reads."""
    span, at = span_phrase(abs(step.span)), f"{step.now:%Y-%m-%d %H:%M}"
    if step.span > timedelta(0):
        first = phrase(
            "The clock of this machine was set ahead by {span}: it says {time} UTC now.",
            span=span,
            time=at,
        )
    else:
        first = phrase(
            "The clock of this machine was set back by {span}: it says {time} UTC now.",
            span=span,
            time=at,
        )
    rest = phrase(
        "Polls and messages go on as before, and nothing old is deleted for a day. If that time is "
        "wrong, set the clock; with a time service (NTP) it stays right."
    )
    return joined(" ", first, rest)


def waits_text(count: int) -> Phrase:
    """What the operator reads where stored waits were longer than any that newsbell knows."""
    return counted_phrase(
        "The clock of this machine was ahead once: {number} wait of a feed, a site or a chat would "
        "have lasted longer than newsbell ever waits. It was shortened, and nothing is lost. If "
        "the time is wrong now, set the clock; with a time service (NTP) it stays right.",
        "The clock of this machine was ahead once: {number} waits of feeds, sites and chats would "
        "have lasted longer than newsbell ever waits. They were shortened, and nothing is lost. If "
        "the time is wrong now, set the clock; with a time service (NTP) it stays right.",
        count,
    )
