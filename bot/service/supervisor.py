"""Own the long-running tasks of a newsbell: start again what failed, end what cannot go on.

What a part raises is a fault that nobody expected: what is expected is handled within the part.
A helper (reload, chats, jobs) is started again with a growing pause, and the others go on. A
pipeline cannot go on from the middle of a fault: the process ends, for the init system to start it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.errors import InternalFailure
from bot.i18n.phrase import Phrase, phrase

FIRST_PAUSE = 1.0  #: seconds before a failed part is started again; doubled with each failure
LONGEST_PAUSE = 60.0  #: seconds
HEALTHY = 600.0  #: seconds after which an earlier failure of a part is forgotten

log = structlog.stdlib.get_logger("newsbell.supervisor")


@dataclass(frozen=True, slots=True)
class Part:
    """A task that runs as long as newsbell does."""

    name: str  #: for the log and the operator, as in "polling"
    run: Callable[[], Awaitable[None]]  #: until cancelled, or, where it finishes, until stopped
    essential: bool = False  #: its failure ends the process
    finishes: bool = False  #: it ends by itself after newsbell is stopped, and is waited for


class Supervisor:
    """Runs parts, and says what failed."""

    def __init__(self, report: Callable[[Phrase], Awaitable[None]]) -> None:
        """`report` tells the operator; what it raises is logged."""
        self._report = report

    async def run(self, parts: Sequence[Part], stopped: asyncio.Event) -> None:
        """Run the parts until `stopped` is set, and those that finish until they have.

        Raises InternalFailure where an essential part failed, or ended by itself.
        """
        tasks: dict[asyncio.Task[Any], Part] = {
            asyncio.create_task(self._keep(part, stopped), name=part.name): part for part in parts
        }
        stop: asyncio.Task[Any] = asyncio.create_task(stopped.wait())
        try:
            await _first_failure({stop, *tasks}, until=stop)
            finishing = {task for task, part in tasks.items() if part.finishes}
            for task in tasks.keys() - finishing:
                task.cancel()
            await _first_failure(finishing)
        finally:
            for task in (stop, *tasks):
                task.cancel()
            await asyncio.gather(stop, *tasks, return_exceptions=True)

    async def _keep(self, part: Part, stopped: asyncio.Event) -> None:
        """Run a part again and again."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not stopped.is_set():
            began = loop.time()
            try:
                await part.run()
            except Exception as error:  # the one place that takes whatever a part raises
                log.exception("part_failed", part=part.name)
                if part.essential:
                    raise InternalFailure(
                        f"{part.name.capitalize()} failed and cannot go on ({_summary(error)}). "
                        "The log above says where; start newsbell again, nothing is lost."
                    ) from error
                await self._tell(part, error)
            else:
                if stopped.is_set():
                    return
                if part.essential:
                    raise InternalFailure(
                        f"{part.name.capitalize()} ended by itself. Start newsbell again."
                    )
                log.error("part_ended", part=part.name)
            if loop.time() - began > HEALTHY:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _tell(self, part: Part, error: Exception) -> None:
        text = phrase(
            "A part of newsbell failed and was started again: {part} ({error}). "
            "Its log says where.",
            part=part.name,
            error=_summary(error),
        )
        try:
            await self._report(text)
        except Exception:
            log.exception("report_failed", part=part.name)


async def _first_failure(
    tasks: Iterable[asyncio.Task[Any]], until: asyncio.Task[Any] | None = None
) -> None:
    """Wait for all tasks, or for one of them; raise what the first that fails raises."""
    waiting = set(tasks)
    while waiting and not (until and until.done()):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def _summary(error: Exception) -> str:
    """The kind of an error: its text may hold anything."""
    return type(error).__name__
