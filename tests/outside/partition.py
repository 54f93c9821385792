"""Two newsbells on machines of their own, and a database on a third: their cables fail, and heal.

Feeds and Telegram stay within reach of both, so that a machine that is cut off from the database
could still send. Articles are published meanwhile.
"""

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from outside.cluster import (
    KEPT_TWICE,
    LEADS,
    OPERATOR,
    PRIVATES,
    TEXT,
    config_of,
    ledger_of_three_words,
    value,
)
from outside.feeds import Mode, Wires, moment, wires
from outside.ledger import Count, Ledger
from outside.networks import Cable, Machine, Relay, machine
from outside.program import Program, wait_until
from outside.weather import OutsideApi
from outside.words import headline
from postgres_server import Options, PostgresServer, postgres_server

FEEDS = 4
HOWS = ("silent", "unplugged", "one-way")
_PATIENCE = 90.0  #: for what has to come about


_WAITING = """
    select string_agg(name, ' ') from nodes
    where leads = 0 and beat > extract(epoch from clock_timestamp()) - 3
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What fails, and for how long."""

    how: str = "silent"
    leader: float = 2.0  #: seconds that the leader stays cut off, after another one leads
    standby: float = 0.0  #: seconds that the node that waits is cut off; 0 for not at all
    seed: int = 1


@dataclass
class Report:
    """What came of it."""

    took_over: float = 0.0  #: seconds from the cut to another leader
    found_out: float = 0.0  #: seconds from the mending until the former leader waited
    in_parallel: int = 0  #: messages that the former leader sent after the other led
    standby_led: bool = False  #: the node that waited led although only its own cable failed
    kept_twice: int = 0
    count: Count | None = None
    events: list[tuple[float, str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """As a row."""
        own = {
            "took_over_s": round(self.took_over, 2),
            "found_out_s": round(self.found_out, 2),
            "in_parallel": self.in_parallel,
            "kept_twice": self.kept_twice,
        }
        return {**own, **(self.count.figures() if self.count else {})}


@dataclass
class _Node:
    machine: Machine
    cable: Cable
    program: Program


@dataclass
class Partition:
    """One run."""

    plan: Plan
    url: str  #: of the database, by a way that never fails
    served: Wires
    ledger: Ledger
    nodes: list[_Node]
    chance: Random
    report: Report = field(default_factory=Report)
    _began: float = field(default_factory=time.monotonic)

    def _note(self, text: str) -> None:
        self.report.events.append((round(time.monotonic() - self._began, 1), text))

    async def run(self) -> Report:
        """Start both, cut and mend their cables, wait for what is missing, stop."""
        leader, other = self.nodes
        await leader.program.start()
        await self._until("the first to lead", lambda: self._leads(leader))
        await other.program.start()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(node.program.watch()) for node in self.nodes]
            feeds = list(self.served.feeds.values())
            await self._until("first polls", lambda: all(wire.known for wire in feeds))
            await self._until("the second to wait", lambda: self._waits(other))
            publishing = group.create_task(self._publish())
            await asyncio.sleep(1)
            await self._cut_leader(leader, other)
            if self.plan.standby:
                await self._cut_standby(leader, other)
            publishing.cancel()
            await wait_until(lambda: not self.ledger.missing, _PATIENCE)
            await asyncio.sleep(2)  # for what comes twice
            for task in tasks:
                task.cancel()
        for node in self.nodes:
            await node.program.kill()
        self.report.kept_twice = value(self.url, KEPT_TWICE) or 0
        self.report.count = self.ledger.count()
        return self.report

    async def _cut_leader(self, leader: _Node, other: _Node) -> None:
        self._note(f"cut the leader off: {self.plan.how}")
        began = time.monotonic()
        leader.cable.cut(self.plan.how)
        await self._until("the other to lead", lambda: self._leads(other))
        led = time.monotonic()
        self.report.took_over = led - began
        await asyncio.sleep(self.plan.leader)
        self._note("mend")
        mended = time.monotonic()
        leader.cable.mend()
        await self._until("the former leader to wait", lambda: self._waits(leader))
        self.report.found_out = time.monotonic() - mended
        self.report.in_parallel = sum(at > led for at in leader.machine.sends)

    async def _cut_standby(self, standby: _Node, leader: _Node) -> None:
        self._note(f"cut the one off that waits: {self.plan.how}")
        standby.cable.cut(self.plan.how)
        await asyncio.sleep(self.plan.standby)
        self._note("mend")
        standby.cable.mend()
        await self._until("the one that waited to be back", lambda: self._waits(standby))
        self.report.standby_led = not self._leads(leader)

    async def _publish(self) -> None:
        feeds, words = list(self.served.feeds.values()), list(self.ledger.chats_of)
        while True:
            wire = self.chance.choice(feeds)
            word = self.chance.choice(words)
            rest = headline(self.chance)
            article = self.ledger.publish(wire.name, word, rest, time.monotonic())
            wire.add(article.number, article.title, moment(), headline(self.chance, TEXT))
            await asyncio.sleep(self.chance.expovariate(2.0))

    async def _until(self, what: str, condition: Any) -> None:
        if await wait_until(condition, _PATIENCE):
            self._note(what)
            return
        logs = "\n".join(node.program.log.read_text()[-2000:] for node in self.nodes)
        raise TimeoutError(f"waited for {what}: {logs}")

    def _leads(self, node: _Node) -> bool:
        pid = str(value(self.url, LEADS) or "").rpartition(":")[2]
        return bool(pid) and pid == str(node.program.pid)

    def _waits(self, node: _Node) -> bool:
        """Whether it gave a sign of life lately, as one that does not lead."""
        names = str(value(self.url, _WAITING) or "").split()
        return any(name.endswith(f":{node.program.pid}") for name in names)


async def partition(folder: Path, plan: Plan) -> Report:
    """Run it in this folder."""
    chance, ledger = Random(plan.seed), ledger_of_three_words()
    with ExitStack() as machines:
        far = machines.enter_context(machine())
        near = [machines.enter_context(machine()) for _ in range(2)]
        cables = [
            Cable(end, far, f"to{number}", f"10.213.{number}.2", f"10.213.{number}.1")
            for number, end in enumerate(near, 1)
        ]
        for cable in cables:
            cable.connect()
        options = Options(far.inside, "*", ("host all all 10.213.0.0/16 trust",))
        server = machines.enter_context(postgres_server(options))
        async with AsyncExitStack() as stack:
            served = await stack.enter_async_context(wires(chance))
            api = await stack.enter_async_context(OutsideApi(ledger, chance))
            for person in (OPERATOR, *PRIVATES):
                api.add_private(person)
            for number in range(FEEDS):
                served.add(f"feed{number}", Mode.PLAIN, f"127.0.1.{number + 1}")
            nodes = []
            for cable in cables:
                for port in (served.port, int(api.url.rpartition(":")[2])):
                    await stack.enter_async_context(Relay(cable.near, port))
                place = folder / cable.name
                place.mkdir()
                text = config_of(_address(server, cable), api, served, ledger)
                (place / "feeds.yaml").write_text(text, encoding="utf-8")
                token = {"TELEGRAM_BOT_TOKEN": api.token}
                program = Program(place, token, inside=cable.near.inside)
                stack.push_async_callback(program.kill)
                nodes.append(_Node(cable.near, cable, program))
            url = server.address("partition").url
            return await Partition(plan, url, served, ledger, nodes, chance).run()


def _address(server: PostgresServer, cable: Cable) -> str:
    """The address of the database by this cable."""
    server.database("partition")
    return f"postgresql://newsbell@{cable.there}/partition?sslmode=disable"
