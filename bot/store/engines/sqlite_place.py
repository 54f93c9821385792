"""A file of SQLite as what a database is moved from or to; implements `place.Place`.

Knows no table's meaning.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.errors import StoreError
from bot.store.engines import sqlite
from bot.store.engines.engine import Database
from bot.store.engines.tables import Table, pristine

# Rows come in the order of their key, but in no order of other indexes: those should fit.
_CACHE = "cache_size = -256000"  # kB


class SqlitePlace:
    """A file; there may be none yet."""

    keeps_zero_bytes = True

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # the same wherever a move is started

    def __str__(self) -> str:
        return str(self._path)

    def reader(self) -> sqlite.Reader:
        """Return what reads it."""
        return sqlite.Reader(self._path)

    @contextmanager
    def locked(self) -> Iterator[Callable[[], None]]:
        """Keep every newsbell out. Raises StoreBusy where there is one."""
        lock = sqlite.Lock(self._path)
        lock.take()
        try:
            yield lambda: None  # the system keeps it
        finally:
            lock.release()

    def last_numbers(self, db: Database) -> dict[str, int]:
        """Return the last numbers of tables that never give a number twice."""
        rows = db.execute("select name, seq from sqlite_sequence").fetchall()
        return {row["name"]: row["seq"] for row in rows}

    @contextmanager
    def target(self) -> Iterator["SqliteTarget"]:
        """Take the lock and open it for writing, whatever is in it. Raises StoreError."""
        if self._path.is_dir():
            raise StoreError(f"{self._path} is a folder: name a file in it.")
        if not self._path.parent.is_dir():
            raise StoreError(f"There is no folder {self._path.parent}: make it first.")
        with self.locked(), sqlite.wrapped("be moved", "then start the move again"):
            target = SqliteTarget(self._path)
            try:
                yield target
            finally:
                target.close()


class SqliteTarget:
    """A file that is being written; implements `place.Target`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, sqlite.PRIVATE))
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        self.db = sqlite.Database(connection)

    def close(self) -> None:
        """Close the connection."""
        self.db.conn.close()

    def names(self) -> frozenset[str]:
        """Return the names of all tables that are there."""
        rows = self.db.execute("select name from sqlite_schema where type = 'table'").fetchall()
        return frozenset(row["name"] for row in rows)

    def migrate(self) -> None:
        """Make the tables, on the connection that every newsbell would have."""
        self.close()
        self.db = sqlite.connect(self._path, unfinished=True)
        self.db.execute(f"pragma {_CACHE}")
        self.db.execute("pragma foreign_keys = off")  # checked by `settle`, all at once

    def suspend(self) -> None:
        """Take the triggers away."""
        rows = self.db.execute("select name from sqlite_schema where type = 'trigger'").fetchall()
        for row in rows:
            self.db.execute(f"drop trigger {row['name']}")

    def insert(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> int:
        """Write rows, and return how many."""
        names = ", ".join(column.name for column in table.columns)
        marks = ", ".join("?" * len(table.columns))
        return self.db.executemany(f"insert into {table.name} ({names}) values ({marks})", rows)

    def settle(self, last: Mapping[str, int]) -> None:
        """Check references, give the triggers back, and number later rows behind `last`."""
        lost = self.db.execute("pragma foreign_key_check").fetchone()
        if lost is not None:
            raise StoreError(
                f"A row of {lost['table']} refers to one of {lost['parent']} that is "
                "not there: the database that is moved is damaged. Restore a backup."
            )
        with pristine() as connection:
            rows = connection.execute("select sql from sqlite_schema where type = 'trigger'")
            for row in rows.fetchall():
                self.db.execute(row["sql"])
            texts = connection.execute("select name, sql from sqlite_schema where type = 'table'")
            counted = {row["name"] for row in texts if "autoincrement" in (row["sql"] or "")}
        for name in sorted(counted & last.keys()):
            self.db.execute("delete from sqlite_sequence where name = ?", [name])
            highest = self.db.execute(f"select coalesce(max(id), 0) from {name}").fetchone()[0]
            self.db.execute(
                "insert into sqlite_sequence values (?, ?)", [name, max(last[name], highest)]
            )

    def tidy(self) -> None:
        """Have everything in the file; the planner's statistics are fixed."""
        self.db.execute("pragma wal_checkpoint(truncate)")
