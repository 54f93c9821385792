"""Break a text into lines of a width. Measures and draws nothing."""

import unicodedata
from collections.abc import Callable

_LONGEST = 300  # code points that are looked at; more never fits


def right_to_left(text: str) -> bool:
    """Return whether the text runs from right to left (Unicode bidi algorithm, P2 and P3)."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind != "L" for kind in strong if kind in {"L", "R", "AL"}), False)


def fit(text: str, width: float, lines: int, measure: Callable[[str], float]) -> list[str]:
    """Return at most `lines` lines no wider than `width`, broken at spaces where one is near.

    An ellipsis ends a text that was cut.
    """
    rest = " ".join(text[:_LONGEST].split())
    cut = len(text) > _LONGEST
    result: list[str] = []
    while rest and len(result) < lines:
        last = len(result) == lines - 1
        if measure(rest) <= width and not (cut and last):
            result.append(rest)
            break
        count = _fitting(rest, width, measure, "…" if last else "")
        space = rest.rfind(" ", 0, count + 1)
        end = space if space > count * 0.6 else count
        if not end:
            break
        result.append(rest[:end].rstrip() + ("…" if last else ""))
        rest = rest[end:].lstrip()
    return result


def _fitting(text: str, width: float, measure: Callable[[str], float], end: str) -> int:
    """Return how many code points fit with `end` after them; a mark stays with its letter."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip() + end) <= width:
            low = middle
        else:
            high = middle - 1
    while 0 < low < len(text) and unicodedata.combining(text[low]):
        low -= 1
    return low
