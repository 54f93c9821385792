"""Matching, measured: newsbell's index and its peers over the same entries, with ever more queries, one core, interleaved rounds.

    python -m bench.percolator [--sizes 100,1000,10000,100000] [--rounds 3] [--entries 2000] [--json FILE]

Every program has a process of its own and is warm before it is timed: it has matched the whole sample once. newsbell's time
holds all from the raw title and summary to the places that matched: cutting, folding, stemming, matching, spans.
A program that is slow gets as many entries as it can do in a few seconds; every beginning of their list is a like sample.
Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import entries as corpus
from bench.cycle import machine
from bench.percolator_figures import OURS, Run, aims, inside_table, table
from bench.programs.percolate import CHANGES, Data
from bench.queries import Maker, vocabularies

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = (OURS, "floor", "regex", "fts5")
#: the largest size that a program is asked at; beyond, one pass would take minutes
MOST = {"regex": 10_000}
_SEED = 20260218


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="matching of newsbell and its peers")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[100, 1000, 10_000, 100_000],
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--entries", type=int, default=2000, help="entries of one pass")
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--json", type=Path, help="write every run there")
    given = parser.parse_args()
    if unknown := set(given.programs.split(",")) - set(PROGRAMS):
        parser.error(f"no program {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    return given


def prepared(largest: int) -> tuple[Data, str]:
    """Read the entries and make the queries: every fourth entry gives words to the queries and is not matched."""
    entries, origin = corpus.load(ROOT)
    stored = entries[::4]
    maker = Maker(vocabularies(f"{entry.title}\n{entry.summary}" for entry in stored), _SEED)
    matched = [entry for place, entry in enumerate(entries) if place % 4]
    return Data(matched, stored, maker.queries(largest + 2 * CHANGES), maker.words(largest)), origin


class Process:
    """A percolator that waits for questions."""

    def __init__(self, name: str, size: int, entries: int, data: Path) -> None:
        """Start it on the last core, and wait until it is built."""
        self.name = name
        core = max(os.sched_getaffinity(0))
        command = [
            sys.executable,
            "-m",
            "bench.programs.percolate",
            name,
            str(size),
            str(entries),
            str(data),
            "--core",
            str(core),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe
        )
        self.facts = self._answer()

    def ask(self, question: str) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended early, exit {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(given: argparse.Namespace, size: int, data: Path) -> list[Run]:
    """Run every program at one size: one pass to warm up, then the rounds, the programs one after another in turning order."""
    names = [name for name in given.programs.split(",") if size <= MOST.get(name, size)]
    processes = [Process(name, size, given.entries, data) for name in names]
    cold = {process.name: process.ask("pass") for process in processes}
    passes: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(given.rounds):
        start = turn % len(processes)
        for process in processes[start:] + processes[:start]:
            passes[process.name].append(process.ask("pass"))
    runs: list[Run] = []
    for process in processes:
        changed = process.ask("change") if process.name == OURS else {}
        process.end()
        first, times = cold[process.name], [one["ns"] for one in passes[process.name]]
        runs.append(
            Run(
                process.name,
                size,
                first["entries"],
                first["ns"],
                times,
                first["hits"],
                process.facts,
                changed,
            )
        )
        print(
            f"{size:7,} {process.name:8} {runs[-1].rate:10,.0f} entries/s, built in {process.facts['built']:.1f} s"
        )
    return runs


def main() -> None:
    """Measure, print the tables and the aims, write the runs."""
    given = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    host = machine()
    print(
        f"{host['cpu']}, {host['cores']} cores, Python {host['python']}; one core for the programs"
    )
    data, origin = prepared(max(given.sizes))
    given.entries = min(given.entries, len(data.entries))
    print(
        f"{origin}; every fourth gives its words to the queries, {given.entries:,} of the others are matched\n"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "data"
        path.write_bytes(pickle.dumps(data))
        runs = [run for size in given.sizes for run in measure(given, size, path)]
    print(f"\n{table(runs)}\n\n{inside_table(runs)}\n")
    for aim in aims(runs):
        print(f"* {aim}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        record = {"machine": host, "corpus": origin, "runs": [run.record() for run in runs]}
        given.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
