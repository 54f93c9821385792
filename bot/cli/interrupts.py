"""Let Ctrl-C end newsbell at once while modules load: there is nothing to finish yet.

An exception there would also come up in clean-ups of the interpreter, which print it.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def _leave(_signal: int, _frame: object) -> None:
    os._exit(130)


@contextmanager
def interruptible() -> Iterator[None]:
    """End with exit code 130 on Ctrl-C, without a word; afterwards Ctrl-C is what it was."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
