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
from bot.stories.stop_words import PRIOR_ENTRIES, prior_frequencies, stop_words
from bot.text.word_cache import word_cache

DECAY_HOURS = 72.0  #: time between two entries after which their similarity is down to 1/e
KIND_FACTOR = 0.8  #: factor where news is compared with what is no news
SAME_PUBLISHER_FACTOR = 0.7  #: factor for two entries of one publisher under different headlines
NGRAM_SHARE = 0.7  #: weight of the n-gram similarity of two entries without summaries
HEADLINE_ONLY_FACTOR = 1.3  #: factor for two entries without summaries, which have fewer terms
_NGRAM = 4  # characters
STOP_WORD_SHARE = 0.08  #: of a language's entries, above which a term is a stop word
_LEARNT_STOP_WORDS_FROM = 200  # entries


class _LanguageFrequencies:
    """The number of entries in one language that contain each term."""

    def __init__(self, prior: dict[str, int], *, has_stop_words: bool) -> None:
        self.counts: dict[str, int] = {}
        #: logarithm of each count, with the prior of common terms added to the count
        self.log_counts: dict[str, float] = {}
        self.entries = 0
        self._prior, self._has_stop_words = prior, has_stop_words

    def add(self, entry: Features) -> None:
        self.entries += 1
        counts, log_counts, prior = self.counts, self.log_counts, self._prior
        for term in entry.terms:
            count = counts[term] = counts.get(term, 0) + 1
            log_counts[term] = _log(count + prior.get(term, 0))

    def remove(self, entry: Features) -> None:
        self.entries -= 1
        for term in entry.terms:
            count = self.counts[term] = self.counts[term] - 1
            if count:
                self.log_counts[term] = _log(count + self._prior.get(term, 0))
            else:
                del self.counts[term], self.log_counts[term]

    def weights(self, entry: Features) -> list[float]:
        """Return the tf-idf weight of each term of an entry that is counted here."""
        log_total = log(self.entries + PRIOR_ENTRIES + 1)
        idfs = map(sub, repeat(log_total), map(self.log_counts.__getitem__, entry.terms))
        weights = list(map(mul, entry.tf_weights, idfs))
        if self._has_stop_words or self.entries < _LEARNT_STOP_WORDS_FROM:
            return weights
        most = STOP_WORD_SHARE * self.entries
        counts = map(self.counts.__getitem__, entry.terms)
        return [
            0.0 if count > most else weight for weight, count in zip(weights, counts, strict=True)
        ]


class DocumentFrequencies:
    """The number of entries of the window that contain each term, by language, for idf weights.

    By language, or the entries in one would make each term of another look rarer.
    """

    def __init__(self) -> None:
        self._prior = prior_frequencies()
        self._languages: dict[str, _LanguageFrequencies] = {}

    def add(self, entry: Features) -> None:
        """Count the terms of an entry."""
        self._of(entry.language).add(entry)

    def remove(self, entry: Features) -> None:
        """Undo `add`."""
        self._of(entry.language).remove(entry)

    def weights(self, entry: Features) -> list[float]:
        """Return the tf-idf weight of each term of an entry that is counted.

        A term that many entries of a language without a list of stop words contain weighs nothing.
        """
        return self._of(entry.language).weights(entry)

    def _of(self, language: str) -> _LanguageFrequencies:
        frequencies = self._languages.get(language)
        if frequencies is None:
            frequencies = self._languages[language] = _LanguageFrequencies(
                self._prior, has_stop_words=bool(stop_words(language))
            )
        return frequencies


@word_cache(1 << 12)
def _log(count: int) -> float:
    return log(count + 0.5)


@dataclass(slots=True)
class Similarity:
    """The tf-idf vector of one entry, to be compared with many others."""

    entry: Features
    vector: dict[str, float]  #: tf-idf weight of each term, normalized to length 1
    _frequencies: DocumentFrequencies

    @classmethod
    def of(cls, entry: Features, frequencies: DocumentFrequencies) -> "Similarity":
        """Return the vector of an entry that is counted in `frequencies`."""
        weights = frequencies.weights(entry)
        length = hypot(*weights) or 1.0
        return cls(
            entry,
            dict(zip(entry.terms, [weight / length for weight in weights], strict=True)),
            frequencies,
        )

    def shared_terms(self, other: Features) -> int:
        """Return the number of terms that both entries contain."""
        return sum(map(self.vector.__contains__, other.terms))

    def to(self, other: Features) -> float:
        """Return the similarity of this newcomer to another entry, from 0 to 1.

        The cosine, decayed by the time between the two, reduced for publisher, and for kind where
        the newcomer is news and the other is not: a comment belongs to its event, but news shall
        not vanish in a comment's story.
        """
        score = self._without_kind(other)
        if self.entry.kind is Kind.NEWS and other.kind is not Kind.NEWS:
            score *= KIND_FACTOR
        return score

    def between(self, other: Features) -> float:
        """Return the smaller of the similarities in both directions."""
        score = self._without_kind(other)
        if (self.entry.kind is Kind.NEWS) != (other.kind is Kind.NEWS):
            score *= KIND_FACTOR
        return score

    def _without_kind(self, other: Features) -> float:
        terms = other.terms
        weights = self._frequencies.weights(other)
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
        if entry.publisher == other.publisher and entry.headline != other.headline:
            score *= SAME_PUBLISHER_FACTOR
        return float(min(score, 1.0))


def ngram_similarity(headline: str, other: str) -> float:
    """Return the cosine of the sets of character n-grams of two folded headlines."""
    first, second = _ngrams(headline), _ngrams(other)
    if not first or not second:
        return 0.0
    return len(first & second) / sqrt(len(first) * len(second))


@lru_cache(maxsize=1 << 9)
def _ngrams(headline: str) -> frozenset[str]:
    text = f" {headline} "
    return frozenset([text[start : start + _NGRAM] for start in range(len(text) - _NGRAM + 1)])
