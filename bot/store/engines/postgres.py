"""PostgreSQL: the connection that writes and leads, readers, and the server's errors as ours.

Knows no table but that of migrations. One newsbell writes: the connection that writes holds an
advisory lock, and what it cannot keep it does not write, since both end together.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from itertools import islice
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import AdaptersMap, Buffer, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown, TextLoader

from bot.errors import StoreAway, StoreBusy, StoreError, StoreFull, StoreLost, StoreTimeout
from bot.model.database_address import PostgresAddress
from bot.model.nodes import Tables
from bot.store.engines import dialect, engine, postgres_schema, unfinished
from bot.store.engines.postgres_search import TsvectorSearch
from bot.store.sql import put

OLDEST = 14  #: the first version of the server that will do
LOCK = 0x6E657773  #: the advisory lock of whoever writes
_FOLLOWS = LOCK + 1  # shared by those that write and do not lead
_TURNS = LOCK << 8  # the first advisory lock of those for single transactions
_GIVE_BACK = "select pg_advisory_unlock(?)"
# A server may be told to lose what it kept last when it crashes: then an alert could go out twice.
_DURABLE = """
    select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') = 'off'
"""
_CHANNEL = "newsbell"  # of NOTIFY
_CONNECT_SECONDS = 10
_ROWS = 500  # of an answer that is streamed, in memory at once
_BATCH = 1000  # rows of one round of `executemany`
# A server or network that hangs is noticed within half a minute.
_KEEPALIVE: dict[str, Any] = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "newsbell",
    "client_encoding": "UTF8",  # whatever the environment of this process says
}
# A machine that stops in a transaction would keep all others out of what it has locked.
HANGING = timedelta(seconds=5)
PATIENCE = timedelta(seconds=7)  #: with others' locks: shorter than who leads may be silent
# The server's side of `_KEEPALIVE`: a machine that is gone keeps its locks, and old rows, otherwise
# for the two hours that are usual.
_BOUNDS = """
    select set_config('idle_in_transaction_session_timeout', ?, false),
        set_config('lock_timeout', ?, false), set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false),
        set_config('tcp_user_timeout', '20000', false)
"""
_TERM = "select value from meta where name = 'term'"
_LOST = "Another newsbell leads now: this one has to start anew, and waits for its turn then."


class Row:
    """A row, read by the name of a column or by position, as one of SQLite is."""

    __slots__ = ("_columns", "_values")

    def __init__(self, columns: Mapping[str, int], values: tuple[Any, ...]) -> None:
        self._columns, self._values = columns, values

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, str):
            try:
                return self._values[self._columns[key]]
            except KeyError:
                raise IndexError(f"No item with the key {key}") from None
        return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._columns)


class _RowMaker:
    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        description = cursor.description or ()
        self._columns = {column.name: number for number, column in enumerate(description)}

    def __call__(self, values: Iterable[Any]) -> Row:
        return Row(self._columns, tuple(values))


class _Text(StrDumperUnknown):
    """PostgreSQL has no text with a zero byte; where a stranger sent one, it is left out."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\x00", "") if "\x00" in obj else obj)


class _Number(Int8Dumper):
    """Truth is a number in our columns."""

    def dump(self, obj: Any) -> Buffer | None:
        return super().dump(int(obj))


class _Numeric(Loader):
    """Sums and averages are numbers of Python, as SQLite gives them."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text or "N" in text else int(text)


class _Truth(Loader):
    """A condition among the columns of an answer is 1 or 0, as SQLite gives it."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(str, _Text)
    adapters.register_dumper(int, _Number)
    adapters.register_dumper(bool, _Number)
    adapters.register_loader("numeric", _Numeric)
    adapters.register_loader("bool", _Truth)
    for name in ("json", "jsonb"):
        adapters.register_loader(name, TextLoader)
    return adapters


class _Cursor(psycopg.Cursor[Any]):
    """Gives no rows where a statement gives none, as that of SQLite does."""

    def fetchone(self) -> Any:
        return super().fetchone() if self.description else None

    def fetchall(self) -> list[Any]:
        return super().fetchall() if self.description else []


class Database:
    """A connection; implements `engine.Database`."""

    search = TsvectorSearch()

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.conn = connection

    def execute(self, statement: str, values: engine.Values = ()) -> engine.Rows:
        """Run a statement."""
        cursor = self.conn.cursor()
        if dialect.is_definition(statement):
            cursor.execute(dialect.definition(statement).encode())
        else:
            cursor.execute(dialect.statement(statement).encode(), values)
        return cursor

    def executemany(self, statement: str, rows: Iterable[engine.Values]) -> int:
        """Run a statement once for each of `rows`; return how many rows it changed."""
        text, count, following = dialect.statement(statement).encode(), 0, iter(rows)
        while batch := list(islice(following, _BATCH)):
            cursor = self.conn.cursor()
            cursor.executemany(text, batch)
            count += cursor.rowcount
        return count

    def stream(self, statement: str, values: engine.Values = ()) -> Iterator[Any]:
        """Yield the rows of a statement without holding all of them."""
        with self.conn.transaction(), self.conn.cursor("streamed") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(dialect.statement(statement).encode(), values)
            yield from cursor

    def atomic(self) -> AbstractContextManager[Any]:
        """Keep all of what is done within, or nothing of it. May be nested."""
        return self.conn.transaction()

    def defer_foreign_keys(self) -> None:
        """Check references at the end of this transaction, not with each statement."""
        self.conn.execute("set constraints all deferred")

    def seconds(self) -> float:
        """Return the time in seconds since 1970, by the clock of the server."""
        row = self.execute("select extract(epoch from clock_timestamp()) as at").fetchone()
        return float(row["at"])

    def in_turn(self, what: int) -> None:
        """Let nobody else do this (a number) before the end of this transaction."""
        self.execute("select pg_advisory_xact_lock(?)", [_TURNS + what])

    def tell(self, what: str) -> None:
        """Tell all that listen of this, once the transaction is kept."""
        self.execute("select pg_notify(?, ?)", [_CHANNEL, what])

    def database_bytes(self) -> int:
        """Return how large all of the database is."""
        row = self.execute("select pg_database_size(current_database()) as size").fetchone()
        return int(row["size"])


@contextmanager
def wrapped(doing: str, remedy: str = "newsbell goes on by itself") -> Iterator[None]:
    """Chain the server's errors to StoreError; `doing` says what failed."""
    try:
        yield
    except (errors.DiskFull, errors.OutOfMemory, errors.IoError) as error:
        raise StoreFull(
            f"The database could not {doing}: the server's disk or memory is full or failing "
            f"({_said(error)}). Make space there; {remedy}."
        ) from error
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise StoreBusy(f"The database could not {doing}: another program holds it.") from error
    except errors.InsufficientPrivilege as error:
        raise StoreError(
            f"The database could not {doing}: its user may not ({_said(error)}). "
            "Give this user a database of its own, or rights to create tables in its schema."
        ) from error
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        errors.IdleInTransactionSessionTimeout,
    ) as error:
        raise StoreAway(
            f"The database could not {doing}: the server cannot be reached, or ended the "
            f"connection ({_said(error)}); {remedy.removeprefix('then ')} when it is there again."
        ) from error
    except psycopg.Error as error:
        raise StoreError(f"The database could not {doing}: {_said(error)}.") from error


def _said(error: psycopg.Error) -> str:
    """What the server said, in one line, without a password: a URL is never in it."""
    # Where there is no server, libpq asks a question in a second line; our own advice follows.
    first = str(error).partition("\n")[0]
    return " ".join((error.diag.message_primary or first).split()).rstrip(".")


def connected(address: PostgresAddress, **options: Any) -> psycopg.Connection[Any]:
    """Return a connection in autocommit mode. Raises StoreError with what to do."""
    try:
        connection = psycopg.connect(
            address.url,
            autocommit=True,
            row_factory=_RowMaker,
            context=_Context(),
            cursor_factory=_Cursor,
            **{**_options(address), **options},
        )
    except psycopg.Error as error:
        raise StoreAway(_not_connected(address, error)) from error
    if unfit := _unfit(connection):
        connection.close()
        raise StoreError(f"The database {address} {unfit}")
    return connection


def _unfit(connection: psycopg.Connection[Any]) -> str:
    """Why a database will not do, and what to do; empty where it will."""
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        return f"is on PostgreSQL {version}: newsbell needs {OLDEST} or later."
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        return (
            f"keeps text as {encoding}, which has not every letter: make it anew with "
            "`create database ... encoding 'UTF8' template template0`."
        )
    return ""


def _password(address: PostgresAddress) -> dict[str, str]:
    """The password, where we have it: libpq has sources of its own."""
    return {"password": address.password} if address.password else {}


def _options(address: PostgresAddress) -> dict[str, Any]:
    """How to connect, where the address does not say it."""
    named = conninfo_to_dict(address.url)
    defaults = {name: value for name, value in _KEEPALIVE.items() if name not in named}
    return {**defaults, **_password(address)}


class _Context:
    """How values pass between Python and the server (`psycopg.abc.AdaptContext`)."""

    adapters = _adapters()
    connection = None


def _not_connected(address: PostgresAddress, error: psycopg.Error) -> str:
    """Why there is no connection, and what to do."""
    said, place = _said(error), address.written_in
    low = said.lower()
    remedies = {
        "password authentication failed": f"Check the user in {place}, and the password.",
        "no password supplied": f"Give a password: {address.password_in}.",
        "certificate": f"Check sslmode and sslrootcert in {place}.",
        "does not exist": f"Create the database and its user, or change {place}.",
        "no pg_hba.conf entry": "Let this machine in by the server's pg_hba.conf.",
        "ssl": f"Check sslmode in {place}.",
        "too many": "Raise max_connections of the server, or end what uses it.",
    }
    remedy = next((text for words, text in remedies.items() if words in low), "")
    return (
        f"The database {address} cannot be opened: {said}. "
        f"{remedy or f'Check that the server runs, and {place}.'}"
    )


def tables(db: engine.Database) -> Tables:
    """Return how the tables are to this version; those of an empty database are older."""
    ran, known = postgres_schema.applied(db), frozenset(postgres_schema.known())
    if ran - known:
        return Tables.NEWER
    return Tables.SAME if ran == known else Tables.OLDER


def check_tables(db: engine.Database, address: PostgresAddress) -> None:
    """Refuse a database of another version. Raises StoreError."""
    ran, known = postgres_schema.applied(db), frozenset(postgres_schema.known())
    if newer := ran - known:
        raise StoreError(_newer(address, min(newer)))
    if not ran:
        raise StoreError(
            f"There are no tables in {address} yet: run `newsbell run` first, or `newsbell move`."
        )
    if known - ran:
        raise StoreError(
            f"The database {address} was written by an older newsbell: start this one once "
            "(`newsbell run`), which brings it up to date."
        )


def check_whole(db: engine.Database, address: PostgresAddress) -> None:
    """Refuse a database into which a move is copying. Raises StoreError."""
    row = db.execute("select to_regclass(?) is not null as there", [unfinished.MARK]).fetchone()
    if row["there"]:
        raise unfinished.refusal(db, address)


def take_lock(db: engine.Database) -> bool:
    """Take the lock of whoever writes, until the connection ends; return whether it was free."""
    row = db.execute("select pg_try_advisory_lock(?) as mine", [LOCK]).fetchone()
    return bool(row["mine"])


def busy(address: PostgresAddress) -> StoreBusy:
    """Return why a lock could not be taken."""
    return StoreBusy(f"Another newsbell is using {address}; stop it first.")


def _newer(address: PostgresAddress, migration: str) -> str:
    return (
        f"The database {address} was written by a newer newsbell ({migration}): "
        "update this one, or restore a backup from before."
    )


class Reader:
    """Reads a database; implements `engine.Reader`."""

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address

    @contextmanager
    def open(
        self, *, any_version: bool = False, until: float | None = None
    ) -> Iterator[engine.Database]:
        """Open it for reading, as `engine.Reader.open` says."""
        options = "-c default_transaction_read_only=on"
        if until is not None:
            left = max(1, round((until - time.monotonic()) * 1000))
            options += f" -c statement_timeout={left}"
        try:
            with wrapped("be read"), connected(self._address, options=options) as connection:
                database = Database(connection)
                if not any_version:
                    check_tables(database, self._address)
                    check_whole(database, self._address)
                yield database
        except StoreError as error:
            if isinstance(error.__cause__, errors.QueryCanceled) and until is not None:
                raise StoreTimeout("The search took longer than it may.") from error
            raise


class Writer(engine.Writer):
    """Runs work on the one thread and connection that write; it holds the lock."""

    def __init__(
        self,
        address: PostgresAddress,
        *,
        leads: bool = True,
        node: str = "",
        any_version: bool = False,
    ) -> None:
        """`leads`: it takes the lock, and may do everything; else it may hand over and claim.

        `node` is how the server names the connection. With `any_version` it only gives signs of
        life, and says who leads, also where the tables are another version's.
        """
        super().__init__()
        self._address, self._leads, self._name = address, leads, node or "newsbell"
        self._any_version = any_version
        self._database: Database | None = None
        self._is_open = False
        self._term = 0  # counts who led: another one, and somebody else did meanwhile

    def errors(
        self, doing: str, remedy: str = "newsbell goes on by itself"
    ) -> AbstractContextManager[None]:
        """Chain the server's errors to StoreError."""
        return wrapped(doing, remedy)

    def gave_way(self, error: StoreBusy) -> bool:
        """Whether the server ended a transaction because two waited for each other."""
        return isinstance(error.__cause__, errors.DeadlockDetected | errors.SerializationFailure)

    def connect(self) -> None:
        """Connect, take the lock, and bring the tables up to date.

        Raises StoreBusy where another newsbell has the lock, StoreError for other reasons.
        """
        connection = connected(self._address, application_name=self._name)
        try:
            self._database = self._prepared(Database(connection))
        except BaseException:
            connection.close()
            raise
        self._is_open = True

    async def listen(self, told: Callable[[str], None]) -> None:
        """Call `told` with what other nodes tell, until cancelled; with nothing when it begins.

        Raises StoreError where the connection ends.
        """
        name = f"{self._name} listens"
        options = {**_options(self._address), "application_name": name}
        with wrapped("be listened to"):
            connection = await psycopg.AsyncConnection.connect(
                self._address.url, autocommit=True, **options
            )
            async with connection:
                await connection.execute(f"listen {_CHANNEL}")
                told("")
                async for news in connection.notifies():
                    told(news.payload)

    def _prepared(self, database: Database) -> Database:
        check_whole(database, self._address)
        database.execute(_DURABLE)
        if not self._leads:
            if not self._any_version:
                database.execute("select pg_advisory_lock_shared(?)", [_FOLLOWS])
                check_tables(database, self._address)
            return _bounded(database)
        if not take_lock(database):
            if self._term:
                raise StoreLost(_LOST)
            raise busy(self._address)
        ran = postgres_schema.applied(database)
        if newer := ran - frozenset(postgres_schema.known()):
            if self._term:  # who changed the tables led meanwhile
                raise StoreLost(_LOST)
            raise StoreError(_newer(self._address, min(newer)))
        with database.atomic():
            if ran and tables(database) is Tables.OLDER:
                self._keep_others_out(database)
            postgres_schema.migrate(database)
            self._begin_term(database)
        return _bounded(database)  # migrations may take their time

    def _keep_others_out(self, database: Database) -> None:
        """End who writes by the tables as they are: who connects again finds those of later."""
        database.execute(f"lock table {postgres_schema.MIGRATIONS} in access exclusive mode")
        database.execute(f"select pg_terminate_backend(pid, {_ENDING}) {_HOLDERS}", [_FOLLOWS])

    def _begin_term(self, database: Database) -> None:
        """Note that this process leads; where it led before, nobody else may have meanwhile."""
        row = database.execute(_TERM).fetchone()
        term = int(row["value"]) if row else 0
        if self._term:
            if term != self._term:
                raise StoreLost(_LOST)
            return
        self._term = term + 1
        database.execute(put("meta", "name", "value"), ["term", str(self._term)])

    def connection(self) -> Database | None:
        """Return the connection, made anew where the server ended it."""
        if self._is_open and (self._database is None or self._database.conn.closed):
            self._database = None
            self.connect()
        return self._database

    def disconnect(self) -> None:
        """Give the lock back and close: the server ends a connection only after a while."""
        self._is_open = False
        if self._database is not None:
            if self._leads:
                with suppress(psycopg.Error):
                    self._database.execute(_GIVE_BACK, [LOCK])
            with suppress(psycopg.Error):
                self._database.conn.close()
            self._database = None


def _bounded(database: Database) -> Database:
    """Let the server end a session that hangs, and what waits for one that does."""
    spans = [f"{span // timedelta(milliseconds=1)}ms" for span in (HANGING, PATIENCE)]
    database.execute(_BOUNDS, spans)
    return database


class NoFiles:
    """The server's files are its own; implements `ports.StoreFiles`."""

    def missing(self) -> None:
        """Return nothing: there is no file of ours that could be missing."""

    def bytes(self) -> int:
        """Return 0: `newsbell status` asks the server."""
        return 0

    async def checkpoint(self) -> None:
        """Do nothing: the server writes its log by itself."""

    def find_damage(self) -> str:
        """Return nothing: checks of the server's files are its operator's (`pg_amcheck`)."""
        return ""

    def stop_check(self) -> None:
        """Do nothing: no check is under way."""


_HOLDERS = """
    from pg_locks where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (cast(cast(classid as text) as bigint) << 32) + cast(cast(objid as text) as bigint) = ?
"""
_LEADER_NAME = f"""
    select application_name as name from pg_stat_activity
    where pid in (select pid {_HOLDERS})
"""
_ENDING = 1000  # milliseconds that the end of a connection is waited for (PostgreSQL 14, 9.27.2)
_NAME_LENGTH = 63  # bytes that the server keeps of a connection's name


def has_leader(db: engine.Database) -> bool:
    """Whether somebody has the lock."""
    return db.execute(f"select 1 {_HOLDERS}", [LOCK]).fetchone() is not None


def is_leader(db: engine.Database, node: str) -> bool:
    """Whether the node of this name has the lock."""
    row = db.execute(_LEADER_NAME, [LOCK]).fetchone()
    return bool(row) and row["name"] == node.encode()[:_NAME_LENGTH].decode(errors="ignore")


def end_leader(db: engine.Database) -> bool:
    """End the connection of whoever has the lock, which frees it; return whether there was one."""
    return bool(
        db.execute(f"select pg_terminate_backend(pid, {_ENDING}) {_HOLDERS}", [LOCK]).fetchall()
    )
