"""What one run of one program gave, and the Markdown table of many.

Computes medians and ratios; does not run anything, and asserts nothing.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OURS = "newsbell"

_HEAD = (
    "| cycle | program | feeds | runs | feeds/s | CPU ms/feed (min-max) | peak MB | 304s | new found / right | false "
    "| time x newsbell | CPU x newsbell |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Run:
    """One program, one phase, one round."""

    program: str
    phase: str
    round: int
    #: feeds polled
    feeds: int
    #: of polling, as the program measured it
    seconds: float
    #: user and system time of polling, as the program measured it
    cpu: float
    #: user and system time of the whole process, start-up too, as the kernel tells it
    process_cpu: float
    #: peak resident memory
    rss_mb: float
    #: feeds the program could not read, if it says
    errors: int
    #: share of the answers that were 304, from the server's counts
    not_modified: float
    #: share of the feeds that were asked for exactly once, from the server's counts
    asked_once: float
    #: share of the full answers that went out in gzip
    gzipped: float
    #: published markers, and how many of them were reported
    right: int
    found: int
    #: entries reported that were not new, or reported twice; all are new in the cold phase
    false: int
    #: how long its event loop was held up while it polled, where it says: 99th percentile and most, in ms
    lag_p99_ms: float | None = None
    lag_max_ms: float | None = None


def table(runs: list[Run], phases: Iterable[str], programs: Iterable[str]) -> str:
    """Return the medians as Markdown, one row a phase and program."""
    names = list(programs)
    rows = [_HEAD]
    for phase in phases:
        ours = [run for run in runs if (run.phase, run.program) == (phase, OURS)]
        for name in names:
            group = [run for run in runs if (run.phase, run.program) == (phase, name)]
            if group:
                rows.append(_row(group, ours))
    return "\n".join(rows)


def _row(group: list[Run], ours: list[Run]) -> str:
    first = group[0]
    cpus = [1000 * run.cpu / run.feeds for run in group]
    cold = first.phase == "cold"
    cells = [
        first.phase,
        first.program,
        f"{first.feeds:,}",
        str(len(group)),
        f"{median(group, lambda run: run.feeds / run.seconds):,.0f}",
        f"{statistics.median(cpus):.2f} ({min(cpus):.2f}-{max(cpus):.2f})",
        f"{median(group, lambda run: run.rss_mb):.0f}",
        f"{median(group, lambda run: run.not_modified):.0%}",
        "-" if cold else f"{median(group, lambda run: run.found):.0f} / {first.right}",
        "-" if cold else f"{median(group, lambda run: run.false):.0f}",
        _ratio(group, ours, lambda run: run.seconds / run.feeds),
        _ratio(group, ours, lambda run: run.cpu / run.feeds),
    ]
    return f"| {' | '.join(cells)} |"


def median(group: list[Run], value: Callable[[Run], float]) -> float:
    """Return the median of a value over the runs."""
    return statistics.median(value(run) for run in group)


def _ratio(group: list[Run], ours: list[Run], value: Callable[[Run], float]) -> str:
    return f"{median(group, value) / median(ours, value):.1f}" if ours else "-"


def remarks(runs: list[Run]) -> list[str]:
    """Return what a reader of the table must know: feeds unread, asked for twice or not at all."""
    found: dict[str, None] = {}
    for run in runs:
        where = f"{run.program}, {run.phase}"
        if run.lag_p99_ms is not None:
            found[
                f"{where}, round {run.round}: event loop lag p99 {run.lag_p99_ms:.1f} ms, most {run.lag_max_ms:.1f} ms"
            ] = None
        if run.errors:
            found[f"{where}: {run.errors} of {run.feeds} feeds in error"] = None
        if run.asked_once < 1:
            found[
                f"{where}: only {run.asked_once:.1%} of the feeds were asked for exactly once"
            ] = None
        if run.phase == "304" and 0 < run.not_modified < 1:
            found[f"{where}: only {run.not_modified:.1%} of the answers were 304"] = None
    return list(found)
