"""Speed and memory of story grouping over an invented stream.

    python -m bench.stories [--sizes 10000,100000] [--entries 5000] [--restored 100000,1000000]

Entries a second, memory of the window, time to restore it; with `--restored` memory and time alone,
of windows that are too large to be filled, as a start has them. The stream has the shape of news
and none of its words: a vocabulary in which few words are frequent and the others rare (Zipf),
stories of one to fifty entries that share some of their words, 72 hours of them from three hundred
publishers. One core; every size has a process of its own. Asserts nothing.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import random
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from bench.aims import Aim, table
from bench.command_line import parse, write_record
from bench.memory import resident_mb
from bot.model.stories import Report, StoredFeatures, StoryIds
from bot.service.garbage import settle
from bot.stories.features import extract_features
from bot.stories.packed_features import pack
from bot.stories.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEED = 20260218
_WORDS = 120_000
_START = datetime(2026, 3, 1, tzinfo=UTC)
_SYLLABLES = (
    "ba ke lo mi tu ra ne so vi du pa ge fo li zu na me to ri hu sta bre klo tri gru".split()
)
SMALL = {"sizes": "500", "entries": 100, "restored": "300"}
_PART = 2000  # entries read at a time at a start


class Stream:
    """Invents entries."""

    def __init__(self, per_hour: float) -> None:
        """Prepare a vocabulary; its most frequent words are English ones that grouping ignores."""
        self._random = random.Random(_SEED)
        stop = "the of to in and a for on is at with after by from as says".split()
        rare = (self._word(number) for number in range(_WORDS))
        self._words = [*stop, *rare]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))
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

    def entries(self) -> Iterator[Report]:
        """Yield entries in order of arrival; `at` is up to half an hour earlier."""
        running: list[tuple[list[str], int]] = []
        chance = self._random
        number = 0
        while True:
            number += 1
            if not running or chance.random() < 0.45:
                running.append((self._draw(24), min(50, int(chance.paretovariate(0.9)))))
            index = chance.randrange(max(0, len(running) - 400), len(running))
            words, left = running[index]
            if left <= 1:
                running.pop(index)
            else:
                running[index] = (words, left - 1)
            title = [*chance.sample(words, 7), *self._draw(4)]
            summary = [*chance.sample(words, 12), *self._draw(24)]
            at = _START + timedelta(hours=number / self._per_hour, minutes=-chance.random() * 30)
            link = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
            text = " ".join(title).capitalize(), " ".join(summary).capitalize()
            yield Report(number, *text, "en", f"publisher {chance.randrange(300)}", at, link)


def measure(size: int, count: int) -> dict[str, float]:
    """Fill a window to a size, then place `count` entries in it and restore it; the figures."""
    stream = Stream(size / 71).entries()
    filling, timed = list(islice(stream, size)), list(islice(stream, count))
    warm = Window()
    for report in filling[:2000]:  # fills the caches of stems
        warm.add(report)
    del warm
    gc.collect()
    before = resident_mb()
    window = Window()
    started = process_time()
    placed = [window.add(report).story_ids for report in filling]
    filled = process_time() - started
    memory = resident_mb() - before
    features = [pack(extract_features(report)) for report in filling]  # as the store keeps them
    settle()  # as `newsbell run` once its window is read
    times: list[float] = []
    started = process_time()
    for report in timed:
        began = perf_counter()
        window.add(report)
        times.append(perf_counter() - began)
    placing = process_time() - started
    stored = [
        StoredFeatures(report.id, report.publisher, report.feed, packed)
        for report, packed in zip(filling, features, strict=True)
    ]
    copy = Window()
    started = process_time()
    for entry, story_ids in zip(stored, placed, strict=True):
        copy.restore(entry, story_ids)
    return {
        "entries": size,
        "window": len(window),
        "aged_out": size + count - len(window),
        "placed": len(times),
        "rate": count / placing,
        "p99_ms": 1000 * statistics.quantiles(times, n=100)[98],
        "filling_rate": size / filled,
        "memory_mb": memory,
        "restore_s": process_time() - started,
        "stories": len({story_ids.story for story_ids in placed}),
    }


def measure_restored(size: int) -> dict[str, float]:
    """Return memory and time of a window that is read as a start reads it."""
    entries = Stream(size / 71).entries()
    gc.collect()
    gc.disable()  # as a start does: all that is made stays
    before, taken = resident_mb(), 0.0
    window = Window()
    for first in range(0, size, _PART):
        part = [
            StoredFeatures(report.id, report.publisher, report.feed, pack(extract_features(report)))
            for report in islice(entries, min(_PART, size - first))
        ]
        started = process_time()
        for stored in part:
            number = stored.id - stored.id % 3 or stored.id
            window.restore(stored, StoryIds(number, number, number))
        taken += process_time() - started
    gc.enable()
    return {
        "entries": size,
        "window": len(window),
        "memory_mb": resident_mb() - before,
        "restore_s": taken,
    }


def show_restored(sizes: str) -> list[dict[str, Any]]:
    """Measure windows that are restored, print a table; the figures."""
    print(
        "\n| read at a start | in the window | memory | of an entry | CPU seconds | of an entry |\n"
        "|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    rows: list[dict[str, Any]] = []
    for size in sizes.split(","):
        command = [sys.executable, "-m", "bench.stories", "--measure-restored", size]
        row: dict[str, Any] = json.loads(subprocess.check_output(command))
        rows.append(row)
        print(
            f"| {row['entries']:,} | {row['window']:,} | {row['memory_mb']:,.0f} MB "
            f"| {1024 * row['memory_mb'] / row['entries']:.2f} KB | {row['restore_s']:.1f} s "
            f"| {1e6 * row['restore_s'] / row['entries']:.0f} µs |",
            flush=True,
        )
    return rows


def aims(rows: list[dict[str, Any]]) -> list[Aim]:
    """Return what is to be reached with so many entries in the window, beside what was."""
    found: list[Aim] = []
    for size, rate in ((10_000, 2500.0), (100_000, 1200.0)):
        row = next((row for row in rows if row["entries"] == size), None)
        if row:
            what = f"{size:,} in the window"
            found.append(Aim(what, "entries/s", rate, row["rate"], at_least=True))
            found.append(Aim(f"{what}, slowest 1 %", "ms", 20.0, row["p99_ms"]))
            if size == 100_000:
                found.append(Aim(f"{what}, restored", "s", 4.0, row["restore_s"]))
    return found


def main() -> None:
    """Read the command line; a process for each size, so that none inherits pages."""
    parser = argparse.ArgumentParser(description="speed and memory of story grouping")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument(
        "--entries", type=int, default=5000, help="placed and timed in a full window"
    )
    parser.add_argument("--restored", default="", help="sizes that are restored, not filled")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--measure-restored", type=int, help=argparse.SUPPRESS)
    options = parse(parser, SMALL)
    if options.measure_restored:
        print(json.dumps(measure_restored(options.measure_restored)), flush=True)
        return
    if options.measure:
        print(json.dumps(measure(options.measure, options.entries)), flush=True)
        return
    print(
        "| in the window | entries/s | slowest 1 % | while it fills, entries/s | memory "
        "| restored in | stories |\n|---:|---:|---:|---:|---:|---:|---:|",
        flush=True,
    )
    command = [sys.executable, "-m", "bench.stories", "--entries", str(options.entries)]
    rows: list[dict[str, Any]] = []
    for size in options.sizes.split(","):
        output = subprocess.check_output([*command, "--measure", size])
        rows.append(json.loads(output))
        print(
            "| {window:,} | {rate:,.0f} | {p99_ms:.2f} ms | {filling_rate:,.0f} "
            "| {memory_mb:.0f} MB | {restore_s:.1f} s | {stories:,} |".format(**rows[-1]),
            flush=True,
        )
    restored = show_restored(options.restored) if options.restored else []
    print(f"\n{table(aims(rows))}")
    write_record(options, rows, restored=restored)


if __name__ == "__main__":
    main()
