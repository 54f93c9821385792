"""`make soak PART=explain`: days of invented news, and each statement of `explain` judged.

    python -m bench.explained [--rounds 24] [--chats 60] [--seed N] [--folder F]

Prints how many statements there were of each outcome and cause, and each that is not true of what
the chats received; exit code 1 where there is any.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from outside.by_chance import Size, large
from outside.clocks import ClockShim
from outside.scenes import Played

MOST = 200  #: falsehoods that are printed


def show(played: Played) -> None:
    """Print what came of it."""
    verdict = played.verdict
    for name, count in sorted(verdict.counts.items()):
        print(f"{count:8} {name}")
    print(
        f"{played.articles} articles, {played.subscriptions} subscriptions, {played.messages} "
        f"messages with {verdict.headlines} headlines; {verdict.statements} statements, "
        f"{len(verdict.falsehoods)} false"
    )
    for falsehood in verdict.falsehoods[:MOST]:
        print(f"- {falsehood}")
    for error in played.errors:
        print(f"! {error}")


def main() -> int:
    """Play it; 1 where a statement is false, or something did not work."""
    if not ClockShim.available():
        print("It needs a C compiler, to move the clocks of the program.")
        return 1
    parser = argparse.ArgumentParser(description="explain, judged by what chats received")
    parser.add_argument("--rounds", type=int, default=Size().rounds)
    parser.add_argument("--chats", type=int, default=Size().chats)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    parser.add_argument("--folder", type=Path, help="keep database and log there")
    options = parser.parse_args()
    # what is killed breaks off its requests
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    size = Size(rounds=options.rounds, chats=options.chats, seed=options.seed)
    began = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="explained-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        played = asyncio.run(large(folder, size, report))
    show(played)
    return 1 if played.verdict.falsehoods or played.errors else 0


if __name__ == "__main__":
    sys.exit(main())
