"""Where Telegram refuses the bot's token, somebody hears of it at once, and newsbell goes on."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from botapi import BotApi, Refuse
from botapi.faults import FaultPlan
from support import FeedServer, ManualClock, Recorder, config_text, item, rss
from telegram_harness import ANN, TelegramHarness, open_harness

from bot.model.delivery import DeliveryKind
from bot.service import token_watch
from bot.service.token_watch import WORKS, TokenWatch

TEXT = str(token_watch.TEXT)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        app.add_private(ANN)
        yield app


def notices(terminal: Recorder) -> list[str]:
    return [text for text in terminal.texts(DeliveryKind.NOTICE) if TEXT in text]


async def seconds(harness: TelegramHarness, watch: TokenWatch, count: int) -> None:
    for _ in range(count):
        await harness.deliver(SECOND)
        await watch.look()


async def test_it_is_said_once_to_terminals_and_each_hour_where_newsbell_was_started(
    tmp_path: Path, api: BotApi, clock: ManualClock, terminal: Recorder
) -> None:
    shown: list[str] = []
    api.fault(Refuse(401, "Unauthorized"), method=None, times=10_000)
    async with open_harness(tmp_path, api, {"ann": ANN}, clock, terminal) as harness:
        deliverer = harness.app.deliverer
        watch = TokenWatch(
            lambda: deliverer.token_refused,
            harness.app.store.admin,
            clock,
            shown.append,
            deliverer.wake,
        )
        await harness.bring("ann")
        await seconds(harness, watch, 10)
        assert shown == [TEXT]
        assert len(notices(terminal)) == 1
        clock.advance(HOUR)
        await seconds(harness, watch, 5)
        assert shown == [TEXT, TEXT]
        assert len(notices(terminal)) == 1
        api._faults = FaultPlan()
        await seconds(harness, watch, 40)
        assert shown == [TEXT, TEXT, WORKS]
        assert harness.shown(ANN) == ["ann"]


async def test_a_newsbell_with_a_wrong_token_says_so_and_serves_its_terminal(
    tmp_path: Path, api: BotApi, server: FeedServer
) -> None:
    """Nothing is sent: that updates are refused is enough."""
    server.put("/feed.xml", rss(item("1", "Old harbour")))
    feeds = [{"url": server.url("/feed.xml"), "every": "4s"}]
    text = config_text(feeds, telegram={"api": api.url})
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TELEGRAM_BOT_TOKEN": "123456:wrong"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout
    output = b""
    async with asyncio.timeout(60):
        while b"refuses the bot's token" not in output:
            output += await process.stdout.readline()
        server.put("/feed.xml", rss(item("2", "The harbour opens"), item("1", "Old harbour")))
        while b"The harbour opens" not in output:
            output += await process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert errors.count(b'"token_refused"') == 1
    assert TEXT.split(":", maxsplit=1)[0] in errors.decode()
