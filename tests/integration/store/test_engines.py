"""What the store may lean on holds of both engines: SQLite in a file, PostgreSQL on a server.

Each test that takes `address` runs on both. Not the tables: the rest of the tests is about those.
"""

import asyncio
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import postgres_server
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres_server import PostgresServer
from psycopg import sql
from sampling import examples
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    changes,
    config_text,
    item,
    newsbell,
    poll,
    query,
    rss,
)

import bot.store
from bot.config.load import _Reader
from bot.errors import StoreBusy, StoreError, StoreLost, StoreTimeout
from bot.model.database_address import DatabaseAddress, PostgresAddress, postgres_address
from bot.store.engines import dialect, postgres_schema, sqlite
from bot.store.engines import postgres as engine
from bot.store.engines.engine import Database, Writer
from bot.store.read_only import reader_of
from bot.store.schema import migrations
from bot.store.stores import PostgresStore, SqliteStore, store_of

pytestmark = pytest.mark.own_engine("it runs on both engines as it is")

ENGINES = ["sqlite", "postgres"]
_NUMBERS = count(1)
MOST = 2**63 - 1
VALUES: dict[str, list[Any]] = {
    "integer": [0, 1, -1, MOST, -MOST - 1, True, False, None],
    "real": [0.0, -1.5, 1e300, 5e-324, math.pi, math.inf, None],
    "text": [
        "",
        " ",
        'it\'s "said"',
        "100 % of %s, %(name)s and %%",
        "who? :name ::text ?",
        "back\\slash \\n \\x41 {} $1 $$",
        "line\nline\r\n\ttab",
        "𝔘𝔫𝔦 👩‍👩‍👧 e\u0301",
        "-- no comment /* nor this */; drop table t",
        None,
    ],
    "blob": [b"", b"\x00\xff\x00", bytes(range(256)), None],
}


@pytest.fixture(params=ENGINES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseAddress:
    """Where a database with our tables is."""
    path = tmp_path / "newsbell.db"
    if request.param == "sqlite":
        sqlite.connect(path).conn.close()
        return path
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database(f"engines{next(_NUMBERS)}")


@pytest.fixture
def db(address: DatabaseAddress) -> Iterator[Database]:
    """A connection that writes, with a table `t` of every type."""
    with opened(address) as database:
        database.execute(
            "create table t (id integer primary key, number integer, float real, "
            "words text, bytes blob)"
        )
        yield database


@contextmanager
def opened(address: DatabaseAddress) -> Iterator[Database]:
    """The connection of a writer, on this thread."""
    writer = store_of(address)._writer
    writer.connect()
    database = writer.connection()
    assert database is not None
    try:
        yield database
    finally:
        writer.disconnect()


def rows(db: Database, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute(statement, values).fetchall()]


# Values


@pytest.mark.parametrize(
    ("column", "kind"),
    [("number", "integer"), ("float", "real"), ("words", "text"), ("bytes", "blob")],
)
def test_a_value_comes_back_as_it_went_in_and_finds_its_row(
    db: Database, column: str, kind: str
) -> None:
    for number, value in enumerate(VALUES[kind]):
        db.execute(f"insert into t (id, {column}) values (?, ?)", [number, value])
        (found,) = db.execute(f"select {column} from t where id = ?", [number]).fetchone()
        assert found == value
        assert type(found) is (int if isinstance(value, bool) else type(value))
        assert (number,) in rows(db, f"select id from t where {column} is ?", [value])
        named = {"value": value, "id": number}
        assert rows(db, f"select id from t where {column} is :value and id = :id", named)


def test_a_number_that_is_too_large_is_an_error_of_the_store(address: DatabaseAddress) -> None:
    writer = store_of(address)._writer
    writer.connect()
    database = writer.connection()
    assert database is not None
    with pytest.raises(StoreError, match="could not keep this"), writer.errors("keep this"):
        database.execute("insert into meta values ('a', ?)", [MOST + 1])
    writer.disconnect()


def test_a_zero_byte_harms_nothing_that_stands_beside_it(db: Database) -> None:
    """PostgreSQL has no text with one, so there it is left out."""
    db.execute("insert into t (id, words) values (1, ?)", ["a\x00b"])
    assert rows(db, "select words from t") in ([("a\x00b",)], [("ab",)])


def test_conditions_and_sums_are_numbers(db: Database) -> None:
    db.executemany("insert into t (id, number) values (?, ?)", [(1, 1), (2, 4), (3, None)])
    row = db.execute(
        "select 1 = 1 as yes, exists (select 1 from t where id = 9) as no, sum(number) as sum, "
        "avg(number) as average, count(number) as n, max(number) as most, 7 / 2 as half, "
        "max(number, null) as unknown, max(id, number) as larger from t group by 1, 2, id, number "
        "having id = 2"
    ).fetchone()
    found = [row["yes"], row["no"], row["sum"], row["average"], row["n"], row["half"]]
    assert found == [1, 0, 4, 2.5 - 0.5 + 2, 1, 3]
    assert [type(value) for value in found] == [int, int, int, float, int, int]
    assert (row["most"], row["unknown"], row["larger"]) == (4, None, 4)
    assert rows(db, "select sum(number), total(number), avg(number) from t where id > 9") == [
        (None, 0.0, None)
    ]


def test_text_sorts_by_its_bytes_and_is_measured_in_characters(db: Database) -> None:
    words = ["b", "B", "ä", "a", "Ä", "_", "ab", "𝔘", "~", "Z", "1"]
    db.executemany("insert into t (id, words) values (?, ?)", enumerate(words))
    assert [row[0] for row in rows(db, "select words from t order by words")] == sorted(words)
    assert rows(db, "select max(words), min(words) from t where id in (1, 9)") == [("Z", "B")]
    assert rows(db, "select max(words, 'a'), min(words, 'a') from t where id = 1") == [("a", "B")]
    assert rows(db, "select length(words), substr(words, 1, 1) from t where words = '𝔘'") == [
        (1, "𝔘")
    ]
    lower = rows(db, "select words from t where lower(words) = lower(?) order by id", ["B"])
    assert lower == [("b",), ("B",)]
    # Only of ASCII, in columns and in values alike.
    assert rows(db, "select words from t where lower(words) = lower(?)", ["Ä"]) == [("Ä",)]


def test_rows_are_read_by_name_and_by_position(db: Database) -> None:
    row = db.execute("select 1 as one, 'two' as two").fetchone()
    assert (row["one"], row[1], list(row), row.keys()) == (1, "two", [1, "two"], ["one", "two"])
    with pytest.raises(IndexError):
        row["three"]
    assert db.execute("select 1 from t").fetchone() is None
    assert db.execute("delete from t").fetchall() == []


# Statements


def test_rows_that_changed_are_counted(db: Database) -> None:
    many = [(number, number % 2) for number in range(2500)]
    assert db.executemany("insert into t (id, number) values (?, ?)", many) == 2500
    assert db.executemany("insert into t (id) values (?)", []) == 0
    assert db.executemany("update t set float = 1 where id = ?", [(1,), (2,), (9999,)]) == 2
    assert db.execute("update t set float = 2 where number = ?", [1]).rowcount == 1250
    again = "insert into t (id) values (?) on conflict (id) do nothing"
    assert db.execute(again, [1]).rowcount == 0
    changed = db.execute("delete from t where id < 3 returning id")
    assert sorted(row["id"] for row in changed) == [0, 1, 2]


def test_a_stream_gives_every_row_while_others_are_asked_for(db: Database) -> None:
    db.executemany("insert into t (id) values (?)", [(number,) for number in range(3000)])
    seen = []
    for row in db.stream("select id from t where id >= ? order by id", [5]):
        seen.append(row["id"])
        if row["id"] % 500 == 0:
            assert rows(db, "select count(*) from t") == [(3000,)]
    assert seen == list(range(5, 3000))


def test_a_stream_that_is_left_leaves_nothing_behind(db: Database) -> None:
    db.executemany("insert into t (id) values (?)", [(number,) for number in range(3000)])
    stream = db.stream("select id from t order by id")
    assert next(stream)["id"] == 0
    del stream
    with db.atomic():
        db.execute("delete from t")
    assert rows(db, "select count(*) from t") == [(0,)]


def test_what_is_done_within_is_kept_or_undone_as_one(db: Database) -> None:
    class UndoneError(Exception):
        pass

    insert = "insert into t (id) values (?)"
    with suppress(UndoneError), db.atomic():
        db.execute(insert, [1])
        raise UndoneError
    with db.atomic():
        db.execute(insert, [2])
        with suppress(UndoneError), db.atomic():
            db.execute(insert, [3])
            with db.atomic():
                db.execute(insert, [4])
            raise UndoneError
        with db.atomic():
            db.execute(insert, [5])
    assert rows(db, "select id from t order by id") == [(2,), (5,)]


def test_after_a_failed_statement_within_the_rest_can_be_kept(db: Database) -> None:
    with db.atomic():
        db.execute("insert into t (id) values (1)")
        with suppress(Exception), db.atomic():
            db.execute("insert into t (id) values (1)")
        db.execute("insert into t (id) values (2)")
    assert rows(db, "select id from t order by id") == [(1,), (2,)]


def test_references_are_checked_at_once_unless_deferred(address: DatabaseAddress) -> None:
    child = "insert into documents (feed_id, records) values (99, ?)"
    parent = (
        "insert into feeds (id, url, name, publisher, host, private, declared, active, created_at, "
        "next_poll_at) values (99, 'a', 'a', 'a', 'h', 0, 0, 1, '', '')"
    )
    with opened(address) as db:
        with pytest.raises(Exception, match=r"(?i)foreign key"), db.atomic():
            db.execute(child, [b""])
        with db.atomic():
            db.defer_foreign_keys()
            db.execute(child, [b""])
            db.execute(parent)

        def orphan() -> None:
            with db.atomic():
                db.defer_foreign_keys()
                db.execute(child.replace("99", "98"), [b""])

        with pytest.raises(Exception, match=r"(?i)foreign key"):
            orphan()
        assert rows(db, "select feed_id from documents") == [(99,)]


def test_a_number_is_given_to_what_has_none(db: Database) -> None:
    numbers = [
        db.execute("insert into t (words) values ('a') returning id").fetchone()["id"]
        for _ in range(3)
    ]
    assert numbers == [1, 2, 3]


def test_the_size_of_a_database_is_known(db: Database) -> None:
    assert db.database_bytes() > 100_000


# Dialect

NASTY = st.text("'?:%\\abz_(-){}\"\n é𝔘", max_size=30)


@given(literal=NASTY, value=NASTY, number=st.integers(-MOST - 1, MOST))
@settings(max_examples=examples(200), deadline=None)
@pytest.mark.parametrize("kind", ENGINES)
def test_marks_within_literals_are_text(
    request: pytest.FixtureRequest, kind: str, literal: str, value: str, number: int
) -> None:
    database = shared(request, kind)
    quoted = "'" + literal.replace("'", "''") + "'"
    statement = (
        f"select {quoted} as a, cast(? as text) as b, {quoted} as c, cast(? as integer) -- ?'"
    )
    assert rows(database, statement, [value, number]) == [(literal, value, literal, number)]
    named = f"select {quoted} as a, cast(:value as text), 100 % 7, cast(:value as text) || {quoted}"
    assert rows(database, named, {"value": value}) == [(literal, value, 2, value + literal)]


@given(data=st.binary(max_size=40))
@settings(max_examples=examples(100), deadline=None)
@pytest.mark.parametrize("kind", ENGINES)
def test_bytes_are_written_as_literals(
    request: pytest.FixtureRequest, kind: str, data: bytes
) -> None:
    assert rows(shared(request, kind), f"select x'{data.hex()}', ?", [data]) == [(data, data)]


@given(text=NASTY)
def test_outside_of_tokens_nothing_is_exchanged(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert dialect.statement(quoted) == quoted.replace("%", "%%")


def test_lists_without_values_hold_nothing(db: Database) -> None:
    db.execute("insert into t (id, words) values (1, 'a')")
    assert rows(db, "select id from t where id in ()") == []
    assert rows(db, "select id from t where id not in () and words not in ()") == [(1,)]


def test_no_value_without_a_type_is_asked_whether_it_is_null() -> None:
    """PostgreSQL cannot tell what such a value is."""
    wrong = [
        f"{path.name}: {found[0]}"
        for path in Path(bot.store.__path__[0]).glob("*.py")
        if path.name != "schema.py"
        for found in re.finditer(r"(\?|:[a-z_]+) is (not )?null", path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


# Search

LETTERS = "abcABC019äÄßİ=^~:./-_"
KEYS = st.text(LETTERS, min_size=1, max_size=6)
DOCUMENTS = st.lists(st.lists(KEYS, max_size=8), min_size=1, max_size=8)


def expressions() -> st.SearchStrategy[str]:
    """Expressions in the syntax of FTS5, as far as `query.prefilter` writes it."""
    key = st.builds(lambda key, star: f'"{key}"' + (" *" if star else ""), KEYS, st.booleans())
    return st.recursive(
        key,
        lambda inner: st.builds(
            lambda word, parts: "(" + f" {word} ".join(parts) + ")",
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=4),
        ),
        max_leaves=8,
    )


@given(documents=DOCUMENTS, expression=expressions(), first=st.data())
@settings(max_examples=examples(300), deadline=None)
def test_both_indexes_find_the_same(
    request: pytest.FixtureRequest,
    documents: list[list[str]],
    expression: str,
    first: st.DataObject,
) -> None:
    # One of the keys that are there, too: chance alone finds little.
    known = [key for document in documents for key in document]
    if known:
        expression = f'({expression} OR "{first.draw(st.sampled_from(known))}" *)'
    found = {}
    for kind in ENGINES:
        database = shared(request, kind)
        with suppress(psycopg.Rollback), database.atomic():
            for number, keys in enumerate(documents, 1):
                database.execute(database.search.insert, [number, " ".join(keys)])
            found[kind] = rows(
                database,
                f"select search.rowid from search where {database.search.matches} "
                "order by search.rowid",
                {"expression": database.search.expression(expression)},
            )
            raise psycopg.Rollback
    assert found["sqlite"] == found["postgres"]


@pytest.fixture(scope="session")
def shared_databases(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[dict[str, Database]]:
    """A database of each engine for the examples that hypothesis draws; they keep nothing."""
    addresses: dict[str, DatabaseAddress] = {
        "sqlite": tmp_path_factory.mktemp("engines") / "newsbell.db",
        "postgres": postgres.database("examples"),
    }
    with opened(addresses["sqlite"]) as first, opened(addresses["postgres"]) as other:
        yield {"sqlite": first, "postgres": other}


def shared(request: pytest.FixtureRequest, kind: str) -> Database:
    databases: dict[str, Database] = request.getfixturevalue("shared_databases")
    return databases[kind]


# The thread that writes


@pytest.fixture
def writer(address: DatabaseAddress) -> Writer:
    return store_of(address)._writer


def put(db: Database, name: str) -> None:
    db.execute("insert into meta values (?, ?)", [name, ""])


NAMES = "select name from meta where name like 'x%' order by name"


async def test_work_that_fails_is_undone_and_the_next_is_kept(writer: Writer) -> None:
    await writer.open()

    def failing(db: Database) -> None:
        put(db, "x1")
        raise ValueError("no")

    def wrong(db: Database) -> None:
        put(db, "x2")
        db.execute("select 1 from nowhere")

    with pytest.raises(ValueError, match="no"):
        await writer.run("keep this", failing)
    with pytest.raises(StoreError, match=r"The database could not keep this: .*nowhere"):
        await writer.run("keep this", wrong)
    await writer.run("keep this", lambda db: put(db, "x3"))
    assert [row["name"] for row in await writer.fetch("look", NAMES)] == ["x3"]
    await writer.close()


async def test_cancellation_does_not_interrupt_work(writer: Writer) -> None:
    await writer.open()
    begun, go = threading.Event(), threading.Event()

    def slow(db: Database) -> None:
        put(db, "x1")
        begun.set()
        go.wait(30)
        put(db, "x2")

    task = asyncio.create_task(writer.run("keep this", slow))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert [row["name"] for row in await writer.fetch("look", NAMES)] == ["x1", "x2"]
    await writer.close()


async def test_what_is_not_open_says_so(writer: Writer) -> None:
    with pytest.raises(StoreError, match=r"could not look: it is not open"):
        await writer.fetch("look", NAMES)
    await writer.open()
    await writer.close()
    with pytest.raises(StoreError, match=r"could not look: it is not open"):
        await writer.fetch("look", NAMES)


async def test_a_second_store_is_kept_out_until_the_first_is_closed(
    address: DatabaseAddress,
) -> None:
    async with store_of(address):
        with pytest.raises(StoreBusy, match=r"Another newsbell .*is using .*; stop it first"):
            async with store_of(address):
                pass
    async with store_of(address):
        pass


# Readers


def test_a_reader_writes_nothing(address: DatabaseAddress) -> None:
    with (
        pytest.raises(StoreError, match=r"(?i)could not be read: .*read.?only"),
        reader_of(address).open() as db,
    ):
        db.execute("delete from meta")


def test_databases_of_other_versions_are_refused_unless_any_will_do(
    address: DatabaseAddress,
) -> None:
    with changes(address) as db:
        known = rows(db, "select * from _sqlite_migrations order by name desc limit 1")[0]
        db.execute("delete from _sqlite_migrations where name = ?", [known[2]])
    with pytest.raises(StoreError, match="by an older newsbell"), reader_of(address).open():
        pass
    with changes(address) as db:
        db.execute("insert into _sqlite_migrations values (?, ?, ?, ?)", known)
        newer = (999, known[1], "m999_later", known[3])
        db.execute("insert into _sqlite_migrations values (?, ?, ?, ?)", newer)
    with (
        pytest.raises(StoreError, match=r"by a newer newsbell \(m999_later\)"),
        reader_of(address).open(),
    ):
        pass
    with pytest.raises(StoreError, match=r"by a newer newsbell \(m999_later\)"):
        store_of(address)._writer.connect()
    with reader_of(address).open(any_version=True) as db:
        assert rows(db, "select 1") == [(1,)]


def test_a_statement_ends_when_its_time_is_over(address: DatabaseAddress) -> None:
    endless = (
        "with recursive n (i) as (select 1 union all select i + 1 from n) "
        "select count(*) from n where i < 0"
    )
    with (
        pytest.raises(StoreTimeout, match="longer than it may"),
        reader_of(address).open(until=time.monotonic() + 0.5) as db,
    ):
        db.execute(endless).fetchall()


def test_in_time_a_reader_reads_as_ever(address: DatabaseAddress) -> None:
    with reader_of(address).open(until=time.monotonic() + 60) as db:
        assert rows(db, "select count(*) from feeds") == [(0,)]


# Migrations


def of_sqlite(path: Path) -> dict[str, list[tuple[str, bool]]]:
    """Columns of each table, and whether each may be null."""
    with reader_of(path).open() as db:
        return {
            table: [
                (row["name"], not row["notnull"] and not row["pk"])
                for row in db.execute(f"pragma table_info({table})")
            ]
            for (table,) in rows(
                db,
                "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' "
                "and (name not like 'search%' or name = 'searched_again') "
                "and name != '_sqlite_migrations'",
            )
        }


def of_postgres(address: PostgresAddress) -> dict[str, list[tuple[str, bool]]]:
    with reader_of(address).open() as db:
        found: dict[str, list[tuple[str, bool]]] = {}
        for row in db.execute(
            "select table_name, column_name, is_nullable from information_schema.columns "
            "where table_schema = 'public' and table_name not in ('search', '_sqlite_migrations') "
            "order by table_name, ordinal_position"
        ):
            column = (row["column_name"], row["is_nullable"] == "YES")
            found.setdefault(row["table_name"], []).append(column)
        return found


def test_both_engines_have_the_same_tables(postgres: PostgresServer, tmp_path: Path) -> None:
    path = tmp_path / "newsbell.db"
    sqlite.connect(path).conn.close()
    expected = of_sqlite(path)
    assert len(expected) > 30
    assert of_postgres(postgres.database(f"engines{next(_NUMBERS)}")) == expected


def test_an_older_database_on_a_server_gains_what_came_since(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.empty(f"engines{next(_NUMBERS)}")
    every = migrations.by_name()
    first = {name: every[name] for name in every if name <= postgres_schema.BASELINE}
    with monkeypatch.context() as before:
        names = postgres_schema.known()
        before.setattr(postgres_schema, "known", lambda: names)
        before.setattr(migrations, "by_name", lambda: first)
        with opened(address) as db:
            assert postgres_schema.applied(db) == first.keys()
    assert len(first) < len(every)
    with opened(address) as db:
        assert postgres_schema.applied(db) == set(postgres_schema.known())
    anew = postgres.database(f"engines{next(_NUMBERS)}")
    assert of_postgres(address) == of_postgres(anew)


# Servers that will not


def test_a_server_says_what_is_wrong_and_newsbell_what_to_do(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match=r"/nowhere cannot be opened: .*Create the database"):
        PostgresStore(postgres.address("nowhere"))._writer.connect()
    stranger = PostgresAddress(postgres.address("postgres").url.replace("newsbell@", "nobody@"))
    with pytest.raises(StoreError, match=r'role "nobody" does not exist.*Create the database'):
        PostgresStore(stranger)._writer.connect()
    away = PostgresAddress("postgresql://newsbell@/newsbell?host=/nonexistent")
    for use in (PostgresStore(away)._writer.connect, reader_of(away).open().__enter__):
        with pytest.raises(StoreError, match=r"cannot be opened: .*Check that the server runs"):
            use()


def test_a_wrong_password_is_said_and_never_shown(postgres: PostgresServer) -> None:
    address = postgres.empty(f"engines{next(_NUMBERS)}")
    with postgres.administer() as connection:
        connection.execute("create role locked login password 'right'")
    with postgres.passwords():
        url = address.url.replace("newsbell@", "locked@")
        with pytest.raises(StoreError, match=r"Check the user .* and the password") as caught:
            PostgresStore(PostgresAddress(url, "wr0ng"))._writer.connect()
        assert "wr0ng" not in str(caught.value)
        with pytest.raises(StoreError, match=r"settings\.database_password_file"):
            PostgresStore(PostgresAddress(url))._writer.connect()


def test_a_user_without_rights_is_told_which_are_missing(postgres: PostgresServer) -> None:
    address = postgres.empty(f"engines{next(_NUMBERS)}")
    with postgres.administer() as connection:
        connection.execute("create role guest login")
    with psycopg.connect(address.url, autocommit=True) as connection:
        connection.execute("revoke create on schema public from public")
    writer = PostgresStore(PostgresAddress(address.url.replace("newsbell@", "guest@")))._writer
    with (
        pytest.raises(StoreError, match=r"its user may not .*rights to create tables"),
        writer.errors("be opened"),
    ):
        writer.connect()


def test_a_server_that_is_too_old_is_refused_with_the_version_that_will_do(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = postgres.database(f"engines{next(_NUMBERS)}")
    monkeypatch.setattr(engine, "OLDEST", 99)
    with pytest.raises(StoreError, match=r"is on PostgreSQL \d+: newsbell needs 99 or later"):
        PostgresStore(address)._writer.connect()


@pytest.mark.parametrize("leads", [True, False])
def test_a_machine_that_is_gone_keeps_no_locks_for_long(
    postgres: PostgresServer, leads: bool
) -> None:
    writer = PostgresStore(postgres.database(f"engines{next(_NUMBERS)}"), leads=leads)._writer
    writer.connect()
    db = writer.connection()
    assert db is not None
    bounds = [
        db.execute("select current_setting(?) as value", [name]).fetchone()["value"]
        for name in ("idle_in_transaction_session_timeout", "lock_timeout")
    ]
    writer.disconnect()
    assert bounds == ["5s", "7s"]


def test_what_the_address_says_of_the_connection_goes_before_what_newsbell_would(
    postgres: PostgresServer,
) -> None:
    named = "&connect_timeout=33&tcp_user_timeout=44000"
    address = postgres_address(f"{postgres.address('postgres').url}{named}", {})
    with engine.connected(address) as connection:
        chosen = connection.info.get_parameters()
    assert (chosen["connect_timeout"], chosen["tcp_user_timeout"]) == ("33", "44000")


def test_a_database_that_cannot_hold_every_letter_is_refused(postgres: PostgresServer) -> None:
    with postgres.administer() as connection:
        connection.execute(
            "create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
        )
    with pytest.raises(StoreError, match=r"keeps text as LATIN1.*make it anew"):
        PostgresStore(postgres.address("latin"))._writer.connect()


def test_the_language_of_a_server_changes_nothing(postgres: PostgresServer) -> None:
    name = f"engines{next(_NUMBERS)}"
    with postgres.administer() as connection:
        try:
            connection.execute(
                sql.SQL(
                    "create database {} lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8' template template0"
                ).format(sql.Identifier(name))
            )
        except psycopg.Error as error:
            pytest.skip(f"the machine knows no other language: {error}")
    with opened(postgres.address(name)) as db:
        db.execute("insert into people (user_id, role, name, since) values (1, 'user', 'ÄB', '')")
        asked = "select user_id from people where lower(name) = lower(?)"
        assert rows(db, asked, ["Äb"]) == [(1,)]
        assert rows(db, asked, ["äb"]) == []
        db.execute(db.search.insert, [1, "Äb"])
        for text, hits in (('"Äb"', [(1,)]), ('"äb"', [])):
            found = rows(
                db,
                f"select rowid from search where {db.search.matches}",
                {"expression": db.search.expression(text)},
            )
            assert found == hits


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with postgres_server.postgres_server() as running:
        yield running


async def test_newsbell_goes_on_after_its_server_was_away(
    own_server: PostgresServer,
    server: FeedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is lost that it had kept, and nothing alerts twice."""
    address = own_server.database("away")
    monkeypatch.setattr(_Reader, "_database", lambda _reader, _settings: address)
    terminal, clock = Recorder(), ManualClock()
    old = item("0", "Old news of the harbour", at=NOON - timedelta(days=3))
    server.put("/a", rss(old))
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        first = item("1", "Harbour opens today")
        server.put("/a", rss(old, first))
        await poll(app)
        assert terminal.titles() == ["Harbour opens today"]

        own_server.stop()
        server.put("/a", rss(old, first, item("2", "Fire at the harbour wall")))
        for _ in range(2):
            with pytest.raises(StoreError, match=r"(?s)could not|cannot be opened"):
                await poll(app)
        own_server.start()

        for _ in range(2):
            clock.advance(timedelta(minutes=5))
            await poll(app)
        assert terminal.titles() == ["Harbour opens today", "Fire at the harbour wall"]
        assert query(app, "select count(*) from entries") == [(3,)]


async def test_what_a_server_had_not_kept_when_it_went_is_not_there(
    own_server: PostgresServer,
) -> None:
    writer = PostgresStore(own_server.database("away"))._writer
    await writer.open()

    def interrupted(db: Database) -> None:
        put(db, "x1")
        own_server.stop()
        put(db, "x2")

    with pytest.raises(StoreError, match=r"newsbell goes on by itself when it is there again"):
        await writer.run("keep this", interrupted)
    own_server.start()
    await writer.run("keep this", lambda db: put(db, "x3"))
    assert [row["name"] for row in await writer.fetch("look", NAMES)] == ["x3"]
    await writer.close()


def test_who_lost_the_lead_writes_nothing_and_leads_no_more(
    postgres: PostgresServer,
) -> None:
    """The lock ends with the connection, and the other has it then."""
    address = postgres.database(f"engines{next(_NUMBERS)}")
    first, other = PostgresStore(address)._writer, PostgresStore(address)._writer
    first.connect()
    with postgres.administer() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
            "and database = (select oid from pg_database where datname = %s)",
            [address.url.partition("?")[0].rpartition("/")[2]],
        )
    for _ in range(100):  # until the server has let go
        with suppress(StoreBusy):
            other.connect()
            break
        time.sleep(0.05)
    former = first.connection()
    assert former is not None
    with pytest.raises(StoreError, match="could not keep this"), first.errors("keep this"):
        put(former, "x1")
    for _ in range(2):  # while the other leads, and after it did
        with pytest.raises(StoreLost, match="has to start anew"):
            first.connection()
        other.disconnect()
    first.disconnect()


def test_the_lock_of_a_file_is_not_of_its_copy(tmp_path: Path) -> None:
    path = tmp_path / "newsbell.db"
    first, other = sqlite.Lock(path), sqlite.Lock(tmp_path / "copy.db")
    first.take()
    other.take()
    with pytest.raises(StoreBusy):
        sqlite.Lock(path).take()
    first.release()
    other.release()
    assert SqliteStore(path).path == path
