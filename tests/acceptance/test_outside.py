"""The real program as a process, driven and counted from outside, while everything goes wrong.

A short sample of `make soak PART=mixed` and `PART=days`: what is lost is nothing, and the figures
are there. No timing is asserted.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from outside.clocks import ClockShim
from outside.days import Size as DaysSize
from outside.days import days, summary
from outside.ledger import Ledger
from outside.mixed import Size, mixed
from sampling import SEED

pytestmark = pytest.mark.slow


async def test_a_short_mix_of_all_trouble_loses_nothing(tmp_path: Path) -> None:
    size = Size(seconds=12, seed=SEED, articles_a_second=2, pause=4, is_stopped=False)
    report = await mixed(tmp_path, size)
    assert report.count.lost == (), (report.fates, report.events)
    assert report.count.unmarked_twice == (), report.events
    assert report.ends == []
    assert report.count.expected > 0
    print(report.figures())  # noqa: T201 (for the reader of the run)


def test_a_ledger_counts_what_is_lost_twice_and_marked() -> None:
    ledger = Ledger({"storm": frozenset({7, 8}), "quiet": frozenset()})
    first = ledger.publish("wire", "storm", "at sea", at=10.0)
    second = ledger.publish("wire", "storm", "on land", at=11.0)
    ledger.publish("wire", "quiet", "night", at=11.0)
    ledger.arrive(7, 1, f"{first.title}\nWire", at=12.0)
    ledger.arrive(7, 1, f"{first.title} retitled\nWire", at=13.0)  # an edit
    ledger.arrive(7, 2, f"(repeat) 2 stories\n• {first.title}\n• {second.title}", at=15.0)
    ledger.arrive(8, 3, first.title, at=16.0)
    ledger.arrive(8, 4, first.title, at=17.0)
    count = ledger.count()
    assert count.lost == ((8, 2, "wire"),)
    assert count.unmarked_twice == ((8, 1),)
    assert (count.published, count.expected, count.marked) == (3, 4, 2)
    assert (count.median_s, count.max_s) == (4.0, 6.0)


@pytest.mark.skipif(not ClockShim.available(), reason="there is no C compiler")
def test_the_clocks_of_a_process_are_moved_from_outside(tmp_path: Path) -> None:
    shim = ClockShim(tmp_path)
    shim.leap(7200, 60)
    shim.set_wall(-86400)
    names = "CLOCK_REALTIME CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW".split()
    code = f"import time; print(*(time.clock_gettime(getattr(time, n)) for n in {names}))"
    output = subprocess.run(  # noqa: S603 (our own)
        [sys.executable, "-c", code],
        env=shim.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    ahead = [
        float(shown) - time.clock_gettime(getattr(time, name))
        for shown, name in zip(output.stdout.split(), names, strict=True)
    ]
    assert [round(seconds / 60) for seconds in ahead] == [-1440, 120, 1, 0]


@pytest.mark.skipif(not ClockShim.available(), reason="there is no C compiler")
async def test_virtual_days_of_the_real_program_give_their_figures(tmp_path: Path) -> None:
    size = DaysSize(days=3, articles=15, feeds=4, step=3600, vocabulary=500, minutes=3, seed=SEED)
    run, ends = await days(tmp_path, size)
    rows = run.rows
    assert ends == []
    assert [row.day for row in rows] == [1, 2, 3]
    assert sum(row.published for row in rows) >= 45
    assert all(row.cpu_s and row.memory_mb and row.file_mb + row.wal_mb for row in rows), rows
    assert rows[-1].tables_mb["entries"] > 0
    print(summary(rows))  # noqa: T201 (for the reader of the run)
