"""Run a newsbell that `build` made, reload it, stop it. Decides nothing about feeds or messages."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta

from telegram import Bot

from bot.config.load import Config
from bot.delivery.deliverer import Deliverer
from bot.feeds.poller import Poller
from bot.model.stories import Grouping
from bot.ports import Clock, Store
from bot.service.control import control
from bot.service.jobs import SEARCH_BATCHES_ONCE, Jobs
from bot.service.live_config import LiveConfig
from bot.service.reload import Reloader
from bot.service.scheduler import scheduler
from bot.service.subscriptions import LiveSubscriptions
from bot.service.telegram_chats import TelegramChats
from bot.service.workers import Workers
from bot.telegram.listener import Listener

PATIENCE = 35.0  #: seconds for polls and sends under way when newsbell is stopped
PATIENCE_ONCE = timedelta(seconds=60)  #: for what may not be sent at once in a single run


class App:
    """A newsbell, built and open. Made by `build.open_app`."""

    def __init__(
        self,
        *,
        live: LiveConfig,
        store: Store,
        subscriptions: LiveSubscriptions,
        poller: Poller,
        deliverer: Deliverer,
        jobs: Jobs,
        workers: Workers,
        telegram: TelegramChats | None,
        clock: Clock,
        tick: timedelta,
    ) -> None:
        """`telegram` is None where no token is set; `tick` is between two looks for due feeds."""
        self.live, self.store, self.clock = live, store, clock
        self.poller, self.deliverer, self.jobs = poller, deliverer, jobs
        self.subscriptions, self.telegram = subscriptions, telegram
        self.workers = workers
        self.reloader = Reloader(live, store, subscriptions, clock, self._wake)
        self._tick = tick
        self._stop = asyncio.Event()

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Poll, deliver and reply until `stop`; `started` is called once all of it runs."""
        async with (
            control(self.config.database, self.change_outbox),
            scheduler(self.jobs.schedule(self._tick)),
            asyncio.TaskGroup() as group,
        ):
<<<<<<< HEAD
            polling = group.create_task(self.poller.run())
            delivering = group.create_task(self.deliverer.run())
            helpers = [group.create_task(self.reloader.watch())]
            if self.telegram:
                helpers.append(group.create_task(self.telegram.run()))
            started()
            await self._stop.wait()
            self.poller.stop()
            for helper in helpers:
                helper.cancel()
            await _finish(polling)
            self.deliverer.stop()
            await _finish(delivering)
=======
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
        for number, _ in enumerate(changes, 1):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
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
                Message(translator.gettext("Something went wrong in newsbell; see its log.")),
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
>>>>>>> 22e9275 (Say in plain English what queries, alerts and explanations say)

    async def run_once(self) -> None:
        """Poll every feed, deliver, return."""
        await self.store.polls.make_due(self.clock.now())
        await self.poller.run_once()
        await self.jobs.release_pending()
        await self.deliverer.run_once(timedelta(0) if self._stop.is_set() else PATIENCE_ONCE)
        await self.jobs.fill_search(SEARCH_BATCHES_ONCE)

    def stop(self) -> None:
        """End `run` or `run_once` after what is under way."""
        self._stop.set()
        self.poller.stop()

    async def reload(self) -> None:
        """Read the configuration file again; a faulty one changes nothing."""
        await self.reloader.reload()

    async def claim_link(self) -> str | None:
        """Return a link that makes whoever opens it first the operator; None where none is due."""
        return await self.telegram.claim_link() if self.telegram else None

    async def change_outbox(self, action: str, ids: tuple[int, ...]) -> int:
        """Retry or drop deliveries for the command line; return how many."""
        admin = self.store.admin
        count = await (admin.retry(ids) if action == "retry" else admin.drop(ids, self.clock.now()))
        self.deliverer.wake()
        return count

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.live.config

    @property
    def bot(self) -> Bot | None:
        """The bot, where a token is set."""
        return self.telegram.bot if self.telegram else None

    @property
    def listener(self) -> Listener | None:
        """What takes updates, where a token is set."""
        return self.telegram.listener if self.telegram else None

    def grouping(self, chat_id: int) -> Grouping:
        """Return how widely articles are grouped into one alert of the chat."""
        return self.subscriptions.grouping(chat_id)

    def _wake(self) -> None:
        self.poller.tick()
        self.deliverer.wake()


async def _finish(task: "asyncio.Task[None]") -> None:
    """Let a pipeline end, for a while; what it leaves is taken up at the next start."""
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if not done:
        task.cancel()


def stop_on_signals(app: App) -> None:
    """Let SIGINT and SIGTERM end the run in order; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        app.stop()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
