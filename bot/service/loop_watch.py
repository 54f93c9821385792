"""Reports steps of the event loop that keep it busy for long. For tests and debugging.

While one step runs, no poll, send or reply goes on. What counts is processor time of the loop's
thread, not the time on the clock: a busy machine reports nothing.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import thread_time
from typing import Any

import structlog

LONGEST = 0.05  #: seconds of processor time that a step may take
SWITCH = "NEWSBELL_DEBUG_LOOP"  #: variable of the environment that turns the reports on

log = structlog.stdlib.get_logger("newsbell.loop")


def log_step(seconds: float, step: str) -> None:
    """Log a step that took long."""
    log.warning("slow_step", seconds=round(seconds, 3), step=step[:500])


@contextmanager
def watched_loop(
    report: Callable[[float, str], None] = log_step, longest: float = LONGEST
) -> Iterator[None]:
    """Report each step above `longest` while this is open, with what ran in it."""
    # asyncio's own debug mode measures time on the clock, and slows the loop down.
    handles: Any = asyncio.Handle
    run = handles._run  # noqa: SLF001 (the only place where all steps pass)

    def measured(handle: asyncio.Handle) -> None:
        begin = thread_time()
        run(handle)
        seconds = thread_time() - begin
        if seconds > longest:
            report(seconds, repr(handle))

    handles._run = measured  # noqa: SLF001 (as above)
    try:
        yield
    finally:
        handles._run = run  # noqa: SLF001 (as above)


@asynccontextmanager
async def watched_if_asked() -> AsyncIterator[None]:
    """Report slow steps where the environment asks for it."""
    if not os.environ.get(SWITCH):
        yield
        return
    with watched_loop():
        yield
