"""How Python's search for garbage is kept from holding up the event loop. Frees nothing itself.

The search looks through all objects that came since it last did, and now and then through all that
there are: a million take it 150 ms, in which nothing else goes on.
"""

import gc

YOUNG = 10_000  #: objects that came before it looks; Python's 700 are fewer than a poll makes


def settle() -> None:
    """What is there now stays: look for garbage among what comes, and seldom."""
    gc.set_threshold(YOUNG)
    gc.freeze()
