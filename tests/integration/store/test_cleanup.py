"""What a clean-up deletes, in parts; what it keeps it looks at once, however old it gets."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from archive_harness import ArchiveHarness
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
    stored,
)

from bot.model.delivery import DeliveryKind
from bot.model.entries import Article
from bot.model.stories import Report, StoredFeatures
from bot.service.app import App
from bot.store import cleanup, poll_writes
from bot.store.mappers import put_time
from bot.stories.packed_features import VERSION

DAY = timedelta(days=1)
COUNT = "select count(*) from entries"


async def rows(app: App, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    result: list[tuple[Any, ...]] = await stored(app)._writer.run(
        "look", lambda db: [tuple(row) for row in db.execute(statement, list(values)).fetchall()]
    )
    return result


async def alert(app: App, entry: int) -> None:
    await rows(
        app,
        "insert into alerts (chat_id, story_id, entry_id, first_title, created_at) "
        "values (1, ?, ?, 'x', '')",
        entry,
        entry,
    )


async def insert_entries(app: App, count: int, *, absent_since: datetime | None = None) -> None:
    """Entries of the first feed, as they are stored."""
    statement = (
        "insert into entries (id, feed_id, story_id, guid_key, link_key, title_key, article_key, "
        "guid, link, title, summary, author, source, first_seen_at, absent_since) "
        "values (?, 1, ?, ?, x'', ?, x'', '', '', 'x', '', '', '', ?, ?)"
    )
    times = [put_time(NOON), put_time(absent_since)]
    for number in range(1, count + 1):
        key = number.to_bytes(16, "big")
        await rows(app, statement, number, number, key, key, *times)
    await rows(app, "update feeds set stored = ?", count)


async def test_entries_that_alerted_are_looked_at_once_and_never_again(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 4)
    async with newsbell(tmp_path, config_text(["http://127.0.0.1:9/a"]), clock=clock) as app:
        await insert_entries(app, 30, absent_since=NOON - 100 * DAY)
        for number in range(1, 21):
            await alert(app, number)
        assert await app.store.admin.prune(NOON) == 10
        assert await rows(app, "select count(*), sum(alerted) from entries") == [(20, 20)]
        assert [feed.entries for feed in (await app.store.admin.status()).feeds] == [20]

        run = cleanup.Run(NOON)  # and the next one does not find them
        assert await stored(app)._writer.run(
            "look", lambda db: cleanup.absent_entries(db, run)
        ) == cleanup.Progress(0, again=False)


async def test_what_grouping_made_of_entries_goes_with_the_live_window(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a", rss(item("a", "Harbour opens")))
    config = config_text([server.url("/a")])
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        assert await rows(app, "select entry_id, version from features") == [(1, VERSION)]
        clock.advance(5 * DAY)
        server.put("/a", rss(item("a", "Harbour opens"), item("b", "Mill burns")))
        await poll(app)
        reads = [(NOON, clock.now(), 0, 10), (NOON + DAY, clock.now(), 0, 10)]
        restored = [await sqlite(app).polls.window(*read) for read in reads]
        assert [[type(stored) for stored, _ in read] for read in restored] == [
            [StoredFeatures] * 2,
            [StoredFeatures],
        ]
        await rows(app, "update features set version = 0 where entry_id = 2")
        after, _ = (await sqlite(app).polls.window(*reads[1]))[0]
        assert isinstance(after, Report)
        assert after.title == "Mill burns"
        clock.advance(2 * DAY)
        await sqlite(app).admin.prune(clock.now())
        assert await rows(app, "select entry_id from features") == [(2,)]


async def test_a_clean_up_is_many_small_transactions(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 5)
    async with newsbell(tmp_path, config_text(["http://127.0.0.1:9/a"]), clock=clock) as app:
        await insert_entries(app, 23, absent_since=NOON - 100 * DAY)
        parts: list[int] = []
        run = stored(app)._writer.run

        async def entries() -> int:
            return int((await run("look", lambda db: db.execute(COUNT).fetchone()))[0])

        async def counted(doing: str, work: Any) -> Any:
            before = await entries()
            result = await run(doing, work)
            if before != await entries():
                parts.append(before - await entries())
            return result

        monkeypatch.setattr(stored(app)._writer, "run", counted)
        assert await app.store.admin.prune(NOON) == 23
        assert parts == [5, 5, 5, 5, 3]
        assert await app.store.admin.cleaned_at() == NOON


async def test_a_feed_that_nobody_has_any_more_leaves_nothing_behind(
    tmp_path: Path, server: FeedServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 2)
    server.put("/a", rss(*(item(str(n), f"Mill {n}", at=NOON - 3 * DAY) for n in range(5))))
    config = config_text([server.url("/a")])
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        await app.store.admin.prune(clock.now())
        assert len(await rows(app, "select 1 from entries where absent_since is not null")) == 5
        clock.advance(89 * DAY)
        await app.store.admin.prune(clock.now())
        assert len(await rows(app, "select 1 from entries")) == 5
        clock.advance(2 * DAY)
        assert await app.store.admin.prune(clock.now()) == 6
        for table in ("entries", "feeds", "documents"):
            assert await rows(app, f"select 1 from {table}") == []  # noqa: S608


async def test_a_feed_that_comes_back_in_time_knows_its_articles(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    old = [item(str(n), f"Harbour {n}", at=NOON - 3 * DAY) for n in range(5)]
    server.put("/a", rss(*old))
    config = config_text([server.url("/a")])
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        await app.store.admin.prune(clock.now())
        clock.advance(30 * DAY)
        await app.store.admin.prune(clock.now())
    server.put("/a", rss(item("new", "Harbour opens", at=clock.now()), *old))
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        assert terminal.titles() == ["Harbour opens"]
        await app.store.admin.prune(clock.now())
        clock.advance(100 * DAY)
        await app.store.admin.prune(clock.now())
        assert len(await rows(app, "select 1 from entries")) == 6


async def test_a_feed_whose_articles_alerted_begins_anew_with_a_baseline_after_90_days(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    config = config_text([server.url("/a")])
    server.put("/a", rss(item("old", "Mill", at=NOON - 3 * DAY)))
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
        server.put("/a", rss(item("new", "Harbour opens", at=NOON)))
        await poll(app)
    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        for _ in range(3):
            await app.store.admin.prune(clock.now())
            clock.advance(91 * DAY)
        assert await rows(app, "select title from entries") == [("Harbour opens",)]
        assert await rows(app, "select stopped_at, baseline_at from feeds") == [("9999", None)]
    long_ago = clock.now() - 20 * DAY
    server.put("/a", rss(*(item(f"then{n}", f"Harbour, part {n}", at=long_ago) for n in range(3))))
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
        assert terminal.titles() == []
        server.put("/a", rss(item("now", "Harbour burns", at=clock.now())))
        await poll(app)
        assert terminal.titles() == ["Harbour burns"]


async def test_removed_subscriptions_go_after_90_days_unless_an_alert_names_them(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config_text(["http://127.0.0.1:9/a"]), clock=clock) as app:
        await insert_entries(app, 1)
        await alert(app, 1)
        insert = (
            "insert into subscriptions (name, query, created_at, removed_at) values (?, 'x', '', ?)"
        )
        for name, age in (("named", 100), ("unused", 100), ("new", 80)):
            await rows(app, insert, name, put_time(NOON - age * DAY))
        await rows(app, "insert into alert_matches values (1, 1, 2, 1, '[]', '')")
        await rows(app, "insert into routes values (3, 1)")
        assert await app.store.admin.prune(NOON) == 1
        left = "select name, alerted from subscriptions order by id"
        assert await rows(app, left) == [("All", 0), ("named", 1), ("new", 0)]


async def test_chats_of_strangers_are_forgotten_with_the_last_reply_to_them(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        insert = (
            "insert into chats (name, kind, address, allowed, operator) values ('x', ?, ?, ?, ?)"
        )
        for address in range(2, 250):
            await rows(app, insert, "telegram", address, 0, 0)
        await rows(app, insert, "telegram", 1000, 1, 0)
        await rows(app, insert, "telegram", 1001, 0, 1)
        await rows(
            app,
            "insert into outbox (chat_id, kind, priority, state, created_at, settled_at) "
            "values (2, 'reply', 0, 'sent', ?, ?)",
            *[put_time(NOON)] * 2,
        )
        await app.store.admin.prune(NOON)
        addresses = "select address from chats where kind = 'telegram' order by address"
        assert await rows(app, addresses) == [(2,), (1000,), (1001,)]
        await app.store.admin.prune(NOON + 31 * DAY)
        assert await rows(app, addresses) == [(1000,), (1001,)]


@pytest.mark.parametrize("batch", [3, 40])
async def test_who_came_by_themselves_is_forgotten_when_nothing_of_theirs_is_left(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", batch)
    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        chat = (
            "insert into chats (name, kind, address, allowed, entered) "
            "values ('x', 'telegram', ?, 1, ?)"
        )
        person = "insert into people values (?, ?, 'x', ?)"
        for address in range(100, 130):
            await rows(app, chat, address, "open")
            await rows(app, person, address, "open", put_time(NOON))
        await rows(app, person, 200, "former", put_time(NOON))
        await rows(app, chat, -300, "open")  # a group that has the bot still
        await rows(app, chat, 301, "")
        await rows(app, person, 301, "user", put_time(NOON))
        await rows(app, person, 302, "blocked", put_time(NOON))
        [(busy,)] = await rows(app, "select id from chats where address = 117")
        screen = (
            "insert into screens (chat_id, user_id, name, state, touched_at) values (?, 1, ?, ?, ?)"
        )
        await rows(app, screen, busy, "start", "{}", put_time(NOON + 80 * DAY))

        await app.store.admin.prune(NOON + 91 * DAY)
        addresses = "select address from chats where kind = 'telegram' order by address"
        people = "select user_id from people order by user_id"
        assert await rows(app, addresses) == [(-300,), (117,), (301,)]
        assert await rows(app, people) == [(117,), (301,), (302,)]
        await app.store.admin.prune(NOON + 200 * DAY)
        assert await rows(app, addresses) == [(-300,), (301,)]
        assert await rows(app, people) == [(301,), (302,)]


async def test_what_waits_for_weeks_in_a_closed_chat_is_dropped_and_the_operator_hears_of_it(
    tmp_path: Path, clock: ManualClock, terminal: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "BATCH", 3)
    async with newsbell(tmp_path, config_text([]), clock=clock, terminal=terminal) as app:
        await rows(
            app,
            "insert into chats (name, kind, address, paused) values ('Ann', 'telegram', 7, 'gone')",
        )
        insert = (
            "insert into outbox (chat_id, kind, priority, state, created_at) "
            "values (?, 'notice', 40, 'queued', ?)"
        )
        for age in (31, 31, 32, 33, 33, 33, 34, 29):
            await rows(app, insert, 2, put_time(NOON - age * DAY))
        await app.store.admin.prune(NOON)
        states = "select state, count(*) from outbox where chat_id = 2 group by 1"
        assert await rows(app, states) == [("dropped", 7), ("queued", 1)]
        await app.store.admin.prune(NOON)
        await app.deliverer.run_once(timedelta(0))
        [notice] = terminal.texts(DeliveryKind.NOTICE)
        assert notice.startswith("Ann has taken no messages for 30 days")


def test_of_an_entry_that_changes_at_every_poll_the_first_and_the_last_words_are_kept(
    tmp_path: Path,
) -> None:
    harness = ArchiveHarness(tmp_path)
    try:
        [number] = harness.put("Harbour")
        harness.fill()
        for change in range(20):
            harness.revise(
                number,
                Article(f"Mill {change}", language="en"),
                at=NOON + timedelta(minutes=5 * change),
            )
            harness.fill(now=NOON + timedelta(minutes=5 * change + 1))
        titles = [row[0] for row in harness.rows("select title from revisions order by at")]
        assert titles == ["Harbour", *(f"Mill {change}" for change in range(15, 19))]
        assert len(titles) == 1 + poll_writes.LATER_REVISIONS
        # It has one row in the search until it has been as it is for a while.
        assert harness.rows("select value from meta where name = 'search_rows'") == [("1",)]
        assert harness.titles("mill") == ["Mill 19"]
        assert harness.fill(now=NOON + timedelta(hours=3)) == 1
        assert harness.titles("mill") == ["Mill 19"]
        assert harness.titles("harbour") == []
    finally:
        harness.end()
