"""A newsbell that waits for its turn to lead, and polls for whoever leads meanwhile.

It decides and sends nothing: what it polls it hands over. Where nobody leads any more, or the one
who does gives no sign of life, it is over; the caller opens a whole newsbell then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from ipaddress import IPv6Network, ip_network
from typing import Any

import structlog

from bot import __version__
from bot.config.load import Config
from bot.errors import ActionRefused, StoreError
from bot.feeds.feed_reader import FeedReader
from bot.feeds.handover import HandoverCommitter
from bot.feeds.poller import Poller
from bot.feeds.source_access import SourceAccess
from bot.feeds.window_reader import WindowReader
from bot.fetch.client import open_client
from bot.fetch.url_guard import UrlGuard
from bot.i18n.phrase import phrase
from bot.model.database_address import PostgresAddress
from bot.model.health import Health
from bot.model.nodes import GONE, Node
from bot.ports import Clock
from bot.service.build import Followed, Wiring, new_index
from bot.service.control import control
from bot.service.feed_trial import agent_of, guard_of, limits_of, worker_limits_of
from bot.service.followed_subscriptions import FollowedSubscriptions
from bot.service.live_config import LiveConfig
from bot.service.membership import BEAT
from bot.service.subscriptions import LiveSubscriptions
from bot.service.workers import Workers
from bot.store.stores import PostgresStore, is_led, is_ready

LOOK = timedelta(milliseconds=200)  #: between two looks whether somebody leads
FOLLOW = timedelta(seconds=2)  #: between two looks for new entries and merged stories
AGAIN = timedelta(seconds=2)  #: after the database could not be read

log = structlog.stdlib.get_logger("newsbell.nodes")


_AWAY = phrase("The database cannot be reached.")
_SILENT = 180.0  # seconds without it, from which a node that waits is not healthy


async def _refuse(_action: str, _ids: tuple[int, ...]) -> int:
    raise ActionRefused(
        "This newsbell waits for its turn to lead: ask on the machine of the one that leads "
        "(`newsbell status` names it)."
    )


class Standby:
    """A node that polls for whoever leads."""

    def __init__(
        self,
        store: PostgresStore,
        node: Node,
        poller: Poller,
        clock: Clock,
        subscriptions: FollowedSubscriptions,
    ) -> None:
        self._subscriptions = subscriptions
        self._store, self._node, self._poller, self._clock = store, node, poller, clock
        self.window = WindowReader()  #: what the one that leads has of the stories
        self._began = self._heard = clock.monotonic()

    def health(self) -> Mapping[str, object]:
        """Return how it is, for `newsbell health`."""
        now = self._clock.monotonic()
        reasons = (_AWAY,) if now - self._heard > _SILENT else ()
        return Health(
            self._node.version, self._node.started_at, now - self._began, 0.0, 0, reasons
        ).record()

    def followed(self) -> Followed:
        """Return what it knows by now."""
        is_right = self.window.is_followed(self._clock)
        return Followed(self.window if is_right else None, self._subscriptions.index)

    async def wait(self) -> None:
        """Poll until it is this node's turn to lead."""
        polling = asyncio.create_task(self._poller.run(), name="polling")
        ticking = asyncio.create_task(self._tick(), name="ticks")
        leading = asyncio.create_task(self._until_free(), name="waiting to lead")
        following = asyncio.create_task(self._follow(), name="following the stories")
        matching = asyncio.create_task(self._subscriptions.run(), name="following subscriptions")
        tasks: set[asyncio.Task[Any]] = {polling, ticking, leading, following, matching}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(StoreError):
                await self._store.nodes.leave(self._node.name)

    async def _tick(self) -> None:
        while True:
            self._poller.tick()
            with suppress(StoreError):
                await self._store.nodes.beat(self._node, leads=False)
                self._heard = self._clock.monotonic()
            await asyncio.sleep(BEAT.total_seconds())

    async def _follow(self) -> None:
        """Keep the window of stories as it is with the one that leads."""
        while True:
            try:
                await self.window.follow(self._store.polls, self._clock)
            except StoreError as error:
                log.error("stories_not_followed", error=str(error))
            await asyncio.sleep(FOLLOW.total_seconds())

    async def _until_free(self) -> None:
        """Wait until nobody leads; end who leads and gives no sign of life."""
        while True:
            try:
                if not await self._store.has_leader():
                    return
                await self._look_at_leader()
            except StoreError as error:
                log.error("database_away", error=str(error))
                await asyncio.sleep(AGAIN.total_seconds())
            await asyncio.sleep(LOOK.total_seconds())

    async def _look_at_leader(self) -> None:
        leaders = [state for state in await self._store.nodes.nodes() if state.leads]
        newest = min(leaders, key=lambda state: state.silent, default=None)
        if newest is not None and newest.silent > GONE and await self._store.end_leader():
            log.warning("leader_ended", node=newest.node.name, silent=newest.silent.total_seconds())


@asynccontextmanager
async def open_standby(
    config: Config, wiring: Wiring, address: PostgresAddress
) -> AsyncIterator[Standby]:
    """Open a node that polls. Raises StoreError."""
    clock, network = wiring.clock, config.settings.network
    workers = Workers(worker_limits_of(config, wiring.documents))
    store = PostgresStore(address, wiring.node, leads=False)
    guard, limits, agent = guard_of(config), limits_of(config), agent_of(config)
    nat64 = [IPv6Network(prefix) for prefix in network.nat64]
    public = UrlGuard([ip_network(item) for item in wiring.chat_networks], network.ports, nat64)
    proxy = config.proxies.network
    try:
        async with (
            store,
            open_client(guard, limits, clock, agent, proxy=proxy) as fetcher,
            open_client(public, limits, clock, agent, discreet=True, proxy=proxy) as from_chats,
        ):
            live = LiveConfig(config, guard, wiring.rejected)
            access = SourceAccess.of(clock, live.sources, live.spacing, mirror=fetcher)
            live.take_delays(access.rules.delay)
            parser = wiring.parser or workers
            reader = FeedReader(
                fetcher, from_chats, parser, clock, headers=live.headers, access=access
            )
            index = await new_index(config, store)
            subscriptions = LiveSubscriptions(store, index, live, clock, leads=False)
            committer = HandoverCommitter(
                store.nodes,
                store.polls,
                clock,
                wiring.chance,
                index=index,
                node=wiring.node,
                version=__version__,
            )
            poller = Poller(store.polls, clock, reader, committer, wiring.polled, live.spacing)
            node = Node(wiring.node, __version__, clock.now())
            await store.nodes.beat(node, leads=False)
            followed = FollowedSubscriptions(store.nodes, subscriptions)
            standby = Standby(store, node, poller, clock, followed)
            async with control(config.beside, _refuse, standby.health):
                yield standby
    finally:
        workers.close()


async def until_turn(
    config: Config, wiring: Wiring, address: PostgresAddress, waiting: Callable[[], None]
) -> Followed | None:
    """Return when it seems to be this node's turn to lead; it polls for whoever leads until then.

    Return what it learnt meanwhile; None where it did not wait.

    `waiting` is called where somebody else leads. Raises StoreError.
    """
    if not await asyncio.to_thread(is_led, address):
        return None
    waiting()
    while not await asyncio.to_thread(is_ready, address):  # whoever leads makes the tables first
        await asyncio.sleep(LOOK.total_seconds())
        if not await asyncio.to_thread(is_led, address):
            return None
    async with open_standby(config, wiring, address) as standby:
        await standby.wait()
    return standby.followed()
