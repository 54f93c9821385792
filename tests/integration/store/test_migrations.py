"""A database that an older version filled goes on where it was; old migrations stay what they were.

The databases are built by the migrations that the older version had, and filled by hand.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database
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
    stored,
)

from bot.model.chat_events import Role
from bot.model.delivery import DeliveryKind, DeliveryState
from bot.model.stories import Grouping
from bot.store.chat_changes import token_hash
from bot.store.mappers import put_time
from bot.store.schema import migrations
from bot.stories import publishers

pytestmark = pytest.mark.own_engine("databases of before are files")

HOUR = timedelta(hours=1)
OLD, SEEN, NOW, LATER = (
    put_time(NOON + shift) for shift in (timedelta(days=-9), -HOUR, timedelta(0), HOUR)
)
#: of guid g1, https://wire.example/1 and "Harbour opens", as 0.1.0 stored them
STORED_KEYS = {
    "guid_key": bytes.fromhex("874a831256dcb0f7dab6ccdcfa5bcd95"),
    "link_key": bytes.fromhex("dceb69213697eed00a3c740ed44ae8d7"),
    "title_key": bytes.fromhex("01e92ea4955aaf30002632e6a7bbeca0"),
}
KEYS = {number: number.to_bytes(16, "big") for number in range(1, 10)}


@contextmanager
def database(path: Path, *, before: str) -> Iterator[Database]:
    """A new database with the tables from before a migration."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("pragma foreign_keys = on")
        tables = Database(connection)
        migrations.apply(tables, stop_before=before)
        yield tables
        connection.commit()


def insert(db: Database, table: str, **columns: Any) -> None:
    marks = ", ".join("?" for _ in columns)
    names = ", ".join(columns)
    statement = f"insert into {table} ({names}) values ({marks})"  # noqa: S608 (our own names)
    db.execute(statement, list(columns.values()))


def insert_feed(db: Database, number: int, url: str, **columns: Any) -> None:
    values = {"name": "Wire", "publisher": "Wire", "host": "wire.example", **columns}
    insert(db, "feeds", id=number, url=url, created_at=OLD, next_poll_at=NOW, **values)


def insert_entry(db: Database, number: int, title: str, **columns: Any) -> None:
    """An entry alone in its stories; its keys are invented."""
    key = KEYS[number]
    keys = {"guid_key": key, "link_key": key, "title_key": key, "article_key": b""}
    texts = {"guid": f"g{number}", "link": f"https://wire.example/{number}", "title": title}
    values = {"feed_id": 1, "story_id": number, "summary": "", "author": "", "source": ""}
    insert(db, "entries", id=number, first_seen_at=OLD, **{**keys, **texts, **values, **columns})


def insert_alert(db: Database, chat: int, story: int, **columns: Any) -> None:
    title = f"alert {story}"
    values = {"entry_id": story, "first_title": title, "created_at": SEEN, **columns}
    insert(db, "alerts", chat_id=chat, story_id=story, **values)
    insert(
        db,
        "alert_matches",
        chat_id=chat,
        story_id=story,
        subscription_id=1,
        entry_id=story,
        spans='[["title", 0, 7, "harbour"]]',
    )


def insert_delivery(db: Database, number: int, chat: int, state: str, **columns: Any) -> None:
    values = {"kind": "alert", "priority": 20, "created_at": SEEN, **columns}
    insert(db, "outbox", id=number, chat_id=chat, state=state, **values)


def fill(db: Database, url: str) -> None:
    """Rows in every table of 0.1.0: a terminal that gets alerts, a Telegram chat, a stranger."""
    insert(db, "meta", name="last_update", value="41")
    insert(db, "meta", name="languages", value='["en"]')
    insert(db, "meta", name="searched", value="1")
    insert(db, "meta", name="search_rows", value="2")
    insert_feed(db, 1, url, etag='"1"', baseline_at=OLD, last_ok_at=OLD, lease_until=LATER)
    insert_feed(db, 2, "https://added.example/", name="Added", declared=0, tags='["mine"]')
    insert(db, "documents", feed_id=1, records=b"")
    insert(db, "hosts", host="added.example", not_before=LATER)
    for number, title in enumerate(("Harbour opens", "Harbour burns", "Bridge falls"), 1):
        stories = {"strict_id": number, "storyline_id": number, "house": "wire", "origin": "wire"}
        insert_entry(db, number, title, language="en", silent="baseline", **stories)
    entries = db.table("entries")
    entries.update(1, STORED_KEYS)
    insert(db, "revisions", entry_id=1, at=OLD, title="Harbor opens", summary="")
    insert(db, "joins", entry_id=2, other_id=1, score=0.5, reason="words")
    insert(db, "merges", grouping="loose", gone=9, kept=3, at=OLD)
    insert(db, "search", rowid=1, keys="harbour opens")
    insert(db, "searched_again", id=1 << 40, entry_id=1)
    insert(db, "unsearched", entry_id=2)
    insert(db, "chats", id=1, name="here", kind="terminal", address=0, declared=1)
    insert(db, "chats", id=2, name="Ann", kind="telegram", address=7, grouping="strict", operator=1)
    insert(db, "chats", id=3, name="Eve", kind="telegram", address=9, allowed=0)
    insert(db, "people", user_id=7, role="owner", name="Ann", since=OLD)
    insert(db, "people", user_id=8, role="former", name="Bob", since=OLD)
    invitation = {"expires_at": LATER, "purpose": "invite", "chat_id": 2}
    insert(db, "claims", token_hash=token_hash("word"), **invitation)
    insert(db, "links", chat_id=2, user_id=7, at=OLD)
    insert(db, "feed_chats", feed_id=2, chat_id=2, user_id=7, at=OLD)
    insert(db, "screens", chat_id=2, user_id=7, name="feeds", state="{}", touched_at=SEEN)
    insert(
        db,
        "screens",
        chat_id=2,
        user_id=8,
        name="site",
        state='{"busy": "look", "url": "https://site.example/"}',
        expects="site",
        touched_at=SEEN,
    )
    insert(db, "pending", chat_id=2, query="everything", expires_at=LATER)
    insert(db, "subscriptions", id=1, name="All", query="harbour", declared=1, created_at=OLD)
    insert(db, "subscriptions", id=2, name="Own", query="bridge", created_at=OLD, or_after=60.0)
    insert(db, "routes", subscription_id=1, chat_id=1)
    insert(db, "routes", subscription_id=2, chat_id=2)
    insert_alert(db, 1, 1, message_id=5)
    insert_alert(db, 1, 2)
    insert_delivery(db, 1, 1, "sent", message_id=5, settled_at=SEEN)
    insert_delivery(db, 2, 1, "queued")
    insert_delivery(db, 3, 1, "sending", kind="notice", priority=40, text="A notice being sent")
    insert_delivery(db, 4, 1, "dead", kind="notice", priority=40, text="A dead notice")
    insert(db, "outbox_alerts", outbox_id=1, chat_id=1, story_id=1)
    insert(db, "outbox_alerts", outbox_id=2, chat_id=1, story_id=2)
    insert(db, "stances", chat_id=2, storyline_id=3, stance="mute", since=SEEN, moved_at=SEEN)
    insert(db, "verdicts", chat_id=1, story_id=1, user_id=7, verdict=1, at=SEEN)


def tables_of(db: Database) -> list[str]:
    """The tables of newsbell; the search index cannot be counted."""
    return [
        name
        for name in db.table_names()
        if not name.startswith(("_sqlite_migrations", "sqlite_", "search_")) and name != "search"
    ]


async def test_a_database_of_0_1_0_goes_on_where_it_was(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    first = item("g1", "Harbour opens", link="https://wire.example/1", at=NOON - timedelta(days=9))
    server.put("/a", rss(item("new", "The harbour floods"), first))
    path = tmp_path / "newsbell.db"
    with database(path, before="m005_feed_leases") as old:
        fill(old, server.url("/a"))
        tables = tables_of(old)
        assert [name for name in tables if not old.table(name).count] == []
    feed = {"url": server.url("/a"), "name": "Wire", "publisher": "Wire"}
    async with newsbell(tmp_path, config_text([feed]), clock=clock, terminal=terminal) as app:
        store = app.store
        assert await store.polls.groupings() == {2: Grouping.STRICT}
        assert (await store.chats.person(7)).role is Role.OWNER
        assert (await store.chats.person(8)).role is Role.STRANGER
        assert await store.chats.last_update() == 41
        assert await store.chats.pending_query(2, clock.now()) == "everything"
        assert await store.chats.token("word", clock.now()) is not None
        assert [chat.name for chat in await store.chats.linked_channels(7)] == ["Ann"]

        [(chat_id, user_id, screen)] = await store.chats.busy_screens()
        assert (chat_id, user_id, screen.values) == (2, 8, {"url": "https://site.example/"})

        clock.advance(timedelta(seconds=2))  # something was being sent: it may have arrived
        await poll(app)
        assert terminal.titles() == ["Harbour burns", "The harbour floods"]
        assert terminal.texts(DeliveryKind.NOTICE) == ["(repeat) A notice being sent"]
        status = await store.admin.status()
        assert [(row.name, row.entries) for row in status.feeds] == [("Added", 0), ("Wire", 4)]
        assert status.deliveries == {
            DeliveryState.SENT: 4,
            DeliveryState.DEAD: 1,
        }
        unfinished = [row.title for row in await store.admin.outbox(NOON)]
        assert unfinished == ["A dead notice"]

        assert await store.search.fill(NOON)
        titles = [entry.article.title for entry in store.archive.entries("", None)]
        assert titles[0] == "The harbour floods"
        assert set(titles[1:]) == {"Harbour opens", "Harbour burns", "Bridge falls"}
        rows = stored(app)._writer.fetch
        assert await rows("look", "pragma foreign_key_check") == []
        assert [row["stance"] for row in await rows("look", "select * from stances")] == ["mute"]


async def test_the_conditional_request_of_0_1_0_is_repeated_by_the_next_version(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(), headers={"ETag": '"1"'})
    with database(tmp_path / "newsbell.db", before="m005_feed_leases") as old:
        fill(old, server.url("/a"))
        old.execute("update feeds set full_at = ? where id = 1", [NOW])
    feed = {"url": server.url("/a"), "name": "Wire", "publisher": "Wire"}
    async with newsbell(tmp_path, config_text([feed]), clock=clock) as app:
        await poll(app)
    assert [seen.headers.get("If-None-Match") for seen in server.seen] == ['"1"']


PUBLISHERS = {
    "BBC Русская служба": "bbc",
    "www.apnews.com": "ap",
    "Гудок": "гудок",
    "news.harbour.co.uk": "harbour.co.uk",
}


@pytest.mark.parametrize("changed", [False, True])
def test_a_change_of_the_publisher_groups_does_not_change_what_migration_m003_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    if changed:
        monkeypatch.setattr(publishers, "PUBLISHER_GROUPS", {"Gudok": ("Гудок", "bbc.com")})
        monkeypatch.setattr(publishers, "AGENCIES", {})
    with database(tmp_path / "old.db", before="m003_stories") as old:
        for number, publisher in enumerate(PUBLISHERS, 1):
            insert_feed(old, number, f"https://{number}.example/", publisher=publisher)
            insert_entry(old, number, "A headline", feed_id=number)
        insert_entry(old, 9, "A headline", feed_id=3, source="reuters.com")
        migrations.apply(old, stop_before="m004_people")
        rows = old.execute("select house, origin from entries order by id").fetchall()
    assert [row["house"] for row in rows] == [*PUBLISHERS.values(), "reuters"]
    assert [row["origin"] for row in rows] == [row["house"] for row in rows]


async def test_a_database_that_holds_absurd_addresses_and_a_message_of_70_stories_goes_on(
    tmp_path: Path, clock: ManualClock, terminal: Recorder
) -> None:
    """Answers of a server were stored as addresses; stories that no message names were lost."""
    with database(tmp_path / "newsbell.db", before="m010_undecided_tries") as old:
        insert_feed(old, 1, "https://wire.example/")
        insert(old, "chats", id=1, name="here", kind="terminal", address=0, declared=1)
        for number, (address, paused) in enumerate(
            [("abc", ""), (-20, "it became a supergroup"), ("[-5]", "")], 2
        ):
            columns = {"kind": "telegram", "address": address, "paused": paused}
            insert(old, "chats", id=number, name=f"group {number}", allowed=not paused, **columns)
        for name, value in {"-10": "abc", "-20": "-20", "-30": "-31", "-31": "-32"}.items():
            insert(old, "meta", name=f"moved:{name}", value=value)
        insert(old, "subscriptions", id=1, name="All", query="harbour", declared=1, created_at=OLD)
        insert_delivery(old, 1, 1, "queued")
        for number in range(1, 71):
            key = {name: bytes([number]) for name in ("guid_key", "link_key", "title_key")}
            KEYS[number] = bytes([number])
            insert_entry(old, number, f"Harbour {number}", **key)
            insert_alert(old, 1, number)
            insert(old, "outbox_alerts", outbox_id=1, chat_id=1, story_id=number)
    chats = {"here": {"terminal": True}, "moved": {"telegram": -30}}
    config = json.dumps({"chats": chats, "feeds": [], "subscriptions": []})
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await app.deliverer.run_once(timedelta(0))
        rows = await stored(app)._writer.fetch("look", "select * from chats order by id")

    assert [row["address"] for row in rows] == [0, -10, -20, -4, -32]
    assert [(row["paused"], row["allowed"]) for row in rows] == [("", 1)] * 5
    assert [len(delivery.alerts) for delivery, _ in terminal.sent] == [25, 25, 20]
    shown = "\n".join(message.text for _, message in terminal.sent)
    assert all(f"Harbour {number}\n" in shown for number in range(1, 71))


async def test_what_an_earlier_version_kept_silent_of_a_flood_is_archive_from_then_on(
    tmp_path: Path, clock: ManualClock
) -> None:
    with database(tmp_path / "newsbell.db", before="m013_floods") as old:
        insert_feed(old, 1, "https://wire.example/")
        published = {1: None, 2: OLD, 3: SEEN}
        for number, at in published.items():
            insert_entry(old, number, f"Harbour {number}", published=at, silent="flood")
        old.execute("update entries set first_seen_at = ?", [SEEN])
    async with newsbell(tmp_path, config_text(["https://wire.example/"]), clock=clock) as app:
        rows = await stored(app)._writer.fetch("look", "select silent from entries order by id")
    assert [row["silent"] for row in rows] == ["archive", "archive", "flood"]
