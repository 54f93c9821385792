"""Claims about the real program, each with a stage of its own; nothing else goes wrong meanwhile.

A claim returns figures and whether it holds; the times that it judges are those of a machine that
has nothing else to do.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from outside.clocks import ClockShim
from outside.fate import fates
from outside.feeds import Mode, Wires, moment, wires
from outside.ledger import Ledger
from outside.program import Program, wait_until
from outside.weather import OutsideApi, Weather
from outside.words import headline

OPERATOR = 900
TALKERS = (101, 102, 103)
STEPS = (-120, -3600, -86400, -365 * 86400, 86400, 90 * 86400, 50 * 365 * 86400)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a claim."""

    holds: bool
    figures: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.figures.items())


@dataclass
class Stage:
    """A newsbell with chats that each want a word of their own (`word11`), and feeds."""

    folder: Path
    chats: tuple[int, ...]
    api: OutsideApi
    served: Wires
    ledger: Ledger
    program: Program
    clock: ClockShim | None
    chance: Random = field(default_factory=lambda: Random(1))

    def publish(self, chat: int, name: str) -> int:
        """Publish an article for a chat in a feed."""
        word = f"word{abs(chat)}"
        article = self.ledger.publish(name, word, headline(self.chance), time.monotonic())
        self.served.feeds[name].add(article.number, article.title, moment())
        return article.number

    async def start(self, every: str) -> None:
        """Start, and wait for the first polls of all feeds that can be read."""
        document = {
            "settings": {
                "network": {"allow": ["127.0.0.0/8"]},
                "telegram": {"api": self.api.url, "admins": [OPERATOR]},
            },
            "chats": {f"c{chat}": {"telegram": chat} for chat in self.chats},
            "feeds": [
                {"url": wire.url, "name": wire.name, "every": every}
                for wire in self.served.feeds.values()
            ],
            "subscriptions": [
                {
                    "name": f"For {chat}",
                    "query": f"word{abs(chat)}",
                    "to": f"c{chat}",
                    "urgency": "breaking" if chat < 0 else "normal",
                }
                for chat in self.chats
            ],
        }
        (self.folder / "feeds.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")
        await self.program.start()
        plain = [wire for wire in self.served.feeds.values() if wire.mode is Mode.PLAIN]
        if not await wait_until(lambda: all(wire.known for wire in plain), 120):
            raise TimeoutError(self.program.log.read_text(encoding="utf-8")[-2000:])

    async def sent_more_than(self, count: int) -> None:
        """Wait for a further message, for a while."""
        await wait_until(lambda: self.api.methods["sendMessage"] > count, 30)

    async def polled_more_than(self, count: int) -> None:
        """Wait for a further poll of the first feed, for a while."""
        await wait_until(lambda: self.served.feeds["plain0"].requests > count, 60)

    async def arrived(self, within: float) -> float:
        """Wait until everything has arrived; how long it took."""
        began = time.monotonic()
        await wait_until(lambda: not self.ledger.missing, within)
        return round(time.monotonic() - began, 1)

    def figures(self) -> dict[str, Any]:
        """What the ledger says."""
        count = self.ledger.count()
        stuck = dict(fates(self.folder / "newsbell.db", count.lost))
        return {**count.figures(), **({"fates": stuck} if stuck else {})}


@asynccontextmanager
async def stage(
    folder: Path, chats: tuple[int, ...], *, feeds: int, shifts: bool = False, slow: int = 0
) -> AsyncIterator[Stage]:
    """Set a stage; the program is not started yet."""
    chance = Random(1)
    ledger = Ledger({f"word{abs(chat)}": frozenset([chat]) for chat in chats})
    async with wires(chance) as served, OutsideApi(ledger, chance) as api:
        api.enforce_limits = True
        for person in (OPERATOR, *TALKERS, *(chat for chat in chats if chat > 0)):
            api.add_private(person)
        for group in (chat for chat in chats if chat < 0):
            api.add_supergroup(group, members=dict.fromkeys(TALKERS, "member"))
        for number in range(feeds):
            served.add(f"plain{number}", Mode.PLAIN, f"127.0.1.{number + 1}")
        for number in range(slow):
            served.add(f"slow{number}", Mode.SLOW, "127.0.2.1")
        clock = ClockShim(folder) if shifts else None
        environment = {"TELEGRAM_BOT_TOKEN": api.token, **(clock.environment if clock else {})}
        program = Program(folder, environment)
        watching = asyncio.create_task(program.watch())
        try:
            yield Stage(folder, chats, api, served, ledger, program, clock)
        finally:
            watching.cancel()
            await program.kill()


def outage(weather: Weather) -> Callable[[Path, float], Coroutine[Any, Any, Result]]:
    """Ten minutes of this weather: 200 alerts to twenty chats arrive within a minute after it."""

    async def claim(folder: Path, scale: float) -> Result:
        chats = tuple(range(11, 31))
        async with stage(folder, chats, feeds=4) as it:
            await it.start("2s")
            await it.api.change(weather)
            for number in range(200):
                it.publish(chats[number % 20], f"plain{number % 4}")
                await asyncio.sleep(600 * scale / 200)
            before = len(it.api.messages(OPERATOR))
            await it.api.change(Weather.FINE)
            took = await it.arrived(within=180)
            await asyncio.sleep(5)
            notices = len(it.api.messages(OPERATOR)) - before
            figures = {"after_s": took, "notices": notices, **it.figures(), "ends": it.program.ends}
            holds = not figures["lost"] and took <= 60 and notices <= 1 and not it.program.ends
            return Result(holds and not figures["unmarked_twice"], figures)

    return claim


async def kills(folder: Path, scale: float) -> Result:
    """A hundred and twenty SIGKILLs during sends: nothing is lost, and repeats are marked."""
    chats = tuple(range(11, 19))
    async with stage(folder, chats, feeds=4) as it:
        await it.start("1s")
        for number in range(max(2, round(120 * scale))):
            sent = it.api.methods["sendMessage"]
            for turn in range(6):
                it.publish(chats[(number + turn) % 8], f"plain{turn % 4}")
            await it.sent_more_than(sent)
            await asyncio.sleep(it.chance.uniform(0, 0.3))
            await it.program.kill()
            await it.program.start()
        took = await it.arrived(within=180)
        figures = {"after_s": took, "starts": it.program.starts, **it.figures()}
        return Result(not figures["lost"] and not figures["unmarked_twice"], figures)


async def slow_host(folder: Path, scale: float) -> Result:
    """150 feeds at a host that sends a byte a second: alerts of others come within 10 s."""
    chats = (11, 12, 13)
    async with stage(folder, chats, feeds=6, slow=150) as it:
        await it.start("4s")
        for number in range(max(5, round(60 * scale))):
            it.publish(chats[number % 3], f"plain{number % 6}")
            await asyncio.sleep(2)
        await it.arrived(within=60)
        figures = it.figures()
        return Result(not figures["lost"] and figures["max_s"] <= 10, figures)


async def clock(folder: Path, scale: float) -> Result:
    """The clock is set back and ahead: polled within 10 s, also after a restart."""
    chats = (11, 12)
    longest: dict[int, float] = {}
    async with stage(folder, chats, feeds=3, shifts=True) as it:
        assert it.clock
        await it.start("2s")
        memory = it.program.memory()[0]
        for step in STEPS[: max(2, round(len(STEPS) * scale))]:
            for ahead in (step, 0):
                it.clock.set_wall(ahead)
                for restarts in (False, True):
                    if restarts:
                        await it.program.kill()
                        await it.program.start()
                    polls = it.served.feeds["plain0"].requests
                    began = time.monotonic()
                    await it.polled_more_than(polls)
                    if not restarts:
                        longest[step] = max(longest.get(step, 0), time.monotonic() - began)
                    it.publish(chats[restarts], "plain0")
                    await asyncio.sleep(1)
                await it.arrived(within=30)
        figures = {
            "longest_s": {step: round(took, 1) for step, took in longest.items()},
            "memory_mb": (round(memory), round(it.program.memory()[0])),
            **it.figures(),
            "ends": it.program.ends,
        }
        holds = not figures["lost"] and not figures["unmarked_twice"] and max(longest.values()) < 10
        return Result(holds and it.program.memory()[0] < memory + 50, figures)


async def commands(folder: Path, scale: float) -> Result:
    """Three members write 30 commands a minute each: breaking alerts come within 30 s."""
    group = -200
    async with stage(folder, (group,), feeds=3) as it:
        await it.start("2s")

        async def talk(member: int) -> None:
            for _ in range(round(30 * 4 * scale) + 15):
                it.api.say(group, member, it.chance.choice(["/help", "/list", "/start", "/feeds"]))
                await asyncio.sleep(2)

        talking = [asyncio.create_task(talk(member)) for member in TALKERS]
        await asyncio.sleep(15)
        for number in range(max(3, round(16 * scale))):
            it.publish(group, f"plain{number % 3}")
            await asyncio.sleep(15)
        await it.arrived(within=120)
        await asyncio.gather(*talking)
        figures = it.figures()
        return Result(not figures["lost"] and figures["max_s"] <= 30, figures)


CLAIMS: dict[str, Callable[[Path, float], Coroutine[Any, Any, Result]]] = {
    "outage-502": outage(Weather.BAD_GATEWAY),
    "outage-500": outage(Weather.INTERNAL),
    "outage-html": outage(Weather.PORTAL),
    "outage-hang": outage(Weather.HANGING),
    "kills": kills,
    "slow-host": slow_host,
    "clock": clock,
    "commands": commands,
}
