"""What it costs to keep what was decided about matches, beside a commit without it.

    python -m bench.records [--entries 3000] [--matches 2]

Commits polls of one new entry with an alert to an empty database, in turn with and without the
records of its matches, and weighs the table of records. The time is that of the processor, of the
store's thread alone; fetching, parsing and grouping come on top of a poll. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench.age import CHATS, NOW, configuration, placed
from bench.command_line import parse, write_record
from bot.model.alerts import AlertIntent, Fate, MatchRecord
from bot.model.entries import Match
from bot.model.feeds import FeedState
from bot.model.poll import FeedCommit
from bot.store.stores import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

_STATE = FeedState(next_poll_at=NOW, baseline_at=NOW)
_SIZE = "select sum(pgsize) from dbstat where name = 'match_records'"


async def measure(path: Path, entries: int, matches: int) -> dict[str, Any]:
    """Return the median seconds of a commit, and the bytes of a record."""
    random, seconds = Random(1), dict[bool, list[float]]({True: [], False: []})
    async with SqliteStore(path) as store:
        await store.config.sync(configuration(), NOW)
        for number in range(1, entries + 1):
            is_recorded = bool(number % 2)
            commit = _commit(number, matches if is_recorded else 0, random)
            seconds[is_recorded].append(await _timed(store, commit))
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("select count(*) from match_records").fetchone()[0]
        size = connection.execute(_SIZE).fetchone()[0]
    plain, recorded = (statistics.median(seconds[kind]) for kind in (False, True))
    return {
        "entries": entries,
        "matches": matches,
        "commit_us": 1e6 * plain,
        "with_records_us": 1e6 * recorded,
        "share": recorded / plain - 1,
        "bytes": size / kept,
    }


def _commit(number: int, matches: int, random: Random) -> FeedCommit:
    new = placed(number, 1)
    chat = 1 + number % CHATS
    records = tuple(
        MatchRecord(number, 1 + random.randrange(CHATS), each, Fate.JOINS, max(1, number - each))
        for each in range(1, matches + 1)
    )
    alert = AlertIntent(chat, number, number, (Match(1),))
    return FeedCommit(1, _STATE, new=(new,), alerts=(alert,), records=records)


async def _timed(store: SqliteStore, commit: FeedCommit) -> float:
    """Commit, and return the seconds of the processor that the transaction took."""
    run, took = store._writer.run, 0.0  # noqa: SLF001 (a probe)

    async def timed(doing: str, work: Callable[[Any], Any]) -> Any:
        def measured(db: Any) -> Any:
            nonlocal took
            began = time.thread_time()
            try:
                return work(db)
            finally:
                took = time.thread_time() - began

        return await run(doing, measured)

    store._writer.run = timed  # type: ignore[method-assign]  # noqa: SLF001 (a probe)
    try:
        await store.polls.commit([commit], NOW)
    finally:
        store._writer.run = run  # type: ignore[method-assign]  # noqa: SLF001 (a probe)
    return took


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="records of matches")
    parser.add_argument("--entries", type=int, default=3000)
    parser.add_argument("--matches", type=int, default=2, help="of an entry")
    options = parse(parser, {"entries": 40})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "newsbell.db"
        row = asyncio.run(measure(path, options.entries, options.matches))
    print(
        f"{row['matches']} matches an entry: commit {row['commit_us']:.0f} µs, with records "
        f"{row['with_records_us']:.0f} µs ({row['share']:+.1%}); {row['bytes']:.1f} bytes a match"
    )
    write_record(options, [row])


if __name__ == "__main__":
    main()
