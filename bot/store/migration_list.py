"""A list of migrations, and sqlite_utils, which runs them and makes transactions.

sqlite_utils takes as long to import as half of the store, and what only reads needs none of it.
Has no migration.
"""

import sqlite3
import sys
from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

    Migration = Callable[[Database], None]


class MigrationList:
    """Functions in the order in which they run, each once in a database."""

    def __init__(self, name: str) -> None:
        """`name` is that of the list in the table of what ran."""
        self.name = name
        self._migrations: list[Migration] = []

    def __call__(self) -> "Callable[[Migration], Migration]":
        """Return a decorator that puts a function at the end of the list."""

        def add(migration: "Migration") -> "Migration":
            self._migrations.append(migration)
            return migration

        return add

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all, in their order."""
        return tuple(migration.__name__ for migration in self._migrations)

    def by_name(self) -> "dict[str, Migration]":
        """Return all by their names, in their order."""
        return dict(zip(self.names, self._migrations, strict=True))

    def apply(self, db: "Database", *, stop_before: str | Collection[str] | None = None) -> None:
        """Run what did not run yet, each in a transaction; some only up to one of these."""
        from sqlite_utils.migrations import Migrations  # noqa: PLC0415 (where something is written)

        runs = Migrations(self.name)
        for migration in self._migrations:
            runs()(migration)
        runs.apply(db, stop_before=stop_before)


def database_of(connection: sqlite3.Connection) -> "Database":
    """Return a connection as migrations and transactions take it.

    sqlite_utils imports numpy, where that is installed, for column types that no table here has:
    it is imported as though that were not there. It would cost each process 12 MB, 120 MB of
    address space, a thread for each core and 0.2 s.
    """
    _import_without("sqlite_utils", absent="numpy")
    from sqlite_utils import Database  # noqa: PLC0415 (as above)

    return Database(connection)


def _import_without(library: str, absent: str) -> None:
    """Import a library as though another one were not installed."""
    if absent in sys.modules:
        return
    sys.modules[absent] = None  # type: ignore[assignment]  # how Python marks a missing module
    try:
        import_module(library)
    finally:
        del sys.modules[absent]
