"""`make bench`: the poll cycle beside its peers with the event loop's lag, and idle memory. Prints tables; asserts nothing."""

from __future__ import annotations

import subprocess
import sys

STEPS = (
    ("Poll cycle, one core, beside peers", ["-m", "bench.cycle", "--json", "bench/results/cycle.json"]),
    ("Idle memory", ["-m", "bench.memory"]),
)


def main() -> int:
    """Run every step; the worst exit code."""
    worst = 0
    for title, arguments in STEPS:
        print(f"\n## {title}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, *arguments], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
