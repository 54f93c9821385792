"""What work costs on a young database and on one of a year: `make soak PART=age`.

    python -m bench.age [--entries 10000,1000000] [--keep FOLDER]

Makes rows of a newsroom's year by hand (30 chats with digests, 550 alerts a day for a million
entries) with their search index, and times each kind of work on them: the longest transaction, and
all of it. Nothing is sent or polled over a network; asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bench.command_line import parse, write_record
from bot.model.alerts import AlertIntent, BundleKind
from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.delivery import DeliveryState, Settlement
from bot.model.desired_config import DesiredConfig
from bot.model.entries import EntryKeys, Match, NewEntry, PlacedEntry
from bot.model.feeds import DeclaredFeed, FeedState
from bot.model.poll import AffectedStories, FeedCommit, Lookup
from bot.model.schedule import Page, SchedulePlan
from bot.model.stories import Placement, StoryIds
from bot.query.prefilter import KEYS_VERSION
from bot.store import meta
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.stores import SqliteStore

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
CHATS, FEEDS = 30, 100
ALERTS = 0.2  #: alerts for each entry
DONE = 1 / 12  #: share of the alerts whose deliveries are still remembered
UNSEARCHED = 2000  #: entries that the search does not know yet
TERMS = 25  #: of an entry, in the search
WORK = "start poll send digest status command search renew clean-up again".split()


def configuration() -> DesiredConfig:
    """Return the feeds, chats and subscriptions of the newsroom."""
    names = [f"chat {number}" for number in range(CHATS)]
    return DesiredConfig(
        tuple(
            DeclaredFeed(f"https://wire{number}.example/rss", f"Wire {number}", "Wire", ())
            for number in range(FEEDS)
        ),
        tuple(
            DeclaredChat(name, ChatKind.TELEGRAM, -1000 - number)
            for number, name in enumerate(names)
        ),
        (DeclaredSubscription("All", "harbour", (), tuple(names)),),
    )


def fill(path: Path, entries: int) -> None:
    """Write the rows of a year."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("pragma cache_size = -200000")
        with connection:
            connection.executemany(
                "insert into entries (id, feed_id, story_id, strict_id, storyline_id, house, "
                "origin, guid_key, link_key, title_key, article_key, guid, link, title, summary, "
                "author, source, published, first_seen_at, absent_since, language) "
                "values (?, ?, ?, ?, ?, 'wire', 'wire', ?, ?, ?, x'', ?, ?, ?, ?, '', '', ?, ?, "
                "?, 'en')",
                entry_rows(entries),
            )
            connection.execute(
                "update feeds set "
                "stored = (select count(*) from entries where feed_id = feeds.id), "
                "baseline_at = ?, last_ok_at = ?",
                [put_time(NOW - YEAR)] * 2,
            )
            connection.execute("insert or replace into meta values ('languages', '[\"en\"]')")
            alerts = int(entries * ALERTS)
            step = max(1, entries // alerts)
            for statement in ALERT_ROWS:
                connection.execute(
                    statement,
                    {"step": step, "chats": CHATS, "done": int(entries * (1 - DONE))},
                )


def entry_rows(entries: int) -> Iterator[tuple[Any, ...]]:
    """Entries through the year; those of more than a week ago have left their feeds."""
    for number in range(1, entries + 1):
        seen = NOW - YEAR * (1 - number / entries)
        story = number - number % 3 or number
        key = number.to_bytes(16, "big")
        absent = put_time(seen + timedelta(days=7)) if NOW - seen > timedelta(days=7) else None
        title = f"Harbour report {number} of the port authority on ships and cargo"
        yield (
            number,
            number % FEEDS + 1,
            *(story,) * 3,
            *(key,) * 3,
            str(number),
            f"https://wire.example/{number}",
            title,
            "Some invented words about the port. " * 6,
            *(put_time(seen),) * 2,
            absent,
        )


def fill_search(path: Path, entries: int) -> None:
    """Write the search index of a year, whose large parts are still to be merged."""
    known = max(0, entries - UNSEARCHED)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        for first in range(1, known + 1, 10_000):
            rows = range(first, min(known, first + 9_999) + 1)
            with connection:
                connection.executemany(
                    "insert into search (rowid, keys) values (?, ?)", map(search_row, rows)
                )
        values = {
            MetaName.SEARCHED: known,
            MetaName.SEARCH_ROWS: known,
            MetaName.SEARCH_KEYS: KEYS_VERSION,
        }
        with connection:
            connection.executemany("insert or replace into meta values (?, ?)", values.items())


def search_row(number: int) -> tuple[int, str]:
    """The keys of an entry: some words of many entries, some of few, and one of its own."""
    chance = Random(number)
    words = (f"=w{int(chance.paretovariate(0.5)) % 100_000}" for _ in range(TERMS))
    return number, " ".join((*words, f"={number}"))


ALERT_ROWS = (
    """
    insert or ignore into alerts (chat_id, story_id, entry_id, first_title, created_at, message_id)
    select id / :step % :chats + 1, story_id, id, title, first_seen_at, id from entries
    where id % :step = 0
    """,
    """
    insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans)
    select chat_id, story_id, 1, entry_id, '[]' from alerts
    """,
    """
    insert into outbox (id, chat_id, kind, priority, state, created_at, settled_at, message_id)
    select entry_id, chat_id, 'alert', 20, 'sent', created_at, created_at, message_id
    from alerts where entry_id > :done
    """,
    """
    insert into outbox_alerts
    select entry_id, chat_id, story_id from alerts where entry_id > :done
    """,
)


@dataclass(slots=True)
class Figures:
    """Seconds of each kind of work: in all, and of its longest transaction, with that of CPU."""

    whole: dict[str, float] = field(default_factory=dict)
    longest: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    current: str = ""

    async def time(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Time a kind of work."""
        self.current = name
        began = time.perf_counter()
        result = await work()
        self.whole[name] = time.perf_counter() - began
        return result

    def note(self, seconds: float, processor: float) -> None:
        """Take in a transaction."""
        for longest, took in ((self.longest, seconds), (self.processor, processor)):
            longest[self.current] = max(longest.get(self.current, 0), took)


def watch(store: SqliteStore, figures: Figures) -> None:
    """Time every transaction of a store, on its thread."""
    run = store._writer.run  # noqa: SLF001 (a probe)

    async def timed(doing: str, work: Callable[[Any], Any]) -> Any:
        def measured(db: Any) -> Any:
            began, used = time.perf_counter(), time.thread_time()
            try:
                return work(db)
            finally:
                figures.note(time.perf_counter() - began, time.thread_time() - used)

        return await run(doing, measured)

    store._writer.run = timed  # type: ignore[method-assign]  # noqa: SLF001 (a probe)


def placed(number: int, feed: int) -> PlacedEntry:
    """Return a new entry, alone in its story."""
    key = number.to_bytes(16, "big")
    keys = EntryKeys(key, key, key, b"")
    title = f"Harbour opens, part {number}"
    entry = NewEntry(number, feed, keys, "", "", title, "", "", "", NOW, None, NOW, language="en")
    story_ids = StoryIds(number, number, number)
    return PlacedEntry(entry, Placement(number, story_ids), "wire", "wire")


async def measure(path: Path, entries: int) -> Figures:
    """Return the times of all kinds of work on a database with that many entries."""
    figures = Figures()
    async with SqliteStore(path) as store:
        await store.config.sync(configuration(), NOW)
    await asyncio.to_thread(fill, path, entries)
    await asyncio.to_thread(fill_search, path, entries)
    store = SqliteStore(path)
    await figures.time("start", store.__aenter__)
    try:
        watch(store, figures)
        await store.polls.release_feeds()
        kinds: tuple[tuple[str, Callable[[SqliteStore], Awaitable[Any]]], ...] = (
            ("poll", poll),
            ("send", send),
            ("digest", digest),
            ("status", lambda store: store.admin.status()),
            ("command", command),
            ("search", search_index),
            ("renew", renew_search),
            ("clean-up", lambda store: store.admin.prune(NOW)),
            ("again", lambda store: store.admin.prune(NOW)),
        )
        for name, work in kinds:
            await figures.time(name, partial(work, store))
    finally:
        await store.__aexit__(None, None, None)
    return figures


async def poll(store: SqliteStore) -> None:
    """Poll a feed with ten new entries, of which each chat gets one as an alert."""
    await store.polls.claim_feeds(NOW, 10, timedelta(minutes=3))
    known = await store.polls.lookup([Lookup(1, tuple(placed(n, 1).entry.keys for n in range(10)))])
    feed = known.get(1)
    assert feed is not None
    new = tuple(placed(feed.next_id + n, 1) for n in range(10))
    affected = AffectedStories(frozenset(entry.story_ids for entry in new))
    await store.polls.stories(affected, NOW)
    alerts = tuple(
        AlertIntent(chat + 1, new[chat % 10].entry.id, new[chat % 10].entry.id, (Match(1),))
        for chat in range(CHATS)
    )
    state = FeedState(next_poll_at=NOW + timedelta(hours=1), baseline_at=NOW)
    await store.polls.commit([FeedCommit(1, state, new=new, alerts=alerts)], NOW)


async def send(store: SqliteStore) -> None:
    """Deliver to ten chats."""
    waiting = await store.deliveries.waiting(NOW, 10, [])
    chats = [row.chat_id for row in waiting]
    claimed = await store.deliveries.claim_deliveries(NOW, chats, 20)
    sent = [Settlement(item, DeliveryState.SENT, message_id=1) for item in claimed]
    await store.deliveries.settle(sent, NOW)
    await store.deliveries.next_wait(NOW)


async def digest(store: SqliteStore) -> None:
    """Gather what waits in each chat into a digest."""
    await store._writer.run(  # noqa: SLF001 (no method does that)
        "prepare", lambda db: db.execute("update outbox set priority = 25 where state = 'queued'")
    )
    for due in await store.deliveries.schedules_due(NOW):
        numbers = tuple(story.delivery_id for story in due.waiting)
        pages = (Page(BundleKind.DIGEST, numbers),) if numbers else ()
        plan = SchedulePlan(due.chat.id, None, NOW, NOW + timedelta(days=1), pages)
        await store.deliveries.apply_schedules([plan], NOW)


async def command(store: SqliteStore) -> None:
    """Find what a reply to a message is about, as `/why`, `/mute` and a reaction do."""
    await store.chats.alert_of(1, 5)
    await store.chats.subscriptions_of(1)
    await store.chats.ratings(1, NOW - timedelta(days=30))
    await asyncio.to_thread(store.archive.facts, 5, NOW)


async def search_index(store: SqliteStore) -> None:
    """Add the last entries to the search, batch by batch, and merge its parts."""
    filled, merged = 1, True
    while filled or merged:
        filled, merged = await store.search.fill(NOW), await store.search.merge()


async def renew_search(store: SqliteStore) -> None:
    """Renew the search, and delete what it was."""
    await store._writer.run(  # noqa: SLF001 (no method does that)
        "prepare", lambda db: meta.add(db, MetaName.SEARCH_OBSOLETE, 10**9)
    )
    await store.search.renew()
    again = True
    while again:
        again = await store.search.discard()


def table(rows: list[tuple[int, Figures, int]]) -> str:
    """Return the figures as a table: whole time, and the longest transaction, and its CPU time."""
    lines = [f"| entries | file | {' | '.join(WORK)} |", f"|{'---:|' * (len(WORK) + 2)}"]
    for entries, figures, size in rows:
        cells = [
            f"{1000 * figures.whole[name]:,.1f} ms ({1000 * figures.longest.get(name, 0):,.1f}, "
            f"{1000 * figures.processor.get(name, 0):,.1f})"
            for name in WORK
        ]
        lines.append(f"| {entries:,} | {size / 1e6:,.0f} MB | {' | '.join(cells)} |")
    return "\n".join(lines)


async def main() -> None:
    """Measure each size, the smallest first."""
    parser = argparse.ArgumentParser(description="the cost of work by the age of the database")
    parser.add_argument("--entries", default="10000,1000000", help="sizes, with commas")
    options = parse(parser, {"entries": "300"})
    rows = []
    for entries in map(int, options.entries.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "newsbell.db"
            figures = await measure(path, entries)
            rows.append((entries, figures, path.stat().st_size))
    print(table(rows))
    write_record(
        options,
        [
            {
                "entries": entries,
                "seconds": figures.whole,
                "longest": figures.longest,
                "longest_cpu": figures.processor,
            }
            for entries, figures, _ in rows
        ],
    )


if __name__ == "__main__":
    asyncio.run(main())
