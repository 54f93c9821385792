"""SQLite: open the file, run work on its one thread, and turn SQLite's errors into ours.

Knows no table. SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when two connections write and
checkpoint at once, so there is exactly one that writes: a lock file keeps a second newsbell out,
and everything runs on one thread. `synchronous=FULL`: what was kept survives a power cut.
"""

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bot.errors import StoreBusy, StoreError, StoreFull, StoreTimeout
from bot.store import planner_statistics
from bot.store.engines import engine, unfinished
from bot.store.engines.sqlite_search import Fts5Search
from bot.store.migration_list import database_of
from bot.store.schema import migrations

if TYPE_CHECKING:
    import sqlite_utils  # it is imported where something is written (`migration_list`)

_BUSY_SECONDS = 10
_LOG_LIMIT = 16 * 1024 * 1024  # bytes of the write-ahead log that are kept on the disk
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "mmap_size=0",
    "cache_size=-8000",
    "secure_delete=FAST",
    f"journal_size_limit={_LOG_LIMIT}",
)
_MIGRATIONS = "_sqlite_migrations"  # the table of sqlite-utils
_APPLIED = f"select name from {_MIGRATIONS} where migration_set = ?"
_TABLES = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
_NO_TEXT = "Could not decode to UTF-8"  # what SQLite's module says of a damaged text
_DAMAGED = "Restore a backup, or move the file away to start anew."
_STEPS = 10_000  # of SQLite's machine between two looks at the clock
PRIVATE = 0o600  #: mode of files; addresses of feeds may hold tokens
CHECKED_AT_START = 64 * 1024 * 1024  #: bytes of a database up to which all of it is checked
# Of a larger one, these are checked at the start: without them nothing can be decided.
_SMALL_TABLES = ("meta", "feeds", "chats", "people", "subscriptions", "routes")


@contextmanager
def wrapped(doing: str, remedy: str = "newsbell goes on by itself") -> Iterator[None]:
    """Chain SQLite's errors to StoreError; `doing` says what failed.

    `remedy` is what follows once a full disk has space again.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "") or ""
        if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise StoreFull(
                f"The database could not {doing}: the disk is full or failing ({error}). "
                f"Make room; {remedy}."
            ) from error
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreBusy(f"The database could not {doing}: another program holds it.") from error
        if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or _NO_TEXT in str(error):
            raise StoreError(
                f"The database could not {doing}: it is damaged "
                f"({' '.join(str(error).split())}). {_DAMAGED}"
            ) from error
        raise StoreError(f"The database could not {doing}: {error}.") from error
    except OverflowError as error:
        raise StoreError(f"The database could not {doing}: a number is too large.") from error
    except UnicodeDecodeError as error:
        # SQLite passes on what a damaged page holds, and its module cannot make it text.
        raise StoreError(
            f"The database could not {doing}: it is damaged (text that is none). {_DAMAGED}"
        ) from error


class Database:
    """A connection; implements `engine.Database`."""

    search = Fts5Search()

    def __init__(
        self, connection: sqlite3.Connection, writes: "sqlite_utils.Database | None" = None
    ) -> None:
        """`writes`: what transactions are made by; None where nothing is written."""
        self.conn, self._writes = connection, writes

    def execute(self, statement: str, values: engine.Values = ()) -> sqlite3.Cursor:
        """Run a statement."""
        return self.conn.execute(statement, values)

    def atomic(self) -> AbstractContextManager[Any]:
        """Keep all of what is done within, or nothing of it. May be nested."""
        return nullcontext() if self._writes is None else self._writes.atomic()

    def executemany(self, statement: str, rows: Iterable[engine.Values]) -> int:
        """Run a statement once for each of `rows`; return how many rows it changed."""
        return int(self.conn.executemany(statement, rows).rowcount)

    def stream(self, statement: str, values: engine.Values = ()) -> Iterator[Any]:
        """Yield the rows of a statement without holding all of them."""
        return iter(self.conn.execute(statement, values))

    def defer_foreign_keys(self) -> None:
        """Check references at the end of this transaction, not with each statement."""
        self.execute("pragma defer_foreign_keys = on")

    def seconds(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time()

    def in_turn(self, what: int) -> None:
        """Do nothing: there is one writer."""
        del what

    def tell(self, what: str) -> None:
        """Do nothing: nobody else is there to hear it."""
        del what

    def database_bytes(self) -> int:
        """Return how large all of the database is."""
        pages = self.execute("pragma page_count").fetchone()[0]
        return int(pages * self.execute("pragma page_size").fetchone()[0])


def _refuse_folder(path: Path) -> None:
    """Raise StoreError for a folder, of which SQLite says that the disk fails."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder: let settings.database name a file in it.")


def _refuse_foreign(path: Path) -> None:
    """Raise StoreError for a file of another program, before anything of it is changed."""
    if not path.exists():
        return
    uri = f"{path.as_uri()}?mode=ro&immutable=1"  # or SQLite puts files beside it
    tables: set[str] = set()
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as connection:
        tables = {row[0] for row in connection.execute(_TABLES)}  # or it is said later what it is
    if tables and tables.isdisjoint((_MIGRATIONS, unfinished.MARK)):
        raise StoreError(
            f"{path} is the database of another program, with the table {min(tables)}: "
            "let settings.database name another file."
        )


@contextmanager
def read_only(path: Path, *, any_version: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a database that another process may be writing, without writing or checkpointing.

    Raises StoreError, also for a database of another version, unless `any_version` will do.
    """
    if not path.exists():
        raise StoreError(f"There is no database at {path} yet: run `newsbell run` first.")
    _refuse_folder(path)
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with (
        wrapped("be read"),
        closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)) as connection,
    ):
        connection.row_factory = sqlite3.Row
        connection.execute("pragma wal_autocheckpoint = 0")
        if not any_version:
            _check_version(connection, path)
            _check_whole(connection, path)
        yield connection


class Reader:
    """Reads a database; implements `engine.Reader`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(
        self, *, any_version: bool = False, until: float | None = None
    ) -> Iterator[engine.Database]:
        """Open it for reading, as `engine.Reader.open` says."""
        with read_only(self._path, any_version=any_version) as connection:
            if until is not None:
                connection.set_progress_handler(lambda: self._is_late(until), _STEPS)
            try:
                yield Database(connection)
            except sqlite3.OperationalError as error:
                if until is not None and self._is_late(until):
                    raise StoreTimeout("The search took longer than it may.") from error
                raise

    def _is_late(self, until: float) -> bool:
        return time.monotonic() > until


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database of another version: its tables may be others. Raises StoreError."""
    if not applied(connection):
        raise StoreError(f"{path.name} is no database of newsbell.")
    if newer := newer_than_known(connection):
        raise StoreError(_newer(path, newer))
    if _pending(connection):
        raise StoreError(
            f"The database {path.name} was written by an older newsbell: start this one once "
            "(`newsbell run`), which brings it up to date."
        )


def _newer(path: Path, migration: str) -> str:
    return (
        f"The database {path.name} was written by a newer newsbell ({migration}): "
        "update this one, or restore a backup from before."
    )


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database into which a move is copying. Raises StoreError."""
    mark = connection.execute("select 1 from sqlite_schema where name = ?", [unfinished.MARK])
    if mark.fetchone() is not None:
        raise unfinished.refusal(Database(connection), path)


def database_bytes(path: Path) -> int:
    """Return the bytes of a database and its log; 0 where they are gone."""
    size = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            size += file.stat().st_size
    return size


class Lock:
    """An advisory lock on a file beside the database, so that one process uses it.

    The system releases it when the process ends, however it ends.
    """

    def __init__(self, database: Path) -> None:
        database = database.resolve()  # two names of one database have one lock
        self.path = database.with_name(database.name + ".lock")
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock.

        Raises StoreBusy where another process has it, StoreError where it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = _private(str(self.path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
            file = os.fdopen(descriptor, "r+", encoding="ascii", errors="replace")
            os.fchmod(file.fileno(), PRIVATE)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreError(
                f"The database cannot be kept in {self.path.parent}: {reason}. "
                "Change settings.database."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            who = f" (process {owner})" if owner else ""
            raise StoreBusy(
                f"Another newsbell{who} is using {self.path.stem}; stop it first."
            ) from error
        self._file = file
        # On a full disk the number, which is for people, is left out; the lock itself holds.
        with suppress(OSError):
            file.truncate(0)
            os.write(file.fileno(), f"{os.getpid()}".encode())

    def is_there(self) -> bool:
        """Whether the file that is locked is still the one at its path."""
        return self._file is None or _identity(self.path) == _identity(self._file.fileno())

    def release(self) -> None:
        """Give the lock back."""
        if self._file:
            self._file.close()
            self._file = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def _identity(file: Path | int) -> tuple[int, int] | None:
    """Device and inode of a file; None where there is none."""
    try:
        status = os.stat(file)  # noqa: PTH116 (of a path or a descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def connect(path: Path, *, unfinished: bool = False) -> Database:
    """Return the writing connection: WAL, synchronous=FULL, foreign keys, checked, migrated.

    A database into which a move is copying is refused, unless `unfinished` will do.
    The file is the owner's alone, and so are those that SQLite puts beside it.
    """
    path = path.resolve()
    _refuse_folder(path)
    _refuse_foreign(path)
    with suppress(OSError):  # SQLite says what is wrong with it
        os.close(_private(str(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC))
        path.chmod(PRIVATE)
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=True, timeout=_BUSY_SECONDS
    )
    try:
        return _prepared(connection, path, is_whole=not unfinished)
    except BaseException:
        connection.close()
        raise


def _prepared(connection: sqlite3.Connection, path: Path, *, is_whole: bool) -> Database:
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    mode = connection.execute("pragma journal_mode").fetchone()[0]
    full = connection.execute("pragma synchronous").fetchone()[0]
    if (mode, full) != ("wal", 2):
        raise StoreError(
            f"The database cannot be made durable (journal {mode}, synchronous {full}): "
            f"is {path.parent} a network drive?"
        )
    _check_at_start(connection, path)
    if is_whole:
        _check_whole(connection, path)
    newer = newer_than_known(connection)
    if newer:
        raise StoreError(_newer(path, newer))
    writes, pending = database_of(connection), _pending(connection)
    if pending:
        migrations.apply(writes)
    database = Database(connection, writes)
    planner_statistics.keep(database)
    if pending:  # or all of a new database is in its log
        connection.execute("pragma wal_checkpoint(truncate)")
    return database


def applied(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the migrations that ran; none of what is no database of newsbell."""
    try:
        rows = connection.execute(_APPLIED, [migrations.name]).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return frozenset()
    return frozenset(row[0] for row in rows)


def newer_than_known(connection: sqlite3.Connection) -> str:
    """Return a migration of a newer newsbell; empty where there is none."""
    return min(applied(connection).difference(migrations.names), default="")


def _pending(connection: sqlite3.Connection) -> bool:
    return not applied(connection).issuperset(migrations.names)


def _check_at_start(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a damaged database. What takes too long at a start is checked later."""
    if path.stat().st_size <= CHECKED_AT_START:
        checks = ["quick_check(1)"]
    else:
        rows = connection.execute("select name from sqlite_schema where type = 'table'")
        tables = {row["name"] for row in rows}
        checks = [f"quick_check({table})" for table in _SMALL_TABLES if table in tables]
    for check in checks:
        damage = _damage(connection.execute(f"pragma {check}").fetchone()[0])
        if damage:
            raise StoreError(f"The database {path.name} is damaged: {damage}. {_DAMAGED}")


def _damage(result: Any) -> str:
    """What a check found; empty for nothing."""
    text = str(result)
    return "" if text == "ok" else " ".join(text.removeprefix("*** in database main ***").split())


class Writer(engine.Writer):
    """Runs work on the database's one thread, in the order it was asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._database: Database | None = None
        self._file: tuple[int, int] | None = None  # of the database that is open

    def errors(
        self, doing: str, remedy: str = "newsbell goes on by itself"
    ) -> AbstractContextManager[None]:
        """Chain SQLite's errors to StoreError."""
        return wrapped(doing, remedy)

    def connect(self) -> None:
        """Open and migrate."""
        self._database = connect(self._path)
        self._file = _identity(self._path)

    def connection(self) -> Database | None:
        """Return the connection; None where it is not open."""
        return self._database

    def disconnect(self) -> None:
        """Checkpoint and close."""
        if self._database is not None:
            with suppress(sqlite3.Error):  # on a full disk the checkpoint fails
                self._database.conn.close()
            self._database = None

    async def listen(self, told: Callable[[str], None]) -> None:
        """Hear nothing until cancelled: nobody else is there."""
        told("")
        await asyncio.Event().wait()

    def is_there(self) -> bool:
        """Whether the file that is open is still the one at its path."""
        return self._file == _identity(self._path)

    async def checkpoint(self) -> None:
        """Move the log into the database and cut it, unless somebody reads just now."""

        def work() -> None:
            if self._database is None:
                return
            connection = self._database.conn
            with wrapped("be tidied"):
                connection.execute("pragma busy_timeout = 0")  # readers are not waited for
                try:
                    connection.execute("pragma wal_checkpoint(truncate)").fetchone()
                finally:
                    connection.execute(f"pragma busy_timeout = {_BUSY_SECONDS * 1000}")

        await self.on_thread(work)


class DatabaseFiles:
    """The files of an open database; implements `ports.StoreFiles`."""

    def __init__(self, path: Path, writer: Writer, lock: Lock) -> None:
        self._path, self._writer, self._lock = path, writer, lock
        self._check: sqlite3.Connection | None = None

    def missing(self) -> Path | None:
        """Return the file that was deleted or replaced since the database was opened."""
        if not self._writer.is_there():
            return self._path
        return None if self._lock.is_there() else self._lock.path

    def bytes(self) -> int:
        """Return the bytes of the database and its log; 0 where they are gone."""
        return database_bytes(self._path)

    async def checkpoint(self) -> None:
        """Move what was written last into the database's file, unless somebody reads it."""
        await self._writer.checkpoint()

    def find_damage(self) -> str:
        """Check all of the database, its indexes too; return what is damaged, empty for nothing.

        For a thread of its own: it takes minutes where the database is large. Raises StoreError.
        """
        with read_only(self._path, any_version=True) as connection:
            self._check = connection
            try:
                return _damage(connection.execute("pragma integrity_check(1)").fetchone()[0])
            finally:
                self._check = None

    def stop_check(self) -> None:
        """End a check that is under way."""
        if self._check is not None:
            self._check.interrupt()
