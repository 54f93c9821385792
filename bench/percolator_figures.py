"""The figures of a percolator at one size, the Markdown tables of all, and the aims.

Computes medians, slopes and ratios; runs nothing and asserts nothing.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from bench.aims import Aim

OURS = "newsbell"


@dataclass(frozen=True)
class Run:
    """One program at one size."""

    program: str
    #: how many queries, or words for the baseline
    size: int
    #: how many entries of one pass
    entries: int
    #: processor time, in nanoseconds, of each batch in the first pass, which warmed the caches
    cold: list[int]
    #: the same in each round after it
    rounds: list[list[int]]
    #: matches of each batch
    hits: list[int]
    #: seconds and bytes of the building, terms a query
    facts: dict[str, Any]
    #: microseconds of adding, altering and removing a subscription; empty for the peers
    changed: dict[str, dict[str, float]]

    @property
    def rates(self) -> list[float]:
        """Entries per second of each round."""
        return [1e9 * self.entries / sum(times) for times in self.rounds]

    @property
    def rate(self) -> float:
        """Entries per second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def cold_rate(self) -> float:
        """Entries per second of the first pass, each of them new."""
        return 1e9 * self.entries / sum(self.cold)

    @property
    def times(self) -> list[float]:
        """Microseconds of each batch, the median of the rounds."""
        return [statistics.median(times) / 1000 for times in zip(*self.rounds, strict=True)]

    @property
    def hits_an_entry(self) -> float:
        """Mean number of queries that match an entry."""
        return sum(self.hits) / self.entries

    @property
    def bytes_a_term(self) -> float:
        """Resident memory per term of the queries."""
        return float(self.facts["bytes"] / (self.size * self.facts["terms"]))

    def record(self) -> dict[str, Any]:
        """Return the figures without the times of single entries."""
        return {
            "program": self.program,
            "queries": self.size,
            "entries": self.entries,
            "rates": self.rates,
            "cold": self.cold_rate,
            "hits_an_entry": self.hits_an_entry,
            **self.facts,
            "changed": self.changed,
        }


def table(runs: list[Run]) -> str:
    """Return entries per second as Markdown, one row a size and program."""
    rows = [
        (
            "| queries | program | entries timed | entries/s (min-max of rounds) | hits an entry "
            "| built in s | time x newsbell |"
        ),
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for run in runs:
        newsbell = _find(runs, OURS, run.size)
        cells = [
            f"{run.size:,}",
            run.program,
            f"{run.entries:,}",
            f"{run.rate:,.0f} ({min(run.rates):,.0f}-{max(run.rates):,.0f})",
            f"{run.hits_an_entry:.2f}",
            f"{run.facts['built']:.2f}",
            f"{newsbell.rate / run.rate:.3g}" if newsbell else "-",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def inside_table(runs: list[Run]) -> str:
    """Return the figures of newsbell's index alone, a row a size; changes: median and p99."""
    heads = (
        "queries",
        "terms a query",
        "memory MB",
        "bytes a term",
        "first pass, entries/s",
        "us a hit",
        "us an entry without hits",
        "add us (p99)",
        "alter us (p99)",
        "remove us (p99)",
        "more for the next match us (p99)",
    )
    rows = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}"]
    slope = time_per_hit(runs)
    for run in (run for run in runs if run.program == OURS):
        changed = [
            f"{run.changed[name]['median']:.0f} ({run.changed[name]['p99']:.0f})"
            for name in ("add", "alter", "remove", "next match")
        ]
        cells = [
            f"{run.size:,}",
            f"{run.facts['terms']:.2f}",
            f"{run.facts['bytes'] / 1e6:.1f}",
            f"{run.bytes_a_term:.0f}",
            f"{run.cold_rate:,.0f}",
            "-" if slope is None else f"{slope:.2f}",
            "-" if slope is None else f"{without_hits(run, slope):.0f}",
            *changed,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def time_per_hit(runs: list[Run]) -> float | None:
    """Return the microseconds of one more hit at the largest size, beside those at the smallest.

    The slope of a least-squares plane over the time of the same entry at the smallest size and the
    hits (Frisch-Waugh theorem: regress the residuals). None where fewer than two sizes, or fewer
    than 20 entries, were measured.
    """
    newsbell = sorted((run for run in runs if run.program == OURS), key=lambda run: run.size)
    count = min((run.entries for run in newsbell), default=0)
    if len(newsbell) < 2 or count < 20 or not any(newsbell[-1].hits[:count]):
        return None
    base, hits, times = (
        newsbell[0].times[:count],
        [float(hits) for hits in newsbell[-1].hits[:count]],
        newsbell[-1].times[:count],
    )
    return statistics.linear_regression(_residuals(base, hits), _residuals(base, times)).slope


def _residuals(base: list[float], values: list[float]) -> list[float]:
    line = statistics.linear_regression(base, values)
    return [
        value - line.intercept - line.slope * place
        for place, value in zip(base, values, strict=True)
    ]


def without_hits(run: Run, slope: float) -> float:
    """Return the microseconds of an entry less those of its hits."""
    return statistics.mean(run.times) - slope * run.hits_an_entry


def aims(runs: list[Run]) -> list[Aim]:
    """Return what newsbell is to reach at the sizes that were measured, beside what it did."""
    middle, large = (_find(runs, OURS, size) for size in (10_000, 100_000))
    loop = _find(runs, "regex", 10_000)
    found: list[Aim] = []
    for run, rate in ((middle, 1500.0), (large, 500.0)):
        if run:
            what = f"{run.size:,} queries, first pass"
            found.append(Aim(what, "entries/s", rate, run.cold_rate, at_least=True))
    if middle and loop:
        ratio = middle.rate / loop.rate
        found.append(Aim("one regex a query takes", "times as long", 100.0, ratio, at_least=True))
    if large:
        added = large.changed["next match"]["p99"] / 1000
        found += [
            Aim("100,000 queries built from text", "s", 12.0, large.facts["built"]),
            Aim("bytes of a term at 100,000", "bytes", 500.0, large.bytes_a_term),
            Aim("more for the match after a change, p99", "ms", 10.0, added),
        ]
    return found


def _find(runs: list[Run], program: str, size: int) -> Run | None:
    return next((run for run in runs if (run.program, run.size) == (program, size)), None)
