"""A newsbell that works says so, and one that does not says why."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from postgres_server import address_of
from support import (
    FeedServer,
    ManualClock,
    config_text,
    execute,
    item,
    newsbell,
    poll,
    rss,
    sqlite,
)

from bot import __version__
from bot.cli.main import main
from bot.errors import ActionRefused, StoreFull
from bot.feeds.batch import BatchCommitter
from bot.model.delivery import Outage, ServiceFault
from bot.service.app import App
from bot.service.control import ask, ask_health, control, socket_path
from bot.service.health import STANDS
from bot.store.stores import store_of

ROOT = Path(__file__).resolve().parents[3]


def health(folder: Path, *arguments: str) -> Result:
    with chdir(folder):
        return CliRunner().invoke(main, ["health", *arguments], catch_exceptions=False)


def config(server: FeedServer) -> str:
    return config_text([{"url": server.url("/feed.xml"), "name": "Wire", "every": "1m"}])


def reasons(app: App) -> tuple[str, ...]:
    return tuple(map(str, app.monitoring.health.look().reasons))


async def stand_still(app: App) -> None:
    """Let the watchdog see that nothing moved for as long as a pipeline may stand still."""
    now = asyncio.get_running_loop().time()
    await app.monitoring.watchdog.look(now - STANDS - 1)
    await app.monitoring.watchdog.look(now)


@pytest.fixture
def feed(server: FeedServer) -> FeedServer:
    server.put("/feed.xml", rss(item("1", "Harbour")))
    return server


async def test_a_newsbell_that_works_is_healthy(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        began = clock.now()
        clock.advance(timedelta(minutes=1))
        await poll(app)
        record = app.monitoring.health.look().record()
    assert (record["healthy"], record["reasons"]) == (True, [])
    assert (record["uptime"], record["started_at"]) == (60.0, began.isoformat())
    assert record["last_poll_at"] == record["last_sent_at"] == clock.now().isoformat()
    assert bool(record["database_bytes"]) is isinstance(app.config.database, Path)


async def test_polls_that_are_overdue_and_do_not_move_are_a_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        await poll(app)
        clock.advance(timedelta(minutes=10))
        await stand_still(app)
        assert reasons(app) == ("Polling has stood still for 3 minutes although something is due.",)
        assert app.monitoring.watchdog.moves(asyncio.get_running_loop().time()), (
            "not for long enough"
        )
        await poll(app)
        assert app.monitoring.health.look().healthy


async def test_a_quiet_day_is_no_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        await poll(app)
        await stand_still(app)
        assert app.monitoring.health.look().healthy


async def test_a_delivery_that_is_overdue_and_does_not_move_is_a_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        await poll(app)
        execute(
            app,
            "insert into outbox (chat_id, kind, priority, created_at) "
            "select id, 'notice', 30, '2026-01-01' from chats limit 1",
        )
        clock.advance(timedelta(minutes=10))
        await app.poller.run_once()
        await stand_still(app)
        assert reasons(app) == (
            "Delivery has stood still for 3 minutes although something is due.",
        )


async def test_a_database_that_is_gone_is_a_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        path = sqlite(app).path
        path.rename(path.with_name("moved.db"))
        gone = reasons(app)
        path.with_name("moved.db").rename(path)
    assert gone == ("newsbell.db was deleted, moved or replaced.",)


async def test_a_disk_on_which_nothing_can_be_stored_is_a_reason_until_something_is(
    tmp_path: Path, feed: FeedServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreFull("The disk is full.")

    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(0))
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        with monkeypatch.context() as patch:
            patch.setattr(BatchCommitter, "commit", full)
            await poll(app)
            assert reasons(app) == ("The disk is full.",)
        await app.store.polls.release_feeds()
        await poll(app)
        assert app.monitoring.health.look().healthy


async def test_a_telegram_that_takes_nothing_for_long_is_a_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(feed), clock=clock) as app:
        gate = app.deliverer._gate
        gate.outage = Outage(ServiceFault.UNREACHABLE, "No connection.", clock.now())
        gate.confirmed = True
        clock.advance(timedelta(minutes=9))
        assert app.monitoring.health.look().healthy
        clock.advance(timedelta(minutes=1))
        (reason,) = reasons(app)
        assert reason == "Telegram has taken no messages for 10 minutes: No connection."
        gate.outage = Outage(ServiceFault.REFUSED, "", clock.now())
        assert reasons(app) == ("Telegram refuses the bot's token.",)


async def test_a_telegram_that_is_asked_and_does_not_answer_is_a_reason(
    tmp_path: Path, feed: FeedServer, clock: ManualClock
) -> None:
    text = config_text([], telegram={"api": feed.url("")})
    environment = {"TELEGRAM_BOT_TOKEN": "123456:invented"}
    async with newsbell(tmp_path, text, clock=clock, environment=environment) as app:
        assert app.bot
        feed.put("/bot123456:invented/getMe", '{"ok": false}', status=502)
        clock.advance(timedelta(minutes=10))
        assert reasons(app) == ("Telegram has not answered for 10 minutes.",)
        app.monitoring.measures.telegram_answered()
        state = app.monitoring.health.look()
        assert (state.healthy, state.telegram_answered_at) == (True, clock.now())


async def test_the_status_says_whether_a_newsbell_runs_and_how_it_is(
    tmp_path: Path, feed: FeedServer
) -> None:
    def status(*arguments: str) -> str:
        with chdir(tmp_path):
            command = ["status", *arguments]
            return CliRunner().invoke(main, command, catch_exceptions=False).stdout

    async def refuse(*_: object) -> int:
        raise AssertionError

    async with newsbell(tmp_path, config(feed)) as app:
        await poll(app)
        look = app.monitoring.health.look
        async with control(app.config.beside, refuse, lambda: look().record()):
            record = json.loads(await asyncio.to_thread(status, "--json"))
            text = await asyncio.to_thread(status)
        stopped = json.loads(await asyncio.to_thread(status, "--json"))
        silence = await asyncio.to_thread(status)
    assert (record["newsbell"]["healthy"], record["version"]) == (True, __version__)
    of_file = record["database_bytes"] if isinstance(app.config.database, Path) else 0
    assert record["newsbell"]["database_bytes"] == of_file
    assert f"A newsbell runs, version {__version__}. It runs for 0s, polled " in text
    assert stopped["newsbell"] is None
    assert silence.rstrip().endswith("No newsbell runs.")


@pytest.mark.parametrize(("within", "is_healthy"), [("10m", True), ("1m", False)])
async def test_without_a_process_the_database_says_when_newsbell_ran(
    tmp_path: Path, within: str, is_healthy: bool
) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    async with store_of(address_of(tmp_path / "newsbell.db")) as store:
        await store.admin.note_time(datetime.now(UTC) - timedelta(minutes=5))
    result = health(tmp_path, "--within", within)
    assert result.exit_code == (0 if is_healthy else 1)
    assert ("Healthy: newsbell ran " in result.stdout) is is_healthy


@pytest.mark.own_engine("what is said names the file")
def test_nobody_who_answers_is_not_healthy(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    result = health(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Not healthy: No newsbell runs, and there is no database at ")
    record = json.loads(health(tmp_path, "--json").stdout)
    assert (record["healthy"], len(record["reasons"])) == (False, 1)
    assert health(tmp_path, "--within", "soon").exit_code == 2


async def test_a_folder_too_deep_for_a_socket_is_judged_by_its_database(
    tmp_path: Path, feed: FeedServer
) -> None:
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    async with newsbell(folder, config(feed), clock=ManualClock(datetime.now(UTC))):
        result = await asyncio.to_thread(health, folder)
    assert result.exit_code == 0
    assert result.stdout.startswith("Healthy: newsbell ran ")


async def test_the_socket_answers_how_newsbell_is_also_where_the_file_has_mistakes(
    tmp_path: Path, feed: FeedServer
) -> None:
    async with newsbell(tmp_path, config(feed)) as app:

        async def refuse(*_: object) -> int:
            raise AssertionError

        database = app.config.beside
        async with control(database, refuse, lambda: app.monitoring.health.look().record()):
            place = app.config.database
            named = place if isinstance(place, Path) else place.url
            faulty = f"settings:\n  database: {named}\nfeeds: ["
            (tmp_path / "feeds.yaml").write_text(faulty, encoding="utf-8")
            result = await asyncio.to_thread(health, tmp_path, "--json")
    assert (result.exit_code, json.loads(result.stdout)["reasons"]) == (0, [])


async def test_an_earlier_newsbell_is_not_asked_to_drop_anything(tmp_path: Path) -> None:
    """What it does not know was taken for the wish to drop what is dead."""
    asked: list[str] = []

    async def earlier(do: str, _: tuple[int, ...]) -> int:
        asked.append(do)
        return 0

    database = tmp_path / "newsbell.db"
    async with control(database, earlier):
        answer = await asyncio.to_thread(ask_health, database)
        assert await asyncio.to_thread(ask, database, "retry", ()) == 0
    assert (answer.listens, answer.health, asked) == (True, None, ["retry"])


async def _until_healthy(folder: Path, *, healthy: bool) -> Result:
    async with asyncio.timeout(60):
        while True:
            result = await asyncio.to_thread(health, folder, "--timeout", "0.3")
            if (result.exit_code == 0) is healthy:
                return result
            await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.own_engine("what is said names the file")
async def test_a_process_that_is_stopped_or_killed_is_not_healthy(
    tmp_path: Path, feed: FeedServer
) -> None:
    (tmp_path / "feeds.yaml").write_text(config(feed), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        await _until_healthy(tmp_path, healthy=True)
        process.send_signal(signal.SIGSTOP)
        result = await _until_healthy(tmp_path, healthy=False)
        assert "did not say within 0.3 seconds" in result.stderr
        process.send_signal(signal.SIGCONT)
        await _until_healthy(tmp_path, healthy=True)
    finally:
        process.kill()
        await process.wait()
    result = await _until_healthy(tmp_path, healthy=False)
    assert socket_path(tmp_path / "newsbell.db").exists()
    assert "No newsbell runs on newsbell.db" in result.stderr


async def test_a_request_that_is_not_known_changes_nothing(
    tmp_path: Path, feed: FeedServer
) -> None:
    async with newsbell(tmp_path, config(feed)) as app:
        with pytest.raises(ActionRefused, match="does not know 'polish'"):
            await app.answer_request("polish", ())
