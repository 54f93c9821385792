"""`make soak PART=cluster`: several newsbells on one PostgreSQL, ended in every way.

    python -m bench.cluster [--seconds 300] [--seed N] [--nodes 3] [--hands kills,freezes]

Prints what was lost, kept or sent twice, and what takeovers took; exit code 1 where anything was
lost, kept twice, or sent twice without a mark.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import tempfile
from pathlib import Path

from outside.cluster import HANDS, Report, Size, cluster
from postgres_server import postgres_server

from bench.command_line import parse, write_record

SMALL = {"seconds": 4, "nodes": 2, "hands": "kills,lost answers", "least": (0, 0)}
#: SIGKILLs and SIGSTOPs of a full run
LEAST = (100, 10)


def main() -> int:
    """Run it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="several newsbells on one database")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--kills", type=float, default=Size().kills, help="seconds between two")
    parser.add_argument("--hands", default=",".join(HANDS), help="which trouble")
    parser.add_argument("--folder", type=Path, help="keep the logs there")
    parser.add_argument(
        "--least",
        type=int,
        nargs=2,
        default=LEAST,
        metavar=("KILLS", "STOPS"),
        help="SIGKILLs and SIGSTOPs that there are at least",
    )
    options = parse(parser, SMALL)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    size = Size(
        seconds=options.seconds,
        seed=options.seed,
        nodes=options.nodes,
        kills=options.kills,
        hands=tuple(filter(None, options.hands.split(","))),
        least=tuple(options.least),
    )
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        place = options.folder or Path(folder)
        report = asyncio.run(cluster(place, server, size))
    show(report, size)
    write_record(options, [report.figures()])
    count = report.count
    if count.lost:
        print(f"lost (chat, number, feed): {count.lost[:40]}")
    if count.unmarked_twice:
        print(f"twice without a mark (chat, number): {count.unmarked_twice[:40]}")
        print("\n".join(f"{at:8.1f} s {text}" for at, text in report.events))
    return int(bool(count.lost or count.unmarked_twice or report.kept_twice))


def show(report: Report, size: Size) -> None:
    """Print the figures as tables."""
    count = report.count
    print(
        f"{size.nodes} nodes, {size.feeds} feeds, {report.leaders} times somebody began to lead. "
        f"Of {count.published:,} articles for {count.expected:,} chats were lost "
        f"{len(count.lost)}, kept twice {report.kept_twice}, sent twice {count.marked} with a mark "
        f"and {len(count.unmarked_twice)} without; half of them arrived within "
        f"{count.median_s:.1f} s, the last after {count.max_s:.0f} s.\n"
    )
    print("| trouble | times |\n|---|---:|")
    for text, times in sorted(report.done.items()):
        print(f"| {text} | {times} |")
    print("\n| who led was | times | until another led, median | at most |\n|---|---:|---:|---:|")
    for how, row in report.figures()["takeovers"].items():
        print(f"| {how} | {row['times']} | {row['median_s']:.2f} s | {row['max_s']:.2f} s |")


if __name__ == "__main__":
    raise SystemExit(main())
