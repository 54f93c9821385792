"""Invented feeds in a real store, and polls of them without a network: 304, the same body, news.

    store.polls.claim_feeds | PollMaker.polls | BatchCommitter.commit

For benchmarks of what a poll costs behind its answer. The rows of the feeds are written by one
statement, so that a million of them take a minute. Measures nothing.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING

from bench.queries import Maker, vocabularies
from bench.stories import Stream
from bot.feeds.batch import BatchCommitter
from bot.feeds.last_document import Document
from bot.feeds.poll_result import PollResponse
from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription, Developments
from bot.model.desired_config import DesiredConfig
from bot.model.entries import EntryKeys, ParsedDocument, ParsedEntry
from bot.model.feeds import FeedDue, Fetched, Freshness, NotModified
from bot.model.poll import HostShare
from bot.model.stories import Grouping
from bot.query.index import Index
from bot.store.mappers import put_time
from bot.stories.publishers import PublisherGroups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.ports import Clock
    from bot.store.engines.engine import Database
    from bot.store.stores import OpenStore

BATCH = 100  #: feeds of a claim and of a commit, as the poller has them where much is due
LEASE = timedelta(minutes=3)
SHARE = HostShare({}, 20)  #: of a host whose speed is not known
QUERIES = 100
SHOWN = 30  #: entries of a document
#: of ten polls, as in the phase `mixed` of the cycle
MIXED = (*("304",) * 6, *("same body",) * 3, "news")
NEWS = ("news",)
UNCHANGED = ("304",)
_HASH = b"the same as before"
_BLOCKS = tuple(hashlib.blake2b(b"%d" % number, digest_size=16).digest() for number in range(SHOWN))
# Two feeds a host, and a tenth of all feeds at one. `:few` feeds are due first.
_FILL = """
    insert into feeds (
        id, url, name, publisher, created_at, host, next_poll_at, baseline_at, last_poll_at,
        last_ok_at, full_at, etag, interval, body_hash
    )
    with recursive numbers (n) as (
        select cast(:first as integer) union all select n + 1 from numbers where n < :last
    )
    select n, 'https://host' || (n / 2) || '.example/' || n, 'Feed ' || n, 'House ' || (n % 3000),
        :before, case when n % 10 = 3 then 'large.example' else 'host' || (n / 2) || '.example' end,
        case when n * 7919 % :last < :few then :early else :late end,
        :before, :before, :before, :early, '"invented"', 1800.0, :hash
    from numbers
"""
_DOCUMENTS = """
    insert into documents (feed_id, records)
    select id, :records from feeds where id between :first and :last
"""


async def fill(store: OpenStore, first: int, last: int, early: datetime, few: int = 0) -> None:
    """Write the rows of feeds with these numbers: `few` are due at `early`, all an hour later."""
    values = {
        "first": first,
        "last": last,
        "few": few,
        "before": put_time(early - timedelta(hours=2)),
        "early": put_time(early),
        "late": put_time(early + timedelta(hours=1)),
        "hash": _HASH,
    }
    records = Document(tuple((block, 0) for block in _BLOCKS)).pack()

    def work(db: Database) -> None:
        db.execute(_FILL, values)
        db.execute(_DOCUMENTS, {"first": first, "last": last, "records": records})

    await store._writer.run("make feeds", work)  # noqa: SLF001 (no method does that)


async def make_all_due(store: OpenStore, at: datetime) -> None:
    """Let every feed be due at a time, whatever its polls said."""
    statement = "update feeds set next_poll_at = ?, lease_until = null"
    await store._writer.run(  # noqa: SLF001 (no method does that)
        "make feeds due", lambda db: db.execute(statement, [put_time(at)])
    )


class PollMaker:
    """Makes polls of claimed feeds. Makers with the same seed make the same news."""

    def __init__(self, seed: int = 0) -> None:
        """Makers of other seeds make other news."""
        self._seed = seed
        self._articles = islice(Stream(10_000).entries(), seed * 2000, None)

    def polls(
        self, feeds: Sequence[FeedDue], kinds: Sequence[str], now: datetime
    ) -> list[PollResponse]:
        """Return a poll of each feed, of these kinds in turn."""
        return [
            self._poll(feed, kind, now) for feed, kind in zip(feeds, cycle(kinds), strict=False)
        ]

    def _poll(self, feed: FeedDue, kind: str, now: datetime) -> PollResponse:
        if kind == "304":
            return PollResponse(feed, NotModified('"invented"', None, Freshness()), seconds=0.1)
        fetched = Fetched(b"", feed.url, "application/rss+xml", '"invented"', None, Freshness())
        if kind == "same body":
            return PollResponse(feed, fetched, feed.state.body_hash or _HASH, seconds=0.1)
        entry = self._entry(feed, now)
        blocks = (entry.block, *Document.unpack(feed.state.document).blocks)
        document = ParsedDocument((entry,), blocks, language="en", seconds=0.001)
        return PollResponse(feed, fetched, entry.block, document, seconds=0.1)

    def _entry(self, feed: FeedDue, now: datetime) -> ParsedEntry:
        report = next(self._articles)
        name = f"{feed.id}-{self._seed}-{report.id}"
        key = hashlib.blake2b(name.encode(), digest_size=16).digest()
        keys = EntryKeys(key, key, hashlib.blake2b(key, digest_size=16).digest())
        link = f"https://wire.example/{name}"
        return ParsedEntry(
            key, name, link, report.title, report.summary, published=now, keys=keys, language="en"
        )


async def subscribe(store: OpenStore) -> None:
    """Let a chat have a hundred subscriptions, made of words of the articles.

    Before feeds are made: those that no configuration has would end.
    """
    texts = [f"{report.title}\n{report.summary}" for report in islice(Stream(100).entries(), 2000)]
    queries = Maker(vocabularies(texts), 20260218).queries(QUERIES)
    chat = DeclaredChat("here", ChatKind.TELEGRAM, 1)
    subscriptions = tuple(
        DeclaredSubscription(f"{number}", query.text, (), (chat.name,))
        for number, query in enumerate(queries)
    )
    await store.config.sync(DesiredConfig((), (chat,), subscriptions), datetime.now(UTC))


async def index_of(store: OpenStore) -> Index:
    """Return the index of what is subscribed."""
    index = Index({})
    for subscription in await store.polls.subscriptions():
        index.set(subscription)
    return index


def committer(store: OpenStore, clock: Clock, index: Index) -> BatchCommitter:
    """Return what decides and commits, as the program has it."""
    return BatchCommitter(
        store.polls,
        clock,
        Random(1),
        index=index,
        publisher_groups=PublisherGroups,
        grouping=lambda _: Grouping.NORMAL,
        developments=lambda _: Developments.NOTE,
        updates=lambda _: None,
    )
