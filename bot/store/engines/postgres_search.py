"""The index of the search on PostgreSQL: the keys of entries as a tsvector with a GIN index.

Knows no keys. Keys are lexemes as they are: nothing is stemmed, and positions are not kept.
Source: PostgreSQL 14, 8.11.2 "tsquery".
"""

import re
from string import ascii_lowercase, ascii_uppercase

from bot.store.engines.engine import Database

# FTS5's tokenizer `ascii` does the same, whatever language the server speaks.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_LONGEST = 400  # characters of a lexeme; PostgreSQL takes 2,046 bytes
_PART = re.compile(r'"(?P<key>(?:[^"]|"")*)"\s*(?P<prefix>\*)?|(?P<word>AND|OR|[()])')
_SIGNS = {"AND": " & ", "OR": " | ", "(": "(", ")": ")"}


class TsvectorSearch:
    """Implements `engine.SearchIndex`."""

    insert = f"""
        insert into search (rowid, keys) values (?, array_to_tsvector(array(
            select distinct left(key, {_LONGEST}) from unnest(string_to_array(lower(?), ' ')) key
            where key != '')))
    """
    matches = "search.keys @@ cast(:expression as tsquery)"

    def expression(self, text: str) -> str:
        """Return a tsquery of an expression in the syntax of FTS5: keys, AND, OR, parentheses."""
        return "".join(
            _SIGNS[part["word"]] if part["word"] else _lexeme(part["key"], bool(part["prefix"]))
            for part in _PART.finditer(text)
        )

    def is_usable(self, db: Database, text: str) -> bool:
        """Whether the index can be asked: always, since the server keeps it whole."""
        del db, text
        return True

    def merge(self, db: Database, pages: int) -> bool:
        """Do nothing: the server tidies its index by itself (autovacuum)."""
        del db, pages
        return False

    def discard(self, db: Database, pages: int) -> bool:
        """Do nothing: an index that was emptied leaves nothing behind."""
        del db, pages
        return False

    def empty(self, db: Database) -> None:
        """Take all rows out of the index."""
        db.execute("truncate search")


def _lexeme(key: str, is_prefix: bool) -> str:
    quoted = (
        key.replace('""', '"').translate(_LOWER)[:_LONGEST].replace("\\", "\\\\").replace("'", "''")
    )
    return f"'{quoted}'" + (":*" if is_prefix else "")
