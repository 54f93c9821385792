"""The stored entries that those of documents may be: for all feeds of a batch at once.

Decides nothing. A statement for each kind of key, not for each feed: on a server the way there and
back takes longer than the look.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.model.entries import KnownEntry
from bot.model.poll import Lookup
from bot.store import bodies
from bot.store.engines.engine import Database
from bot.store.mappers import get_known
from bot.store.sql import marks

_CHUNK = 256  # keys of one statement, a power of two
# `!= x''` is the condition of the partial indexes, in their own words. The order of the tables is
# that of the look: SQLite keeps to it in a cross join.
_BY_KEY = """
    with wanted (feed, key) as (values {rows})
    select e.* from wanted w cross join entries e
        on e.feed_id = w.feed and e.{column} = w.key and e.{column} != x''
"""
_BY_ID = "select * from entries where id in ({marks})"
_EARLIER = "select entry_id, title, summary from revisions where entry_id in ({marks})"


def known_entries(db: Database, lookups: Sequence[Lookup]) -> dict[int, tuple[KnownEntry, ...]]:
    """Return the entries of each feed that its lookup may mean, in order of id, by feed id."""
    wanted: dict[str, set[tuple[int, bytes]]] = {
        "guid_key": {(each.feed_id, key.guid) for each in lookups for key in each.keys},
        "title_key": {(each.feed_id, key.title) for each in lookups for key in each.keys},
        "article_key": {(each.feed_id, key.article) for each in lookups for key in each.keys},
        "link_key": {(each.feed_id, key.link) for each in lookups for key in each.keys},
    }
    rows: dict[int, Any] = {}
    for column, keys in wanted.items():
        for row in _of_keys(db, column, sorted(pair for pair in keys if pair[1])):
            rows[row["id"]] = row
    ids = {number for each in lookups if each.keys for number in each.entry_ids} - rows.keys()
    for chunk in _chunks(sorted(ids)):
        for row in db.execute(_BY_ID.format(marks=marks(chunk)), chunk).fetchall():
            rows[row["id"]] = row
    return _by_feed(db, rows, lookups)


def _of_keys(db: Database, column: str, keys: list[tuple[int, bytes]]) -> Iterable[Any]:
    """Select the entries of these feeds and keys."""
    for chunk in _chunks(keys):
        statement = _BY_KEY.format(rows=", ".join(["(?, ?)"] * len(chunk)), column=column)
        yield from db.execute(statement, [value for pair in chunk for value in pair]).fetchall()


def _by_feed(
    db: Database, rows: dict[int, Any], lookups: Sequence[Lookup]
) -> dict[int, tuple[KnownEntry, ...]]:
    ids = sorted(rows)
    earlier = _earlier_words(db, ids)
    packed = bodies.packed_of(db, ids) if ids else {}
    entries: dict[int, list[KnownEntry]] = {each.feed_id: [] for each in lookups}
    for number in ids:
        known = get_known(rows[number])
        if number in earlier:
            known = replace(known, earlier=tuple(earlier[number]))
        if number in packed:
            known = bodies.with_body(known, packed[number])
        entries.setdefault(rows[number]["feed_id"], []).append(known)
    return {feed: tuple(listed) for feed, listed in entries.items()}


def _earlier_words(db: Database, ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    """Headlines and texts that entries had before, by entry."""
    words: dict[int, list[tuple[str, str]]] = {}
    for chunk in _chunks(ids):
        for row in db.execute(_EARLIER.format(marks=marks(chunk)), chunk).fetchall():
            words.setdefault(row["entry_id"], []).append((row["title"], row["summary"]))
    return words


def _chunks(values: list[Any]) -> Iterable[list[Any]]:
    """Yield the values in parts as long as a power of two, the last one repeated to fill them.

    So there are few different statements to prepare.
    """
    for at in range(0, len(values), _CHUNK):
        chunk = values[at : at + _CHUNK]
        size = 1 << (len(chunk) - 1).bit_length()
        yield chunk + chunk[-1:] * (size - len(chunk))
