"""Similarity of two entries: cosine of their tf-idf vectors, adjusted. No clustering here.

Document frequencies are those of the live window at this moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from math import exp, hypot, log, sqrt
from operator import attrgetter, mul
from sys import intern

from bot.model.stories import StoredFeatures
from bot.stories.features import TITLE_WEIGHT, Features, tf_weight
from bot.stories.headline_kinds import Kind
from bot.stories.packed_features import Outline, Sketch
from bot.stories.postings import Member, Posting, StoredMember, Term
from bot.stories.stop_words import PRIOR_ENTRIES, prior_frequencies, stop_words

DECAY_HOURS = 72.0  #: time between two entries after which their similarity is down to 1/e
KIND_FACTOR = 0.8  #: factor where news is compared with what is no news
SAME_PUBLISHER_FACTOR = 0.7  #: factor for two entries of one publisher under different headlines
NGRAM_SHARE = 0.7  #: weight of the n-gram similarity of two entries without summaries
HEADLINE_ONLY_FACTOR = 1.3  #: factor for two entries without summaries, which have fewer terms
_NGRAM = 4  # characters
STOP_WORD_SHARE = 0.08  #: of a language's entries, above which a term is a stop word
_LEARNT_STOP_WORDS_FROM = 200  # entries
_ROUNDED_DOWN = 1 - 1e-9  # more than floating point may be off
_TITLE_TF = tf_weight(TITLE_WEIGHT)  # least of a term of a headline
_log_count_of = attrgetter("log_count")
_LOGS = tuple(log(count + 0.5) for count in range(1 << 12))


class _Terms(dict[str, Term]):
    """The terms of a language by name. One that is asked for is made."""

    __slots__ = ("_languages", "_prior")

    def __init__(self, prior: dict[str, int], languages: "list[_Terms]") -> None:
        """`languages` are the terms of all languages, which have a list of members a name."""
        super().__init__()
        self._prior, self._languages = prior, languages

    def __missing__(self, name: str) -> Term:
        name = intern(name)  # features that are read later share it
        for terms in self._languages:
            if found := terms.get(name):
                members = found.members
                break
        else:
            members = Posting()
        term = self[name] = Term(name, self._prior.get(name, 0), members)
        return term


class _LanguageFrequencies:
    """The number of entries in one language that contain each term."""

    def __init__(self, terms: _Terms, *, has_stop_words: bool) -> None:
        self.terms = terms
        self.entries = 0
        self.log_total = 0.0
        self._has_stop_words = has_stop_words

    @property
    def learns_stop_words(self) -> bool:
        """Whether terms that many entries contain weigh nothing."""
        return not self._has_stop_words and self.entries >= _LEARNT_STOP_WORDS_FROM

    def add(self, names: Iterable[str]) -> tuple[Term, ...]:
        found = tuple(map(self.terms.__getitem__, names))
        logs, known = _LOGS, len(_LOGS)
        for term in found:
            count = term.count = term.count + 1
            count += term.prior
            term.log_count = logs[count] if count < known else _log(count)
        self._count(1)
        return found

    def restore(self, names: Iterable[str]) -> list[Term]:
        """Count terms without their logarithms, for which `catch_up` is called afterwards."""
        found = list(map(self.terms.__getitem__, names))
        for term in found:
            term.count += 1
        self.entries += 1
        return found

    def catch_up(self) -> None:
        for term in self.terms.values():
            term.log_count = _log(term.count + term.prior)
        self._count(0)

    def remove(self, terms: Iterable[Term]) -> None:
        """Undo `add`."""
        logs, known = _LOGS, len(_LOGS)
        for term in terms:
            count = term.count = term.count - 1
            if count:
                count += term.prior
                term.log_count = logs[count] if count < known else _log(count)
            else:
                del self.terms[term.name]
        self._count(-1)

    def _count(self, entries: int) -> None:
        self.entries += entries
        self.log_total = log(self.entries + PRIOR_ENTRIES + 1)

    def weights(self, member: Member) -> list[float]:
        """Return the tf-idf weight of each term of an entry that is counted here."""
        total, tf_weights = self.log_total, member.features.tf_weights
        weights = [
            tf * (total - term.log_count) for tf, term in zip(tf_weights, member.terms, strict=True)
        ]
        if not self.learns_stop_words:
            return weights
        most = STOP_WORD_SHARE * self.entries
        return [
            0.0 if term.count > most else weight
            for weight, term in zip(weights, member.terms, strict=True)
        ]


class DocumentFrequencies:
    """The number of entries of the window that contain each term, by language, for idf weights.

    By language, or the entries in one would make each term of another look rarer.
    """

    def __init__(self) -> None:
        self._prior = prior_frequencies()
        self._languages: dict[str, _LanguageFrequencies] = {}
        self._terms: list[_Terms] = []  # those of each language
        self._is_behind = False  # the logarithms of counts are those of before

    def add(self, entry: Features) -> Member:
        """Count the terms of an entry; return it with them. It is not among their members."""
        self.catch_up()
        return Member(entry, self.of(entry.language).add(entry.terms))

    def restore(self, stored: StoredFeatures, outline: Outline) -> tuple[Member, list[Term]]:
        """Count the terms of a stored entry; return it and them."""
        frequencies = self.of(outline.language)
        self._is_behind = True
        return (
            StoredMember(stored, frequencies.terms),
            frequencies.restore(outline.terms),
        )

    def catch_up(self) -> None:
        """Make the weights those of what was restored; `add` does so as well."""
        if self._is_behind:
            self._is_behind = False
            for frequencies in self._languages.values():
                frequencies.catch_up()

    @property
    def parts(self) -> Sequence[dict[str, Term]]:
        """What holds the terms and their members. Not to be changed while they are asked for."""
        return self._terms

    def remove(self, member: Member) -> None:
        """Undo `add`."""
        self.of(member.features.language).remove(member.terms)

    def weights(self, member: Member) -> list[float]:
        """Return the tf-idf weight of each term of an entry that is counted.

        A term that many entries of a language without a list of stop words contain weighs nothing.
        """
        return self.of(member.features.language).weights(member)

    def of(self, language: str) -> _LanguageFrequencies:
        """Return the frequencies of one language."""
        frequencies = self._languages.get(language)
        if frequencies is None:
            terms = _Terms(self._prior, self._terms)
            self._terms.append(terms)
            frequencies = self._languages[language] = _LanguageFrequencies(
                terms, has_stop_words=bool(stop_words(language))
            )
        return frequencies


def _log(count: int) -> float:
    return _LOGS[count] if count < len(_LOGS) else log(count + 0.5)


@dataclass(slots=True)
class Similarity:
    """The tf-idf vector of one entry, to be compared with many others."""

    entry: Features
    vector: dict[Term, float]  #: tf-idf weight of each term, normalized to length 1
    _frequencies: DocumentFrequencies
    _by_name: dict[str, float] | None = None  # the vector, for entries in another language

    @classmethod
    def of(cls, member: Member, frequencies: DocumentFrequencies) -> "Similarity":
        """Return the vector of an entry that is counted in `frequencies`."""
        weights = frequencies.weights(member)
        length = hypot(*weights) or 1.0
        return cls(
            member.features,
            dict(zip(member.terms, [weight / length for weight in weights], strict=True)),
            frequencies,
        )

    def shares_terms(self, other: Member, least: int) -> bool:
        """Whether both entries contain so many terms, one at least."""
        if least == 1 and other.features.language == self.entry.language:
            return not self.vector.keys().isdisjoint(other.terms)
        weights = self._weights_of(other)
        return len(weights) - weights.count(None) >= least

    def to(self, other: Member) -> float:
        """Return the similarity of this newcomer to another entry, from 0 to 1.

        The cosine, decayed by the time between the two, reduced for publisher, and for kind where
        the newcomer is news and the other is not: a comment belongs to its event, but news shall
        not vanish in a comment's story.
        """
        score = self._without_kind(other)
        if self.entry.kind is Kind.NEWS and other.features.kind is not Kind.NEWS:
            score *= KIND_FACTOR
        return score

    def between(self, other: Member) -> float:
        """Return the smaller of the similarities in both directions."""
        score = self._without_kind(other)
        if (self.entry.kind is Kind.NEWS) != (other.features.kind is Kind.NEWS):
            score *= KIND_FACTOR
        return score

    def storylines_in_reach(self, least: float, members: Iterable[Member]) -> set[int]:
        """Return the storylines of these entries in which one may be as similar as `least`.

        To the entries of all others `to` gives less. The bound takes a third of its time: the
        product of the vectors is at most that of this one with the largest weight in the other's
        text, and the other is at least as long as its headline alone, for the terms of its summary
        only add to the length by which the product is divided. A headline is at least as long as
        if all of its terms had their mean weight.
        """
        entry = self.entry
        language, headline_only = entry.language, entry.headline_only
        frequencies = self._frequencies.of(language)
        total, learns = frequencies.log_total, frequencies.learns_stop_words
        least *= _ROUNDED_DOWN
        products = {term: weight * (total - term.log_count) for term, weight in self.vector.items()}
        intersection, product_of = frozenset(products).intersection, products.__getitem__
        storylines: set[int] = set()
        by_name: dict[str, float] = {}
        for member in members:
            storyline = member.story_ids.storyline
            if storyline in storylines:
                continue
            if not learns and isinstance(member, StoredMember) and (sketch := member.sketch()):
                # Its features take longer to make than all else here, and few are needed.
                by_name = by_name or {term.name: product for term, product in products.items()}
                if self._is_out_of_reach(sketch, by_name, least):
                    continue
            other = member.features
            if learns or other.language != language or (headline_only and other.headline_only):
                storylines.add(storyline)
                continue
            terms, count = member.terms, other.title_length
            product = sum(map(product_of, intersection(terms))) * member.largest_weight
            product = self._factor(other, product) / least
            headline = terms[:count]
            mean = _TITLE_TF * (count * total - sum(map(_log_count_of, headline)))
            if product * product * count < mean * mean * _ROUNDED_DOWN:
                continue
            length = hypot(
                *[
                    tf * (total - term.log_count)
                    for tf, term in zip(other.tf_weights, headline, strict=False)
                ]
            )
            if product >= length:
                storylines.add(storyline)
        return storylines

    def _is_out_of_reach(self, other: Sketch, products: dict[str, float], least: float) -> bool:
        """Whether the mean weight of its headline rules an entry out, as in the bound above."""
        if other.language != self.entry.language or (
            self.entry.headline_only and other.headline_only
        ):
            return False
        product = sum(filter(None, map(products.get, other.terms))) * tf_weight(other.largest_count)
        product = self._factor(other, product) / least
        frequencies, count = self._frequencies.of(other.language), other.title_length
        known = map(frequencies.terms.__getitem__, other.terms[:count])
        logs: float = sum(map(_log_count_of, known))
        mean = _TITLE_TF * (count * frequencies.log_total - logs)
        return product * product * count < mean * mean * _ROUNDED_DOWN

    def _weights_of(self, other: Member) -> list[float | None]:
        """The weights of the other's terms in this vector, None where it lacks them."""
        if other.features.language == self.entry.language:
            return list(map(self.vector.get, other.terms))
        if self._by_name is None:
            self._by_name = {term.name: weight for term, weight in self.vector.items()}
        return list(map(self._by_name.get, other.features.terms))

    def _without_kind(self, other: Member) -> float:
        entry, features = self.entry, other.features
        weights, vector = self._frequencies.weights(other), self._weights_of(other)
        score = sum(map(mul, compress(weights, vector), filter(None, vector)))
        headline_only = entry.headline_only and features.headline_only
        if not score and not headline_only:
            return 0.0
        score /= hypot(*weights) or 1.0
        if headline_only:
            ngrams = ngram_similarity(entry.headline, features.headline)
            score = HEADLINE_ONLY_FACTOR * (score + NGRAM_SHARE * (ngrams - score))
        return float(min(self._factor(features, score), 1.0))

    def _factor(self, other: Features | Sketch, score: float = 1.0) -> float:
        """A score, decayed by the time between the entries and reduced for their publisher."""
        entry = self.entry
        score *= exp(-abs(entry.hours - other.hours) / DECAY_HOURS)
        if entry.publisher == other.publisher and entry.headline != other.headline:
            score *= SAME_PUBLISHER_FACTOR
        return score


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
