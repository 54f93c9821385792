"""Fixtures that tests share; the parts are in `support`."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

import postgres_server
import pytest
from botapi import BotApi
from postgres_server import PostgresServer
from sampling import MENTION, SEED
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

from bot.config.load import _Reader
from bot.config.schema import Settings
from bot.model.database_address import DatabaseAddress
from bot.service import logs

logs.use_standard_logging()
# httpcore asks for it four times a request; where it is absent, each time through all of pytest's
# hooks and folders, which took a sixth of a send.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # None: it is known to be absent
#: of the integration tests: sqlite, postgres, or both, which is a sample of those on PostgreSQL
ENGINE = os.environ.get("ENGINE", "both")
INTEGRATION = Path(__file__).parent / "integration"
#: folders of which a sample is taken: those that were run whole on PostgreSQL
SAMPLED = {
    "alerts",
    "chat",
    "cli",
    "delivery",
    "feeds",
    "search",
    "service",
    "store",
    "stories",
    "telegram",
    "web",
}
PARTS = 40  #: seeds in a row that see all tests on PostgreSQL
_NUMBERS = count(1)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let hypothesis draw by the seed of the run, before it reads its own option."""
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(SEED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each integration test run on both engines; a share of those on PostgreSQL is taken."""
    if INTEGRATION not in metafunc.definition.path.parents:
        return
    engines = [ENGINE] if ENGINE != "both" else ["sqlite", "postgres"]
    names = {"sqlite": pytest.HIDDEN_PARAM, "postgres": "postgres"}
    metafunc.parametrize("engine", engines, indirect=True, ids=[names[name] for name in engines])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take a sample of the tests on PostgreSQL; measure no coverage of slow tests.

    It doubles their time, and they reach nothing new.
    """
    if ENGINE == "both":
        items[:] = [item for item in items if not _on_postgres(item) or _is_sampled(item)]
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")
        own = item.get_closest_marker("own_engine")
        if own and _on_postgres(item):
            item.add_marker(pytest.mark.skip(reason=f"not for PostgreSQL: {own.args[0]}"))


def _on_postgres(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("engine") == "postgres"


def _is_sampled(item: pytest.Item) -> bool:
    """Whether this run takes the test on PostgreSQL too: another share with each seed.

    All of them are a soak of their own (`make soak PART=postgres`).
    """
    if item.path.parent.name not in SAMPLED or any(
        item.get_closest_marker(name) for name in ("slow", "own_engine")
    ):
        return False
    return (crc32(item.nodeid.encode()) + SEED) % PARTS == 0


def pytest_report_header() -> str:
    return f"sample: {MENTION} (repeats this run; see CONTRIBUTING.md)"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode
) -> None:
    if exitstatus != pytest.ExitCode.OK:
        terminalreporter.write_line(f"{MENTION} repeats this run")


def pytest_sessionfinish() -> None:
    close_workers()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the tests' own."""
    with postgres_server.postgres_server() as running:
        yield running


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what a file would hold into a database of a server, where the test runs on one."""
    if getattr(request, "param", "sqlite") != "postgres":
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    names: dict[Path, str] = {}
    read = _Reader._database

    def chosen(path: Path) -> DatabaseAddress:
        name = names.get(path.absolute()) or f"t{next(_NUMBERS)}"
        names[path.absolute()] = name
        return server.database(name)

    def on_server(reader: _Reader, settings: Settings) -> DatabaseAddress:
        address = read(reader, settings)
        return chosen(address) if isinstance(address, Path) else address

    monkeypatch.setattr(_Reader, "_database", on_server)
    monkeypatch.setattr(postgres_server, "_chosen", chosen)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """A feed server on loopback."""
    async with feed_server() as running:
        yield running


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
    """A Bot API endpoint on loopback with two people, a group and a forum.

    Ann may change things in both.
    """
    async with BotApi() as endpoint:
        endpoint.add_private(ANN)
        endpoint.add_private(BOB)
        endpoint.add_group(GROUP, members={ANN: "creator", BOB: "member"})
        endpoint.add_supergroup(FORUM, members={ANN: "administrator", BOB: "member"}, forum=True)
        endpoint.add_topic(FORUM, TOPIC)
        yield endpoint


@pytest.fixture
def opened(tmp_path: Path, api: BotApi, clock: ManualClock) -> OpenHarness:
    """Opens a newsbell with these subscriptions; a second time, with what it stored."""

    def open_it(
        *subscriptions: dict[str, Any], **more: Any
    ) -> AbstractAsyncContextManager[TelegramHarness]:
        chats = more.pop("chats", {"ann": ANN, "group": GROUP, "topic": (FORUM, TOPIC)})
        return open_harness(tmp_path, api, chats, clock, subscriptions=subscriptions, **more)

    return open_it
