"""Keep the query index as the stored subscriptions are. Decides nothing about their queries."""

from collections.abc import Mapping

import structlog

from bot.feeds.yielding import yielding
from bot.model.stories import Grouping
from bot.ports import Store
from bot.query.index import Index
from bot.service.live_config import LiveConfig

log = structlog.stdlib.get_logger("newsbell.subscriptions")


class LiveSubscriptions:
    """The subscriptions in force, compiled, and how each chat's alerts are grouped."""

    def __init__(self, store: Store, index: Index, live: LiveConfig) -> None:
        self._store, self.index, self._live = store, index, live
        self._groupings: Mapping[int, Grouping] = {}

    @property
    def groupings(self) -> Mapping[int, Grouping]:
        """The groupings of chats that chose one, by chat id."""
        return self._groupings

    def grouping(self, chat_id: int) -> Grouping:
        """Return how widely articles are grouped into one alert of the chat."""
        return self._groupings.get(chat_id) or Grouping(self._live.settings.stories)

    async def refresh(self, chat_id: int | None = None) -> None:
        """Compile what changed, in all chats or in one; polls go on meanwhile.

        A query that cannot be read any more is logged and stops no other.
        """
        self._groupings = await self._store.polls.groupings()
        known = set(self.index.broken)
        subscriptions = await self._store.polls.subscriptions(chat_id)
        changes = self.index.synchronize(subscriptions, self._live.names(), chat_id)
        async for _ in yielding(changes):
            pass
        for key in self.index.broken.keys() - known:
            subscription, error = self.index.broken[key]
            log.error(
                "subscription_broken",
                subscription_id=subscription.id,
                query=subscription.query,
                error=error.message,
                effect="it sends no alerts",
            )
