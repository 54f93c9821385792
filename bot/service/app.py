"""Run a newsbell that `build` made, reload it, stop it. Decides nothing about feeds or messages."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from telegram import Bot

from bot.config.load import Config
from bot.delivery.deliverer import Deliverer
from bot.errors import ActionRefused
from bot.feeds.poller import Poller
from bot.model.stories import Grouping
from bot.ports import Clock, Store
from bot.service.control import (
    ASK_HOSTS,
    FEED_REQUESTS,
    FORGET,
    OUTBOX_REQUESTS,
    answer_to,
    control,
)
from bot.service.hubs import Hubs
from bot.service.jobs import SEARCH_BATCHES_ONCE, Jobs
from bot.service.live_config import LiveConfig
from bot.service.membership import Membership
from bot.service.monitoring import Monitoring
from bot.service.reload import Reloader, rejected_text
from bot.service.scheduler import Job, scheduler
from bot.service.subscriptions import LiveSubscriptions
from bot.service.supervisor import Part, Supervisor
from bot.service.telegram_chats import TelegramChats
from bot.service.watchdog import loop_watch
from bot.service.web_requests import change_web
from bot.telegram.listener import Listener

if TYPE_CHECKING:  # the server is for those who have a page
    from bot.web.server import WebPage

# How long what is under way may take when newsbell is stopped, in seconds. A poll that is cut off
# is made again at the next start; a send that is cut off may come twice, so it gets its full time.
POLL_PATIENCE = 5.0
SEND_PATIENCE = 35.0
SOON = 1.0  #: seconds in which a stop needs no word
PATIENCE_ONCE = timedelta(seconds=60)  #: for what may not be sent at once in a single run

log = structlog.stdlib.get_logger("newsbell.app")


class App:
    """A newsbell, built and open. Made by `build.open_app`."""

    def __init__(
        self,
        *,
        monitoring: Monitoring,
        subscriptions: LiveSubscriptions,
        jobs: Jobs,
        telegram: TelegramChats | None,
        web: "WebPage | None",
        hubs: Hubs | None,
        tick: timedelta,
        rematch: Callable[[Sequence[int], datetime], Awaitable[int]],
        membership: Membership | None = None,
    ) -> None:
        """`telegram` is None where no token is set, `web` where no page is asked for.

        `hubs` is None where they could not reach the page, `membership` where no other machine
        shares the database; `tick` is between two looks for due
        feeds.
        """
        watched = monitoring.watched
        self.live: LiveConfig = watched.live
        self.store: Store = watched.store
        self.clock: Clock = watched.clock
        self.poller: Poller = watched.poller
        self.deliverer: Deliverer = watched.deliverer
        self.workers = watched.workers
        self.subscriptions, self.telegram, self.jobs = subscriptions, telegram, jobs
        self.web, self.hubs, self.membership = web, hubs, membership
        self.monitoring, self._report = monitoring, monitoring.report
        self.reloader = Reloader(
            self.live, self.store, subscriptions, self.clock, self._wake, self._report, rematch
        )
        self.reloader.reloading = watched.service_manager.reloading
        self._tick, self._service_manager = tick, watched.service_manager
        self._stop = asyncio.Event()
        self._polled = asyncio.Event()  # polling has ended: nothing more comes to deliver

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Poll, deliver and reply until `stop`; `started` is called once all of it runs.

        Raises InternalFailure where a pipeline failed or stands still.
        """
        async with (
            control(self.config.beside, self.answer_request, self._health, self.change_web),
            scheduler(self.jobs.at_wall_times()) as clock_set,
        ):
            with loop_watch(), self.jobs.clock_watch.telling(clock_set):
                started()
                self._service_manager.ready()
                await Supervisor(self._report).run(self._parts(), self._stop)

    def _parts(self) -> list[Part]:
        """What runs as long as newsbell does."""
        parts = [
            Part("polling", self._poll, essential=True, finishes=True),
            Part("delivery", self._deliver, essential=True, finishes=True),
            *self.monitoring.parts(),
            Part("reloading feeds.yaml", self.reloader.watch),
            *(
                Part(name, partial(_repeat, work, every))
                for name, (every, work) in self.jobs.ticks(self._tick).items()
            ),
        ]
        if self.membership:
            parts += self.membership.parts(self._answer)
        if self.telegram:
            parts.append(Part("the chats", self.telegram.run))
        if self.web:
            parts.append(Part("the web page", self.web.run))
        if self.hubs:
            parts.append(Part("hubs", self.hubs.run))
        return parts

    async def _poll(self) -> None:
        """Poll until stopped, then finish what is under way, for a while."""
        run = self.poller.run()
        await _run_pipeline(run, self._stop, self.poller.stop, POLL_PATIENCE, "feeds")
        self._polled.set()

    async def _deliver(self) -> None:
        """Deliver until stopped and polling has ended, then finish what is under way."""
        run = self.deliverer.run()
        await _run_pipeline(run, self._polled, self.deliverer.stop, SEND_PATIENCE, "messages")

    def _health(self) -> Mapping[str, object]:
        return self.monitoring.health.look().record()

    async def run_once(self) -> None:
        """Poll every feed, deliver, return."""
        await self.store.polls.make_due(self.clock.now())
        await self.poller.run_once()
        await self.jobs.read_pages()
        await self.jobs.release_pending()
        await self.deliverer.run_once(timedelta(0) if self._stop.is_set() else PATIENCE_ONCE)
        if await self.jobs.token_watch.look():  # terminals hear of it
            await self.deliverer.run_once(timedelta(0))
        await self.jobs.fill_search(SEARCH_BATCHES_ONCE)
        await self.jobs.prune_if_due()

    def stop(self) -> None:
        """End `run` or `run_once` after what is under way."""
        self._service_manager.stopping()
        self._stop.set()
        self.poller.stop()

    def take_file(self) -> None:
        """Read the configuration file soon, whatever it removes."""
        self.reloader.take_now()

    async def reload(self) -> None:
        """Read the configuration file again; a faulty one changes nothing."""
        await self.reloader.reload()

    async def report_rejected(self) -> None:
        """Tell the operator that the file has mistakes, where an earlier one is in force.

        Raises StoreError.
        """
        if self.live.rejected:
            await self._report(rejected_text(self.live.rejected))

    async def claim_link(self) -> str | None:
        """Return a link that makes whoever opens it first the operator; None where none is due."""
        return await self.telegram.claim_link() if self.telegram else None

    async def answer_request(self, action: str, ids: tuple[int, ...]) -> int:
        """Do what the command line asks for; return how many deliveries or feeds it changed."""
        if action == FORGET:
            return await self._forget(ids)
        if action not in FEED_REQUESTS:
            if action not in OUTBOX_REQUESTS:
                raise ActionRefused(f"This newsbell does not know {action!r}; restart it.")
            return await self.change_outbox(action, ids)
        count = await self.store.polls.retry_feeds(
            ids, self.clock.now(), ask_hosts=action == ASK_HOSTS
        )
        self.poller.tick()
        return count

    async def _answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what the command line of another machine asks for."""
        return await answer_to(request, self.answer_request, self.change_web)

    async def change_web(self, do: str, word: str | bytes, chat: int) -> int:
        """Do what the command line asks about the web page; return how much it changed."""
        return await change_web(self.store.web, do, word, chat, self.clock.now())

    async def _forget(self, addresses: tuple[int, ...]) -> int:
        """Delete what names people or chats; return how many there were."""
        now = self.clock.now()
        count = sum([await self.store.admin.forget(address, now) for address in addresses])
        await self.subscriptions.refresh()
        return count

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


async def _run_pipeline(
    run: Coroutine[None, None, None],
    stopped: asyncio.Event,
    stop: Callable[[], None],
    patience: float,
    what: str,
) -> None:
    """Run a pipeline until `stopped`, then `stop` it and let it end, for `patience` seconds.

    Where it does not end soon, the log says that it is waited for, and for what.
    What it leaves is taken up at the next start. Raises what the pipeline raises.
    """
    pipeline = asyncio.create_task(run)
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({pipeline, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not pipeline.done():
            stop()
            await asyncio.wait({pipeline}, timeout=min(SOON, patience))
            if not pipeline.done():
                seconds = f"{patience:.0f} seconds"
                log.info("stopping", effect=f"{what} under way are waited for, {seconds} at most")
                await asyncio.wait({pipeline}, timeout=max(patience - SOON, 0))
        if pipeline.done():
            await pipeline
    finally:
        for task in (pipeline, stopping):
            task.cancel()
        await asyncio.gather(pipeline, stopping, return_exceptions=True)


async def _repeat(work: Job, every: timedelta) -> None:
    """Call a job at an interval of the monotonic clock, until cancelled."""
    while True:
        result = work()
        if result is not None:
            await result
        await asyncio.sleep(every.total_seconds())
