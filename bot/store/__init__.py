"""The store, the only part that knows SQL. One process, thread and connection writes."""

import sys
from importlib import import_module


def _import_without(library: str, absent: str) -> None:
    """Import a library as though another one were not installed."""
    if absent in sys.modules:
        return
    sys.modules[absent] = None  # type: ignore[assignment]  # how Python marks a missing module
    try:
        import_module(library)
    finally:
        del sys.modules[absent]


# sqlite_utils imports numpy, where that is installed, for column types that no table here has.
# newsbell needs none; where it is there for another program, it would cost each process 12 MB,
# 120 MB of address space, a thread for each core and 0.2 s.
_import_without("sqlite_utils", absent="numpy")
