"""The figures of one run of a program, and the Markdown table of all runs.

Computes medians and ratios; runs nothing and asserts nothing.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.aims import Aim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OURS = "newsbell"

_HEAD = (
    "| cycle | program | feeds | runs | feeds/s | CPU ms/feed (min-max) | peak MB | 304s "
    "| new found / published | false | time x newsbell | CPU x newsbell |\n"
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
    #: user and system time of the whole process with its start, from the kernel
    process_cpu: float
    #: peak resident memory
    rss_mb: float
    #: feeds the program could not read, if it says
    errors: int
    #: share of the answers that were 304, from the server's counts
    not_modified: float
    #: share of the feeds that were polled exactly once, from the server's counts
    polled_once: float
    #: share of the full answers that went out in gzip
    gzipped: float
    #: new items published, and how many of them the program reported
    published: int
    reported: int
    #: entries reported that were not new, or reported twice; all are new in the cold phase
    false: int
    #: delay of its event loop while it polled, where it measures that: 99th percentile and maximum
    lag_p99_ms: float | None = None
    lag_max_ms: float | None = None


def table(runs: list[Run], phases: Iterable[str], programs: Iterable[str]) -> str:
    """Return the medians as Markdown, a row for each phase and program."""
    names = list(programs)
    rows = [_HEAD]
    for phase in phases:
        newsbell = [run for run in runs if (run.phase, run.program) == (phase, OURS)]
        for name in names:
            group = [run for run in runs if (run.phase, run.program) == (phase, name)]
            if group:
                rows.append(_row(group, newsbell))
    return "\n".join(rows)


def _row(group: list[Run], newsbell: list[Run]) -> str:
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
        "-" if cold else f"{median(group, lambda run: run.reported):.0f} / {first.published}",
        "-" if cold else f"{median(group, lambda run: run.false):.0f}",
        _ratio(group, newsbell, lambda run: run.seconds / run.feeds),
        _ratio(group, newsbell, lambda run: run.cpu / run.feeds),
    ]
    return f"| {' | '.join(cells)} |"


def median(group: list[Run], value: Callable[[Run], float]) -> float:
    """Return the median of a value over the runs."""
    return statistics.median(value(run) for run in group)


def _ratio(group: list[Run], newsbell: list[Run], value: Callable[[Run], float]) -> str:
    return f"{median(group, value) / median(newsbell, value):.1f}" if newsbell else "-"


#: of each phase: milliseconds of processor time a feed, and those of lemon24/reader by these
_AIMS = {"cold": (25.0, 1.1), "304": (0.4, 4.0), "new": (2.2, 12.0), "mixed": (0.85, 14.0)}
_PEER = "reader"


def aims(runs: list[Run]) -> list[Aim]:
    """Return what newsbell is to reach, beside what it did."""
    found: list[Aim] = []
    for phase, (most, times) in _AIMS.items():
        own, peer = (
            1000 * median(group, lambda run: run.cpu / run.feeds) if group else None
            for group in (
                [run for run in runs if (run.program, run.phase) == (name, phase)]
                for name in (OURS, _PEER)
            )
        )
        ratio = peer / own if own and peer else None
        found.append(Aim(f"{phase}, of a processor", "ms a feed", most, own))
        found.append(Aim(f"{phase}, {_PEER} takes", "times as long", times, ratio, at_least=True))
    mixed = [run for run in runs if (run.program, run.phase) == (OURS, "mixed")]
    lag = median(mixed, lambda run: run.lag_p99_ms or 0.0) if mixed else None
    found.append(Aim("mixed, lag of the event loop, p99", "ms", 20.0, lag))
    return found


def remarks(runs: list[Run]) -> list[str]:
    """Return what a reader of the table must know: feeds unread, polled twice or not at all."""
    lines: dict[str, None] = {}
    for run in runs:
        where = f"{run.program}, {run.phase}"
        if run.lag_p99_ms is not None:
            lag = f"p99 {run.lag_p99_ms:.1f} ms, maximum {run.lag_max_ms:.1f} ms"
            lines[f"{where}, round {run.round}: event loop lag {lag}"] = None
        if run.errors:
            lines[f"{where}: {run.errors} of {run.feeds} feeds in error"] = None
        if run.polled_once < 1:
            share = f"{run.polled_once:.1%}"
            lines[f"{where}: only {share} of the feeds were polled exactly once"] = None
        if run.phase == "304" and 0 < run.not_modified < 1:
            lines[f"{where}: only {run.not_modified:.1%} of the answers were 304"] = None
    return list(lines)
