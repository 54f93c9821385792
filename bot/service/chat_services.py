"""What the chat layer is built from: its view of archive, feeds, configuration and status.

Reading stored entries may take a second, so it runs in a thread.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

import yaml

from bot.chart.process import drawn
from bot.chart.trend import Trend
from bot.chat.context import Context
from bot.chat.dispatcher import Actions
from bot.chat.handlers.feeds import FeedQuota
from bot.chat.handlers.search import FOUND, SEARCH_DAYS
from bot.chat.handlers.trends import Days
from bot.chat.router import ChatServices, build_routes
from bot.model.delivery import DeliveryState
from bot.model.status import Status
from bot.ports import Clock, Members, Sites, Store
from bot.query.tree import Node
from bot.search.backtest import Forecast, Hit, backtest, daily_counts, search
from bot.search.export import export_config
from bot.service.live_config import LiveConfig
from bot.service.subscriptions import LiveSubscriptions

CHARTS = 2  #: pictures drawn at a time


class ChatQueries:
    """What handlers ask of stored data. Raises StoreError."""

    def __init__(self, live: LiveConfig, store: Store, clock: Clock) -> None:
        self._live, self._store, self._clock = live, store, clock
        self._charts = asyncio.Semaphore(CHARTS)

    async def forecast(self, tree: Node, feeds: Sequence[str] = ()) -> Forecast:
        """Return what a query would have alerted of in the last week."""
        zone = self._live.timezone
        return await asyncio.to_thread(
            backtest, tree, self._store.archive, self._clock.now(), feeds=feeds, zone=zone
        )

    async def search(self, tree: Node) -> list[Hit]:
        """Return the newest stored articles that match."""
        since = self._clock.now() - timedelta(days=SEARCH_DAYS)
        return await asyncio.to_thread(
            lambda: list(islice(search(tree, self._store.archive, since=since), FOUND))
        )

    async def daily_counts(self, tree: Node, days: int, context: Context) -> Days:
        """Return stories and publishers day by day, in the chat's time zone."""
        zone = context.translator.zone
        return await asyncio.to_thread(
            daily_counts, tree, self._store.archive, self._clock.now(), days, zone=zone
        )

    async def chart(self, days: Days, context: Context) -> bytes:
        """Return a picture of such counts. Raises ChartError."""
        translator = context.translator
        stories, publishers = translator.gettext("stories"), translator.gettext("publishers")
        trend = Trend(str(translator.zone), days, "", stories, publishers)
        async with self._charts:
            return await drawn(trend, dark=True)

    async def status(self) -> Status:
        """Return what a chat may see; it names no chat, and reading all of them would take long."""
        return await self._store.admin.status(brief=True)

    async def subscriptions_yaml(self, chats: Sequence[int]) -> str:
        """Return what these chats subscribed to, in the form of feeds.yaml; empty for nothing."""
        subscriptions = [
            subscription
            for subscription in await self._store.polls.subscriptions()
            if not subscription.declared and not set(subscription.chats).isdisjoint(chats)
        ]
        if not subscriptions:
            return ""
        archive = self._store.archive
        places, feeds = await asyncio.to_thread(
            lambda: (archive.chat_addresses(), archive.added_feeds(chats))
        )
        document = export_config(subscriptions, places, feeds)
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def build_dispatcher(
    live: LiveConfig,
    store: Store,
    subscriptions: LiveSubscriptions,
    members: Members,
    sites: Sites,
    clock: Clock,
) -> Actions:
    """Build the chat layer: its handlers and what they work with."""
    queries, quotas = ChatQueries(live, store, clock), live.quotas
    services = ChatServices(
        store=store.chats,
        archive=store.archive,
        stories=store.archive,
        members=members,
        sites=sites,
        names=live.names,
        translator=live.translator,
        grouping=subscriptions.grouping,
        forecast=queries.forecast,
        search=queries.search,
        counted=queries.daily_counts,
        drawn=queries.chart,
        status=queries.status,
        overview=store.admin.status,
        dead=lambda: store.admin.outbox((DeliveryState.DEAD,)),
        yaml_of=queries.subscriptions_yaml,
        subscriptions=lambda: quotas().subscriptions,
        feeds=lambda: FeedQuota(quotas().feeds, quotas().hosts_an_hour),
    )
    routes = build_routes(services)
    return Actions(store.chats, clock, members, live.translator, live.rules, routes)
