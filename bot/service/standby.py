"""A newsbell that waits for its turn to lead, and polls for whoever leads meanwhile.

It decides and sends nothing: what it polls it hands over. Where nobody leads any more, or the one
who does gives no sign of life, it is over; the caller opens a whole newsbell then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv6Network, ip_network
from typing import Any

import structlog

from bot.config.load import Config
from bot.errors import ActionRefused, StoreError
from bot.feeds.feed_reader import FeedReader
from bot.feeds.source_access import SourceAccess
from bot.fetch.client import open_client
from bot.fetch.url_guard import UrlGuard
from bot.i18n.phrase import phrase
from bot.model.database_address import PostgresAddress
from bot.model.health import Health, Role
from bot.model.nodes import (
    GONE,
    Node,
    NodeState,
    Rest,
    Tables,
    is_file_different,
    leader_of,
    rest_of,
    rest_text,
)
from bot.ports import Clock
from bot.service.build import Followed, Wiring
from bot.service.control import control
from bot.service.feed_trial import agent_of, guard_of, limits_of, worker_limits_of
from bot.service.following import Following
from bot.service.forwarding import forward, numbers_request, web_request
from bot.service.last_good import InForce, in_force_again
from bot.service.live_config import LiveConfig
from bot.service.loop_lag import LoopLag
from bot.service.membership import BEAT
from bot.service.monitoring import sharing_of
from bot.service.service_manager import ServiceManager
from bot.service.waiting_file import WaitingFile
from bot.service.workers import Workers
from bot.store.stores import PostgresStore, is_led

LOOK = timedelta(milliseconds=200)  #: between two looks whether somebody leads
AGAIN = timedelta(seconds=2)  #: after the database could not be read

log = structlog.stdlib.get_logger("newsbell.nodes")


_AWAY = phrase("The database cannot be reached.")
_TOO_OLD = phrase("Nobody leads, and a newer newsbell wrote the database: update this one.")
OF_TABLES = frozenset({Rest.OLDER_TABLES, Rest.NEWER_TABLES})
#: what to know of a node whose feeds.yaml differs
OTHER_FILE = "Its feeds.yaml is not that of the one that leads: make them the same."
#: or has mistakes
FAULTY_FILE = (
    "Its feeds.yaml has mistakes, which `newsbell check` lists: it goes on with what it had."
)
_SILENT = 180.0  # seconds without it, from which a node that waits is not healthy
# A node whose clock is wrong leads only where nobody else wants to.
_COURTESY = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Turn:
    """With what a node begins to lead that waited."""

    current: InForce  #: feeds.yaml, as it is by now
    followed: Followed | None  #: what it learnt meanwhile; None where it could not


class Standby:
    """A node that waits for its turn, and polls for whoever leads where it may."""

    def __init__(
        self,
        store: PostgresStore,
        node: Node,
        live: LiveConfig,
        clock: Clock,
        following: Following,
        workers: Workers,
        service_manager: ServiceManager,
    ) -> None:
        """`store` is for signs of life; `following` works for the one that leads."""
        self._service_manager, self._following = service_manager, following
        self._workers, self._lag = workers, LoopLag()
        self._store, self._node, self._live, self._clock = store, node, live, clock
        self._work: asyncio.Task[None] | None = None
        self._polls = False  # that work polls, too
        self._has_other_file = False
        self._began = self._heard = clock.monotonic()
        self._leader: NodeState | None = None  # whom it heard of last
        self._own = NodeState(node, leads=False, silent=timedelta(0))
        self.rest: Rest | None = None  #: why it polls nothing, although somebody leads
        self._free_since: float | None = None  # nobody has led since then

    def look(self) -> Health:
        """Return how it is."""
        now = self._clock.monotonic()
        reasons = [_AWAY] if now - self._heard > _SILENT else []
        if self.rest is Rest.NEWER_TABLES and self._free_since is not None:
            reasons.append(_TOO_OLD)
        return Health(
            self._node.version,
            self._node.started_at,
            now - self._began,
            self._lag.worst,
            0,
            tuple(reasons),
            self._following.measures.last_poll_at,
            role=Role.WAITS if self.rest else Role.POLLS,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self.rest:
            yield rest_text(self.rest, self._own, self._leader)
        if self._leader and is_file_different(self._own, self._leader):
            yield OTHER_FILE
        if self._live.rejected:
            yield FAULTY_FILE

    async def measured(self) -> bytes:
        """Return what is measured here, in the format of Prometheus."""
        from bot.service.metrics import Sample, exposition  # noqa: PLC0415 (few have a monitor)

        following = self._following
        sharing = await asyncio.to_thread(sharing_of, self._store.address)
        return exposition(
            Sample(
                self._clock.now(),
                self.look(),
                following.measures,
                None,
                self._workers.reading,
                self._workers.processes,
                following.window_size,
                sharing,
            )
        )

    def turn(self) -> Turn:
        """Return with what this node begins to lead. Reads the file."""
        return Turn(in_force_again(self._live.config), self._following.knows())

    @property
    def is_polling(self) -> bool:
        """Whether it polls."""
        return self._work is not None and self._polls

    async def wait(self) -> None:
        """Poll until it is this node's turn to lead."""
        tasks: set[asyncio.Task[Any]] = {
            asyncio.create_task(self._live_on(), name="signs of life"),
            asyncio.create_task(self._until_free(), name="waiting to lead"),
            asyncio.create_task(WaitingFile(self._live).watch(), name="feeds.yaml"),
            # The database may be away for hours: no start anew would help.
            asyncio.create_task(self._service_manager.run(self.look, lambda _: True)),
            asyncio.create_task(self._lag.run()),
            *self._monitors(),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self._stop_work(), return_exceptions=True)
            with suppress(StoreError):
                await self._store.nodes.leave(self._node.name)

    async def forward(self, do: str, ids: tuple[int, ...]) -> int:
        """Have the one that leads do what the command line asks for here.

        Raises ActionRefused, StoreError.
        """
        return await self._forward(numbers_request(do, ids))

    async def forward_web(self, do: str, word: str | bytes, chat: int) -> int:
        """As `forward`, about the web page."""
        return await self._forward(web_request(do, word, chat))

    async def _forward(self, request: Mapping[str, Any]) -> int:
        if self.rest in OF_TABLES:
            raise ActionRefused(
                "The newsbell that leads is of another version, and cannot be asked from here: "
                "ask on its machine, or upgrade the older one."
            )
        return await forward(self._store.requests, self._node.name, request)

    def _monitors(self) -> Iterator[asyncio.Task[None]]:
        listen = self._live.settings.monitor.listen
        if listen:
            from bot.service.monitor import Monitor  # noqa: PLC0415 (few have a monitor)

            monitor = Monitor(listen, self.look, self.measured)
            yield asyncio.create_task(monitor.run(), name="answering the monitor")

    async def _live_on(self) -> None:
        """Give signs of life, and poll while this node may."""
        while True:
            try:
                await self._look_around()
                self._heard = self._clock.monotonic()
                await self._work_or_rest()
            except StoreError as error:
                log.debug("no_sign_of_life", error=str(error))
            await asyncio.sleep(BEAT.total_seconds())

    async def _look_around(self) -> None:
        """Give a sign of life, and see whether this node may poll. Raises StoreError."""
        tables = await self._store.tables()
        node = replace(self._node, digest=self._live.config.content)
        if tables is Tables.SAME:
            self._own = await self._store.nodes.beat(node, leads=False, now=self._clock.now)
        else:
            await self._store.nodes.sign(node)
        leader = leader_of(await self._store.nodes.nodes())
        self._leader = leader or self._leader
        if self._leader is None:
            return
        rest = rest_of(self._own, self._leader, tables)
        if rest is not self.rest:
            self._say(rest, self._leader)
        self.rest = rest
        is_other = is_file_different(self._own, self._leader)
        if is_other and not self._has_other_file:
            log.warning("file_differs", node=self._node.name, leader=self._leader.node.name)
        self._has_other_file = is_other

    def _say(self, rest: Rest | None, leader: NodeState) -> None:
        """Log that this node polls nothing, or does again."""
        if rest is None:
            log.info("node_polls", node=self._node.name)
        else:
            reason = rest_text(rest, self._own, leader)
            log.warning("node_rests", node=self._node.name, reason=reason)

    async def _work_or_rest(self) -> None:
        """Begin what this node may do for the one that leads, or end it. Raises StoreError."""
        may = self._leader is not None and self.rest not in OF_TABLES
        polls = may and self.rest is None
        if self._work is not None and (self._work.done() or not may or polls != self._polls):
            await self._stop_work()
            await self._store.nodes.leave(self._node.name)  # what it had claimed is free
        if not may:
            self._following.forget()
        elif self._work is None:
            self._polls = polls
            self._work = asyncio.create_task(self._following.run(polls=polls), name="following")

    async def _stop_work(self) -> None:
        """End it; what failed in it is raised, unless that is the database."""
        work, self._work = self._work, None
        if work is None:
            return
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            if not work.cancelled():
                raise
        except StoreError as error:
            log.error("following_failed", error=str(error), retry_after=BEAT.total_seconds())

    async def _until_free(self) -> None:
        """Wait until nobody leads and this node may; end who leads and gives no sign of life."""
        while True:
            try:
                if await self._store.has_leader():
                    self._free_since = None
                    await self._look_at_leader()
                elif await self._may_lead():
                    return
            except StoreError as error:
                log.error("database_away", error=str(error))
                await asyncio.sleep(AGAIN.total_seconds())
            await asyncio.sleep(LOOK.total_seconds())

    async def _may_lead(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self._free_since is None:
            self._free_since = now
        if await self._store.tables() is Tables.NEWER:
            return False
        return self.rest is not Rest.CLOCK or now - self._free_since > _COURTESY.total_seconds()

    async def _look_at_leader(self) -> None:
        leaders = [state for state in await self._store.nodes.nodes() if state.leads]
        newest = min(leaders, key=lambda state: state.silent, default=None)
        if newest is None or newest.silent <= GONE:
            return
        if await self._store.end_leader(newest.node.name):
            log.warning("leader_ended", node=newest.node.name, silent=newest.silent.total_seconds())


@asynccontextmanager
async def open_standby(
    config: Config, wiring: Wiring, address: PostgresAddress
) -> AsyncIterator[Standby]:
    """Open a node that polls. Raises StoreError."""
    clock, network = wiring.clock, config.settings.network
    workers = Workers(worker_limits_of(config, wiring.documents))
    store = PostgresStore(address, wiring.node, leads=False, any_version=True)
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
            following = Following(address, wiring, live, reader)
            node = Node(wiring.node, wiring.version, clock.now())
            standby = Standby(store, node, live, clock, following, workers, wiring.service_manager)
            asks = (standby.forward, lambda: standby.look().record(), standby.forward_web)
            async with control(config.beside, *asks):
                yield standby
    finally:
        workers.close()


async def until_turn(
    config: Config, wiring: Wiring, address: PostgresAddress, waiting: Callable[[], None]
) -> Turn | None:
    """Return when it seems to be this node's turn to lead; it polls for whoever leads until then.

    None where nobody led. `waiting` is called where somebody else leads. Raises StoreError.
    """
    if not await asyncio.to_thread(is_led, address):
        return None
    waiting()
    async with open_standby(config, wiring, address) as standby:
        await standby.wait()
        return await asyncio.to_thread(standby.turn)
