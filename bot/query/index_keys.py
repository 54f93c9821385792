"""Choose the keys that a query is indexed by: every match has one of them, few other articles do.

Not matching. The same requirements, in full, narrow a search over stored articles.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from bot.names.lookup_keys import pattern_keys
from bot.names.pattern import NamePattern
from bot.query.tree import (
    AllOf,
    AnyOf,
    InField,
    Meta,
    Name,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Term,
    Unit,
)
from bot.text.fold import fold
from bot.text.stem import query_stems, unlike_languages
from bot.text.tokens import compound_forms, is_unspaced, joined

_MAX_COUNTED = 80_000  # keys whose frequency is remembered: 8 MB
_MAX_STEMMED = 20_000  # words whose stems are remembered: 6 MB
_META_COST = 200.0  # keys of metadata are shared by whole feeds

Keys = frozenset[str]
_NO_KEYS: Keys = frozenset()
Stems = Callable[[str], Keys]  #: stems of an inflected word


class KeyRequirement(NamedTuple):
    """Any of some keys, or several requirements, of which all or any must be met."""

    keys: Keys = _NO_KEYS
    parts: tuple["KeyRequirement", ...] = ()
    every: bool = False  #: all parts are required, not any


class KeySelector:
    """Knows the languages in which words are stemmed, and how frequent keys are."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = frozenset(("", *languages))
        self._stems_of: dict[str, Keys] = {}  # of words of queries, in all languages
        self._counts: dict[str, int] = {}  # articles with a key

    def add_language(self, language: str) -> bool:
        """Stem words in this language as well; return whether it is new."""
        if language in self.languages:
            return False
        self.languages |= {language}
        self._stems_of.clear()
        return True

    def observe(self, keys: Iterable[str]) -> None:
        """Count the keys of an article."""
        counts = self._counts
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
        if len(counts) > _MAX_COUNTED:
            self._counts = {key: count // 2 for key, count in counts.items() if count > 3}

    def choose(self, node: Node) -> Keys | None:
        """Return keys of which every match has at least one; None if there are none."""
        clauses = self.clauses(node)
        return clauses[0] if clauses else None

    def clauses(self, node: Node) -> list[Keys]:
        """Return sets of keys, the rarest first; every match has at least one of each set."""
        clauses = self._clauses(required_keys(node, self._stems))
        if len(clauses) > 1:
            clauses.sort(key=self._cost)
        return clauses

    def _cost(self, keys: Iterable[str]) -> float:
        cost, counts = 0.0, self._counts
        for key in keys:
            cost += _META_COST if is_meta_key(key) else counts.get(key, 0) + 2.0 / len(key)
        return cost

    def _clauses(self, requirement: KeyRequirement | None) -> list[Keys]:
        """Return sets of keys; of each set every match has at least one key."""
        if requirement is None:
            return []
        if not requirement.parts:
            return [requirement.keys]
        each = [self._clauses(part) for part in requirement.parts]
        if requirement.every:
            return [clause for clauses in each for clause in clauses]
        if not all(each):
            return []
        return [frozenset().union(*(min(clauses, key=self._cost) for clauses in each))]

    def _stems(self, word: str) -> Keys:
        known = self._stems_of.get(word)
        if known is None:
            if len(self._stems_of) >= _MAX_STEMMED:
                self._stems_of.clear()
            known = self._stems_of[word] = frozenset(
                stem
                for language in unlike_languages(word, self.languages)
                for stem in query_stems(word, language)
            )
        return known


def are_of_words(keys: Iterable[str]) -> bool:
    """Whether keys are words as written or stems: an article has them as they are."""
    return not any(key[0] in "^~" or is_meta_key(key) for key in keys)


def is_meta_key(key: str) -> bool:
    """Whether a key is one of metadata (`lang:ru`)."""
    return ":" in key and key[0] not in "=^~"


def name_patterns(node: Node) -> Iterator[NamePattern]:
    """Yield the patterns of all names of a query."""
    match node:
        case Name(pattern=pattern):
            yield pattern
        case NamedList(items=parts) | AnyOf(parts=parts) | AllOf(parts=parts):
            for part in parts:
                yield from name_patterns(part)
        case Near(left=left, right=right):
            yield from name_patterns(left)
            yield from name_patterns(right)
        case NoneOf(part=part) | InField(part=part):
            yield from name_patterns(part)
        case _:
            return


def inflected_words(node: Node) -> Iterator[str]:
    """Yield the words of whose stems the required keys of a query are made."""
    match node:
        case Term(units=units, mode="inflected"):
            for unit in units:
                if isinstance(unit, str):
                    yield unit
                elif not is_unspaced(unit[0]):
                    yield joined(unit)
                    for form in compound_forms(unit):
                        yield from form
        case NamedList(items=parts) | AnyOf(parts=parts) | AllOf(parts=parts):
            for part in parts:
                yield from inflected_words(part)
        case Near(left=left, right=right):
            yield from inflected_words(left)
            yield from inflected_words(right)
        case InField(part=part):
            yield from inflected_words(part)
        case _:
            return


def required_keys(node: Node, stems: Stems) -> KeyRequirement | None:
    """Return the keys that a match must have; None if there are none."""
    match node:
        case Term(units=units, mode=mode):
            return _term(units, stems if mode == "inflected" else _exact)
        case Prefix(head=head, start=start):
            return _prefix(head, start)
        case Name(pattern=pattern):
            return KeyRequirement(pattern_keys(pattern))
        case NamedList(items=parts) | AnyOf(parts=parts):
            alternatives = [required_keys(part, stems) for part in parts]
            if None in alternatives:
                return None
            return KeyRequirement(parts=tuple(filter(None, alternatives)))
        case AllOf(parts=parts):
            inner = tuple(filter(None, (required_keys(part, stems) for part in parts)))
            return KeyRequirement(parts=inner, every=True) if inner else None
        case Near(left=left, right=right):
            return required_keys(AllOf((left, right)), stems)
        case InField(part=part):
            return required_keys(part, stems)
        case Meta(field=field, value=value):
            return _meta(field, value)
        case _:
            return None


def _exact(word: str) -> Keys:
    return frozenset((f"={word}",))


def _term(units: tuple[Unit, ...], stems: Stems) -> KeyRequirement:
    if len(units) == 1:
        return _unit(units[0], stems)
    return KeyRequirement(parts=tuple([_unit(unit, stems) for unit in units]), every=True)


def _unit(unit: Unit, stems: Stems) -> KeyRequirement:
    if isinstance(unit, str):
        return KeyRequirement(stems(unit))
    if is_unspaced(unit[0]):
        bigrams = (fold(first + second) for first, second in pairwise(unit))
        return KeyRequirement(
            parts=tuple(KeyRequirement(_exact(bigram)) for bigram in bigrams), every=True
        )
    apart = (
        KeyRequirement(parts=tuple(KeyRequirement(stems(part)) for part in form), every=True)
        for form in compound_forms(unit)
    )
    return KeyRequirement(parts=(*apart, KeyRequirement(stems(joined(unit)))))


def _prefix(head: tuple[str, ...], start: str) -> KeyRequirement:
    whole = KeyRequirement(frozenset((f"^{joined((*head, start))}",)))
    if not head:
        return whole
    apart = KeyRequirement(parts=tuple(KeyRequirement(_exact(part)) for part in head), every=True)
    return KeyRequirement(parts=(whole, apart))


def _meta(field: str, value: str) -> KeyRequirement:
    if field == "site":
        return KeyRequirement(frozenset((f"site:{value.partition('/')[0]}",)))
    if field in {"feed", "source", "author", "category"} and "://" not in value:
        return KeyRequirement(
            parts=tuple(KeyRequirement(frozenset((f"{field}:{word}",))) for word in value.split()),
            every=True,
        )
    return KeyRequirement(frozenset((f"{field}:{value}",)))
