"""Slow hosts stop nobody else: alerts of plain feeds arrive while the others are waited for.

A sample of what `make soak PART=slow-hosts` does with 350 slow feeds for a hundred seconds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from sampling import SOAK
from support import (
    FeedServer,
    Recorder,
    config_text,
    feed_server,
    invented_words,
    item,
    newsbell,
    rss,
)

from bot.service.clock import SystemClock

PLAIN = 20 if SOAK else 3
ROUNDS = 40 if SOAK else 1
LIMIT = 60.0 if SOAK else 20.0  # seconds after which a round has failed


async def drip(request: web.Request) -> web.StreamResponse:
    """A byte a second, for ever."""
    answer = web.StreamResponse(headers={"Content-Type": "application/rss+xml"})
    with suppress(ConnectionError):
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            await asyncio.sleep(1)
    return answer


def slow_feeds(server: FeedServer, count: int, hosts: int) -> list[str]:
    """Addresses of slow feeds at so many hosts."""
    port = server.base.rpartition(":")[2]
    for number in range(count):
        server.handle(f"/{number}", drip)
    return [
        f"http://127.1.{n % hosts // 250}.{n % hosts % 250 + 1}:{port}/{n}" for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "hosts"), [(150, 1), (200, 200)] if SOAK else [(120, 1), (110, 110)]
)
async def test_alerts_of_plain_feeds_arrive_while_slow_hosts_are_waited_for(
    tmp_path: Path, count: int, hosts: int
) -> None:
    terminal = Recorder()
    async with feed_server() as plain, feed_server("0.0.0.0") as slow:  # noqa: S104 (many hosts)
        paths = [f"/plain/{number}" for number in range(PLAIN)]
        for path in paths:
            plain.put(path, rss(item(f"{path}-0", "Old harbour chronicle")))
        feeds = [
            *({"url": url, "every": "4s"} for url in slow_feeds(slow, count, hosts)),
            *({"url": plain.url(path), "every": "2s"} for path in paths),
        ]
        config = config_text(feeds, limits={"deadline": "30s"})
        async with newsbell(tmp_path, config, clock=SystemClock(), terminal=terminal) as app:
            running = asyncio.create_task(app.run())
            try:
                await until(lambda: len({seen.path for seen in plain.seen}) == PLAIN)
                # The slow feeds got their places, and none has answered yet.
                await until(lambda: bool(slow.seen))
                for number in range(ROUNDS):
                    began = time.monotonic()
                    titles = publish(plain, paths, number)
                    await until(partial(arrived, terminal, titles))
                    seconds = time.monotonic() - began
                    print(f"{count} slow feeds at {hosts}: {seconds:.1f} s")  # noqa: T201
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running


def publish(server: FeedServer, paths: Sequence[str], number: int) -> list[str]:
    """Put a new article into each plain feed; the headlines."""
    titles = []
    for path in paths:
        title = f"Harbour {invented_words(f'{path} {number}')}"
        titles.append(title)
        server.put(path, rss(item(f"{path}-{number + 1}", title)))
    return titles


def arrived(terminal: Recorder, titles: Sequence[str]) -> bool:
    return set(titles) <= set(terminal.titles())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; fail where it does not come."""
    async with asyncio.timeout(LIMIT):
        while not holds():
            await asyncio.sleep(0.05)
