"""Virtual days of the real program: its clocks are moved on while it is idle, from outside.

A day of articles, alerts, digests, quiet hours and edits takes some seconds. What each day cost is
read from the kernel and from the database file; judges nothing.
"""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

from outside import heap
from outside.clocks import ClockShim
from outside.fate import fates
from outside.feeds import Mode, Wire, Wires, wires
from outside.ledger import Article, Ledger
from outside.program import End, Program, wait_until
from outside.weather import OutsideApi
from outside.words import headline, invented

DAY = 86400.0
LONGEST_HELD = 1.6 * DAY  #: from the morning's digest to the next, and the quiet hours before it
SECOND = 1.05  #: a leap while something is sent: a chat gets a message a second
STEADY = 2.0  #: of the monotonic clock in a long leap; the rest is as if suspended
RATES = (0.3, 0.2, 0.2, 0.3, 0.5, 1.0, 1.5, 1.7, 1.7, 1.5, 1.3, 1.2)  #: by two hours of the day
PRIVATES, GROUPS = tuple(range(11, 18)), (-201, -202, -203)
WRITER = 11
FULL_AFTER = 4  #: days after which the window of stories and most caches are full


@dataclass(frozen=True, slots=True)
class Size:
    """How many days of how much."""

    days: int = 100
    articles: int = 1000  #: a day
    feeds: int = 40
    words: int = 24  #: of subscriptions; each chat has two of them
    vocabulary: int = 30_000
    step: float = 300.0  #: seconds of a leap while all is quiet
    seed: int = 1
    minutes: float = 600.0  #: of real time, after which it ends with the days it has


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a day cost."""

    day: int
    published: int
    missing: int  #: of all days: held back for digests and quiet hours, or lost
    late: int  #: of them, what neither a digest nor quiet hours explain
    sent: int
    real_s: float
    cpu_s: float
    store_step_ms: float  #: the slowest step of the store's thread
    store_step_cpu_ms: float
    store_step: str
    pause_ms: float  #: the longest search for garbage, which stops all threads
    memory_mb: float
    readers_mb: float
    file_mb: float
    wal_mb: float
    tables_mb: Mapping[str, float]


@dataclass
class VirtualDays:
    """One run."""

    folder: Path
    size: Size
    api: OutsideApi
    served: Wires
    ledger: Ledger
    program: Program
    clock: ClockShim
    chance: Random
    report: Callable[[DayFigures], None]
    rows: list[DayFigures] = field(default_factory=list)
    fates: dict[str, int] = field(default_factory=dict)  #: of what is late at the end
    _vocabulary: list[str] = field(default_factory=list)
    _recent: list[Article] = field(default_factory=list)
    _published: int = 0
    _read: int = 0  #: bytes of the file of steps

    @property
    def now(self) -> float:
        """Seconds since 1970 on the program's wall clock."""
        return time.time() + self.clock.wall

    async def run(self) -> list[DayFigures]:
        """Start at midnight, go through the days, stop."""
        self._vocabulary = [invented(self.chance) for _ in range(self.size.vocabulary)]
        self.clock.leap(DAY - self.now % DAY, 0)
        (self.folder / "feeds.yaml").write_text(self._config(), encoding="utf-8")
        await self.program.start()
        await wait_until(lambda: all(w.requests for w in self.served.feeds.values()), 120)
        began = time.monotonic()
        for day in range(1, self.size.days + 1):
            if time.monotonic() - began > 60 * self.size.minutes or not self.program.pid:
                break
            self.rows.append(await self._day(day))
            self.report(self.rows[-1])
        if self.program.pid:
            await self.program.stop()
        self.fates = dict(fates(self.folder / "newsbell.db", self._late()))
        return self.rows

    async def _day(self, day: int) -> DayFigures:
        real, cpu = time.monotonic(), self.program.cpu()
        sent, published = self.api.methods["sendMessage"], self._published
        end = (self.now // DAY + 1) * DAY
        due = self._moments(end - DAY)
        commands = [end - DAY * part for part in (0.6, 0.5, 0.4, 0.3)]
        while self.now < end and self.program.pid:
            while due and due[0] <= self.now:
                due.pop(0)
                self._publish()
            if commands and commands[0] <= self.now:
                commands.pop(0)
                word = self.chance.choice(self._vocabulary[:500])
                command = self.chance.choice(["/status", "/digest", "/list", f"/search {word}"])
                self.api.say(WRITER, WRITER, command)
            calls = sum(self.api.methods.values())
            await self._idle()
            busy = sum(self.api.methods.values()) - calls - 1 > 0
            self.api.updates._release(None)  # a poll that waits would time out
            if busy:
                self.clock.leap(SECOND)
            else:
                self.clock.leap(min(self.size.step, end - self.now + 1), STEADY)
        for _ in due:
            self._publish()
        self.api.forget_messages()
        slowest, pause = self._slowest()
        self.program.send_signal(heap.SIGNAL)  # it writes down what its memory is made of
        memory, readers = self.program.memory()
        return DayFigures(
            day=day,
            published=self._published - published,
            missing=len(self.ledger.missing),
            late=len(self._late()),
            sent=self.api.methods["sendMessage"] - sent,
            real_s=round(time.monotonic() - real, 1),
            cpu_s=round(self.program.cpu() - cpu, 2),
            store_step_ms=slowest[1],
            store_step_cpu_ms=slowest[2],
            store_step=slowest[0],
            pause_ms=pause,
            memory_mb=round(memory, 1),
            readers_mb=round(readers, 1),
            file_mb=_megabytes(self.folder / "newsbell.db"),
            wal_mb=_megabytes(self.folder / "newsbell.db-wal"),
            tables_mb=tables(self.folder / "newsbell.db"),
        )

    async def _idle(self) -> None:
        """Wait until the program does nothing and asks nothing."""
        quiet, cpu, began = 0, -1.0, time.monotonic()
        while quiet < 2 and self.program.pid and time.monotonic() - began < 30:
            await asyncio.sleep(0.015)
            before, cpu = cpu, self.program.cpu()
            open_calls = self.api.open_calls + self.served.open_requests
            is_busy = open_calls or cpu != before or self.program.is_running()
            quiet = 0 if is_busy else quiet + 1

    def _moments(self, begin: float) -> list[float]:
        """When articles of a day are published, more of them by day than at night."""
        slots = self.chance.choices(range(len(RATES)), RATES, k=self.size.articles)
        return sorted(begin + (slot + self.chance.random()) * DAY / len(RATES) for slot in slots)

    def _words(self, count: int) -> str:
        """Words as often as those of a language: few often, most seldom."""
        last = len(self._vocabulary) - 1
        return " ".join(
            self._vocabulary[min(last, int(self.chance.paretovariate(0.6)))] for _ in range(count)
        )

    def _publish(self) -> None:
        """Publish an article: a new story, or another's report of one."""
        wire = self.chance.choice(list(self.served.feeds.values()))
        at = datetime.fromtimestamp(self.now, UTC)
        if self._recent and self.chance.random() < 0.3:
            article = self.chance.choice(self._recent)  # reported elsewhere too
        else:
            word = self.chance.choice(list(self.ledger.chats_of))
            article = self.ledger.publish(wire.name, word, headline(self.chance), self.now)
            self._recent = [*self._recent[-30:], article]
        self._published += 1
        wire.add(article.number, article.title, at, self._words(45))
        if self.chance.random() < 0.05:
            number, title, *_ = wire.items[0]
            wire.retitle(number, f"{title} {invented(self.chance)}")

    def _late(self) -> list[tuple[int, int, str]]:
        """What has been missing for longer than digests and quiet hours hold it."""
        articles = self.ledger.articles
        return [
            (chat, number, articles[number].feed)
            for chat, number in sorted(self.ledger.missing)
            if self.now - articles[number].at > LONGEST_HELD
        ]

    def _slowest(self) -> tuple[tuple[str, float, float], float]:
        """The slowest step of the store's thread since the last call, with its times.

        And how long the longest search for garbage stopped everything.
        """
        path = self.folder / "steps"
        with path.open(encoding="utf-8") as file:
            file.seek(self._read)
            rows = [json.loads(line) for line in file if line.endswith("\n")]
            self._read = file.tell() if not rows else path.stat().st_size
        steps = [(name, took, used) for name, took, used in rows if name != heap.COLLECTOR]
        pauses = [took for name, took, _ in rows if name == heap.COLLECTOR]
        slowest = max(steps, key=itemgetter(1), default=("", 0.0, 0.0))
        return slowest, max(pauses, default=0.0)

    def _config(self) -> str:
        chats: dict[str, dict[str, Any]] = {}
        for number, chat in enumerate((*PRIVATES, *GROUPS)):
            chats[f"c{number}"] = {"telegram": chat}
            if number % 3 == 0:
                chats[f"c{number}"]["quiet"] = "23:00-07:00"
        names = {chat: name for name, shape in chats.items() for chat in [shape["telegram"]]}
        subscriptions = [
            {
                "name": f"About {word}",
                "query": word,
                "to": [names[chat] for chat in sorted(chats_of)],
                "urgency": ("normal", "digest", "normal", "breaking")[number % 4],
            }
            for number, (word, chats_of) in enumerate(self.ledger.chats_of.items())
            if chats_of
        ]
        return json.dumps(
            {
                "settings": {
                    "network": {"allow": ["127.0.0.0/8"]},
                    "telegram": {"api": self.api.url, "admins": [WRITER]},
                },
                "chats": chats,
                "feeds": [
                    {"url": wire.url, "name": wire.name, "every": "15m"}
                    for wire in self.served.feeds.values()
                ],
                "subscriptions": subscriptions,
            },
            indent=1,
        )


def tables(database: Path) -> dict[str, float]:
    """MB of each table with its indexes; those of the search as one. Empty without dbstat."""
    sizes: Counter[str] = Counter()
    uri = f"{database.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            owners = dict(connection.execute("select name, tbl_name from sqlite_schema"))
            pages = connection.execute("select name, sum(pgsize) from dbstat group by name")
            for name, size in pages.fetchall():
                owner = str(owners.get(name, name))
                sizes["search" if owner.startswith("search") else owner] += size
    except sqlite3.Error:
        return {}
    return {name: round(size / 2**20, 2) for name, size in sizes.most_common()}


def summary(rows: list[DayFigures]) -> dict[str, Any]:
    """What the days say together, by what is asked of them."""
    if not rows:
        return {"days": 0}
    first, last = rows[0], rows[-1]
    later = rows[FULL_AFTER:] or rows[-1:]
    return {
        "days": len(rows),
        "slowest_step_ms": max(row.store_step_ms for row in rows),
        "slowest_step_cpu_ms": max(row.store_step_cpu_ms for row in rows),
        "cpu_first_s": first.cpu_s,
        "cpu_last_s": last.cpu_s,
        "cpu_ratio": round(last.cpu_s / first.cpu_s, 2) if first.cpu_s else 0.0,
        "memory_ratio": round(last.memory_mb / first.memory_mb, 2) if first.memory_mb else 0.0,
        "memory_mb_a_day_later": round(
            (last.memory_mb - later[0].memory_mb) / max(len(later) - 1, 1), 2
        ),
        "longest_pause_ms": max(row.pause_ms for row in rows),
        "file_mb_a_day": round((last.file_mb - first.file_mb) / max(len(rows) - 1, 1), 2),
    }


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / 2**20, 2) if path.exists() else 0.0


def _subscribed(size: Size) -> dict[str, frozenset[int]]:
    """Words of headlines, and who subscribed to them; as many again concern nobody."""
    chats = (*PRIVATES, *GROUPS)
    words = {f"topic{'abcdefghijklmnopqrstuvwxyz'[number % 26]}q": number for number in range(26)}
    chance = Random(7)
    chosen = list(words)[: size.words]
    wanted: dict[str, set[int]] = {word: set() for word in chosen}
    for chat in chats:
        for word in chance.sample(chosen[: max(2, size.words // 2)], 2):
            wanted[word].add(chat)
    return {word: frozenset(chats_of) for word, chats_of in wanted.items()}


async def days(
    folder: Path, size: Size, report: Callable[[DayFigures], None] = lambda _: None
) -> tuple[VirtualDays, list[End]]:
    """Run them in this folder; also return ends that nobody asked for. Needs a C compiler."""
    chance = Random(size.seed)
    ledger = Ledger(_subscribed(size))
    clock = ClockShim(folder, leaps=True)
    async with AsyncExitStack() as stack:
        served: Wires = await stack.enter_async_context(wires(chance))
        api = await stack.enter_async_context(
            OutsideApi(ledger, chance, clock=lambda: time.time() + clock.wall)
        )
        for person in PRIVATES:
            api.add_private(person)
        for group in GROUPS:
            api.add_supergroup(group, members={WRITER: "administrator"})
        for number in range(size.feeds):
            wire: Wire = served.add(f"feed{number}", Mode.PLAIN, f"127.0.3.{number + 1}")
            wire.known = True
        environment = {
            "TELEGRAM_BOT_TOKEN": api.token,
            "NEWSBELL_TEST_STEPS": str(folder / "steps"),
            **clock.environment,
        }
        command = (str(Path(__file__).with_name("metered.py")),)
        program = Program(folder, environment, command)
        stack.push_async_callback(program.kill)
        watching = asyncio.create_task(program.watch())
        stack.callback(watching.cancel)
        run = VirtualDays(folder, size, api, served, ledger, program, clock, chance, report)
        await run.run()
        return run, program.ends
