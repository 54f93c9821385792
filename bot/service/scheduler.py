"""Run a few fixed jobs on APScheduler. When a feed is due is a column of the store, no job."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.model.clock import ClockStep

Job = Callable[[], None] | Callable[[], Awaitable[None]]


def _on_the_loop(work: Job) -> Callable[[], Awaitable[None]]:
    """APScheduler runs plain functions in a thread of its own; ours touch the event loop."""

    async def job() -> None:
        waiting = work()
        if waiting is not None:
            await waiting

    return job


class _FromNow(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The next run comes an interval from now.

    APScheduler's own trigger names every run that was missed before it leaves them out: after a
    clock is set ahead by decades those are too many.
    """

    def __init__(self, every: timedelta) -> None:
        self._every = every

    def get_next_fire_time(self, _: datetime | None, now: datetime) -> datetime:
        return now + self._every


@asynccontextmanager
async def scheduler(
    jobs: Mapping[str, tuple[timedelta, Job]],
) -> AsyncIterator[Callable[[ClockStep], None]]:
    """Run each job at its interval; yield what is called when the clock was set.

    A job that still runs is not started again, and a late one runs once.
    """
    runner = AsyncIOScheduler(timezone=UTC)
    for name, (every, work) in jobs.items():
        job = _on_the_loop(work)
        runner.add_job(
            job, _FromNow(every), id=name, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    def clock_set(step: ClockStep) -> None:
        """Let each job run when it would have run without the step."""
        for job in runner.get_jobs():
            longest = jobs[job.id][0]
            job.modify(next_run_time=step.waited_until(job.next_run_time, longest))

    runner.start()
    try:
        yield clock_set
    finally:
        runner.shutdown(wait=False)
