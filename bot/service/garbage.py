"""How Python's search for garbage is kept from holding up the event loop.

The search looks through all objects that came since it last did, now and then once more through
what it left of some times, and seldom through all that there are: a million take it 150 ms, in
which nothing else goes on.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bot.text.memory import give_back

YOUNG = 5_000  #: objects that came before it looks; Python's 700 are fewer than a poll makes
#: times that it looked before it looks once more at what it left: of Python's ten it takes 30 ms,
#: and as long in all, for it looks at each object once more
AGAIN = 2
ALL = 80  #: of these before it may look at all: as seldom as by Python's 10 with twice the objects


@contextmanager
def unsearched() -> Iterator[None]:
    """Look for no garbage, where all that is made stays: to look costs a fifth of the time.

    For a start, before anything else runs.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """What is there now stays: look for garbage among what comes, and seldom.

    Memory that was only needed for it is given back.
    """
    gc.set_threshold(YOUNG, AGAIN, ALL)
    gc.freeze()
    give_back()
