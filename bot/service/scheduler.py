"""Run a few fixed jobs on APScheduler. When a feed is due is a column of the store, no job."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

Job = Callable[[], None] | Callable[[], Awaitable[None]]


def _on_the_loop(work: Job) -> Callable[[], Awaitable[None]]:
    """APScheduler runs plain functions in a thread of its own; ours touch the event loop."""

    async def job() -> None:
        waiting = work()
        if waiting is not None:
            await waiting

    return job


@asynccontextmanager
async def scheduler(jobs: Mapping[str, tuple[timedelta, Job]]) -> AsyncIterator[Any]:
    """Run each job at its interval.

    A job that still runs is not started again, and a late one runs once.
    """
    runner = AsyncIOScheduler(timezone=UTC)
    for name, (every, work) in jobs.items():
        job = _on_the_loop(work)
        trigger = IntervalTrigger(seconds=every.total_seconds(), timezone=UTC)
        runner.add_job(
            job, trigger, id=name, max_instances=1, coalesce=True, misfire_grace_time=None
        )
    runner.start()
    try:
        yield runner
    finally:
        runner.shutdown(wait=False)
