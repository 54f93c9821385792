"""Commands on a machine whose newsbell waits, or where none runs: the one that leads does them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from support import ManualClock, Recorder, config_text

from bot.cli.by_hand import by_hand
from bot.config.load import Config, load
from bot.errors import ActionRefused
from bot.model.database_address import PostgresAddress
from bot.model.web import WebTokenKind
from bot.service import forwarding
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.control import RETRY_FEEDS, WEB_LINK, ask, ask_health, ask_web
from bot.service.forwarding import Answering, forward, numbers_request
from bot.service.standby import open_standby
from bot.store.engines import postgres as engine
from bot.store.stores import PostgresStore

_NAMES = count(1)
FEED = "http://127.0.0.1:9/rss"
RETRY = numbers_request(RETRY_FEEDS, (1,))


@pytest.fixture
def address(postgres: PostgresServer) -> PostgresAddress:
    return postgres.database(f"forwarding{next(_NAMES)}")


def config_in(folder: Path, address: PostgresAddress) -> Config:
    folder.mkdir(exist_ok=True)
    (folder / "feeds.yaml").write_text(config_text([FEED]), encoding="utf-8")
    return replace(load(folder / "feeds.yaml", {}), database=address)


@asynccontextmanager
async def answering(
    folder: Path, address: PostgresAddress, clock: ManualClock
) -> AsyncIterator[App]:
    """A newsbell that leads, of which only what answers other machines runs."""
    config = config_in(folder, address)
    async with open_app(config, Wiring(clock=clock, terminal=Recorder(), node="a")) as app:
        assert app.membership is not None
        parts = {part.name: part for part in app.membership.parts(app._answer)}
        tasks = [
            asyncio.ensure_future(parts[name].run())
            for name in ("answering other machines", "listening to other nodes")
        ]
        try:
            yield app
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_node_that_waits_has_the_one_that_leads_do_what_is_asked_for(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    second = config_in(tmp_path / "second", address)
    async with (
        answering(tmp_path / "first", address, clock) as app,
        open_standby(second, Wiring(clock=clock, node="b"), address),
    ):
        assert await asyncio.to_thread(ask, second.beside, RETRY_FEEDS, (1,)) == 1
        assert await asyncio.to_thread(ask, second.beside, "retry", (7,)) == 0
        word = "a secret word"
        assert await asyncio.to_thread(ask_web, second.beside, WEB_LINK, word, 0) == 1
        token = await app.store.web.token(WebTokenKind.LINK, word, clock.now())
        assert token is not None
        health = await asyncio.to_thread(ask_health, second.beside)
        assert health.health is not None
        with engine.connected(address) as connection:
            assert connection.execute("select * from requests").fetchall() == []


async def test_the_reason_of_a_refusal_comes_back(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with (
        answering(tmp_path / "first", address, clock),
        PostgresStore(address, "b", leads=False) as other,
    ):
        with pytest.raises(ActionRefused, match="does not know 'dance'"):
            await forward(other.requests, "b", {"do": "dance", "ids": []})
        for rubbish in ({}, {"do": RETRY_FEEDS}, {"do": RETRY_FEEDS, "feeds": ["x"]}):
            with pytest.raises(ActionRefused, match="could not be read"):
                await forward(other.requests, "b", rubbish)


async def test_the_word_of_a_link_is_not_in_the_database(address: PostgresAddress) -> None:
    request = forwarding.web_request(WEB_LINK, "a secret word", 0)
    assert "secret" not in json.dumps(request)
    assert forwarding.web_request(WEB_LINK, bytes.fromhex(request["hash"]), 0) == request


async def test_where_nobody_leads_nothing_is_done_and_that_is_said(
    address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "WAIT", timedelta(milliseconds=300))
    async with PostgresStore(address, "b", leads=False) as other:
        with pytest.raises(ActionRefused, match=r"nothing was done.*newsbell status"):
            await forward(other.requests, "b", RETRY)
        assert await other.requests.take() is None


async def test_a_request_is_done_once_though_the_leader_ends_in_the_middle_of_it(
    address: PostgresAddress,
) -> None:
    done: list[str] = []

    async def hanging(request: object) -> dict[str, object]:
        done.append("began")
        await asyncio.Event().wait()
        raise AssertionError

    async def quick(request: object) -> dict[str, object]:
        done.append("again")
        return {"done": 1}

    async with PostgresStore(address, "b", leads=False) as other:
        former = asyncio.create_task(Answering(other.requests, hanging).run())
        asking = asyncio.create_task(forward(other.requests, "b", RETRY))
        async with asyncio.timeout(30):
            while not done:
                await asyncio.sleep(0.01)
        former.cancel()
        with suppress(asyncio.CancelledError):
            await former
        following = asyncio.create_task(Answering(other.requests, quick).run())
        with pytest.raises(ActionRefused, match="look whether it was done"):
            await asyncio.wait_for(asking, 30)
        assert await forward(other.requests, "b", RETRY) == 1
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    assert done == ["began", "again"]


async def test_who_takes_a_request_and_says_nothing_is_not_waited_for_long(
    address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "WAIT", timedelta(milliseconds=500))
    async with PostgresStore(address, "b", leads=False) as other:
        asking = asyncio.create_task(forward(other.requests, "b", RETRY))
        async with asyncio.timeout(30):
            while await other.requests.take() is None:
                await asyncio.sleep(0.01)
        with pytest.raises(ActionRefused, match="has not said within"):
            await asking


async def test_a_request_for_which_nobody_waits_any_more_is_not_done(
    address: PostgresAddress,
) -> None:
    async with PostgresStore(address, "b", leads=False) as other:
        await other.requests.ask("killed", json.dumps(RETRY))
        with engine.connected(address) as connection:
            connection.execute("update requests set asked_at = asked_at - 11")
        assert await other.requests.take() is None
        with engine.connected(address) as connection:
            connection.execute("update requests set asked_at = asked_at - 60")
        await other.requests.take()
        with engine.connected(address) as connection:
            assert connection.execute("select * from requests").fetchall() == []


async def test_requests_of_several_machines_are_answered_each_with_its_own(
    address: PostgresAddress,
) -> None:
    async def counted(request: object) -> dict[str, object]:
        assert isinstance(request, dict)
        return {"done": request["feeds"][0]}

    async with (
        PostgresStore(address, "a", leads=False) as leader,
        PostgresStore(address, "b", leads=False) as first,
        PostgresStore(address, "b", leads=False) as second,  # the same name
    ):
        running = asyncio.create_task(Answering(leader.requests, counted).run())
        asked = [
            forward(store.requests, "b", numbers_request(RETRY_FEEDS, (number,)))
            for number, store in enumerate((first, second, first, second))
        ]
        assert await asyncio.gather(*asked) == [0, 1, 2, 3]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_command_where_no_newsbell_runs_asks_the_one_on_another_machine(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    here = config_in(tmp_path / "here", address)
    async with answering(tmp_path / "first", address, clock):
        assert await asyncio.to_thread(by_hand, here, RETRY_FEEDS, (1,)) == 1
    assert await asyncio.to_thread(by_hand, here, RETRY_FEEDS, (1,)) == 1  # nobody leads: here
