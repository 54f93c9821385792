"""`make soak PART=days`: a hundred virtual days of the real program, and what each of them costs.

    python -m bench.days [--days 100] [--articles 1000] [--minutes N] [--folder F] [--json FILE]

Prints a line a day: time, CPU, the slowest step of the store's thread, memory, file. Judges none.
What the memory was made of at the end of each day is in `heap` of the folder, as lines of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from outside.clocks import ClockShim
from outside.days import DayFigures, Size, days, summary

LINE = (
    "day {day:3}: {published:5} articles, {sent:5} sent, {missing:4} not yet, {late} late; "
    "{real_s:6.1f} s, CPU {cpu_s:6.2f} s; slowest step {store_step_ms:7.1f} ms (CPU "
    "{store_step_cpu_ms:.1f}, {store_step}); garbage {pause_ms:.0f} ms; "
    "memory {memory_mb:.0f} + {readers_mb:.0f} MB; file {file_mb:.1f} MB, WAL {wal_mb:.1f}"
)


def show(row: DayFigures) -> None:
    """Print a day."""
    print(LINE.format(**asdict(row)), flush=True)


def main() -> int:
    """Run them; 1 where the program ended before the days did."""
    if not ClockShim.available():
        print("It needs a C compiler, to move the clocks of the program.")
        return 1
    parser = argparse.ArgumentParser(description="virtual days")
    for name, kind in (("days", int), ("articles", int), ("feeds", int), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, default=getattr(Size(), name))
    parser.add_argument("--minutes", type=float, default=Size().minutes, help="of real time")
    parser.add_argument("--folder", type=Path, help="keep database and log there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    size = Size(
        days=options.days,
        articles=options.articles,
        feeds=options.feeds,
        seed=options.seed,
        minutes=options.minutes,
    )
    with tempfile.TemporaryDirectory(prefix="days-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        run, ends = asyncio.run(days(folder, size, show))
    rows = run.rows
    if rows:
        print("MB by table on the last day:", dict(rows[-1].tables_mb))
    print(*(f"{name:20} {value}" for name, value in summary(rows).items()), sep="\n")
    print("what is late, by where it is:", run.fates)
    for end in ends:
        print(f"ended itself with {end.code} after {end.after:.0f} s:\n{end.last_words}")
    if options.json:
        record = [asdict(row) for row in rows]
        options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 1 if ends or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
