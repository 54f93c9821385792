"""The regular work beside polling and delivering, each at its interval. Trouble with one is logged.

What one run leaves undone the next takes up.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from datetime import timedelta

import structlog

from bot.delivery.deliverer import Deliverer
from bot.errors import StoreError
from bot.feeds.article_pages import ArticlePages
from bot.feeds.poller import Poller, PollReport
from bot.model.delivery import NoticeKind, notice
from bot.model.feeds import Failure
from bot.model.retention import Retention, RetentionState
from bot.ports import Clock, Store
from bot.service import database_watch, token_watch
from bot.service.clock_watch import LOOK, ClockWatch
from bot.service.database_watch import DatabaseWatch
from bot.service.live_config import LiveConfig
from bot.service.measures import Measures
from bot.service.retention import RetentionDecision, announcement, decide, obsolete_text
from bot.service.scheduler import Job
from bot.service.token_watch import TokenWatch
from bot.service.workers import Workers
from bot.store.read_only import ReadOnlyDatabase

OFFLINE = frozenset({Failure.DNS, Failure.CONNECT})  #: failures that an absent network causes
CLEANUP = timedelta(hours=6)  #: between two clean-ups, restarts or not
ANSWERS_LAST = timedelta(minutes=5)  #: how long an answer waits in a busy group
LATE_ANSWERS_LOOK = timedelta(seconds=30)  #: between two looks for those that waited longer
CLEANUP_LOOK = timedelta(minutes=15)
PAGES_LOOK = timedelta(seconds=2)  #: between two looks for pages of articles
SEARCH_BATCHES = 100  #: of new entries added to the search at a time
SEARCH_BATCHES_ONCE = 5000  #: the same at the end of a single run
SEARCH_PAUSE = 0.02  #: seconds between two batches for the search, so that polls get their turn

log = structlog.stdlib.get_logger("newsbell.jobs")


class NetworkWatch:
    """Notices that a feed which an absent network kept from us can be reached again."""

    def __init__(self) -> None:
        self._back = False

    def note(self, reports: Iterable[PollReport]) -> None:
        """Look at what polls came to."""
        if any(report.failure is None and report.before in OFFLINE for report in reports):
            self._back = True

    def take(self) -> bool:
        """Return whether the network came back since the last call."""
        back, self._back = self._back, False
        return back


class Jobs:
    """The jobs, and how often each runs."""

    def __init__(
        self,
        live: LiveConfig,
        store: Store,
        poller: Poller,
        deliverer: Deliverer,
        workers: Workers,
        network: NetworkWatch,
        clock: Clock,
        *,
        clock_watch: ClockWatch,
        token_watch: TokenWatch,
        measures: Measures,
        pages: ArticlePages,
    ) -> None:
        self._measures, self._live, self._pages = measures, live, pages
        self.clock_watch, self.token_watch = clock_watch, token_watch
        self._database = DatabaseWatch(store, clock)
        self._answers_from = clock.monotonic()  # since when answers can be sent
        self._store, self._poller, self._deliverer = store, poller, deliverer
        self._workers, self._network, self._clock = workers, network, clock

    def ticks(self, tick: timedelta) -> Mapping[str, tuple[timedelta, Job]]:
        """Return the jobs of the monotonic clock, each with its interval.

        `tick` is that of the look for due feeds. Each is named as the operator reads it.
        """
        return {
            "looking for due feeds": (tick, self._poller.tick),
            "noticing the network": (tick, self.hurry),
            "resting the readers": (timedelta(minutes=1), self.rest_workers),
            "reading the pages of articles": (PAGES_LOOK, self.read_pages),
            "filling the search": (timedelta(seconds=2), self.fill_search),
            "releasing alerts that wait": (timedelta(seconds=5), self.release_pending),
            "looking after the bot's token": (token_watch.LOOK, self.look_at_token),
            "dropping late answers": (LATE_ANSWERS_LOOK, self.drop_late_answers),
            "comparing the clocks": (LOOK, self.compare_clocks),
            "looking for the database": (database_watch.LOOK, self.look_for_database),
            "cutting the log of the database": (database_watch.TIDY, self.tidy_database),
            "checking the database": (database_watch.TIDY, self.check_database),
        }

    def at_wall_times(self) -> Mapping[str, tuple[timedelta, Job]]:
        """Return the jobs that belong to the wall clock, each with its interval."""
        return {"prune": (CLEANUP_LOOK, self.prune_if_due)}

    async def hurry(self) -> None:
        """Poll feeds that failed for want of a network soon after it is back."""
        if not self._network.take():
            return
        try:
            await self._store.polls.hurry(OFFLINE, self._clock.now(), share=0.5)
        except StoreError as error:
            log.error("hurry_failed", error=str(error))
        self._poller.tick()

    async def compare_clocks(self) -> None:
        """Notice that the clock was set."""
        try:
            await self.clock_watch.look()
        except StoreError as error:
            log.error("clock_correction_failed", error=str(error))

    async def look_at_token(self) -> None:
        """Notice that Telegram refuses the bot's token."""
        await self.token_watch.look()

    def rest_workers(self) -> None:
        """End the parsers' processes where no document came for a while."""
        self._workers.rest(asyncio.get_running_loop().time())

    async def read_pages(self) -> None:
        """Read the pages of articles whose feeds ask for that."""
        await self._pages.look()

    async def fill_search(self, batches: int = SEARCH_BATCHES) -> None:
        """Add new entries to the search. Those that it lacks are found by a slower look."""
        search = self._store.search
        try:
            for _ in range(batches):
                filled = await search.fill(self._clock.now())
                if not await search.merge() and not filled:
                    break
                await asyncio.sleep(SEARCH_PAUSE)
        except StoreError as error:
            log.error("search_index_failed", error=str(error))

    async def release_pending(self) -> None:
        """Send the alerts that waited long enough for further publishers."""
        try:
            if await self._store.polls.release_pending(self._clock.now()):
                self._deliverer.wake()
        except StoreError as error:
            log.error("release_pending_failed", error=str(error))

    async def drop_late_answers(self) -> None:
        """Drop answers that have waited for minutes in groups that take 20 messages a minute.

        Not those that an outage kept back: their time begins when it is over.
        """
        now, moment = self._clock.now(), self._clock.monotonic()
        if self._deliverer.has_outage:
            self._answers_from = moment
        if moment - self._answers_from < ANSWERS_LAST.total_seconds():
            return
        try:
            count = await self._store.deliveries.drop_late_answers(now - ANSWERS_LAST, now)
        except StoreError as error:
            log.error("late_answers_failed", error=str(error))
            return
        if count:
            log.warning("late_answers_dropped", answers=count)

    async def look_for_database(self) -> None:
        """Notice that a file of the database is gone."""
        await self._keep_database(self._database.look())

    async def tidy_database(self) -> None:
        """Cut the database's log."""
        await self._keep_database(self._database.tidy())

    async def check_database(self) -> None:
        """Check all of the database now and then."""
        await self._keep_database(self._database.check_if_due())

    @staticmethod
    async def _keep_database(work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            log.error("database_watch_failed", error=str(error))

    async def prune_if_due(self) -> None:
        """Delete old rows if that was not done for a while, in this process or an earlier one."""
        try:
            cleaned = await self._store.admin.cleaned_at()
        except StoreError as error:
            log.error("prune_failed", error=str(error))
            return
        now = self._clock.now()
        if cleaned is None or not timedelta(0) <= now - cleaned < CLEANUP:
            await self.prune()

    async def _retention(self) -> Retention:
        """How long things are kept by this clean-up. Tells the operator of a shorter retention."""
        admin, now = self._store.admin, self._clock.now()
        wanted = self._live.settings.retention.value
        decision = decide(await admin.retention(), wanted, now)
        told = None
        if decision.announces:
            database = ReadOnlyDatabase(self._live.config.database)
            obsolete = await asyncio.to_thread(database.obsolete, wanted, decision.retention, now)
            if not obsolete:  # nothing to wait for
                decision = RetentionDecision(wanted, RetentionState(wanted))
            else:
                told = notice(NoticeKind.RETENTION, announcement(obsolete))
        await admin.keep_retention(decision.state, now, told)
        if told:
            log.warning("retention_announced", deletes=obsolete_text(obsolete))
            self._deliverer.wake()
        return decision.retention

    async def prune(self) -> None:
        """Delete old rows, and tidy the search."""
        try:
            if not await self.clock_watch.is_even():
                log.info("prune_put_off", reason="the clock was set within the last day")
                return
            await self._store.admin.prune(self._clock.now(), await self._retention())
            self._measures.cleanups += 1
            await self._store.search.renew()
            again = True
            while again:
                again = await self._store.search.discard()
                await asyncio.sleep(SEARCH_PAUSE)
        except StoreError as error:
            log.error("prune_failed", error=str(error))
