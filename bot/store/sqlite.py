"""The store as one value, and a reader for other processes. Holds no SQL of its own."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from bot.errors import StoreError
from bot.model.archive import StoredAbout
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.desired_config import ConfigText
from bot.model.gauges import Gauges
from bot.model.pages import PageCounts
from bot.model.retention import Obsolete, Retention, RetentionState
from bot.model.status import Status
from bot.store import kept_config, kept_retention, pages
from bot.store.admin import AdminTables, read_clock_seen, read_outbox, read_status
from bot.store.archive import Archive
from bot.store.chats import ChatTables
from bot.store.cleanup import obsolete
from bot.store.config_sync import ConfigTables
from bot.store.database import DatabaseFiles, Lock, Writer, read_only
from bot.store.deliveries import DeliveryTables
from bot.store.forget import stored_about
from bot.store.gauges import read_gauges
from bot.store.hubs import HubTables
from bot.store.pages import PageTables
from bot.store.polls import PollTables
from bot.store.search_index import SearchTables
from bot.store.web_tokens import WebTables


class SqliteStore:
    """Opens, owns and closes the database of one newsbell; implements `ports.Store`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(path)
        self._writer = Writer(path)
        self.files = DatabaseFiles(path, self._writer, self._lock)
        self.polls = PollTables(self._writer)
        self.pages = PageTables(self._writer)
        self.deliveries = DeliveryTables(self._writer)
        self.chats = ChatTables(self._writer)
        self.config = ConfigTables(self._writer)
        self.admin = AdminTables(self._writer)
        self.search = SearchTables(self._writer)
        self.web = WebTables(self._writer)
        self.hubs = HubTables(self._writer)
        self.archive = Archive(path)

    async def __aenter__(self) -> Self:
        """Take the lock and open. Raises StoreBusy or StoreError."""
        self._lock.take()
        try:
            await self._writer.open()
        except BaseException:
            await self._writer.close()
            self._lock.release()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, then release the lock."""
        self.files.stop_check()
        try:
            await self._writer.close()
        finally:
            self._lock.release()


class ReadOnlyDatabase:
    """Reads a database that another process may be writing; implements `ports.StatusReader`."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise StoreError(f"There is no database at {path} yet: run `newsbell run` first.")
        self._path = path

    def status(self) -> Status:
        """Return the state, as `AdminTables.status` does."""
        with read_only(self._path) as connection:
            return read_status(Database(connection, execute_plugins=False))

    def clock_seen(self) -> datetime | None:
        """Return the last time that newsbell is known to have run. Raises StoreError."""
        with read_only(self._path) as connection:
            return read_clock_seen(Database(connection, execute_plugins=False))

    def gauges(self, now: datetime) -> Gauges:
        """Return the sizes of what is stored. Raises StoreError."""
        with read_only(self._path) as connection:
            return read_gauges(Database(connection, execute_plugins=False), now)

    def stored_about(self, text: str) -> list[StoredAbout]:
        """Return the people and chats of this number or name. Raises StoreError."""
        with read_only(self._path) as connection:
            return stored_about(Database(connection, execute_plugins=False), text)

    def pages(self, since: datetime) -> PageCounts:
        """Return how many pages of articles wait, and what became of those since then."""
        with read_only(self._path) as connection:
            return pages.counts(Database(connection, execute_plugins=False), since)

    def retention(self) -> RetentionState:
        """Return what clean-ups keep to. Raises StoreError."""
        with read_only(self._path) as connection:
            return kept_retention.read(Database(connection, execute_plugins=False))

    def obsolete(self, wanted: Retention, used: Retention, now: datetime) -> Obsolete:
        """Return how much a clean-up would delete that one by `used` would not.

        Raises StoreError.
        """
        with read_only(self._path) as connection:
            return obsolete(Database(connection, execute_plugins=False), wanted, used, now)

    def kept_config(self) -> ConfigText | None:
        """Return the text of the last good configuration. Raises StoreError."""
        with read_only(self._path, any_version=True) as connection:
            return kept_config.read(Database(connection, execute_plugins=False))

    def outbox(
        self, now: datetime, states: Collection[DeliveryState] | None = None
    ) -> list[OutboxRow]:
        """Return deliveries, as `AdminTables.outbox` does."""
        with read_only(self._path) as connection:
            return read_outbox(Database(connection, execute_plugins=False), now, states)
