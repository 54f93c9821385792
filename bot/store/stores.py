"""The store as one value, on either engine. Holds no SQL."""

from pathlib import Path
from types import TracebackType
from typing import Self

from bot.model.database_address import DatabaseAddress, PostgresAddress
from bot.model.nodes import Tables
from bot.ports import StoreFiles
from bot.store.admin import AdminTables
from bot.store.archive import Archive
from bot.store.chats import ChatTables
from bot.store.config_sync import ConfigTables
from bot.store.deliveries import DeliveryTables
from bot.store.engines import sqlite
from bot.store.engines.engine import Database, Reader, Writer
from bot.store.hubs import HubTables
from bot.store.nodes import NodeTables
from bot.store.pages import PageTables
from bot.store.polls import PollTables
from bot.store.requests import RequestTables
from bot.store.search_index import SearchTables
from bot.store.web_tokens import WebTables


class OpenStore:
    """The tables over the writer and the reader of an engine; implements `ports.Store`."""

    def __init__(self, writer: Writer, reader: Reader, files: StoreFiles, node: str = "") -> None:
        """`node`: who this is, where several machines share the database."""
        self._writer = writer
        self.nodes = NodeTables(writer)
        self.requests = RequestTables(writer)
        self.files = files
        self.polls = PollTables(writer, node)
        self.pages = PageTables(writer)
        self.deliveries = DeliveryTables(writer)
        self.chats = ChatTables(writer)
        self.config = ConfigTables(writer)
        self.admin = AdminTables(writer)
        self.search = SearchTables(writer)
        self.web = WebTables(writer)
        self.hubs = HubTables(writer)
        self.archive = Archive(reader)

    async def __aenter__(self) -> Self:
        """Take the lock and open. Raises StoreBusy or StoreError."""
        try:
            await self._writer.open()
        except BaseException:
            await self._writer.close()
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
        await self._writer.close()


class SqliteStore(OpenStore):
    """The file of one newsbell."""

    _writer: sqlite.Writer

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = sqlite.Lock(path)
        writer = sqlite.Writer(path)
        files = sqlite.DatabaseFiles(path, writer, self._lock)
        super().__init__(writer, sqlite.Reader(path), files)

    async def __aenter__(self) -> Self:
        """Take the lock and open. Raises StoreBusy or StoreError."""
        self._lock.take()
        try:
            return await super().__aenter__()
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, then release the lock."""
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self._lock.release()


class PostgresStore(OpenStore):
    """A database on a server; the connection that writes has the lock, where it leads."""

    def __init__(
        self,
        address: PostgresAddress,
        node: str = "",
        *,
        leads: bool = True,
        any_version: bool = False,
    ) -> None:
        """`any_version`: only for signs of life, and to look who leads."""
        from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

        self.address = address
        writer = postgres.Writer(address, leads=leads, node=node, any_version=any_version)
        super().__init__(writer, postgres.Reader(address), postgres.NoFiles(), node)

    async def has_leader(self) -> bool:
        """Whether somebody leads. Raises StoreError."""
        from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

        return await self._writer.run("look for who leads", postgres.has_leader)

    async def end_leader(self, node: str | None = None) -> bool:
        """End the connection of who leads, which leads no more then.

        Only where that is this node; what leads under another name has only begun to. Return
        whether it was ended. Raises StoreError.
        """
        from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

        def work(db: Database) -> bool:
            if node is not None and not postgres.is_leader(db, node):
                return False
            return postgres.end_leader(db)

        return await self._writer.run("end who leads", work)

    async def tables(self) -> Tables:
        """Return how the tables are to this version. Raises StoreError."""
        from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

        return await self._writer.run("look at the tables", postgres.tables)


def is_led(address: PostgresAddress) -> bool:
    """Whether a newsbell leads on this database; not where it has no tables. Raises StoreError."""
    from bot.store.engines import postgres  # noqa: PLC0415 (a driver that few need)

    with postgres.Reader(address).open(any_version=True) as db:
        return postgres.has_leader(db)


def store_of(address: DatabaseAddress, node: str = "") -> OpenStore:
    """Return the store at an address, not open yet."""
    return SqliteStore(address) if isinstance(address, Path) else PostgresStore(address, node)
