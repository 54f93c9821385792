"""Measure how late the event loop is with what is due. Reports nothing, ends nothing.

A loop that does not run at all is `watchdog.loop_watch`'s; what kept it busy is `loop_watch`'s.
"""

import asyncio
from collections import deque

LOOK = 1.0  #: seconds between two looks
KEPT = 60  #: looks of which the worst is known


class LoopLag:
    """How late a sleep of one second ended, in seconds."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=KEPT)

    @property
    def worst(self) -> float:
        """The longest delay of the last minute."""
        return max(self._latest, default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK
            await asyncio.sleep(LOOK)
            self._latest.append(max(0.0, loop.time() - due))
