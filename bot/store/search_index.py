"""The search index over stored entries: filled in batches, rebuilt where much of it is obsolete.

It is also rebuilt where another version of newsbell made its keys.

The index holds the keys that queries look for, not the text of entries (`bot.query.prefilter`).
Its rows are never changed: an entry with other words gets a further row, whose id is above `_AGAIN`
and leads to the entry by `searched_again`. Reading it is in `archive`.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.model.entries import Article
from bot.query.prefilter import KEYS_VERSION, search_text
from bot.query.words import ArticleWords
from bot.store import meta
from bot.store.database import Writer
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.sql import marks

BATCH = 100  #: entries added in one transaction
SETTLED = timedelta(hours=1)  #: after its last change an entry gets a further row
_AGAIN = 1 << 40
_OBSOLETE = 0.5  # share of obsolete rows, from which the index is rebuilt

_NEW = "select id, title, summary, language from entries where id > ? order by id limit ?"
_CHANGED = """
    select id, title, summary, language from entries join unsearched on entry_id = id
    where id <= ? and at <= ? order by at limit ?
"""
_NEXT_AGAIN = "select coalesce(max(id), ?) + 1 from searched_again"


class SearchTables:
    """Implements `ports.SearchStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def fill(self, now: datetime) -> int:
        """Add the next batch of entries to the search index; return how many.

        A search looks at every entry that is not in the index yet, or has changed within `SETTLED`:
        an entry that changes at every poll does not get a row each time.
        """
        return await self._writer.run("keep the search", lambda db: _fill(db, now))

    async def renew(self) -> bool:
        """Empty the search index where half of it is obsolete; return whether it was."""
        return await self._writer.run("keep the search", _renew)


def _fill(db: Database, now: datetime) -> int:
    if meta.read_number(db, MetaName.SEARCH_KEYS) != KEYS_VERSION:
        _empty(db)
        meta.write(db, MetaName.SEARCH_KEYS, KEYS_VERSION)
    searched = meta.read_number(db, MetaName.SEARCHED)
    new = db.execute(_NEW, [searched, BATCH]).fetchall()
    if new:
        last = new[-1]["id"]
        db.conn.executemany(
            "insert into search (rowid, keys) values (?, ?)",
            [(row["id"], _keys(row)) for row in new],
        )
        meta.write(db, MetaName.SEARCHED, last)
        db.execute("delete from unsearched where entry_id > ? and entry_id <= ?", [searched, last])
    changed = db.execute(_CHANGED, [searched, put_time(now - SETTLED), BATCH]).fetchall()
    for row in changed:
        number = db.execute(_NEXT_AGAIN, [_AGAIN]).fetchone()[0]
        db.execute("insert into searched_again values (?, ?)", [number, row["id"]])
        db.execute("insert into search (rowid, keys) values (?, ?)", [number, _keys(row)])
        db.execute("delete from unsearched where entry_id = ?", [row["id"]])
    count = len(new) + len(changed)
    if count:
        meta.add(db, MetaName.SEARCH_ROWS, count)
    if changed:
        meta.add(db, MetaName.SEARCH_OBSOLETE, len(changed))
    return count


def _renew(db: Database) -> bool:
    rows = meta.read_number(db, MetaName.SEARCH_ROWS)
    if meta.read_number(db, MetaName.SEARCH_OBSOLETE) <= _OBSOLETE * (rows + BATCH):
        return False
    _empty(db)
    return True


def _empty(db: Database) -> None:
    """Empty the index; until it is filled again, a search looks at every entry."""
    db.execute("insert into search (search) values ('delete-all')")
    db.execute("delete from searched_again")
    db.execute("delete from unsearched")
    names = [MetaName.SEARCHED, MetaName.SEARCH_ROWS, MetaName.SEARCH_OBSOLETE]
    db.execute(f"delete from meta where name in ({marks(names)})", names)


def _keys(row: Any) -> str:
    return search_text(ArticleWords(Article(row["title"], row["summary"], row["language"])))
