"""Build a newsbell from its configuration: one function a part, joined in `open_app`."""

import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import IPv6Network, ip_network
from random import Random
from typing import TYPE_CHECKING

import structlog
from telegram import Bot

from bot import __version__
from bot.config.load import Config
from bot.delivery.channels.http import open_service_client
from bot.delivery.channels.services import service_channels
from bot.delivery.channels.telegram import TelegramChannel, open_bot
from bot.delivery.channels.terminal import TerminalChannel
from bot.delivery.deliverer import Deliverer
from bot.feeds.article_pages import ArticlePages, Fetchers
from bot.feeds.batch import BatchCommitter
from bot.feeds.discovery import SiteFinder
from bot.feeds.feed_reader import FeedReader
from bot.feeds.handover import Intake
from bot.feeds.poller import Poller, PollReport
from bot.feeds.source_access import SourceAccess
from bot.feeds.window_reader import WindowReader
from bot.fetch.client import open_client
from bot.fetch.url_guard import UrlGuard
from bot.model.chats import ChatKind
from bot.model.clock import ClockStep
from bot.model.delivery import Settlement
from bot.model.health import Role
from bot.model.nodes import Node
from bot.ports import Caller, Channel, Clock, Fetcher, PageParser, Parser, Store
from bot.query.index import Index
from bot.service import logs
from bot.service.app import App
from bot.service.chat_services import build_chat
from bot.service.clock import SystemClock
from bot.service.clock_watch import ClockWatch
from bot.service.feed_trial import agent_of, guard_of, limits_of, worker_limits_of
from bot.service.hubs import Hubs
from bot.service.jobs import Jobs, NetworkWatch
from bot.service.last_good import Rejected
from bot.service.live_config import LiveConfig
from bot.service.measures import Measures
from bot.service.membership import Membership, Signs
from bot.service.monitoring import Monitoring, Watched
from bot.service.page_proposals import PageProposals
from bot.service.service_manager import ServiceManager
from bot.service.story_pages import StoryPages
from bot.service.subscriptions import LiveSubscriptions
from bot.service.telegram_chats import TelegramChats
from bot.service.token_watch import TokenWatch
from bot.service.workers import READERS, Workers
from bot.store.stores import store_of
from bot.telegram.members import TelegramMembers

if TYPE_CHECKING:
    from bot.web.server import WebPage

SITE_CONNECTIONS = 30  #: to sites that people look at, all chats together
OPEN_FILES = 65_536  #: to which the limit of open files is raised where the machine allows it
PRIMED = 1000  #: stored headlines from which the index learns at start which words are rare

log = structlog.stdlib.get_logger("newsbell.app")


def _ignore(_: object) -> None:
    """Nobody watches."""


def _nothing() -> None:
    """Nothing waits for the window."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a node knows that waited for its turn: else a start has to read and compile it."""

    window: WindowReader | None  #: None where it may not be right
    index: Index


@dataclass(slots=True)
class Wiring:
    """What a demo or a test builds otherwise than `newsbell run`."""

    clock: Clock = field(default_factory=SystemClock)
    terminal: Channel = field(default_factory=TerminalChannel)
    chance: Random = field(default_factory=Random)
    parser: Parser | None = None  #: None: worker processes
    documents: int = READERS  #: read at once, if there are so few
    tick: timedelta = timedelta(seconds=1)
    #: networks in which chats may look at feeds besides the public ones
    chat_networks: tuple[str, ...] = ()
    polled: Callable[[list[PollReport]], None] = _ignore
    settled: Callable[[Settlement], None] = _ignore
    warned: Callable[[str], None] = _ignore
    restored: Callable[[], None] = _nothing  #: called when the window of stories was read
    rejected: Rejected | None = None  #: the file, where the configuration is an earlier one
    service_manager: ServiceManager = field(default_factory=ServiceManager)
    node: str = ""  #: who this is, where several machines share the database
    followed: Followed | None = None  #: what this node knows, where another one led before
    version: str = __version__


@dataclass(frozen=True, slots=True)
class _Base:
    """What both pipelines and the chat layer stand on."""

    live: LiveConfig
    store: Store
    index: Index
    subscriptions: LiveSubscriptions
    fetcher: Fetcher
    public_fetcher: Fetcher  #: for feeds that chats added
    site_fetcher: Fetcher  #: for sites that people look at
    parser: Parser
    page_parser: PageParser
    wiring: Wiring
    measures: Measures
    caller: Caller  #: by the way that feeds of the file take
    public_caller: Caller  #: by the way that feeds take which chats added
    access: SourceAccess  #: to channels, pages and sitemaps


@asynccontextmanager
async def open_app(config: Config, wiring: Wiring | None = None) -> AsyncIterator[App]:
    """Open the store, build everything on it, close it at the end.

    Raises StoreError, and StoreBusy where another process has the database.
    """
    wiring = wiring or Wiring()
    _prepare_libraries()
    async with AsyncExitStack() as stack:
        workers = Workers(worker_limits_of(config, wiring.documents))
        stack.callback(workers.close)
        store, signs = await _store(config, wiring, stack)
        base = await _base(config, store, workers, wiring, stack)
        bot = await _bot(config, base.measures, stack)
        network = NetworkWatch()
        deliverer = await _deliverer(base, bot, stack)
        committer = _committer(base)
        hubs = _hubs(base)
        committed = _committed(base, deliverer, network, hubs)
        poller = _poller(base, committer, committed, hubs)
        monitoring = Monitoring(_watched(base, poller, committer, deliverer, workers))
        telegram = _telegram(base, bot, monitoring, stack) if bot else None
        page = _web(base, telegram, monitoring, hubs) if config.settings.web.listen else None

        def clock_set(step: ClockStep) -> None:
            deliverer.clock_set(step)
            poller.tick()

        watch = ClockWatch(store.admin, wiring.clock, clock_set)

        def token_refused() -> bool:
            return deliverer.token_refused or bool(telegram and telegram.listener.token_refused)

        token = TokenWatch(token_refused, store.admin, wiring.clock, wiring.warned, deliverer.wake)
        jobs = Jobs(
            base.live,
            store,
            poller,
            deliverer,
            workers,
            network,
            wiring.clock,
            clock_watch=watch,
            token_watch=token,
            measures=base.measures,
            pages=_pages(base, committer, deliverer),
        )
        membership = _membership(base, signs, committer, committed) if signs else None
        committer.clock_is_behind(await watch.start())
        await _restore(base, deliverer)
        yield App(
            monitoring=monitoring,
            subscriptions=base.subscriptions,
            jobs=jobs,
            telegram=telegram,
            web=page,
            hubs=hubs,
            tick=wiring.tick,
            rematch=committer.rematch,
            membership=membership,
        )


def _watched(
    base: _Base,
    poller: Poller,
    committer: BatchCommitter,
    deliverer: Deliverer,
    workers: Workers,
) -> Watched:
    return Watched(
        live=base.live,
        store=base.store,
        clock=base.wiring.clock,
        poller=poller,
        committer=committer,
        deliverer=deliverer,
        workers=workers,
        measures=base.measures,
        caller=base.caller,
        service_manager=base.wiring.service_manager,
        role=Role.LEADS if base.wiring.node else None,
    )


def _prepare_libraries() -> None:
    """Settings of libraries that only the whole process can have."""
    if not structlog.is_configured():
        logs.use_standard_logging()
    allow_open_files()


def allow_open_files() -> None:
    """Raise the limit of open files as far as it may be: the usual 1,024 are few for connections.

    What newsbell starts inherits it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _store(
    config: Config, wiring: Wiring, stack: AsyncExitStack
) -> tuple[Store, Signs | None]:
    """Open the store. Where others share it, give signs of life from then on."""
    store = await stack.enter_async_context(store_of(config.database, wiring.node))
    if not wiring.node:
        return store, None
    node = Node(wiring.node, wiring.version, wiring.clock.now(), config.content)
    signs = Signs(store.nodes, node, wiring.clock)
    return store, await stack.enter_async_context(signs.given())


async def _base(
    config: Config, store: Store, workers: Workers, wiring: Wiring, stack: AsyncExitStack
) -> _Base:
    network = config.settings.network
    ports, nat64 = network.ports, [IPv6Network(prefix) for prefix in network.nat64]
    guard, limits, agent = guard_of(config), limits_of(config), agent_of(config)
    public_guard = UrlGuard([ip_network(address) for address in wiring.chat_networks], ports, nat64)
    site_limits = replace(limits, connections=SITE_CONNECTIONS)
    clock, enter = wiring.clock, stack.enter_async_context
    proxy = config.proxies.network
    fetcher = await enter(open_client(guard, limits, clock, agent, proxy=proxy))
    public_fetcher = await enter(
        open_client(public_guard, limits, clock, agent, discreet=True, proxy=proxy)
    )
    site_fetcher = await enter(
        open_client(public_guard, site_limits, clock, agent, discreet=True, proxy=proxy)
    )
    live = LiveConfig(config, guard, wiring.rejected)
    access = SourceAccess.of(clock, live.sources, live.spacing, mirror=fetcher)
    live.take_delays(access.rules.delay)
    index = wiring.followed.index if wiring.followed else await new_index(config, store)
    subscriptions = LiveSubscriptions(store, index, live, wiring.clock)
    return _Base(
        live,
        store,
        index,
        subscriptions,
        fetcher,
        public_fetcher,
        site_fetcher,
        wiring.parser or workers,
        wiring.parser if isinstance(wiring.parser, Workers) else workers,
        wiring,
        Measures(clock),
        fetcher,
        public_fetcher,
        access,
    )


async def new_index(config: Config, store: Store) -> Index:
    """Return an index without subscriptions, which knows the words of the newest articles."""
    index = Index(config.names, await store.polls.languages())
    index.prime(await store.polls.recent(PRIMED))
    return index


async def _bot(config: Config, measures: Measures, stack: AsyncExitStack) -> Bot | None:
    """Return the bot; None where no token is set."""
    if not config.token:
        return None
    token, api = config.token.get_secret_value(), config.settings.telegram.api
    return await stack.enter_async_context(
        open_bot(token, api, config.proxies.telegram, measures.telegram_answered)
    )


async def _deliverer(base: _Base, bot: Bot | None, stack: AsyncExitStack) -> Deliverer:
    wiring, live = base.wiring, base.live
    client = await stack.enter_async_context(open_service_client(live.config.proxies.network))
    channels: dict[ChatKind, Channel] = {
        ChatKind.TERMINAL: wiring.terminal,
        **service_channels(client, live.destination, wiring.clock),
    }
    if bot:
        channels[ChatKind.TELEGRAM] = TelegramChannel(bot)

    def settled(settlement: Settlement) -> None:
        base.measures.settled(settlement)
        wiring.settled(settlement)

    public = base.live.settings.web.public if base.live.settings.web.listen else None
    pages = StoryPages(base.store.web, public or "")
    return Deliverer(
        base.store.deliveries,
        channels,
        wiring.clock,
        base.live.translator_of,
        settled,
        pages.address,
        is_shared=bool(wiring.node),
    )


def _committer(base: _Base) -> BatchCommitter:
    live, followed = base.live, base.wiring.followed
    return BatchCommitter(
        base.store.polls,
        base.wiring.clock,
        base.wiring.chance,
        index=base.index,
        publisher_groups=live.publisher_groups,
        grouping=base.subscriptions.grouping,
        developments=base.subscriptions.developments,
        updates=base.subscriptions.updates,
        restored=base.wiring.restored,
        followed=followed.window if followed else None,
    )


def _hubs(base: _Base) -> Hubs | None:
    """Build what agrees with hubs; None where they could not call."""
    web = base.live.settings.web
    if web.listen is None or web.public is None:
        return None
    return Hubs(base.store, base.public_caller, base.wiring.clock, web.public)


def _committed(
    base: _Base, deliverer: Deliverer, network: NetworkWatch, hubs: Hubs | None
) -> Callable[[list[PollReport]], None]:
    """Return what is told of the polls that were committed."""

    def committed(reports: list[PollReport]) -> None:
        _log_notices(reports)
        if any(_fills_outbox(report) for report in reports):
            deliverer.wake()
        network.note(reports)
        base.measures.polled(reports)
        if hubs:
            hubs.polled(reports)
        base.wiring.polled(reports)

    return committed


def _poller(
    base: _Base,
    committer: BatchCommitter,
    committed: Callable[[list[PollReport]], None],
    hubs: Hubs | None,
) -> Poller:
    live, clock = base.live, base.wiring.clock
    reader = FeedReader(
        base.fetcher,
        base.public_fetcher,
        base.parser,
        clock,
        headers=live.headers,
        access=base.access,
    )
    poller = Poller(
        base.store.polls,
        clock,
        reader,
        committer,
        committed,
        live.spacing,
        base.measures.commit.add,
    )
    if hubs:
        hubs.poll = poller.tick
    return poller


def _membership(
    base: _Base,
    signs: Signs,
    committer: BatchCommitter,
    committed: Callable[[list[PollReport]], None],
) -> Membership:
    live = base.live
    signs.digest = lambda: live.config.content
    intake = Intake(base.store.nodes, committer, committed, base.wiring.version)
    return Membership(base.store.nodes, base.store.requests, signs, intake)


def _pages(base: _Base, committer: BatchCommitter, deliverer: Deliverer) -> ArticlePages:
    return ArticlePages(
        base.store.pages,
        base.wiring.clock,
        Fetchers(base.fetcher, base.public_fetcher),
        base.access,
        base.page_parser,
        committer,
        deliverer.wake,
    )


def _fills_outbox(report: PollReport) -> bool:
    commit = report.commit
    return bool(commit.alerts or commit.alert_revisions or commit.growths or commit.notices)


def _log_notices(reports: list[PollReport]) -> None:
    for report in reports:
        for notice in report.commit.notices:
            log.debug(
                "feed_notice",
                feed_id=report.commit.feed_id,
                feed=report.feed,
                text=notice.text.replace("\n", " "),
            )


def _telegram(
    base: _Base, bot: Bot, monitoring: Monitoring, stack: AsyncExitStack
) -> TelegramChats:
    """Build the chat layer on Telegram."""
    live, store, clock = base.live, base.store, base.wiring.clock
    members = TelegramMembers(bot)
    sites = SiteFinder(base.site_fetcher, base.parser, clock, base.access)
    proposals = PageProposals(base.site_fetcher, base.page_parser, base.access, clock)
    dispatcher = build_chat(
        live,
        store,
        base.subscriptions,
        members,
        sites,
        clock,
        monitoring.health.look,
        proposals=proposals,
    )
    telegram = TelegramChats(
        bot=bot,
        members=members,
        dispatcher=dispatcher,
        live=live,
        store=store,
        subscriptions=base.subscriptions,
        clock=clock,
        poll=monitoring.watched.poller.tick,
        deliver=monitoring.watched.deliverer.wake,
    )
    stack.push_async_callback(telegram.tasks.cancel)
    return telegram


def _web(
    base: _Base, telegram: TelegramChats | None, monitoring: Monitoring, hubs: Hubs | None
) -> "WebPage | None":
    """Build the web page."""
    # The server and its templates are for those who have a page.
    from bot.service.web_services import build_web  # noqa: PLC0415

    return build_web(
        base.live,
        base.store,
        base.subscriptions,
        telegram.members if telegram else None,
        base.wiring.clock,
        monitoring.health.look,
        hubs.tell if hubs else _ignore,
    )


async def _restore(base: _Base, deliverer: Deliverer) -> None:
    """Bring the store up to the configuration, and the parts up to the store."""
    store, now = base.store, base.wiring.clock.now()
    if base.wiring.node:
        await store.nodes.release_of_gone()
    else:
        await store.polls.release_feeds()
    config, source = base.live.config, None if base.live.rejected else base.live.source()
    for change in await store.config.sync(config.declared, now, source):
        log.debug("config_changed", change=change)
    await base.subscriptions.refresh()
    interrupted = await deliverer.recover()
    if interrupted:
        log.warning(
            "deliveries_interrupted",
            deliveries=interrupted,
            effect="alerts among them are sent again, marked (repeat)",
        )
