"""Updates that Telegram posts: each is handled once and needs the secret.

One that could not be stored comes again; without a webhook newsbell polls.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from botapi import BotApi
from support import ManualClock
from telegram_harness import ANN, BOB, GROUP, TelegramHarness, open_harness

from bot.config.load import load
from bot.errors import StoreError
from bot.telegram.webhook import Webhook, WebhookAddress

SECRET = "an-invented-secret"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def called(folder: Path, clock: ManualClock) -> AsyncIterator[tuple[TelegramHarness, str]]:
    """A newsbell that Telegram calls, and the address it calls."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/bell"
    async with BotApi() as api:
        api.add_private(ANN)
        api.add_private(BOB)
        api.add_group(GROUP, members={ANN: "creator"})
        async with open_harness(folder, api, {"ann": ANN}, clock, subscriptions=[]) as harness:
            assert harness.app.bot is not None
            assert harness.app.listener is not None
            hook = Webhook(
                harness.app.bot,
                harness.app.listener,
                WebhookAddress(url, "127.0.0.1", port, SECRET),
            )
            running = asyncio.create_task(hook.run())
            await api.arrived("setWebhook")
            yield harness, url
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def posts(url: str, body: Any, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=data, headers=headers) as answer,
    ):
        return answer.status


async def queries(harness: TelegramHarness) -> list[str]:
    """The subscriptions, once what was kept of the updates is done."""
    assert harness.app.telegram is not None
    await harness.app.telegram.tasks.wait()
    return [query for (query,) in await harness.rows("select query from subscriptions order by id")]


async def test_what_people_write_arrives_by_the_webhook_in_order_and_once(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with called(tmp_path, clock) as (harness, _):
        for number in range(5):
            harness.api.say(ANN, ANN, f"/subscribe harbour{number}")
        await harness.api.drained()
        await harness.deliver()
        assert await queries(harness) == [f"harbour{number}" for number in range(5)]
        assert [post.status for post in harness.api.webhook.posts] == [200] * 5


async def test_an_update_that_cannot_be_kept_is_brought_again(
    tmp_path: Path, clock: ManualClock, monkeypatch: Any
) -> None:
    async with called(tmp_path, clock) as (harness, _):
        answer, failures = harness.app.store.chats.answer, [1, 2]

        async def failing(*values: Any) -> bool:
            if failures:
                failures.pop()
                raise StoreError("The disk is full.")
            return await answer(*values)

        monkeypatch.setattr(harness.app.store.chats, "answer", failing)
        harness.api.say(ANN, ANN, "/subscribe harbour")
        await harness.api.drained()
        assert [post.status for post in harness.api.webhook.posts] == [503, 503, 200]
        assert await queries(harness) == ["harbour"]


async def test_a_call_without_the_secret_is_turned_away(tmp_path: Path, clock: ManualClock) -> None:
    async with called(tmp_path, clock) as (harness, url):
        update = {
            "update_id": 999_999_999,
            "message": {
                "message_id": 5,
                "date": 0,
                "chat": {"id": ANN, "type": "private", "first_name": "Ann"},
                "from": {"id": ANN, "is_bot": False, "first_name": "Ann"},
                "text": "/subscribe harbour",
            },
        }
        for secret in (None, "", "wrong", SECRET + "x", SECRET[:-1]):
            assert await posts(url, update, secret) == 403
        assert await queries(harness) == []
        assert await posts(url, update) == 200
        assert await queries(harness) == ["harbour"]
        assert await posts(url, update) == 200, "the same update again"
        assert await queries(harness) == ["harbour"]


async def test_a_call_that_brings_nothing_readable_harms_nobody(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with called(tmp_path, clock) as (harness, url):
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b"7",
            b'{"update_id": "x"}',
            b"\xff\xfe",
            b'{"update_id": 1, "message": 7}',
        ):
            assert await posts(url, body) == 200, body
        harness.api.say(ANN, ANN, "/subscribe harbour")
        await harness.api.drained()
        assert await queries(harness) == ["harbour"]


async def test_newsbell_asks_again_where_an_earlier_run_was_called(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with called(tmp_path, clock) as (harness, _):
        assert harness.app.listener is not None
    async with BotApi() as api:
        api.add_private(ANN)
        async with open_harness(tmp_path, api, {"ann": ANN}, clock, subscriptions=[]) as harness:
            assert harness.app.bot is not None
            await harness.app.bot.set_webhook("http://127.0.0.1:9/gone")
            listening = asyncio.create_task(harness.app.listener.run())  # type: ignore[union-attr]
            await api.arrived("deleteWebhook")
            api.say(ANN, ANN, "/subscribe ferry")
            await api.drained()
            assert await queries(harness) == ["ferry"]
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


def test_the_file_names_both_ends_and_a_secret_that_only_its_owner_reads(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    path = tmp_path / "feeds.yaml"
    path.write_text(
        "settings:\n  telegram:\n    webhook: {url: 'https://bell.example.org/telegram', "
        "listen: '127.0.0.1:8443', secret_file: secret}\n"
    )
    config = load(path, {})
    assert config.settings.telegram.webhook is not None
    assert config.webhook_secret == SECRET
    assert SECRET not in repr(config)
