"""Everything at once against the real program: what it may lose is nothing.

Several hands work at the surroundings, each by itself: the weather at Telegram, kills, frozen
minutes, readers that die, the wall clock, saves of feeds.yaml, and people who write. Articles are
published meanwhile; at the end all is mended, and what has not arrived within a while is lost.
"""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from outside.clocks import ClockShim
from outside.fate import fates
from outside.feeds import Mode, Wires, moment, wires
from outside.ledger import Count, Ledger
from outside.program import End, Program, wait_until
from outside.weather import OutsideApi, Weather
from outside.words import headline, invented

HANDS = ("weather", "kills", "freezes", "readers", "clock", "saves", "people")
OPERATOR = 900
TALKERS = (101, 102, 103)  #: members of the group in which people write
TALKING = -200
PRIVATES = tuple(range(11, 17))
GROUPS = (TALKING, -201)
COMMANDS = ("/help", "/list", "/settings", "/status", "/start", "/feeds", "/digest")
STEPS = (-120, 7200, -3600, 86400, -86400, 90 * 86400, 50 * 365 * 86400, -365 * 86400)
TEXT = 30  #: words of an article
BEATS = {Mode.SLOW: 20, Mode.HANGING: 4}  #: how many feeds of each kind share one host


@dataclass(frozen=True, slots=True)
class Size:
    """How much, and for how long."""

    seconds: float = 600
    seed: int = 1
    hands: tuple[str, ...] = HANDS
    articles_a_second: float = 1.0
    feeds: int = 12  #: that behave
    pause: float = 12.0  #: seconds between two deeds of a hand, on the average
    patience: float = 180  #: seconds after the end in which all has to arrive
    boot: float = 90  #: seconds for a start
    is_stopped: bool = True  #: in order at the end; it waits for slow feeds


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    count: Count
    lost_by_feed: dict[str, int]
    ends: list[End]
    exit_code: int | None
    starts: int
    readers_killed: int
    answers: int
    weather: dict[str, int]
    broken_limits: int
    fates: dict[str, int]  #: where the lost ones got stuck
    stop_s: float  #: that a stop in order took
    unreadable: list[str]  #: feeds with readable items that were not read
    drained_s: float  #: from the end of all trouble until everything had arrived
    events: list[tuple[float, str]]

    def figures(self) -> dict[str, Any]:
        """As a row."""
        return {
            **self.count.figures(),
            "lost_by_feed": self.lost_by_feed,
            "fates": self.fates,
            "drained_s": round(self.drained_s, 1),
            "starts": self.starts,
            "ended_itself": [(end.code, round(end.after, 1)) for end in self.ends],
            "exit_code": self.exit_code,
            "stop_s": round(self.stop_s, 1),
            "readers_killed": self.readers_killed,
            "bad_answers": self.weather,
            "too_soon": self.broken_limits,
            "unreadable": self.unreadable,
            "calls": self.answers,
        }


@dataclass
class Soak:
    """One run."""

    folder: Path
    size: Size
    api: OutsideApi
    served: Wires
    ledger: Ledger
    program: Program
    clock: ClockShim | None
    chance: Random
    events: list[tuple[float, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    readers_killed: int = 0
    saves: int = 0
    _began: float = field(default_factory=time.monotonic)

    def note(self, text: str) -> None:
        """Remember what was done, and when."""
        self.events.append((round(time.monotonic() - self._began, 1), text))

    def config(self, saves: int = 0) -> str:
        """The feeds.yaml, as JSON, which is YAML; each save has another comment in it."""
        privates = {f"p{chat}": {"telegram": chat} for chat in PRIVATES}
        groups = {f"g{-chat}": {"telegram": chat} for chat in GROUPS}
        feeds = [
            {"url": wire.url, "name": wire.name, "every": "2s"}
            for wire in self.served.feeds.values()
        ]
        subscriptions = [
            {
                "name": f"About {word}",
                "query": word,
                "to": [f"p{chat}" if chat > 0 else f"g{-chat}" for chat in sorted(chats)],
                **({"urgency": "breaking"} if word == "breakingword" else {}),
            }
            for word, chats in self.ledger.chats_of.items()
        ]
        telegram = {"api": self.api.url, "admins": [OPERATOR]}
        # Alphabetical order of the keys is the order in which a half-written file has them.
        document = {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": telegram},
            "chats": {**privates, **groups},
            "feeds": feeds,
            "names": {"save": [f"number{saves}"]},
            "subscriptions": subscriptions,
        }
        return json.dumps(document, indent=1)

    def save(self, text: str) -> None:
        """Write feeds.yaml in one go."""
        new = self.folder / "feeds.yaml.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.folder / "feeds.yaml")

    async def run(self) -> Report:
        """Start, make trouble, mend all, wait, stop."""
        self.save(self.config())
        await self.program.start()
        await self._baseline()
        self._began = time.monotonic()
        hands: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "weather": self._weather,
            "kills": self._kill,
            "freezes": self._freeze,
            "readers": self._kill_readers,
            "clock": self._set_clock,
            "saves": self._save,
        }
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self.program.watch())]
            running += [
                group.create_task(self._repeat(hands[name]))
                for name in self.size.hands
                if name in hands and (name != "clock" or self.clock)
            ]
            if "people" in self.size.hands:
                running += [group.create_task(self._talk(member)) for member in TALKERS]
            await self._publish()
            for task in running[1:]:
                task.cancel()
            await asyncio.gather(*running[1:], return_exceptions=True)
            drained = await self._settle()
            running[0].cancel()
        stopping = time.monotonic()
        exit_code = await self.program.stop() if self.size.is_stopped else None
        await self.program.kill()
        count = self.ledger.count()
        return Report(
            count=count,
            lost_by_feed=dict(self.ledger.lost_by_feed()),
            ends=self.program.ends,
            exit_code=exit_code,
            starts=self.program.starts,
            readers_killed=self.readers_killed,
            answers=sum(self.api.methods.values()),
            weather=dict(self.api.met),
            broken_limits=self.api.broken_limits,
            fates=dict(fates(self.folder / "newsbell.db", count.lost)),
            stop_s=time.monotonic() - stopping,
            unreadable=self.unreadable,
            drained_s=drained,
            events=self.events,
        )

    async def _baseline(self) -> None:
        """Wait until newsbell stored a document of each feed that is to be read."""
        able = [wire for wire in self.served.feeds.values() if _publishes(wire)]
        plain = [wire for wire in able if wire.mode is not Mode.SURROGATE]
        if not await wait_until(lambda: all(wire.known for wire in plain), self.size.boot):
            raise TimeoutError(f"no first polls: {self.program.log.read_text()[-2000:]}")
        await wait_until(lambda: all(wire.known for wire in able), 8)
        self.unreadable = [wire.name for wire in able if not wire.known]

    async def _publish(self) -> None:
        """Publish until the time is over."""
        able = [wire for wire in self.served.feeds.values() if _publishes(wire) and wire.known]
        words = list(self.ledger.chats_of)
        until = self._began + self.size.seconds
        while time.monotonic() < until:
            wire, word = self.chance.choice(able), self.chance.choice(words)
            rest = headline(self.chance)
            article = self.ledger.publish(wire.name, word, rest, time.monotonic())
            # Headlines alone, of few syllables, are now and then alike enough to be one story.
            wire.add(article.number, article.title, moment(), headline(self.chance, TEXT))
            if self.chance.random() < 0.1:
                old = self.chance.choice(list(wire.items)[:20])
                wire.retitle(old[0], f"{old[1]} {invented(self.chance)}")  # no word in common
            await asyncio.sleep(self.chance.expovariate(self.size.articles_a_second))

    async def _settle(self) -> float:
        """Mend everything; return how long the rest took to arrive."""
        self.note("all is mended")
        await self.api.change(Weather.FINE)
        self.served.fine = True
        self.save(self.config(self.saves + 1))
        if self.clock:
            self.clock.set_wall(0)
        began = time.monotonic()
        if not self.program.pid:
            await self.program.start()
        await wait_until(lambda: not self.ledger.missing, self.size.patience)
        return time.monotonic() - began

    async def _repeat(self, hand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(self.size.pause * self.chance.uniform(0.3, 1.7))
            await hand()

    async def _weather(self) -> None:
        weather = self.chance.choice([x for x in Weather if x is not Weather.FINE])
        self.note(f"weather {weather}")
        try:
            await self.api.change(weather)
            await asyncio.sleep(self.size.pause * self.chance.uniform(0.3, 3))
        finally:
            await self.api.change(Weather.FINE)
            self.note("weather fine")

    async def _kill(self) -> None:
        self.note("SIGKILL")
        await self.program.kill()
        await asyncio.sleep(self.chance.choice([0, 0, 1, 5]))
        await self.program.start()
        await asyncio.sleep(2 * self.size.pause)  # a start takes seconds, and has to bear fruit

    async def _freeze(self) -> None:
        self.note("SIGSTOP")
        await self.program.freeze(self.size.pause * self.chance.uniform(0.1, 1))

    async def _kill_readers(self) -> None:
        count = self.program.kill_readers(self.chance.choice([1, 2]))
        self.readers_killed += count
        if count:
            self.note(f"{count} readers killed")

    async def _set_clock(self) -> None:
        assert self.clock
        step = self.chance.choice(STEPS)
        self.note(f"clock {step:+} s")
        self.clock.set_wall(step)
        await asyncio.sleep(self.size.pause * self.chance.uniform(0.3, 2))
        if self.chance.random() < 0.6:
            self.note("clock right")
            self.clock.set_wall(0)

    async def _save(self) -> None:
        self.saves += 1
        text = self.config(self.saves)
        kind = self.chance.choice(["valid", "broken", "half", "short"])
        self.note(f"save {kind}")
        if kind == "broken":
            self.save(text[: len(text) // 2])
        elif kind == "half":  # cut where it is still valid: all subscriptions are gone
            self.save(text[: text.index('"names"')].rstrip().rstrip(",") + "}")
        elif kind == "short":  # cut within the feeds
            document = json.loads(text)
            document["feeds"] = document["feeds"][:2]
            self.save(json.dumps(document))
        if kind != "valid":
            await asyncio.sleep(self.chance.uniform(0.5, min(8.0, self.size.pause)))
        self.save(text)

    async def _talk(self, member: int) -> None:
        """Write a command every two seconds, and press a button now and then."""
        while True:
            await asyncio.sleep(2 * self.chance.uniform(0.8, 1.2))
            self.api.say(TALKING, member, self.chance.choice(COMMANDS))
            shown = [x for x in self.api.messages(TALKING)[-20:] if x.keyboard]
            if shown and self.chance.random() < 0.3:
                message = self.chance.choice(shown)
                buttons = [x for row in message.keyboard for x in row if "I'm on it" in x["text"]]
                if buttons:
                    data = buttons[0]["callback_data"]
                    self.api.press(TALKING, member, message.message_id, data)


def _publishes(wire: Any) -> bool:
    return wire.mode in {Mode.PLAIN, Mode.DATELESS, Mode.JSON, Mode.SURROGATE, Mode.FLAKY}


def _fill(served: Wires, feeds: int) -> None:
    """Feeds that behave, and those that do not."""
    kinds = (Mode.PLAIN, Mode.PLAIN, Mode.FLAKY, Mode.JSON, Mode.DATELESS, Mode.SURROGATE)
    for number in range(feeds):
        mode = kinds[number % len(kinds)]
        served.add(f"{mode}{number}", mode, f"127.0.1.{number + 1}")
    for host, mode in enumerate(
        (Mode.SLOW, Mode.HANGING, Mode.BROKEN, Mode.FLOOD, Mode.HUGE, Mode.GARBAGE)
    ):
        for number in range(BEATS.get(mode, 2)):
            served.add(f"bad-{mode}{number}", mode, f"127.0.2.{host + 1}")


async def mixed(folder: Path, size: Size) -> Report:
    """Run it in this folder."""
    chance = Random(size.seed)
    chats_of = {
        "plainword": frozenset(PRIVATES[:3]),
        "otherword": frozenset(PRIVATES[3:5]),
        "groupword": frozenset(GROUPS),
        "breakingword": frozenset([PRIVATES[5], TALKING]),
        "nobodysword": frozenset([PRIVATES[0]]),
    }
    ledger = Ledger(chats_of)
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(wires(chance))
        api = await stack.enter_async_context(OutsideApi(ledger, chance))
        api.enforce_limits = True
        for person in (OPERATOR, *TALKERS, *PRIVATES):
            api.add_private(person)
        for group in GROUPS:
            api.add_supergroup(group, members=dict.fromkeys(TALKERS, "administrator"))
        _fill(served, size.feeds)
        clock = ClockShim(folder) if "clock" in size.hands and ClockShim.available() else None
        environment = {"TELEGRAM_BOT_TOKEN": api.token, **(clock.environment if clock else {})}
        program = Program(folder, environment)
        stack.push_async_callback(program.kill)
        return await Soak(folder, size, api, served, ledger, program, clock, chance).run()
