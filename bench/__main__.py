"""`make bench`: every benchmark, one after another; their figures go to bench/results.

    python -m bench [NAME ...] [--size small] [--write] [--options "--feeds 200"]

Prints tables; asserts no figure. With --write they go into their page as well (docs/benchmarks.md
or docs/capacity.md), with the commit that was measured.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys

from bench import published
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
    "cluster": "Several machines, ended in every way",
    "memory": "Idle memory",
    "start": "Starts of the command line, and size",
    "restart": "Starts and reloads with much stored",
    "records": "Records of matches",
    "bodies": "The text of articles",
    "articles": "The text of articles from their pages",
    "engines": "Figures",
}


def main() -> int:
    """Run every benchmark, or those that are named; the worst exit code."""
    parser = argparse.ArgumentParser(description="every benchmark, or some")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of these alone")
    parser.add_argument("--size", choices=("full", "small"), default="full")
    parser.add_argument(
        "--options", default="", help="further options of the benchmark, in one argument"
    )
    parser.add_argument(
        "--write", action="store_true", help="put the figures into their page of docs"
    )
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no {unknown[0]}; known: {', '.join(BENCHMARKS)}")
    try:
        at = published.commit() if asked.write else ""
    except published.NotCommitted as error:
        parser.error(str(error))
    worst = 0
    for name in asked.names or BENCHMARKS:
        print(f"\n## {BENCHMARKS[name]}\n", flush=True)
        worst = max(worst, _run(name, asked.size, shlex.split(asked.options), at))
    return worst


def _run(name: str, size: str, options: list[str], at: str) -> int:
    """Run one, and publish its figures where a commit is named; its exit code."""
    record = ROOT / "bench" / "results" / f"{name}.json"
    module = ["-m", f"bench.{name}", *(["--size", size] if size != "full" else []), *options]
    command = [sys.executable, *module, "--json", str(record)]
    load = published.load()
    done = subprocess.run(
        command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE if at else None
    )
    if at and done.returncode == 0:
        print(done.stdout, flush=True)
        shown = " ".join(["python", *module])
        text = published.block(name, shown, done.stdout, at, load)
        published.publish(name, BENCHMARKS[name], text)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
