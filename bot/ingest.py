"""Take due feeds from the network to the outbox.

    store.claim_feeds | fetch | parse | identity.identify | stories.assign | alerts.Ringer | verdict | store.commit

Calls the ports and the deciders in this order; decides nothing itself and sends nothing. One task keeps what all polls bring, in the
order in which they come, so that what is decided about one entry is known when the next is looked at.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random

from bot import verdict
from bot.alerts import Ringer
from bot.cadence import conditional, host_of
from bot.errors import StoreError
from bot.identity import Document, identify, lookup_for
from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Failure, FeedDue, Fetched, FetchFailed, FetchOutcome, FetchRequest, NotModified
from bot.ports import Clock, FeedCommit, Fetcher, IngestStore, Known, Parser
from bot.query.index import Index
from bot.stories.assign import WINDOW, assign

LEASE = timedelta(minutes=3)  #: longer than any poll takes
IN_FLIGHT = 100  #: polls under way at once
BATCH = 100  #: polls kept in one transaction
AT_ONCE = 8  #: polls begun or decided before others of the event loop get their turn
STORE_PAUSE = timedelta(seconds=30)  #: before polling goes on after the database failed
GATHER = timedelta(milliseconds=10)  #: waited for further polls before a transaction, while many are under way
SPACING = timedelta(seconds=1)  #: between two requests to one host

log = logging.getLogger("newsbell.ingest")


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


@dataclass(slots=True)
class _Host:
    """One host: asked one request at a time, with a pause between."""

    lock: asyncio.Lock
    free_at: float = 0.0
    users: int = 0


class Ingest:
    """The ingest corridor."""

    def __init__(
        self,
        store: IngestStore,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        index: Index,
        *,
        chance: Random,
        spacing: Callable[[str], timedelta],
        headers: Callable[[str], Mapping[str, str]],
        committed: Callable[[list[PollReport]], None],
    ) -> None:
        self._store, self._fetcher, self._parser, self._clock = store, fetcher, parser, clock
        self._chance, self._spacing, self._headers, self._committed = chance, spacing, headers, committed
        self._index = index
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
        if not self._under_way or (self._more and self._in_flight <= IN_FLIGHT * 3 // 4):
            self._wake.set()

    async def _claim(self, group: asyncio.TaskGroup, due_at: datetime | None = None) -> int:
        free = IN_FLIGHT - self._in_flight
        if self._more and self._in_flight > IN_FLIGHT * 3 // 4:
            return 0
        try:
            feeds = await self._store.claim_feeds(due_at or self._clock.now(), free, LEASE)
        except StoreError as error:
            await self._store_failed(error)
            return 0
        self._more = len(feeds) == free
        ours = [feed for feed in feeds if feed.id not in self._claimed]  # a lease may run out on a fast clock
        for number, feed in enumerate(ours, 1):
            self._claimed.add(feed.id)
            self._in_flight += 1
            group.create_task(self._poll(feed))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return len(ours)

    async def _poll(self, feed: FeedDue) -> None:
        try:
            polled = await self._fetch_and_parse(feed)
        except Exception:  # one feed that trips over our own mistake must not stop the others
            log.exception("poll broke", extra={"feed": feed.name})
            polled = Polled(feed, FetchFailed(Failure.HTTP, "newsbell itself failed on this feed; its log says how."))
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
        parsed = await self._parser.parse(answer.body, answer.content_type, answer.url, known, now, answer.truncated)
        if isinstance(parsed, ParseFailed):
            return Polled(feed, FetchFailed(parsed.failure, parsed.text, answer.freshness))
        return Polled(feed, answer, body_hash, parsed)

    async def _fetch(self, feed: FeedDue) -> FetchOutcome:
        name = host_of(feed.address)
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
                await self._store_failed(error)
            finally:
                self._unkept -= len(batch)
                self._claimed.difference_update(polled.feed.id for polled in batch)
                self._wake_for_more()

    async def _keep(self, batch: list[Polled]) -> None:
        now = self._clock.now()
        lookups = [lookup_for(polled.feed, polled.document) for polled in batch if polled.document and polled.document.entries]
        known = await self._store.lookup(lookups, now - WINDOW) if lookups else {}
        ringer = Ringer(self._index, (alert for one in known.values() for alert in one.alerts), now)
        stories: dict[bytes, int] = {}
        for one in known.values():
            stories.update(one.elsewhere)
        commits: list[FeedCommit] = []
        for number, polled in enumerate(batch, 1):
            commits.append(self._decide(polled, known, ringer, stories))
            if number % AT_ONCE == 0 or (polled.document and polled.document.entries):
                await asyncio.sleep(0)
        await self._store.commit(commits, now)
        self._committed([_report(polled, commit) for polled, commit in zip(batch, commits, strict=True)])

    def _decide(self, polled: Polled, known: Mapping[int, Known], ringer: Ringer, stories: dict[bytes, int]) -> FeedCommit:
        now, chance, feed = self._clock.now(), self._chance.random(), polled.feed
        answer, document = polled.answer, polled.document
        if isinstance(answer, FetchFailed):
            return verdict.troubled(feed, answer, now, chance)
        if isinstance(answer, NotModified) or polled.unchanged or document is None:
            return verdict.unchanged(feed, answer, now, chance)
        if not document.entries and not document.blocks:
            return verdict.empty(feed, answer, polled.body_hash, now, chance)
        if verdict.is_tombstone(feed, document):
            ended = FetchFailed(Failure.TOMBSTONE, f"All that is left of it is: “{document.entries[0].title}”.")
            return verdict.troubled(feed, ended, now, chance)
        if document.skipped:
            log.warning("%d entries without id, link and headline were skipped", document.skipped, extra={"feed": feed.name})
        found = identify(feed, document, known.get(feed.id, Known((), (), (), 0)), now)
        commit = verdict.brought(feed, answer, document, found, polled.body_hash, now, chance)
        new = assign(commit.new, stories)
        rung = ringer.ring(new, commit.revisions, feed)
        return replace(commit, new=tuple(new), alerts=rung.alerts, alert_revisions=rung.revisions)

    async def _store_failed(self, error: StoreError) -> None:
        log.error("polling pauses: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._halt.wait(), STORE_PAUSE.total_seconds())


def _report(polled: Polled, commit: FeedCommit) -> PollReport:
    baseline = polled.feed.state.baseline_at is None and commit.state.baseline_at is not None
    return PollReport(polled.feed.name, commit, baseline, commit.state.failure, polled.feed.state.failure)
