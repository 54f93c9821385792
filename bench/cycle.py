"""The poll cycle, measured: newsbell and its peers over the same local feeds, one core, one interleaved run.

    python -m bench.cycle [--feeds 1000] [--rounds 3] [--programs newsbell,reader,plain,alone] [--json FILE]

Each program first polls everything cold; what it then knows is kept, and every later phase of every round begins from
a copy of that. So no phase leans on another, and every program meets the same bytes and the same new items.
Peers that parse every body get fewer feeds, else a run would take half an hour: the table says how many, and `--full`
gives them all. Loopback and plain HTTP only: no DNS, no latency, no TLS. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.figures import OURS, Run, remarks, table
from bench.runner import ROOT, Bench, Program, ProgramError, started_wire

#: the mode of feed number K in each phase is that of place K modulo the length
PHASES: dict[str, tuple[str, ...]] = {
    "cold": ("validators",),
    "304": ("validators",),
    "unchanged": ("bare",),
    "new": ("new",),
    "mixed": (*("validators",) * 6, *("bare",) * 3, "new"),
}
#: phases in which a peer parses every body
_PARSED = ("unchanged", "new")


def programs(reader: Path) -> dict[str, Program]:
    """Return every program there may be, by name."""
    folder = ROOT / "bench" / "programs"
    ours, theirs = Path(sys.executable), reader / "bin" / "python"
    make = "`make -f bench/reader.mk reader-env` builds its environment, `--reader-env` names another place"
    return {
        OURS: Program(
            OURS,
            ours,
            folder / "newsbell_cycle.py",
            1,
            "bench/programs/newsbell_cycle.py is not there",
        ),
        "reader": Program("reader", theirs, folder / "reader_peer.py", 1, make),
        "reader10": Program("reader10", theirs, folder / "reader_peer.py", 10, make),
        "plain": Program("plain", ours, folder / "plain_loop.py", 1, ""),
        "alone": Program("alone", ours, folder / "feedparser_alone.py", 1, ""),
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="poll cycle of newsbell and its peers")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--programs", default="newsbell,reader,plain,alone", help="also: reader10 (ten threads)"
    )
    parser.add_argument(
        "--peer-feeds", type=int, default=460, help="feeds of a peer that keeps validators"
    )
    parser.add_argument(
        "--parse-feeds", type=int, default=92, help="feeds where a peer parses every body"
    )
    parser.add_argument("--full", action="store_true", help="all feeds for all programs")
    parser.add_argument("--reader-env", type=Path, default=ROOT / ".venv-reader")
    parser.add_argument("--json", type=Path, help="write every run there")
    return parser.parse_args()


def machine() -> dict[str, str | int]:
    """Return what the figures hold for."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        cpu = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu
        )
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def share(given: argparse.Namespace, program: str, phase: str) -> int:
    """Return how many of the feeds a program polls in a phase."""
    feeds: int = given.feeds
    if given.full or program == OURS:
        return feeds
    peer: int = given.parse_feeds if program == "alone" or phase in _PARSED else given.peer_feeds
    return min(feeds, peer)


def present(given: argparse.Namespace) -> list[Program]:
    """Return the programs asked for that can run; say how to get the others."""
    known = programs(given.reader_env)
    found: list[Program] = []
    for name in given.programs.split(","):
        if name not in known:
            sys.exit(f"no program {name}; there are {', '.join(known)}")
        if known[name].python.exists() and known[name].script.exists():
            found.append(known[name])
        else:
            print(f"{name}: skipped: {known[name].remedy}")
    return found


def measure(given: argparse.Namespace, bench: Bench, asked: list[Program]) -> list[Run]:
    """Run every phase of every round, the programs of a phase one after another, in turning order."""
    runs: list[Run] = []
    able = list(asked)
    for turn in range(given.rounds + 1):
        for phase in PHASES if turn == 0 else list(PHASES)[1:]:
            if turn == 0 and phase != "cold":
                break
            places = PHASES[phase]
            bench.begin(f"r{turn}{phase}", [places[k % len(places)] for k in range(given.feeds)])
            start = turn % max(1, len(able))
            for program in able[start:] + able[:start]:
                try:
                    run = bench.run(program, phase, turn, share(given, program.name, phase))
                except ProgramError as failure:
                    print(f"{program.name}: dropped in {phase}, round {turn}: {failure}")
                    able.remove(program)
                    continue
                runs.append(run)
                rate, cost = run.feeds / run.seconds, 1000 * run.cpu / run.feeds
                print(
                    f"round {turn} {phase:9} {program.name:8} {run.feeds:5} feeds {rate:8.0f}/s {cost:7.2f} ms CPU"
                )
    return runs


def main() -> None:
    """Measure, print the table, write the runs."""
    given = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    host = machine()
    print(
        f"{host['cpu']}, {host['cores']} cores, Python {host['python']}; one core for the programs"
    )
    asked = present(given)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        started_wire(given.feeds) as (wire, about),
    ):
        print(
            f"{about['corpus']}; served: mean {about['served_kb']:.0f} KB, {about['gzip_kb']:.0f} KB in gzip\n"
        )
        runs = measure(given, Bench(wire, Path(folder)), asked)
    print(f"\n{table(runs, PHASES, [program.name for program in asked])}\n")
    print(
        "Medians of rounds; cold is one round. Where a program has fewer feeds, they are the first of the same list."
    )
    for remark in remarks(runs):
        print(f"* {remark}")
    if given.json:
        record = {
            "machine": host,
            "wire": about,
            "programs": [p.name for p in asked],
            "runs": [*map(asdict, runs)],
        }
        given.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
