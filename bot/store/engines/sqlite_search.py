"""The index of the search in FTS5, by its own table `search`. Knows no keys.

FTS5 keeps an index in parts, and would merge them when they are written: now and then all that
there is. So that is turned off (`automerge`, by a migration), and parts are merged page by page.
What a renewed index leaves behind is deleted likewise.
"""

import sqlite3

from bot.store.engines.engine import Database

_MERGE = "insert into search (search, rank) values ('merge', ?)"
_DISCARD = "delete from search_waste where id in (select id from search_waste limit ?)"
# FTS5 would empty the table of its pages one by one. It gets another instead, with what that of an
# empty index has (`search_empty`), and the old one is set aside. "delete-all" lets it forget what
# it knows of the old one.
_EMPTY = (
    "drop table search_waste",
    "alter table search_data rename to search_waste",
    "create table search_data (id integer primary key, block blob)",
    "insert into search_data select id, block from search_empty",
    "delete from search_idx",
    "insert into search (search) values ('delete-all')",
)


class Fts5Search:
    """Implements `engine.SearchIndex`."""

    insert = "insert into search (rowid, keys) values (?, ?)"
    matches = "search match :expression"

    def expression(self, text: str) -> str:
        """Return an expression as it is."""
        return text

    def is_usable(self, db: Database, text: str) -> bool:
        """Whether the index can be asked for an expression: it is whole."""
        try:
            db.execute(
                "select 1 from search where search match ? limit 1", [text or '"x"']
            ).fetchone()
        except sqlite3.DatabaseError:
            return False
        return True

    def merge(self, db: Database, pages: int) -> bool:
        """Merge the next pages of the index; return whether there may be more."""
        before = _total_changes(db)
        db.execute(_MERGE, [pages])
        return _total_changes(db) - before > 1  # FTS5 counts one where there was nothing to do

    def discard(self, db: Database, pages: int) -> bool:
        """Delete the next pages of the former index; return whether there may be more."""
        return db.execute(_DISCARD, [pages]).rowcount == pages

    def empty(self, db: Database) -> None:
        """Put an empty index in place of this one."""
        for statement in _EMPTY:
            db.execute(statement)


def _total_changes(db: Database) -> int:
    return int(db.execute("select total_changes()").fetchone()[0])
