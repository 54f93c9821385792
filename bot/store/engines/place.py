"""What a move needs of an engine: a place to read from, and a place to write to. No SQL."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from bot.store.engines.engine import Database, Reader
from bot.store.engines.tables import Table


class Target(Protocol):
    """A database that is being written, and that no newsbell uses: its lock is ours."""

    @property
    def db(self) -> Database:
        """The connection that writes."""

    def names(self) -> frozenset[str]:
        """Return the names of all tables that are there, whoever made them."""

    def migrate(self) -> None:
        """Make the tables, and bring those that are there up to date."""

    def suspend(self) -> None:
        """Let rows come as they are: no trigger adds any. In a transaction."""

    def insert(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> int:
        """Write rows, and return how many. In a transaction."""

    def settle(self, last: Mapping[str, int]) -> None:
        """Undo `suspend`, and number later rows behind those that are there, and behind `last`.

        `last` has the last number that was given by table. In a transaction. Raises StoreError
        where a row refers to one that is not there.
        """

    def tidy(self) -> None:
        """Have everything on the disk, and the planner know how large it is."""


class Place(Protocol):
    """Where a database is, or may be."""

    @property
    def keeps_zero_bytes(self) -> bool:
        """Whether texts may hold the character U+0000."""

    def reader(self) -> Reader:
        """Return what reads it."""

    def locked(self) -> AbstractContextManager[Callable[[], None]]:
        """Keep every newsbell out; give what raises StoreError once it does not any more.

        Raises StoreBusy where a newsbell runs.
        """

    def last_numbers(self, db: Database) -> dict[str, int]:
        """Return the last number that was given to a row, by table; without those never used."""

    def target(self) -> AbstractContextManager[Target]:
        """Take the lock and open it for writing, whatever is in it. Raises StoreError."""
