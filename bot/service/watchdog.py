"""Notice that newsbell stands still although something is due, say so, and end the process at last.

Pipelines stand still where feeds are due, or messages could go out, and for minutes none was
polled or sent. The event loop stands still where it does not run at all; a thread watches that.
Measured on the monotonic clock, which neither a changed wall clock nor a suspended machine moves.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.errors import InternalFailure, StoreError
from bot.i18n.phrase import Phrase, phrase, span_phrase

LOOK = 30.0  #: seconds between two looks
STANDS_STILL = 600.0  #: seconds without progress, while something is due, before it is said
GIVES_UP = 1800.0  #: seconds of the same before the process ends
LOOP_STANDS_STILL = 180.0  #: seconds in which the event loop did not run at all
EXIT_CODE = 70  #: EX_SOFTWARE of sysexits.h: an internal fault; start it again

#: the pipelines as people read of them
PIPELINES = {"polling": phrase("Polling"), "delivery": phrase("Delivery")}

log = structlog.stdlib.get_logger("newsbell.watchdog")


@dataclass(frozen=True, slots=True)
class Progress:
    """A pipeline as the watchdog sees it."""

    name: str  #: as in "polling"
    steps: Callable[[], int]  #: what it has done, known pauses included
    is_due: Callable[[], Awaitable[bool]]  #: whether there is something to do; may raise StoreError


class Watchdog:
    """Watches the pipelines."""

    def __init__(
        self, pipelines: tuple[Progress, ...], report: Callable[[Phrase], Awaitable[None]]
    ) -> None:
        """`report` tells the operator."""
        self._pipelines, self._report = pipelines, report
        self._seen: dict[str, tuple[int, float]] = {}
        self._told: set[str] = set()
        self._due: set[str] = set()  # where something was due at the last look

    async def run(self) -> None:
        """Look at the pipelines until cancelled. Raises InternalFailure where one stands still."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look(asyncio.get_running_loop().time())

    async def look(self, now: float) -> None:
        """Look once, at this moment of the monotonic clock in seconds."""
        for pipeline in self._pipelines:
            still_for = await self._still_for(pipeline, now)
            if still_for >= GIVES_UP:
                raise InternalFailure(
                    f"{pipeline.name.capitalize()} stood still for {still_for / 60:.0f} minutes "
                    "although something is due. Start newsbell again; nothing is lost."
                )
            if still_for >= STANDS_STILL and pipeline.name not in self._told:
                self._told.add(pipeline.name)
                log.error("pipeline_stands_still", pipeline=pipeline.name, seconds=still_for)
                await self._report(
                    phrase(
                        "{pipeline} has stood still for {span} although something is due. "
                        "newsbell ends after 30 minutes, to be started again.",
                        pipeline=PIPELINES.get(pipeline.name, pipeline.name.capitalize()),
                        span=span_phrase(timedelta(seconds=still_for)),
                    )
                )
            elif not still_for:
                self._told.discard(pipeline.name)

    def still_for(self, now: float) -> dict[str, float]:
        """Return for how many seconds each pipeline has stood still, 0 where nothing is due.

        As of the last look, and without another one: asks nobody. `now` is of the loop's clock.
        """
        return {
            pipeline.name: now - self._seen[pipeline.name][1]
            if pipeline.name in self._due and self._seen[pipeline.name][0] == pipeline.steps()
            else 0.0
            for pipeline in self._pipelines
        }

    def moves(self, now: float) -> bool:
        """Whether no pipeline has stood still for long, as of the last look."""
        return max(self.still_for(now).values(), default=0.0) < STANDS_STILL

    async def _still_for(self, pipeline: Progress, now: float) -> float:
        """Seconds since the last progress, 0 where nothing is due."""
        steps = pipeline.steps()
        seen, since = self._seen.get(pipeline.name, (-1, now))
        if seen == steps:
            try:
                due = await pipeline.is_due()
            except StoreError:
                due = False  # the pipelines say it, and wait for the database
            if due:
                self._due.add(pipeline.name)
                return now - since
        self._due.discard(pipeline.name)
        self._seen[pipeline.name] = (steps, now)
        return 0.0


@contextmanager
def loop_watch(limit: float = LOOP_STANDS_STILL) -> Iterator[None]:
    """End the process where the event loop does not run for `limit` seconds; within a loop.

    A stopped process (SIGSTOP) finds all its threads late: so it takes two looks in a row.
    """
    ended = threading.Event()
    beat = [time.monotonic()]
    loop = asyncio.get_running_loop()

    def note() -> None:
        beat[0] = time.monotonic()
        timer[0] = loop.call_later(limit / 6, note)

    timer = [loop.call_later(0, note)]

    def watch() -> None:
        late = 0
        while not ended.wait(limit / 6):
            late = late + 1 if time.monotonic() - beat[0] > limit else 0
            if late >= 2:
                faulthandler.dump_traceback()
                sys.stderr.write(
                    f"newsbell: the event loop stood still for {limit:.0f} seconds; ended with "
                    f"exit code {EXIT_CODE}. Start it again, nothing is lost.\n"
                )
                sys.stderr.flush()
                os._exit(EXIT_CODE)

    thread = threading.Thread(target=watch, name="loop watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        timer[0].cancel()
        thread.join()
