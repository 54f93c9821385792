"""A database is moved between engines whole or not at all, and newsbell goes on where it stood."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest
from postgres_server import PostgresServer
from sampling import SEED, amount
from support import changes
from telegram_harness import ANN, TRAM, OpenHarness

import bot.store
from bot.errors import StoreBusy, StoreError
from bot.model.database_address import DatabaseAddress
from bot.model.nodes import Node
from bot.query.parser import parse
from bot.search.matches import search
from bot.store import move as mover
from bot.store.archive import Archive
from bot.store.engines.postgres import end_leader
from bot.store.engines.tables import tables
from bot.store.move import Moved, move
from bot.store.read_only import reader_of
from bot.store.stores import SqliteStore, store_of

MINUTE = timedelta(minutes=1)
plans = import_module("test_query_plans")  #: whose exercise fills a database
_NAMES = count(1)
_LEFT_OUT = {"searched_again", "unsearched", "nodes", "requests"}
_SEARCH_VALUES = {"searched", "search_rows", "search_obsolete", "search_keys"}
#: types of PostgreSQL's catalogue
_TYPES = {int: "bigint", float: "double precision", str: "text", bytes: "bytea"}
_FOLDER = Path(bot.store.__file__).parent
_TRACED = {
    str(_FOLDER / name)
    for name in ("move.py", "engines/sqlite_place.py", "engines/postgres_place.py")
}


class Silent:
    """Is told how far a move is, and remembers what began."""

    def __init__(self, fails_at: str = "") -> None:
        self.began_with: list[tuple[str, int]] = []
        self._fails_at = fails_at

    def began(self, doing: str, rows: int) -> None:
        self.began_with.append((doing, rows))
        if doing == self._fails_at:
            raise InterruptedError

    def advanced(self, rows: int) -> None:
        pass


@pytest.fixture(autouse=True)
def engine() -> None:
    """These tests choose the engine themselves."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the program itself filled; nothing in it is changed by tests."""
    path = tmp_path_factory.mktemp("filled") / "newsbell.db"

    async def fill() -> None:
        async with SqliteStore(path) as store:
            work = plans.Exercise(store)
            for part in (
                plans.configure,
                plans.poll_feeds,
                plans.deliver,
                plans.talk,
                plans.change_minds,
                plans.search,
                plans.open_web,
                plans.agree_with_hubs,
            ):
                await part(work)
            await store.admin.note_time(plans.NOON)

    asyncio.run(fill())
    with changes(path) as db:
        # Numbers that were given once are not given again.
        db.execute("delete from screens where id = (select max(id) from screens)")
        db.execute("update chats set acts_for = (select max(id) from chats) where id = 1")
        db.execute("update outbox set file = x'00ff' where id = (select min(id) from outbox)")
    return path


@pytest.fixture
def source(filled: Path, tmp_path: Path) -> Path:
    """A copy of that, which a test may change."""
    path = tmp_path / "source.db"
    shutil.copy(filled, path)
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseAddress:
    """Where nothing is yet, on either engine."""
    if request.param == "sqlite":
        return tmp_path / "target.db"
    return new_database(request.getfixturevalue("postgres"))


def new_database(server: PostgresServer) -> DatabaseAddress:
    return server.empty(f"move{next(_NAMES)}")


def rows_of(address: DatabaseAddress) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, by statements of the test's own; without the index of the search."""
    found = {}
    with reader_of(address).open() as db:
        for table in tables():
            statement = f"select * from {table.name}"  # noqa: S608 (our own names)
            rows = [tuple(row) for row in db.execute(statement).fetchall()]
            if table.name == "meta":
                rows = [row for row in rows if row[0] not in _SEARCH_VALUES]
            if table.name not in _LEFT_OUT:
                found[table.name] = sorted(rows, key=repr)
    return found


def schema_of(path: Path) -> set[tuple[str, str]]:
    """What a file of SQLite defines; without what the index of the search renews."""
    with closing(sqlite3.connect(path)) as connection:
        return set(
            connection.execute(
                "select name, sql from sqlite_schema where sql is not null "
                "and name not like 'search\\_%' escape '\\'"
            )
        )


def interrupted(source: DatabaseAddress, target: DatabaseAddress, at: str = "Comparing") -> None:
    """Begin a move that ends before this part of the work."""
    with pytest.raises(InterruptedError):
        move(source, target, Silent(at))


def numbered(address: DatabaseAddress, statement: str) -> int:
    """The number that a new row gets; the row is not kept."""
    with changes(address) as db:
        number = int(db.execute(statement).fetchone()[0])
        db.execute("delete from screens where id = ?", [number])
        return number


# There and back


def test_a_database_is_the_same_after_a_move_there_and_back(
    filled: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    before = rows_of(filled)
    server, back = new_database(postgres), tmp_path / "back.db"

    there = move(filled, server, Silent())
    assert rows_of(server) == before
    assert move(server, back, Silent()) == there

    assert rows_of(back) == before
    assert there == Moved(
        sum(map(len, before.values())), sum(map(bool, before.values())), resumed=0, changed=0
    )
    assert there.tables > 25
    assert schema_of(back) == schema_of(filled)
    with closing(sqlite3.connect(back)) as connection:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"


def test_a_database_is_moved_within_an_engine(
    filled: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    servers = [new_database(postgres), new_database(postgres)]
    move(filled, servers[0], Silent())

    move(servers[0], servers[1], Silent())
    move(filled, tmp_path / "other.db", Silent())

    assert rows_of(servers[1]) == rows_of(tmp_path / "other.db") == rows_of(filled)


def test_the_source_is_not_changed(source: Path, place: DatabaseAddress) -> None:
    before = source.read_bytes()
    move(source, place, Silent())

    assert source.read_bytes() == before


def test_numbers_that_were_given_are_not_given_again(
    filled: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    insert = (
        "insert into screens (chat_id, user_id, name, state, touched_at) "
        "values (1, 7, 'menu', '{}', '') returning id"
    )
    with closing(sqlite3.connect(filled)) as connection:
        counters = "select seq from sqlite_sequence where name = 'screens'"
        last = connection.execute(counters).fetchone()[0]
        highest = connection.execute("select max(id) from screens").fetchone()[0]
    server, back = new_database(postgres), tmp_path / "back.db"
    move(filled, server, Silent())
    move(server, back, Silent())

    assert last > highest
    assert [numbered(address, insert) for address in (server, back)] == [last + 1] * 2


def test_every_table_of_postgresql_gives_numbers_behind_its_last(
    filled: Path, postgres: PostgresServer
) -> None:
    server = new_database(postgres)
    move(filled, server, Silent())

    with reader_of(server).open() as db:
        for table in tables():
            if table.numbered:
                statement = f"select max({table.key[0]}) from {table.name}"  # noqa: S608
                highest = db.execute(statement).fetchone()[0] or 0
                statement = "select pg_sequence_last_value(pg_get_serial_sequence(?, ?)::regclass)"
                last = db.execute(statement, [table.name, table.key[0]]).fetchone()[0] or 0
                assert last >= highest, table.name


def test_the_tables_that_are_moved_are_all_that_postgresql_has(postgres: PostgresServer) -> None:
    statement = (
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema = current_schema() order by table_name, ordinal_position"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    with reader_of(postgres.database("catalogue")).open() as db:
        for row in db.execute(statement):
            found.setdefault(row["table_name"], []).append((row["column_name"], row["data_type"]))

    assert found.keys() - {table.name for table in tables()} == {"search", "_sqlite_migrations"}
    for table in tables():
        assert found[table.name] == [(column.name, _TYPES[column.kind]) for column in table.columns]


def test_a_table_comes_after_those_that_it_refers_to() -> None:
    seen: set[str] = set()
    for table in tables():
        seen.add(table.name)
        assert table.parents <= seen, table.name


# The search


def found(archive: Archive) -> list[int]:
    """The articles that a search for a word finds."""
    return [hit.entry.id for hit in search(parse("harbour"), archive)]


async def test_searches_find_the_same_before_and_after_newsbell_filled_the_index_there(
    filled: Path, place: DatabaseAddress
) -> None:
    move(filled, place, Silent())
    before = found(Archive(reader_of(filled)))
    with reader_of(place).open() as db:
        entries = db.execute("select count(*) from entries").fetchone()[0]

    async with store_of(place) as store:
        at_first = found(store.archive)
        assert await store.search.fill(plans.NOON) == entries
        assert at_first == found(store.archive) == before != []


# An attempt that is ended goes on


def killed_at(line: int, source: DatabaseAddress, target: DatabaseAddress) -> int:
    """Move in a process that is killed before this line of the mover; its exit status.

    A status of 0 says that the move ended first.
    """
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    passed = 0

    def traced(frame: FrameType, event: str, _value: object) -> Any:
        nonlocal passed
        if frame.f_code.co_filename not in _TRACED:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return traced

    status = 1
    try:
        mover.BATCH = 3
        sys.settrace(traced)
        move(source, target, Silent())
        status = 0
    finally:
        os._exit(status)


def lines_of(source: DatabaseAddress, target: DatabaseAddress) -> int:
    """How many lines of the mover a whole move runs through, about."""
    passed = 0

    def traced(frame: FrameType, event: str, _value: object) -> Any:
        nonlocal passed
        if frame.f_code.co_filename not in _TRACED:
            return None
        passed += event == "line"
        return traced

    before = sys.gettrace()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mover, "BATCH", 3)
        sys.settrace(traced)
        try:
            move(source, target, Silent())
        finally:
            sys.settrace(before)
    return passed


def test_a_move_that_is_killed_again_and_again_ends_with_the_same_rows(
    filled: Path, place: DatabaseAddress, tmp_path: Path, postgres: PostgresServer
) -> None:
    onto_server = not isinstance(place, Path)
    source: DatabaseAddress = filled if onto_server else new_database(postgres)
    spare: DatabaseAddress = new_database(postgres) if onto_server else tmp_path / "spare.db"
    if not onto_server:
        move(filled, source, Silent())
    lines = lines_of(source, spare)
    draw = Random(SEED)

    statuses = []
    for _ in range(amount(6, 60)):
        statuses.append(killed_at(draw.randrange(1, lines), source, place))
        if statuses[-1] == 0:
            break
        with pytest.raises(StoreError), reader_of(place).open():
            pass
    if statuses[-1]:
        move(source, place, Silent())

    assert statuses[0] == signal.SIGKILL
    assert set(statuses) <= {signal.SIGKILL, 0}
    assert rows_of(place) == rows_of(filled)


def test_what_was_copied_is_not_copied_again(source: Path, place: DatabaseAddress) -> None:
    interrupted(source, place)
    moved = move(source, place, Silent())

    assert moved.resumed == moved.rows > 0


def test_a_move_begins_anew_where_newsbell_ran_meanwhile(
    source: Path, place: DatabaseAddress
) -> None:
    interrupted(source, place)
    with changes(source) as db:
        db.execute("update entries set title = 'Changed' where id = 1")
        db.execute("update meta set value = '2026-03-03T00:00:00' where name = 'clock_seen'")

    assert move(source, place, Silent()).resumed == 0
    assert rows_of(place) == rows_of(source)


@pytest.mark.parametrize("at", ["Copying", "Comparing"])
async def test_no_newsbell_uses_a_part_of_a_database(
    source: Path, place: DatabaseAddress, at: str
) -> None:
    interrupted(source, place, at)
    said = f"holds a part of {source}: a move into it has not ended"

    with pytest.raises(StoreError, match=said):
        async with store_of(place):
            pass
    with pytest.raises(StoreError, match="newsbell move --to "), reader_of(place).open():
        pass


# What is compared


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("update entries set title = 'Other' where id = 3", "entries differs, first at 3"),
        ("delete from subscription_versions where id = 1", "subscription_versions differs, first"),
        ("update joins set score = 0.25", "joins differs, first at "),
        ("delete from meta where name = 'clock_seen'", "meta differs, first at 'clock_seen'"),
        ("update documents set records = x'01'", "documents differs, first at 1"),
    ],
)
async def test_a_row_that_is_not_the_same_is_found_and_the_target_is_not_used(
    source: Path, place: DatabaseAddress, statement: str, where: str
) -> None:
    interrupted(source, place)
    with changes(place) as db:
        assert db.execute(statement).rowcount > 0

    with pytest.raises(StoreError, match=f"is not the same: the table {where}"):
        move(source, place, Silent())
    with pytest.raises(StoreError, match="has not ended"):
        async with store_of(place):
            pass


def test_texts_lose_the_zero_bytes_that_postgresql_cannot_keep(
    source: Path, place: DatabaseAddress
) -> None:
    with changes(source) as db:
        db.execute("update entries set title = ?, summary = ? where id = 1", ["a\0b", "\0"])
    interrupted(source, place)
    moved = move(source, place, Silent())

    with reader_of(place).open() as db:
        row = db.execute("select title, summary from entries where id = 1").fetchone()
    kept = isinstance(place, Path)
    assert moved.changed == (0 if kept else 2)
    assert tuple(row) == (("a\0b", "\0") if kept else ("ab", ""))


def test_a_value_that_its_column_is_not_made_for_is_named(
    source: Path, place: DatabaseAddress
) -> None:
    with changes(source) as db:
        db.execute("update entries set alerted = 'x' where id = 2")

    with pytest.raises(StoreError, match="alerted of entries 2 is 'x', where int is expected"):
        move(source, place, Silent())


# Wrong places


def test_a_place_with_something_else_is_refused(filled: Path, place: DatabaseAddress) -> None:
    with changes(place) as db:
        db.execute("create table books (title text)")

    with pytest.raises(StoreError, match=r"holds other tables \(books\)"):
        move(filled, place, Silent())


def test_a_database_that_is_whole_is_refused(filled: Path, place: DatabaseAddress) -> None:
    move(filled, place, Silent())

    with pytest.raises(StoreError, match="is a whole database of newsbell already"):
        move(filled, place, Silent())


def test_a_part_of_another_database_is_refused(
    filled: Path, source: Path, place: DatabaseAddress
) -> None:
    interrupted(source, place)

    with pytest.raises(StoreError, match=f"holds a part of {source}: finish that move"):
        move(filled, place, Silent())


def test_a_database_is_not_moved_onto_itself(source: Path) -> None:
    with pytest.raises(StoreError, match="is the database itself"):
        move(source, source.parent / "." / source.name, Silent())


def test_a_folder_and_a_file_without_one_are_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder: name a file in it"):
        move(source, tmp_path, Silent())
    with pytest.raises(StoreError, match="There is no folder"):
        move(source, tmp_path / "absent" / "new.db", Silent())


def test_a_file_that_is_no_database_is_left_as_it_is(source: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear reader, " * 100)

    with pytest.raises(StoreError, match="file is not a database"):
        move(source, tmp_path / "letter", Silent())
    assert (tmp_path / "letter").read_text() == "Dear reader, " * 100


@pytest.mark.parametrize("doing", ["Copying", "Comparing"])
def test_a_source_that_is_not_kept_from_others_any_more_is_not_moved(
    filled: Path, tmp_path: Path, postgres: PostgresServer, doing: str
) -> None:
    """A newsbell may have written there meanwhile, unseen."""
    source, target = new_database(postgres), tmp_path / "target.db"
    move(filled, source, Silent())

    class Unlocking(Silent):
        def began(self, doing: str, rows: int) -> None:
            super().began(doing, rows)
            if doing == when:
                with reader_of(source).open(any_version=True) as db:
                    assert end_leader(db)

    when = doing
    with pytest.raises(StoreError, match=r"be kept from others: .*start the move again"):
        move(source, target, Unlocking())

    with pytest.raises(StoreError, match="a move into it has not ended"), reader_of(target).open():
        pass
    assert move(source, target, Silent()).rows > 0
    assert rows_of(target) == rows_of(filled)


async def test_a_database_that_a_newsbell_uses_is_not_moved(
    filled: Path, place: DatabaseAddress, tmp_path: Path
) -> None:
    move(filled, place, Silent())
    async with store_of(place):
        for pair in ((place, tmp_path / "new.db"), (filled, place)):
            with pytest.raises(StoreBusy, match="stop it first"):
                await asyncio.to_thread(move, pair[0], pair[1], Silent())


async def test_a_database_that_a_newsbell_waits_for_is_not_moved(
    source: Path, place: DatabaseAddress
) -> None:
    async with SqliteStore(source) as store:
        await store.nodes.beat(Node("desk", "1", plans.NOON), leads=False)
    with changes(source) as db:  # it does not fall silent during the test
        db.execute("update nodes set beat = beat + 3600")

    with pytest.raises(StoreBusy, match=r"Another newsbell \(desk\) is using"):
        move(source, place, Silent())


def test_a_database_of_another_version_is_not_moved(source: Path, tmp_path: Path) -> None:
    last = last_migration(source)
    with changes(source) as db:
        db.execute("delete from _sqlite_migrations where name = ?", [last])

    with pytest.raises(StoreError, match="start this one once"):
        move(source, tmp_path / "new.db", Silent())
    assert not (tmp_path / "new.db").exists()


def last_migration(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("select max(name) from _sqlite_migrations").fetchone()[0])


def test_there_has_to_be_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database at"):
        move(tmp_path / "absent.db", tmp_path / "new.db", Silent())


# Newsbell goes on


async def test_newsbell_goes_on_where_it_was_moved_from(
    opened: OpenHarness, place: DatabaseAddress
) -> None:
    async with opened(TRAM) as harness:
        await harness.bring("Tram line opens")
        await harness.deliver()
        await harness.bring("Tram line closes")
        former = harness.app.config.database
        waiting = await harness.outbox("queued")
        entries = await harness.rows("select id from entries order by id")
    move(former, place, Silent())

    where = str(place) if isinstance(place, Path) else place.url
    async with opened(TRAM, database=where) as harness:
        assert await harness.outbox("queued") == waiting
        assert len(waiting) == 1
        await harness.deliver(MINUTE)
        await harness.deliver(MINUTE)
        assert harness.shown(ANN) == ["Tram line opens", "Tram line closes"]
        known = await harness._known("Tram line opens")
        assert (known.id,) in entries
        await harness.retitle("Tram line opens", "Tram line opens today")
        await harness.bring("Tram line is extended")
        await harness.deliver(MINUTE)
        assert len(harness.shown(ANN)) == 3
        numbers = await harness.rows("select id from entries order by id")
        assert numbers[:-1] == entries
