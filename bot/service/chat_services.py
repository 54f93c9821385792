"""Build the services of the chat layer: stored articles, feeds, status, configuration."""

import asyncio
from collections.abc import Callable, Sequence

import yaml

from bot.chart.process import draw_chart
from bot.chart.trend import Trend
from bot.chat.access import Access
from bot.chat.build import build_dispatcher
from bot.chat.dispatcher import Dispatcher
from bot.chat.services import (
    AdminService,
    ChatConfig,
    ChatServices,
    DailyCounts,
    FeedService,
    SearchService,
)
from bot.i18n.catalog import Translator, zone_name
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.health import Health
from bot.model.status import Status
from bot.model.stories import Grouping
from bot.ports import Clock, Members, Sites, Store
from bot.search.export import export_config
from bot.service.live_config import LiveConfig
from bot.service.page_proposals import PageProposals
from bot.service.subscriptions import LiveSubscriptions

CHARTS = 2  #: pictures drawn at a time


class Charts:
    """Draws trends, a few at a time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(CHARTS)

    async def draw(self, days: DailyCounts, title: str, translator: Translator) -> bytes:
        """Return a picture of daily counts. Raises ChartError."""
        async with self._slots:
            return await draw_chart(_trend(days, title, translator), dark=True)

    async def svg(self, days: DailyCounts, translator: Translator, dark: bool) -> bytes:
        """Return daily counts as SVG, without a title. Raises ChartError."""
        async with self._slots:
            return await draw_chart(_trend(days, "", translator), dark=dark, svg=True)


def _trend(days: DailyCounts, title: str, translator: Translator) -> Trend:
    stories, publishers = translator.gettext("stories"), translator.gettext("publishers")
    return Trend(title, days, zone_name(translator.zone), stories, publishers)


class _Views:
    """What chats read of the store. Raises StoreError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def status(self) -> Status:
        """Return what a chat may see; it names no chat, and reading all of them would take long."""
        return await self._store.admin.status(brief=True)

    async def dead(self) -> list[OutboxRow]:
        """Return the messages that could not be delivered."""
        states = (DeliveryState.DEAD, DeliveryState.UNKNOWN)
        return await self._store.admin.outbox(self._clock.now(), states)

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
        addresses, feeds = await asyncio.to_thread(
            lambda: (archive.chat_addresses(), archive.added_feeds(chats))
        )
        document = export_config(subscriptions, addresses, feeds)
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def chat_config(live: LiveConfig, subscriptions: LiveSubscriptions) -> ChatConfig:
    """Return what the configuration in force says about chats."""
    settings, quotas = live.settings, live.quotas()
    return ChatConfig(
        access=Access(settings.access),
        commands_per_minute=quotas.commands_a_minute,
        subscriptions=quotas.subscriptions,
        feeds=quotas.feeds,
        new_hosts_per_hour=quotas.hosts_an_hour,
        names=live.names(),
        timezone=settings.timezone,
        grouping=Grouping(settings.stories),
        web=settings.web.address,
        groupings=subscriptions.groupings,
    )


def build_chat(
    live: LiveConfig,
    store: Store,
    subscriptions: LiveSubscriptions,
    members: Members,
    sites: Sites,
    clock: Clock,
    health: Callable[[], Health],
    *,
    proposals: PageProposals,
) -> Dispatcher:
    """Build the chat layer and what it works with."""
    views, archive = _Views(store, clock), store.archive

    def config() -> ChatConfig:
        return chat_config(live, subscriptions)

    return build_dispatcher(
        ChatServices(
            store=store.chats,
            members=members,
            clock=clock,
            search=SearchService(archive, clock, config, Charts().draw),
            feeds=FeedService(sites, views.status, views.subscriptions_yaml, proposals.best),
            admin=AdminService(store.admin.status, views.dead, health),
            config=config,
            translator=live.translator,
        )
    )
