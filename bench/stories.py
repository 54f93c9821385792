"""Speed and memory of story grouping over an invented stream: entries a second, memory of the window, time to restore it. Asserts nothing.

    python -m bench.stories [--sizes 10000,100000] [--entries 5000]

The stream has the shape of news and none of its words: a vocabulary in which few words are usual and most are rare (Zipf), stories of one
to fifty entries that share some of their words, 72 hours of them from three hundred publishers. One core; every size has a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import random
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from bench.memory import resident_mb
from bot.model.stories import Report
from bot.stories.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED = 20260218
_WORDS = 120_000
_START = datetime(2026, 3, 1, tzinfo=UTC)
_SYLLABLES = (
    "ba ke lo mi tu ra ne so vi du pa ge fo li zu na me to ri hu sta bre klo tri gru".split()
)


class Maker:
    """Invents entries."""

    def __init__(self, per_hour: float) -> None:
        """Prepare a vocabulary; its most usual words are English ones that grouping leaves out."""
        self._random = random.Random(_SEED)
        stop = "the of to in and a for on is at with after by from as says".split()
        rare = (self._word(number) for number in range(_WORDS))
        self._words = [*stop, *rare]
        self._weights = list(accumulate(1 / (place + 3) for place in range(len(self._words))))
        self._per_hour = per_hour

    def _word(self, number: int) -> str:
        letters = ""
        number += len(_SYLLABLES)
        while number:
            number, syllable = divmod(number, len(_SYLLABLES))
            letters += _SYLLABLES[syllable]
        return letters

    def _draw(self, count: int) -> list[str]:
        return self._random.choices(self._words, cum_weights=self._weights, k=count)

    def stream(self) -> Iterator[Report]:
        """Entries without end, in order of arrival; `at` lies up to half an hour back."""
        running: list[tuple[list[str], int]] = []
        chance = self._random
        number = 0
        while True:
            number += 1
            if not running or chance.random() < 0.45:
                running.append((self._draw(24), min(50, int(chance.paretovariate(0.9)))))
            place = chance.randrange(max(0, len(running) - 400), len(running))
            words, left = running[place]
            if left <= 1:
                running.pop(place)
            else:
                running[place] = (words, left - 1)
            title = [*chance.sample(words, 7), *self._draw(4)]
            summary = [*chance.sample(words, 12), *self._draw(24)]
            at = _START + timedelta(hours=number / self._per_hour, minutes=-chance.random() * 30)
            link = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
            text = " ".join(title).capitalize(), " ".join(summary).capitalize()
            yield Report(number, *text, "en", f"house {chance.randrange(300)}", at, link)


def measure(size: int, entries: int) -> str:
    """One row of the table: a window filled to a size, then entries placed one by one."""
    stream = Maker(size / 71).stream()
    filling = [next(stream) for _ in range(size)]
    timed = [next(stream) for _ in range(entries)]
    warm = Window()
    for report in filling[:2000]:  # the caches of stems
        warm.add(report)
    del warm
    gc.collect()
    before = resident_mb()
    window = Window()
    started = process_time()
    places = [window.add(report).story_ids for report in filling]
    filled = process_time() - started
    memory = resident_mb() - before
    times: list[float] = []
    started = process_time()
    for report in timed:
        begun = perf_counter()
        window.add(report)
        times.append(perf_counter() - begun)
    placed = process_time() - started
    again = Window()
    started = process_time()
    for report, place in zip(filling, places, strict=True):
        again.restore(report, place)
    restored = process_time() - started
    slow = statistics.quantiles(times, n=100)[98]
    cells = [
        f"{len(window):,}",
        f"{entries / placed:,.0f}",
        f"{1000 * slow:.2f} ms",
        f"{size / filled:,.0f}",
        f"{memory:.0f} MB",
        f"{restored:.1f} s",
        f"{len({place.story for place in places}):,}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the command line; one process a size, so that none inherits another's pages."""
    parser = argparse.ArgumentParser(description="speed and memory of story grouping")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument(
        "--entries", type=int, default=5000, help="placed and timed in a full window"
    )
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(measure(given.one, given.entries), flush=True)
        return
    print(
        "| in the window | entries/s | slowest 1 % | while it fills, entries/s | memory | restored in | stories |",
        flush=True,
    )
    print("|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for size in given.sizes.split(","):
        subprocess.run(
            [sys.executable, "-m", "bench.stories", "--one", size, "--entries", str(given.entries)],
            check=True,
        )


if __name__ == "__main__":
    main()
