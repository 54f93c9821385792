"""A store with two feeds and entries put into it, for tests of searches."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from postgres_server import address_of
from query_strategies import NAMES
from support import NOON, prepare_database

from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.desired_config import DesiredConfig
from bot.model.entries import (
    Article,
    EntryKeys,
    KnownEntry,
    NewEntry,
    PlacedEntry,
    Revision,
    Silence,
)
from bot.model.feeds import DeclaredFeed, FeedState
from bot.model.poll import FeedCommit, Lookup
from bot.model.stories import Placement, StoryIds
from bot.parse.entry_keys import link_key, number_key, title_key
from bot.query.parser import parse
from bot.search.matches import search
from bot.store.stores import store_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WIRE = DeclaredFeed("https://wire.example/rss.xml", "Harbour Wire", "Harbour Wire", ("sport",))
POST = DeclaredFeed("https://post.example/feed", "Morning Post", "post.example", ("World", "sea"))
DECLARED = DesiredConfig(
    (WIRE, POST),
    (DeclaredChat("here", ChatKind.TERMINAL),),
    (DeclaredSubscription("All", "harbour", (), ("here",)),),
)


def _placed(entry: NewEntry, story_ids: StoryIds, origin: str) -> PlacedEntry:
    return PlacedEntry(entry, Placement(entry.id, story_ids), origin, origin)


class ArchiveHarness:
    """A store with two feeds, to which entries are added as by a poll. Calls are synchronous."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "newsbell.db"
        self.watched_since = NOON - 365 * DAY  #: the first fetch of both feeds
        self._runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        address = address_of(self.path)
        if isinstance(address, Path):
            prepare_database(self.path)
        self.store = store_of(address)
        self.run(self.store.__aenter__())
        self.run(self.store.config.sync(DECLARED, NOON))
        self.archive = self.store.archive

    def close(self) -> None:
        self.run(self.store.__aexit__(None, None, None))

    def end(self) -> None:
        self.close()
        self._runner.close()

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read rows of the database."""
        rows: list[tuple[Any, ...]] = self.run(
            self.store._writer.run(
                "look",
                lambda db: [tuple(row) for row in db.execute(statement, list(values)).fetchall()],
            )
        )
        return rows

    def put(
        self,
        *new: Article | str,
        at: datetime = NOON,
        feed: int = 1,
        story: int = 0,
        published: datetime | None = None,
        silent: Silence | None = None,
        ids: StoryIds | None = None,
        origin: str = "wire",
    ) -> list[int]:
        """Store articles or headlines; return their ids. A story of 0 makes a story of each.

        `ids` are all three stories, where they differ.
        """
        articles = [Article(item, language="en") if isinstance(item, str) else item for item in new]
        keys = tuple(
            EntryKeys(
                b"",
                link_key(article.link),
                title_key(article.title or "-"),
                number_key(article.link),
            )
            for article in articles
        )
        first = self.run(self.store.polls.lookup([Lookup(feed, keys)]))[feed].next_id
        entries = tuple(
            NewEntry(
                id=first + number,
                feed_id=feed,
                keys=replace(keys[number], guid=(first + number).to_bytes(16, "big")),
                guid=f"g{first + number}",
                link=article.link,
                title=article.title,
                summary=article.summary,
                author=article.author,
                source=article.source,
                published=published,
                updated=None,
                first_seen_at=at,
                language=article.language,
                silent=silent,
                body=article.body,
                categories=article.categories,
            )
            for number, article in enumerate(articles)
        )
        placed = (
            _placed(entry, ids or StoryIds(*(story or entry.id,) * 3), origin) for entry in entries
        )
        self._commit(feed, new=tuple(placed))
        return [entry.id for entry in entries]

    def revise(self, number: int, now: Article, *, at: datetime = NOON) -> None:
        """Let the feed change the words of an entry."""
        row = self.rows(
            "select feed_id, story_id, title, summary from entries where id = ?", number
        )[0]
        keys = EntryKeys(number.to_bytes(16, "big"), b"", title_key(now.title or "-"))
        known = KnownEntry(
            number, row[0], StoryIds(row[1], row[1], row[1]), keys, row[2], row[3], None, None, NOON
        )
        self._commit(
            row[0],
            at=at,
            revisions=(
                Revision(
                    known,
                    now.title,
                    now.summary,
                    now.link,
                    keys,
                    None,
                    retitled=True,
                    language=now.language,
                    body=now.body,
                    categories=now.categories,
                ),
            ),
        )

    def forget(self, *numbers: int) -> None:
        """Let entries leave their feed a hundred days ago, and prune them."""
        self.run(
            self.store.polls.commit(
                [FeedCommit(1, self._state(), absent=numbers)], NOON - 100 * DAY
            )
        )
        self.run(self.store.admin.prune(NOON))

    def fill(self, batches: int = 100, *, now: datetime | None = None) -> int:
        """Add entries to the full-text index; return how many."""
        total = 0
        for _ in range(batches):
            count = self.run(self.store.search.fill(now or NOON + HOUR))
            total += count
            if not count:
                break
        return total

    def titles(self, query: str, **more: Any) -> list[str]:
        """Return the headlines that a search finds."""
        return [
            hit.entry.article.title for hit in search(parse(query, NAMES), self.archive, **more)
        ]

    def _commit(self, feed: int, *, at: datetime = NOON, **what: Any) -> None:
        self.run(self.store.polls.commit([FeedCommit(feed, self._state(), **what)], at))

    def _state(self) -> FeedState:
        return FeedState(next_poll_at=NOON + 365 * DAY, baseline_at=self.watched_since)
