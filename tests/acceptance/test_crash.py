"""Killed with SIGKILL at any statement of both pipelines and of the store, newsbell loses nothing.

It repeats nothing that could have been decided. A run takes a share of the statements, which moves
by one from day to day; `SOAK=1` takes all.
"""

import asyncio
import json
import os
import re
import sqlite3
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from botapi import BotApi
from crash_driver import TOKEN
from sampling import SEED, SOAK, amount
from support import NOON, FeedServer, item, rss

pytestmark = pytest.mark.slow

PARTS = amount(usual=2, soak=4)  #: of the points, so that several processes share them
STRIDE = amount(usual=16, soak=1)  #: one point in so many, others with each seed
KILLS = amount(usual=16, soak=200)
OLD = item("old", "Old bell", at=NOON - timedelta(days=300))


async def drive(base: Path, given: dict[str, Any]) -> dict[str, Any]:
    given = {"base": str(base), **given}
    driver = Path(__file__).with_name("crash_driver.py")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (driver.parents[1], driver.parents[2]))),
        "PYTHONWARNINGS": "ignore",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(driver),
        json.dumps(given),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    result: dict[str, Any] = json.loads((base / "result.json").read_text(encoding="utf-8"))
    return result


def copies(api: BotApi, chat: int) -> Counter[tuple[str, bool]]:
    """Count the alerts of a chat by the number in their headline and by whether they are marked."""
    counts: Counter[tuple[str, bool]] = Counter()
    for message in api.messages(chat):
        first, *rest = message.text.split("\n")  # an edit keeps the number
        headlines = (
            [line for line in rest if line.startswith("• ")] if " stories" in first else [first]
        )
        for number in re.findall(r"bell (\d+)", "\n".join(headlines)):
            counts[(number, first.startswith("(repeat)"))] += 1
    return counts


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_kill_before_any_statement_loses_nothing_and_repeats_only_what_is_undecidable(
    tmp_path: Path, server: FeedServer, part: int
) -> None:
    async def feed(request: web.Request) -> web.StreamResponse:
        # The validator tells what newsbell stored: the next document comes only then.
        stored = request.headers.get("If-None-Match", "")
        if stored == '"three"':
            return web.Response(status=304)
        etag = {'"base"': '"two"', '"two"': '"three"'}.get(stored, '"base"')
        items = [
            item("1", "First bell 1, retitled" if etag == '"three"' else "First bell 1"),
            item("2", "Second bell 2"),
        ]
        body = rss(*(items if etag != '"base"' else ()), OLD)
        return web.Response(text=body, content_type="application/rss+xml", headers={"ETag": etag})

    first = 1_000_000 * (part + 1)
    async with BotApi(token=TOKEN) as api:
        for number in range(3000):
            server.handle(f"/feed/{first + number}", feed)
            api.add_private(first + number)
        given = {
            "what": "points",
            "feed": server.url("/feed/{}"),
            "api": api.url,
            "first_chat": first,
            "part": part * STRIDE + SEED % STRIDE,
            "parts": PARTS * STRIDE,
            "both": SOAK,
        }
        result = await drive(tmp_path, given)
        alerts = {run["chat"]: copies(api, run["chat"]) for run in result["runs"]}
        texts = {
            run["chat"]: [message.text for message in api.messages(run["chat"])]
            for run in result["runs"]
        }

    assert result["lines"] > 700, "statements of a module that was split are no longer traced"
    assert len(result["runs"]) >= 100 // STRIDE
    repeated = 0
    for run in result["runs"]:
        assert run["again"] == 0, run
        for headline in ("1", "2"):
            first_time, marked = (
                alerts[run["chat"]][(headline, False)],
                alerts[run["chat"]][(headline, True)],
            )
            # Killed before the request left, the only copy says that it may be a repeat.
            assert first_time + marked >= 1, (run, "lost", texts[run["chat"]])
            assert first_time <= 1, (run, "an unmarked repeat", texts[run["chat"]])
            assert marked <= 1, (run, "more than one repeat", texts[run["chat"]])
            repeated += marked
        assert any("retitled" in text for text in texts[run["chat"]]), (
            run,
            "the new headline never came",
            texts[run["chat"]],
        )
    # A run that takes another way than the first may end before its point.
    ended = sum(not run["killed"] for run in result["runs"])
    assert ended <= max(2, len(result["runs"]) // 10)
    kills = f"{len(result['runs'])} kills at {result['lines']} lines"
    print(f"{kills}: lost 0, marked repeats {repeated}")  # noqa: T201 (for the reader of the run)


async def test_kills_at_random_under_load_lose_nothing_and_repeat_only_what_is_undecidable(
    tmp_path: Path, server: FeedServer
) -> None:
    published: dict[str, list[str]] = {}
    stop = tmp_path / "stop"
    numbers, requests = iter(range(10, 1_000_000)), iter(range(1_000_000))

    async def feed(request: web.Request) -> web.StreamResponse:
        items = published.get(request.path)
        if items is None:
            published[request.path] = items = []
        elif not stop.exists() and len(items) < 400 and next(requests) % 4 == 0:
            items.insert(0, str(next(numbers)))
        body = rss(
            *(item(number, f"Bell of {request.path[1:]}: bell {number}") for number in items), OLD
        )
        return web.Response(text=body, content_type="application/rss+xml")

    chats = [501, 502, 503]
    async with BotApi(token=TOKEN) as api:
        for chat in chats:
            api.add_private(chat)
        feeds = [f"/feed{number}" for number in range(4)]
        for path in feeds:
            server.handle(path, feed)
        given = {
            "what": "random",
            "feeds": [server.url(path) for path in feeds],
            "api": api.url,
            "chats": chats,
            "kills": KILLS,
            "seed": SEED,
            "stop": str(stop),
        }
        result = await drive(tmp_path, given)
        alerts = {chat: copies(api, chat) for chat in chats}

    database = sqlite3.connect(tmp_path / "load" / "newsbell.db")
    integrity = database.execute("pragma integrity_check").fetchone()[0]
    doubts: Counter[tuple[int, str]] = Counter()
    for address, title, count in database.execute(
        "select address, title, doubts from outbox o join outbox_alerts a on a.outbox_id = o.id "
        "join alerts l using (chat_id, story_id) join entries e on e.id = l.entry_id "
        "join chats c on c.id = o.chat_id where o.kind = 'alert'"
    ).fetchall():
        doubts[(address, title.rpartition(" ")[2])] = count
    database.close()
    expected = {number for items in published.values() for number in items}
    assert result["again"] == 0
    assert result["killed"] == KILLS
    assert integrity == "ok"
    assert len(expected) >= KILLS // 2
    marked = 0
    for chat in chats:
        numbers_alerted = {number for number, _ in alerts[chat]}
        assert expected - numbers_alerted == set(), (chat, "lost")
        assert [number for number in expected if alerts[chat][(number, False)] > 1] == [], (
            chat,
            "unmarked repeats",
        )
        repeats = {number: alerts[chat][(number, True)] for number in expected}
        assert [
            number for number, count in repeats.items() if count > doubts[(chat, number)]
        ] == [], (chat, "one repeat for each try that was in doubt, at most")
        marked += sum(count for (_, repeat), count in alerts[chat].items() if repeat)
    load = f"{KILLS} random kills, {len(expected)} entries to {len(chats)} chats"
    print(f"{load}: lost 0, marked repeats {marked}")  # noqa: T201 (for the reader)
