"""The common command line of the programs, and the meter around their polling.

Measures one process and its children on Linux. Does not poll.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Task:
    """What one program is asked to do."""

    #: every URL, to be polled exactly once
    urls: list[str]
    #: the folder in which the program keeps what it must remember
    state: Path
    #: where the figures go
    out: Path
    #: threads, for the programs that have them
    workers: int


def task() -> Task:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=Path, required=True, help="a file of URLs, one a line")
    parser.add_argument("--state", type=Path, required=True, help="folder of the durable state")
    parser.add_argument("--out", type=Path, required=True, help="file the figures are written to")
    parser.add_argument(
        "--workers", type=int, default=1, help="threads, where the program has them"
    )
    options = parser.parse_args()
    options.state.mkdir(parents=True, exist_ok=True)
    urls = options.urls.read_text(encoding="utf-8").split()
    return Task(urls, options.state, options.out, options.workers)


class Meter:
    """Counts from its making to `write`."""

    def __init__(self) -> None:
        """Start now: imports and the opening of the state lie behind."""
        self._cpu = _cpu_seconds()
        self._started = time.perf_counter()

    def write(self, out: Path, feeds: int, new: list[str], errors: int = 0) -> None:
        """Stop, and write the figures: `new` has a title or guid of each entry reported as new."""
        seconds = time.perf_counter() - self._started
        figures = {
            "feeds": feeds,
            "seconds": seconds,
            "cpu": _cpu_seconds() - self._cpu,
            "rss_mb": _peak_mb(),
            "errors": errors,
            "new": new,
        }
        out.write_text(json.dumps(figures), encoding="utf-8")


def _cpu_seconds() -> float:
    """User and system time of this process, of its ended children, and of its living ones."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return ended + sum(_living_cpu(pid) for pid in _descendants())


def _living_cpu(pid: int) -> float:
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) / _TICKS if fields else 0.0


def _peak_mb() -> float:
    """Peak resident memory, summed over the living; pages shared between them count in each.

    VmHWM and not ru_maxrss: the latter still knows the parent from which this process was forked.
    """
    living = sum(_high_water_kb(pid) for pid in [os.getpid(), *_descendants()])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (living + ended) / 1024


def _high_water_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _descendants() -> list[int]:
    """Return the living children of this process, and theirs."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            parents[int(folder.name)] = int(fields[1])
    pids: list[int] = []
    edge = {os.getpid()}
    while edge:
        edge = {pid for pid, parent in parents.items() if parent in edge}
        pids.extend(edge)
    return pids


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; none if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
