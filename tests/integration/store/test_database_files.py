"""The files of a database: private, one lock whatever their names, and noticed when they vanish."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from structlog.testing import capture_logs
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    config_text,
    item,
    newsbell,
    poll,
    rss,
    sqlite,
)

from bot.errors import StoreBusy, StoreError
from bot.model.delivery import DeliveryKind
from bot.service.database_watch import CHECK
from bot.store.archive import Archive
from bot.store.backup import back_up
from bot.store.engines import sqlite as engine
from bot.store.read_only import ReadOnlyDatabase, reader_of
from bot.store.schema import migrations
from bot.store.stores import SqliteStore

HOUR = timedelta(hours=1)


def modes(folder: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()]


def open_to_all(folder: Path) -> None:
    """Leave the files as an earlier version did."""
    for path in folder.iterdir():
        path.chmod(0o666)


@pytest.mark.own_engine("about files")
async def test_the_files_are_the_owners_alone_whatever_the_umask_and_their_age(
    tmp_path: Path,
) -> None:
    path = tmp_path / "newsbell.db"
    before = os.umask(0)
    try:
        for _ in range(2):
            async with SqliteStore(path) as store:
                await store.admin.note_check(NOON)
                assert modes(tmp_path) == [0o600] * 4
            open_to_all(tmp_path)
    finally:
        os.umask(before)


@pytest.mark.own_engine("about files")
async def test_a_database_has_one_lock_under_all_its_names(tmp_path: Path) -> None:
    path, link = tmp_path / "newsbell.db", tmp_path / "other" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    async with SqliteStore(path):
        with pytest.raises(StoreBusy):
            async with SqliteStore(link):
                pass
    async with SqliteStore(link):
        with pytest.raises(StoreBusy):
            async with SqliteStore(path):
                pass


@pytest.mark.own_engine("about files")
async def test_the_database_of_a_newer_newsbell_is_refused_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "newsbell.db"
    async with SqliteStore(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) "
            "values ('newsbell', 'm999_future', '')"
        )
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer newsbell \(m999_future\): update this one"):
        async with SqliteStore(path):
            pass
    with pytest.raises(StoreError, match=r"newer newsbell \(m999_future\): update this one"):
        ReadOnlyDatabase(path).status()
    assert path.read_bytes() == before


@pytest.mark.own_engine("about files")
def test_what_only_reads_says_of_an_older_database_to_start_newsbell_first(
    tmp_path: Path,
) -> None:
    """A copy of it can be made before, and a broken feeds.yaml find what was in force."""
    path = tmp_path / "newsbell.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        migrations.apply(Database(connection), stop_before="m005_feed_leases")
        connection.commit()
    for read in (ReadOnlyDatabase(path).status, Archive(reader_of(path)).languages):
        with pytest.raises(StoreError, match=r"by an older newsbell: start this one once"):
            read()
    assert ReadOnlyDatabase(path).kept_config() is None
    copy = back_up(path, tmp_path / "copies", NOON)
    assert copy.stat().st_size > 0

    (tmp_path / "other.db").write_bytes(b"")
    with pytest.raises(StoreError, match=r"other\.db is no database of newsbell"):
        ReadOnlyDatabase(tmp_path / "other.db").status()


@pytest.mark.own_engine("about files")
async def test_what_was_stored_first_is_in_the_file_and_not_only_in_its_log(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(item("1", "Harbour news")))
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        await app.jobs.look_for_database()
        log = app.config.beside.with_name(app.config.beside.name + "-wal")
        assert log.stat().st_size == 0
        with closing(sqlite3.connect(f"file:{app.config.beside}?immutable=1", uri=True)) as copy:
            assert copy.execute("select title from entries").fetchall() == [("Harbour news",)]


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


@pytest.mark.own_engine("about files")
@pytest.mark.parametrize("suffix", ["", ".lock"])
@pytest.mark.parametrize("change", [delete, replace])
async def test_a_file_that_vanishes_is_said_loudly_and_the_operator_hears_of_it(
    tmp_path: Path,
    clock: ManualClock,
    terminal: Recorder,
    change: Callable[[Path], None],
    suffix: str,
) -> None:
    async with newsbell(tmp_path, config_text([]), clock=clock, terminal=terminal) as app:
        path = app.config.beside
        path = path.with_name(path.name + suffix)
        await app.jobs.look_for_database()
        await app.deliverer.run_once(timedelta(0))
        assert terminal.sent == []
        change(path)
        with capture_logs() as logs:
            for _ in range(2):
                await app.jobs.look_for_database()
        assert [entry["event"] for entry in logs] == ["database_missing"] * 2
        await app.deliverer.run_once(timedelta(0))
        [notice] = terminal.texts(DeliveryKind.NOTICE)
        assert notice.startswith(f"{path.name} was deleted, moved or replaced")


@pytest.mark.own_engine("about files")
async def test_damage_that_a_start_does_not_see_is_found_later_and_told(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    config = config_text([server.url("/a")])
    server.put("/a", rss(*(item(str(number), f"Mill {number}") for number in range(20))))
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
        path = app.config.beside
    with closing(sqlite3.connect(path)) as connection:  # a row is missing from an index
        connection.execute("pragma writable_schema = on")
        definition = "create index entries_story on entries (story_id)"
        changed = f"{definition} where id > 5"
        connection.execute(
            "update sqlite_schema set sql = ? where name = 'entries_story'", [changed]
        )
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("reindex entries_story")
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = ? where name = 'entries_story'", [definition]
        )
        connection.commit()
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        with capture_logs() as logs:
            await app.jobs.check_database()
            await app.jobs.check_database()  # not due
        assert [entry["event"] for entry in logs] == ["database_damaged"]
        await app.deliverer.run_once(timedelta(0))
        [notice] = terminal.texts(DeliveryKind.NOTICE)
        assert "entries_story" in notice
        clock.advance(CHECK)
        with capture_logs() as logs:
            await app.jobs.check_database()
        assert len(logs) == 1


@pytest.mark.own_engine("about files")
async def test_of_a_large_database_a_start_checks_what_it_cannot_do_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newsbell.db"
    async with SqliteStore(path):
        pass
    statements: list[str] = []

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
            statements.append(sql)
            return super().execute(sql, parameters)  # type: ignore[arg-type]  # of typeshed

    monkeypatch.setattr(engine, "CHECKED_AT_START", 10)
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **more: connect(*args, **more, factory=Connection)
    )
    async with SqliteStore(path):
        pass
    checks = [statement for statement in statements if "check(" in statement]
    assert checks
    assert not {"pragma quick_check(1)", "pragma quick_check(entries)"} & set(checks)


async def test_a_single_run_cleans_up_once_in_six_hours(tmp_path: Path, clock: ManualClock) -> None:
    times = []
    for _ in range(4):
        async with newsbell(tmp_path, config_text([]), clock=clock) as app:
            await app.run_once()
            times.append(await sqlite(app).admin.cleaned_at())
        clock.advance(2 * HOUR)
    assert times == [NOON, NOON, NOON, NOON + 6 * HOUR]
