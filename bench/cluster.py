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

from outside.cluster import HANDS, Size, cluster
from postgres_server import postgres_server


def main() -> int:
    """Run it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="several newsbells on one database")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--kills", type=float, default=Size().kills, help="seconds between two")
    parser.add_argument("--hands", default=",".join(HANDS), help="which trouble")
    parser.add_argument("--folder", type=Path, help="keep the logs there")
    options = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    size = Size(
        seconds=options.seconds,
        seed=options.seed,
        nodes=options.nodes,
        kills=options.kills,
        hands=tuple(filter(None, options.hands.split(","))),
    )
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        place = options.folder or Path(folder)
        report = asyncio.run(cluster(place, server, size))
    for name, value in report.figures().items():
        print(f"{name:24} {value}")
    count = report.count
    if count.lost:
        print(f"lost (chat, number, feed): {count.lost[:40]}")
    if count.unmarked_twice:
        print(f"twice without a mark (chat, number): {count.unmarked_twice[:40]}")
        print("\n".join(f"{at:8.1f} s {text}" for at, text in report.events))
    return int(bool(count.lost or count.unmarked_twice or report.kept_twice))


if __name__ == "__main__":
    raise SystemExit(main())
