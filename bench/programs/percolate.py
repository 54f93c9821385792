"""A percolator in a process of its own: takes commands on standard input, answers in lines of JSON.

All times are processor times of the thread, so that other work on the machine counts little.
`pass` matches the sample once; `change` adds, alters and removes subscriptions (newsbell only).
Judges nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import math
import os
import pickle
import statistics
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.entries import Entry, spread
from bench.programs.percolators import Newsbell, Percolator, build
from bench.queries import Query
from bot.service.garbage import settle, unsearched

#: how many subscriptions are added, altered and removed
CHANGES = 500
#: ids from here on belong to no query of the data
_FRESH = 10_000_000
#: seconds after which the first pass of a peer stops; later passes go as far as it did
PATIENCE = 2.0
#: the same of newsbell: news that came before make the words of later ones known, as in a service
OWN_PATIENCE = 60.0
#: how many queries are parsed to count their terms
_PARSED = 2000


@dataclass(frozen=True)
class Data:
    """What every program is options."""

    entries: list[Entry]
    #: the queries are of their words, and newsbell has stored them before; they are not matched
    stored: list[Entry]
    #: 2 * CHANGES more than the largest size
    queries: list[Query]
    words: list[str]


def main() -> None:
    """Build, print the facts of that, and answer until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("size", type=int)
    parser.add_argument("entries", type=int)
    parser.add_argument("data", type=Path)
    parser.add_argument("--core", type=int, required=True)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.core})
    with options.data.open("rb") as file:
        data: Data = pickle.load(file)
    program, facts = build_measured(options.name, data, options.size)
    print(json.dumps(facts), flush=True)
    entries = spread(data.entries, options.entries)
    patience = OWN_PATIENCE if isinstance(program, Newsbell) else PATIENCE
    for line in sys.stdin:
        if line.strip() == "change" and isinstance(program, Newsbell):
            answer = changes(program, data.queries[-2 * CHANGES :], entries)
        else:
            answer = one_pass(program, entries, patience)
            entries, patience = entries[: answer["entries"]], math.inf
        print(json.dumps(answer), flush=True)


def build_measured(name: str, data: Data, size: int) -> tuple[Percolator, dict[str, Any]]:
    """Return the program and its costs: seconds, bytes of resident memory, terms a query.

    A small newsbell is built and used before, so that its grammar, dictionaries and stemmers are
    not counted with the terms.
    """
    facts: dict[str, Any] = {}
    if name == "newsbell":
        first = build(name, data, 100)
        for entry in spread(data.entries, 50):
            first.match([entry])
        del first
        facts["terms"] = terms_a_query(data.queries[:size])
    gc.collect()
    before = resident_bytes()
    started = time.thread_time()
    with unsearched() if name == "newsbell" else nullcontext():  # as `newsbell run` builds it
        program = build(name, data, size)
    facts["built"] = time.thread_time() - started
    gc.collect()
    if name == "newsbell":
        settle()
    facts["bytes"] = resident_bytes() - before
    return program, facts


def one_pass(program: Percolator, entries: list[Entry], patience: float) -> dict[str, Any]:
    """Match every entry, or those that `patience` seconds allow; ns and hits by batch."""
    batches = [
        entries[place : place + program.batch] for place in range(0, len(entries), program.batch)
    ]
    times: list[int] = []
    hits: list[int] = []
    clock, match = time.thread_time_ns, program.match
    limit = clock() + patience * 1e9
    for batch in batches:
        before = clock()
        if before > limit:
            break
        count = match(batch)
        times.append(clock() - before)
        hits.append(count)
    return {"entries": min(len(entries), len(times) * program.batch), "ns": times, "hits": hits}


def changes(program: Newsbell, queries: list[Query], entries: list[Entry]) -> dict[str, Any]:
    """Add, alter and remove subscriptions: microseconds of each, and of the next match.

    An index may postpone its work to the next match: that is its difference to the match after it.
    """
    spent: dict[str, list[int]] = {"add": [], "alter": [], "remove": [], "next match": []}
    clock = time.thread_time_ns
    for number in range(CHANGES):
        moments = [clock()]
        program.set(_FRESH + number, queries[number].text)
        moments.append(clock())
        program.set(_FRESH + number, queries[CHANGES + number].text)
        moments.append(clock())
        program.index.remove(_FRESH + number)
        moments.append(clock())
        for name, (sooner, later) in zip(
            ("add", "alter", "remove"), pairwise(moments), strict=True
        ):
            spent[name].append(later - sooner)
    limit = clock() + PATIENCE * 1e9
    for number, query in enumerate(queries[:CHANGES]):
        if number > 2 and clock() > limit:
            break
        entry = [entries[number % len(entries)]]
        program.match(entry)
        program.set(_FRESH, query.text)
        moments = [clock()]
        program.match(entry)
        moments.append(clock())
        program.match(entry)
        spent["next match"].append(moments[1] - moments[0] - (clock() - moments[1]))
    program.index.remove(_FRESH)
    return {
        name: {
            "median": statistics.median(values) / 1000,
            "p99": statistics.quantiles(values, n=100, method="inclusive")[98] / 1000,
        }
        for name, values in spent.items()
    }


def terms_a_query(queries: list[Query]) -> float:
    """Return the mean number of terms (words, phrases, prefixes, names) of a sample of queries."""
    from bot.query.parser import parse  # noqa: PLC0415 (the peers' processes stay free of it)

    sample = queries[:: max(1, len(queries) // _PARSED)]
    return sum(_leaves(parse(query.text)) for query in sample) / len(sample)


def _leaves(node: Any) -> int:
    from bot.query.tree import Leaf  # noqa: PLC0415

    if isinstance(node, Leaf):
        return 1
    values = [getattr(node, part.name) for part in dataclasses.fields(node)]
    flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return sum(_leaves(item) for item in flat if dataclasses.is_dataclass(item))


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


if __name__ == "__main__":
    main()
