"""What measured figures mean for more feeds than fit on a machine: calculated, not measured.

Each column is a product of measured figures and of what is assumed of feeds, which stands here and
is printed with the table. Runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SIZES = (50, 1_000, 10_000, 100_000, 1_000_000, 10_000_000)
INTERVAL = 1800  #: seconds between two polls of a feed, on the average
ARTICLES_A_DAY = 5  #: new ones of a feed
PEAK = 3  #: articles of the busiest minutes, by those of an average minute
SPAN = 3  #: days of the window of stories
KEPT = 90  #: days for which articles are kept
ENTRY_BYTES = 870  #: of a stored article with its rows in the search, see the page of benchmarks
HEADER_KB = 0.6  #: of a request and an answer without a body
BODIES = 0.4  #: share of the polls whose answer has a body
_DAY = 86_400
# What a machine, a server or a network has, where a limit is calculated.
_MEMORY_GB, _SERVER_CORES, _DISK_GB, _MBIT, _START_MINUTES = 64, 16, 4000, 1000, 10


@dataclass(frozen=True)
class Costs:
    """What was measured, as far as it counts here."""

    poll_ms: float  #: CPU of a whole poll on the node that makes it
    server_ms: float  #: CPU of the database's server for it; 0 where it was not measured
    article_ms: float  #: CPU of an article on the one that leads
    entry_kb: float  #: memory of an entry of the window
    restore_us: float  #: CPU of its reading at a start
    body_kb: float  #: of a document, compressed
    claim_ms: (
        float  #: of a claim of a hundred feeds, on the node and on the server; 0: not measured
    )


def costs(rows: list[dict[str, Any]]) -> Costs:
    """Take from the rows of the parts what is calculated with."""
    by_part: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_part.setdefault(row["part"], []).append(row)
    whole, window = by_part["whole poll"][0], by_part["window"][0]
    article = {row["engine"]: row["whole_ms"] for row in by_part["polls"] if row["mix"] != "mixed"}
    nodes = by_part.get("nodes")
    return Costs(
        poll_ms=whole["cpu_ms"],
        server_ms=nodes[0]["server_ms"] if nodes else 0.0,
        article_ms=nodes[0]["leader_ms"] if nodes else article["SQLite"],
        entry_kb=1024 * window["memory_mb"] / window["entries"],
        restore_us=1e6 * window["restore_s"] / window["entries"],
        body_kb=whole["body_kb"],
        claim_ms=_claim_ms(by_part.get("growth", [])),
    )


def _claim_ms(rows: list[dict[str, Any]]) -> float:
    """Milliseconds in which nobody else can claim, among the most feeds that were measured."""
    shared = [row for row in rows if row["engine"] == "PostgreSQL"]
    return max((row["claim_ms"] + row["claim_server_ms"] for row in shared[-2:]), default=0.0)


def row_of(feeds: int, cost: Costs) -> dict[str, float]:
    """Return what so many feeds take."""
    polls, articles = feeds / INTERVAL, feeds * ARTICLES_A_DAY / _DAY
    entries = articles * _DAY * SPAN
    return {
        "feeds": feeds,
        "polls_a_second": polls,
        "articles_a_second": articles,
        "polling_cores": polls * cost.poll_ms / 1000,
        "server_cores": polls * cost.server_ms / 1000,
        "leader_cores": articles * cost.article_ms / 1000,
        "leader_peak_cores": PEAK * articles * cost.article_ms / 1000,
        "window_entries": entries,
        "window_gb": entries * cost.entry_kb / 1024**2,
        "restore_minutes": entries * cost.restore_us / 1e6 / 60,
        "database_gb": articles * _DAY * KEPT * ENTRY_BYTES / 1e9,
        "mbit_a_second": polls * (HEADER_KB + BODIES * cost.body_kb) * 8 / 1000,
    }


def table(cost: Costs) -> str:
    """Return the table, and what is assumed."""
    head = (
        "| feeds | polls/s | articles/s | cores: polling | leader (peak) | server "
        "| window, entries | its memory | read at a start in | database | Mbit/s |"
    )
    lines = [
        head,
        "|---:|" + "---:|" * 10,
    ]
    lines += [
        "| {feeds:,} | {polls_a_second:,.1f} | {articles_a_second:,.2f} | {polling_cores:,.2f} "
        "| {leader_cores:,.2f} ({leader_peak_cores:,.2f}) | {server_cores:,.2f} "
        "| {window_entries:,.0f} | {window_gb:,.2f} GB | {restore_minutes:,.1f} min "
        "| {database_gb:,.1f} GB | {mbit_a_second:,.1f} |".format(**row_of(feeds, cost))
        for feeds in SIZES
    ]
    assumed = (
        f"Assumed: a feed is polled every {INTERVAL // 60} minutes and has {ARTICLES_A_DAY} new "
        f"articles a day, {PEAK} times as many in the busiest minutes; {BODIES:.0%} of the answers "
        f"have a body of {cost.body_kb:.0f} KB, compressed; articles are kept for {KEPT} days with "
        f"{ENTRY_BYTES} bytes each. "
        f"Measured: {cost.poll_ms:.2f} ms CPU a poll, fetching and reading included; "
        f"{cost.server_ms:.2f} ms of the server for it; {cost.article_ms:.2f} ms an article where "
        f"it is decided; {cost.entry_kb:.1f} KB and {cost.restore_us:.0f} µs an entry of the "
        "window."
    )
    return "\n".join(lines) + f"\n\n{assumed}"


def limits(cost: Costs) -> str:
    """Return a table of what is used up at how many feeds, the first at its top."""
    million = row_of(1_000_000, cost)
    each = {name: value / 1e6 for name, value in million.items()}
    found = [
        ("one core of the leader, in the busiest minutes", 1 / each["leader_peak_cores"]),
        ("one core of the leader, on the average", 1 / each["leader_cores"]),
        (f"{_MEMORY_GB} GB of memory for the window", _MEMORY_GB / each["window_gb"]),
        (
            f"{_START_MINUTES} minutes until a start has read the window",
            _START_MINUTES / each["restore_minutes"],
        ),
        (f"{_DISK_GB:,} GB of database", _DISK_GB / each["database_gb"]),
        (f"{_MBIT:,} Mbit/s", _MBIT / each["mbit_a_second"]),
    ]
    if cost.server_ms:
        server = f"{_SERVER_CORES} cores of the database's server"
        found.append((server, _SERVER_CORES / each["server_cores"]))
    if cost.claim_ms:
        claimed = 100_000 / cost.claim_ms  # feeds a second, of claims one after another
        found.append(("claims, which come one after another", claimed * INTERVAL))
    lines = ["| used up | at so many feeds |", "|---|---:|"]
    lines += [
        f"| {what} | {float(f'{feeds:.2g}'):,.0f} |"
        for what, feeds in sorted(found, key=lambda item: item[1])
    ]
    return "\n".join(lines)
