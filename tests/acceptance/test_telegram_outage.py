"""Telegram's bad hours against the real program, counted from outside: nothing is lost.

`newsbell run` is a process of its own; feeds and the Bot API are on loopback. `SOAK=1` lets each
kind of outage last ten minutes, with 200 alerts to twenty private chats.
"""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from botapi import BotApi, Fault, Hang, NotJson, ServerError
from sampling import SEED, SOAK, amount, share
from support import FeedServer, item, rss

pytestmark = pytest.mark.slow

CHATS = amount(usual=4, soak=20)
STORIES = amount(usual=2, soak=10)  #: of each chat
SECONDS = amount(usual=1, soak=600)  #: of the outage
AFTERWARDS = 60.0  #: seconds in which everything has to be there
OPERATOR = 5
ROOT = str(Path(__file__).resolve().parents[2])
FIRST = 100
KINDS: dict[str, Fault] = {
    "502": ServerError(502),
    "500": ServerError(500),
    "portal": NotJson(),
    "hang": Hang(),
}
# A hang lasts until the send is given up, which is too long for the check.
SAMPLE = list(KINDS) if SOAK else share([kind for kind in KINDS if kind != "hang"], 3)


@asynccontextmanager
async def running(folder: Path, config: str, token: str) -> AsyncIterator[None]:
    """`newsbell run` in this folder; ended by SIGTERM."""
    (folder / "feeds.yaml").write_text(config, encoding="utf-8")
    errors = (folder / "log").open("wb")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": ROOT,
            "TELEGRAM_BOT_TOKEN": token,
        },
        stdout=errors,
        stderr=errors,
    )
    try:
        yield
        assert process.returncode is None, (folder / "log").read_text(encoding="utf-8")[-3000:]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        errors.close()


def config(server: FeedServer, api: BotApi) -> str:
    chats = {f"c{number}": {"telegram": FIRST + number} for number in range(CHATS)}
    feeds = [{"url": server.url(f"/{name}"), "name": name, "every": "1s"} for name in chats]
    rules = [{"name": name, "query": "bell", "feeds": [name], "to": [name]} for name in chats]
    telegram = {"api": api.url, "admins": [OPERATOR]}
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": telegram},
            "chats": chats,
            "feeds": feeds,
            "subscriptions": rules,
        }
    )


def serve(server: FeedServer, published: Callable[[], int]) -> Counter[str]:
    """Let each feed show so many stories; return how often each was fetched."""
    fetched: Counter[str] = Counter()
    times: dict[int, datetime] = {}
    old = item("old", "Old bell", at=datetime.now(UTC) - timedelta(days=9))

    async def feed(request: web.Request) -> web.StreamResponse:
        fetched[request.path] += 1
        chat = int(request.path.removeprefix("/c"))
        items = [
            item(
                f"{chat}-{number}",
                f"Bell of {chat}: bell {chat}{number:03}",
                at=times.setdefault(number, datetime.now(UTC)),
            )
            for number in range(published())
        ]
        return web.Response(text=rss(*items, old), content_type="application/rss+xml")

    for number in range(CHATS):
        server.handle(f"/c{number}", feed)
    return fetched


def arrived(api: BotApi) -> Counter[tuple[int, str, bool]]:
    """Count the alerts by chat, number in the headline, and whether they are marked."""
    counts: Counter[tuple[int, str, bool]] = Counter()
    for number in range(CHATS):
        for message in api.messages(FIRST + number):
            headline = message.text.partition("\n")[0]
            for bell in re.findall(r"bell (\d+)", headline):
                counts[(number, bell, headline.startswith("(repeat)"))] += 1
    return counts


def missing(api: BotApi) -> int:
    """How many of the alerts are not there."""
    present = {(chat, bell) for chat, bell, _ in arrived(api)}
    return CHATS * STORIES - len(present)


def probes(api: BotApi) -> int:
    """How often a message was sent, or the service asked whether it works."""
    return sum(call.method in {"sendMessage", "getMe"} for call in api.calls)


async def until(true: Callable[[], bool], within: float) -> float:
    """Wait until it is so; how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize("kind", SAMPLE)
async def test_an_outage_of_telegram_loses_no_alert_and_ends_within_a_minute(
    tmp_path: Path, server: FeedServer, kind: str
) -> None:
    stories = 0
    fetched = serve(server, lambda: stories)
    async with BotApi() as api:
        api.add_private(OPERATOR)
        for number in range(CHATS):
            api.add_private(FIRST + number)
        async with running(tmp_path, config(server, api), api.token):
            await until(lambda: len(fetched) == CHATS and min(fetched.values()) > 1, 60)
            api.fault(KINDS[kind], times=1_000_000_000)
            began = time.monotonic()
            while (passed := time.monotonic() - began) < SECONDS or probes(api) < 3:
                # All of them in the first third, one by one, so that no feed looks flooded.
                stories = min(1 + int(STORIES * 3 * passed / SECONDS), STORIES)
                await asyncio.sleep(0.05)
            assert missing(api) == CHATS * STORIES
            sends = [call.time for call in api.calls if call.method == "sendMessage"]
            checks = sum(call.method == "getMe" for call in api.calls)
            api._faults.rules.clear()
            seconds = await until(lambda: missing(api) == 0, AFTERWARDS)
            if SOAK:
                await until(lambda: bool(api.messages(OPERATOR)), AFTERWARDS)
            await asyncio.sleep(amount(usual=0, soak=5))
            notices = [message.text for message in api.messages(OPERATOR)]
    counts = arrived(api)
    marked = sum(count for (_, _, repeat), count in counts.items() if repeat)
    gaps = [after - before for before, after in pairwise(sends)]
    print(  # noqa: T201 (for the reader of the run)
        f"{kind} for {SECONDS} s: lost 0 of {CHATS * STORIES}, all there {seconds:.1f} s after the "
        f"end; {len(sends)} sends and {checks} checks during it, "
        f"{max(gaps, default=0):.1f} s apart at most; "
        f"{marked} marked repeats; notices: {notices}"
    )
    assert max(counts.values()) == 1, "nothing arrived in the outage, so nothing comes twice"
    for number in range(CHATS):
        bells = [bell for chat, bell, _ in counts if chat == number]
        assert bells == sorted(bells), "in order"
    assert len(notices) == SOAK
    # One probe at a time: not every chat tries for itself.
    assert len(sends) <= CHATS + 8 + SECONDS / 15


@pytest.mark.skipif(not SOAK, reason="two minutes")
async def test_an_operator_hears_of_an_outage_over_a_restart_once(
    tmp_path: Path, server: FeedServer
) -> None:
    stories = 0
    fetched = serve(server, lambda: stories)
    async with BotApi() as api:
        for number in (OPERATOR, *range(FIRST, FIRST + CHATS)):
            api.add_private(number)
        text = config(server, api)
        async with running(tmp_path, text, api.token):
            await until(lambda: len(fetched) == CHATS and min(fetched.values()) > 1, 60)
            api.fault(ServerError(503), times=1_000_000_000)
            stories = STORIES
            await asyncio.sleep(40)
        async with running(tmp_path, text, api.token):
            await asyncio.sleep(40)
            api._faults.rules.clear()
            await until(lambda: missing(api) == 0 and bool(api.messages(OPERATOR)), AFTERWARDS)
            await asyncio.sleep(5)
        assert len(api.messages(OPERATOR)) == 1
        assert SEED
