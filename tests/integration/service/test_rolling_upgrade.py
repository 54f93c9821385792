"""Nodes of several versions, with other clocks and files, on one PostgreSQL: who polls or leads."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from structlog.typing import EventDict
from support import NOON, ManualClock, Recorder, config_text

from bot.config.load import load
from bot.errors import ActionRefused, StoreError, StoreLost
from bot.feeds.handover import Intake, pack
from bot.feeds.poll_result import PollResponse
from bot.model.database_address import PostgresAddress
from bot.model.feeds import Failure, FetchFailed
from bot.model.health import Role
from bot.model.nodes import GONE, HandedOver, Node, Rest, Tables
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.standby import Standby, open_standby
from bot.store.engines import postgres as engine
from bot.store.engines import postgres_schema
from bot.store.engines.engine import Database
from bot.store.schema import migrations
from bot.store.stores import PostgresStore

_NAMES = count(1)
FEED = "http://127.0.0.1:9/rss"  #: where nothing listens
LEASE = timedelta(minutes=3)
LATER = "m999_later"  #: a migration that only a later version knows


class Running(ManualClock):
    """A clock that goes on, as that of the server does."""

    def __init__(self, now: datetime = NOON) -> None:
        super().__init__(now)
        self._since = time.monotonic()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=time.monotonic() - self._since)


@pytest.fixture
def clock() -> Running:
    return Running()


@pytest.fixture
def address(postgres: PostgresServer) -> PostgresAddress:
    return postgres.database(f"rolling{next(_NAMES)}")


@pytest.fixture
def older(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresAddress:
    """A database with the tables of an earlier version."""
    address = postgres.empty(f"rolling{next(_NAMES)}")
    every = migrations.by_name()
    first = {name: every[name] for name in every if name <= "m037_nodes"}
    with monkeypatch.context() as before:
        before.setattr(postgres_schema, "known", lambda: tuple(first))
        before.setattr(migrations, "by_name", lambda: first)
        writer = engine.Writer(address)
        writer.connect()
        writer.disconnect()
    return address


def change(db: Database) -> None:
    """What a later version does to the tables."""
    db.execute("insert into _sqlite_migrations values (999, 'newsbell', ?, '')", [LATER])


def changed_by_a_later_version(address: PostgresAddress) -> None:
    with engine.connected(address) as connection:
        change(engine.Database(connection))


@contextmanager
def held(address: PostgresAddress, node: str = "former") -> Iterator[None]:
    """Somebody else has the lock, without a word about tables."""
    connection = engine.connected(address, application_name=node)
    try:
        assert engine.take_lock(engine.Database(connection))
        yield
    finally:
        connection.close()


@asynccontextmanager
async def leading(
    folder: Path, address: PostgresAddress, clock: ManualClock, version: str = "1"
) -> AsyncIterator[App]:
    folder.mkdir(exist_ok=True)
    (folder / "feeds.yaml").write_text(config_text([FEED]), encoding="utf-8")
    config = replace(load(folder / "feeds.yaml", {}), database=address)
    wiring = Wiring(clock=clock, terminal=Recorder(), node="a", version=version)
    async with open_app(config, wiring) as app:
        yield app


@asynccontextmanager
async def waiting(
    folder: Path, address: PostgresAddress, clock: ManualClock, version: str = "1"
) -> AsyncIterator[Standby]:
    folder.mkdir(exist_ok=True)
    (folder / "feeds.yaml").write_text(config_text([FEED]), encoding="utf-8")
    config = replace(load(folder / "feeds.yaml", {}), database=address)
    wiring = Wiring(clock=clock, terminal=Recorder(), node="b", version=version)
    async with open_standby(config, wiring, address) as standby:
        try:
            yield standby
        finally:
            await standby._stop_work()


async def once(standby: Standby) -> None:
    await standby._look_around()
    await standby._work_or_rest()


async def test_a_node_of_another_version_polls_nothing_and_says_so_once(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock, events: list[EventDict]
) -> None:
    async with (
        leading(tmp_path / "a", address, clock),
        waiting(tmp_path / "b", address, clock, version="2") as standby,
    ):
        await once(standby)
        await once(standby)

        assert not standby.is_polling
        health = standby.look()
        assert health.healthy
        assert health.role is Role.WAITS
        assert "its version is 2 and that of the one that leads 1" in health.notes[0]
    assert [event["event"] for event in events].count("node_rests") == 1


async def test_it_polls_when_one_of_its_version_leads(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with waiting(tmp_path / "b", address, clock, version="2") as standby:
        async with leading(tmp_path / "a", address, clock):
            await once(standby)
        async with leading(tmp_path / "c", address, clock, version="2"):
            await once(standby)
            assert standby.rest is None
            assert standby.is_polling

            async with PostgresStore(address, "x", leads=False, any_version=True) as other:
                await other.nodes.beat(Node("x", "3", NOON), leads=True)
            await once(standby)
            assert standby.rest is Rest.VERSION
            assert not standby.is_polling


async def test_the_version_of_a_leader_that_is_gone_is_still_believed(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with (
        leading(tmp_path / "a", address, clock),
        waiting(tmp_path / "b", address, clock) as standby,
    ):
        await once(standby)
        with engine.connected(address) as connection:
            connection.execute("update nodes set beat = beat - 60 where name = 'a'")
        await once(standby)
        assert standby.is_polling


async def test_a_newer_node_waits_beside_an_older_one_and_changes_the_tables_when_it_leads(
    tmp_path: Path, older: PostgresAddress, clock: ManualClock
) -> None:
    with held(older):
        async with waiting(tmp_path / "b", older, clock, version="2") as standby:
            with engine.connected(older) as connection:
                connection.execute(
                    "insert into nodes values ('former', 1, '1', %s, %s)",
                    [NOON.isoformat(), engine.Database(connection).seconds()],
                )
            await once(standby)
            assert standby.rest is Rest.OLDER_TABLES
            assert not standby.is_polling
            assert standby.look().healthy
            [former, own] = await standby._store.nodes.nodes()
            assert (former.leads, own.node.version) == (True, "2")
            turn = asyncio.create_task(standby.wait())
            await asyncio.sleep(0.5)
            assert not turn.done()
            connections = engine.connected(older)
            assert engine.end_leader(engine.Database(connections))
            connections.close()
            await asyncio.wait_for(turn, 30)
    async with leading(tmp_path / "b", older, clock, version="2") as app:
        assert [state.node.name for state in await app.store.nodes.nodes()] == ["a", "former"]


async def test_an_older_node_waits_where_a_newer_one_changed_the_tables(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with (
        leading(tmp_path / "a", address, clock) as app,
        waiting(tmp_path / "b", address, clock) as standby,
    ):
        await once(standby)
        assert standby.is_polling
        changed_by_a_later_version(address)
        await app.store.nodes.beat(Node("a", "2", NOON), leads=True)
        await once(standby)

        assert standby.rest is Rest.NEWER_TABLES
        assert not standby.is_polling
        assert standby.look().healthy
        assert "update this one" in standby.look().notes[0]
        with pytest.raises(ActionRefused, match="another version"):
            await standby.forward("retry", (1,))


async def test_an_older_node_does_not_lead_where_nobody_does_and_is_not_healthy_then(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with waiting(tmp_path / "b", address, clock) as standby:
        async with leading(tmp_path / "a", address, clock):
            changed_by_a_later_version(address)
            await once(standby)
        assert not await standby._may_lead()
        assert [str(reason) for reason in standby.look().reasons] == [
            "Nobody leads, and a newer newsbell wrote the database: update this one."
        ]


async def test_who_led_by_older_tables_leads_no_more(address: PostgresAddress) -> None:
    async with PostgresStore(address, "a") as former:
        async with PostgresStore(address, "b", leads=False) as other:
            assert await other.end_leader()
        changed_by_a_later_version(address)
        with pytest.raises(StoreError, match="connection"):
            await former.nodes.nodes()
        with pytest.raises(StoreLost):
            await former.nodes.nodes()


async def test_who_changes_the_tables_ends_those_that_write_by_the_former_ones(
    address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PostgresStore(address, "b", leads=False) as other:
        await other.nodes.nodes()
        with monkeypatch.context() as later:
            known = postgres_schema.known()
            later.setattr(postgres_schema, "known", lambda: (*known, LATER))
            later.setattr(postgres_schema, "migrate", change)
            async with PostgresStore(address, "a"):
                pass
        with pytest.raises(StoreError, match="connection"):
            await other.nodes.nodes()
        with pytest.raises(StoreError, match="newer newsbell"):
            await other.nodes.nodes()


async def test_feeds_whose_polls_are_of_another_version_are_polled_again_at_once(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with leading(tmp_path / "a", address, clock) as app:
        async with PostgresStore(address, "b", leads=False) as other:
            [feed] = await other.polls.claim_feeds(clock.now(), 9, LEASE)
            poll = PollResponse(feed, FetchFailed(Failure.TIMEOUT, "late"))
            await other.nodes.hand_over("b", [HandedOver(feed.id, pack(poll, "0"))])
        taking = Intake(app.store.nodes, app.monitoring.watched.committer, lambda _: None, "1")
        await taking.take_in()
        clock.advance(timedelta(seconds=3))

        assert len(await app.store.polls.claim_feeds(clock.now(), 9, LEASE)) == 1


async def test_a_feed_that_somebody_else_claimed_since_stays_claimed(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with leading(tmp_path / "a", address, clock) as app:
        await app.store.nodes.hand_over("gone", [HandedOver(1, b"")])
        assert len(await app.store.polls.claim_feeds(clock.now(), 9, LEASE)) == 1
        [poll] = await app.store.nodes.handed_over(0, 9)
        await app.store.nodes.give_back([poll.id])
        assert await app.store.polls.claim_feeds(clock.now(), 9, LEASE) == []


@pytest.mark.parametrize("minutes", [-60, 60])
async def test_a_node_whose_clock_is_wrong_polls_nothing(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock, minutes: int
) -> None:
    wrong = Running(NOON + timedelta(minutes=minutes))
    async with (
        leading(tmp_path / "a", address, clock),
        waiting(tmp_path / "b", address, wrong) as standby,
    ):
        await once(standby)
        assert standby.rest is Rest.CLOCK
        way = "ahead of" if minutes > 0 else "behind"
        assert f"s {way} that of the one that leads" in standby.look().notes[0]
        wrong.set_wrong(timedelta(minutes=-minutes))
        await once(standby)
        assert standby.rest is None


async def test_a_node_whose_clock_is_wrong_lets_others_lead_first(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    wrong = Running(NOON + timedelta(hours=1))
    async with waiting(tmp_path / "b", address, wrong) as standby:
        async with leading(tmp_path / "a", address, clock):
            await once(standby)
        assert not await standby._may_lead()
        assert standby._free_since is not None
        standby._free_since -= 5
        assert await standby._may_lead()


async def test_who_has_only_begun_to_lead_is_not_ended_for_the_silence_of_the_one_before(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    with held(address, "next"):
        async with waiting(tmp_path / "b", address, clock) as standby:
            await standby._store.nodes.beat(Node("former", "1", NOON), leads=True)
            with engine.connected(address) as connection:
                connection.execute("update nodes set beat = beat - %s", [2 * GONE.total_seconds()])
            await standby._look_at_leader()
            assert await standby._store.has_leader()
            await standby._store.nodes.beat(Node("next", "1", NOON), leads=True)
            with engine.connected(address) as connection:
                connection.execute("update nodes set beat = beat - %s", [2 * GONE.total_seconds()])
            await standby._look_at_leader()
            async with asyncio.timeout(30):
                while await standby._store.has_leader():  # the server ends it by and by
                    await asyncio.sleep(0.01)


async def test_who_leads_and_ends_in_order_leaves_nothing_behind(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with leading(tmp_path / "a", address, clock) as app:
        assert len(await app.store.polls.claim_feeds(clock.now(), 9, LEASE)) == 1
    async with PostgresStore(address, "b", leads=False) as other:
        assert await other.nodes.nodes() == []
        clock.advance(timedelta(seconds=3))
        assert len(await other.polls.claim_feeds(clock.now(), 9, LEASE)) == 1
        assert await other.tables() is Tables.SAME
