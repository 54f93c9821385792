"""Take due feeds from the network to the outbox.

    store.claim_feeds | FeedReader.read | BatchCommitter.commit

Decides only when to poll how many feeds. Many feeds are read at once; one task commits what they
bring, in batches, in the order in which it comes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import filterfalse
from typing import Any, Protocol

import structlog

from bot.errors import StoreAway, StoreError
from bot.feeds.batch import has_entries
from bot.feeds.feed_reader import FeedReader
from bot.feeds.host_turns import PLACES, QUEUE, HostTurns
from bot.feeds.poll_result import PollResponse, internal_failure
from bot.feeds.yielding import AT_ONCE
from bot.model.changed import changed
from bot.model.feeds import Failure, FeedDue, Fetched, FetchOutcome
from bot.model.hosts import HostAnswer
from bot.model.hubs import HubLink
from bot.model.poll import FeedCommit
from bot.parse.hubs import hub_of_header
from bot.ports import Clock, PollStore

#: longer than a poll takes; a feed that waits longer for its host's turn is not claimed again
LEASE = timedelta(minutes=3)
LOOK_AGAIN = 1.0  #: seconds between two looks for due feeds while enough are waiting
#: polls made and not committed yet, from which no further feeds are claimed
MOST_UNCOMMITTED = 1000
BATCH = 100  #: polls committed in one transaction
SET_ASIDE = 900.0  #: seconds in which a feed whose polls cannot be kept at all is left alone
STORE_PAUSE = timedelta(seconds=30)  #: before polling goes on after the database failed
AWAY_PAUSE = timedelta(seconds=5)  #: the same, where its server was away
#: waited for further polls before a transaction, while more than a few are under way
GATHER = timedelta(milliseconds=10)
GATHERS = 5  #: of these waits, as long as each brings a further poll
_FEW = 4  # polls under way that are not worth a wait
_ENOUGH = PLACES // 4  # so few feeds waiting that a further look at the store pays

log = structlog.stdlib.get_logger("newsbell.poller")


@dataclass(frozen=True, slots=True)
class PollReport:
    """The result of one poll, for whoever watches."""

    feed: str
    commit: FeedCommit
    baseline: bool  #: it was the feed's first successful poll
    failure: Failure | None
    before: Failure | None  #: of the poll before
    answer_seconds: float = 0.0  #: that the answer took; 0 for not known
    parse_seconds: float = 0.0  #: of a processor, that reading took; 0 where nothing was read
    hub: HubLink | None = None  #: that tells of its news


def _ignore(_: float) -> None:
    """Nobody measures."""


class Committer(Protocol):
    """Where the polls of a batch go: decided and kept here, or handed over."""

    @property
    def is_restored(self) -> bool:
        """Whether it takes polls with news as well."""

    async def restore(self) -> Any:
        """Make it take them. Raises StoreError."""

    async def commit(self, responses: Sequence[PollResponse], /) -> list[FeedCommit]:
        """Take polls; return what was kept of them here. Raises StoreError."""


class Poller:
    """The pipeline from due feeds to the outbox."""

    def __init__(
        self,
        store: PollStore,
        clock: Clock,
        reader: FeedReader,
        committer: Committer,
        committed: Callable[[list[PollReport]], None],
        spacing: Callable[[str], timedelta],
        measured: Callable[[float], None] = _ignore,
    ) -> None:
        """`spacing` is the pause between two requests to a host.

        `measured` is told the seconds that the commit of a batch took.
        """
        self._measured = measured
        self._store, self._clock = store, clock
        self._reader, self._committer, self._committed = reader, committer, committed
        self._responses: asyncio.Queue[PollResponse] = asyncio.Queue()
        self._restoring = False
        self._waiting: list[PollResponse] = []  # for the window of stories
        self._claimed: set[int] = set()
        self.turns = HostTurns(spacing)
        self._starting: deque[FeedDue] = deque()  # polls that begin in the next turns of the loop
        self._uncommitted = 0
        self._in_doubt = False  # feeds may be claimed of which nobody knows here
        self._more_due = False  # the last look found feeds: there may be more
        self._look_at = 0.0  # by the loop's clock
        self._group: asyncio.TaskGroup | None = None
        self._next_start: asyncio.Handle | None = None
        self._starts_at = 0.0  # of it, by the loop's clock: uvloop's handles do not all tell
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self.steps = 0  #: batches committed and pauses taken, for the watchdog
        self.store_error: StoreError | None = None  #: why nothing was stored last
        self._set_aside: dict[int, float] = {}  # feeds to leave until then, by the loop's clock

    def tick(self) -> None:
        """Look for due feeds now."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until `stop`; then finish what is under way."""
        async with asyncio.TaskGroup() as group:
            tasks = self._begin(group)
            while not self._stopping.is_set() or self._under_way:
                self._wake.clear()
                if self._stopping.is_set() or not await self._claim(group, self._clock.now()):
                    await self._wake.wait()
            for task in tasks:
                task.cancel()
            self._cancel_timer()

    async def run_once(self) -> None:
        """Poll everything that is due at this moment, each feed once, commit it, and return."""
        began = self._clock.now()
        async with asyncio.TaskGroup() as group:
            tasks = self._begin(group)
            while True:
                self._wake.clear()
                if not self._stopping.is_set() and await self._claim(group, began):
                    continue
                if not self._under_way:
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN)
            for task in tasks:
                task.cancel()
            self._cancel_timer()

    def _begin(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Start what goes on until everything is polled."""
        tasks = [group.create_task(self._commit_batches())]
        if not self._committer.is_restored:
            self._restoring = True
            tasks.append(group.create_task(self._restore()))
        return tasks

    async def _restore(self) -> None:
        """Read the window of stories while polls without news are committed; then the others."""
        try:
            await self._committer.restore()
        except StoreError as error:  # the next batch with news reads it
            log.error("window_not_read", error=str(error))
        finally:
            self._restoring = False
            for response in self._waiting:
                self._responses.put_nowait(response)
            self._waiting.clear()

    def stop(self) -> None:
        """Claim no further feed."""
        self._stopping.set()
        self._claimed.difference_update(self.turns.drop())
        self._wake.set()

    @property
    def _under_way(self) -> int:
        return self.turns.running + self.turns.waiting + self._uncommitted

    def _wake_for_more(self) -> None:
        """Look for due feeds again once few are waiting.

        A look after each poll would cost as much as the poll.
        """
        if not self._under_way or (self._more_due and self.turns.waiting <= _ENOUGH):
            self._wake.set()

    async def _claim(self, group: asyncio.TaskGroup, due_at: datetime) -> int:
        """Begin to poll feeds that are due; how many."""
        self._group = group
        turns, now = self.turns, asyncio.get_running_loop().time()
        if self._more_due and turns.waiting > _ENOUGH and now < self._look_at:
            return 0
        if self._uncommitted > MOST_UNCOMMITTED:  # what they brought is in memory until it is kept
            self._more_due = True
            return 0
        if turns.waiting >= QUEUE:
            self._claimed.difference_update(turns.drop(surplus=True))
        self._look_at = now + LOOK_AGAIN
        free = QUEUE - turns.waiting
        try:
            if self._in_doubt:
                await self._store.take_back(self._claimed)
                self._in_doubt = False
            feeds = await self._store.claim_feeds(
                due_at, free, LEASE, self._not_to_claim(), turns.share()
            )
        except StoreError as error:
            self._in_doubt |= isinstance(error, StoreAway)
            await self._pause("claim_failed", error)
            return 0
        if self._stopping.is_set():
            return 0
        self._more_due = bool(feeds)
        for feed in feeds:
            self._claimed.add(feed.id)
            try:
                turns.add(feed)
            except Exception:  # a feed that trips over our own mistake must not stop the others
                log.exception("poll_failed", feed_id=feed.id, feed=feed.name)
                self._uncommitted += 1
                self._responses.put_nowait(internal_failure(feed))
        self._start_polls()
        return len(feeds)

    def _start_polls(self) -> None:
        """Begin the polls whose host may be asked, and look again when that may change."""
        loop, group = asyncio.get_running_loop(), self._group
        if group is None or not self.turns.waiting:
            return
        was_idle = not self._starting
        self._starting.extend(self.turns.start(loop.time()))
        if was_idle:
            self._start_some(group)
        seconds = self.turns.next_change(loop.time())
        at = loop.time() + (seconds or 0.0)
        if seconds is None or (self._next_start and loop.time() < self._starts_at <= at):
            return
        self._cancel_timer()
        self._starts_at = at
        self._next_start = loop.call_at(at, self._start_polls)

    def _start_some(self, group: asyncio.TaskGroup) -> None:
        """Begin a few of the polls that may, and the others in the next turns of the loop."""
        for _ in range(min(AT_ONCE, len(self._starting))):
            group.create_task(self._poll(self._starting.popleft()))
        if self._starting:
            asyncio.get_running_loop().call_soon(self._start_some, group)

    def _cancel_timer(self) -> None:
        if self._next_start:
            self._next_start.cancel()
            self._next_start = None

    def _not_to_claim(self) -> set[int]:
        """Feeds whose poll is under way, or that newsbell cannot keep for now."""
        if not self._set_aside:
            return self._claimed
        now = asyncio.get_running_loop().time()
        self._set_aside = {number: at for number, at in self._set_aside.items() if at > now}
        return self._claimed | self._set_aside.keys()

    async def _poll(self, feed: FeedDue) -> None:
        loop = asyncio.get_running_loop()
        host = HostAnswer()

        def answered(answer: FetchOutcome) -> float:
            nonlocal host
            seconds = self.turns.answered(feed, loop.time())
            host = self.turns.judge(feed, answer, self._clock.now())
            self._start_polls()
            return seconds

        response = await self._reader.read(feed, answered)
        response = changed(response, host=self.turns.latest(feed, host))  # while it is under way
        self.turns.finished(feed, loop.time())
        self._uncommitted += 1
        self._responses.put_nowait(response)
        if self.turns.is_short_of_places:
            self._start_polls()
        self._wake_for_more()

    async def _commit_batches(self) -> None:
        while True:
            batch = [await self._responses.get()]
            await self._gather()
            while len(batch) < BATCH and not self._responses.empty():
                batch.append(self._responses.get_nowait())
            if self._restoring:
                self._waiting += filter(has_entries, batch)
                batch = list(filterfalse(has_entries, batch))
            in_doubt = False
            try:
                if batch:
                    await self._commit(batch)
            except StoreError as error:
                # Nothing was kept, validators and next polls included: the leases run out and the
                # feeds are fetched again; at once where only the server was away.
                in_doubt = isinstance(error, StoreAway)
                await self._pause("commit_failed", error)
            finally:
                self.steps += 1
                await self._settle(batch)
                self._in_doubt |= in_doubt
                self._uncommitted -= len(batch)
                self._wake_for_more()

    async def _gather(self) -> None:
        """Wait for what comes at the same time, as long as more comes."""
        before = -1
        for _ in range(GATHERS):
            count = self._responses.qsize()
            if self.turns.running <= _FEW or count == before or count >= BATCH:
                return
            before = count
            await asyncio.sleep(GATHER.total_seconds())

    async def _settle(self, batch: Sequence[PollResponse]) -> None:
        """Let the feeds of a batch be claimed again, and those that their hosts gave back."""
        given_back: list[int] = []
        for response in batch:
            given_back += self.turns.settled(response.feed)
            self._claimed.discard(response.feed.id)
            self._claimed.difference_update(response.host.given_back)
        if given_back:
            try:
                await self._store.release_feeds(given_back)
            except StoreError as error:
                await self._pause("release_failed", error)  # their leases run out
            self._claimed.difference_update(given_back)

    async def _commit(self, batch: Sequence[PollResponse]) -> None:
        """Commit a batch; where a fault is in it, feed by feed. Raises StoreError."""
        try:
            began = asyncio.get_running_loop().time()
            commits = await self._committer.commit(batch)
            self._measured(asyncio.get_running_loop().time() - began)
            self.store_error = None
            self._committed(reports_of(batch, commits))
        except StoreError:
            raise
        except Exception:  # one feed's fault must not cost the others of its batch
            log.exception("batch_failed", feeds=len(batch))
            for response in batch:
                await self._commit_alone(response)

    async def _commit_alone(self, response: PollResponse) -> None:
        """Commit one poll, or that newsbell failed on its feed. Raises StoreError."""
        feed = response.feed
        for attempt in (response, replace(internal_failure(feed), host=response.host)):
            try:
                commits = await self._committer.commit([attempt])
                self.store_error = None
                self._committed(reports_of([attempt], commits))
            except StoreError:
                raise
            except Exception:
                log.exception("feed_failed", feed_id=feed.id, feed=feed.name)
            else:
                self._set_aside.pop(feed.id, None)
                return
        # Not even the failure could be kept. Its lease runs out, so remember here to leave it.
        self._set_aside[feed.id] = asyncio.get_running_loop().time() + SET_ASIDE

    async def _pause(self, event: str, error: StoreError) -> None:
        self.steps += 1
        self.store_error = error
        pause = (AWAY_PAUSE if isinstance(error, StoreAway) else STORE_PAUSE).total_seconds()
        log.error(event, error=str(error), retry_after=pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)


def _hub(response: PollResponse) -> HubLink | None:
    """Return the hub that the answer names, in its header first (WebSub §4)."""
    answer = response.answer
    if not isinstance(answer, Fetched) or response.document is None:
        return None
    return hub_of_header(answer.link_header, answer.url) or response.document.hub


def reports_of(batch: Sequence[PollResponse], commits: Sequence[FeedCommit]) -> list[PollReport]:
    """A report of each poll that was committed."""
    responses = {response.feed.id: response for response in batch}
    reports: list[PollReport] = []
    for commit in commits:
        response, state = responses[commit.feed_id], commit.state
        feed, document = response.feed, response.document
        baseline = feed.state.baseline_at is None and state.baseline_at is not None
        reports.append(
            PollReport(
                feed.name,
                commit,
                baseline,
                state.failure,
                feed.state.failure,
                response.seconds,
                document.seconds if document else 0.0,
                _hub(response),
            )
        )
    return reports
