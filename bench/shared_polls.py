"""How many polls several nodes take a second from one PostgreSQL, and what is used up first.

Nodes are processes that claim feeds, keep what brought nothing and hand the others over, as a
newsbell does that waits; one more takes in and decides, as the one that leads. The answers are
invented and cost nothing: what is measured is the share of the work that the database sees.
Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any

import uvloop

from bench import poll_load
from bench.command_line import ROOT
from bench.processes import cpu_of_tree
from bot import __version__
from bot.feeds.handover import HandoverCommitter, Intake
from bot.model.database_address import PostgresAddress
from bot.service import logs
from bot.service.clock import SystemClock
from bot.store.stores import PostgresStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres_server import PostgresServer

_IDLE = 0.02  # seconds between two looks of the one that leads


async def run_node(name: str, url: str, seconds: float) -> dict[str, float]:
    """Claim and poll for a time, or until nothing is due; what was done, and the CPU of it."""
    number = int(name.rpartition(":")[2])
    store = PostgresStore(PostgresAddress(url), name, leads=False)
    maker, clock = poll_load.PollMaker(number), SystemClock()
    async with store:
        committer = HandoverCommitter(
            store.nodes,
            store.polls,
            clock,
            Random(number),
            index=await poll_load.index_of(store),
            node=name,
            version=__version__,
        )
        _say("ready")
        sys.stdin.readline()
        began, used, making = monotonic(), process_time(), 0.0
        claims = polls = kept = 0
        while monotonic() < began + seconds:
            feeds = await store.polls.claim_feeds(
                clock.now(), poll_load.BATCH, poll_load.LEASE, (), poll_load.SHARE
            )
            if not feeds:
                break
            at = process_time()
            made = maker.polls(feeds, poll_load.MIXED, clock.now())
            making += process_time() - at
            kept += len(await committer.commit(made))
            claims, polls = claims + 1, polls + len(made)
        return {
            "seconds": monotonic() - began,
            "cpu": process_time() - used - making,
            "claims": claims,
            "polls": polls,
            "kept": kept,
        }


async def run_leader(url: str, seconds: float) -> dict[str, float]:
    """Take in and decide for a time, then all that is left; what was done, and the CPU of it."""
    store = PostgresStore(PostgresAddress(url), "leader:0")
    async with store:
        index = await poll_load.index_of(store)
        committer = poll_load.committer(store, SystemClock(), index)
        await committer.restore()
        intake = Intake(store.nodes, committer, lambda _: None, __version__)
        _say("ready")
        sys.stdin.readline()
        began, used, decided = monotonic(), process_time(), 0
        while monotonic() < began + seconds:
            taken = await intake.take_in()
            decided += taken
            if not taken:
                await asyncio.sleep(_IDLE)
        result = {"decided": decided, "cpu": process_time() - used}
        _say(json.dumps(result))
        sys.stdin.readline()  # the nodes have ended
        began, used, left = monotonic(), process_time(), 0
        while taken := await intake.take_in():
            left += taken
        return {
            "left": left,
            "left_seconds": monotonic() - began,
            "left_cpu": process_time() - used,
        }


def _say(text: str) -> None:
    print(text, flush=True)


class _Child:
    """A process that does one part, and waits for a word before each step."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "bench.shared_polls", *arguments]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe)

    def tell(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Wait for what it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"a process of the bench ended early, exit {self._process.wait()}")
        return line

    def end(self) -> None:
        """End it where it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@contextmanager
def _children(url: str, nodes: int, seconds: float) -> Iterator[list[_Child]]:
    shared = ("--url", url, "--seconds", str(seconds))
    children = [_Child("--leader", *shared)]
    try:
        children += [_Child("--node", f"node:{number}", *shared) for number in range(1, nodes + 1)]
        yield children
    finally:
        for child in children:
            child.end()


async def measure(
    server: PostgresServer, counts: list[int], feeds: int, seconds: float
) -> list[dict[str, Any]]:
    """Return the rates of that many nodes, and the cores that each kind of process used."""
    rows: list[dict[str, Any]] = []
    for nodes in counts:
        address = server.database(f"shared_polls_{nodes}")
        async with PostgresStore(address) as store:
            await poll_load.subscribe(store)
            await poll_load.fill(store, 1, feeds, datetime.now(UTC) - timedelta(hours=1), feeds)
            await store._writer.run(  # noqa: SLF001 (as the server does by itself after a while)
                "look at sizes", lambda db: db.execute("analyze")
            )
        rows.append(_run(server, address.url, nodes, seconds))
    return rows


def _run(server: PostgresServer, url: str, count: int, seconds: float) -> dict[str, Any]:
    with _children(url, count, seconds) as (leader, *nodes):
        for child in (leader, *nodes):
            child.hear()
        before = cpu_of_tree(server.pid)
        for child in (leader, *nodes):
            child.tell()
        did = [json.loads(node.hear()) for node in nodes]
        decided = json.loads(leader.hear())
        used = cpu_of_tree(server.pid) - before
        leader.tell()
        left = json.loads(leader.hear())
    polls = sum(node["polls"] for node in did)
    length = max(node["seconds"] for node in did)
    cpu = sum(node["cpu"] for node in did)
    news = decided["decided"] + left["left"]
    return {
        "part": "nodes",
        "nodes": count,
        "seconds": length,
        "claims_a_second": sum(node["claims"] for node in did) / length,
        "polls_a_second": polls / length,
        "kept_a_second": sum(node["kept"] for node in did) / length,
        "handed_over_a_second": (polls - sum(node["kept"] for node in did)) / length,
        "decided_a_second": decided["decided"] / seconds,
        "node_ms": 1000 * cpu / polls,
        "leader_ms": 1000 * (decided["cpu"] + left["left_cpu"]) / max(1, news),
        "server_ms": 1000 * used / polls,
        "node_cores": cpu / length,
        "leader_cores": decided["cpu"] / seconds,
        "server_cores": used / length,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table."""
    head = (
        "| nodes | claims/s | polls claimed/s | kept by nodes/s | handed over/s | decided/s "
        "| cores: nodes | leader | server | CPU a poll: node | server | an article: leader |"
    )
    lines = [
        head,
        "|---:|" + "---:|" * 11,
    ]
    lines += [
        "| {nodes} | {claims_a_second:.1f} | {polls_a_second:,.0f} | {kept_a_second:,.0f} "
        "| {handed_over_a_second:,.0f} | {decided_a_second:,.0f} | {node_cores:.2f} "
        "| {leader_cores:.2f} | {server_cores:.2f} | {node_ms:.2f} ms | {server_ms:.2f} ms "
        "| {leader_ms:.2f} ms |".format(**row)
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Be one of the processes."""
    parser = argparse.ArgumentParser(description="a process of bench.engines")
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--node", default="", help="its name; else it leads")
    parser.add_argument("--leader", action="store_true")
    asked = parser.parse_args()
    logs.use_standard_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if asked.leader:
            done = runner.run(run_leader(asked.url, asked.seconds))
        else:
            done = runner.run(run_node(asked.node, asked.url, asked.seconds))
    _say(json.dumps(done))


if __name__ == "__main__":
    main()
