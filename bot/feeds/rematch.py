"""Match stored entries again, for subscriptions that were out of force when they came.

Alerts only; a story that a chat has an alert of gets no second one, and nothing is edited.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.decide import AlertRules, decide_alerts
from bot.alerts.state import AlertState
from bot.feeds.yielding import yielding
from bot.model.alerts import AlertIntent, MatchRecord
from bot.model.chats import Subscription
from bot.model.entries import Article, Match
from bot.model.poll import AffectedStories
from bot.model.stories import Grouping
from bot.ports import PollStore
from bot.query.index import Index
from bot.stories.assign import Merges


@dataclass(frozen=True, slots=True)
class _Some:
    """An index as if it had only some subscriptions."""

    index: Index
    subscriptions: frozenset[int]

    def match(self, article: Article) -> list[Match]:
        return [
            match
            for match in self.index.match(article)
            if match.subscription_id in self.subscriptions
        ]

    def subscription(self, number: int) -> Subscription | None:
        return self.index.subscription(number)


async def rematch(
    store: PollStore,
    index: Index,
    grouping: Callable[[int], Grouping],
    subscriptions: Collection[int],
    since: datetime,
    now: datetime,
) -> int:
    """Alert what these subscriptions match of the entries seen since; return how many alerts."""
    feeds = await store.entries_since(since)
    story_ids = frozenset(placed.story_ids for _, entries in feeds for placed in entries)
    if not story_ids:
        return 0
    merges = Merges.of(())
    stored = await store.stories(AffectedStories(story_ids, frozenset()), now)
    state = AlertState.of(stored, merges)
    rules = AlertRules(_Some(index, frozenset(subscriptions)), grouping, now)
    alerts: list[AlertIntent] = []
    records: list[MatchRecord] = []
    async for feed, entries in yielding(feeds, 1):
        for placed in entries:
            decisions, state = decide_alerts([placed], (), feed, state, rules)
            alerts += decisions.alerts
            records += decisions.records
    return await store.insert_alerts(alerts, records, now) if records else 0
