"""Run a newsbell again and again, kill it at chosen points, and start it once more.

A program of its own, started by test_crash. It never runs an event loop itself: each newsbell lives
in a forked child, so that hundreds of them cost seconds. The pipelines, the store, the HTTP client
and python-telegram-bot are the real ones; documents are parsed in the child, since a pool of
processes cannot be forked.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from httpx import AsyncHTTPTransport

from bot.config.load import load
from bot.delivery.channels.telegram import tls_context
from bot.model.entries import ParseOutcome
from bot.model.sources import Source
from bot.parse.read import read_document
from bot.query.parser import parse
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.stories.stop_words import prior_frequencies

TOKEN = "123456:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"
FACTOR = 400.0
ROOT = Path(__file__).resolve().parents[2] / "bot"
TRACED = {
    str(ROOT / name)
    for name in (
        "feeds/batch.py",
        "feeds/feed_reader.py",
        "feeds/poller.py",
        "delivery/deliverer.py",
        "store/polls.py",
        "store/stories.py",
        "store/alert_merges.py",
        "store/deliveries.py",
        "store/delivery_rows.py",
        "store/outbox.py",
        "store/poll_writes.py",
        "store/schedules.py",
        "store/settlements.py",
        "store/unsent_alerts.py",
        "store/engines/sqlite.py",
    )
}


class SharedClock:
    """A fast clock that all children agree on, whatever happens to them."""

    def __init__(self, start: float) -> None:
        self._start = start

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + (time.time() - self._start) * FACTOR, UTC)

    def monotonic(self) -> float:
        return self.now().timestamp()

    async def sleep(self, span: timedelta) -> None:
        await asyncio.sleep(max(span.total_seconds(), 0) / FACTOR)


class InlineParser:
    """The real reading of documents, in this process."""

    async def parse(
        self,
        body: bytes,
        content_type: str,
        url: str,
        known: frozenset[bytes],
        now: datetime,
        truncated: bool,
        source: Source | None = None,
    ) -> ParseOutcome:
        return read_document(body, content_type, url, known, now, truncated)


class KillAt:
    """Counts the lines that run in the traced files and kills the process before the chosen one."""

    def __init__(self, point: int | None) -> None:
        self.point = point
        self.lines: list[tuple[str, int]] = []  #: file and line

    def install(self) -> None:
        threading.settrace(self.call)
        sys.settrace(self.call)

    def call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self.line if frame.f_code.co_filename in TRACED else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            if len(self.lines) == self.point:
                os.kill(os.getpid(), signal.SIGKILL)
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
        return self.line


def config(feeds: list[str], api: str, chats: list[int], query: str = "bell") -> str:
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": {"api": api}},
            "chats": {f"c{chat}": {"telegram": chat} for chat in chats},
            "feeds": [{"url": feed, "name": feed, "every": "1s"} for feed in feeds],
            "subscriptions": [
                {"name": "Bells", "query": query, "to": [f"c{chat}" for chat in chats]}
            ],
        }
    )


async def with_newsbell(
    folder: Path, start: float, work: Callable[[App], Coroutine[Any, Any, None]]
) -> None:
    wiring = Wiring(
        clock=SharedClock(start),
        chance=Random(1),
        parser=InlineParser(),
        tick=timedelta(milliseconds=20),
    )
    async with open_app(load(folder / "feeds.yaml", {"TELEGRAM_BOT_TOKEN": TOKEN}), wiring) as app:
        await work(app)


async def polls(app: App, count: int) -> None:
    for _ in range(count):
        await app.store.polls.make_due(app.clock.now())
        await app.poller.run_once()
        await app.deliverer.run_once(timedelta(hours=1))


def child(work: Callable[[], None]) -> int:
    """Run in a forked child; its process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def wait(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def session(
    folder: Path,
    start: float,
    count: int,
    tracer: KillAt | None = None,
    out: Path | None = None,
    ready: int | None = None,
) -> Callable[[], None]:
    async def begin(app: App) -> None:
        if ready is not None:
            os.write(ready, b".")
        await polls(app, count)

    def work() -> None:
        if tracer:
            tracer.install()
        asyncio.run(with_newsbell(folder, start, begin))
        if tracer and out:
            sys.settrace(None)
            lines = [f"{Path(file).name}:{number}" for file, number in tracer.lines]
            out.write_text(json.dumps(lines), encoding="utf-8")

    return work


def prepare(folder: Path, text: str, template: Path | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if template:
        shutil.copy(template / "newsbell.db", folder / "newsbell.db")
    (folder / "feeds.yaml").write_text(text, encoding="utf-8")


def enumerate_points(base: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Kill before a run of every line of both pipelines; then start again and let it finish."""
    start = time.time()
    first_chat = given["first_chat"]
    url: str = given["feed"]  # ends in the run's number: each run is a feed of its own
    probe = base / "probe"
    prepare(probe, config([url.format(first_chat)], given["api"], [first_chat]))
    assert wait(child(session(probe, start, 4, KillAt(None), base / "lines"))) == 0
    lines: list[str] = json.loads((base / "lines").read_text(encoding="utf-8"))
    firsts = {line: lines.index(line) for line in set(lines)}
    lasts = {line: len(lines) - 1 - lines[::-1].index(line) for line in set(lines)}
    if given["both"]:
        chosen = sorted({*firsts.values(), *lasts.values()})
    else:  # every line once: by turns when it runs first and when it runs last
        chosen = sorted(
            firsts[line] if turn % 2 else lasts[line]
            for turn, line in enumerate(sorted(firsts, key=lambda line: firsts[line]))
        )
    chosen = chosen[given["part"] :: given["parts"]]
    runs = []
    for number, point in enumerate(chosen, 1):
        chat, folder = first_chat + number, base / str(number)
        prepare(folder, config([url.format(chat)], given["api"], [chat]))
        killed = wait(child(session(folder, start, 4, KillAt(point))))
        again = wait(child(session(folder, start, 4)))
        runs.append(
            {
                "chat": chat,
                "line": lines[point],
                "killed": killed == -signal.SIGKILL,
                "again": again,
            }
        )
        shutil.rmtree(folder)
    return {"lines": len(set(lines)), "runs": runs}


def random_kills(base: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Kill at random moments under load; at the end let it finish."""
    start, chance = time.time(), random.Random(given["seed"])
    folder = base / "load"
    prepare(
        folder, config(given["feeds"], given["api"], given["chats"], given.get("query", "bell"))
    )
    assert wait(child(session(folder, start, 1))) == 0
    killed = 0
    for _ in range(given["kills"]):
        reading, writing = os.pipe()
        pid = child(session(folder, start, 10_000, ready=writing))
        os.close(writing)
        os.read(reading, 1)  # until it polls
        os.close(reading)
        time.sleep(chance.uniform(0.0, 0.5))  # the moment is the point
        os.kill(pid, signal.SIGKILL)
        killed += wait(pid) == -signal.SIGKILL
    Path(given["stop"]).touch()
    again = wait(child(session(folder, start, 12)))
    return {"killed": killed, "again": again}


def warm_up() -> None:
    """Read once what each child would read: certificates, the grammar, common words, modules."""
    parse("bell")
    prior_frequencies()
    AsyncHTTPTransport(verify=tls_context())
    import_module("anyio._backends._asyncio")


def main() -> None:
    assert [path for path in TRACED if not Path(path).is_file()] == [], "a module has moved"
    warm_up()
    given = json.loads(sys.argv[1])
    base = Path(given["base"])
    result = (
        enumerate_points(base, given) if given["what"] == "points" else random_kills(base, given)
    )
    (base / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
