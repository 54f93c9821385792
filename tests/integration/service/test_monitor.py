"""A monitor reads over HTTP whether newsbell works, and what it counts; where that is asked for."""

import asyncio
import io
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import FeedServer, ManualClock, config_text, execute, item, newsbell, poll, rss

import bot.service.monitor
from bot.config.load import load
from bot.errors import ConfigError
from bot.model.delivery import Outage, ServiceFault
from bot.service import logs
from bot.service.app import App
from bot.service.monitor import Monitor


def config(server: FeedServer, *paths: str, **settings: Any) -> str:
    feeds = [{"url": server.url(path), "name": f"Wire {path}", "every": "1m"} for path in paths]
    return config_text(feeds, **settings)


@pytest.fixture
def feed(server: FeedServer) -> FeedServer:
    server.put("/good.xml", rss(item("1", "An old harbour")))
    return server


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged."""
    handlers, stream = logging.getLogger().handlers[:], io.StringIO()
    logs.set_up(stream=stream, as_json=True)
    yield stream
    logging.getLogger().handlers = handlers


async def samples(app: App) -> dict[tuple[str, str], float]:
    """The values that are exposed, by name and the value of their only label."""
    text = (await app.monitoring.exposition()).decode()
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    """A monitor of the app on a free port; its address."""
    monitor = Monitor("127.0.0.1:0", app.monitoring.health.look, app.monitoring.exposition)
    running = asyncio.create_task(monitor.run())
    async with asyncio.timeout(30):
        while not monitor.addresses:
            await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{monitor.addresses[0][1]}"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_health_is_200_while_newsbell_works_and_503_with_the_reasons_while_not(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    text = config(feed, "/good.xml")
    async with (
        newsbell(tmp_path, text, clock=clock) as app,
        listening(app) as address,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(f"{address}/health") as answer:
            assert (answer.status, (await answer.json())["reasons"]) == (200, [])
        app.deliverer._gate.outage = Outage(ServiceFault.REFUSED, "", clock.now())
        app.deliverer._gate.confirmed = True
        async with session.get(f"{address}/health") as answer:
            record = await answer.json()
            assert (answer.status, record["healthy"]) == (503, False)
            assert record["reasons"] == ["Telegram refuses the bot's token."]
        for method, path, status in (("GET", "/", 404), ("POST", "/health", 405)):
            async with session.request(method, f"{address}{path}") as answer:
                assert answer.status == status
        async with session.get(f"{address}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert "newsbell_healthy 0.0" in await answer.text()


async def test_polls_and_delays_are_counted(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    feed.put("/bad.xml", "", status=500)
    async with newsbell(tmp_path, config(feed, "/good.xml", "/bad.xml"), clock=clock) as app:
        await poll(app)
        clock.advance(timedelta(minutes=1))
        published = clock.now() - timedelta(seconds=50)
        feed.put("/good.xml", rss(item("2", "The harbour is closed", at=published)))
        await app.store.polls.make_due(clock.now())
        await app.poller.run_once()
        clock.advance(timedelta(seconds=20))
        await app.deliverer.run_once(timedelta(0))
        found = await samples(app)
    assert found["newsbell_polls_total", "ok"] == 2
    assert found["newsbell_polls_total", "server"] >= 1
    assert found["newsbell_feeds", "ok"] == found["newsbell_feeds", "failing"] == 1
    assert found["newsbell_seen_to_sent_seconds_sum", ""] == 20
    assert found["newsbell_published_to_sent_seconds_sum", ""] == 70
    assert found["newsbell_published_to_sent_seconds_bucket", "60.0"] == 0
    assert found["newsbell_published_to_sent_seconds_bucket", "120.0"] == 1
    assert found["newsbell_commit_seconds_count", ""] >= 2
    assert (
        found["newsbell_fetch_seconds_count", ""] == found["newsbell_fetch_seconds_bucket", "+Inf"]
    )
    assert found["newsbell_parse_seconds_count", ""] == 2
    assert found["newsbell_window_entries", ""] == 2
    assert found["newsbell_deliveries_total", "sent"] >= 1
    assert found["newsbell_last_sent_timestamp_seconds", ""] == clock.now().timestamp()


async def test_what_waits_is_counted_by_why_with_the_age_of_the_oldest(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed, "/good.xml"), clock=clock) as app:
        await poll(app)
        for minutes in (5, 2):
            created = (clock.now() - timedelta(minutes=minutes)).isoformat(timespec="microseconds")
            execute(
                app,
                "insert into outbox (chat_id, kind, priority, created_at) "
                "select id, 'notice', 30, ? from chats limit 1",
                created,
            )
        found = await samples(app)
        assert found["newsbell_outbox", "in_line"] == 2
        assert found["newsbell_outbox_oldest_seconds", "in_line"] == 300
        execute(app, "update chats set paused = 'it is away'")
        found = await samples(app)
    assert (found["newsbell_outbox", "in_line"], found["newsbell_outbox", "paused"]) == (0, 2)


async def test_a_database_that_cannot_be_read_leaves_the_rest(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed, "/good.xml"), clock=clock) as app:
        app.monitoring._database = tmp_path / "nowhere.db"
        found = await samples(app)
    assert ("newsbell_healthy", "") in found
    assert ("newsbell_feeds", "ok") not in found


async def test_nothing_that_is_exposed_names_a_feed(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed, "/good.xml"), clock=clock) as app:
        await poll(app)
        text = (await app.monitoring.exposition()).decode()
    assert "Wire" not in text
    assert "good.xml" not in text


# The listener of a newsbell that runs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(tmp_path: Path, text: str) -> AsyncIterator[App]:
    async with newsbell(tmp_path, text) as app:
        started = asyncio.Event()
        task = asyncio.create_task(app.run(started.set))
        await started.wait()
        yield app
        app.stop()
        await task


async def status_of(address: str) -> int:
    """What is answered once somebody listens."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.get(address) as answer:
                    return answer.status
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)


async def test_a_port_alone_is_listened_on_for_this_machine(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path, config_text([], monitor={"listen": port})):
        assert await status_of(f"http://127.0.0.1:{port}/health") == 200


async def test_by_default_nobody_listens(tmp_path: Path) -> None:
    async with newsbell(tmp_path, config_text([])) as app:
        assert "answering the monitor" not in [part.name for part in app.monitoring.parts()]


async def test_a_port_that_is_taken_is_said_and_tried_again(
    tmp_path: Path, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.service.monitor, "AGAIN", 0.01)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        async with (
            running(tmp_path, config_text([], monitor={"listen": address})),
            asyncio.timeout(30),
        ):
            while lines.getvalue().count("monitor_failed") < 2:
                await asyncio.sleep(0.01)
    events = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert {event["address"] for event in events if event["event"] == "monitor_failed"} == {address}


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        (9464, "127.0.0.1:9464"),
        ("9464", "127.0.0.1:9464"),
        ("0.0.0.0:9464", "0.0.0.0:9464"),
        ("[::1]:9464", "[::1]:9464"),
        ("::1:9464", None),
        ("[::1:9464", None),
        ("localhost", None),
        (0, None),
        (65536, None),
        (True, None),
    ],
)
def test_an_address_is_that_of_this_machine_unless_another_is_written(
    tmp_path: Path, listen: object, address: str | None
) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(config_text([], monitor={"listen": listen}), encoding="utf-8")
    if address:
        assert load(file).settings.monitor.listen == address
    else:
        with pytest.raises(ConfigError, match="expected an address and port such as"):
            load(file)
