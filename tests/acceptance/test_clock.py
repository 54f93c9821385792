"""The clock of the whole program is set, back and ahead, while it runs and between two runs.

A real `newsbell run` with feeds and a Bot API on loopback; a preloaded library moves its wall clock
(tests/wall_clock.c). The check takes a sample of the steps; `make soak PART=clock` takes all, and
prints how long polls took and how memory grew.
"""

import asyncio
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from botapi import BotApi
from sampling import SOAK, share
from support import FeedServer, item, rss
from telegram_harness import ANN, telegram_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY
AHEAD = (2 * MINUTE, HOUR, DAY, 90 * DAY, YEAR, 50 * YEAR)
BACK = (-2 * MINUTE, -HOUR, -DAY, -YEAR, -50 * YEAR)
STEPS = AHEAD + BACK
MEGABYTES = 50  #: that memory may grow
PATIENCE = 30 if SOAK else 60  #: seconds for a poll or an alert; in the check the machine is shared
FEEDS = ("/a.xml", "/b.xml")
TITLES = (
    "Storm closes Port Selva harbour",
    "Minister resigns over harbour tender",
    "Whale calf seen near fishing harbour at dawn",
    "Dockers vote to strike, harbour wages frozen",
    "Lighthouse museum opens beside old harbour",
    "Oil spill spreads: harbour beaches shut",
)


@cache
def library() -> Path:
    """Return the library that moves the clock; without a compiler the tests are skipped."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the library that moves the clock")
    target = Path(mkdtemp(prefix="newsbell-clock-")) / "wall_clock.so"
    source = ROOT / "tests" / "wall_clock.c"
    subprocess.run(  # noqa: S603 (our own source)
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(source)], check=True
    )
    return target


@dataclass
class World:
    """A folder, feeds and chats; newsbell runs in it again and again."""

    folder: Path
    server: FeedServer
    api: BotApi
    process: Process | None = None
    moved: timedelta = timedelta(0)
    items: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def prepare(self) -> None:
        """Write the configuration, and feeds with what is old."""
        feeds = [{"url": self.server.url(path), "name": path, "every": "1s"} for path in FEEDS]
        config = telegram_config(
            self.api,
            {"ann": ANN},
            feeds=[],
            admins=[ANN],
            subscriptions=[{"name": "All", "query": "harbour", "to": ["ann"]}],
        )
        text = json.dumps({**json.loads(config), "feeds": feeds})
        (self.folder / "feeds.yaml").write_text(text, encoding="utf-8")
        (self.folder / "bot").symlink_to(ROOT / "bot")
        (self.folder / "moved").write_bytes(struct.pack("=q", 0))
        self.items = [item("old", "Old harbour", at=datetime.now(UTC) - 30 * DAY)]
        self.publish()

    def publish(self) -> None:
        """Serve what there is, at both addresses."""
        for path in FEEDS:
            self.server.put(path, rss(*self.items))

    def set(self, step: timedelta) -> None:
        """Move newsbell's wall clock."""
        self.moved += step
        with (self.folder / "moved").open("r+b") as file:
            file.write(struct.pack("=q", round(self.moved.total_seconds())))

    async def start(self) -> None:
        """Start newsbell and wait until it polls."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("NEWSBELL")
        }
        environment |= {
            "LD_PRELOAD": str(library()),
            "WALL_CLOCK": str(self.folder / "moved"),
            "TELEGRAM_BOT_TOKEN": self.api.token,
        }
        log = (self.folder / "log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            cwd=self.folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=log,
        )
        log.close()
        await self.polled()
        self.slowest = 0.0  # the start of a process is no poll

    async def stop(self) -> None:
        """Stop newsbell as an init system does."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await self.process.communicate()
        self.process = None

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for it."""
        end = time.monotonic() + PATIENCE
        while not true():
            if self.process and self.process.returncode is not None:
                pytest.fail(f"newsbell ended before {what}: {self.log()}")
            if time.monotonic() > end:
                pytest.fail(f"{what}: not within {PATIENCE} s\n{self.log()}")
            await asyncio.sleep(0.05)

    async def polled(self) -> None:
        """Wait until both feeds are asked for again."""
        before, began = Counter(seen.path for seen in self.server.seen), time.monotonic()
        await self.until(
            lambda: all(
                Counter(seen.path for seen in self.server.seen)[path] > before[path]
                for path in FEEDS
            ),
            "a poll of both feeds",
        )
        self.slowest = max(self.slowest, time.monotonic() - began)

    async def alerted(self) -> None:
        """Publish a story, dated by the world's clock, and wait for its alert."""
        number = len(self.titles)
        title = TITLES[number]
        self.titles.append(title)
        self.items.insert(0, item(f"n{number}", title, at=datetime.now(UTC)))
        self.publish()
        await self.until(lambda: any(title in text for text in self.texts()), f"an alert: {title}")

    def texts(self) -> list[str]:
        return [message.text for message in self.api.messages(ANN)]

    def notices(self) -> int:
        return sum("clock of this machine" in text for text in self.texts())

    def memory(self) -> float:
        """Return the resident memory of newsbell in megabytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def copies(self) -> dict[str, int]:
        """Return how many messages there are of each story."""
        return {title: sum(title in text for text in self.texts()) for title in self.titles}


@pytest.fixture
async def world(tmp_path: Path, server: FeedServer) -> AsyncIterator[World]:
    async with BotApi() as api:
        api.add_private(ANN)
        world = World(tmp_path, server, api)
        world.prepare()
        try:
            yield world
        finally:
            await world.stop()


def _name(step: timedelta) -> str:
    return f"{'ahead' if step > timedelta(0) else 'back'}-{abs(step).total_seconds():.0f}s"


@pytest.mark.parametrize("step", share(STEPS, 11), ids=_name)
async def test_a_clock_set_while_newsbell_runs_stops_and_repeats_nothing(
    world: World, step: timedelta
) -> None:
    await world.start()
    await world.alerted()
    before = world.memory()
    for span in (step, -step):
        world.set(span)
        await world.polled()
        await world.alerted()
    grown = world.memory() - before
    await world.stop()
    assert grown < MEGABYTES
    assert set(world.copies().values()) == {1}
    assert world.notices() == 2
    _say(step, world, f"memory {grown:+.0f} MB")


@pytest.mark.parametrize("step", share(STEPS, 11), ids=_name)
async def test_a_clock_that_differs_between_runs_stops_and_repeats_nothing(
    world: World, step: timedelta
) -> None:
    slowest = 0.0
    for span in (timedelta(0), step, -step):
        world.set(span)
        await world.start()
        await world.polled()
        slowest = max(slowest, world.slowest)
        await world.alerted()
        await world.stop()
    world.slowest = slowest
    assert set(world.copies().values()) == {1}
    _say(step, world, "between runs")


async def test_a_board_that_starts_in_1970_gets_the_time_while_newsbell_runs(world: World) -> None:
    """Twice, as after each cut of the current; the second time with a database of the real time."""
    epoch = -timedelta(seconds=int(time.time()) - 60)
    for _ in range(2):
        world.set(epoch)
        await world.start()
        await world.alerted()
        before = world.memory()
        world.set(-epoch)
        await world.polled()
        await world.alerted()
        assert world.memory() - before < MEGABYTES
        await world.stop()
    assert set(world.copies().values()) == {1}
    _say(-epoch, world, "from 1970")


def _say(step: timedelta, world: World, what: str) -> None:
    if SOAK:
        print(f"{_name(step):20} slowest poll {world.slowest:5.1f} s, {what}")  # noqa: T201
