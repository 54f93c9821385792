"""`make bench`: every benchmark, one after another; their figures go to bench/results.

    python -m bench [--size small]

Prints tables; asserts no figure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench.command_line import ROOT

#: title and module of each benchmark
BENCHMARKS = {
    "cycle": "Poll cycle, one core, beside peers",
    "documents": "Reading documents",
    "percolator": "Matching many queries, one core, beside peers",
    "names": "Names in any spelling",
    "story_scores": "Stories on labelled news",
    "stories": "Grouping, one core",
    "forecasts": "Forecasts against what came",
    "latency": "Time of alerts and answers on their way",
    "chat_load": "Sending at the limits",
    "memory": "Idle memory",
    "start": "Starts of the command line, and size",
    "restart": "Starts and reloads with much stored",
    "records": "Records of matches",
    "bodies": "The text of articles",
    "articles": "The text of articles from their pages",
}


def main() -> int:
    """Run every benchmark; the worst exit code."""
    parser = argparse.ArgumentParser(description="every benchmark")
    parser.add_argument("--size", choices=("full", "small"), default="full")
    size: str = parser.parse_args().size
    worst = 0
    for name, title in BENCHMARKS.items():
        print(f"\n## {title}\n", flush=True)
        record = ROOT / "bench" / "results" / f"{name}.json"
        command = [sys.executable, "-m", f"bench.{name}", "--size", size, "--json", str(record)]
        worst = max(worst, subprocess.run(command, cwd=ROOT, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
