"""Similarity of two entries: cosine of their tf-idf vectors, adjusted. No clustering here.

Document frequencies are those of the live window at this moment.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import exp, hypot, log, sqrt
from operator import mul, sub

from bot.stories.features import Features
from bot.stories.headline_kinds import Kind
from bot.stories.stop_words import PRIOR_ENTRIES, prior_frequencies
from bot.text.word_cache import word_cache

DECAY_HOURS = 72.0  #: time between two entries after which their similarity is down to 1/e
KIND_FACTOR = 0.8  #: factor where only one of the two entries is news
SAME_PUBLISHER_FACTOR = 0.7  #: factor for two entries of one publisher under different headlines
NGRAM_SHARE = 0.7  #: weight of the n-gram similarity of two entries without summaries
HEADLINE_ONLY_FACTOR = 1.3  #: factor for two entries without summaries, which have fewer terms
_NGRAM = 4  # characters


class DocumentFrequencies:
    """The number of entries of the window that contain each term, for idf weights."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        #: logarithm of each count, with the prior of common terms added to the count
        self.log_counts: dict[str, float] = {}
        self._prior = prior_frequencies()
        self.entries = 0

    def add(self, entry: Features) -> None:
        """Count the terms of an entry."""
        self.entries += 1
        counts, log_counts, prior = self.counts, self.log_counts, self._prior
        for term in entry.terms:
            count = counts[term] = counts.get(term, 0) + 1
            log_counts[term] = _log(count + prior.get(term, 0))

    def remove(self, entry: Features) -> None:
        """Undo `add`."""
        self.entries -= 1
        for term in entry.terms:
            count = self.counts[term] = self.counts[term] - 1
            if count:
                self.log_counts[term] = _log(count + self._prior.get(term, 0))
            else:
                del self.counts[term], self.log_counts[term]

    @property
    def log_total(self) -> float:
        """Logarithm of the number of entries, the prior included."""
        return log(self.entries + PRIOR_ENTRIES + 1)


@word_cache(1 << 12)
def _log(count: int) -> float:
    return log(count + 0.5)


@dataclass(slots=True)
class Similarity:
    """The tf-idf vector of one entry, to be compared with many others."""

    entry: Features
    vector: dict[str, float]  #: tf-idf weight of each term, normalized to length 1
    _log_counts: dict[str, float]
    _log_total: float

    @classmethod
    def of(cls, entry: Features, frequencies: DocumentFrequencies) -> "Similarity":
        """Return the vector of an entry that is counted in `frequencies`."""
        log_counts, log_total = frequencies.log_counts, frequencies.log_total
        idfs = map(sub, repeat(log_total), map(log_counts.__getitem__, entry.terms))
        weights = list(map(mul, entry.tf_weights, idfs))
        length = hypot(*weights) or 1.0
        return cls(
            entry,
            dict(zip(entry.terms, [weight / length for weight in weights], strict=True)),
            log_counts,
            log_total,
        )

    def shared_terms(self, other: Features) -> int:
        """Return the number of terms that both entries contain."""
        return sum(map(self.vector.__contains__, other.terms))

    def to(self, other: Features) -> float:
        """Return the similarity to another entry, from 0 to 1.

        The cosine, decayed by the time between the two, reduced for kind and publisher.
        """
        terms = other.terms
        idfs = map(sub, repeat(self._log_total), map(self._log_counts.__getitem__, terms))
        weights = list(map(mul, other.tf_weights, idfs))
        score = sum(map(mul, weights, map(self.vector.get, terms, repeat(0.0))))
        entry = self.entry
        headline_only = entry.headline_only and other.headline_only
        if not score and not headline_only:
            return 0.0
        score /= hypot(*weights) or 1.0
        if headline_only:
            ngrams = ngram_similarity(entry.headline, other.headline)
            score = HEADLINE_ONLY_FACTOR * (score + NGRAM_SHARE * (ngrams - score))
        score *= exp(-abs(entry.hours - other.hours) / DECAY_HOURS)
        if (entry.kind is Kind.NEWS) != (other.kind is Kind.NEWS):
            score *= KIND_FACTOR
        if entry.publisher == other.publisher and entry.headline != other.headline:
            score *= SAME_PUBLISHER_FACTOR
        return float(min(score, 1.0))


def ngram_similarity(headline: str, other: str) -> float:
    """Return the cosine of the sets of character n-grams of two folded headlines."""
    first, second = _ngrams(headline), _ngrams(other)
    if not first or not second:
        return 0.0
    return len(first & second) / sqrt(len(first) * len(second))


@lru_cache(maxsize=1 << 11)
def _ngrams(headline: str) -> frozenset[str]:
    text = f" {headline} "
    return frozenset([text[start : start + _NGRAM] for start in range(len(text) - _NGRAM + 1)])
