"""The tables by name, with their columns and keys, in an order in which references are met.

The same on every engine: they are those that the migrations make in an empty SQLite database, from
which PostgreSQL's are made as well (`postgres_schema`). Without the index of the search, which is
each engine's own, and the table of migrations. Knows no table's meaning.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter

from bot.store.migration_list import database_of
from bot.store.schema import migrations

_LEFT_OUT = ("sqlite_", "_sqlite_", "search_")  # what engines keep for themselves
#: types of SQLite's columns, and those of Python's values in them besides None
KINDS: dict[str, type] = {"integer": int, "real": float, "text": str, "blob": bytes}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    kind: type  #: of its values, unless they are None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the store."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  #: columns of the primary key, in its order
    parents: frozenset[str]  #: tables that it refers to; maybe itself
    numbered: bool  #: the engine gives its rows numbers where they come without

    def select(self, condition: str = "true", *, back: bool = False) -> str:
        """Return the statement that reads all columns in the order of the key, or back from it."""
        order = ", ".join(f"{name} desc" if back else name for name in self.key)
        names = ", ".join(column.name for column in self.columns)
        return f"select {names} from {self.name} where {condition} order by {order}"

    def after(self) -> str:
        """Return the condition on rows behind a key, with a mark for each value of that."""
        return f"({', '.join(self.key)}) > ({', '.join('?' * len(self.key))})"

    def key_of(self, row: tuple[object, ...]) -> tuple[object, ...]:
        """Return the values of the key in a row."""
        names = [column.name for column in self.columns]
        return tuple(row[names.index(name)] for name in self.key)


@contextmanager
def pristine() -> Iterator[sqlite3.Connection]:
    """An empty SQLite database in memory, with all that the migrations make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        migrations.apply(database_of(connection))
        yield connection


def tables() -> tuple[Table, ...]:
    """Return all tables; each comes after those that it refers to."""
    with pristine() as connection:
        rows = connection.execute(
            "select name from sqlite_schema where type = 'table' and name != 'search' order by name"
        )
        names = [row["name"] for row in rows if not row["name"].startswith(_LEFT_OUT)]
        found = {name: _table(connection, name) for name in names}
    sorter = TopologicalSorter({name: table.parents - {name} for name, table in found.items()})
    return tuple(found[name] for name in sorter.static_order())


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute(f"pragma table_info({name})").fetchall()
    keys = sorted((row for row in columns if row["pk"]), key=lambda row: row["pk"])
    references = connection.execute(f"pragma foreign_key_list({name})").fetchall()
    return Table(
        name,
        tuple(Column(row["name"], KINDS[row["type"].lower()]) for row in columns),
        tuple(row["name"] for row in keys),
        frozenset(row["table"] for row in references),
        numbered=len(keys) == 1 and keys[0]["type"].lower() == "integer",
    )
