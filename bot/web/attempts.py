"""How often somebody may try a secret word that is not good. All who try count together.

The words are too long to be guessed; this keeps those who try all the same from costing much. Who
has a word that was good lately is not kept out by them.
"""

from collections import OrderedDict

BURST = 30  #: words in a row that may be wrong
A_MINUTE = 30  #: the same, each minute after that
_REMEMBERED = 1_000  # good words


class Attempts:
    """Counts what was tried in vain. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), 0.0
        self._good: OrderedDict[str, None] = OrderedDict()

    def allowed(self, word: str, now: float) -> bool:
        """Whether a word is looked at."""
        self._left = min(float(BURST), self._left + max(0.0, now - self._at) * A_MINUTE / 60)
        self._at = now
        return self._left >= 1 or word in self._good

    def tried(self, word: str, *, good: bool) -> None:
        """Count a word that was looked at."""
        if not good:
            self._left -= 1
            self._good.pop(word, None)
            return
        self._good[word] = None
        self._good.move_to_end(word)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)
