"""Put together in memory what is kept of a large file. Reads no file, changes no value.

What a file of ten thousand feeds is read from takes ten times what is kept of it, and what is kept
lies scattered in between: Python gives no memory back of which a word is still in use.
"""

import pickle
from collections.abc import Callable
from copyreg import dispatch_table
from dataclasses import fields
from io import BytesIO
from operator import attrgetter
from typing import Any

MANY = 500  #: feeds from which on it is worth the time


class Packed:
    """Values as one piece of memory, so that they can be let go before they are made again."""

    def __init__(self, values: Any, kinds: tuple[type, ...]) -> None:
        """`kinds`: frozen dataclasses of which there are many."""
        stream = BytesIO()
        pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = dispatch_table | {kind: _reducer(kind) for kind in kinds}
        pickler.dump(values)
        self._bytes = stream.getbuffer()

    def values(self) -> Any:
        """Return the values, made anew."""
        return pickle.loads(self._bytes)  # noqa: S301 (we made it)


def _reducer(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    values_of = attrgetter(*(field.name for field in fields(kind)))
    return lambda value: (kind, values_of(value))
