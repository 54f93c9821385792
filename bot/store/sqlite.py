"""The store as one value: the rooms of this folder over one writer, and a reader for other processes. Holds no SQL of its own."""

import sqlite3
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from bot.errors import StoreError
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.status import Status
from bot.store.admin import AdminTables, read_outbox, read_status
from bot.store.archive import Archive, SearchTables
from bot.store.chats import ChatTables
from bot.store.config_sync import ConfigTables
from bot.store.database import Lock, Writer, wrapped
from bot.store.deliveries import DeliveryTables
from bot.store.polls import PollTables


class SqliteStore:
    """Opens, holds and closes the database of one newsbell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(path)
        self._writer = Writer(path)
        self.polls = PollTables(self._writer)
        self.deliveries = DeliveryTables(self._writer)
        self.chats = ChatTables(self._writer)
        self.config = ConfigTables(self._writer)
        self.admin = AdminTables(self._writer)
        self.search = SearchTables(self._writer)
        self.archive = Archive(path)

    async def __aenter__(self) -> Self:
        """Take the lock and open; raises StoreBusy or StoreError."""
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
        """Close, then give the lock back."""
        try:
            await self._writer.close()
        finally:
            self._lock.release()


class ReadOnlyDatabase:
    """Read a database that another process may be writing, without ever writing or checkpointing."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise StoreError(f"There is no database at {path} yet: run `newsbell run` first.")
        self._path = path

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=ro", uri=True, timeout=10
        )
        connection.row_factory = sqlite3.Row
        connection.execute("pragma wal_autocheckpoint = 0")
        return connection

    def status(self) -> Status:
        """As `OperatorTables.status`."""
        with wrapped("be read"):
            connection = self._open()
            try:
                return read_status(Database(connection, execute_plugins=False))
            finally:
                connection.close()

    def outbox(self, states: Collection[DeliveryState] | None = None) -> list[OutboxRow]:
        """As `OperatorTables.outbox`."""
        with wrapped("be read"):
            connection = self._open()
            try:
                return read_outbox(Database(connection, execute_plugins=False), states)
            finally:
                connection.close()
