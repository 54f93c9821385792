"""CPU of a poll behind its answer on both engines: claim, decide, commit. In turn, in one process.

Polls that bring a new entry each, and a mix as of an ordinary hour. The store and what decides are
those of the program; the answers are invented and cost nothing. Asserts nothing.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from bench import poll_load
from bench.processes import cpu_of_tree
from bot.service.clock import SystemClock
from bot.store.stores import OpenStore, PostgresStore, SqliteStore

if TYPE_CHECKING:
    from postgres_server import PostgresServer

    from bot.feeds.batch import BatchCommitter

#: kinds of polls by the name of their mix
MIXES = {"one new entry": poll_load.NEWS, "mixed": poll_load.MIXED}


@dataclass
class Side:
    """An engine with all that polls need, and what it used."""

    name: str
    store: OpenStore
    committer: BatchCommitter
    maker: poll_load.PollMaker
    server: int  #: id of the server's process; 0 for none

    async def poll_all(self, kinds: tuple[str, ...]) -> dict[str, float]:
        """Poll every feed once; CPU seconds of claims, of commits, and of the server."""
        await poll_load.make_all_due(self.store, datetime.now(UTC) - timedelta(minutes=1))
        used = {"polls": 0.0, "claim": 0.0, "commit": 0.0}
        before = cpu_of_tree(self.server) if self.server else 0.0
        now = datetime.now(UTC)
        while True:
            began = process_time()
            feeds = await self.store.polls.claim_feeds(
                now, poll_load.BATCH, poll_load.LEASE, (), poll_load.SHARE
            )
            used["claim"] += process_time() - began
            if not feeds:
                break
            polls = self.maker.polls(feeds, kinds, datetime.now(UTC))
            began = process_time()
            used["polls"] += len(await self.committer.commit(polls))
            used["commit"] += process_time() - began
        used["server"] = cpu_of_tree(self.server) - before if self.server else 0.0
        return used


async def measure(
    folder: Path, server: PostgresServer | None, feeds: int, rounds: int
) -> list[dict[str, Any]]:
    """Return CPU milliseconds of a poll by mix and engine; the first round of each warms up."""
    rows: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        stores: list[tuple[str, OpenStore, int]] = [
            ("SQLite", SqliteStore(folder / "engine_polls.db"), 0)
        ]
        if server is not None:
            address = server.database("engine_polls")
            stores.append(("PostgreSQL", PostgresStore(address), server.pid))
        sides = [
            await _side(name, await stack.enter_async_context(store), pid, feeds)
            for name, store, pid in stores
        ]
        for mix, kinds in MIXES.items():
            sums = {
                side.name: dict.fromkeys(("polls", "claim", "commit", "server"), 0.0)
                for side in sides
            }
            for turn in range(rounds + 1):
                for side in sides if turn % 2 else sides[::-1]:
                    used = await side.poll_all(kinds)
                    for name, value in used.items() if turn else ():
                        sums[side.name][name] += value
            rows += [_row(mix, name, sum_) for name, sum_ in sums.items()]
    return rows


async def _side(name: str, store: OpenStore, server: int, feeds: int) -> Side:
    await poll_load.subscribe(store)
    await poll_load.fill(store, 1, feeds, datetime.now(UTC))
    committer = poll_load.committer(store, SystemClock(), await poll_load.index_of(store))
    await committer.restore()
    return Side(name, store, committer, poll_load.PollMaker(), server)


def _row(mix: str, engine: str, used: dict[str, float]) -> dict[str, Any]:
    polls = used["polls"]
    claim, commit, server = (1000 * used[part] / polls for part in ("claim", "commit", "server"))
    return {
        "part": "polls",
        "mix": mix,
        "engine": engine,
        "polls": int(polls),
        "claim_ms": claim,
        "commit_ms": commit,
        "server_ms": server,
        "whole_ms": claim + commit + server,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table."""
    lines = [
        "| polls | engine | number | claim, ms | decide and commit, ms | server, ms | CPU a poll |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        "| {mix} | {engine} | {polls:,} | {claim_ms:.2f} | {commit_ms:.2f} | {server_ms:.2f} "
        "| {whole_ms:.2f} ms |".format(**row)
        for row in rows
    ]
    return "\n".join(lines)
