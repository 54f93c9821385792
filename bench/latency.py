"""How long an alert and an answer are on their way, on real time and real sockets, the Bot API in a process of its own. Asserts nothing.

    python -m bench.latency [--alerts 300] [--replies 60] [--chats 20000] [--subscriptions 100000] [--entries 10000]

Alerts: from the return of ingest's commit to the arrival of sendMessage at the endpoint, with nothing else waiting.
Answers: from the update being handed to the waiting poll to the arrival of the answer, with all these subscriptions stored.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING

import uvloop
from fault_injection import ring
from support import Recorder
from telegram_harness import telegram_config

from bench.endpoint import Arrival, Endpoint, endpoint
from bot.config.load import load
from bot.model.chat_events import AlertAction
from bot.model.entries import EntryKeys, NewEntry, PlacedEntry, Silence
from bot.model.feeds import FeedState
from bot.model.poll import FeedCommit
from bot.model.stories import Placement, StoryIds
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.store.mappers import put_time
from bot.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlite_utils import Database

FIRST = 1000  #: the first person; the others follow
SPAN = timedelta(days=7)  #: over which the stored articles are spread
_PARTS = (
    "ka",
    "ve",
    "ri",
    "to",
    "mu",
    "len",
    "sor",
    "dan",
    "qui",
    "bel",
    "nor",
    "tas",
    "fim",
    "gor",
    "hul",
    "zet",
)


def word(number: int) -> str:
    """Return an invented word; of two numbers two words."""
    parts = []
    for _ in range(4):
        number, part = divmod(number, len(_PARTS))
        parts.append(_PARTS[part])
    return "".join(parts)


def query(chance: Random) -> str:
    """Return a query as people write them, of invented words."""
    one, other, third = (word(chance.randrange(20_000)) for _ in range(3))
    return chance.choice(
        (
            one,
            f'"{one} {other}"',
            f"{one} AND {other}",
            f"{one} AND ({other} OR {third})",
            f"{one} NOT {other}",
        )
    )


async def fill(made: App, given: argparse.Namespace) -> None:
    """Store chats, subscriptions and articles."""
    chance, now = Random(1), made.clock.now()
    moment = put_time(now)

    def people(db: Database) -> None:
        db.conn.executemany(
            "insert or ignore into chats (name, kind, address) values (?, 'telegram', ?)",
            [(f"Chat {number}", FIRST + number) for number in range(given.chats)],
        )
        ids = [
            row[0]
            for row in db.execute(
                "select id from chats where kind = 'telegram' order by id"
            ).fetchall()
        ]
        first = db.execute("select coalesce(max(id), 0) + 1 from subscriptions").fetchone()[0]
        rows = [(first + number, query(chance), moment) for number in range(given.subscriptions)]
        db.conn.executemany(
            "insert into subscriptions (id, name, query, created_at) values (?, 'Invented', ?, ?)",
            rows,
        )
        db.conn.executemany(
            "insert into routes values (?, ?)",
            [(row[0], ids[at % len(ids)]) for at, row in enumerate(rows)],
        )

    await _sqlite(made)._writer.run("fill", people)  # noqa: SLF001 (no corridor stores so many at once)
    state = FeedState(next_poll_at=now + timedelta(days=1000), baseline_at=now)
    new = []
    for number in range(1, given.entries + 1):
        key = number.to_bytes(16, "big")
        words = [word(chance.randrange(20_000)) for _ in range(40)]
        seen = now - SPAN * (1 - number / given.entries)
        entry = NewEntry(
            number, 1, EntryKeys(key, key, key), str(number), f"https://news.example/{number}", " ".join(words[:9]), " ".join(words[9:]), "", "",
            seen, None, seen, Silence.BASELINE,
        )  # fmt: skip
        new.append(
            PlacedEntry(
                entry, Placement(number, StoryIds(number, number, number)), "house", "house"
            )
        )
    await made.store.polls.commit([FeedCommit(1, state, new=tuple(new))], now)
    while await made.store.search.fill():
        pass


@asynccontextmanager
async def running(served: Endpoint, given: argparse.Namespace, *, full: bool) -> AsyncIterator[App]:
    """A newsbell that polls nothing, delivers and listens; with everything stored where it is to be full."""
    with tempfile.TemporaryDirectory(prefix="latency-") as name:
        config = telegram_config(served, {f"c{number}": FIRST + number for number in range(5)})  # type: ignore[arg-type]
        environment = {"TELEGRAM_BOT_TOKEN": served.token}

        path = Path(name) / "feeds.yaml"
        path.write_text(config, encoding="utf-8")

        def opened() -> AbstractAsyncContextManager[App]:
            return open_app(load(path, environment), Wiring(terminal=Recorder()))

        async with opened() as made:
            await fill(
                made,
                given
                if full
                else argparse.Namespace(chats=given.alerts, subscriptions=0, entries=1),
            )
        began = time.monotonic()
        async with opened() as made:
            print(f"started in {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            run = asyncio.create_task(made.run())
            await waits(served)
            yield made
            made.stop()
            await run


async def arrival(served: Endpoint, fits: Callable[[Arrival], bool]) -> float:
    """When the call came; calls before it are forgotten."""
    async with asyncio.timeout(30):
        while True:
            for call in await served.do("calls"):
                if fits(call):
                    return call.time
            await asyncio.sleep(0.02)


def _sqlite(made: App) -> SqliteStore:
    assert isinstance(made.store, SqliteStore)
    return made.store


async def alerts(made: App, served: Endpoint, count: int) -> list[float]:
    """Milliseconds from commit to arrival, one alert after another, each in a chat of its own."""
    rows = await _sqlite(made)._writer.run(  # noqa: SLF001
        "look",
        lambda db: [
            tuple(row)
            for row in db.execute(
                "select address, id from chats where kind = 'telegram' order by id"
            ).fetchall()
        ],
    )
    chats = {str(address): number for address, number in rows[:count]}
    first = await _sqlite(made)._writer.run(
        "look", lambda db: db.execute("select max(id) + 1 from entries").fetchone()[0]
    )  # noqa: SLF001
    found = []
    for number, name in enumerate(chats):
        await asyncio.sleep(0.03)
        await ring(made, {name: chats[name]}, [(first + number, name)])
        kept = time.monotonic()
        made.deliverer.wake()
        found.append(
            1000 * (await arrival(served, lambda call, name=name: call.chat == int(name)) - kept)
        )
    return found


async def answers(served: Endpoint, count: int) -> dict[str, list[float]]:
    """Milliseconds from update to answer, by what is asked; one after another, each in a chat of its own."""
    found: dict[str, list[float]] = {}
    chance, users = Random(2), iter(range(FIRST + 10, FIRST + 100_000))
    asks: dict[str, Callable[[], str]] = {
        "/help": lambda: "/help",
        "/subscriptions": lambda: "/subscriptions",
        "/status": lambda: "/status",
        "/subscribe": lambda: f"/subscribe {query(chance)}",
        "/unsubscribe (of none)": lambda: "/unsubscribe 0",
    }
    for name, text in asks.items():
        found[name] = []
        for _ in range(count):
            user = next(users)
            await waits(served)
            began = await served.do("say", user, text())
            found[name].append(
                1000
                * (
                    await arrival(
                        served,
                        lambda call, user=user: call.chat == user and call.method == "sendMessage",
                    )
                    - began
                )
            )
    for press in (AlertAction.WHY, AlertAction.MUTE):
        name, method = (
            f"button {press.value}",
            "sendMessage" if press is AlertAction.WHY else "answerCallbackQuery",
        )
        found[name] = []
        for user in range(FIRST, FIRST + count):  # they have had an alert each
            await waits(served)
            began = await served.do("press", user, press.value)
            found[name].append(
                1000
                * (await arrival(served, lambda call, method=method: call.method == method) - began)
            )
            await asyncio.sleep(0.1)
    return found


async def waits(served: Endpoint) -> None:
    """Until newsbell asks for updates."""
    await asyncio.sleep(0.03)
    while not await served.do("polled"):  # noqa: ASYNC110 (what is waited for is in another process)
        await asyncio.sleep(0.03)


def row(name: str, found: list[float]) -> None:
    """Print a line of the table."""
    print(
        f"| {name} | {len(found)} | {median(found):.1f} ms | {quantiles(found, n=20)[-1]:.1f} ms | {max(found):.1f} ms |",
        flush=True,
    )


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="latency of alerts and answers")
    parser.add_argument("--alerts", type=int, default=300)
    parser.add_argument("--replies", type=int, default=60)
    parser.add_argument("--chats", type=int, default=20_000)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=10_000)
    given = parser.parse_args()
    print("| from | times | median | p95 | most |\n|---|---:|---:|---:|---:|")
    for full in (False, True):
        async with endpoint() as served:
            await served.do(
                "privates", list(range(FIRST, FIRST + max(given.alerts, 10 * given.replies) + 10))
            )
            async with running(served, given, full=full) as made:
                about = f"{given.subscriptions:,} subscriptions" if full else "little stored"
                row(f"alert, {about}", await alerts(made, served, given.alerts))
                if full:
                    for name, times in (await answers(served, given.replies)).items():
                        row(f"{name}, {about}", times)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as chosen:
        chosen.run(main())
