"""The heartbeat is called while newsbell works, told of what is wrong, and shown to nobody."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support import FeedServer, config_text, newsbell, query

import bot.service.heartbeat
from bot.config.kept_text import read_kept
from bot.config.load import Config, load
from bot.model.delivery import Outage, ServiceFault
from bot.service import logs
from bot.service.app import App
from bot.service.heartbeat import fail_address

KEY = "0b9e7a5e-invented-key"


@pytest.fixture
def called(server: FeedServer) -> list[tuple[str, str, str]]:
    """The method, path and body of each call."""
    calls: list[tuple[str, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        calls.append((request.method, request.path_qs, await request.text()))
        return web.Response(text="OK")

    for path in (f"/{KEY}", f"/{KEY}/fail"):
        server.handle(path, take)
    return calls


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged."""
    handlers, stream = logging.getLogger().handlers[:], io.StringIO()
    logs.set_up(stream=stream, as_json=True)
    yield stream
    logging.getLogger().handlers = handlers


def config(server: FeedServer, **network: object) -> str:
    more: dict[str, Any] = {"network": network} if network else {}
    return config_text([], heartbeat=f"{server.url('')}/{KEY}?create=1", **more)


def break_telegram(app: App) -> None:
    app.deliverer._gate.outage = Outage(ServiceFault.REFUSED, "", app.clock.now())
    app.deliverer._gate.confirmed = True


async def test_it_is_called_while_newsbell_works_and_told_why_it_does_not(
    tmp_path: Path, server: FeedServer, called: list[tuple[str, str, str]]
) -> None:
    async with newsbell(tmp_path, config(server)) as app:
        await app.monitoring.heartbeat.beat()
        break_telegram(app)
        await app.monitoring.heartbeat.beat()
    assert called == [
        ("GET", f"/{KEY}?create=1", ""),
        ("POST", f"/{KEY}/fail?create=1", "Telegram refuses the bot's token."),
    ]


async def test_a_newsbell_that_runs_calls_again_and_again(
    tmp_path: Path,
    server: FeedServer,
    called: list[tuple[str, str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.service.heartbeat, "EVERY", 0.01)
    async with newsbell(tmp_path, config(server)) as app:
        running = asyncio.create_task(app.run())
        async with asyncio.timeout(30):
            while len(called) < 3:
                await asyncio.sleep(0.01)
        app.stop()
        await running


async def test_nobody_is_called_where_nobody_is_named(tmp_path: Path, server: FeedServer) -> None:
    async with newsbell(tmp_path, config_text([])) as app:
        await app.monitoring.heartbeat.beat()
    assert server.seen == []


async def test_its_address_is_checked_as_that_of_a_feed(
    tmp_path: Path, server: FeedServer, lines: io.StringIO
) -> None:
    async with newsbell(tmp_path, config(server, allow=[])) as app:
        await app.monitoring.heartbeat.beat()
    assert server.seen == []
    (event,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert event["event"] == "heartbeat_failed"


async def test_its_failure_is_logged_once_and_without_the_address(
    tmp_path: Path, server: FeedServer, called: list[tuple[str, str, str]], lines: io.StringIO
) -> None:
    server.put(f"/{KEY}", "", status=503)
    async with newsbell(tmp_path, config(server)) as app:
        await app.monitoring.heartbeat.beat()
        await app.monitoring.heartbeat.beat()
        server.put(f"/{KEY}", "")
        await app.monitoring.heartbeat.beat()
    events = [json.loads(line)["event"] for line in lines.getvalue().splitlines()]
    assert events == ["heartbeat_failed", "heartbeat_works"]
    assert KEY not in lines.getvalue()


async def test_its_address_is_not_kept_and_taken_from_the_file_as_it_is_now(
    tmp_path: Path, server: FeedServer
) -> None:
    text = config(server)
    async with newsbell(tmp_path, text) as app:
        assert not [row for row in query(app, "select value from meta") if KEY in str(row)]
        kept, path, secrets = app.config.text, app.config.path, app.config.secrets
    assert {KEY, f"{server.url('')}/{KEY}?create=1"} <= set(secrets)

    def heartbeat(current: str) -> str | None:
        secret = read_kept(path, kept, current)[0].settings.heartbeat
        return secret.get_secret_value() if secret else None

    assert KEY in (heartbeat(text.replace('"feeds"', '"feds"')) or "")
    assert heartbeat("") is None


def test_it_is_hidden_where_a_configuration_is_printed(tmp_path: Path, server: FeedServer) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(config(server), encoding="utf-8")
    read: Config = load(file)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://hc.example/a-b", "https://hc.example/a-b/fail"),
        ("https://hc.example/a-b/", "https://hc.example/a-b/fail"),
        ("https://hc.example/a-b?x=1", "https://hc.example/a-b/fail?x=1"),
        ("https://hc.example", "https://hc.example/fail"),
    ],
)
def test_a_failure_is_told_behind_the_path(address: str, expected: str) -> None:
    assert fail_address(address) == expected
