"""The poll cycle, measured: newsbell and its peers over the same local feeds, on one core.

    python -m bench.cycle [--feeds 1000] [--rounds 3] [--programs newsbell,reader,plain,alone]

Each program first polls everything cold; every later phase of every round begins from a copy of
what it then has stored. So no phase depends on another, and every program gets the same bytes and
the same new items. Peers that parse every body get fewer feeds, else a run would take half an
hour: the table says how many, and `--full` gives them all. Loopback and plain HTTP only: no DNS,
no latency, no TLS. Asserts nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.aims import table as aims_table
from bench.command_line import DATA, ROOT, describe_machine, parse, write_record
from bench.figures import OURS, Run, aims, remarks, table
from bench.runner import Bench, Program, ProgramError, started_wire

#: feed number K of a phase has the mode at place K modulo the length
PHASES: dict[str, tuple[str, ...]] = {
    "cold": ("validators",),
    "304": ("validators",),
    "unchanged": ("bare",),
    "new": ("new",),
    "mixed": (*("validators",) * 6, *("bare",) * 3, "new"),
}
#: phases in which a peer parses every body
_PARSED = ("unchanged", "new")
SMALL = {
    "feeds": 6,
    "rounds": 1,
    "programs": "newsbell,plain",
    "phases": "cold,new",
    "peer_feeds": 4,
    "parse_feeds": 2,
    "data": None,
}


def programs(reader: Path, older: Path | None = None) -> dict[str, Program]:
    """Return every program there may be, by name."""
    folder = ROOT / "bench" / "programs"
    our_python, reader_python = Path(sys.executable), reader / "bin" / "python"
    remedy = "`make -f bench/reader.mk reader-env` builds its environment, or name --reader-env"
    listed = [
        Program(OURS, our_python, folder / "newsbell_cycle.py", 1, ""),
        Program("reader", reader_python, folder / "reader_peer.py", 1, remedy),
        Program("reader10", reader_python, folder / "reader_peer.py", 10, remedy),
        Program("plain", our_python, folder / "plain_loop.py", 1, ""),
        Program("alone", our_python, folder / "feedparser_alone.py", 1, ""),
    ]
    if older is not None:  # with the packages of its own lock
        script = older / "bench" / "programs" / "newsbell_cycle.py"
        python = older / ".venv" / "bin" / "python"
        listed.append(Program("older", python, script, 1, f"`make -C {older} setup`", older))
    return {program.name: program for program in listed}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="poll cycle of newsbell and its peers")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--programs", default="newsbell,reader,plain,alone", help="also: reader10 (ten threads)"
    )
    parser.add_argument("--phases", default=",".join(PHASES), help="cold is always the first")
    parser.add_argument(
        "--peer-feeds", type=int, default=460, help="feeds of a peer that keeps validators"
    )
    parser.add_argument(
        "--parse-feeds", type=int, default=92, help="feeds where a peer parses every body"
    )
    parser.add_argument("--full", action="store_true", help="all feeds for all programs")
    parser.add_argument("--reader-env", type=Path, default=ROOT / ".venv-reader")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real documents")
    parser.add_argument(
        "--older", type=Path, help="a checkout of another commit, set up, that is run beside this"
    )
    options = parse(parser, SMALL)
    options.programs = options.programs.split(",")
    if options.older is not None:
        options.older = options.older.resolve()
        options.programs.insert(1, "older")
    options.phases = [phase for phase in PHASES if phase in options.phases.split(",")]
    return options


def feeds_of(options: argparse.Namespace, program: str, phase: str) -> int:
    """Return how many of the feeds a program polls in a phase."""
    feeds: int = options.feeds
    if options.full or program in (OURS, "older"):
        return feeds
    parses = program == "alone" or phase in _PARSED
    limit: int = options.parse_feeds if parses else options.peer_feeds
    return min(feeds, limit)


def available(options: argparse.Namespace) -> list[Program]:
    """Return the requested programs that can run; say how to get the others."""
    known = programs(options.reader_env, options.older)
    present: list[Program] = []
    for name in options.programs:
        if name not in known:
            sys.exit(f"no program {name}; there are {', '.join(known)}")
        if known[name].python.exists():
            present.append(known[name])
        else:
            print(f"{name}: skipped: {known[name].remedy}")
    return present


def measure(options: argparse.Namespace, bench: Bench, present: list[Program]) -> list[Run]:
    """Run the phases of every round, the programs of a phase in turn, each round in another order.

    Round 0 is the cold phase, the others have all the rest.
    """
    runs: list[Run] = []
    active = list(present)
    later = [phase for phase in options.phases if phase != "cold"]
    for number in range(options.rounds + 1):
        for phase in later if number else ["cold"]:
            modes = PHASES[phase]
            bench.begin(f"r{number}{phase}", [modes[k % len(modes)] for k in range(options.feeds)])
            start = number % max(1, len(active))
            for program in active[start:] + active[:start]:
                try:
                    run = bench.run(program, phase, number, feeds_of(options, program.name, phase))
                except ProgramError as error:
                    print(f"{program.name}: dropped in {phase}, round {number}: {error}")
                    active.remove(program)
                    continue
                runs.append(run)
                print(
                    f"round {number} {phase:9} {program.name:8} {run.feeds:5} feeds "
                    f"{run.feeds / run.seconds:8.0f}/s {1000 * run.cpu / run.feeds:7.2f} ms CPU"
                )
    return runs


def main() -> int:
    """Measure, print the table, write the runs; 1 if newsbell did not run to its end."""
    options = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file always
    print(f"{describe_machine()}; one core for the programs")
    present = available(options)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        started_wire(options.feeds, options.data) as (wire, about),
    ):
        print(
            f"{about['corpus']}; served: mean {about['served_kb']:.0f} KB, "
            f"{about['gzip_kb']:.0f} KB in gzip\n"
        )
        runs = measure(options, Bench(wire, Path(folder)), present)
    print(f"\n{table(runs, PHASES, [program.name for program in present])}\n")
    print(
        "Medians of rounds; cold is one round. "
        "Where a program has fewer feeds, they are the first of the same list."
    )
    for remark in remarks(runs):
        print(f"* {remark}")
    print(f"\n{aims_table(aims(runs))}")
    write_record(
        options, [asdict(run) for run in runs], wire=about, programs=[p.name for p in present]
    )
    phases = {run.phase for run in runs if run.program == OURS}
    return int(OURS in options.programs and phases != {"cold", *options.phases})


if __name__ == "__main__":
    sys.exit(main())
