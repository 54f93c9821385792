"""What a node that waits does for the one that leads: polls for it, and follows what it knows.

By tables of its own version only; `standby` says when. Decides nothing.
"""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.feeds.feed_reader import FeedReader
from bot.feeds.handover import HandoverCommitter
from bot.feeds.poller import Poller, PollReport
from bot.feeds.window_reader import WindowReader
from bot.model.database_address import PostgresAddress
from bot.query.index import Index
from bot.service.build import Followed, Wiring, new_index
from bot.service.followed_subscriptions import FollowedSubscriptions
from bot.service.live_config import LiveConfig
from bot.service.measures import Measures
from bot.service.membership import BEAT
from bot.service.subscriptions import LiveSubscriptions
from bot.store.stores import PostgresStore

FOLLOW = timedelta(seconds=2)  #: between two looks for new entries and merged stories

log = structlog.stdlib.get_logger("newsbell.nodes")


class Following:
    """The work of a node that waits."""

    def __init__(
        self, address: PostgresAddress, wiring: Wiring, live: LiveConfig, reader: FeedReader
    ) -> None:
        self._address, self._wiring, self._live, self._reader = address, wiring, live, reader
        self._window = WindowReader()  # what the one that leads has of the stories
        self._index: Index | None = None  # the subscriptions, compiled
        self.measures = Measures(wiring.clock)

    def forget(self) -> None:
        """Forget all of it: the tables are another version's now."""
        self._window, self._index = WindowReader(), None

    def knows(self) -> Followed | None:
        """Return what it knows by now; None where it knows nothing."""
        is_right = self._window.is_followed(self._wiring.clock)
        return Followed(self._window if is_right else None, self._index) if self._index else None

    async def run(self, *, polls: bool) -> None:
        """Follow stories and subscriptions, and poll if asked to, until cancelled.

        Raises StoreError.
        """
        # By a connection of its own, so that signs of life wait for none of it.
        async with PostgresStore(self._address, self._wiring.node, leads=False) as store:
            live, clock = self._live, self._wiring.clock
            index = self._index = await new_index(live.config, store)
            subscriptions = LiveSubscriptions(store, index, live, clock, leads=False)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(store))
                group.create_task(FollowedSubscriptions(store.nodes, subscriptions).run())
                if polls:
                    poller = self._poller(store, index)
                    group.create_task(poller.run())
                    group.create_task(_tick(poller))

    def _poller(self, store: PostgresStore, index: Index) -> Poller:
        wiring, live, clock = self._wiring, self._live, self._wiring.clock
        committer = HandoverCommitter(
            store.nodes,
            store.polls,
            clock,
            wiring.chance,
            index=index,
            node=wiring.node,
            version=wiring.version,
        )
        return Poller(
            store.polls,
            clock,
            self._reader,
            committer,
            self._polled,
            live.spacing,
            self.measures.commit.add,
        )

    def _polled(self, reports: list[PollReport]) -> None:
        self.measures.polled(reports)
        self._wiring.polled(reports)

    @property
    def window_size(self) -> int:
        """How many entries of stories it knows."""
        return self._window.size

    async def _follow(self, store: PostgresStore) -> None:
        """Keep the window of stories as it is with the one that leads."""
        while True:
            try:
                await self._window.follow(store.polls, self._wiring.clock)
            except StoreError as error:
                log.error("stories_not_followed", error=str(error))
            await asyncio.sleep(FOLLOW.total_seconds())


async def _tick(poller: Poller) -> None:
    while True:
        poller.tick()
        await asyncio.sleep(BEAT.total_seconds())
