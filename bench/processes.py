"""What the kernel says that processes used of a processor. Measures nothing by itself."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and of the children that it waited for; 0 if it ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / _TICKS


def cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and of all that it started."""
    children: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += map(int, thread.read_text(encoding="ascii").split())
        except OSError:
            continue  # a thread that ended
    return cpu_of(pid) + sum(map(cpu_of_tree, children))
