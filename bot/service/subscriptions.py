"""Keep the query index as the stored subscriptions are. Decides nothing about their queries."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

import structlog

from bot.errors import QueryError
from bot.feeds.yielding import yielding
from bot.model.alerts import UnsentMatch
from bot.model.chats import Developments, Subscription, Updates
from bot.model.nodes import subscriptions_changed
from bot.model.stories import Grouping
from bot.ports import Clock, Store
from bot.query.index import Index, uses_lists
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.service.live_config import LiveConfig

log = structlog.stdlib.get_logger("newsbell.subscriptions")


class LiveSubscriptions:
    """The subscriptions in force, compiled, and how each chat's alerts are grouped."""

    def __init__(
        self, store: Store, index: Index, live: LiveConfig, clock: Clock, *, leads: bool = True
    ) -> None:
        """`leads`: what waits and no longer matches is withdrawn, and other nodes are told."""
        self._store, self.index, self._live, self._clock = store, index, live, clock
        self._leads = leads
        self._names: Names | None = None
        self._turn = asyncio.Lock()  # updates, tasks and reloads ask for it at once
        self._groupings: Mapping[int, Grouping] = {}
        self._developments: Mapping[int, Developments] = {}
        self._updates: Mapping[int, Updates] = {}

    @property
    def groupings(self) -> Mapping[int, Grouping]:
        """The groupings of chats that chose one, by chat id."""
        return self._groupings

    def grouping(self, chat_id: int) -> Grouping:
        """Return how widely articles are grouped into one alert of the chat."""
        return self._groupings.get(chat_id) or Grouping(self._live.settings.stories)

    def developments(self, chat_id: int) -> Developments:
        """Return how a chat hears of news that joins a story which it was alerted of."""
        return self._developments.get(chat_id, Developments.NOTE)

    def updates(self, chat_id: int) -> Updates | None:
        """Return how a chat hears of changes of what it was alerted of; None: nobody chose."""
        return self._updates.get(chat_id)

    async def refresh(self, chat_id: int | None = None) -> None:
        """Compile what changed, in all chats or in one; polls go on meanwhile.

        What waits because of a query that reads otherwise now is tried on the new one. A query
        that cannot be read any more is logged and stops no other.
        """
        async with self._turn:
            await self._refresh(chat_id)
            if self._leads:
                await self._store.nodes.tell(subscriptions_changed(chat_id))

    async def _refresh(self, chat_id: int | None) -> None:
        self._groupings = await self._store.polls.groupings()
        self._developments = await self._store.polls.developments()
        self._updates = await self._store.polls.updates()
        known = set(self.index.broken)
        subscriptions = await self._store.polls.subscriptions(chat_id)
        names = self._live.names() if chat_id is None else self.index.names
        changed = self._changed(subscriptions, names, all_chats=chat_id is None)
        queries = self.index.unparsed(subscriptions, names)
        trees = await asyncio.to_thread(_parsed, queries, names) if queries else {}
        changes = self.index.synchronize(subscriptions, names, chat_id, trees)
        async for _ in yielding(changes):
            pass
        if chat_id is None:
            self._names = names
        if changed and self._leads:
            await self._withdraw(changed)
        for key in self.index.broken.keys() - known:
            subscription, error = self.index.broken[key]
            log.error(
                "subscription_broken",
                subscription_id=subscription.id,
                query=subscription.query,
                error=error.message,
                effect="it sends no alerts",
            )

    def _changed(
        self, subscriptions: Iterable[Subscription], names: Names, *, all_chats: bool
    ) -> list[int]:
        """The subscriptions that may match other articles than those compiled until now."""
        lists_changed = all_chats and self._names is not None and names != self._names
        return [
            subscription.id
            for subscription in subscriptions
            if (before := self.index.subscription(subscription.id))
            and (
                (before.query, before.feeds) != (subscription.query, subscription.feeds)
                or (lists_changed and uses_lists(subscription.query))
            )
        ]

    async def _withdraw(self, changed: Collection[int]) -> None:
        """Withdraw what waits and no longer matches."""
        matches = await self._store.polls.unsent_matches(changed, self._clock.now())
        stale = [match async for match in yielding(matches) if not self._still_matches(match)]
        if stale:
            await self._store.polls.withdraw_matches(stale, self._clock.now())

    def _still_matches(self, unsent: UnsentMatch) -> bool:
        return any(self.index.matches(unsent.subscription_id, item) for item in unsent.articles)


def _parsed(queries: Iterable[str], names: Names) -> dict[str, Node]:
    """Return the trees of queries; those with a mistake are left out. It may take seconds."""
    trees = {}
    for query in queries:
        with suppress(QueryError):
            trees[query] = parse(query, names)
    return trees
