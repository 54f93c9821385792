"""What the same work costs on SQLite and on PostgreSQL, and what several machines share of it.

    python -m bench.engines [--parts polls,nodes,sent,growth] [--largest 1000000]

polls: CPU of a poll behind its answer, on both engines in turn. nodes: how many polls one to four
nodes claim, keep and hand over, and how many the one that leads decides. sent: seconds from the
change of a feed to the call of the Bot API. growth: what claims and commits cost, the more feeds
there are. larger: what that means for more feeds than were measured, calculated. PostgreSQL is a
server of its own on this machine, with the durability that it is installed with; without one, its
rows are left out. Asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from postgres_server import DURABLE, postgres_server, programs

from bench import cycle as poll_cycle
from bench import engine_polls, growth, larger, sent, shared_polls
from bench.command_line import DATA, ROOT, describe_machine, machine, parse, write_record
from bench.figures import OURS
from bench.runner import Bench, started_wire
from bot.service import logs
from bot.service.build import allow_open_files

if TYPE_CHECKING:
    from postgres_server import PostgresServer

PARTS = ("polls", "nodes", "sent", "growth", "larger")
SMALL = {
    "feeds": 10,
    "rounds": 1,
    "nodes": "1",
    "due": 400,
    "seconds": 1.0,
    "newsbells": 0,
    "sending": 2.0,
    "rate": 2.0,
    "largest": 1000,
    "window": 200,
    "data": None,
}
_SATURATED = 0.85  # of the machine's cores: there is no more to have


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="both engines, and several nodes")
    parser.add_argument("--parts", default=",".join(PARTS), help="larger needs polls")
    parser.add_argument("--feeds", type=int, default=400, help="of the part polls")
    parser.add_argument("--rounds", type=int, default=4, help="of the part polls")
    parser.add_argument("--nodes", default="1,2,4", help="of the part nodes")
    parser.add_argument("--due", type=int, default=20_000, help="feeds of the part nodes")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each row of nodes")
    parser.add_argument(
        "--newsbells", type=int, default=3, help="of the part sent, at most; 0: on SQLite alone"
    )
    parser.add_argument("--sending", type=float, default=20.0, help="seconds of each row of sent")
    parser.add_argument("--rate", type=float, default=6.0, help="articles a second of sent")
    parser.add_argument("--largest", type=int, default=1_000_000, help="feeds of growth, at most")
    parser.add_argument("--window", type=int, default=50_000, help="entries of the window")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real documents")
    options = parse(parser, SMALL)
    options.parts = options.parts.split(",")
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if "larger" in options.parts and "polls" not in options.parts:
        parser.error("larger is calculated from polls")
    return options


async def measure(
    folder: Path, server: PostgresServer | None, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Run the parts, print their tables; all rows."""
    rows: list[dict[str, Any]] = []
    for part in options.parts:
        began = time.monotonic()
        title, found, text = await _part(part, rows, folder, server, options)
        rows += found
        print(f"### {title}\n\n{text}\n", flush=True)
        took = f"{part}: {time.monotonic() - began:.0f} s"
        print(took, file=sys.stderr, flush=True)
    return rows


async def _part(
    part: str,
    rows: list[dict[str, Any]],
    folder: Path,
    server: PostgresServer | None,
    options: argparse.Namespace,
) -> tuple[str, list[dict[str, Any]], str]:
    """Title, rows and text of a part; `rows` are those of the parts before."""
    absent = "There is no PostgreSQL on this machine: this part is left out."
    if part == "polls":
        found = await engine_polls.measure(folder, server, options.feeds, options.rounds)
        title = "Measured: CPU of a poll behind its answer, both engines in one run"
        return title, found, engine_polls.table(found)
    if part == "nodes":
        title = "Measured: polls of one to four nodes on one database"
        if server is None:
            return title, [], absent
        counts = [int(count) for count in options.nodes.split(",")]
        found = await shared_polls.measure(server, counts, options.due, options.seconds)
        return title, found, f"{shared_polls.table(found)}\n\n{saturated(found)}"
    if part == "sent":
        most, seconds = options.newsbells, options.sending
        found = await sent.measure(folder, server, most, seconds, options.rate)
        title = f"Measured: published to sent, feeds polled every {sent.EVERY} seconds"
        return title, found, sent.table(found)
    if part == "growth":
        sizes = [size for size in (1000, 10_000, 100_000, 1_000_000) if size <= options.largest]
        found = await growth.measure(folder, server, sizes)
        title = "Measured: claim and commit of 100 feeds, by the number of feeds"
        return title, found, growth.table(found)
    found = [whole_poll(folder, options), window(options)]
    cost = larger.costs([*rows, *found])
    text = f"{larger.table(cost)}\n\n{larger.limits(cost)}"
    return "Calculated from these figures: what so many feeds take", found, text


def saturated(rows: list[dict[str, Any]]) -> str:
    """Say what was used up where the most nodes polled."""
    most, cores = rows[-1], machine()["cores"]
    kinds = {"nodes": "node_cores", "the one that leads": "leader_cores", "server": "server_cores"}
    used = sum(most[column] for column in kinds.values())
    first = max(kinds, key=lambda kind: most[kinds[kind]])
    if used >= _SATURATED * float(cores):
        return (
            f"With {most['nodes']} nodes {used:.1f} of this machine's {cores} cores are used up, "
            f"most of them by the {first}: on machines of their own nodes take more."
        )
    return (
        f"With {most['nodes']} nodes {used:.1f} of this machine's {cores} cores are used: "
        "the others wait for the disk of the server, for its locks, or for other programs."
    )


def whole_poll(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the CPU of a poll with fetching and reading, as `bench.cycle` measures it."""
    program, cpu = poll_cycle.programs(Path())[OURS], 0.0
    with started_wire(options.feeds, options.data) as (wire, about):
        bench = Bench(wire, folder)
        for phase in ("cold", "mixed"):
            modes = poll_cycle.PHASES[phase]
            bench.begin(f"r0{phase}", [modes[k % len(modes)] for k in range(options.feeds)])
            cpu = bench.run(program, phase, 0, options.feeds).cpu
    body_kb = float(about["gzip_kb"])
    return {"part": "whole poll", "cpu_ms": 1000 * cpu / options.feeds, "body_kb": body_kb}


def window(options: argparse.Namespace) -> dict[str, Any]:
    """Return memory and time of a window of stories, as `bench.stories` measures it."""
    command = ["-m", "bench.stories", "--measure-restored", str(options.window)]
    output = subprocess.check_output([sys.executable, *command], cwd=ROOT)
    row: dict[str, Any] = json.loads(output)
    return {"part": "window", **row}


def main() -> None:
    """Measure, print the tables, write the rows."""
    options = arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file always
    logs.use_standard_logging()
    allow_open_files()
    there = programs() is not None
    about = "PostgreSQL on the same machine" if there else "no PostgreSQL on this machine"
    print(f"{describe_machine()}; {about}\n")
    server = postgres_server(DURABLE) if there else nullcontext()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        server as running,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        rows = runner.run(measure(Path(folder), running, options))
    write_record(options, rows, postgresql=there)


if __name__ == "__main__":
    main()
