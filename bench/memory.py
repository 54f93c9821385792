"""Memory of an idle newsbell, with few feeds and with many: one process, read from the kernel. Polls loopback only; asserts nothing.

python -m bench.memory [--feeds 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from aiohttp import web

from bot.config.load import load
from bot.delivery.channels.terminal import TerminalChannel
from bot.service.build import Wiring, open_app

ENTRIES = 10


def resident_mb() -> float:
    """Resident memory of this process and its living children, each page of a shared one counted by its share (PSS)."""
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
    """Small invented feeds at any path of any loopback address."""

    async def feed(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        items = "".join(
            f"<item><guid>{name}-{number}</guid><title>Invented item {number} of {name} about nothing in particular</title>"
            f"<link>https://feed{name}.example/{number}</link><description>{'Some invented words. ' * 12}</description></item>"
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


async def measure(port: int, feeds: int) -> dict[str, float]:
    """A newsbell with that many feeds: after opening, after the baseline, at rest, and after a round of 304s."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.yaml"
        urls = [
            f"http://127.2.{number // 250}.{number % 250 + 1}:{port}/{number}"
            for number in range(feeds)
        ]
        config = {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "feeds": [{"url": url, "name": url} for url in urls],
            "subscriptions": [{"name": "Something", "query": "harbour AND fire", "to": ["here"]}],
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        figures: dict[str, float] = {}
        async with open_app(
            load(path, {}), Wiring(terminal=TerminalChannel(as_json=True, stream=io.StringIO()))
        ) as made:
            figures["open"] = resident_mb()
            await made.poller.run_once()
            figures["after baseline, workers alive"] = resident_mb()
            made.workers.rest(float("inf"))
            figures["idle"] = resident_mb()
            await made.store.polls.make_due(datetime.now(UTC))
            await made.poller.run_once()
            figures["after a round of 304s"] = resident_mb()
        return figures


async def server_only() -> None:
    """Serve until standard input closes."""
    runner = await serve()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def main() -> None:
    """Start the server beside, and one process a measurement, so that none inherits another's pages."""
    parser = argparse.ArgumentParser(description="idle memory of newsbell")
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        await server_only()
        return
    if given.one:
        print(json.dumps(await measure(*given.one)))
        return
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.memory", "--serve", stdin=pipe, stdout=pipe
    )
    assert server.stdout is not None
    port = (await server.stdout.readline()).decode().strip()
    print(
        f"| feeds (of {ENTRIES} entries) | open | baseline, workers alive | idle | after a round of 304s |\n|---:|---:|---:|---:|---:|"
    )
    for feeds in (20, given.feeds):
        one = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.memory", "--one", port, str(feeds), stdout=pipe
        )
        figures = json.loads((await one.communicate())[0])
        print(
            f"| {feeds:,} | " + " | ".join(f"{value:.0f} MB" for value in figures.values()) + " |",
            flush=True,
        )
    assert server.stdin is not None
    server.stdin.close()
    await server.wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as chosen:
        chosen.run(main())
