"""A hundred thousand deliveries to two thousand chats while everything fails that can fail, at Telegram's limits.

    python -m bench.soak [--sends 100000] [--parts fair,urgent,storm,real] [--real 3] [--minutes 60] [--seed 1]

fair: nothing fails and enough waits; what part of the limits is used. urgent: how soon breaking alerts go out behind thousands.
storm: faults, closed chats and migrations; nothing lost, at most two copies, order. These leap through time, see `tests/weather.py`.
real: fair and urgent at once on real time and an endpoint in a process of its own, for so many minutes.
`--margins 1.03,1.05` tries other spans of all chats and of one chat, in seconds. Stops with a traceback where a promise is broken.
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
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING

import uvloop
from botapi import BotApi
from fault_injection import DAY, FaultInjector, Leaping, World, chat_ids, heed, judge, ring
from support import Recorder, newsbell
from telegram_harness import Address, telegram_config

from bench.endpoint import endpoint
from bot.delivery import deliverer, rate_limits
from bot.model.alerts import Priority
from bot.service.app import App
from bot.service.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from botapi import Call

PRIVATES, GROUPS, FORUMS, TOPICS = 1500, 200, 60, 5
PER_SECOND = 30  #: what Telegram allows in all
TURN = 2000  #: stories between two turns of the weather
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
_STORY = re.compile(r"Story (\d{6})")


class Appointed(Leaping):
    """A leaping clock that keeps appointments on its way."""

    def __init__(self) -> None:
        """Begin without any."""
        super().__init__()
        self._due: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._order = itertools.count()

    def at(self, moment: datetime, what: Callable[[], Awaitable[None]]) -> None:
        """Do this then."""
        heapq.heappush(self._due, (moment, next(self._order), what))

    @property
    def left(self) -> int:
        """Appointments that were not kept."""
        return len(self._due)

    async def sleep(self, span: timedelta) -> None:
        """Leap, but to no later than the next appointment."""
        if self.busy() or not self._due or self._due[0][0] > self._now + span:
            await super().sleep(span)
            return
        moment, _, what = heapq.heappop(self._due)
        self._now = max(self._now, moment)
        await asyncio.shield(asyncio.ensure_future(what()))


@dataclass
class Tally:
    """What came, held against the limits without any burst."""

    messages: int = 0
    times: list[float] = field(default_factory=list)
    first: dict[int, float] = field(default_factory=dict)  #: when each story came first
    _last: dict[int, float] = field(default_factory=dict)
    _groups: dict[int, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=20))
    )
    broken: Counter[str] = field(default_factory=Counter)

    def see(self, method: str, chat: int, text: str, at: float) -> None:
        """Count one call."""
        if method not in {"sendMessage", "editMessageText"}:
            return
        if len(self.times) >= PER_SECOND and at < self.times[-PER_SECOND] + 1:
            self.broken["overall"] += 1
        if at < self._last.get(chat, -1.0) + 1:
            self.broken["chat"] += 1
        group = self._groups[chat]
        if chat < 0 and len(group) == 20 and at < group[0] + 60:
            self.broken["group"] += 1
        self.times.append(at)
        self._last[chat] = at
        group.append(at)
        for number in map(int, _STORY.findall(text)):
            self.first.setdefault(number, at)

    def take(self, calls: list[Call]) -> None:
        """Count these and forget them."""
        for call in calls:
            self.see(
                call.method,
                int(call.params["chat_id"]) if "chat_id" in call.params else 0,
                str(call.params.get("text", "")),
                call.time,
            )
        calls.clear()

    def rate(self, since: float, until: float) -> float:
        """Return calls a second in between."""
        return sum(since <= one < until for one in self.times) / (until - since)


@dataclass
class Soak:
    """A newsbell on virtual time with what the parts need of it."""

    made: App
    api: BotApi
    world: World
    clock: Appointed
    chats: dict[str, int]
    chance: Random
    tally: Tally = field(default_factory=Tally)
    story_of: dict[int, str] = field(default_factory=dict)

    async def bring(self, names: Iterable[str], priority: Priority = Priority.NORMAL) -> list[int]:
        """One story for each of these chats, in one commit; their numbers."""
        stories = list(enumerate(names, len(self.story_of) + 1))
        self.story_of.update(stories)
        await ring(self.made, self.chats, stories, priority)
        self.made.deliverer.wake()
        return [number for number, _ in stories]


@asynccontextmanager
async def soak(folder: Path, seed: int) -> AsyncIterator[Soak]:
    """A newsbell with two thousand chats on virtual time."""
    clock, chance = Appointed(), Random(seed)
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        world = World(api, chance, PRIVATES, GROUPS, FORUMS, TOPICS)
        world.fill()
        api.enforce_limits = True
        config = telegram_config(api, world.places)
        async with newsbell(
            folder,
            config,
            clock=clock,
            terminal=Recorder(),
            environment={"TELEGRAM_BOT_TOKEN": api.token},
        ) as made:
            clock.busy = lambda: bool(made.deliverer._busy)  # noqa: SLF001 (as the test does)
            yield Soak(made, api, world, clock, await chat_ids(made, world.places), chance)


def said(text: str) -> None:
    """Progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def spread(seconds: list[float]) -> str:
    """Return median, 95th percentile and the most."""
    return f"median {median(seconds):.2f} s, p95 {quantiles(seconds, n=20)[-1]:.2f} s, most {max(seconds):.2f} s ({len(seconds)})"


def held(one: Soak) -> str:
    """Nothing came too soon; the sentence that says so."""
    one.tally.take(one.api.calls)
    assert one.api.violations == [], one.api.violations[:3]
    assert one.tally.broken.total() == 0, one.tally.broken
    return "no call too soon, bursts counted too"


async def fair(folder: Path, given: argparse.Namespace) -> None:
    """What part of the limits is used while enough waits."""
    async with soak(folder, given.seed) as one:
        names = list(one.chats)
        minutes = max(2, given.sends // 5 // 1800)
        began = one.clock.now()
        await one.bring([*names, *names, *names])

        async def refill() -> None:
            one.chance.shuffle(names)
            await one.bring(names[:1800])
            said(f"fair: {len(one.tally.times) + len(one.api.calls):,} calls")

        for minute in range(1, minutes):
            one.clock.at(began + minute * MINUTE, refill)
        await one.made.deliverer.run_once(DAY)
        assert not one.clock.left
        how = held(one)
        since = began.timestamp() + 1
        rate = one.tally.rate(since, since + 60 * (minutes - 1))
        assert set(one.tally.first) == set(one.story_of)
        print(
            f"fair: {len(one.tally.times):,} calls, {rate:.2f} a second, {rate / PER_SECOND:.1%} of {PER_SECOND}; {how}"
        )


async def urgent(folder: Path, given: argparse.Namespace) -> None:
    """How soon breaking alerts go out behind ten thousand others and behind five hundred of their own chat."""
    async with soak(folder, given.seed) as one:
        names, waits = list(one.chats), Appointments(one)
        crowded = {"its own chat": "p0", "its own group": "g0"}
        await one.bring([*names, *names, *names, *names, *names])
        await one.bring([name for name in crowded.values() for _ in range(500)])
        for number in range(60):
            waits.make(
                number * 1.7 + one.chance.random(),
                "elsewhere",
                f"p{one.chance.randrange(1, PRIVATES)}",
            )
        for place, name in crowded.items():
            for number in range(10):
                waits.make(
                    2 + number * (1.9 if name == "p0" else 5.3) + one.chance.random(), place, name
                )
        await one.made.deliverer.run_once(DAY)
        how = held(one)
        for place, seconds in waits.seconds().items():
            print(f"urgent, behind 10,000, {place}: {spread(seconds)}; {how}")


@dataclass
class Appointments:
    """Breaking alerts to come, and when they came."""

    one: Soak
    rung: list[tuple[str, int, float]] = field(default_factory=list)

    def make(self, after: float, place: str, name: str) -> None:
        """Ring this chat then."""

        async def now() -> None:
            [number] = await self.one.bring([name], Priority.BREAKING)
            self.rung.append((place, number, self.one.clock.now().timestamp()))

        self.one.clock.at(self.one.clock.now() + after * SECOND, now)

    def seconds(self) -> dict[str, list[float]]:
        """Return how long each was on its way, by place."""
        found: dict[str, list[float]] = defaultdict(list)
        for place, number, at in self.rung:
            found[place].append(self.one.tally.first[number] - at)
        return found


async def storm(folder: Path, given: argparse.Namespace) -> None:
    """Everything fails; nothing is lost."""
    faults = FaultInjector(chance=Random(given.seed))
    async with soak(folder, given.seed) as one:
        one.api._faults = faults  # noqa: SLF001 (as the test does)
        names, began, real = list(one.chats), one.clock.now(), time.monotonic()
        while len(one.tally.times) < given.sends:
            await one.bring(one.chance.choices(names, k=TURN))
            await one.made.deliverer.run_once(MINUTE)
            one.world.befall()
            await heed(one.made, one.api)
            await one.made.deliverer.run_once(10 * MINUTE)
            one.tally.take(one.api.calls)
            each = (time.monotonic() - real) / len(one.tally.times)
            said(
                f"storm: {len(one.tally.times):,} calls for {len(one.story_of):,} alerts, {1000 * each:.1f} ms a call"
            )
        faults.fine = True
        one.world.clear_up()
        await heed(one.made, one.api)
        await one.made.deliverer.run_once(3 * DAY)
        how = held(one)
    verdict = judge(folder, one.world, faults, one.story_of)
    hours = (one.clock.now() - began).total_seconds() / 3600
    print(
        f"storm: {len(one.story_of):,} alerts in {len(one.tally.times):,} calls to {len(names):,} chats over {hours:.0f} virtual hours; {how}"
    )
    print(f"storm: lost 0; {verdict}")
    print(
        f"storm: {faults.undecidable.total():,} sends in doubt, {sum(faults.met.values()):,} faults of {len(faults.met)} kinds"
    )


async def real(folder: Path, given: argparse.Namespace) -> None:
    """Fair and urgent on real time, with real sockets between two processes."""
    async with endpoint() as served:
        await served.do("privates", list(range(1000, 1000 + PRIVATES)))
        await served.do("groups", [-1000 - number for number in range(GROUPS)])
        await served.do(
            "forums", [-9000 - number for number in range(FORUMS)], list(range(50, 50 + TOPICS))
        )
        await served.do("enforce")
        places = _places()
        config = telegram_config(served, places)  # type: ignore[arg-type]
        environment = {"TELEGRAM_BOT_TOKEN": served.token}
        async with newsbell(
            folder, config, clock=SystemClock(), terminal=Recorder(), environment=environment
        ) as made:
            chats = await chat_ids(made, places)
            running = asyncio.create_task(made.deliverer.run())
            rung, tally, seconds = await _real(made, chats, served.do, given)
            made.deliverer.stop()
            await running
        violations = await served.do("violations")
    waits: dict[str, list[float]] = defaultdict(list)
    for place, number, at in rung:
        waits[place].append(tally.first.get(number, at + 999) - at)
    for place, found in waits.items():
        print(f"real, urgent, behind 10,000, {place}: {spread(found)}")
    rate = tally.rate(tally.times[0] + 5, tally.times[0] + seconds)
    print(
        f"real: {len(tally.times):,} calls, {rate:.2f} a second, {rate / PER_SECOND:.1%} of {PER_SECOND}"
    )
    print(
        f"real: {len(violations)} refused as too soon; without any burst allowed: {dict(tally.broken) or 'none'}"
    )


async def _real(
    made: App,
    chats: dict[str, int],
    do: Callable[..., Awaitable[object]],
    given: argparse.Namespace,
) -> tuple[list[tuple[str, int, float]], Tally, float]:
    """Keep ten thousand waiting and ring in between; what was rung urgently and when, what came, and over how many seconds."""
    chance, tally, numbers = Random(given.seed), Tally(), itertools.count(1)
    rung: list[tuple[str, int, float]] = []
    names = list(chats)

    async def bring(wanted: list[str], priority: Priority = Priority.NORMAL) -> int:
        stories = [(next(numbers), name) for name in wanted]
        await ring(made, chats, stories, priority)
        made.deliverer.wake()
        return stories[-1][0]

    await bring([*(names * 5), *["p0"] * 500, *["g0"] * 500])
    began = time.monotonic()
    turn = 0
    while (seconds := time.monotonic() - began) < 60 * given.real:
        await asyncio.sleep(1.3 + chance.random())
        turn += 1
        for place, name in (
            ("elsewhere", f"p{chance.randrange(1, PRIVATES)}"),
            *((("its own chat", "p0"), ("its own group", "g0"))[:2] if turn % 2 else ()),
        ):
            number = await bring([name], Priority.BREAKING)
            rung.append((place, number, time.monotonic()))
        if turn % 5 == 0:
            await bring([*chance.sample(names, 270), *["p0"] * 250, *["g0"] * 80])
        for call in await do("calls"):  # type: ignore[attr-defined]
            tally.see(call.method, call.chat, call.text, call.time)
        if turn % 10 == 0:
            said(f"real: {len(tally.times):,} calls")
    await asyncio.sleep(65)
    for call in await do("calls"):  # type: ignore[attr-defined]
        tally.see(call.method, call.chat, call.text, call.time)
    return rung, tally, seconds


def _places() -> dict[str, Address]:
    """The chats of `World`, without one."""
    world = World(BotApi(), Random(1), PRIVATES, GROUPS, FORUMS, TOPICS)
    world.fill()
    return world.places


PARTS = {"fair": fair, "urgent": urgent, "storm": storm, "real": real}


async def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description="the deliver corridor under load and faults")
    parser.add_argument("--sends", type=int, default=100_000)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--real", type=float, default=3, help="minutes on real time")
    parser.add_argument("--minutes", type=float, default=60, help="give up a part after so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--margins", help="seconds for all chats and for one, as 1.03,1.05")
    given = parser.parse_args()
    logging.getLogger("telegram").setLevel(
        logging.CRITICAL
    )  # it tells of every answer that is no JSON, and there are thousands
    if given.margins:
        overall, gap = (float(one) * SECOND for one in given.margins.split(","))
        rate_limits.OVERALL_SPAN = overall
        vars(deliverer)["OVERALL_SPAN"] = overall  # imported there by name
        rate_limits.CHAT_GAP = gap
    for part in given.parts.split(","):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            async with asyncio.timeout(60 * given.minutes):
                await PARTS[part](Path(folder), given)
        print(f"({part} took {time.monotonic() - began:.0f} s)\n", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as chosen:
        chosen.run(main())
