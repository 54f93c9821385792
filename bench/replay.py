"""Lets a real store live through a recorded stream of articles: grouping, alerts, deliveries.

Every chat has one subscription, so that no other one takes its alerts. Grouping and decisions are
the program's own; fetching and Telegram are left out, and what is queued counts as sent at once.
Measures nothing.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from bot.alerts.decide import AlertRules
from bot.feeds.batch import decide_commits
from bot.feeds.poll_result import PollDecision
from bot.model.chats import AlertOptions, ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.desired_config import DesiredConfig
from bot.model.entries import EntryKeys, NewEntry, Silence
from bot.model.feeds import DeclaredFeed, FeedDue, FeedState
from bot.model.poll import FeedCommit, Lookup
from bot.model.stories import Grouping
from bot.query.index import Index
from bot.store.mappers import put_time
from bot.stories.assign import Assigner
from bot.stories.publishers import PublisherGroups
from bot.stories.window import Window
from bot.text.clean import summary as clean_summary
from bot.text.clean import title as clean_title
from bot.text.url import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bot.store.stores import SqliteStore

STREAM = "lede_stream_2026/articles_dev.jsonl.xz"
SHOWN = 20  #: entries that a feed shows when it is first fetched, at most
_POLL = timedelta(minutes=15)


@dataclass(frozen=True)
class Item:
    """An article of the stream."""

    outlet: str
    title: str
    summary: str
    link: str
    published: datetime | None
    seen: datetime  #: when the recorder met it


@dataclass(frozen=True)
class Wish:
    """A subscription, alone in its chat."""

    query: str
    options: AlertOptions = AlertOptions()
    grouping: Grouping = Grouping.NORMAL
    feeds: tuple[str, ...] = ()


@dataclass
class Came:
    """The messages that a chat got."""

    alerts: list[datetime] = field(default_factory=list)
    notes: list[datetime] = field(default_factory=list)


def read(path: Path) -> list[Item]:
    """Return the recorded articles in the order in which they were seen."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    items = [
        Item(
            row["outlet"],
            clean_title(row["titles"][0]),
            clean_summary(row["summary"] or ""),
            row["url"],
            datetime.fromisoformat(row["published"]) if row["published"] else None,
            datetime.fromisoformat(row["first_seen"]),
        )
        for row in rows
    ]
    return sorted(items, key=lambda item: item.seen)


class Replay:
    """A store that polls the stream, from a first fetch on."""

    def __init__(self, store: SqliteStore, items: Sequence[Item], wishes: Sequence[Wish]) -> None:
        self._store, self._items, self._wishes = store, items, wishes
        self._outlets = sorted({item.outlet for item in items})
        self._window, self._groups = Window(), PublisherGroups()
        self._baselines: dict[int, datetime] = {}
        self._index = Index({})
        self.now = items[0].seen

    async def start(self, now: datetime) -> None:
        """Configure the store, and fetch every feed for the first time."""
        self.now = now
        feeds = tuple(
            DeclaredFeed(f"https://{name}.example/rss", name, name, (name,))
            for name in self._outlets
        )
        chats = tuple(
            DeclaredChat(f"chat {number}", ChatKind.TELEGRAM, number, grouping=wish.grouping)
            for number, wish in enumerate(self._wishes, 1)
        )
        subscriptions = tuple(
            DeclaredSubscription(f"{number}", wish.query, wish.feeds, (chat.name,), wish.options)
            for number, (wish, chat) in enumerate(zip(self._wishes, chats, strict=True), 1)
        )
        await self._store.config.sync(DesiredConfig(feeds, chats, subscriptions), now)
        for subscription in self._store.archive.subscriptions():
            self._index.set(subscription)
        shown = [
            item
            for name in self._outlets
            for item in [item for item in self._items if item.outlet == name and item.seen <= now][
                -SHOWN:
            ]
        ]
        await self._poll(shown, Silence.BASELINE)

    async def run_until(self, end: datetime) -> None:
        """Poll what the recorder saw until then."""
        coming = [item for item in self._items if self.now < item.seen <= end]
        for seen, items in groupby(coming, lambda item: item.seen):
            while self.now + _POLL < seen:
                await self._tick(self.now + _POLL)
            await self._tick(seen)
            await self._poll(items, None)
        await self._tick(end)
        while await self._store.search.fill(end):
            pass

    async def _tick(self, now: datetime) -> None:
        self.now = now
        await self._store.polls.release_pending(now)
        self._deliver()

    async def _poll(self, items: Iterable[Item], silent: Silence | None) -> None:
        """Store the new articles of feeds and what follows from them, as a batch of polls does."""
        by_feed: dict[int, list[Item]] = {
            self._outlets.index(name) + 1: [] for name in self._outlets if silent
        }
        for item in items:
            by_feed.setdefault(self._outlets.index(item.outlet) + 1, []).append(item)
        decisions: list[PollDecision] = []
        assigner = Assigner(self._window, self._groups)
        for feed_id, coming in by_feed.items():
            keys = tuple(_keys(item) for item in coming)
            known = await self._store.polls.lookup([Lookup(feed_id, keys)])
            first = known[feed_id].next_id
            new = tuple(
                self._entry(first + number, feed_id, item, silent)
                for number, item in enumerate(coming)
            )
            name = self._outlets[feed_id - 1]
            baseline = self._baselines.setdefault(feed_id, self.now)
            state = FeedState(next_poll_at=self.now + _POLL, baseline_at=baseline)
            feed = FeedDue(feed_id, f"https://{name}.example/rss", name, name, (name,), None, state)
            placed = tuple(assigner.assign(entry, name) for entry in new)
            decisions.append(PollDecision(feed, FeedCommit(feed_id, state), new, placed))
        rules = AlertRules(self._index, self._grouping, self.now)
        commits = await decide_commits(self._store.polls, decisions, assigner.merges, rules)
        await self._store.polls.commit(commits, self.now, assigner.merges.done)
        self._deliver()

    def _grouping(self, chat: int) -> Grouping:
        return self._wishes[chat - 1].grouping

    def _entry(self, number: int, feed_id: int, item: Item, silent: Silence | None) -> NewEntry:
        return NewEntry(
            id=number,
            feed_id=feed_id,
            keys=_keys(item),
            guid=item.link,
            link=item.link,
            title=item.title,
            summary=item.summary,
            author="",
            source="",
            published=item.published,
            updated=None,
            first_seen_at=self.now,
            silent=silent,
            language="en",
        )

    def _deliver(self) -> None:
        """Let what is queued be sent."""
        with closing(sqlite3.connect(self._store.path)) as connection, connection:
            connection.execute(
                "update alerts set message_id = story_id where held = 0 and message_id is null"
            )
            connection.execute(
                "update outbox set state = 'sent', settled_at = ? where state = 'queued'",
                [put_time(self.now)],
            )

    def came(self) -> dict[int, Came]:
        """Return what each chat got."""
        chats = {number: Came() for number in range(1, len(self._wishes) + 1)}
        with closing(sqlite3.connect(self._store.path)) as connection:
            rows = connection.execute(
                "select o.chat_id, o.created_at, a.note_of is not null and o.kind = 'alert' "
                "from outbox o left join outbox_alerts x on x.outbox_id = o.id "
                "left join alerts a on a.chat_id = x.chat_id and a.story_id = x.story_id "
                "where o.kind in ('alert', 'again')"
            ).fetchall()
        for chat, at, note in rows:
            came = chats[chat]
            (came.notes if note else came.alerts).append(datetime.fromisoformat(at))
        return chats


def _keys(item: Item) -> EntryKeys:
    def digest(text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()

    return EntryKeys(digest(item.link), digest(canonical(item.link)), digest(item.title))
