"""Stored entries to look back at: the search over their keys, kept up in batches, and what is known of an entry. Decides nothing.

Reading goes over connections of its own that never write, so that looking back holds up neither polls nor deliveries.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.errors import StoreError
from bot.model.archive import AlertFact, ChatFact, EntryFacts, FeedFact, StoredEntry, StoryEntry
from bot.model.chats import ChatKind, Subscription
from bot.model.delivery import DeliveryState
from bot.model.entries import Article, Silence
from bot.model.stories import Pair, PairReason
from bot.query.prefilter import search_text
from bot.query.words import ArticleWords
from bot.store.database import Writer, wrapped
from bot.store.mappers import (
    SUBSCRIPTIONS,
    get_settings,
    get_story_ids,
    get_subscription,
    get_time,
    marks,
    put_time,
    sure_time,
)

BATCH = 100  #: entries taken into the search in one transaction
_AGAIN = 1 << 40  # row ids of the search from here on are those of `searched_again`
_WASTE = 2.0  # rows of the search for one entry, from which it is begun anew

_ENTRY = (
    "select e.id, e.feed_id, e.strict_id, e.story_id, e.storyline_id, e.title, e.summary, e.language, "
    "e.link, e.author, e.source, e.published, e.first_seen_at, "
    "e.silent, f.url as feed_url, f.name as feed_name, f.publisher, f.tags from entries e join feeds f on f.id = e.feed_id "
)
_HITS = (
    "e.id in (select coalesce(a.entry_id, search.rowid) from search left join searched_again a on a.id = search.rowid "
    "where search match :expression "
    "union select id from entries where id > (select cast(coalesce(max(value), '0') as integer) from meta where name = 'searched') "
    "union select entry_id from unsearched)"
)


class SearchTables:
    """The writing side of the search."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def fill(self) -> int:
        """Take the next entries into the search; how many. An entry that is not there yet is found by looking at it."""
        return await self._writer.run("keep the search", _fill)

    async def renew(self) -> bool:
        """Begin the search anew where half of it is of entries that are gone; whether it was."""
        return await self._writer.run("keep the search", _renew)


def _fill(db: Database) -> int:
    searched = int(
        (db.execute("select value from meta where name = 'searched'").fetchone() or ["0"])[0]
    )
    rows = db.execute(
        f"{_ENTRY} where e.id > ? order by e.id limit ?", [searched, BATCH]
    ).fetchall()
    if rows:
        db.conn.executemany(
            "insert into search (rowid, keys) values (?, ?)",
            [(row["id"], _keys(row)) for row in rows],
        )
        db.execute("insert or replace into meta values ('searched', ?)", [str(rows[-1]["id"])])
        db.execute(
            "delete from unsearched where entry_id > ? and entry_id <= ?",
            [searched, rows[-1]["id"]],
        )
    again = db.execute(
        f"{_ENTRY} join unsearched u on u.entry_id = e.id where e.id <= ? limit ?",
        [searched, BATCH],
    ).fetchall()
    for row in again:
        number = db.execute(
            "select coalesce(max(id), ?) + 1 from searched_again", [_AGAIN]
        ).fetchone()[0]
        db.execute("insert into searched_again values (?, ?)", [number, row["id"]])
        db.execute("insert into search (rowid, keys) values (?, ?)", [number, _keys(row)])
        db.execute("delete from unsearched where entry_id = ?", [row["id"]])
    if rows or again:
        db.execute(
            "insert into meta values ('search_rows', ?) on conflict (name) do update set value = cast(value as integer) + excluded.value",
            [str(len(rows) + len(again))],
        )
    return len(rows) + len(again)


def _renew(db: Database) -> bool:
    row = db.execute("select value from meta where name = 'search_rows'").fetchone()
    entries = db.execute("select count(*) from entries").fetchone()[0]
    if not row or int(row[0]) <= _WASTE * entries + BATCH:
        return False
    db.execute("insert into search (search) values ('delete-all')")
    db.execute("delete from searched_again")
    db.execute("delete from unsearched")
    db.execute("delete from meta where name in ('searched', 'search_rows')")
    return True


def _keys(row: Any) -> str:
    return search_text(ArticleWords(Article(row["title"], row["summary"], row["language"])))


class Archive:
    """Reads a database that another connection, or another process, may be writing; implements `ports.Archive`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[Database]:
        if not self._path.exists():
            raise StoreError(f"There is no database at {self._path} yet: run `newsbell run` first.")
        with (
            wrapped("be read"),
            closing(
                sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
            ) as connection,
        ):
            connection.row_factory = sqlite3.Row
            connection.execute("pragma wal_autocheckpoint = 0")
            yield Database(connection, execute_plugins=False)

    def languages(self) -> frozenset[str]:
        """The languages of stored entries."""
        with self._open() as db:
            row = db.execute("select value from meta where name = 'languages'").fetchone()
            return frozenset(json.loads(row[0])) if row else frozenset()

    def begins(self) -> datetime | None:
        """When the oldest stored entry was seen."""
        with self._open() as db:
            return get_time(db.execute("select min(first_seen_at) from entries").fetchone()[0])

    def count(self, expression: str, since: datetime | None) -> int:
        """How many entries a search has to look at."""
        with self._open() as db:
            where, values = _where(_usable(db, expression), since)
            return int(
                db.execute(f"select count(*) from entries e where {where}", values).fetchone()[0]
            )

    def entries(
        self, expression: str, since: datetime | None, step: int = 1
    ) -> Iterator[StoredEntry]:
        """Entries that a search has to look at, newest first; with `step`, only each so manieth. An empty expression means all."""
        with self._open() as db:
            where, values = _where(_usable(db, expression), since)
            spread = " and e.id % :step = 0" if step > 1 else ""
            for row in db.execute(
                f"{_ENTRY} where {where}{spread} order by e.id desc", {**values, "step": step}
            ):
                yield _stored(row)

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions in force."""
        with self._open() as db:
            return [
                get_subscription(row)
                for row in db.execute(SUBSCRIPTIONS.format(where="")).fetchall()
            ]

    def latest(self, limit: int) -> list[EntryFacts]:
        """What became of the newest entries."""
        with self._open() as db:
            return [
                _facts(db, row)
                for row in db.execute(f"{_ENTRY} order by e.id desc limit ?", [limit]).fetchall()
            ]

    def find(self, link: bytes, guid: bytes, title: bytes) -> list[EntryFacts]:
        """What became of the entries with this link, guid or headline, in the order in which they were seen."""
        with self._open() as db:
            rows = db.execute(
                f"{_ENTRY} where (e.link_key = ? and e.link_key != x'') or (e.guid_key = ? and e.guid_key != x'') or e.title_key = ? "
                "order by e.id limit 50",
                [link, guid, title],
            ).fetchall()
            return [_facts(db, row) for row in rows]

    def entry_at(self, link: bytes, guid: bytes, title: bytes) -> int:
        """The newest entry with this link, guid or headline; 0 for none."""
        with self._open() as db:
            row = db.execute(
                "select max(id) from entries where (link_key = ? and link_key != x'') or (guid_key = ? and guid_key != x'') "
                "or (title_key = ? and title_key != x'')",
                [link, guid, title],
            ).fetchone()
            return int(row[0] or 0)

    def facts(self, entry_id: int) -> EntryFacts | None:
        """What became of an entry; None where it is forgotten."""
        with self._open() as db:
            row = db.execute(f"{_ENTRY} where e.id = ?", [entry_id]).fetchone()
            return _facts(db, row) if row else None

    def storyline(self, entry_id: int) -> list[StoryEntry]:
        """The entries of the storyline that an entry belongs to; none where it is not known."""
        with self._open() as db:
            rows = db.execute(
                "select e.id, e.strict_id, e.story_id, e.storyline_id, e.title, e.link, coalesce(nullif(e.source, ''), f.name) as name, "
                "e.origin, e.agency, coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at, "
                "(select json_group_array(json_array(other_id, score, reason)) from joins j where j.entry_id = e.id) as pairs "
                "from entries e join feeds f on f.id = e.feed_id "
                "where e.storyline_id = (select storyline_id from entries where id = ?) order by e.id",
                [entry_id],
            ).fetchall()
        return [
            StoryEntry(
                row["id"],
                get_story_ids(row),
                row["title"],
                row["link"],
                row["name"],
                row["origin"],
                row["agency"],
                sure_time(row["at"]),
                tuple(
                    sorted(
                        (
                            Pair(other, score, PairReason(reason))
                            for other, score, reason in json.loads(row["pairs"])
                        ),
                        key=lambda pair: -pair.score,
                    )
                ),
            )
            for row in rows
        ]

    def feeds(self) -> list[FeedFact]:
        """The feeds that are watched."""
        with self._open() as db:
            rows = db.execute(
                "select name, url, last_poll_at, next_poll_at, failure_text, failures from feeds where active = 1"
            ).fetchall()
            return [
                FeedFact(
                    row["name"],
                    row["url"],
                    get_time(row["last_poll_at"]),
                    sure_time(row["next_poll_at"]),
                    row["failure_text"],
                )
                for row in rows
            ]

    def chat_addresses(self) -> dict[int, ChatFact]:
        """Where chats are, by id."""
        with self._open() as db:
            rows = db.execute(
                "select id, name, kind, address, topic, declared, settings from chats"
            ).fetchall()
            return {
                row["id"]: ChatFact(
                    row["name"],
                    ChatKind(row["kind"]),
                    row["address"],
                    row["topic"],
                    bool(row["declared"]),
                    get_settings(row["settings"]),
                )
                for row in rows
            }

    def added_feeds(self, chats: Collection[int]) -> list[tuple[str, str, tuple[str, ...]]]:
        """The feeds that these chats added and the file does not have: address, name, tags."""
        with self._open() as db:
            rows = db.execute(
                "select distinct url, name, tags from feeds join feed_chats on feed_id = id where declared = 0 and active = 1 "
                f"and chat_id in ({marks(chats)}) order by name, url",
                list(chats),
            ).fetchall()
            return [(row["url"], row["name"], tuple(json.loads(row["tags"]))) for row in rows]

    def chats(self) -> dict[int, tuple[str, str]]:
        """Names of chats by id, each with why it is paused, or nothing."""
        with self._open() as db:
            return {
                row["id"]: (row["name"], row["paused"])
                for row in db.execute("select id, name, paused from chats").fetchall()
            }


def _usable(db: Database, expression: str) -> str:
    """The expression, or none where the search is broken: then every entry is looked at."""
    try:
        db.execute(
            "select 1 from search where search match ? limit 1", [expression or '"x"']
        ).fetchone()
    except sqlite3.DatabaseError:
        return ""
    return expression


def _where(expression: str, since: datetime | None) -> tuple[str, dict[str, Any]]:
    conditions = ["e.first_seen_at >= :since"] if since else []
    if expression:
        conditions.append(_HITS)
    return " and ".join(conditions) or "1", {"since": put_time(since), "expression": expression}


def _stored(row: Any) -> StoredEntry:
    return StoredEntry(
        id=row["id"],
        story_id=row["story_id"],
        article=Article(
            title=row["title"],
            summary=row["summary"],
            language=row["language"],
            link=row["link"],
            author=row["author"],
            source=row["source"],
            feed=row["feed_url"],
            feed_name=row["feed_name"],
            publisher=row["publisher"],
            tags=tuple(json.loads(row["tags"])),
        ),
        published=get_time(row["published"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        silent=Silence(row["silent"]) if row["silent"] else None,
    )


def _facts(db: Database, row: Any) -> EntryFacts:
    places = [row["strict_id"], row["storyline_id"], row["story_id"]]
    alerts = db.execute(
        "select a.chat_id, a.entry_id, a.created_at, a.message_id, a.catch_up, a.held, a.due_at, o.state, o.error, o.settled_at, o.kind, "
        "(select json_group_array(subscription_id) from alert_matches m where m.chat_id = a.chat_id and m.story_id = a.story_id) as matched "
        "from alerts a left join outbox_alerts oa on oa.chat_id = a.chat_id and oa.story_id = a.story_id "
        "left join outbox o on o.id = oa.outbox_id and o.kind = 'alert' where coalesce(a.merged_into, a.story_id) in (?, ?, ?) "
        "and (a.entry_id = ? or a.merged_into is null) and coalesce(a.merged_into, a.story_id) = "
        "case a.grouping when 'strict' then ? when 'loose' then ? else ? end "
        "order by a.chat_id, a.entry_id = ?, o.id",
        [*places, row["id"], *places, row["id"]],
    ).fetchall()
    entries = {one["entry_id"] for one in alerts}
    titles = dict(
        db.execute(
            f"select id, title from entries where id in ({marks(entries)})", sorted(entries)
        ).fetchall()
    )
    latest: dict[int, AlertFact] = {}
    for one in alerts:
        if one["state"] is None and one["chat_id"] in latest:
            continue
        latest[one["chat_id"]] = AlertFact(
            chat_id=one["chat_id"],
            entry_id=one["entry_id"],
            title=titles.get(one["entry_id"], ""),
            created_at=sure_time(one["created_at"]),
            state=DeliveryState(one["state"]) if one["state"] else None,
            error=one["error"] or "",
            settled_at=get_time(one["settled_at"]),
            arrived=one["message_id"] is not None,
            subscriptions=frozenset(json.loads(one["matched"])),
            held=bool(one["held"]),
            due_at=get_time(one["due_at"]),
        )
    revised = [
        (sure_time(one["at"]), one["title"])
        for one in db.execute(
            "select at, title from revisions where entry_id = ?", [row["id"]]
        ).fetchall()
    ]
    return EntryFacts(_stored(row), tuple(latest.values()), tuple(revised))
