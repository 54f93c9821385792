"""How alike two entries are, by the words they share and how rare those are in the window at this moment. No clusters here."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import exp, hypot, log, sqrt
from operator import mul, sub

from bot.stories.features import Features
from bot.stories.headline_kinds import Kind
from bot.stories.stop_words import PRIOR_ENTRIES, usual

FADE = 72.0  #: hours in which likeness fades to 1/e
ASIDE = 0.8  #: factor where only one of two tells of the thing itself
SAME_PUBLISHER = 0.7  #: factor for two entries of one publisher under different headlines
BARE = (
    0.7  #: share of the characters in the likeness of two bare headlines; the words have the rest
)
LIFT = 1.3  #: factor for two bare headlines, which have fewer words to be alike in


class Rarity:
    """How many entries of the window hold each word. Rarity is relative: it changes with every entry, for all."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.logs: dict[
            str, float
        ] = {}  # logarithm of how often each word was met, the usual ones a little oftener
        self._usual = usual()
        self.entries = 0

    def add(self, entry: Features) -> None:
        """One entry more."""
        self.entries += 1
        counts, logs, known = self.counts, self.logs, self._usual
        for term in entry.terms:
            count = counts[term] = counts.get(term, 0) + 1
            logs[term] = _log(count + known.get(term, 0))

    def drop(self, entry: Features) -> None:
        """One entry less."""
        self.entries -= 1
        for term in entry.terms:
            count = self.counts[term] = self.counts[term] - 1
            if count:
                self.logs[term] = _log(count + self._usual.get(term, 0))
            else:
                del self.counts[term], self.logs[term]

    @property
    def whole(self) -> float:
        """Logarithm of how many entries there are, those of the prior among them."""
        return log(self.entries + PRIOR_ENTRIES + 1)


@lru_cache(maxsize=1 << 12)
def _log(count: int) -> float:
    return log(count + 0.5)


@dataclass(slots=True)
class Similarity:
    """One entry, to be held against many."""

    entry: Features
    vector: dict[str, float]  #: its words with their weights, of length 1
    _logs: dict[str, float]
    _whole: float

    @classmethod
    def of(cls, entry: Features, rarity: Rarity) -> "Similarity":
        """Weigh the words of an entry that is counted in `rarity`."""
        logs, whole = rarity.logs, rarity.whole
        weights = list(
            map(mul, entry.weights, map(sub, repeat(whole), map(logs.__getitem__, entry.terms)))
        )
        length = hypot(*weights) or 1.0
        return cls(
            entry,
            dict(zip(entry.terms, [weight / length for weight in weights], strict=True)),
            logs,
            whole,
        )

    def shared(self, other: Features) -> int:
        """How many words the two have in common."""
        return sum(map(self.vector.__contains__, other.terms))

    def to(self, other: Features) -> float:
        """Cosine of the words, faded by time, less where kind or publisher say so. Between 0 and 1."""
        terms = other.terms
        weights = list(
            map(
                mul,
                other.weights,
                map(sub, repeat(self._whole), map(self._logs.__getitem__, terms)),
            )
        )
        score = sum(map(mul, weights, map(self.vector.get, terms, repeat(0.0))))
        entry = self.entry
        bare = entry.bare and other.bare
        if not score and not bare:
            return 0.0
        score /= hypot(*weights) or 1.0
        if bare:
            score = LIFT * (score + BARE * (characters(entry.headline, other.headline) - score))
        score *= exp(-abs(entry.hours - other.hours) / FADE)
        if (entry.kind is Kind.NEWS) != (other.kind is Kind.NEWS):
            score *= ASIDE
        if entry.publisher == other.publisher and entry.headline != other.headline:
            score *= SAME_PUBLISHER
        return float(min(score, 1.0))


def characters(one: str, other: str) -> float:
    """How many runs of four characters two folded headlines share: the cosine of their sets."""
    first, second = _runs(one), _runs(other)
    if not first or not second:
        return 0.0
    return len(first & second) / sqrt(len(first) * len(second))


@lru_cache(maxsize=1 << 11)
def _runs(headline: str) -> frozenset[str]:
    text = f" {headline} "
    return frozenset([text[start : start + 4] for start in range(len(text) - 3)])
