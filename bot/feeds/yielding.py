"""Loops and tasks that give others of the event loop their turn. Not a scheduler."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 8  #: items worked on before other tasks get their turn
LONGEST = 0.005  #: seconds likewise


async def yielding(
    items: Iterable[T], every: int = AT_ONCE, *, is_long: Callable[[T], bool] = lambda _: False
) -> AsyncIterator[T]:
    """Yield the items; let other tasks run after each `every`-th one and each one that is long.

    And after each that took long, together with those before it.
    """
    since = perf_counter()
    for number, item in enumerate(items, 1):
        yield item
        if number % every == 0 or is_long(item) or perf_counter() - since > LONGEST:
            await asyncio.sleep(0)
            since = perf_counter()


class LoopTurns:
    """Lets so many of many tasks go on in one turn of the event loop, as they came.

    A hundred answers that came together would otherwise all be read before anything else goes on.
    """

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def wait(self) -> None:
        """Wait until a further task may go on."""
        await self._free.acquire()
        asyncio.get_running_loop().call_soon(self._free.release)
