"""The store on SQLite: the only place that knows SQL. One connection, one thread, one process write to it."""

import sys
from importlib import import_module


def _first(library: str, without: str) -> None:
    """Import a library as though another one were not installed."""
    if without in sys.modules:
        return
    sys.modules[without] = None  # type: ignore[assignment]  # how Python is told that there is none
    try:
        import_module(library)
    finally:
        del sys.modules[without]


# It imports numpy, where that is installed, for column types that no table here has. The charts' child has it installed; here it would cost
# each process 12 MB, 120 MB of address space, a thread for each core and 0.2 s.
_first("sqlite_utils", without="numpy")
