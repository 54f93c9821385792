"""What a claim and a commit of a hundred feeds cost, the more feeds there are.

Rows of feeds alone: two of a host, and a tenth of all at one host, as a large platform has them.
Where some thousand are due, as at any moment, and where all are, as after an outage. On PostgreSQL
claims are those of a node among several. The server's own counters say how many rows were read
without an index. Asserts nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from support import NOON, ManualClock

from bench import poll_load
from bench.processes import cpu_of_tree
from bot.query.index import Index
from bot.store.stores import OpenStore, PostgresStore, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from postgres_server import PostgresServer

DUE = 2000  #: feeds that are due where not all are
TURNS = 5  #: claims that count, and commits
_SECOND = timedelta(seconds=1)
_READ_ALL = "select seq_tup_read from pg_stat_user_tables where relname = 'feeds'"


@dataclass
class Growing:
    """A database that gets ever more feeds."""

    engine: str
    store: OpenStore
    server: int = 0  #: id of the server's process
    feeds: int = 0

    async def grow(self, feeds: int, at: datetime) -> float:
        """Add feeds, of which some are due at a time and all others an hour later; the seconds."""
        began = perf_counter()
        if self.feeds:
            await poll_load.make_all_due(self.store, at + timedelta(hours=1))
        await poll_load.fill(self.store, self.feeds + 1, feeds, at, DUE)
        if self.server:  # as autovacuum does after a while
            await self._do("analyze")
        self.feeds = feeds
        return perf_counter() - began

    async def measure(self, due: str, clock: ManualClock) -> dict[str, Any]:
        """Return CPU milliseconds of a claim and of a commit of a hundred feeds."""
        committer = poll_load.committer(self.store, clock, Index({}))
        maker, used = poll_load.PollMaker(), {"claim": [0.0, 0.0], "commit": [0.0, 0.0]}
        feeds = 0
        for turn in range(TURNS + 1):
            began = self._used()
            claimed = await self.store.polls.claim_feeds(
                clock.now(), poll_load.BATCH, poll_load.LEASE, (), poll_load.SHARE
            )
            after_claim = self._used()
            polls = maker.polls(claimed, poll_load.UNCHANGED, clock.now())
            before_commit = self._used()
            await committer.commit(polls)
            after_commit = self._used()
            clock.advance(_SECOND)
            if not turn:  # statements are planned, and caches filled
                continue
            feeds += len(claimed)
            for name, before, after in (
                ("claim", began, after_claim),
                ("commit", before_commit, after_commit),
            ):
                for place in (0, 1):
                    used[name][place] += after[place] - before[place]
        scale = 1000 * poll_load.BATCH / max(1, feeds)
        return {
            "part": "growth",
            "engine": self.engine,
            "feeds": self.feeds,
            "due": due,
            "polled": feeds,
            "claim_ms": scale * used["claim"][0],
            "claim_server_ms": scale * used["claim"][1],
            "commit_ms": scale * used["commit"][0],
            "commit_server_ms": scale * used["commit"][1],
        }

    def _used(self) -> tuple[float, float]:
        """CPU seconds of this process, and of the server."""
        return process_time(), cpu_of_tree(self.server) if self.server else 0.0

    async def read_without_index(self) -> int | None:
        """Return how many rows of feeds the server ever read one after another."""
        if not self.server:
            return None
        await asyncio.sleep(1.1)  # a connection tells its counts once a second
        await self._do("select 1")
        rows = await self.store._writer.fetch("look", _READ_ALL)  # noqa: SLF001 (no method does)
        return int(rows[0][0])

    async def _do(self, statement: str) -> None:
        await self.store._writer.run(  # noqa: SLF001 (no method does that)
            "look after the tables", lambda db: db.execute(statement)
        )


async def measure(
    folder: Path, server: PostgresServer | None, sizes: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the costs at each number of feeds, the smallest first, engine by engine."""
    rows: list[dict[str, Any]] = []
    async with SqliteStore(folder / "growth.db") as file:
        rows += await _measure(Growing("SQLite", file), sizes)
    if server is not None:
        async with PostgresStore(server.database("growth"), "bench:1") as store:
            rows += await _measure(Growing("PostgreSQL", store, server.pid), sizes)
    return rows


async def _measure(growing: Growing, sizes: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for day, size in enumerate(sizes):
        at = NOON + timedelta(days=day)
        filling = await growing.grow(size, at)
        before = await growing.read_without_index()
        clock = ManualClock(at + _SECOND)
        some = await growing.measure("some", clock)
        clock.advance(timedelta(hours=2))
        all_due = await growing.measure("all", clock)
        after = await growing.read_without_index()
        read = None if before is None or after is None else after - before
        rows += [
            row | {"filling_s": filling, "rows_without_index": read} for row in (some, all_due)
        ]
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table."""
    head = (
        "| engine | feeds | due | claim of 100, ms | server, ms | commit of 100, ms | server, ms "
        "| rows read without an index |"
    )
    lines = [
        head,
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        read = row["rows_without_index"]
        server = (
            ("", "")
            if read is None
            else (f"{row['claim_server_ms']:.0f}", f"{row['commit_server_ms']:.0f}")
        )
        lines.append(
            f"| {row['engine']} | {row['feeds']:,} | {row['due']} | {row['claim_ms']:.1f} "
            f"| {server[0]} | {row['commit_ms']:.1f} | {server[1]} "
            f"| {'' if read is None else format(read, ',')} |"
        )
    return "\n".join(lines)
