"""Reads the live window of stories from the store, and what comes to it later.

Decides nothing: entries and stories are as they are stored. A node that waits for its turn to lead
follows the one that leads so, and does not have to read the window when its turn comes.
"""

import asyncio
import gc
from datetime import datetime, timedelta

from bot.feeds.yielding import AT_ONCE, yielding
from bot.ports import Clock, PollStore
from bot.stories.window import SPAN, Window

RESTORED = 2000  #: entries of the window read at a time
#: how far back the newest entries are looked for, after which older ones need not be read
PROBED = (timedelta(days=1), timedelta(hours=1))
_PROBE = 200  # entries of each
#: by which the clock of who leads may be ahead of that of who follows
SKEW = timedelta(minutes=1)


class WindowReader:
    """The window, as far as it was read."""

    def __init__(self) -> None:
        self._window, self._after = Window(), 0
        self._offset: float | None = None  # of the clock, when the first entry was read

    async def read(self, store: PollStore, now: datetime) -> Window:
        """Return the window with all that is stored; later only what came since is read.

        `now` is the present of the stored entries. Raises StoreError: the next call goes on.
        """
        since, window, is_first = now - 2 * SPAN, self._window, not self._after
        gc.disable()  # all that is made here stays: looking for what does not costs a fifth
        try:
            while part := await store.window(since, now, self._after, RESTORED):
                if not self._after and len(part) == RESTORED:
                    await self._expect_newest(store, now)
                async for report, story_ids in yielding(part, 4 * AT_ONCE):
                    window.restore(report, story_ids)
                    self._after = report.id
        finally:
            gc.enable()
        if not is_first and (first := window.first_story):
            window.follow(await store.merges(first))
        return window

    async def follow(self, store: PollStore, clock: Clock) -> None:
        """Read what another node has stored since. Raises StoreError: the next call goes on."""
        is_first = self._offset is None
        if is_first:
            self._offset = _offset(clock)
        window = await self.read(store, clock.now() + SKEW)
        if is_first:
            await asyncio.to_thread(window.prepare)

    @property
    def size(self) -> int:
        """How many entries it has."""
        return len(self._window)

    def is_followed(self, clock: Clock) -> bool:
        """Whether the window is that of another node, by a clock that was not set meanwhile."""
        return self._offset is not None and (
            abs(_offset(clock) - self._offset) < SKEW.total_seconds()
        )

    async def _expect_newest(self, store: PollStore, now: datetime) -> None:
        for span in PROBED:
            newest = await store.window(now - span, now, 0, _PROBE)
            self._window.expect(stored for stored, _ in newest)


def _offset(clock: Clock) -> float:
    return clock.now().timestamp() - clock.monotonic()
