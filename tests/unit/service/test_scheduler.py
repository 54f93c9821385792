"""Jobs at wall times, where the clock is set by decades."""

import asyncio
from datetime import UTC, datetime, timedelta

from support import NOON

from bot.model.clock import ClockStep
from bot.service.scheduler import _FromNow, scheduler

SIX_HOURS, DECADES = timedelta(hours=6), timedelta(days=20_000)


def test_the_next_run_after_decades_is_the_only_one() -> None:
    trigger = _FromNow(SIX_HOURS)
    assert trigger.get_next_fire_time(NOON - DECADES, NOON) == NOON + SIX_HOURS


async def test_a_clock_that_is_set_neither_hastens_nor_delays_a_job() -> None:
    """The job ran when the clock was decades ahead; it is right now."""
    ran = asyncio.Event()
    async with scheduler({"job": (timedelta(milliseconds=300), ran.set)}) as clock_set:
        clock_set(ClockStep(datetime.now(UTC), DECADES))
        clock_set(ClockStep(datetime.now(UTC), -DECADES))
        async with asyncio.timeout(10):
            await ran.wait()
