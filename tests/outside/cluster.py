"""Several real newsbells on one PostgreSQL, while nodes, readers, server and network are ended.

Each node reaches the server by a gate of its own, which cuts, keeps silent, or loses the answer to
a commit. Articles are published meanwhile; at the end nothing is ended any more, and what has not
arrived within a while is lost. What a takeover takes is measured as well: from the end of who led
until another one leads.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psycopg
from outside.feeds import Mode, Wires, moment, wires
from outside.gate import Gate
from outside.ledger import Count, Ledger
from outside.program import Program, wait_until
from outside.weather import OutsideApi
from outside.words import headline
from postgres_server import PostgresServer

from bot.store.engines import postgres

OPERATOR = 900
PRIVATES = tuple(range(11, 17))
HANDS = ("kills", "freezes", "restarts", "cuts", "silences", "lost answers")
FROZEN = 14.0  #: seconds; a leader counts as gone after eight
#: how a takeover is called that has nobody waiting yet to take over
UNREADY = "killed, and nobody waited"
TEXT = 30  #: words of an article


@dataclass(frozen=True, slots=True)
class Size:
    """How much, and for how long."""

    seconds: float = 300
    seed: int = 1
    nodes: int = 3
    feeds: int = 24
    articles_a_second: float = 1.0
    hands: tuple[str, ...] = HANDS
    kills: float = 2.0  #: seconds between two kills, on the average
    freezes: float = 12.0
    restarts: float = 60.0
    cuts: float = 20.0
    silences: float = 30.0
    lost_answers: float = 5.0
    patience: float = 180
    #: SIGKILLs and SIGSTOPs that there are at least; the run takes longer for them, if need be
    least: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it."""

    count: Count
    done: Counter[str]
    takeovers: dict[str, list[float]]  #: seconds, by what happened to the one who led
    kept_twice: int
    leaders: int  #: how often somebody began to lead
    polled_by: Counter[str]
    events: list[tuple[float, str]]

    def figures(self) -> dict[str, Any]:
        """As a row."""
        return {
            **self.count.figures(),
            "kept_twice": self.kept_twice,
            "done": dict(self.done),
            "takeovers": {
                how: {"times": len(times), "median_s": median(times), "max_s": max(times)}
                for how, times in self.takeovers.items()
            },
            "leaders": self.leaders,
            "processes_that_polled": len(self.polled_by),
        }


@dataclass
class Cluster:
    """One run."""

    size: Size
    server: PostgresServer
    url: str
    served: Wires
    ledger: Ledger
    programs: list[Program]
    gates: list[Gate]  #: of the programs, in their order
    chance: Random
    done: Counter[str] = field(default_factory=Counter)
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    polled_by: Counter[str] = field(default_factory=Counter)
    events: list[tuple[float, str]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _over: asyncio.Event = field(default_factory=asyncio.Event)  #: no more trouble begins
    _up: asyncio.Lock = field(default_factory=asyncio.Lock)  #: held while the server is down

    def note(self, text: str) -> None:
        """Remember what was done, and when."""
        self.done[text] += 1
        self.events.append((round(time.monotonic() - self._began, 1), text))

    async def run(self) -> Report:
        """Start all, make trouble, end it, wait, stop."""
        for program in self.programs:
            await program.start()
            await asyncio.sleep(1)
        feeds = list(self.served.feeds.values())
        if not await wait_until(lambda: all(wire.known for wire in feeds), 90):
            logs = "\n".join(program.log.read_text()[-1500:] for program in self.programs)
            raise TimeoutError(f"no first polls: {logs}")
        self._began = time.monotonic()
        hands: dict[str, tuple[float, Callable[[], Coroutine[Any, Any, None]]]] = {
            "kills": (self.size.kills, self._kill),
            "freezes": (self.size.freezes, self._freeze),
            "restarts": (self.size.restarts, self._restart),
            "cuts": (self.size.cuts, self._cut),
            "silences": (self.size.silences, self._keep_silent),
            "lost answers": (self.size.lost_answers, self._lose_answer),
        }
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(program.watch()) for program in self.programs]
            watching.append(group.create_task(self._look()))
            busy = [
                group.create_task(self._repeat(*hands[name]))
                for name in hands
                if name in self.size.hands
            ]
            await self._publish()
            self._over.set()
            await asyncio.gather(*busy)
            self.events.append((round(time.monotonic() - self._began, 1), "all is left alone"))
            for program in self.programs:
                if not program.pid:
                    await program.start()
            await wait_until(lambda: not self.ledger.missing, self.size.patience)
            await asyncio.sleep(3)  # for what comes twice
            for task in watching:
                task.cancel()
        for program in self.programs:
            await program.kill()
        kept_twice = await asyncio.to_thread(self._value, KEPT_TWICE)
        leaders = await asyncio.to_thread(self._value, _LEADERS)
        return Report(
            self.ledger.count(),
            self.done,
            self.takeovers,
            kept_twice or 0,
            leaders or 0,
            self.polled_by,
            self.events,
        )

    async def _publish(self) -> None:
        feeds, words = list(self.served.feeds.values()), list(self.ledger.chats_of)
        while not self._is_enough():
            wire = self.chance.choice(feeds)
            rest = headline(self.chance)
            word = self.chance.choice(words)
            article = self.ledger.publish(wire.name, word, rest, time.monotonic())
            wire.add(article.number, article.title, moment(), headline(self.chance, TEXT))
            await asyncio.sleep(self.chance.expovariate(self.size.articles_a_second))

    def _is_enough(self) -> bool:
        """Whether the time is over, and there was as much trouble as there should be."""
        seconds, (kills, stops) = time.monotonic() - self._began, self.size.least
        is_much = self._count("SIGKILL") >= kills and self._count("SIGSTOP") >= stops
        return seconds > self.size.seconds and (is_much or seconds > 3 * self.size.seconds)

    def _count(self, signal: str) -> int:
        return sum(times for text, times in self.done.items() if text.startswith(signal))

    async def _repeat(self, every: float, trouble: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            with suppress(TimeoutError):
                pause = every * self.chance.uniform(0.3, 1.7)
                await asyncio.wait_for(self._over.wait(), pause)
                return
            async with self._up:
                pass
            await trouble()

    async def _kill(self) -> None:
        """Kill a node, the leader every other time, and start it again; or a reader of one."""
        if self.chance.random() < 0.1:
            if self.chance.choice(self.programs).kill_readers():
                self.note("SIGKILL of a reader")
            return
        leader = await self._leader()
        victim = leader if leader and self.chance.random() < 0.5 else None
        victim = victim or self.chance.choice(self.programs)
        if not victim.pid:
            return
        self.note(f"SIGKILL of {'the leader' if victim is leader else 'a node'}")
        waited = await asyncio.to_thread(self._value, _WAIT)
        await victim.kill()
        if victim is leader:
            await self._taken_over("killed" if waited else UNREADY, victim)
        await asyncio.sleep(self.chance.choice([0, 0.5, 2]))
        if not victim.pid:
            await victim.start()

    async def _freeze(self) -> None:
        """Stop the leader, or now and then another node."""
        leader = await self._leader()
        if self.chance.random() < 0.25:
            node = self.chance.choice(self.programs)
            if node is not leader and node.pid:
                self.note("SIGSTOP of a node")
                await node.freeze(FROZEN)
                return
        if leader is None:
            return
        self.note("SIGSTOP of the leader")
        frozen = asyncio.create_task(leader.freeze(FROZEN))
        await self._taken_over("hung", leader)
        await frozen

    async def _restart(self) -> None:
        async with self._up:
            self.note("restart of the server")
            await asyncio.to_thread(self.server.stop, "immediate")
            await asyncio.sleep(self.chance.choice([0, 1, 4]))
            await asyncio.to_thread(self.server.start)

    async def _cut(self) -> None:
        """End all connections at once by the server, or those of a node by the network."""
        if self.chance.random() < 0.5:
            self.note("cut of all connections")
            await asyncio.to_thread(self._value, _CUT)
        else:
            self.note("cut of a node's network")
            self.chance.choice(self.gates).cut()

    async def _keep_silent(self) -> None:
        """Let nothing pass between a node and the server for a while, and tell nobody."""
        gate = self.chance.choice(self.gates)
        self.note("silence of a node's network")
        gate.open.clear()
        await asyncio.sleep(self.chance.choice([2, 6, 12]))
        gate.open.set()

    async def _lose_answer(self) -> None:
        """Lose the answer to the next commit of a node, more often of the leader."""
        leader = await self._leader()
        node = leader if leader and self.chance.random() < 0.7 else None
        gate = self.gates[self.programs.index(node or self.chance.choice(self.programs))]
        before = gate.lost
        gate.lose_commit()
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while gate.lost == before:
                    await asyncio.sleep(0.05)
            self.note("loss of a commit's answer")

    async def _taken_over(self, how: str, former: Program) -> None:
        """Wait until another node leads, and note how long that took."""
        began, pid = time.monotonic(), former.pid
        while time.monotonic() - began < 60:
            leader = await self._leader()
            if leader is not None and (leader is not former or leader.pid != pid):
                self.takeovers.setdefault(how, []).append(time.monotonic() - began)
                return
            await asyncio.sleep(0.05)

    async def _leader(self) -> Program | None:
        """The program that has the lock, and said so since."""
        name = await asyncio.to_thread(self._value, LEADS)
        pid = int(str(name).rpartition(":")[2]) if name else 0
        return next((program for program in self.programs if pid and program.pid == pid), None)

    async def _look(self) -> None:
        """Note who polls."""
        while True:
            names = await asyncio.to_thread(self._value, _POLLED_BY)
            self.polled_by.update(str(names or "").split())
            await asyncio.sleep(1)

    def _value(self, statement: str) -> Any:
        return value(self.url, statement)


def value(url: str, statement: str) -> Any:
    """The first value of a statement; None where the server is away."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            row = connection.execute(statement.encode()).fetchone()
    except psycopg.Error:
        return None
    return row[0] if row else None


# The connection that has the lock names its node.
LEADS = f"""
    select application_name from pg_stat_activity join pg_locks using (pid)
    where locktype = 'advisory' and granted and objsubid = 1 and datname = current_database()
    and (classid::text::bigint << 32) + objid::text::bigint = {postgres.LOCK}
"""  # noqa: S608 (a number of ours)
_WAIT = """
    select count(*) from nodes
    where leads = 0 and beat > extract(epoch from clock_timestamp()) - 2
"""
_LEADERS = "select value::int from meta where name = 'term'"
_POLLED_BY = "select string_agg(distinct node, ' ') from feeds where node != ''"
KEPT_TWICE = """
    select count(*) from (
        select 1 from entries group by feed_id, guid_key having count(*) > 1) as twice
"""
_CUT = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where pid != pg_backend_pid() and datname = current_database()
"""


def ledger_of_three_words() -> Ledger:
    """A ledger whose subscriptions ask for three words, in six chats."""
    return Ledger(
        {
            "plainword": frozenset(PRIVATES[:3]),
            "otherword": frozenset(PRIVATES[3:5]),
            "nobodysword": frozenset([PRIVATES[5]]),
        }
    )


def config_of(url: str, api: OutsideApi, served: Wires, ledger: Ledger) -> str:
    """The feeds.yaml of a node."""
    subscriptions = [
        {"name": f"About {word}", "query": word, "to": [f"p{chat}" for chat in sorted(chats)]}
        for word, chats in ledger.chats_of.items()
    ]
    document = {
        "settings": {
            "database": url,
            "network": {"allow": ["127.0.0.0/8"]},
            "telegram": {"api": api.url, "admins": [OPERATOR]},
        },
        "chats": {f"p{chat}": {"telegram": chat} for chat in PRIVATES},
        "feeds": [
            {"url": wire.url, "name": wire.name, "every": "2s"} for wire in served.feeds.values()
        ],
        "subscriptions": subscriptions,
    }
    return json.dumps(document, indent=1)


async def cluster(folder: Path, server: PostgresServer, size: Size) -> Report:
    """Run it in this folder, on a database of its own."""
    chance = Random(size.seed)
    ledger = ledger_of_three_words()
    address = server.empty(f"cluster{size.seed}_{int(time.time())}")
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(wires(chance))
        api = await stack.enter_async_context(OutsideApi(ledger, chance))
        for person in (OPERATOR, *PRIVATES):
            api.add_private(person)
        for number in range(size.feeds):
            served.add(f"feed{number}", Mode.PLAIN, f"127.0.1.{number + 1}")
        programs, gates = [], []
        for number in range(size.nodes):
            gate = await stack.enter_async_context(Gate(server.folder / ".s.PGSQL.5432"))
            place = folder / f"node{number}"
            place.mkdir()
            config = config_of(gate.url(address.url), api, served, ledger)
            (place / "feeds.yaml").write_text(config, encoding="utf-8")
            program = Program(place, {"TELEGRAM_BOT_TOKEN": api.token})
            stack.push_async_callback(program.kill)
            programs.append(program)
            gates.append(gate)
        run = Cluster(size, server, address.url, served, ledger, programs, gates, chance)
        return await run.run()
