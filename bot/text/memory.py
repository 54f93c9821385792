"""Give memory that is free back to the system. Frees nothing that is in use.

The C library keeps what was freed between parts that are in use, for what may come.
"""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give it back, where the C library can (glibc). Takes a few milliseconds."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
