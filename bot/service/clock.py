"""Clocks: the real one, and one that runs faster. Both implement `ports.Clock`."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

#: Linux counts the time of a suspended machine in a clock of its own
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that no change of the clock moves, the time of a suspended machine included."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, span: timedelta) -> None:
        """Wait."""
        await asyncio.sleep(max(span.total_seconds(), 0))


class FastClock:
    """Starts now or at a moment, and runs `factor` times as fast: a day in a minute."""

    def __init__(self, factor: float, start: datetime | None = None) -> None:
        self._factor = factor
        self._start = start or datetime.now(UTC)
        self._real_start = time.monotonic()

    def now(self) -> datetime:
        """Aware UTC, ahead of the real time by more and more."""
        return self._start + timedelta(seconds=(time.monotonic() - self._real_start) * self._factor)

    def monotonic(self) -> float:
        """Seconds of this clock, which is never set."""
        return time.monotonic() * self._factor

    async def sleep(self, span: timedelta) -> None:
        """Wait that long on this clock."""
        await asyncio.sleep(max(span.total_seconds(), 0) / self._factor)
