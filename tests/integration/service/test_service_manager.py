"""A service manager hears that newsbell is ready, alive while work moves, reloading, stopping."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import chdir, closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import FeedServer, ManualClock, config_text, item, newsbell, poll, rss

from bot.cli.main import main
from bot.cli.systemd import unit_text
from bot.config.load import load
from bot.service.build import Wiring, open_app
from bot.service.service_manager import ServiceManager
from bot.service.watchdog import STANDS_STILL

ANALYZE = shutil.which("systemd-analyze")


class Manager:
    """A real socket as systemd has it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0"))
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """The messages since the last call."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return messages

    def environment(self, **more: str) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, **more}


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@newsbell-{id(request)}"
    made = Manager(address)
    with closing(made.socket):
        yield made


async def wait_for(manager: Manager, message: str) -> list[str]:
    """Everything that is heard up to a message."""
    heard: list[str] = []
    async with asyncio.timeout(30):
        while message not in heard:
            heard += manager.heard()
            await asyncio.sleep(0.01)
    return heard


async def test_it_hears_the_life_of_a_newsbell(tmp_path: Path, manager: Manager) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(config_text([]), encoding="utf-8")
    told = ServiceManager.of_environment(manager.environment(WATCHDOG_USEC="20000"), 1)
    async with open_app(load(file), Wiring(service_manager=told)) as app:
        assert manager.heard() == []
        running = asyncio.create_task(app.run())
        heard = await wait_for(manager, "WATCHDOG=1")
        assert heard[0] == "READY=1"
        assert "WATCHDOG=1\nSTATUS=Works; nothing polled yet." in heard
        reloading = asyncio.create_task(
            app.reload()
        )  # who hears nothing for long misses what comes
        heard = await wait_for(manager, "READY=1")
        await reloading
        assert [line for line in heard if line.startswith("RELOADING=1\nMONOTONIC_USEC=")]
        app.stop()
        await running
    assert "STOPPING=1\nSTATUS=Finishing what is under way." in manager.heard()


async def test_it_hears_no_sign_of_life_while_polling_stands_still(
    tmp_path: Path, server: FeedServer, clock: ManualClock, manager: Manager
) -> None:
    server.put("/feed.xml", rss(item("1", "Harbour")))
    told = ServiceManager.of_environment(manager.environment(WATCHDOG_USEC="1000000"), 1)
    text = config_text([{"url": server.url("/feed.xml"), "every": "1m"}])
    async with newsbell(tmp_path, text, clock=clock) as app:
        await poll(app)
        clock.advance(timedelta(minutes=20))
        now = asyncio.get_running_loop().time()
        await app.monitoring.watchdog.look(now - STANDS_STILL - 1)
        await app.monitoring.watchdog.look(now)
        told.tell_health(app.monitoring.health.look(), is_alive=app.monitoring.watchdog.moves(now))
        (message,) = manager.heard()
        assert message.startswith("STATUS=Polling has stood still for 10 minutes although ")
        await poll(app)
        told.tell_health(app.monitoring.health.look(), is_alive=app.monitoring.watchdog.moves(now))
        (message,) = manager.heard()
        assert message.startswith("WATCHDOG=1\nSTATUS=Works; last polled at 12:20 UTC")


@pytest.mark.parametrize(
    ("environment", "every"),
    [
        ({}, 30.0),
        ({"WATCHDOG_USEC": "20000000"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "7"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, 30.0),
        ({"WATCHDOG_USEC": "300000000"}, 30.0),
        ({"WATCHDOG_USEC": "soon"}, 30.0),
    ],
)
def test_it_hears_twice_within_the_time_that_it_set(
    environment: dict[str, str], every: float
) -> None:
    told = ServiceManager.of_environment({"NOTIFY_SOCKET": "/run/nobody", **environment}, 7)
    assert told.every == every


def test_a_manager_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "gone")).ready()
    ServiceManager().ready()


# The unit


def unit(folder: Path, *arguments: str) -> str:
    (folder / "feeds.yaml").write_text(
        config_text([], database="data/newsbell.db"), encoding="utf-8"
    )
    with chdir(folder):
        result = CliRunner().invoke(main, ["systemd", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.own_engine("a server's files are not newsbell's to write")
def test_the_unit_has_the_paths_of_this_newsbell(tmp_path: Path) -> None:
    lines = unit(tmp_path, "--user", "desk").splitlines()
    assert {
        "Type=notify",
        "User=desk",
        f"WorkingDirectory={tmp_path}",
        f"ReadWritePaths={tmp_path / 'data'}",
        "WatchdogSec=5min",
        "Restart=always",
    } <= set(lines)
    (start,) = [line for line in lines if line.startswith("ExecStart=/")]
    assert start.endswith(f" run --config {tmp_path / 'feeds.yaml'}")


def test_odd_paths_are_quoted_and_homes_can_be_read() -> None:
    program, config = Path("/home/ann/venv/bin/newsbell"), Path("/srv/a 100% $b/feeds.yaml")
    lines = unit_text((program,), config, config.parent, "ann").splitlines()
    assert {
        'ExecStart=/home/ann/venv/bin/newsbell run --config "/srv/a 100%% $$b/feeds.yaml"',
        "WorkingDirectory=/srv/a 100%% $b",
        "ProtectHome=read-only",
    } <= set(lines)
    lines = unit_text((Path("/opt/newsbell"),), config, config.parent, "ann").splitlines()
    assert "ProtectHome=yes" in lines


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed here")
def test_systemd_finds_the_unit_tight(tmp_path: Path) -> None:
    file = tmp_path / "newsbell.service"
    file.write_text(unit(tmp_path, "--user", "root"), encoding="utf-8")
    command = [str(ANALYZE), "security", "--offline=true", "--threshold=20", str(file)]
    ended = subprocess.run(  # noqa: S603 (systemd's own program)
        command, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-300:] + ended.stderr
