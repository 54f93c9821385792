"""Take due feeds from the network to the outbox.

    store.claim_feeds | fetch | parse | store.lookup | identity.identify, verdict | stories.assign | store.stories | alerts.Ringer | store.commit

Calls the ports and the deciders in this order; decides nothing itself and sends nothing. One task keeps what all polls bring, in the
order in which they come, so that what is decided about one entry is known when the next is looked at.
"""

import asyncio
import gc
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random

import structlog
from structlog.contextvars import bound_contextvars

from bot.alerts.decide import AlertDecider
from bot.errors import StoreError
from bot.feeds import poll_result
from bot.feeds.entry_identity import Document, identify, lookup_for
from bot.feeds.poll_schedule import conditional
from bot.model.alerts import StoryState
from bot.model.entries import NewEntry, ParsedDocument, ParseFailed, PlacedEntry
from bot.model.feeds import (
    Failure,
    FeedDue,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    NotModified,
)
from bot.model.poll import AffectedStories, FeedCommit, KnownEntries
from bot.model.stories import Grouping, StoryIds
from bot.ports import Clock, Fetcher, Parser, PollStore
from bot.query.index import Index
from bot.stories.assign import Assigner, Merges, resolve_placements
from bot.stories.publishers import PublisherGroups
from bot.stories.window import SPAN, Window
from bot.text.url import host_and_port

LEASE = timedelta(minutes=3)  #: longer than any poll takes
MAX_IN_FLIGHT = 100  #: polls under way at once
BATCH = 100  #: polls kept in one transaction
AT_ONCE = 8  #: polls begun or decided before others of the event loop get their turn
STORE_PAUSE = timedelta(seconds=30)  #: before polling goes on after the database failed
GATHER = timedelta(
    milliseconds=10
)  #: waited for further polls before a transaction, while many are under way
SPACING = timedelta(seconds=1)  #: between two requests to one host
RESTORED = 2000  #: entries of the window read at a time

log = structlog.stdlib.get_logger("newsbell.poller")


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought, before anything is decided."""

    feed: FeedDue
    answer: FetchOutcome
    body_hash: bytes = b""
    document: ParsedDocument | None = None
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class PollReport:
    """What one poll came to, for whoever watches."""

    feed: str
    commit: FeedCommit
    baseline: bool
    failure: Failure | None
    before: Failure | None  #: of the poll before


@dataclass(frozen=True, slots=True)
class _Decided:
    """What one poll means for its feed, before its entries have their stories."""

    polled: Polled
    commit: FeedCommit
    new: tuple[NewEntry, ...] = ()


@dataclass(slots=True)
class _Host:
    """One host: asked one request at a time, with a pause between."""

    lock: asyncio.Lock
    free_at: float = 0.0
    users: int = 0


class Poller:
    """The ingest corridor."""

    def __init__(
        self,
        store: PollStore,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        index: Index,
        *,
        chance: Random,
        spacing: Callable[[str], timedelta],
        headers: Callable[[str], Mapping[str, str]],
        publisher_groups: Callable[[], PublisherGroups],
        grouping: Callable[[int], Grouping],
        committed: Callable[[list[PollReport]], None],
    ) -> None:
        self._store, self._fetcher, self._parser, self._clock = store, fetcher, parser, clock
        self._chance, self._spacing, self._headers, self._committed = (
            chance,
            spacing,
            headers,
            committed,
        )
        self._index, self._publisher_groups, self._grouping = index, publisher_groups, grouping
        self._window: Window | None = (
            None  # None while it may be ahead of the store: then it is read anew
        )
        self._hosts: dict[str, _Host] = {}
        self._polled: asyncio.Queue[Polled] = asyncio.Queue()
        self._claimed: set[int] = set()
        self._in_flight = 0
        self._unkept = 0
        self._more = False  # the last look filled all places: there may be more
        self._wake = asyncio.Event()
        self._halt = asyncio.Event()

    def tick(self) -> None:
        """Look for due feeds now."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until `stop`; then let what is under way come to its end."""
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep_for_ever())
            while not self._halt.is_set() or self._under_way:
                self._wake.clear()
                if self._halt.is_set() or not await self._claim(group):
                    await self._wake.wait()
            keeper.cancel()

    async def run_once(self) -> None:
        """Poll everything that is due at this moment, each feed once, keep it, and return."""
        began = self._clock.now()
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep_for_ever())
            while True:
                self._wake.clear()
                if not self._halt.is_set() and await self._claim(group, began):
                    continue
                if not self._under_way:
                    break
                await self._wake.wait()
            keeper.cancel()

    def stop(self) -> None:
        """Claim no further feed."""
        self._halt.set()
        self._wake.set()

    @property
    def _under_way(self) -> int:
        return self._in_flight + self._unkept

    def _wake_for_more(self) -> None:
        """Look for due feeds again once a good part of the places is free: a look for each poll would cost as much as the poll."""
        if not self._under_way or (self._more and self._in_flight <= MAX_IN_FLIGHT * 3 // 4):
            self._wake.set()

    async def _claim(self, group: asyncio.TaskGroup, due_at: datetime | None = None) -> int:
        free = MAX_IN_FLIGHT - self._in_flight
        if self._more and self._in_flight > MAX_IN_FLIGHT * 3 // 4:
            return 0
        try:
            feeds = await self._store.claim_feeds(
                due_at or self._clock.now(), free, LEASE, self._claimed
            )
        except StoreError as error:
            await self._store_failed("claim_failed", error)
            return 0
        self._more = len(feeds) == free
        for number, feed in enumerate(feeds, 1):
            self._claimed.add(feed.id)
            self._in_flight += 1
            group.create_task(self._poll(feed))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return len(feeds)

    async def _poll(self, feed: FeedDue) -> None:
        try:
            with bound_contextvars(feed_id=feed.id):
                polled = await self._fetch_and_parse(feed)
        except Exception:  # one feed that trips over our own mistake must not stop the others
            log.exception("poll_failed", feed_id=feed.id, feed=feed.name)
            polled = Polled(
                feed,
                FetchFailed(Failure.HTTP, "newsbell itself failed on this feed; its log says how."),
            )
        self._unkept += 1
        self._in_flight -= 1
        self._polled.put_nowait(polled)
        self._wake_for_more()

    async def _fetch_and_parse(self, feed: FeedDue) -> Polled:
        answer = await self._fetch(feed)
        if not isinstance(answer, Fetched):
            return Polled(feed, answer)
        body_hash = blake2b(answer.body, digest_size=16).digest()
        if body_hash == feed.state.body_hash and not answer.truncated:
            return Polled(feed, answer, body_hash, unchanged=True)
        known = Document.unpack(feed.state.document).blocks
        now = self._clock.now()
        parsed = await self._parser.parse(
            answer.body, answer.content_type, answer.url, known, now, answer.truncated
        )
        if isinstance(parsed, ParseFailed):
            return Polled(feed, FetchFailed(parsed.failure, parsed.text, answer.freshness))
        return Polled(feed, answer, body_hash, parsed)

    async def _fetch(self, feed: FeedDue) -> FetchOutcome:
        name = host_and_port(feed.address)
        host = self._hosts.setdefault(name, _Host(asyncio.Lock()))
        host.users += 1
        try:
            async with host.lock:
                loop = asyncio.get_running_loop()
                if host.free_at > loop.time():
                    await asyncio.sleep(host.free_at - loop.time())
                answer = await self._fetcher.fetch(self._request(feed))
                host.free_at = loop.time() + self._spacing(name).total_seconds()
                return answer
        finally:
            host.users -= 1
            if not host.users and host.free_at <= asyncio.get_running_loop().time():
                self._hosts.pop(name, None)

    def _request(self, feed: FeedDue) -> FetchRequest:
        ask = conditional(feed.state, self._clock.now())
        return FetchRequest(
            url=feed.address,
            etag=feed.state.etag if ask else None,
            last_modified=feed.state.last_modified if ask else None,
            headers=tuple(self._headers(feed.url).items()),
        )

    async def _keep_for_ever(self) -> None:
        while True:
            batch = [await self._polled.get()]
            if self._in_flight > 4:
                await asyncio.sleep(GATHER.total_seconds())
            while len(batch) < BATCH and not self._polled.empty():
                batch.append(self._polled.get_nowait())
            try:
                await self._keep(batch)
            except StoreError as error:
                # Nothing was kept, validators and next polls included: the leases run out and the feeds are fetched again.
                await self._store_failed("commit_failed", error)
            finally:
                self._unkept -= len(batch)
                self._claimed.difference_update(polled.feed.id for polled in batch)
                self._wake_for_more()

    async def _keep(self, batch: list[Polled]) -> None:
        """Keep what these polls brought, but for feeds that another poller claimed meanwhile."""
        while batch:
            lost = await self._decide_and_commit(batch)
            for polled in batch:
                if polled.feed.id in lost:
                    log.warning("poll_superseded", feed_id=polled.feed.id, feed=polled.feed.name)
            batch = [polled for polled in batch if lost and polled.feed.id not in lost]

    async def _decide_and_commit(self, batch: list[Polled]) -> frozenset[int]:
        """Return the feeds that another poller claimed meanwhile; then nothing was kept."""
        now = self._clock.now()
        lookups = [
            lookup_for(polled.feed, polled.document)
            for polled in batch
            if polled.document and polled.document.entries
        ]
        known = await self._store.lookup(lookups) if lookups else {}
        decided: list[_Decided] = []
        for number, polled in enumerate(batch, 1):
            decided.append(self._decide(polled, known))
            if number % AT_ONCE == 0 or (polled.document and polled.document.entries):
                await asyncio.sleep(0)
        window = self._window or await self.restored()
        self._window = None  # what it takes in now is only true once it is kept
        placed, merges = await self._assign(window, decided)
        touched = _affected_stories(decided, placed, merges)
        state = await self._store.stories(touched, now) if touched.story_ids else StoryState()
        decider = AlertDecider(self._index, state, merges, self._grouping, now)
        commits: list[FeedCommit] = []
        for number, one in enumerate(decided, 1):
            entries = resolve_placements(placed[number - 1], merges, state.originals)
            decisions = decider.ring(entries, one.commit.revisions, one.polled.feed)
            commits.append(
                replace(
                    one.commit,
                    lease=one.polled.feed.lease,
                    new=tuple(entries),
                    alerts=decisions.alerts,
                    alert_revisions=decisions.revisions,
                    growths=decisions.growths,
                )
            )
            if entries or number % AT_ONCE == 0:
                await asyncio.sleep(0)
        lost = await self._store.commit(commits, now, merges.done)
        if lost:
            return lost
        self._window = window
        self._committed(
            [_report(polled, commit) for polled, commit in zip(batch, commits, strict=True)]
        )
        return lost

    async def restored(self) -> Window:
        """The live window as the store has it; kept for the next batch."""
        window, after = Window(), 0
        since = (
            self._clock.now() - 2 * SPAN
        )  # the window's present is its newest entry, which a quiet time leaves behind
        gc.disable()  # all that is made here stays: looking for what does not costs a fifth
        try:
            while part := await self._store.window(since, after, RESTORED):
                for number, (report, story_ids) in enumerate(part, 1):
                    window.restore(report, story_ids)
                    if number % (AT_ONCE * AT_ONCE) == 0:
                        await asyncio.sleep(0)
                after = part[-1][0].id
        finally:
            gc.enable()
        self._window = window
        return window

    async def _assign(
        self, window: Window, decided: list[_Decided]
    ) -> tuple[list[list[PlacedEntry]], Merges]:
        """The new entries of each poll with their stories, and what merged because of them."""
        assigner = Assigner(window, self._publisher_groups())
        placed: list[list[PlacedEntry]] = []
        for one in decided:
            entries: list[PlacedEntry] = []
            for number, entry in enumerate(one.new, 1):
                entries.append(assigner.assign(entry, one.polled.feed.publisher))
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
            placed.append(entries)
        return placed, assigner.merges

    def _decide(self, polled: Polled, known: Mapping[int, KnownEntries]) -> _Decided:
        now, chance, feed = self._clock.now(), self._chance.random(), polled.feed
        answer, document = polled.answer, polled.document
        if isinstance(answer, FetchFailed):
            return _Decided(polled, poll_result.troubled(feed, answer, now, chance))
        if isinstance(answer, NotModified) or polled.unchanged or document is None:
            return _Decided(polled, poll_result.unchanged(feed, answer, now, chance))
        if not document.entries and not document.blocks:
            return _Decided(polled, poll_result.empty(feed, answer, polled.body_hash, now, chance))
        if poll_result.is_tombstone(feed, document):
            ended = FetchFailed(
                Failure.TOMBSTONE, f"All that is left of it is: “{document.entries[0].title}”."
            )
            return _Decided(polled, poll_result.troubled(feed, ended, now, chance))
        if document.skipped:
            log.warning(
                "entries_skipped",
                feed_id=feed.id,
                feed=feed.name,
                skipped=document.skipped,
                reason="no id, no link and no headline",
            )
        found = identify(feed, document, known.get(feed.id, KnownEntries((), 0)), now)
        return _Decided(
            polled,
            poll_result.brought(feed, answer, document, found, polled.body_hash, now, chance),
            found.new,
        )

    async def _store_failed(self, event: str, error: StoreError) -> None:
        log.error(event, error=str(error), retry_after=STORE_PAUSE.total_seconds())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._halt.wait(), STORE_PAUSE.total_seconds())


def _report(polled: Polled, commit: FeedCommit) -> PollReport:
    baseline = polled.feed.state.baseline_at is None and commit.state.baseline_at is not None
    return PollReport(
        polled.feed.name, commit, baseline, commit.state.failure, polled.feed.state.failure
    )


def _affected_stories(
    decided: list[_Decided], placed: list[list[PlacedEntry]], merges: Merges
) -> AffectedStories:
    """The stored stories that matter to a batch: those its entries join, those that merge, those of changed entries."""
    new = {one.entry.id for entries in placed for one in entries}
    first = {one.story_ids for entries in placed for one in entries}
    story_ids = {
        story_ids
        for story_ids in first | {merges.resolve(story_ids) for story_ids in first}
        if not {story_ids.strict, story_ids.story, story_ids.storyline} <= new
    }
    story_ids |= {revision.known.story_ids for one in decided for revision in one.commit.revisions}
    for merge in merges.done:
        story_ids |= {StoryIds(number, number, number) for number in (merge.gone, merge.kept)}
    originals = {one.placement.copy_of for entries in placed for one in entries} - {0}
    return AffectedStories(frozenset(story_ids), frozenset(originals))
