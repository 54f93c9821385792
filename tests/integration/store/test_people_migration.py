"""A database from before people had settings: its people, chats and deliveries go on."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from telegram_harness import ANN, BOB, ArticleSpec, OpenHarness, ask, rule

from bot.model.chat_events import Role
from bot.store.schema import migrations

pytestmark = pytest.mark.own_engine("databases of before are files")

SECOND = timedelta(seconds=1)
FILLED = """
insert into people values (7, 'admin', 'Ann', '2026-01-01T00:00:00.000000+00:00');
insert into chats (id, name, kind, address, topic, allowed, operator)
    values (1, 'Ann', 'telegram', 7, 0, 1, 1);
insert into chats (id, name, kind, address, topic, allowed)
    values (2, 'Bob', 'telegram', 8, 0, 0);
insert into subscriptions (id, name, query, created_at, urgency)
    values (1, 'harbour', 'harbour', '2026-01-01T00:00:00.000000+00:00', 'digest');
insert into routes values (1, 1);
insert into claims values (x'00', '2036-01-01T00:00:00.000000+00:00', null);
insert into outbox (chat_id, kind, priority, text, created_at)
    values (1, 'reply', 0, 'An answer that waits', '2026-03-02T11:59:00.000000+00:00');
"""


async def test_a_database_from_before_migration_m004_goes_on_where_it_was(
    tmp_path: Path, opened: OpenHarness
) -> None:
    connection = sqlite3.connect(tmp_path / "newsbell.db")
    connection.row_factory = sqlite3.Row
    old = Database(connection)
    migrations.apply(old, stop_before="m004_people")
    connection.executescript(FILLED)
    connection.commit()
    connection.close()
    async with opened(rule("Tram", "tram")) as harness:
        await harness.deliver(10 * SECOND, SECOND)
        assert [message.text for message in harness.api.messages(ANN)] == ["An answer that waits"]
        assert (await harness.app.store.chats.person(ANN)).role is Role.OWNER
        assert (await harness.app.store.chats.person(BOB)).role is Role.STRANGER
        assert "urgency:digest harbour" in await ask(harness, "/subscriptions")
        assert "Digest: 08:00" in await ask(harness, "/settings")
        await harness.add(ArticleSpec("harbour first"))
        await harness.add(ArticleSpec("harbour second"))
        await harness.deliver(timedelta(days=1), timedelta(minutes=30))
        assert harness.api.messages(ANN)[-1].text.startswith("Digest: 2 stories")
        assert await harness.rows("pragma foreign_key_check") == []
        assert await harness.rows("select purpose from claims") == [("claim",)]
