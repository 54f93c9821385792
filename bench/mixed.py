"""`make soak PART=mixed`: ten minutes of all trouble at once against the real program.

    python -m bench.mixed [--seconds 600] [--seed N] [--hands weather,kills] [--folder F]

Prints what was lost, repeated, and how long alerts took; exit code 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from outside.mixed import HANDS, Report, Size, mixed


def shown(report: Report, *, events: bool) -> str:
    """Return the figures as lines, and what was done where something is wrong."""
    lines = [f"{name:15} {value}" for name, value in report.figures().items()]
    if report.count.lost:
        lines.append(f"lost (chat, number, feed): {report.count.lost[:40]}")
    if report.count.unmarked_twice:
        lines.append(f"unmarked twice (chat, number): {report.count.unmarked_twice[:40]}")
    lines += [f"ended itself with {end.code}:\n{end.last_words}" for end in report.ends]
    if events:
        lines += [f"{at:8.1f} s {text}" for at, text in report.events]
    return "\n".join(lines)


def is_clean(report: Report) -> bool:
    """Say whether nothing was lost or came twice, and it ended only when asked."""
    count = report.count
    return not (count.lost or count.unmarked_twice or report.ends) and report.exit_code == 0


def main() -> int:
    """Run it; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="all trouble at once")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--hands", default=",".join(HANDS), help="which trouble")
    parser.add_argument("--pause", type=float, default=Size().pause, help="between two of a kind")
    parser.add_argument("--patience", type=float, default=Size().patience, help="at the end")
    parser.add_argument("--folder", type=Path, help="keep database and log there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    # what is killed breaks off its requests, and there are many
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    size = Size(
        seconds=options.seconds,
        seed=options.seed,
        hands=tuple(filter(None, options.hands.split(","))),
        pause=options.pause,
        patience=options.patience,
    )
    with tempfile.TemporaryDirectory(prefix="mixed-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(mixed(folder, size))
    clean = is_clean(report)
    print(shown(report, events=not clean), flush=True)
    if options.json:
        options.json.write_text(json.dumps(report.figures(), indent=1), encoding="utf-8")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
