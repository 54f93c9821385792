"""What the store needs of an engine: a connection, the thread that writes, readers. No SQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypeVar

from bot.errors import StoreBusy, StoreError

T = TypeVar("T")
AGAIN = 3  #: times that a transaction is run again which gave way to another one
_NOT_OPEN = "The database could not {}: it is not open."
Values: TypeAlias = Sequence[Any] | Mapping[str, Any]


class Row(Protocol):
    """A row, read by the name of a column or by position."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> list[str]:
        """Return the names of the columns."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:
        """Return the next row; None where there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class SearchIndex(Protocol):
    """The index of the keys of entries, in the words of an engine."""

    @property
    def insert(self) -> str:
        """A statement with two values: the row's number, and its keys with blanks between."""

    @property
    def matches(self) -> str:
        """A condition on `search`, with the value `:expression`."""

    def expression(self, text: str) -> str:
        """Return what `matches` looks for, of an expression in the syntax of FTS5."""

    def is_usable(self, db: "Database", text: str) -> bool:
        """Whether the index can be asked for an expression."""

    def merge(self, db: "Database", pages: int) -> bool:
        """Tidy the next `pages` of the index; return whether there may be more."""

    def discard(self, db: "Database", pages: int) -> bool:
        """Delete the next `pages` of a former index; return whether there may be more."""

    def empty(self, db: "Database") -> None:
        """Take all rows out of the index."""


class Database(Protocol):
    """A connection. Its SQL is SQLite's, in the subset that PostgreSQL understands as well.

    Values are marked by `?` or `:name`. Truth is 1 and 0 in columns, and a condition in conditions:
    `where declared = 1`, never `where declared`. Not in the subset: `insert or ...`,
    `update or ...`, columns without their table in `on conflict ... do update`, `? is null` without
    a cast, `rowid` but that of `search`, what no `group by` names.
    """

    @property
    def search(self) -> SearchIndex:
        """The index of the search."""

    def execute(self, statement: str, values: Any = (), /) -> Rows:
        """Run a statement."""

    def executemany(self, statement: str, rows: Iterable[Values], /) -> int:
        """Run a statement once for each of `rows`; return how many rows it changed."""

    def stream(self, statement: str, values: Values = (), /) -> Iterator[Any]:
        """Yield the rows of a statement without holding all of them."""

    def atomic(self) -> AbstractContextManager[Any]:
        """Keep all of what is done within, or nothing of it. May be nested."""

    def defer_foreign_keys(self) -> None:
        """Check references at the end of this transaction, not with each statement."""

    def seconds(self) -> float:
        """Return the time in seconds since 1970, by the clock of the database's server."""

    def in_turn(self, what: int) -> None:
        """Let nobody else do this (a number) before the end of this transaction."""

    def tell(self, what: str) -> None:
        """Tell all that listen of this, once the transaction is kept (`Writer.listen`)."""
        ...

    def database_bytes(self) -> int:
        """Return how large all of the database is."""


class Reader(Protocol):
    """Reads a database that another process or thread may be writing."""

    def open(
        self, *, any_version: bool = False, until: float | None = None
    ) -> AbstractContextManager[Database]:
        """Open it, without writing.

        Raises StoreError, also for a database of another version, unless `any_version` will do;
        StoreTimeout where a statement runs at `until`, on the monotonic clock.
        """


class Writer(ABC):
    """Runs work on the one thread and the one connection that write, in the order of asking."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._is_closed = False

    @abstractmethod
    def errors(self, doing: str, remedy: str = ...) -> AbstractContextManager[None]:
        """Chain the errors of the engine to StoreError; `doing` says what failed.

        `remedy` is what follows once a full disk has space again.
        """

    @abstractmethod
    def connect(self) -> None:
        """Open the connection, and bring the tables up to date. On the thread of the writer."""

    @abstractmethod
    def connection(self) -> Database | None:
        """Return the connection; None where it is not open."""

    def gave_way(self, error: StoreBusy) -> bool:
        """Whether a transaction was undone only because another one stood in its way."""
        del error
        return False

    @abstractmethod
    def disconnect(self) -> None:
        """Close the connection. On the thread of the writer."""

    @abstractmethod
    async def listen(self, told: Callable[[str], None]) -> None:
        """Call `told` with what others tell, until cancelled; with nothing when it begins.

        Raises StoreError where the connection ends.
        """

    async def open(self) -> None:
        """Open and migrate; raises StoreError."""

        def work() -> None:
            with self.errors("be opened", "then start newsbell again"):
                self.connect()

        await self.on_thread(work)

    async def run(self, doing: str, work: Callable[[Database], T]) -> T:
        """Run `work` in one transaction; cancellation does not interrupt it.

        It is run again where the server ended it in favour of another one's.
        Raises StoreError, after which nothing of the transaction was kept.
        """
        if self._is_closed:
            raise StoreError(_NOT_OPEN.format(doing))

        def transaction() -> T:
            for _ in range(AGAIN):
                try:
                    return attempt()
                except StoreBusy as error:
                    if not self.gave_way(error):
                        raise
            return attempt()

        def attempt() -> T:
            with self.errors(doing):
                database = self.connection()
                if database is None:
                    raise StoreError(_NOT_OPEN.format(doing))
                with database.atomic():
                    return work(database)

        work_done = self.on_thread(transaction)
        work_done.add_done_callback(_seen)  # nobody waits for what was cancelled
        return await asyncio.shield(work_done)

    async def fetch(self, doing: str, statement: str, values: Values = ()) -> list[Any]:
        """Return all rows of one statement. Raises StoreError."""

        def work(db: Database) -> list[Any]:
            return db.execute(statement, values).fetchall()

        return await self.run(doing, work)

    def on_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run work on the thread of the writer, without a transaction."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        """Finish what was asked for, and close."""
        self._is_closed = True
        await self.on_thread(self.disconnect)
        self._thread.shutdown()


def _seen(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()
