"""A network that loses what the database answers, after it did what it was asked for."""

import asyncio
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from outside.gate import Gate
from postgres_server import PostgresServer
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss

from bot.config.load import _Reader
from bot.model.database_address import PostgresAddress

pytestmark = pytest.mark.own_engine("a file has no network")

_NAMES = count(1)
CLAIM, OUTCOME = b"update outbox set state = 'sending'", b"update outbox set state = $1"


@pytest.mark.parametrize("statement", [CLAIM, OUTCOME], ids=["claim", "outcome"])
async def test_an_alert_arrives_once_although_an_answer_of_the_database_was_lost(
    statement: bytes,
    postgres: PostgresServer,
    server: FeedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = postgres.database(f"answers{next(_NAMES)}")
    terminal, clock = Recorder(), ManualClock()
    old = item("0", "Old news of the harbour", at=NOON - timedelta(days=3))
    server.put("/a", rss(old))
    async with Gate(postgres.folder / ".s.PGSQL.5432") as gate:
        by_gate = PostgresAddress(gate.url(address.url))
        monkeypatch.setattr(_Reader, "_database", lambda *_: by_gate)
        config = config_text([server.url("/a")])
        async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
            await poll(app)
            server.put("/a", rss(old, item("1", "Harbour opens today")))
            gate.lose_commit(statement)
            await poll(app)
            for _ in range(3):
                clock.advance(timedelta(minutes=1))
                await app.deliverer.run_once(timedelta(0))

    assert gate.lost == 1
    assert terminal.titles() == ["Harbour opens today"]


async def test_feeds_are_polled_soon_although_the_answer_to_their_claim_was_lost(
    postgres: PostgresServer,
    server: FeedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise they were left alone until the claim ended, of which nobody knew."""
    monkeypatch.setattr("bot.feeds.poller.AWAY_PAUSE", timedelta(milliseconds=10))
    address = postgres.database(f"answers{next(_NAMES)}")
    server.put("/a", rss(item("0", "Old news of the harbour", at=NOON - timedelta(days=3))))
    async with Gate(postgres.folder / ".s.PGSQL.5432") as gate:
        by_gate = PostgresAddress(gate.url(address.url))
        monkeypatch.setattr(_Reader, "_database", lambda *_: by_gate)
        async with newsbell(tmp_path, config_text([server.url("/a")])) as app:
            gate.lose_commit(b"update feeds set lease_until")
            async with asyncio.TaskGroup() as group:
                group.create_task(app.poller.run())
                while not server.seen:
                    app.poller.tick()
                    await asyncio.sleep(0.01)
                app.poller.stop()

    assert gate.lost == 1
