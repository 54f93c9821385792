"""What a node that waits shows of itself, and what it takes of its feeds.yaml."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from postgres_server import PostgresServer
from prometheus_client.parser import text_string_to_metric_families
from structlog.typing import EventDict
from support import NOON, ManualClock, Recorder, config_text
from web_reader import site

from bot.cli.health import health
from bot.config.load import load
from bot.model.database_address import PostgresAddress
from bot.model.nodes import HandedOver, Node, node_name
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.control import ask_health
from bot.service.monitor import Monitor
from bot.service.standby import Standby, open_standby
from bot.service.waiting_file import WaitingFile
from bot.store.engines import postgres as engine
from bot.store.read_only import ReadOnlyDatabase

_NAMES = count(1)
FEED = "http://127.0.0.1:9/rss"  #: where nothing listens


@pytest.fixture
def address(postgres: PostgresServer) -> PostgresAddress:
    return postgres.database(f"waiting{next(_NAMES)}")


@asynccontextmanager
async def pair(
    folder: Path, address: PostgresAddress, clock: ManualClock, **settings: Any
) -> AsyncIterator[tuple[App, Standby]]:
    """One that leads, and one that waits; `settings` are those of the latter."""
    configs = []
    for name, extra in {"first": {}, "second": settings}.items():
        (folder / name).mkdir()
        path = folder / name / "feeds.yaml"
        path.write_text(config_text([FEED], **extra), encoding="utf-8")
        configs.append(replace(load(path, {}), database=address))
    first, second = configs
    wiring = Wiring(clock=clock, terminal=Recorder(), node="a")
    async with (
        open_app(first, wiring) as app,
        open_standby(second, Wiring(clock=clock, node="b"), address) as standby,
    ):
        await standby._look_around()
        yield app, standby


def values(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_another_feeds_yaml_is_named_and_one_that_differs_by_machine_is_not(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock, events: list[EventDict]
) -> None:
    async with pair(tmp_path, address, clock, timezone="Europe/Kyiv") as (_, standby):
        assert any("feeds.yaml" in note for note in standby.look().notes)
        path = standby._live.config.path
        path.write_text(
            "# a note of this machine\n" + config_text([FEED], monitor={"listen": "9464"})
        )
        await WaitingFile(standby._live).take()
        await standby._look_around()
        assert standby.look().notes == ()
        [state] = [each for each in ReadOnlyDatabase(address).sharing().states if not each.leads]
        assert state.node.digest == standby._live.config.content
    assert [event["event"] for event in events].count("file_differs") == 1


async def test_a_node_that_waits_takes_headers_of_its_file_and_keeps_them_where_it_has_mistakes(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock, events: list[EventDict]
) -> None:
    async with pair(tmp_path, address, clock) as (_, standby):
        live, file = standby._live, WaitingFile(standby._live)
        feed = {"url": FEED, "headers": {"X-Key": "abc"}}
        live.config.path.write_text(config_text([feed]), encoding="utf-8")
        await file.take()
        assert live.headers(FEED) == {"X-Key": "abc"}

        for text in ("feeds: [", "", config_text([{"url": FEED, "hedders": {}}])):
            live.config.path.write_text(text, encoding="utf-8")
            await file.take()
            await file.take()
            assert live.headers(FEED) == {"X-Key": "abc"}
            assert live.rejected is not None
            assert any("has mistakes" in note for note in standby.look().notes)
        turn = await asyncio.to_thread(standby.turn)
        assert turn.current.rejected is not None
        assert turn.current.config.database == address

        live.config.path.write_text(config_text([feed, FEED + "2"]), encoding="utf-8")
        turn = await asyncio.to_thread(standby.turn)
        assert turn.current.rejected is None
        assert [feed.url for feed in turn.current.config.declared.feeds] == [FEED, FEED + "2"]
    names = [event["event"] for event in events]
    assert names.count("config_rejected") == 3  # once for each mistake
    assert names.count("config_reloaded") == 1


async def test_a_file_that_is_saved_is_taken_once_it_stands_still(
    tmp_path: Path,
    address: PostgresAddress,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.service.waiting_file.WATCH", 0.01)
    monkeypatch.setattr("bot.service.waiting_file.SETTLE", 0.05 * (NOON - NOON.replace(second=1)))
    async with pair(tmp_path, address, clock) as (_, standby):
        watching = asyncio.create_task(WaitingFile(standby._live).watch())
        feed = {"url": FEED, "headers": {"X-Key": "abc"}}
        standby._live.config.path.write_text(config_text([feed]), encoding="utf-8")
        async with asyncio.timeout(30):
            while not standby._live.headers(FEED):
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_health_and_metrics_say_who_leads_and_what_waits(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with pair(tmp_path, address, clock) as (app, standby):
        await app.store.nodes.hand_over("b", [HandedOver(1, b"")] * 3)
        await app.store.nodes.beat(Node("c", "another", NOON), leads=False)
        leads = values((await app.monitoring.exposition()).decode())
        waits = values((await standby.measured()).decode())

        assert (leads["newsbell_leads", ""], waits["newsbell_leads", ""]) == (1, 0)
        for seen in (leads, waits):
            assert seen["newsbell_handed_over", ""] == 3
            assert seen["newsbell_handed_over_oldest_seconds", ""] >= 0
            roles = {role: seen["newsbell_nodes", role] for role in ("leads", "polls", "waits")}
            assert roles == {"leads": 1, "polls": 1, "waits": 1}
        assert ("newsbell_feeds", "ok") not in waits  # those are told by who leads
        assert app.monitoring.health.look().record()["role"] == "leads"
        answer = await asyncio.to_thread(ask_health, standby._live.config.beside)
        assert answer.health is not None
        assert answer.health["role"] == "polls"


async def test_a_monitor_is_answered_by_a_node_that_waits(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with pair(tmp_path, address, clock, monitor={"listen": "127.0.0.1:9"}) as (_, standby):
        [monitoring] = standby._monitors()
        monitoring.cancel()
        monitor = Monitor("127.0.0.1:0", standby.look, standby.measured)
        running = asyncio.create_task(monitor.run())
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while not monitor.addresses:
                await asyncio.sleep(0.005)
            base = f"http://127.0.0.1:{monitor.addresses[0][1]}"
            async with session.get(f"{base}/health") as answer:
                assert (answer.status, (await answer.json())["healthy"]) == (200, True)
            async with session.get(f"{base}/metrics") as answer:
                assert "newsbell_leads 0.0" in await answer.text()
        running.cancel()
        await asyncio.gather(running, monitoring, return_exceptions=True)


async def test_operators_see_the_machines_on_the_page(tmp_path: Path, clock: ManualClock) -> None:
    async with site(tmp_path, clock) as here:
        operator = await here.operator()
        assert "Machines" not in (await operator.get("/")).words
        nodes = here.harness.app.store.nodes
        await nodes.beat(Node("first", "1", NOON, "one"), leads=True)
        await nodes.beat(Node("second", "1", NOON, "two"), leads=False)
        words = (await operator.get("/")).words
        assert "No poll waits for the one that leads." in words
        assert "Its feeds.yaml is not that of the one that leads" in words


async def test_a_node_that_was_started_again_is_not_named_twice(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with pair(tmp_path, address, clock) as (app, _):
        nodes = app.store.nodes
        assert node_name("press-1", "aa", 1) != node_name("press-1", "bb", 1)
        await nodes.beat(Node(node_name("press-1", "aa", 1), "1", NOON), leads=False)
        await nodes.beat(Node(node_name("press-2", "cc", 1), "1", NOON), leads=False)
        with engine.connected(address) as connection:
            connection.execute("update nodes set beat = beat - 9 where name like 'press%%'")
        later = NOON + timedelta(minutes=1)
        await nodes.beat(Node(node_name("press-1", "bb", 1), "1", later), leads=False)
        names = {state.node.name for state in await nodes.nodes()}
        assert names >= {"press-1-bb:1", "press-2-cc:1"}
        assert "press-1-aa:1" not in names


def test_health_of_a_machine_without_a_newsbell_says_so_of_a_server(
    tmp_path: Path, address: PostgresAddress
) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text([FEED], database=address.url))
    result = CliRunner().invoke(health, ["-c", str(tmp_path / "feeds.yaml")])
    assert result.exit_code == 1
    assert "No newsbell runs on this machine" in result.output
