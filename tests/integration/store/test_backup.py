"""A backup is a whole database, made while another process writes; a restored one is that again."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from support import NOON

from bot.errors import StoreBusy, StoreError
from bot.store.backup import back_up, remove_old, restore
from bot.store.read_only import ReadOnlyDatabase
from bot.store.stores import SqliteStore

pytestmark = pytest.mark.own_engine("backups are files")


def words(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as db:
        return [row[0] for row in db.execute("select value from meta where name like 'word%'")]


def add(database: Path, word: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("insert into meta (name, value) values (?, ?)", (f"word {word}", word))


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    path = tmp_path / "newsbell.db"
    async with SqliteStore(path):
        pass
    add(path, "one")
    return path


async def test_what_is_committed_while_newsbell_runs_is_in_the_copy(
    database: Path, tmp_path: Path
) -> None:
    async with SqliteStore(database):
        add(database, "two")  # it is in the -wal file alone
        copy = back_up(database, tmp_path / "new" / "folder", NOON)

    assert words(copy) == ["one", "two"]
    assert copy.name == "newsbell-20260302T120000Z.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]


def test_the_newest_copies_of_this_database_are_kept_and_no_other_file_goes(
    database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    copies = [back_up(database, folder, NOON + timedelta(days=day)) for day in range(4)]
    others = [folder / name for name in ("newsbell-notes.db", "other-20260302T120000Z.db")]
    for other in others:
        other.touch()

    assert remove_old(database, folder, 2) == copies[:2]
    assert sorted(folder.iterdir()) == sorted([*copies[2:], *others])


def test_a_damaged_database_gives_no_copy(database: Path, tmp_path: Path) -> None:
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))

    with pytest.raises(StoreError, match="damaged"):
        back_up(database, tmp_path / "copies", NOON)
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_round_trip_gives_the_database_back_and_keeps_the_former_one(
    database: Path, tmp_path: Path
) -> None:
    copy = back_up(database, tmp_path / "copies", NOON)
    add(database, "two")
    former = restore(copy, database, NOON)

    assert words(database) == ["one"]
    assert former is not None
    assert words(former) == ["one", "two"]
    assert words(copy) == ["one"]
    assert ReadOnlyDatabase(database).status().feeds == ()
    assert not list(tmp_path.glob("*.part"))


def test_a_lost_database_is_restored(database: Path, tmp_path: Path) -> None:
    copy = back_up(database, tmp_path / "copies", NOON)
    database.unlink()

    assert restore(copy, database, NOON) is None
    assert words(database) == ["one"]
    assert database.stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_is_kept_with_what_stands_beside_it(
    database: Path, tmp_path: Path
) -> None:
    copy = back_up(database, tmp_path / "copies", NOON)
    for ending in ("", "-wal"):
        database.with_name(database.name + ending).write_bytes(b"no database at all")
    former = restore(copy, database, NOON)

    assert words(database) == ["one"]
    assert former is not None
    assert former.read_bytes() == b"no database at all"
    assert not database.with_name(database.name + "-wal").exists()


async def test_it_is_refused_while_a_newsbell_runs(database: Path, tmp_path: Path) -> None:
    copy = back_up(database, tmp_path / "copies", NOON)
    add(database, "two")
    async with SqliteStore(database):
        with pytest.raises(StoreBusy, match="Another newsbell"):
            restore(copy, database, NOON)

    assert words(database) == ["one", "two"]


def test_what_is_no_backup_of_newsbell_changes_nothing(database: Path, tmp_path: Path) -> None:
    text, foreign, newer = (tmp_path / name for name in ("text.db", "foreign.db", "newer.db"))
    text.write_text("no database", encoding="ascii")
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("create table feeds (id integer)")
    back_up(database, tmp_path / "copies", NOON).replace(newer)
    with closing(sqlite3.connect(newer, isolation_level=None)) as db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) "
            "values ('newsbell', 'm999_future', '')"
        )

    for file, said in (
        (text, "damaged"),
        (foreign, "no database of newsbell"),
        (newer, "newer newsbell"),
        (database, "the database itself"),
    ):
        with pytest.raises(StoreError, match=said):
            restore(file, database, NOON)
    assert words(database) == ["one"]
    assert not list(tmp_path.glob("*before*"))
