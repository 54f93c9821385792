"""Fixtures that tests share; the parts are in `support`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict
from support import FeedServer, ManualClock, Recorder, close_workers, feed_server
from telegram_harness import (
    ANN,
    BOB,
    FORUM,
    GROUP,
    TOPIC,
    OpenHarness,
    TelegramHarness,
    open_harness,
)

from bot.service import logs

logs.use_standard_logging()
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_sessionfinish() -> None:
    close_workers()


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """A feed server on loopback."""
    async with feed_server() as made:
        yield made


@pytest.fixture
def events() -> Iterator[list[EventDict]]:
    """The events logged during the test, with their fields and bound ids."""
    with capture_logs([merge_contextvars]) as captured:
        yield captured


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon until it is moved."""
    return ManualClock()


@pytest.fixture
def terminal() -> Recorder:
    """A channel that remembers."""
    return Recorder()


@pytest.fixture
def shared() -> Path:
    """The folder of real data; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data (shared/data beside the project) is absent")
    return SHARED


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """A Bot API endpoint on loopback with two people, a group and a forum; Ann may change things in both."""
    async with BotApi() as made:
        made.add_private(ANN)
        made.add_private(BOB)
        made.add_group(GROUP, members={ANN: "creator", BOB: "member"})
        made.add_supergroup(FORUM, members={ANN: "administrator", BOB: "member"}, forum=True)
        made.add_topic(FORUM, TOPIC)
        yield made


@pytest.fixture
def opened(tmp_path: Path, api: BotApi, clock: ManualClock) -> OpenHarness:
    """Opens a newsbell with these subscriptions; again, with what it kept."""

    def open_it(
        *subscriptions: dict[str, Any], **more: Any
    ) -> AbstractAsyncContextManager[TelegramHarness]:
        chats = more.pop("chats", {"ann": ANN, "group": GROUP, "topic": (FORUM, TOPIC)})
        return open_harness(tmp_path, api, chats, clock, subscriptions=subscriptions, **more)

    return open_it
