"""Matching, measured: newsbell's index and its peers over the same entries, with ever more queries.

    python -m bench.percolator [--sizes 100,1000,10000,100000] [--rounds 3] [--entries 2000]

On one core, the rounds interleaved. Every program has a process of its own and has matched the
whole sample once before it is timed. The time of newsbell has everything from the raw title and
summary to the spans that matched: tokens, folding, stemming, matching, spans. A slow program gets
as many entries as it can match in a few seconds; every beginning of their list is such a sample.
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
from bench.aims import table as aims_table
from bench.command_line import DATA, ROOT, describe_machine, parse, write_record
from bench.percolator_figures import OURS, Run, aims, inside_table, table
from bench.programs.percolate import CHANGES, Data
from bench.queries import Maker, vocabularies

PROGRAMS = (OURS, "words", "regex", "fts5")
#: the largest size of a program; beyond, one pass would take minutes
LARGEST = {"regex": 10_000}
SMALL = {"sizes": [100], "rounds": 1, "entries": 20, "data": None, "invented": 10}
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
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real documents")
    parser.add_argument(
        "--invented",
        type=int,
        default=corpus.INVENTED,
        help="documents where there are no real ones",
    )
    options = parse(parser, SMALL)
    if unknown := set(options.programs.split(",")) - set(PROGRAMS):
        parser.error(f"no program {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    return options


def prepare(largest: int, data: Path | None, invented: int) -> tuple[Data, str]:
    """Read the entries and make queries from the words of every fourth, which is not matched."""
    entries, origin = corpus.load(data, invented)
    stored = entries[::4]
    maker = Maker(vocabularies(f"{entry.title}\n{entry.summary}" for entry in stored), _SEED)
    matched = [entry for place, entry in enumerate(entries) if place % 4]
    return Data(matched, stored, maker.queries(largest + 2 * CHANGES), maker.words(largest)), origin


class Process:
    """A percolator that waits for commands."""

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

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command, and wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Close its input and wait for its end."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended early, exit {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(options: argparse.Namespace, size: int, data: Path) -> list[Run]:
    """Run every program at a size: a pass to warm up, then the rounds, each in another order."""
    names = [name for name in options.programs.split(",") if size <= LARGEST.get(name, size)]
    processes = [Process(name, size, options.entries, data) for name in names]
    cold = {process.name: process.ask("pass") for process in processes}
    passes: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(options.rounds):
        start = turn % len(processes)
        for process in processes[start:] + processes[:start]:
            passes[process.name].append(process.ask("pass"))
    runs: list[Run] = []
    for process in processes:
        changed = process.ask("change") if process.name == OURS else {}
        process.end()
        first, times = cold[process.name], [answer["ns"] for answer in passes[process.name]]
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
            f"{size:7,} {process.name:8} {runs[-1].rate:10,.0f} entries/s, "
            f"built in {process.facts['built']:.1f} s"
        )
    return runs


def main() -> None:
    """Measure, print the tables and the aims, write the runs."""
    options = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file always
    print(f"{describe_machine()}; one core for the programs")
    data, origin = prepare(max(options.sizes), options.data, options.invented)
    options.entries = min(options.entries, len(data.entries))
    print(
        f"{origin}; the queries have the words of every fourth, "
        f"{options.entries:,} of the others are matched\n"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "data"
        path.write_bytes(pickle.dumps(data))
        runs = [run for size in options.sizes for run in measure(options, size, path)]
    print(f"\n{table(runs)}\n\n{inside_table(runs)}\n")
    print(aims_table(aims(runs)))
    write_record(options, [run.record() for run in runs], corpus=origin)


if __name__ == "__main__":
    main()
