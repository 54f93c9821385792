"""How soon a newsbell with much stored polls and answers after a start, and what a reload costs.

    python -m bench.restart [--feeds 10000] [--entries 1000000] [--starts 3] [--keep FOLDER]

Makes the database of a newsroom: feeds that are all due, entries of ninety days with their search
index, and what grouping made of those of the last six days. Starts `newsbell run` on it as a
process, and counts from outside: when the first feed is asked, when a `/start` that waited is
answered, and when the alert of an article that a feed brings arrives, for which the window of
stories has to be whole. Then reloads an unchanged feeds.yaml. The page cache is as earlier starts
left it. Loopback only; asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import socket
import sqlite3
import sys
import tempfile
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import uvloop
from aiohttp import web
from outside.program import Program

from bench.age import Figures, fill_search, watch
from bench.aims import Aim, table
from bench.command_line import parse, write_record
from bench.endpoint import Endpoint, endpoint
from bench.stories import Stream
from bot.config.load import load
from bot.service import logs
from bot.service.build import open_app
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.stores import SqliteStore
from bot.stories.features import extract_features
from bot.stories.packed_features import VERSION, pack
from bot.stories.window import SPAN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.service.app import App

PERIOD = timedelta(days=90)  #: that the entries are of
READ = 2 * SPAN  #: entries of this time are read for the window, those of its half stay in it
PERSON = 7
WITHIN = 600.0  #: seconds after which a start counts as failed
MOMENTS = ("first poll", "first answer", "first alert")
SMALL = {"feeds": 5, "entries": 40, "starts": 1}
_RELOADS = 3


@dataclass
class Feeds:
    """Answers 304 to whoever knows a feed; one feed has news each time somebody starts."""

    asked_at: float = 0.0  #: monotonic time of the first request since a start
    news: int = 0  #: number of what is new, another one for each start

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a poll."""
        self.asked_at = self.asked_at or time.monotonic()
        if request.path == "/robots.txt":
            return web.Response(status=404)
        if request.path != "/0" and "If-None-Match" in request.headers:
            return web.Response(status=304)
        now = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}"
        item = (
            f"<item><guid>news {self.news}</guid><pubDate>{now}</pubDate>"
            f"<link>https://feed.example/{self.news}</link>"
            f"<title>{headline(self.news)}</title></item>"
        )
        return web.Response(
            text=f"<rss version='2.0'><channel><title>Invented</title>{item}</channel></rss>",
            content_type="application/rss+xml",
            headers={"ETag": '"invented"'},
        )


def headline(news: int) -> str:
    """Return a headline that has no word in common with others but one, so it is a story."""
    chance = Random(news)
    words = ("".join(chance.choices("abdegiklmnoprstu", k=8)) for _ in range(8))
    return f"Ferry {' '.join(words)}"


@asynccontextmanager
async def serving(feeds: Feeds, port: int) -> AsyncIterator[None]:
    """Serve feeds at any path of any loopback address."""
    application = web.Application()
    application.router.add_get("/{name}", feeds.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def port_of(folder: Path) -> int:
    """Return the port of the feeds: a free one, and that of before where the database is kept."""
    path = folder / "port"
    if not path.exists():
        with socket.create_server(("0.0.0.0", 0)) as server:
            path.write_text(str(server.getsockname()[1]), encoding="ascii")
    return int(path.read_text(encoding="ascii"))


def configuration(api: str, feeds: int, port: int) -> str:
    """Return a feeds.yaml with that many feeds, each at a host of its own, a line for each."""
    urls = (
        f"http://127.2.{number // 250}.{number % 250 + 1}:{port}/{number}"
        for number in range(feeds)
    )
    lines = "\n".join(
        f'  - {{url: "{url}", name: Feed {number}, publisher: House {number % 3000}, '
        f"tags: [world, region{number % 40}]}}"
        for number, url in enumerate(urls)
    )
    return f"""
settings:
  network: {{allow: ["127.0.0.0/8"]}}
  telegram: {{api: "{api}", admins: [{PERSON}]}}
chats:
  person: {{telegram: {PERSON}}}
feeds:
{lines}
subscriptions:
  - {{name: Ferries, query: 'ferry', to: [person]}}
"""


def fill(path: Path, feeds: int, entries: int, now: datetime) -> None:
    """Write the rows: entries, what grouping made of the latest of them, and feeds that are due."""
    seen = [now - PERIOD * (1 - number / entries) for number in range(1, entries + 1)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("pragma cache_size = -200000")
        with connection:
            connection.executemany(
                "insert into entries (id, feed_id, story_id, strict_id, storyline_id, house, "
                "origin, guid_key, link_key, title_key, article_key, guid, link, title, summary, "
                "author, source, published, first_seen_at, absent_since, language) "
                "values (?, ?, ?, ?, ?, ?, 'house', ?, ?, ?, x'', ?, ?, ?, ?, '', '', ?, ?, ?, "
                "'en')",
                entry_rows(seen, feeds),
            )
            connection.executemany(
                "insert into features (entry_id, version, packed) values (?, ?, ?)",
                feature_rows(seen, now),
            )
            connection.execute(
                "update feeds set etag = '\"invented\"', baseline_at = ?, last_ok_at = ?, "
                "last_poll_at = ?, full_at = ?, stored = ?",
                [put_time(now - PERIOD), *[put_time(now)] * 3, entries // feeds],
            )
            connection.execute(
                "insert into meta (name, value) values ('languages', '[\"en\"]') "
                "on conflict (name) do update set value = excluded.value"
            )


def entry_rows(seen: list[datetime], feeds: int) -> Iterator[tuple[Any, ...]]:
    """Yield entries; those of more than a week ago have left their feeds."""
    for number, at in enumerate(seen, 1):
        key = number.to_bytes(16, "big")
        week = at + timedelta(days=7)
        yield (
            number,
            number % feeds + 1,
            *(number - number % 3 or number,) * 3,
            f"house {number % 3000}",
            *(key,) * 3,
            str(number),
            f"https://wire.example/{number}",
            f"Report {number} of the port authority on ships and cargo",
            "Some invented words about the port. " * 6,
            *(put_time(at),) * 2,
            put_time(week) if week < seen[-1] else None,
        )


def feature_rows(seen: list[datetime], now: datetime) -> Iterator[tuple[int, int, str]]:
    """Yield what grouping makes of invented articles of the last six days."""
    recent = [(number, at) for number, at in enumerate(seen, 1) if at >= now - READ]
    reports = islice(Stream(max(1, len(recent) / 144)).entries(), len(recent))
    for (number, at), report in zip(recent, reports, strict=True):
        yield number, VERSION, pack(extract_features(replace(report, id=number, at=at)))


async def make(folder: Path, options: argparse.Namespace) -> None:
    """Make the database, unless it was kept from an earlier run."""
    path = folder / "newsbell.db"
    if path.exists():
        return
    text = configuration("http://127.0.0.1:9", options.feeds, port_of(folder))
    (folder / "feeds.yaml").write_text(text, encoding="utf-8")
    async with SqliteStore(path) as store:
        await store.config.sync(load(folder / "feeds.yaml", {}).declared, datetime.now(UTC))
    await asyncio.to_thread(fill, path, options.feeds, options.entries, datetime.now(UTC))
    await asyncio.to_thread(fill_search, path, options.entries)


@dataclass
class Started:
    """Seconds after the start of a process, and CPU seconds it had used by then."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    memory: float = 0.0  #: resident MB of the process, after the first alert


async def start(folder: Path, served: Endpoint, feeds: Feeds) -> Started:
    """Start newsbell where all feeds are due and a person waits for an answer; stop it again."""
    with closing(sqlite3.connect(folder / "newsbell.db")) as connection, connection:
        connection.execute("update feeds set next_poll_at = ?", [put_time(datetime.now(UTC))])
    environment = {"TELEGRAM_BOT_TOKEN": served.token}
    program, started = Program(folder, environment), Started()
    feeds.asked_at, feeds.news = 0.0, time.time_ns()
    await served.do("say", PERSON, "/start")
    await served.do("calls")
    began = time.monotonic()
    await program.start()
    try:
        async with asyncio.timeout(WITHIN):
            while len(started.seconds) < len(MOMENTS):
                await asyncio.sleep(0.02)
                for moment, at in await reached(served, feeds):
                    if moment not in started.seconds:
                        started.seconds[moment] = at - began
                        started.cpu[moment] = program.cpu()
                        note = f"{moment}: {at - began:.1f} s, CPU {started.cpu[moment]:.1f} s"
                        print(note, file=sys.stderr, flush=True)
                if not program.pid:
                    raise RuntimeError(program.log.read_text(encoding="utf-8")[-3000:])
        started.memory = program.memory()[0]
    finally:
        await program.stop()
    return started


async def reached(served: Endpoint, feeds: Feeds) -> list[tuple[str, float]]:
    """Return what has happened since the last look, with its monotonic time."""
    found = [("first poll", feeds.asked_at)] if feeds.asked_at else []
    for call in await served.do("calls"):
        if call.method == "sendMessage":
            news = headline(feeds.news) in call.text
            found.append(("first alert" if news else "first answer", call.time))
    return found


def forget_conversation(folder: Path) -> None:
    """Let a kept database be one of this Bot API, whose updates are numbered anew."""
    with closing(sqlite3.connect(folder / "newsbell.db")) as connection, connection:
        connection.execute("delete from meta where name = ?", [MetaName.LAST_UPDATE])
        connection.execute("update outbox set state = 'dropped' where state = 'queued'")


async def measure_reload(folder: Path) -> dict[str, float]:
    """Return what reloads of an unchanged file cost, in a newsbell that does nothing else."""
    figures = Figures()
    config = load(folder / "feeds.yaml", {})
    async with open_app(config) as newsbell:
        watch(newsbell.store, figures)  # type: ignore[arg-type]  # it is the real one
        await newsbell.poller._committer.restore()  # noqa: SLF001 (as after a start)
        gc.freeze()
        seconds = [await reload(newsbell, figures) for _ in range(_RELOADS)]
    return {
        "reload_s": min(seconds),
        "reload_longest_transaction_ms": 1000 * figures.longest["reload"],
        "reload_longest_transaction_cpu_ms": 1000 * figures.processor["reload"],
    }


async def reload(newsbell: App, figures: Figures) -> float:
    """Return the CPU seconds of a reload."""
    began = time.process_time()
    await figures.time("reload", newsbell.reload)
    return time.process_time() - began


async def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of the quickest start, and of a reload in a process of its own."""
    feeds, port = Feeds(), port_of(folder)
    await make(folder, options)
    async with endpoint() as served, serving(feeds, port):
        text = configuration(served.url, options.feeds, port)
        (folder / "feeds.yaml").write_text(text, encoding="utf-8")
        await served.do("privates", [PERSON])
        forget_conversation(folder)
        await start(folder, served, feeds)  # takes in the file
        starts = [await start(folder, served, feeds) for _ in range(options.starts)]
    best = min(starts, key=lambda started: started.cpu["first alert"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.restart", "--reload", str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    reloads = json.loads((await process.communicate())[0])
    return {
        "feeds": options.feeds,
        "entries": options.entries,
        "bytes": (folder / "newsbell.db").stat().st_size,
        "seconds": best.seconds,
        "cpu": best.cpu,
        "memory_mb": best.memory,
        **reloads,
    }


def show(row: dict[str, Any]) -> None:
    """Print the figures as tables."""
    print(
        f"{row['feeds']:,} feeds, {row['entries']:,} entries, {row['bytes'] / 1e6:,.0f} MB\n\n"
        "| until | seconds | CPU seconds |\n|---|---:|---:|"
    )
    for moment in MOMENTS:
        print(f"| {moment} | {row['seconds'][moment]:.1f} | {row['cpu'][moment]:.1f} |")
    print(
        f"\nResident after the first alert: {row['memory_mb']:.0f} MB. "
        f"Reload of the unchanged file: {row['reload_s']:.2f} CPU seconds; its longest transaction "
        f"{row['reload_longest_transaction_ms']:.1f} ms, "
        f"{row['reload_longest_transaction_cpu_ms']:.1f} ms of CPU."
    )
    print(
        "\n"
        + table(
            [
                *(Aim(f"{moment}", "s", 3.0, row["seconds"][moment]) for moment in MOMENTS[:2]),
                Aim("reload of the unchanged file", "s of CPU", 0.5, row["reload_s"]),
                Aim("its longest transaction", "ms", 50.0, row["reload_longest_transaction_ms"]),
            ]
        )
    )


async def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description="starts and reloads with much stored")
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--starts", type=int, default=3, help="of which the quickest counts")
    parser.add_argument("--keep", type=Path, help="keep the database there, for further runs")
    parser.add_argument("--reload", type=Path, help=argparse.SUPPRESS)
    options = parse(parser, SMALL)
    logs.use_standard_logging()
    if options.reload:
        print(json.dumps(await measure_reload(options.reload)))
        return
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        row = await measure(options.keep.resolve(), options)
    else:
        with tempfile.TemporaryDirectory() as name:
            row = await measure(Path(name), options)
    show(row)
    write_record(options, [row])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
