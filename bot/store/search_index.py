"""The search index over stored entries: filled in batches, rebuilt where much of it is obsolete.

It is also rebuilt where another version of newsbell made its keys.

The index holds the keys that queries look for, not the text of entries (`bot.query.prefilter`).
Its rows are never changed: an entry with other words gets a further row, whose id is above `_AGAIN`
and leads to the entry by `searched_again`. Reading it is in `archive`.

No transaction grows with the index, whatever the engine that keeps it (`engine.SearchIndex`).
"""

from bisect import bisect_right
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from bot.model.entries import Article
from bot.query.prefilter import KEYS_VERSION, search_text
from bot.query.words import ArticleWords
from bot.store import bodies, meta
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.page_terms import TERMS, unpack_terms
from bot.store.sql import marks

BATCH = 40  #: entries added in one transaction
BATCH_TEXT = 8000  #: characters of them: their words may all be new ones
MERGED_PAGES = 64  #: of parts of the index that one transaction merges, of 4 kB
DISCARDED_PAGES = 500  #: of a former index that one transaction deletes
SETTLED = timedelta(hours=1)  #: after its last change an entry gets a further row
_AGAIN = 1 << 40
_OBSOLETE = 0.5  # share of obsolete rows, from which the index is rebuilt
_PACKED_SIZE = 2  # characters of a byte of a packed body, about
_FEW = 100  # rows of an index that is rebuilt for no share

_NEW = f"""
    select id, title, summary, language, {bodies.PACKED}, {TERMS} from entries e
    where id > ? order by id limit ?
"""
_CHANGED = f"""
    select id, title, summary, language, {bodies.PACKED}, {TERMS}
    from entries e join unsearched on entry_id = id
    where id <= ? and at <= ? order by at limit ?
"""
_NEXT_AGAIN = "select coalesce(max(id), ?) + 1 from searched_again"
_EMPTY = ("delete from searched_again", "delete from unsearched")


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

    async def merge(self) -> bool:
        """Merge the next pages of the index; return whether there may be more."""
        return await self._writer.run("merge the search", _merge)

    async def renew(self) -> bool:
        """Empty the search index where half of it is obsolete; return whether it was.

        Its pages are left for `discard`, and no further renewal begins before that is done.
        """
        return await self._writer.run("renew the search", _renew)

    async def discard(self) -> bool:
        """Delete the next pages of the former index; return whether there may be more."""
        return await self._writer.run("discard the former search", _discard)


def _fill(db: Database, now: datetime) -> int:
    if meta.read_number(db, MetaName.SEARCH_KEYS) != KEYS_VERSION:
        if not _empty(db):
            return 0
        meta.write(db, MetaName.SEARCH_KEYS, KEYS_VERSION)
    searched = meta.read_number(db, MetaName.SEARCHED)
    new = _beginning(db.execute(_NEW, [searched, BATCH]).fetchall())
    if new:
        last = new[-1]["id"]
        db.executemany(
            db.search.insert,
            [(row["id"], _keys(row)) for row in new],
        )
        meta.write(db, MetaName.SEARCHED, last)
        db.execute("delete from unsearched where entry_id > ? and entry_id <= ?", [searched, last])
    values = [searched, put_time(now - SETTLED), BATCH]
    changed = _beginning(db.execute(_CHANGED, values).fetchall())
    for row in changed:
        number = db.execute(_NEXT_AGAIN, [_AGAIN]).fetchone()[0]
        db.execute("insert into searched_again values (?, ?)", [number, row["id"]])
        db.execute(db.search.insert, [number, _keys(row)])
        db.execute("delete from unsearched where entry_id = ?", [row["id"]])
    count = len(new) + len(changed)
    if count:
        meta.add(db, MetaName.SEARCH_ROWS, count)
    if changed:
        meta.add(db, MetaName.SEARCH_OBSOLETE, len(changed))
    return count


def _beginning(rows: list[Any]) -> list[Any]:
    """The first of these entries, as many as their text allows."""
    sizes = accumulate(
        len(row["title"]) + len(row["summary"]) + _PACKED_SIZE * len(row["packed"] or b"")
        for row in rows
    )
    return rows[: max(1, bisect_right(list(sizes), BATCH_TEXT))]


def _merge(db: Database) -> bool:
    return db.search.merge(db, MERGED_PAGES)


def _discard(db: Database) -> bool:
    return db.search.discard(db, DISCARDED_PAGES)


def _renew(db: Database) -> bool:
    rows = meta.read_number(db, MetaName.SEARCH_ROWS)
    if meta.read_number(db, MetaName.SEARCH_OBSOLETE) <= _OBSOLETE * (rows + _FEW):
        return False
    return _empty(db)


def _empty(db: Database) -> bool:
    """Empty the index, unless much of a former one is still there; return whether it was emptied.

    Until it is filled again, a search looks at every entry.
    """
    if _discard(db):
        return False
    db.search.empty(db)
    for statement in _EMPTY:
        db.execute(statement)
    names = [MetaName.SEARCHED, MetaName.SEARCH_ROWS, MetaName.SEARCH_OBSOLETE]
    db.execute(f"delete from meta where name in ({marks(names)})", names)
    return True


def _keys(row: Any) -> str:
    body = bodies.unpack(row["summary"], row["packed"])
    article = Article(row["title"], row["summary"], row["language"], body=body)
    keys = search_text(ArticleWords(article))
    return " ".join((keys, *unpack_terms(row["terms"])))
