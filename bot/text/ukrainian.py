"""The lemmas of Ukrainian words, by pymorphy3, whose dictionary is read where it lies on the disk.

pymorphy3 copies it into each process, which takes 17 MB. To import this takes 0.1 s, so only where
there is Ukrainian text.
"""

import mmap
import struct
from array import array
from functools import cache
from pathlib import Path
from typing import Any

from pymorphy3 import MorphAnalyzer
from pymorphy3_dicts_uk import get_path

from bot.text.memory import give_back

_SIZE = struct.Struct("=I")  # of what follows it: the units of a graph, then pairs of a guide


@cache
def analyzer() -> Any:
    """Return what parses a word."""
    folder = Path(get_path())  # without it, pymorphy3 looks through all that is installed
    made = MorphAnalyzer(path=str(folder), lang="uk")
    dictionary = made.dictionary
    _map(dictionary.words, folder / "words.dawg")
    for number, graph in enumerate(dictionary.prediction_suffixes_dawgs):
        _map(graph, folder / f"prediction-suffixes-{number}.dawg")
    give_back()
    return made


def _map(graph: Any, path: Path) -> None:
    """Put a mapped file in place of its copy, where it is such a copy: pymorphy3 has other ways."""
    parts: list[Any] = [getattr(graph, name, None) for name in ("dct", "guide")]
    copies = [getattr(part, "_units", None) for part in parts]
    lengths = [len(copy) for copy in copies if isinstance(copy, array)]
    if len(lengths) < len(parts):
        return
    with path.open("rb") as stream:
        view = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    end = _SIZE.size + 4 * _SIZE.unpack_from(view)[0]
    start = end + _SIZE.size
    units = view[_SIZE.size : end].cast("I")
    guide = view[start : start + 2 * _SIZE.unpack_from(view, end)[0]]
    if [len(units), len(guide)] == lengths:
        parts[0]._units, parts[1]._units = units, guide  # noqa: SLF001 (see above)
