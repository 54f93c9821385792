"""Deliveries to two thousand chats at Telegram's limits, while everything fails that can fail.

    python -m bench.chat_load [--sends 100000] [--parts fair,urgent,storm,real] [--real 3]
                              [--minutes 60] [--seed 1]

fair: nothing fails and enough alerts wait; how much of the limits is used. urgent: how soon
breaking alerts are sent while thousands wait. storm: faults, closed chats and migrations; nothing
is lost, at most two copies, order. These three leap through time, see `tests/fault_injection.py`.
real: fair and urgent at once, on real time and an endpoint in a process of its own, for so many
minutes. `--margins 1.03,1.05` tries other spans of all chats and of one chat, in seconds. Stops
with a traceback where a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import logging
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import uvloop
from botapi import BotApi
from fault_injection import (
    DAY,
    FaultInjector,
    Leaping,
    World,
    chat_ids,
    commit_alerts,
    judge,
    poll_updates,
)
from support import Recorder, newsbell
from telegram_harness import Address, telegram_config

from bench.command_line import parse, write_record
from bench.endpoint import Endpoint, endpoint
from bot.delivery import deliverer, rate_limits
from bot.model.alerts import Priority
from bot.service import logs
from bot.service.app import App
from bot.service.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from botapi import Call

PER_SECOND = 30  #: messages to all chats that Telegram allows
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
_STORY = re.compile(r"Story (\d{6})")
Figures = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How many chats there are, and how much waits for them."""

    privates: int = 1500
    groups: int = 200
    forums: int = 60
    topics: int = 5  #: of each forum
    crowd: int = 500  #: alerts that wait in one chat, before an urgent one comes
    urgent: int = 60  #: urgent alerts to other chats
    batch: int = 2000  #: stories between two changes of the world
    tail: float = 65  #: seconds for the last alerts of the real part


SIZES = {"full": Size(), "small": Size(20, 10, 4, 2, 10, 10, 40, 3)}
SMALL = {"sends": 120, "real": 0.04, "minutes": 2}


class ScheduledLeaping(Leaping):
    """A leaping clock that stops at scheduled moments and runs what is due."""

    def __init__(self) -> None:
        """Begin without a schedule."""
        super().__init__()
        self._due: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._order = itertools.count()

    def at(self, moment: datetime, action: Callable[[], Awaitable[None]]) -> None:
        """Run this at that moment."""
        heapq.heappush(self._due, (moment, next(self._order), action))

    @property
    def pending(self) -> int:
        """How many actions have not run."""
        return len(self._due)

    async def sleep(self, span: timedelta) -> None:
        """Leap, but no further than the next action."""
        if self.busy() or not self._due or self._due[0][0] > self._now + span:
            await super().sleep(span)
            return
        moment, _, action = heapq.heappop(self._due)
        self._now = max(self._now, moment)
        await asyncio.shield(asyncio.ensure_future(action()))


@dataclass
class Tally:
    """The calls that came, compared with the limits without any burst."""

    times: list[float] = field(default_factory=list)
    first: dict[int, float] = field(default_factory=dict)  #: when each story came first
    violations: Counter[str] = field(default_factory=Counter)  #: by limit
    _last: dict[int, float] = field(default_factory=dict)
    _groups: dict[int, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=20))
    )

    def count(self, method: str, chat: int, text: str, at: float) -> None:
        """Count a call."""
        if method not in {"sendMessage", "editMessageText"}:
            return
        if len(self.times) >= PER_SECOND and at < self.times[-PER_SECOND] + 1:
            self.violations["overall"] += 1
        if at < self._last.get(chat, -1.0) + 1:
            self.violations["chat"] += 1
        group = self._groups[chat]
        if chat < 0 and len(group) == 20 and at < group[0] + 60:
            self.violations["group"] += 1
        self.times.append(at)
        self._last[chat] = at
        group.append(at)
        for number in map(int, _STORY.findall(text)):
            self.first.setdefault(number, at)

    def take(self, calls: list[Call]) -> None:
        """Count these calls and clear the list."""
        for call in calls:
            chat = int(call.params["chat_id"]) if "chat_id" in call.params else 0
            self.count(call.method, chat, str(call.params.get("text", "")), call.time)
        calls.clear()

    def rate(self, since: float, until: float) -> float:
        """Return calls a second in between."""
        return sum(since <= moment < until for moment in self.times) / (until - since)


@dataclass
class Load:
    """A newsbell on virtual time with what the parts need of it."""

    app: App
    api: BotApi
    world: World
    clock: ScheduledLeaping
    chats: dict[str, int]
    chance: Random
    size: Size
    tally: Tally = field(default_factory=Tally)
    story_of: dict[int, str] = field(default_factory=dict)

    async def add(self, names: Iterable[str], priority: Priority = Priority.NORMAL) -> list[int]:
        """Commit a story for each of these chats at once; return their numbers."""
        stories = list(enumerate(names, len(self.story_of) + 1))
        self.story_of.update(stories)
        await commit_alerts(self.app, self.chats, stories, priority)
        self.app.deliverer.wake()
        return [number for number, _ in stories]

    def check_limits(self) -> None:
        """Take the calls; assert that none came too soon, by the API's limits or without bursts."""
        self.tally.take(self.api.calls)
        assert self.api.violations == [], self.api.violations[:3]
        assert self.tally.violations.total() == 0, self.tally.violations


@asynccontextmanager
async def loaded(folder: Path, size: Size, seed: int) -> AsyncIterator[Load]:
    """Open a newsbell with all the chats on virtual time."""
    clock, chance = ScheduledLeaping(), Random(seed)
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        world = World(api, chance, size.privates, size.groups, size.forums, size.topics)
        world.fill()
        api.enforce_limits = True
        config = telegram_config(api, world.places)
        environment = {"TELEGRAM_BOT_TOKEN": api.token}
        async with newsbell(
            folder, config, clock=clock, terminal=Recorder(), environment=environment
        ) as app:
            clock.watch(app)
            chats = await chat_ids(app, world.places)
            yield Load(app, api, world, clock, chats, chance, size)


def progress(text: str) -> None:
    """Print the time and the text to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def spread(seconds: list[float]) -> Figures:
    """Return count, median, 95th percentile and maximum."""
    return {
        "alerts": len(seconds),
        "median_s": median(seconds),
        "p95_s": quantiles(seconds, n=20, method="inclusive")[-1],
        "max_s": max(seconds),
    }


SPREAD = "median {median_s:.2f} s, p95 {p95_s:.2f} s, max {max_s:.2f} s ({alerts})"


async def fair(folder: Path, options: argparse.Namespace) -> list[Figures]:
    """Measure how much of the limits is used while enough alerts wait."""
    async with loaded(folder, options.load, options.seed) as load:
        names = list(load.chats)
        minutes = max(1, options.sends // 5 // 1800)
        began = load.clock.now()
        await load.add(names * 3)

        async def refill() -> None:
            load.chance.shuffle(names)
            await load.add(names[:1800])
            progress(f"fair: {len(load.tally.times) + len(load.api.calls):,} calls")

        for minute in range(1, minutes):
            load.clock.at(began + minute * MINUTE, refill)
        await load.app.deliverer.run_once(DAY)
        assert not load.clock.pending
        load.check_limits()
        assert set(load.tally.first) == set(load.story_of)
        tally, since = load.tally, began.timestamp() + 1
        until = min(since + 60 * max(1, minutes - 1), max(tally.times))
        figures: Figures = {
            "part": "fair",
            "stories": len(load.story_of),
            "arrived": len(tally.first),
            "calls": len(tally.times),
            "rate": tally.rate(since, until),
        }
    print(
        "fair: {calls:,} calls, {rate:.2f} a second of {limit}; no call too soon, bursts counted "
        "too".format(**figures, limit=PER_SECOND)
    )
    return [figures]


async def urgent(folder: Path, options: argparse.Namespace) -> list[Figures]:
    """Measure how soon breaking alerts are sent while five alerts a chat, and a crowd, wait."""
    size: Size = options.load
    async with loaded(folder, size, options.seed) as load:
        names = list(load.chats)
        urgent_alerts = UrgentAlerts(load)
        await load.add(names * 5)
        await load.add([name for name in ("p0", "g0") for _ in range(size.crowd)])
        for number in range(size.urgent):
            name = f"p{load.chance.randrange(1, size.privates)}"
            urgent_alerts.schedule(number * 1.7 + load.chance.random(), "another chat", name)
        for where, name, gap in (("its own chat", "p0", 1.9), ("its own group", "g0", 5.3)):
            for number in range(10):
                urgent_alerts.schedule(2 + number * gap + load.chance.random(), where, name)
        await load.app.deliverer.run_once(DAY)
        load.check_limits()
        rows = [
            {"part": "urgent", "waiting_in": where, **spread(seconds)}
            for where, seconds in urgent_alerts.seconds().items()
        ]
    for row in rows:
        print(f"urgent, behind {len(names) * 5:,}, {{waiting_in}}: {SPREAD}".format(**row))
    return rows


@dataclass
class UrgentAlerts:
    """Breaking alerts at scheduled moments, and when they came."""

    load: Load
    committed: list[tuple[str, int, float]] = field(default_factory=list)

    def schedule(self, after: float, where: str, name: str) -> None:
        """Commit an alert to this chat after so many seconds."""

        async def commit() -> None:
            [number] = await self.load.add([name], Priority.BREAKING)
            self.committed.append((where, number, self.load.clock.now().timestamp()))

        self.load.clock.at(self.load.clock.now() + after * SECOND, commit)

    def seconds(self) -> dict[str, list[float]]:
        """Return how long each took, by where the others waited."""
        delays: dict[str, list[float]] = defaultdict(list)
        for where, number, at in self.committed:
            delays[where].append(self.load.tally.first[number] - at)
        return delays


async def storm(folder: Path, options: argparse.Namespace) -> list[Figures]:
    """Let everything fail; assert that nothing is lost."""
    faults = FaultInjector(chance=Random(options.seed))
    async with loaded(folder, options.load, options.seed) as load:
        load.api._faults = faults  # noqa: SLF001 (as the test does)
        names, began, real_began = list(load.chats), load.clock.now(), time.monotonic()
        while len(load.tally.times) < options.sends:
            await load.add(load.chance.choices(names, k=options.load.batch))
            await load.app.deliverer.run_once(MINUTE)
            load.world.change_chats()
            await poll_updates(load.app, load.api)
            await load.app.deliverer.run_once(10 * MINUTE)
            load.tally.take(load.api.calls)
            calls = len(load.tally.times)
            each = 1000 * (time.monotonic() - real_began) / calls
            progress(
                f"storm: {calls:,} calls for {len(load.story_of):,} alerts, {each:.1f} ms each"
            )
        faults.fine = True
        load.world.clear_up()
        await poll_updates(load.app, load.api)
        await load.app.deliverer.run_once(3 * DAY)
        load.check_limits()
    verdict = judge(folder, load.world, faults, load.story_of)
    figures: Figures = {
        "part": "storm",
        "stories": len(load.story_of),
        "calls": len(load.tally.times),
        "chats": len(names),
        "virtual_hours": (load.clock.now() - began).total_seconds() / 3600,
        "in_doubt": faults.undecidable.total(),
        "faults": sum(faults.met.values()),
        "kinds_of_faults": len(faults.met),
        **asdict(verdict),
    }
    print(
        "storm: {stories:,} alerts in {calls:,} calls to {chats:,} chats over {virtual_hours:.0f} "
        "virtual hours; no call too soon, bursts counted too\n"
        "storm: lost 0; {verdict}\n"
        "storm: {in_doubt:,} sends in doubt, {faults:,} faults of {kinds_of_faults} kinds".format(
            **figures, verdict=verdict
        )
    )
    return [figures]


async def real(folder: Path, options: argparse.Namespace) -> list[Figures]:
    """Measure fair and urgent on real time, with real sockets between two processes."""
    size: Size = options.load
    async with endpoint() as served:
        await served.do("privates", list(range(1000, 1000 + size.privates)))
        await served.do("groups", [-1000 - number for number in range(size.groups)])
        forums = [-9000 - number for number in range(size.forums)]
        await served.do("forums", forums, list(range(50, 50 + size.topics)))
        await served.do("enforce")
        addresses = _addresses(size)
        config = telegram_config(served, addresses)  # type: ignore[arg-type]  # url and token only
        environment = {"TELEGRAM_BOT_TOKEN": served.token}
        async with newsbell(
            folder, config, clock=SystemClock(), terminal=Recorder(), environment=environment
        ) as app:
            chats = await chat_ids(app, addresses)
            running = asyncio.create_task(app.deliverer.run())
            real_load = RealLoad(app, chats, served, size, Random(options.seed))
            await real_load.run(60 * options.real)
            app.deliverer.stop()
            await running
        violations = await served.do("violations")
    rows = real_load.rows()
    for row in rows[1:]:
        print(f"real, urgent, behind {5 * len(chats):,}, {{waiting_in}}: {SPREAD}".format(**row))
    print(
        "real: {calls:,} calls, {rate:.2f} a second of {limit}\n"
        "real: {refused} refused as too soon; without any burst allowed: {broken}".format(
            **rows[0],
            limit=PER_SECOND,
            refused=len(violations),
            broken=dict(real_load.tally.violations) or "none",
        )
    )
    return rows


@dataclass
class RealLoad:
    """Keeps alerts waiting on real time, and adds urgent ones."""

    app: App
    chats: dict[str, int]
    served: Endpoint
    size: Size
    chance: Random
    tally: Tally = field(default_factory=Tally)
    urgent: list[tuple[str, int, float]] = field(default_factory=list)
    seconds: float = 0
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def run(self, seconds: float) -> None:
        """Add alerts for so many seconds, then wait for the last of them."""
        names = list(self.chats)
        crowd = self.size.crowd
        await self._add([*(names * 5), *["p0"] * crowd, *["g0"] * crowd])
        began = time.monotonic()
        turn = 0
        while (elapsed := time.monotonic() - began) < seconds:
            await asyncio.sleep(1.3 + self.chance.random())
            turn += 1
            await self._add_urgent(
                "another chat", f"p{self.chance.randrange(1, self.size.privates)}"
            )
            if turn % 2:
                await self._add_urgent("its own chat", "p0")
                await self._add_urgent("its own group", "g0")
            if turn % 5 == 0:
                sample = self.chance.sample(names, min(270, len(names)))
                await self._add([*sample, *["p0"] * (crowd // 2), *["g0"] * (crowd // 6)])
            await self._take()
            if turn % 10 == 0:
                progress(f"real: {len(self.tally.times):,} calls")
        self.seconds = elapsed
        await asyncio.sleep(self.size.tail)
        await self._take()

    def rows(self) -> list[Figures]:
        """Return the figures of all calls, then those of urgent alerts."""
        since = self.tally.times[0] + min(5, self.seconds / 2)
        rate = self.tally.rate(since, self.tally.times[0] + self.seconds)
        delays: dict[str, list[float]] = defaultdict(list)
        for where, number, at in self.urgent:
            delays[where].append(self.tally.first.get(number, at + 999) - at)
        return [
            {"part": "real", "calls": len(self.tally.times), "rate": rate},
            *(
                {"part": "real", "waiting_in": where, **spread(seconds)}
                for where, seconds in delays.items()
                if len(seconds) > 1
            ),
        ]

    async def _add(self, names: list[str], priority: Priority = Priority.NORMAL) -> int:
        stories = [(next(self._numbers), name) for name in names]
        await commit_alerts(self.app, self.chats, stories, priority)
        self.app.deliverer.wake()
        return stories[-1][0]

    async def _add_urgent(self, where: str, name: str) -> None:
        number = await self._add([name], Priority.BREAKING)
        self.urgent.append((where, number, time.monotonic()))

    async def _take(self) -> None:
        for call in await self.served.do("calls"):
            self.tally.count(call.method, call.chat, call.text, call.time)


def _addresses(size: Size) -> dict[str, Address]:
    """Return the addresses of the chats of a `World`, without its Bot API."""
    world = World(BotApi(), Random(1), size.privates, size.groups, size.forums, size.topics)
    world.fill()
    return world.places


PARTS = {"fair": fair, "urgent": urgent, "storm": storm, "real": real}


async def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description="deliveries under load and faults")
    parser.add_argument("--sends", type=int, default=100_000)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--real", type=float, default=3, help="minutes on real time")
    parser.add_argument("--minutes", type=float, default=60, help="limit of each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--margins", help="seconds for all chats and for one, as 1.03,1.05")
    options = parse(parser, SMALL)
    options.load = SIZES[options.size]
    logs.use_standard_logging()
    # it logs every answer that is no JSON, and there are thousands
    logging.getLogger("telegram").setLevel(logging.CRITICAL)
    if options.margins:
        overall, gap = (float(margin) * SECOND for margin in options.margins.split(","))
        rate_limits.OVERALL_SPAN = overall
        vars(deliverer)["OVERALL_SPAN"] = overall  # imported there by its name
        rate_limits.CHAT_GAP = gap
    rows: list[Figures] = []
    for part in options.parts.split(","):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="load-") as folder:
            async with asyncio.timeout(60 * options.minutes):
                rows += await PARTS[part](Path(folder), options)
        print(f"({part} took {time.monotonic() - began:.0f} s)\n", flush=True)
    write_record(options, rows)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
