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
