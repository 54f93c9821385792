"""The database: opened safely or not at all, whole transactions only, needed rows kept."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import EventDict
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    break_at,
    config_text,
    item,
    mend,
    newsbell,
    poll,
    rss,
    sqlite,
    stored,
)

from bot.errors import StoreBusy, StoreError, StoreFull
from bot.model.delivery import DeliveryKind
from bot.service.clock import SystemClock
from bot.store.read_only import ReadOnlyDatabase, reader_of
from bot.store.stores import OpenStore, SqliteStore

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[3]
OLD = item("1", "Old harbour news", at=NOON - 3 * DAY)
TABLES = """
feeds documents hosts entries revisions chats subscriptions routes alerts alert_matches outbox
outbox_alerts
""".split()


async def rows(store: OpenStore, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return await store._writer.run(
        "look", lambda db: [tuple(row) for row in db.execute(statement, list(values)).fetchall()]
    )


async def contents(store: OpenStore) -> dict[str, list[tuple[Any, ...]]]:
    """All that the database holds, but for leases."""
    await rows(store, "update feeds set lease_until = null, lease = 0")
    statements = {table: f"select * from {table} order by 1, 2" for table in TABLES}  # noqa: S608
    return {table: await rows(store, statement) for table, statement in statements.items()}


async def until(true: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.02)


# Opening


async def test_a_database_is_opened_durable_with_foreign_keys_and_its_tables_made_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "deep" / "er" / "newsbell.db"
    versions: list[list[tuple[Any, ...]]] = []
    for _ in range(2):
        async with SqliteStore(path) as store:
            for pragma, value in (
                ("journal_mode", "wal"),
                ("synchronous", 2),
                ("foreign_keys", 1),
                ("mmap_size", 0),
            ):
                assert await rows(store, f"pragma {pragma}") == [(value,)]
            versions.append(await rows(store, "select * from _sqlite_migrations"))
            with pytest.raises(StoreError, match="FOREIGN KEY"):
                await rows(store, "insert into documents values (99, x'')")
    assert versions[0]
    assert versions[0] == versions[1]
    assert not path.with_name("newsbell.db-wal").exists()


async def test_a_second_newsbell_is_kept_out_until_the_first_is_done(tmp_path: Path) -> None:
    path = tmp_path / "newsbell.db"
    async with SqliteStore(path):
        with pytest.raises(
            StoreBusy,
            match=r"^Another newsbell \(process \d+\) is using newsbell\.db; stop it first\.$",
        ):
            async with SqliteStore(path):
                pass
    async with SqliteStore(path) as store:
        assert await rows(store, "select 1") == [(1,)]


def spoil_header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 400)


def spoil_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def spoil_one_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8192:8292] = b"\xa5" * 100
    path.write_bytes(data)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 3 + 100])


@pytest.mark.parametrize("spoil", [spoil_header, spoil_pages, spoil_one_page, cut_off])
async def test_a_damaged_database_is_refused_with_the_remedy_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "newsbell.db"
    async with SqliteStore(path):
        pass
    spoil(path)
    before = path.read_bytes()
    for _ in range(2):  # the lock is given back
        with pytest.raises(StoreError, match=r"damaged.*Restore a backup, or move"):
            async with SqliteStore(path):
                pass
    assert path.read_bytes() == before


async def test_a_folder_that_cannot_hold_a_database_is_an_error_that_names_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "newsbell.db").mkdir()
    with pytest.raises(StoreError, match=r"cannot be kept in .*file: .*Change settings\.database"):
        async with SqliteStore(tmp_path / "file" / "newsbell.db"):
            pass
    with pytest.raises(StoreError, match=r"is a folder: let settings\.database name a file in it"):
        async with SqliteStore(tmp_path / "newsbell.db"):
            pass
    with pytest.raises(StoreError, match="There is no database at"):
        ReadOnlyDatabase(tmp_path / "none.db")


async def test_a_read_only_database_shows_what_was_stored_and_changes_nothing(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(OLD))
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        address = app.config.database
        database = ReadOnlyDatabase(address)
        assert database.status() == await app.store.admin.status()
        assert database.outbox(clock.now()) == []
    with pytest.raises(StoreError, match=r"read.?only"), reader_of(address).open() as connection:
        connection.execute("delete from feeds")
    assert [feed.entries for feed in ReadOnlyDatabase(address).status().feeds] == [1]


# All or nothing


@pytest.mark.parametrize(
    "event",
    [
        "insert on entries", "update of title on entries", "update of absent_since on entries",
        "insert on revisions", "insert on alerts", "insert on alert_matches", "insert on outbox",
        "insert on outbox_alerts", "insert on hosts", "update on documents",
        "update of etag on feeds",
    ],
)  # fmt: skip
async def test_a_failed_statement_undoes_the_transaction_and_the_feed_is_fetched_again(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
) -> None:
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=20))
    changes, leaves = (
        item("changes", "Quiet", at=NOON - 3 * DAY),
        item("leaves", "It leaves", at=NOON - 3 * DAY),
    )
    server.put("/a", rss(changes, leaves, OLD), headers={"ETag": '"1"'})
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        clock.advance(timedelta(hours=1))
        changed = rss(
            item("2", "The harbour opens"), item("changes", "Quiet no more", at=NOON - 3 * DAY), OLD
        )
        server.put("/a", changed, headers={"ETag": '"2"', "Retry-After": "60"})
        await app.store.polls.make_due(clock.now())
        before = await contents(stored(app))
        await break_at(app, event)
        await app.poller.run_once()
        assert await contents(stored(app)) == before

        await mend(app, event)
        await poll(app)
    assert [seen.headers.get("If-None-Match") for seen in server.seen] == [None, '"1"', '"1"']
    assert terminal.titles() == ["The harbour opens"]


async def test_polling_pauses_while_the_disk_is_full_loses_nothing_and_goes_on_by_itself(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    events: list[EventDict],
) -> None:
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=50))
    monkeypatch.setattr("bot.feeds.poller.LEASE", timedelta(milliseconds=200))
    server.put("/a", rss(OLD))
    feed = {"url": server.url("/a"), "every": "1s"}
    async with (
        newsbell(tmp_path, config_text([feed]), clock=SystemClock(), terminal=terminal) as app,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(app.run())

        async def entries() -> int:
            return len(await rows(sqlite(app), "select 1 from entries"))

        await until(entries)
        pages = (await rows(sqlite(app), "pragma page_count"))[0][0]
        await rows(sqlite(app), f"pragma max_page_count = {pages}")
        news = [
            item(f"n{number}", f"Notice {number}", text=f"{number} words of it. " * 100)
            for number in range(8)
        ]
        server.put("/a", rss(item("2", "The harbour opens"), *news, OLD), headers={"ETag": '"2"'})

        async def refused() -> bool:
            failures = [entry for entry in events if entry["event"] == "commit_failed"]
            return len(failures) > 1

        await until(refused)
        error = next(entry["error"] for entry in events if entry["event"] == "commit_failed")
        assert "the disk is full or failing" in error
        assert "Make room; newsbell goes on by itself." in error
        assert await entries() == 1
        assert all(seen.headers.get("If-None-Match") is None for seen in server.seen)

        await rows(sqlite(app), "pragma max_page_count = 1000000")

        async def alerts() -> list[str]:
            return terminal.titles()

        await until(alerts)
        app.stop()
    assert terminal.titles() == ["The harbour opens"]


async def test_a_file_system_that_takes_no_more_bytes_is_reported_as_a_full_disk(
    tmp_path: Path,
) -> None:
    """In a process whose files may not grow; what was stored before is still there afterwards."""
    program = """
import asyncio, resource, sys
from pathlib import Path
from bot.errors import StoreFull
from bot.store.stores import SqliteStore

async def main():
    async with SqliteStore(Path(sys.argv[1])) as store:
        put = lambda db: db.execute("insert or replace into meta values ('first', 'before')")
        await store._writer.run("keep", put)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        insert = "insert into meta values (?, ?)"
        big = lambda db: [db.execute(insert, [str(n), "x" * 10_000]) for n in range(200)]
        try:
            await store._writer.run("keep much", big)
        except StoreFull as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await store._writer.run("keep", lambda db: db.execute(insert, ["later", "after"]))

asyncio.run(main())
"""
    path = tmp_path / "newsbell.db"
    run = partial(subprocess.run, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    done = await asyncio.to_thread(run, [sys.executable, "-c", program, str(path)])
    assert done.stdout.startswith(
        "The database could not keep much: the disk is full or failing"
    ), done.stderr
    async with SqliteStore(path) as store:
        assert await rows(store, "select * from meta order by name") == [
            ("first", "before"),
            ("later", "after"),
        ]
        assert await rows(store, "pragma integrity_check") == [("ok",)]


async def test_work_that_is_cancelled_is_finished_and_work_that_fails_is_undone(
    tmp_path: Path,
) -> None:
    async with SqliteStore(tmp_path / "newsbell.db") as store:
        task = asyncio.ensure_future(rows(store, "insert into meta values ('a', 'b')"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await rows(store, "select * from meta") == [("a", "b")]

        def broken(db: Any) -> None:
            db.execute("insert into meta values ('c', 'd')")
            raise ValueError

        with pytest.raises(ValueError):
            await store._writer.run("break", broken)
        assert await rows(store, "select * from meta") == [("a", "b")]
    with pytest.raises(StoreError, match="it is not open"):
        await rows(store, "select 1")
    assert issubclass(StoreFull, StoreError)


# Forgetting


async def test_an_absent_entry_is_remembered_for_90_days_and_an_alerted_one_for_ever(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    stays = item("stays", "It stays", at=NOON - 3 * DAY)
    leaves = item("leaves", "Harbour news that leaves", at=NOON - 3 * DAY)
    server.put("/a", rss(leaves, stays))
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:

        async def titles() -> set[str]:
            return {title for (title,) in await rows(sqlite(app), "select title from entries")}

        await poll(app)
        server.put("/a", rss(item("alerted", "The harbour opens"), stays))
        await poll(app)
        server.put("/a", rss(item("alerted", "The harbour opens at last"), stays))
        await poll(app)
        server.put("/a", rss(stays))
        await poll(app)

        clock.advance(89 * DAY)
        await app.store.admin.prune(clock.now())
        assert await titles() == {
            "It stays",
            "Harbour news that leaves",
            "The harbour opens at last",
        }
        server.put("/a", rss(leaves, stays))
        await poll(app)
        assert terminal.titles() == ["The harbour opens"]

        server.put("/a", rss(stays))
        await poll(app)
        clock.advance(91 * DAY)
        assert await app.store.admin.prune(clock.now())
        assert await titles() == {"It stays", "The harbour opens at last"}
        assert len(await rows(sqlite(app), "select 1 from alerts")) == 1
        assert await app.store.admin.prune(clock.now()) == 0


async def test_deliveries_that_are_done_are_forgotten_after_30_days_and_others_never(
    tmp_path: Path,
) -> None:
    states = ("queued", "sending", "unknown", "dead", "sent", "merged", "dropped")
    async with newsbell(tmp_path, config_text([])) as app:
        for age in (29, 31):
            for state in states:
                await rows(
                    sqlite(app),
                    "insert into outbox (chat_id, kind, priority, state, created_at, settled_at) "
                    "values (1, 'notice', 40, ?, ?, ?)",
                    state,
                    (NOON - age * DAY).isoformat(timespec="microseconds"),
                    (NOON - age * DAY).isoformat(timespec="microseconds"),
                )
        for host, hours in (("past.example", -49), ("parked.example", 1)):
            until_text = (NOON + timedelta(hours=hours)).isoformat(timespec="microseconds")
            insert = "insert into hosts (host, not_before) values (?, ?)"
            await rows(sqlite(app), insert, host, until_text)
        assert await app.store.admin.prune(NOON) == 4
        counts = await rows(sqlite(app), "select state, count(*) from outbox group by state")
        assert dict(counts) == {
            "queued": 2,
            "sending": 2,
            "unknown": 2,
            "dead": 2,
            "sent": 1,
            "merged": 1,
            "dropped": 1,
        }
        assert await rows(sqlite(app), "select host from hosts") == [("parked.example",)]


async def test_names_with_quotes_and_sql_in_them_are_only_names(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    evil = """'); drop table feeds; --" ? :now \x1b{0} %s ☃"""
    server.put("/a'b\"?x=%27", "")
    path = "/a'--"
    server.put(path, rss(OLD, title=evil))
    feed = {"url": server.url(path), "name": evil, "publisher": evil}
    query = "harbour"
    config = (
        config_text([feed], query)
        .replace('"All"', '"it\'s \\"all\\"; --"')
        .replace('"here"', '"he\'re"')
    )
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        server.put(
            path,
            rss(item("'; delete from entries; --", "The 'harbour\" opens; --", text=evil), OLD),
        )
        await poll(app)
        server.put(
            path,
            rss(item("'; delete from entries; --", "The 'harbour\" opens'; again", text=evil), OLD),
        )
        await poll(app)
        status = await app.store.admin.status()
        assert [feed.name for feed in status.feeds] == [evil]
        assert len(await rows(sqlite(app), "select 1 from entries")) == 2
    assert terminal.titles() == ["The 'harbour\" opens; --"]
    assert terminal.titles(DeliveryKind.EDIT) == ["The 'harbour\" opens'; again"]
    assert terminal.sent[0][0].alerts[0].subscriptions == ('it\'s "all"; --',)
