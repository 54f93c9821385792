"""`make bench`: the poll cycle and the matching beside their peers, names, stories, latency, sending at the limits, and idle memory.

Prints tables; asserts no figure.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

STEPS = (
    (
        "Poll cycle, one core, beside peers",
        ["-m", "bench.cycle", "--json", "bench/results/cycle.json"],
    ),
    (
        "Matching many queries, one core, beside peers",
        ["-m", "bench.percolator", "--json", "bench/results/percolator.json"],
    ),
    ("Names in any spelling", ["-m", "bench.names"]),
    ("Stories on labelled news", ["-m", "bench.story_scores"]),
    ("Grouping, one core", ["-m", "bench.stories"]),
    ("Alerts and answers on their way", ["-m", "bench.latency"]),
    ("Sending at the limits", ["-m", "bench.soak"]),
    ("Idle memory", ["-m", "bench.memory"]),
)


def main() -> int:
    """Run every step; the worst exit code."""
    Path("bench/results").mkdir(exist_ok=True)
    worst = 0
    for title, arguments in STEPS:
        print(f"\n## {title}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, *arguments], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
