"""`make soak`: everything that takes long, in parts that are bounded in time.

    python -m bench.soak [PART ...] [--list] [--minutes N]

Without a part, all of them run, one after another. The ordinary check takes a sample of the same
tests by `SEED`; `SOAK=1` takes all of them here. A part that fails or takes too long does not keep
the others from running, but the exit code is 1. Only starts programs; measures and judges nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCEPTANCE = "tests/acceptance"
#: coverage is measured by `./check coverage`; what a test prints at its end is what one reads here
PYTEST = ("-m", "pytest", "-q", "-x", "-s", "--no-cov")


@dataclass(frozen=True)
class Part:
    """Something long."""

    about: str
    #: what Python is started with
    arguments: tuple[str, ...]
    #: after which it is ended and counts as failed
    minutes: int
    #: of the environment, beside what all parts have
    variables: Mapping[str, str] = field(default_factory=dict)


PARTS = {
    "crash": Part(
        "kill newsbell before every statement of the pipelines, and 200 times at random",
        (*PYTEST, f"{ACCEPTANCE}/test_crash.py"),
        180,
    ),
    "cluster": Part(
        "five minutes of kills, hangs and restarts of several newsbells on one PostgreSQL",
        (*PYTEST, f"{ACCEPTANCE}/test_cluster.py", f"{ACCEPTANCE}/test_upgrade_in_turn.py"),
        30,
    ),
    "partition": Part(
        "two machines whose cables to the database fail in every way, and heal",
        (*PYTEST, f"{ACCEPTANCE}/test_partition.py"),
        15,
    ),
    "clock": Part(
        "set the clock of a running newsbell by minutes to decades, and between two runs",
        (*PYTEST, f"{ACCEPTANCE}/test_clock.py"),
        30,
    ),
    "faults": Part(
        "10,000 sends to hundreds of chats while Telegram fails in every way",
        (*PYTEST, f"{ACCEPTANCE}/test_telegram_faults.py"),
        30,
    ),
    "telegram": Part(
        "ten minutes of each kind of outage of Telegram, and 200 kills during sends",
        (
            *PYTEST,
            f"{ACCEPTANCE}/test_telegram_outage.py",
            f"{ACCEPTANCE}/test_crash.py",
            "-k",
            "outage or random",
        ),
        90,
    ),
    "languages": Part(
        "every conversation in every language, with a restart before every step",
        (
            *PYTEST,
            f"{ACCEPTANCE}/test_telegram_page.py",
            f"{ACCEPTANCE}/test_telegram_languages.py",
        ),
        60,
    ),
    "stories": Part(
        "recorded news served as feeds, with faults and kills",
        (*PYTEST, f"{ACCEPTANCE}/test_story_replay.py", f"{ACCEPTANCE}/test_replay.py"),
        60,
    ),
    "fuzz": Part(
        "thousands of hostile documents and headers through everything, to the chat",
        (*PYTEST, f"{ACCEPTANCE}/test_fuzz.py"),
        60,
    ),
    "slow-hosts": Part(
        "150 feeds at one host and 200 at their own that send a byte a second",
        (*PYTEST, f"{ACCEPTANCE}/test_slow_hosts.py"),
        20,
    ),
    "latency": Part(
        "how long alerts and answers take with 100,000 subscriptions stored",
        ("-m", "bench.latency"),
        30,
    ),
    "load": Part(
        "100,000 deliveries to two thousand chats at Telegram's limits",
        ("-m", "bench.chat_load"),
        180,
    ),
    "mixed": Part(
        "ten minutes of all trouble at once against the real program", ("-m", "bench.mixed"), 20
    ),
    "claims": Part(
        "what holds of the real program through outages, kills, slow hosts and clock steps",
        ("-m", "bench.claims"),
        120,
    ),
    "days": Part(
        "a hundred virtual days of the real program, and what each costs",
        ("-m", "bench.days"),
        240,
    ),
    "explain": Part(
        "days of invented news, and each statement of explain judged by what chats received",
        ("-m", "bench.explained"),
        60,
    ),
    "samples": Part(
        "all examples, benchmarks and outputs of which the check takes a sample elsewhere",
        (
            *PYTEST,
            "tests/unit",
            "tests/integration",
            f"{ACCEPTANCE}/test_command_line.py",
            f"{ACCEPTANCE}/test_process.py",
        ),
        180,
    ),
    "postgres": Part(
        "all integration tests on a PostgreSQL server, of which the check takes a sample",
        ("-m", "pytest", "-q", "--no-cov", "tests/integration"),
        180,
        {"ENGINE": "postgres", "SOAK": "0"},
    ),
    "queries": Part(
        "what the index finds in thousands of articles, and each query tried alone",
        (*PYTEST, "tests/unit/query/test_place_check.py"),
        60,
    ),
    "memory": Part("memory with 10,000 feeds", ("-m", "bench.memory"), 30),
    "age": Part("what work costs on a database of a newsroom's year", ("-m", "bench.age"), 30),
}


def environment(part: Part) -> dict[str, str]:
    """Return the environment of a part; a seed of the caller is kept."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    seed = f"{datetime.now(UTC):%Y%m%d}"  # as in the check
    return {"SEED": seed, **os.environ, "SOAK": "1", "PYTHONPATH": path, **part.variables}


def run(part: Part, minutes: float) -> bool:
    """Run a part to its end, or end it with all its children; whether it passed."""
    process = subprocess.Popen(
        [sys.executable, *part.arguments],
        cwd=ROOT,
        env=environment(part),
        start_new_session=True,
    )
    try:
        return process.wait(timeout=60 * minutes) == 0
    except subprocess.TimeoutExpired:
        print(f"ended after {minutes:g} minutes", flush=True)
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="everything long, in parts")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--list", action="store_true", help="say what the parts do, and end")
    parser.add_argument("--minutes", type=float, help="instead of the limit of each part")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def main() -> int:
    """Run the parts; 1 if one of them failed."""
    options = arguments()
    if options.list:
        for name, part in PARTS.items():
            print(f"{name:10} {part.about} (at most {part.minutes} minutes)")
        return 0
    results: list[str] = []
    failed = False
    for name in options.parts or PARTS:
        part = PARTS[name]
        minutes = part.minutes if options.minutes is None else options.minutes
        print(f"\n== {name}: {part.about}; at most {minutes:g} minutes", flush=True)
        began = time.monotonic()
        passed = run(part, minutes)
        failed |= not passed
        word = "passed" if passed else "FAILED"
        results.append(f"{name:10} {word} {time.monotonic() - began:6.0f} s")
    print("", *results, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
