"""Loops that give other tasks of the event loop their turn. Not a scheduler."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 8  #: items worked on before other tasks get their turn


async def yielding(
    items: Iterable[T], every: int = AT_ONCE, *, is_long: Callable[[T], bool] = lambda _: False
) -> AsyncIterator[T]:
    """Yield the items; let other tasks run after each `every`-th one and each one that is long."""
    for number, item in enumerate(items, 1):
        yield item
        if number % every == 0 or is_long(item):
            await asyncio.sleep(0)
