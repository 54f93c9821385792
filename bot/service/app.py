"""The one place that builds, wires, runs and closes everything. Decides nothing about feeds or messages."""

import asyncio
import os
import secrets as random_secrets
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from random import Random
from typing import Self
from zoneinfo import ZoneInfo

import structlog
import yaml
from structlog.contextvars import bind_contextvars
from telegram import Bot
from telegram.error import TelegramError
from watchfiles import awatch

from bot import __version__
from bot.chart.process import drawn
from bot.chart.trend import Trend
from bot.chat.access import Access
from bot.chat.context import Context
from bot.chat.dispatcher import Actions, Rules
from bot.chat.handlers.feeds import FeedQuota
from bot.chat.handlers.search import FOUND, SEARCH_DAYS
from bot.chat.handlers.trends import Days
from bot.chat.router import ChatServices, build_routes
from bot.config.load import Config, load
from bot.config.schema import Quotas
from bot.delivery.channels.telegram import TelegramChannel, bot
from bot.delivery.channels.terminal import TerminalChannel
from bot.delivery.deliverer import Deliverer
from bot.errors import ConfigError, Mistake, QueryError, StoreError
from bot.feeds.batch import BatchCommitter
from bot.feeds.discovery import SiteFinder
from bot.feeds.feed_reader import FeedReader
from bot.feeds.poller import Poller, PollReport
from bot.feeds.yielding import yielding
from bot.fetch.client import Limits, open_client, user_agent
from bot.fetch.url_guard import UrlGuard
from bot.i18n.catalog import LANGUAGES, Catalogs, Translator
from bot.model.chat_events import Incoming, Reply, Screen
from bot.model.chats import Chat, ChatKind, ChatSettings
from bot.model.delivery import DeliveryState, Settlement
from bot.model.feeds import Failure
from bot.model.message import Message
from bot.model.status import Status
from bot.model.stories import Grouping
from bot.names.pattern import compile_name
from bot.ports import Channel, Clock, Parser
from bot.query.index import Index
from bot.query.parser import parse
from bot.query.tree import Node
from bot.search.backtest import Forecast, Hit, backtest, daily_counts, search
from bot.search.export import export_config
from bot.service import logs
from bot.service.clock import SystemClock
from bot.service.control import control
from bot.service.scheduler import Job, scheduler
from bot.service.workers import WorkerLimits, Workers
from bot.store.sqlite import SqliteStore
from bot.stories.publishers import PublisherGroups
from bot.telegram import menu
from bot.telegram.listener import Listener
from bot.telegram.members import TelegramMembers
from bot.telegram.webhook import Webhook, WebhookAddress

OFFLINE = frozenset({Failure.DNS, Failure.CONNECT})  #: failures that an absent network causes
SEARCH_BATCHES = 10  #: of new entries taken into the search at a time
SEARCH_ONCE = 1000  #: the same at the end of a single run
SEARCH_PAUSE = 0.05  #: seconds between two batches for the search, so that polls get their turn
PRIMED = 1000  #: stored headlines from which the index learns at start which words are rare
CHARTS = 2  #: pictures that are drawn at a time
CLAIM_LASTS = timedelta(hours=24)
MENU_PAUSE = (
    600.0  #: seconds before the commands are offered again to a Telegram that did not take them
)
PATIENCE = 35.0  #: seconds for polls and sends under way when newsbell is stopped

log = structlog.stdlib.get_logger("newsbell.app")


def _unwatched(_: object) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Wiring:
    """What a demo or a test builds otherwise than `newsbell run`."""

    clock: Clock = field(default_factory=SystemClock)
    terminal: Channel = field(default_factory=TerminalChannel)
    chance: Random = field(default_factory=Random)
    parser: Parser | None = None  #: None: worker processes
    tick: timedelta = timedelta(seconds=1)
    polled: Callable[[list[PollReport]], None] = _unwatched
    settled: Callable[[Settlement], None] = _unwatched
    ready: Callable[["App"], None] = _unwatched


class App:
    """A newsbell, built and open. Made by `app()`."""

    def __init__(
        self, config: Config, wiring: Wiring, store: SqliteStore, workers: Workers
    ) -> None:
        self.config = config
        self.store = store
        self.workers = workers
        self._wiring = wiring
        self.clock = wiring.clock
        self._stop = asyncio.Event()
        self.bot: Bot | None = None
        self.poller: Poller
        self.deliverer: Deliverer
        self.listener: Listener | None = None
        self._network_back = False
        self._works: set[asyncio.Task[None]] = set()
        self._catalogs = Catalogs()
        self._charts = asyncio.Semaphore(CHARTS)
        self.index: Index

    async def build(self, stack: AsyncExitStack) -> Self:
        """Make the rooms and join them."""
        config, wiring, settings = self.config, self._wiring, self.config.settings
        self._url_guard = UrlGuard(
            [ip_network(one) for one in settings.network.allow], settings.network.ports
        )
        limits = Limits(settings.limits.deadline, settings.limits.body * 1024 * 1024)
        agent = user_agent(__version__, settings.contact, len(config.declared.chats))
        fetcher = await stack.enter_async_context(
            open_client(self._url_guard, limits, wiring.clock, agent)
        )
        channels: dict[ChatKind, Channel] = {ChatKind.TERMINAL: wiring.terminal}
        if config.token:
            self.bot = await stack.enter_async_context(
                bot(config.token.get_secret_value(), settings.telegram.api)
            )
            channels[ChatKind.TELEGRAM] = TelegramChannel(self.bot)
            members = TelegramMembers(self.bot)
            sites = SiteFinder(fetcher, wiring.parser or self.workers, self.clock)
            self._actions = Actions(
                self.store.chats,
                self.clock,
                members,
                self._translator,
                self._rules,
                build_routes(self._services(members, sites)),
            )
            self.listener = Listener(self.bot, members, self.store.chats.last_update, self._handle)
            stack.push_async_callback(self._end_works)
        self.deliverer = Deliverer(
            self.store.deliveries, channels, self.clock, self._translator_of, wiring.settled
        )
        self.index = Index(config.names, await self.store.polls.languages())
        self.index.prime(await self.store.polls.recent(PRIMED))
        reader = FeedReader(
            fetcher,
            wiring.parser or self.workers,
            self.clock,
            spacing=self._spacing,
            headers=self._headers,
        )
        committer = BatchCommitter(
            self.store.polls,
            self.clock,
            wiring.chance,
            index=self.index,
            publisher_groups=lambda: self._publisher_groups,
            grouping=self.grouping,
        )
        self.poller = Poller(self.store.polls, self.clock, reader, committer, self._committed)
        self._publisher_groups = PublisherGroups(config.publisher_groups)
        await self.store.polls.release_feeds()
        changes = await self.store.config.sync(config.declared, self.clock.now())
        await self._use_subscriptions()
        for change in changes:
            log.debug("config_changed", change=change)
        await committer.restore()
        left = await self.deliverer.recover()
        if left:
            log.warning(
                "deliveries_interrupted",
                deliveries=left,
                effect="alerts among them are sent again, marked (repeat)",
            )
        return self

    def _services(self, members: TelegramMembers, sites: SiteFinder) -> ChatServices:
        """What the rooms of the chat work with."""
        quotas = self._quotas
        return ChatServices(
            store=self.store.chats,
            archive=self.store.archive,
            stories=self.store.archive,
            members=members,
            sites=sites,
            names=self._names,
            translator=self._translator,
            grouping=self.grouping,
            forecast=self._forecast,
            search=self._look_up,
            counted=self._counted,
            drawn=self._drawn,
            status=self._status,
            overview=self.store.admin.status,
            dead=lambda: self.store.admin.outbox((DeliveryState.DEAD,)),
            yaml_of=self._yaml_of,
            subscriptions=lambda: quotas().subscriptions,
            feeds=lambda: FeedQuota(quotas().feeds, quotas().hosts_an_hour),
        )

    def _quotas(self) -> Quotas:
        return self.config.settings.quotas

    def _rules(self) -> Rules:
        return Rules(Access(self.config.settings.access), self._quotas().commands_a_minute)

    def _translator(self, settings: ChatSettings) -> Translator:
        """How one with these settings is spoken to."""
        ours = self.config.settings
        return Translator(
            ZoneInfo(settings.zone or ours.timezone),
            self._catalogs.of(settings.language or ours.language),
        )

    def _translator_of(self, chat: Chat) -> Translator:
        return self._translator(chat.settings)

    async def _forecast(self, tree: Node, feeds: Sequence[str] = ()) -> Forecast:
        """What a query would have rung this week. In a thread of its own, for it reads many entries."""
        return await asyncio.to_thread(
            backtest, tree, self.store.archive, self.clock.now(), feeds=feeds, zone=self._zone()
        )

    async def _counted(self, tree: Node, days: int, context: Context) -> Days:
        """Stories and publishers day by day. In a thread of its own, as above."""
        return await asyncio.to_thread(
            daily_counts,
            tree,
            self.store.archive,
            self.clock.now(),
            days,
            zone=context.translator.zone,
        )

    async def _drawn(self, days: Days, context: Context) -> bytes:
        """The picture of such counts."""
        translator = context.translator
        trend = Trend(
            str(context.translator.zone),
            days,
            "",
            translator.gettext("stories"),
            translator.gettext("publishers"),
        )
        async with self._charts:
            return await drawn(trend, dark=True)

    async def _yaml_of(self, chats: Sequence[int]) -> str:
        """What these chats subscribed to, as the file would have it; empty for nothing."""
        made = [
            one
            for one in await self.store.polls.subscriptions()
            if not one.declared and not set(one.chats).isdisjoint(chats)
        ]
        if not made:
            return ""
        archive = self.store.archive
        places, feeds = await asyncio.to_thread(
            lambda: (archive.chat_addresses(), archive.added_feeds(chats))
        )
        return yaml.safe_dump(
            export_config(made, places, feeds), allow_unicode=True, sort_keys=False
        )

    async def _look_up(self, tree: Node) -> list[Hit]:
        """The newest stored articles that match. In a thread of its own, as above."""
        since = self.clock.now() - timedelta(days=SEARCH_DAYS)
        return await asyncio.to_thread(
            lambda: list(islice(search(tree, self.store.archive, since=since), FOUND))
        )

    async def _status(self) -> Status:
        """What a chat may be told; it names no chat, and reading all of them would take long."""
        return await self.store.admin.status(brief=True)

    def _zone(self) -> tzinfo:
        return ZoneInfo(self.config.settings.timezone)

    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return self.config.names

    def _headers(self, url: str) -> Mapping[str, str]:
        return self.config.headers.get(url, {})

    def _spacing(self, host: str) -> timedelta:
        """Strangers are spaced out; what the operator's own network serves needs no such care."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        return (
            timedelta(0)
            if self._url_guard.is_exempt(name.strip("[]"))
            else self.config.settings.network.spacing
        )

    def _committed(self, reports: list[PollReport]) -> None:
        for report in reports:
            for notice in report.commit.notices:
                log.debug(
                    "feed_notice",
                    feed_id=report.commit.feed_id,
                    feed=report.feed,
                    text=notice.text.replace("\n", " "),
                )
        if any(
            report.commit.alerts
            or report.commit.alert_revisions
            or report.commit.growths
            or report.commit.notices
            for report in reports
        ):
            self.deliverer.wake()
        if any(report.failure is None and report.before in OFFLINE for report in reports):
            self._network_back = True
        self._wiring.polled(reports)

    def grouping(self, chat_id: int) -> Grouping:
        """What one alert of the chat is for."""
        return self._groupings.get(chat_id) or Grouping(self.config.settings.stories)

    async def _use_subscriptions(self, chat_id: int | None = None) -> None:
        """Compile what is subscribed, or what changed of it; polls go on meanwhile. A query that cannot be read any more stops no other."""
        self._groupings = await self.store.polls.groupings()
        known = set(self.index.broken)
        changes = self.index.synchronize(
            await self.store.polls.subscriptions(chat_id), self.config.names, chat_id
        )
        async for _ in yielding(changes):
            pass
        for subscription, error in (
            self.index.broken[one] for one in self.index.broken.keys() - known
        ):
            log.error(
                "subscription_broken",
                subscription_id=subscription.id,
                query=subscription.query,
                error=error.message,
                effect="it sends no alerts",
            )

    async def _handle(self, update: Incoming) -> str:
        if (
            "~" in update.text
        ):  # the first name of a process reads the gazetteer: seconds in which polls go on
            await asyncio.to_thread(compile_name, "Kyiv")
        handled = await self._actions.handle(update)
        if handled.changed:
            await self._use_subscriptions(handled.chat_id)
            self.poller.tick()
        if handled.busy:
            await self._take_up_works()
        self.deliverer.wake()
        return handled.toast

    async def _take_up_works(self) -> None:
        """Do what screens say is being done, also what a process that is gone began."""
        under_way = {task.get_name() for task in self._works}
        for chat_id, user_id, screen in await self.store.chats.busy_screens():
            name = f"screen {screen.id}"
            if name not in under_way:
                task = asyncio.create_task(self._work(chat_id, user_id, screen), name=name)
                self._works.add(task)
                task.add_done_callback(self._works.discard)

    async def _work(self, chat_id: int, user_id: int, screen: Screen) -> None:
        bind_contextvars(screen_id=screen.id)  # the task has a context of its own
        try:
            await self._actions.work(chat_id, screen, user_id)
        except StoreError as error:
            log.error("screen_task_failed", error=str(error), will_retry="on_restart")
        except Exception:  # one that trips over our own mistake must not be begun anew for ever
            log.exception("screen_task_failed", will_retry="never")
            translator = self._translator(ChatSettings())
            reply = Reply(
                Message(translator.gettext("newsbell itself failed at this; its log says how.")),
                screen=Screen(screen.name),
            )
            await self.store.chats.finish(chat_id, user_id, screen, reply, self.clock.now())
        self.deliverer.wake()

    async def works_done(self) -> None:
        """Until nothing is worked on that screens wait for."""
        while self._works:
            await asyncio.wait(set(self._works))

    async def _end_works(self) -> None:
        """What is not done by now is taken up at the next start."""
        for task in self._works:
            task.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    async def reload(self) -> None:
        """Take the configuration file in again; a faulty one changes nothing."""
        try:
            fresh = await self._checked()
        except ConfigError as error:
            log.error(
                "config_rejected",
                file=self.config.path.name,
                effect="the old settings stay",
                error=str(error),
            )
            return
        before, after = self.config.settings, fresh.settings
        changes = await self.store.config.sync(fresh.declared, self.clock.now())
        if fresh.names != self.config.names:
            changes.append("names changed")
        self.config = fresh
        self._publisher_groups = PublisherGroups(fresh.publisher_groups)
        logs.keep_secret(value for headers in fresh.headers.values() for value in headers.values())
        await self._use_subscriptions()
        if before != after:
            changes.append(
                "settings changed (timezone, spacing and admins apply now, the others after a restart)"
            )
        log.info(
            "config_reloaded", file=fresh.path.name, changes="; ".join(changes) or "no changes"
        )
        self.poller.tick()
        self.deliverer.wake()

    async def _checked(self) -> Config:
        """The file as it is now; raises ConfigError, also where a chat's query needs a list that it no longer has."""
        fresh = await asyncio.to_thread(
            load, self.config.path
        )  # a large file takes seconds, and polls go on
        stored = [one for one in await self.store.polls.subscriptions() if not one.declared]
        broken = [problem for one in stored if (problem := _unreadable(one.query, fresh.names))]
        if broken:
            texts = (
                f"a chat still subscribes to {error.query!r}: {error.message}" for error in broken
            )
            raise ConfigError(
                fresh.path.name, tuple(Mistake(1, 1, "names", text) for text in texts)
            )
        return fresh

    async def run_once(self) -> None:
        """Poll every feed, deliver, return."""
        await self.store.polls.make_due(self.clock.now())
        await self.poller.run_once()
        await self.release_pending()
        await self.deliverer.run_once(
            timedelta(0) if self._stop.is_set() else timedelta(seconds=60)
        )
        await self._search(batches=SEARCH_ONCE)

    async def run(self) -> None:
        """Poll, deliver and answer until `stop`."""
        hour, minute = timedelta(hours=1), timedelta(minutes=1)
        jobs: dict[str, tuple[timedelta, Job]] = {
            "poll": (self._wiring.tick, self.poller.tick),
            "network": (self._wiring.tick, self._hurry),
            "rest": (minute, self._rest),
            "search": (timedelta(seconds=2), self._search),
            "held": (timedelta(seconds=5), self.release_pending),
            "prune": (6 * hour, self._prune),
        }
        async with (
            control(self.config.database, self._controlled),
            scheduler(jobs),
            asyncio.TaskGroup() as group,
        ):
            polling = group.create_task(self.poller.run())
            delivering = group.create_task(self.deliverer.run())
            helpers = [group.create_task(self._watch())]
            if self.listener and self.bot:
                await self._take_up_works()
                address = self._webhook()
                listening = (
                    Webhook(self.bot, self.listener, address).run()
                    if address
                    else self.listener.run()
                )
                helpers.append(group.create_task(listening))
                helpers.append(group.create_task(self._offer_commands(self.bot)))
            self._wiring.ready(self)
            await self._stop.wait()
            self.poller.stop()
            for helper in helpers:
                helper.cancel()
            await _ended(polling)
            self.deliverer.stop()
            await _ended(delivering)

    def stop(self) -> None:
        """End `run` or `run_once` after what is under way."""
        self._stop.set()
        self.poller.stop()

    def _webhook(self) -> WebhookAddress | None:
        """Where Telegram is to call; None where newsbell asks."""
        hook = self.config.settings.telegram.webhook
        if hook is None:
            return None
        host, _, port = hook.listen.rpartition(":")
        return WebhookAddress(hook.url, host, int(port), self.config.webhook_secret)

    async def _offer_commands(self, made: Bot) -> None:
        """Tell Telegram the commands in all languages."""
        voices = [Translator(self._zone(), self._catalogs.of(language)) for language in LANGUAGES]
        while True:
            if await menu.register(made, voices):
                return
            await asyncio.sleep(MENU_PAUSE)

    async def claim_link(self) -> str | None:
        """A single-use link that makes whoever opens it the operator; None where there is one, or no bot."""
        if self.bot is None or await self.store.chats.has_admin():
            return None
        try:
            me = await self.bot.get_me()
        except TelegramError as error:
            log.warning(
                "claim_link_unavailable",
                error=type(error).__name__,
                hint="Telegram does not answer for this token; restart newsbell to try again",
            )
            return None
        token = random_secrets.token_urlsafe(24)
        await self.store.chats.make_claim(token, self.clock.now() + CLAIM_LASTS)
        return f"https://t.me/{me.username}?start={token}"

    async def _hurry(self) -> None:
        """The network is back: what failed for want of one need not wait for its later try."""
        if self._network_back:
            self._network_back = False
            try:
                await self.store.polls.hurry(OFFLINE, self.clock.now(), share=0.5)
            except StoreError as error:
                log.error("hurry_failed", error=str(error))
            self.poller.tick()

    def _rest(self) -> None:
        self.workers.rest(asyncio.get_running_loop().time())

    async def release_pending(self) -> None:
        """Alerts that waited for publishers long enough go out."""
        try:
            if await self.store.polls.release_pending(self.clock.now()):
                self.deliverer.wake()
        except StoreError as error:
            log.error("release_pending_failed", error=str(error))

    async def _search(self, batches: int = SEARCH_BATCHES) -> None:
        """Take new entries into the search. Trouble with it holds up nothing: what it does not know is looked at one by one."""
        try:
            for _ in range(batches):
                if not await self.store.search.fill():
                    break
                await asyncio.sleep(SEARCH_PAUSE)
        except StoreError as error:
            log.error("search_index_failed", error=str(error))

    async def _prune(self) -> None:
        try:
            await self.store.admin.prune(self.clock.now())
            await self.store.search.renew()
        except StoreError as error:
            log.error("prune_failed", error=str(error))

    async def _watch(self) -> None:
        path = self.config.path.resolve()
        async for _ in awatch(
            path.parent, watch_filter=lambda _, name: Path(name) == path, recursive=False, step=200
        ):
            try:
                await self.reload()
            except StoreError as error:
                log.error("reload_failed", error=str(error))

    async def _controlled(self, do: str, ids: tuple[int, ...]) -> int:
        operator = self.store.admin
        count = await (
            operator.retry(ids) if do == "retry" else operator.drop(ids, self.clock.now())
        )
        self.deliverer.wake()
        return count


def _unreadable(query: str, names: Mapping[str, tuple[str, ...]]) -> QueryError | None:
    try:
        parse(query, names)
    except QueryError as error:
        return error
    return None


async def _ended(task: "asyncio.Task[None]") -> None:
    """Let a corridor come to its end, for a while; what it leaves is taken up at the next start."""
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if not done:
        task.cancel()


@asynccontextmanager
async def app(config: Config, wiring: Wiring | None = None) -> AsyncIterator[App]:
    """Open the store, build everything on it, close it at the end. Raises StoreError and StoreBusy."""
    os.environ.setdefault(
        "PTB_TIMEDELTA", "1"
    )  # python-telegram-bot: waits as timedelta, the form it announces for good
    wiring = wiring or Wiring()
    limits = config.settings.limits
    workers = Workers(WorkerLimits(limits.parse.total_seconds(), limits.memory * 1024 * 1024))
    async with AsyncExitStack() as stack:
        stack.callback(workers.close)
        store = await stack.enter_async_context(SqliteStore(config.database))
        yield await App(config, wiring, store, workers).build(stack)


def stop_on_signals(made: App) -> None:
    """SIGINT and SIGTERM end the run in order; a second one at once."""
    loop = asyncio.get_running_loop()

    def asked(number: int) -> None:
        made.stop()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)
