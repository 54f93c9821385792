"""How long alerts and answers take: real time, real sockets, the Bot API in a process of its own.

    python -m bench.latency [--alerts 300] [--replies 60] [--chats 20000] [--subscriptions 100000]
                            [--entries 10000]

Alerts: from the return of the poller's commit to the arrival of sendMessage at the endpoint, with
nothing else waiting. Answers: from the update's hand-over to the waiting poll to the arrival of the
answer, with all the subscriptions stored. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import uvloop
from fault_injection import commit_alerts
from support import Recorder
from telegram_harness import telegram_config

from bench.command_line import parse, write_record
from bench.endpoint import Endpoint, endpoint
from bot.config.load import load
from bot.model.chat_events import AlertAction
from bot.model.entries import EntryKeys, NewEntry, PlacedEntry, Silence
from bot.model.feeds import FeedState
from bot.model.poll import FeedCommit
from bot.model.stories import Placement, StoryIds
from bot.service import logs
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.store.mappers import put_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

FIRST_USER = 1000
SPAN = timedelta(days=7)  #: over which the stored entries are spread
VOCABULARY = 20_000  #: invented words
SMALL = {"alerts": 4, "replies": 2, "chats": 40, "subscriptions": 50, "entries": 20}
_SYLLABLES = "ka ve ri to mu len sor dan qui bel nor tas fim gor hul zet".split()


def word(number: int) -> str:
    """Return an invented word; each number has its own."""
    parts = []
    for _ in range(4):
        number, part = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[part])
    return "".join(parts)


def query(chance: Random) -> str:
    """Return a query as people write them, of invented words."""
    first, second, third = (word(chance.randrange(VOCABULARY)) for _ in range(3))
    return chance.choice(
        (
            first,
            f'"{first} {second}"',
            f"{first} AND {second}",
            f"{first} AND ({second} OR {third})",
            f"{first} NOT {second}",
        )
    )


def entry(number: int, seen: datetime, chance: Random) -> PlacedEntry:
    """Return an entry of invented words in a story of its own."""
    key = number.to_bytes(16, "big")
    words = [word(chance.randrange(VOCABULARY)) for _ in range(40)]
    new = NewEntry(
        id=number,
        feed_id=1,
        keys=EntryKeys(key, key, key),
        guid=str(number),
        link=f"https://news.example/{number}",
        title=" ".join(words[:9]),
        summary=" ".join(words[9:]),
        author="",
        source="",
        published=seen,
        updated=None,
        first_seen_at=seen,
        silent=Silence.BASELINE,
    )
    placement = Placement(number, StoryIds(number, number, number))
    return PlacedEntry(new, placement, "publisher", "publisher")


async def fill(
    newsbell: App, database: Path, *, chats: int, subscriptions: int, entries: int
) -> None:
    """Store chats, subscriptions and entries."""
    chance, now = Random(1), newsbell.clock.now()

    # by a connection of its own: no method of the store inserts so much at once
    with closing(sqlite3.connect(database)) as db, db:
        db.executemany(
            "insert or ignore into chats (name, kind, address) values (?, 'telegram', ?)",
            [(f"Chat {number}", FIRST_USER + number) for number in range(chats)],
        )
        select = "select id from chats where kind = 'telegram' order by id"
        ids = [row[0] for row in db.execute(select)]
        first = db.execute("select coalesce(max(id), 0) + 1 from subscriptions").fetchone()[0]
        created = put_time(now)
        rows = [(first + number, query(chance), created) for number in range(subscriptions)]
        db.executemany(
            "insert into subscriptions (id, name, query, created_at) values (?, 'Invented', ?, ?)",
            rows,
        )
        db.executemany(
            "insert into routes values (?, ?)",
            [(row[0], ids[position % len(ids)]) for position, row in enumerate(rows)],
        )
    state = FeedState(next_poll_at=now + timedelta(days=1000), baseline_at=now)
    new = tuple(
        entry(number, now - SPAN * (1 - number / entries), chance)
        for number in range(1, entries + 1)
    )
    await newsbell.store.polls.commit([FeedCommit(1, state, new=new)], now)
    while await newsbell.store.search.fill(datetime.now(UTC)):
        pass


@asynccontextmanager
async def running(
    served: Endpoint, options: argparse.Namespace, *, full: bool
) -> AsyncIterator[tuple[App, Path]]:
    """Run a newsbell that polls nothing, but delivers and listens; full or with little stored."""
    with tempfile.TemporaryDirectory(prefix="latency-") as folder:
        chats = {f"c{number}": FIRST_USER + number for number in range(5)}
        path, database = Path(folder) / "feeds.yaml", Path(folder) / "newsbell.db"
        text = telegram_config(served, chats)  # type: ignore[arg-type]  # url and token only
        path.write_text(text, encoding="utf-8")
        config = load(path, {"TELEGRAM_BOT_TOKEN": served.token})

        def opened() -> AbstractAsyncContextManager[App]:
            return open_app(config, Wiring(terminal=Recorder()))

        async with opened() as newsbell:
            await fill(
                newsbell,
                database,
                chats=options.chats if full else options.alerts,
                subscriptions=options.subscriptions if full else 0,
                entries=options.entries if full else 1,
            )
        began = time.monotonic()
        async with opened() as newsbell:
            print(f"started in {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            run = asyncio.create_task(newsbell.run())
            await until_polled(served)
            yield newsbell, database
            newsbell.stop()
            await run


async def until_polled(served: Endpoint) -> None:
    """Wait until newsbell asks for updates."""
    await asyncio.sleep(0.03)
    while not await served.do("polled"):  # noqa: ASYNC110 (the event is in another process)
        await asyncio.sleep(0.03)


async def arrival(served: Endpoint, method: str = "", chat: int | None = None) -> float:
    """Return when such a call came, in monotonic seconds; calls before it are forgotten."""
    async with asyncio.timeout(30):
        while True:
            for call in await served.do("calls"):
                if method in {"", call.method} and chat in {None, call.chat}:
                    return float(call.time)
            await asyncio.sleep(0.02)


async def alerts(newsbell: App, database: Path, served: Endpoint, count: int) -> list[float]:
    """Return milliseconds from commit to arrival, alert after alert, each in a chat of its own."""
    with closing(sqlite3.connect(database)) as db, db:
        select = "select address, id from chats where kind = 'telegram' order by id limit ?"
        chats = {str(address): number for address, number in db.execute(select, (count,))}
        # an alert is sent only where its subscription sends to; a start puts declared routes back
        rows = [(1, number) for number in chats.values()]
        db.executemany("insert or ignore into routes values (?, ?)", rows)
        first = db.execute("select max(id) + 1 from entries").fetchone()[0]
    times: list[float] = []
    for number, (address, chat) in enumerate(chats.items(), first):
        await asyncio.sleep(0.03)
        await commit_alerts(newsbell, {address: chat}, [(number, address)])
        committed = time.monotonic()
        newsbell.deliverer.wake()
        times.append(1000 * (await arrival(served, chat=int(address)) - committed))
    return times


async def answers(served: Endpoint, count: int) -> dict[str, list[float]]:
    """Return milliseconds from update to answer, by command, each in a chat of its own."""
    chance, users = Random(2), iter(range(FIRST_USER + 10, FIRST_USER + 100_000))
    texts: dict[str, Callable[[], str]] = {
        "/help": lambda: "/help",
        "/subscriptions": lambda: "/subscriptions",
        "/status": lambda: "/status",
        "/subscribe": lambda: f"/subscribe {query(chance)}",
        "/unsubscribe (of none)": lambda: "/unsubscribe 0",
    }
    times: dict[str, list[float]] = {name: [] for name in texts}
    for name, text in texts.items():
        for _ in range(count):
            user = next(users)
            await until_polled(served)
            began = await served.do("say", user, text())
            times[name].append(1000 * (await arrival(served, "sendMessage", user) - began))
    return times


async def presses(served: Endpoint, count: int) -> dict[str, list[float]]:
    """Return milliseconds from a press under an alert to its answer, by button."""
    methods = {AlertAction.WHY: "sendMessage", AlertAction.MUTE: "answerCallbackQuery"}
    times: dict[str, list[float]] = {}
    for action, method in methods.items():
        row = times[f"button {action.value}"] = []
        for user in range(FIRST_USER, FIRST_USER + count):  # each of them has got an alert
            await until_polled(served)
            began = await served.do("press", user, action.value)
            row.append(1000 * (await arrival(served, method) - began))
            await asyncio.sleep(0.1)
    return times


def row_of(name: str, stored: int, times: list[float]) -> dict[str, Any]:
    """Return the figures of a line of the table."""
    return {
        "from": name,
        "subscriptions": stored,
        "times": len(times),
        "median_ms": median(times),
        "p95_ms": quantiles(times, n=20, method="inclusive")[-1],
        "max_ms": max(times),
    }


async def measure(options: argparse.Namespace, *, full: bool) -> list[dict[str, Any]]:
    """Return the rows of a newsbell with everything stored, or with little."""
    async with endpoint() as served:
        users = max(options.alerts, 10 * options.replies) + 10
        await served.do("privates", list(range(FIRST_USER, FIRST_USER + users)))
        async with running(served, options, full=full) as (newsbell, database):
            stored = options.subscriptions if full else 0
            times = {"alert": await alerts(newsbell, database, served, options.alerts)}
            if full:
                times |= await answers(served, options.replies)
                times |= await presses(served, options.replies)
    return [row_of(name, stored, values) for name, values in times.items()]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="latency of alerts and answers")
    parser.add_argument("--alerts", type=int, default=300)
    parser.add_argument("--replies", type=int, default=60)
    parser.add_argument("--chats", type=int, default=20_000)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=10_000)
    options = parse(parser, SMALL)
    logs.use_standard_logging()
    print("| from | subscriptions | times | median | p95 | max |\n|---|---:|---:|---:|---:|---:|")
    rows: list[dict[str, Any]] = []
    for full in (False, True):
        for row in await measure(options, full=full):
            rows.append(row)
            print(
                "| {from} | {subscriptions:,} | {times} | {median_ms:.1f} ms | {p95_ms:.1f} ms "
                "| {max_ms:.1f} ms |".format(**row),
                flush=True,
            )
    write_record(options, rows)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
