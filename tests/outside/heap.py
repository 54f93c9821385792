"""What the memory of a program is made of: a line of JSON at each signal, from inside it.

The figures of the kernel, of malloc and of SQLite; the caches of words; and, where tracemalloc runs
(PYTHONTRACEMALLOC=1), the lines that hold most. No assertions. It does not list objects: a thread
that is just making one of them would meet with an error.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from bot.text.word_cache import WORDS

#: one that the program has no use for
SIGNAL = signal.SIGRTMIN + 1
#: in a file of steps, in the place of what one was for: a search for garbage
COLLECTOR = "look for garbage"
_LINES = 40  # how many of them are written down
_MALLINFO = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()


class _MallInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [(name, ctypes.c_size_t) for name in _MALLINFO]


def report_at_signal(path: Path) -> None:
    """Write the figures to this file at each `SIGNAL`."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        try:
            line = json.dumps(figures())
        except Exception as error:  # noqa: BLE001 (it would end whatever runs just then)
            line = json.dumps({"error": repr(error)})
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    signal.signal(SIGNAL, handle)


def figures() -> dict[str, Any]:
    """The figures, in MB where they are sizes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    rows = dict(line.split(":", 1) for line in status.splitlines())
    kernel = {
        name: round(int(rows[name].split()[0]) / 1024, 1)
        for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")
    }
    return {
        "kernel": kernel,
        "malloc": _malloc(),
        "small": _small_blocks(),
        "sqlite": _sqlite(),
        "blocks": sys.getallocatedblocks(),
        "words": round(WORDS.used / 2**20, 1),
        "caches": _caches(),
        "lines": _lines(),
    }


def _malloc() -> dict[str, float]:
    """What glibc's malloc has from the kernel, and how much of it is in use."""
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is None:  # another libc
        return {}
    function.restype = _MallInfo
    values = function()
    return {
        "heaps": round(values.arena / 2**20, 1),
        "mapped": round(values.hblkhd / 2**20, 1),
        "used": round(values.uordblks / 2**20, 1),
        "free": round(values.fordblks / 2**20, 1),
    }


def _sqlite() -> float | None:
    """What SQLite has allocated, its page caches included."""
    module = sys.modules.get("_sqlite3")
    with suppress(OSError, AttributeError):
        function = ctypes.CDLL(getattr(module, "__file__", None)).sqlite3_memory_used
        function.restype = ctypes.c_int64
        return round(int(function()) / 2**20, 1)
    return None


def _small_blocks() -> dict[str, float]:
    """What Python's allocator of small blocks has, and how much of it is in use."""
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        error = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            sys._debugmallocstats()
        finally:
            os.dup2(error, 2)
            os.close(error)
        file.seek(0)
        lines = file.read().decode().splitlines()
    rows = dict(line.split("=", 1) for line in lines if line.startswith("# bytes in a"))
    sizes = {name.strip(): int(row.split()[-1].replace(",", "")) for name, row in rows.items()}
    names = {"used": "# bytes in allocated blocks", "free": "# bytes in available blocks"}
    return {key: round(sizes[name] / 2**20, 1) for key, name in names.items() if name in sizes}


def _caches() -> dict[str, int]:
    """Entries of the caches of words."""
    caches = vars(WORDS)["_caches"].values()
    return {cache.__wrapped__.__qualname__: cache.cache_info().currsize for cache in caches}


def _lines() -> dict[str, float]:
    """The lines of Python that hold most memory; empty where tracemalloc does not run."""
    if not tracemalloc.is_tracing():
        return {}
    rows = tracemalloc.take_snapshot().statistics("lineno")[:_LINES]
    return {f"{row.traceback}": round(row.size / 2**20, 2) for row in rows}
