"""Memory of an idle newsbell, with few feeds and with many, read from the kernel.

    python -m bench.memory [--feeds shipped,1000,10000]

`shipped` is the feeds.yaml of the repository, each of its feeds at a loopback address and in one of
five languages. Counts the proportional share (PSS) of the process and its workers. Polls loopback
only; asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from aiohttp import web

from bench.aims import Aim, table
from bench.command_line import ROOT, parse, write_record
from bot.config.load import load
from bot.delivery.channels.terminal import TerminalChannel
from bot.feeds.poller import PollReport
from bot.service import logs
from bot.service.build import Wiring, open_app
from bot.service.garbage import settle, unsearched

ENTRIES = 10  #: of each feed
SHIPPED = "shipped"
#: a sentence of the feeds of the shipped file, in turn
SENTENCES = (
    "Some invented words. ",
    "Einige erfundene Wörter. ",
    "Кілька вигаданих слів. ",
    "Несколько выдуманных слов. ",
    "كلمات مخترعة. ",
)
STATES = ("open", "after baseline, workers alive", "idle", "after a round of 304s")


def resident_mb() -> float:
    """Return the resident memory of this process and its children in MB.

    A page that several share counts in each by its share (PSS).
    """
    own = os.getpid()
    pids = [own]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == own:
                pids.append(int(folder.name))
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


async def serve() -> web.AppRunner:
    """Serve small invented feeds at any path of any loopback address."""

    async def feed(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        number = name.removeprefix(SHIPPED)
        sentence = SENTENCES[0 if number == name else int(number) % len(SENTENCES)]
        items = "".join(
            f"<item><guid>{name}-{number}</guid>"
            f"<title>Invented item {number} of {name} about nothing in particular</title>"
            f"<link>https://feed{name}.example/{number}</link>"
            f"<description>{sentence * 12}</description></item>"
            for number in range(ENTRIES)
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        return web.Response(
            text=body, content_type="application/rss+xml", headers={"ETag": f'"{name}"'}
        )

    application = web.Application()
    application.router.add_get("/{name}", feed)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    return runner


def shipped(port: int) -> str:
    """Return the feeds.yaml of the repository with feeds on loopback."""
    text = (ROOT / "feeds.yaml").read_text(encoding="utf-8")
    numbers = iter(range(1, 250))

    def url(_: re.Match[str]) -> str:
        number = next(numbers)
        return f'url: "http://127.3.0.{number}:{port}/{SHIPPED}{number}"'

    allowed = 'settings:\n  network: {allow: ["127.0.0.0/8"]}\n'
    return re.sub(r'url: "[^"]+"', url, text).replace("settings:\n", allowed)


def configuration(port: int, feeds: int) -> str:
    """Return a feeds.yaml with that many feeds."""
    urls = [
        f"http://127.2.{number // 250}.{number % 250 + 1}:{port}/{number}"
        for number in range(feeds)
    ]
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"terminal": {"terminal": True}},
            "feeds": [{"url": url, "name": url} for url in urls],
            "subscriptions": [
                {"name": "Something", "query": "harbour AND fire", "to": ["terminal"]}
            ],
        }
    )


async def measure(port: int, feeds: str) -> dict[str, float]:
    """Return the MB of a newsbell with these feeds in each of `STATES`, and its entries."""
    figures: dict[str, float] = {"feeds": 0, "entries": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.yaml"
        text = shipped(port) if feeds == SHIPPED else configuration(port, int(feeds))
        path.write_text(text, encoding="utf-8")
        terminal = TerminalChannel(as_json=True, stream=io.StringIO())

        def count(reports: list[PollReport]) -> None:
            figures["entries"] += sum(len(report.commit.new) for report in reports)

        with unsearched():
            config = load(path, {})
        figures["feeds"] = len(config.declared.feeds)
        async with open_app(config, Wiring(terminal=terminal, polled=count)) as newsbell:
            settle()  # as a start does
            figures[STATES[0]] = resident_mb()
            await newsbell.poller.run_once()
            figures[STATES[1]] = resident_mb()
            newsbell.workers.rest(float("inf"))
            figures[STATES[2]] = resident_mb()
            await newsbell.store.polls.make_due(datetime.now(UTC))
            await newsbell.poller.run_once()
            figures[STATES[3]] = resident_mb()
    return figures


async def serve_until_closed() -> None:
    """Print the port and serve until standard input closes."""
    runner = await serve()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def main() -> None:
    """Start the server, and a process for each measurement, so that none inherits pages."""
    parser = argparse.ArgumentParser(description="idle memory of newsbell")
    parser.add_argument(
        "--feeds", default="shipped,1000,10000", help="numbers of feeds, or shipped"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parse(parser, {"feeds": "4"})
    logs.use_standard_logging()
    if options.serve:
        await serve_until_closed()
        return
    if options.measure:
        port, feeds = options.measure
        print(json.dumps(await measure(int(port), feeds)))
        return
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.memory")
    server = await asyncio.create_subprocess_exec(*command, "--serve", stdin=pipe, stdout=pipe)
    assert server.stdin is not None
    assert server.stdout is not None
    port = (await server.stdout.readline()).decode().strip()
    print(f"| feeds (of {ENTRIES} entries) | {' | '.join(STATES)} |\n|{'---:|' * 5}")
    rows: list[dict[str, float]] = []
    for feeds in options.feeds.split(","):
        process = await asyncio.create_subprocess_exec(
            *command, "--measure", port, feeds, stdout=pipe
        )
        rows.append(json.loads((await process.communicate())[0]))
        cells = " | ".join(f"{rows[-1][state]:.0f} MB" for state in STATES)
        of = " (shipped)" if feeds == SHIPPED else ""
        print(f"| {rows[-1]['feeds']:,}{of} | {cells} |", flush=True)
    server.stdin.close()
    await server.wait()
    limits = {SHIPPED: 90.0, "1000": 110.0, "10000": 200.0}
    print(
        "\n"
        + table(
            Aim(f"{feeds} feeds, idle", "MB", limits[feeds], row["idle"])
            for feeds, row in zip(options.feeds.split(","), rows, strict=True)
            if feeds in limits
        )
    )
    write_record(options, rows)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
