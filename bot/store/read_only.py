"""A reader of a database that another process may be writing. Holds no SQL.

Imports what most commands read, and not all of the store, which takes four times as long.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.model.database_address import DatabaseAddress
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.desired_config import ConfigText
from bot.model.gauges import Gauges
from bot.model.nodes import Sharing
from bot.model.pages import PageCounts
from bot.model.retention import Obsolete, Retention, RetentionState
from bot.model.status import Status
from bot.store import kept_config, kept_retention, page_facts
from bot.store.engines import sqlite
from bot.store.engines.engine import Reader
from bot.store.gauges import read_gauges
from bot.store.nodes import read_sharing
from bot.store.overview import read_clock_seen, read_outbox, read_status

if TYPE_CHECKING:
    from bot.model.archive import StoredAbout


def is_absent(address: DatabaseAddress) -> bool:
    """Whether there is no such file yet. A server is asked when it is read."""
    return isinstance(address, Path) and not address.exists()


def reader_of(address: DatabaseAddress) -> Reader:
    """Return what reads the database at an address."""
    if isinstance(address, Path):
        return sqlite.Reader(address)
    from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

    return postgres.Reader(address)


class ReadOnlyDatabase:
    """Reads a database that another process may be writing; implements `ports.StatusReader`."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Raises StoreError where there is no such file."""
        if is_absent(address):
            raise StoreError(f"There is no database at {address} yet: run `newsbell run` first.")
        self._address = address
        self._reader = reader_of(address)

    def status(self) -> Status:
        """Return the state, as `AdminStore.status` does."""
        with self._reader.open() as db:
            return read_status(db)

    def bytes(self) -> int:
        """Return how large all of the database is. Raises StoreError."""
        if isinstance(self._address, Path):
            return sqlite.database_bytes(self._address)
        with self._reader.open(any_version=True) as db:
            return db.database_bytes()

    def sharing(self) -> Sharing:
        """Return the nodes, and what waits between them. Raises StoreError."""
        with self._reader.open() as db:
            return read_sharing(db)

    def clock_seen(self) -> datetime | None:
        """Return the last time that newsbell is known to have run. Raises StoreError."""
        with self._reader.open() as db:
            return read_clock_seen(db)

    def gauges(self, now: datetime) -> Gauges:
        """Return the sizes of what is stored. Raises StoreError."""
        with self._reader.open() as db:
            return read_gauges(db, now)

    def stored_about(self, text: str) -> "list[StoredAbout]":
        """Return the people and chats of this number or name. Raises StoreError."""
        from bot.store.forget import stored_about  # noqa: PLC0415 (for who deletes somebody)

        with self._reader.open() as db:
            return stored_about(db, text)

    def pages(self, since: datetime) -> PageCounts:
        """Return how many pages of articles wait, and what became of those since then."""
        with self._reader.open() as db:
            return page_facts.counts(db, since)

    def retention(self) -> RetentionState:
        """Return what clean-ups keep to. Raises StoreError."""
        with self._reader.open() as db:
            return kept_retention.read(db)

    def obsolete(self, wanted: Retention, used: Retention, now: datetime) -> Obsolete:
        """Return how much a clean-up would delete that one by `used` would not.

        Raises StoreError.
        """
        from bot.store.cleanup import obsolete  # noqa: PLC0415 (for who changes the retention)

        with self._reader.open() as db:
            return obsolete(db, wanted, used, now)

    def kept_config(self) -> ConfigText | None:
        """Return the text of the last good configuration. Raises StoreError."""
        with self._reader.open(any_version=True) as db:
            return kept_config.read(db)

    def outbox(
        self, now: datetime, states: Collection[DeliveryState] | None = None
    ) -> list[OutboxRow]:
        """Return deliveries, as `AdminStore.outbox` does."""
        with self._reader.open() as db:
            return read_outbox(db, now, states)
