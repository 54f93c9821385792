"""Choose by which keys a query is found: every article that matches holds at least one of them, and few others do. No matching.

The same demands, in full, narrow a search over stored articles.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from bot.names.lookup_keys import pattern_keys
from bot.query.tree import (
    AllOf,
    AnyOf,
    InField,
    Meta,
    Name,
    NamedList,
    Near,
    Node,
    Prefix,
    Term,
    Unit,
)
from bot.text.fold import fold
from bot.text.stem import query_stems
from bot.text.tokens import is_unspaced, joined

_MOST_OBSERVED = 200_000  # keys whose frequency is remembered
_META_COST = 200.0  # keys beside the words are shared by whole feeds

Keys = frozenset[str]
WordClauses = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class KeyRequirement:
    """Any of some keys, or several demands together, all or any of them."""

    keys: Keys = frozenset()
    parts: tuple["KeyRequirement", ...] = ()
    every: bool = False  #: all parts are demanded, not any


class KeySelector:
    """Knows the languages that words are looked for in, and how rare keys are."""

    def __init__(self, languages: Iterable[str]) -> None:
        self.languages = {"", *languages}
        self._observed: dict[str, int] = {}

    def add_language(self, language: str) -> bool:
        """Look for words in this language as well; whether it is new."""
        if language in self.languages:
            return False
        self.languages.add(language)
        return True

    def observe(self, keys: Iterable[str]) -> None:
        """An article held these keys."""
        observed = self._observed
        for one in keys:
            observed[one] = observed.get(one, 0) + 1
        if len(observed) > _MOST_OBSERVED:
            self._observed = {one: count // 2 for one, count in observed.items() if count > 3}

    def _cost(self, keys: Iterable[str]) -> float:
        return sum(
            _META_COST if is_meta_key(one) else self._observed.get(one, 0) + 2.0 / len(one)
            for one in keys
        )

    def choose(self, node: Node) -> Keys | None:
        """The keys of which an article must hold one; None where there are none."""
        clauses = self._clauses(required_keys(node, self._forms))
        return min(clauses, key=self._cost) if clauses else None

    def _clauses(self, demand: KeyRequirement | None) -> list[Keys]:
        """Sets of keys of each of which an article must hold one."""
        if demand is None:
            return []
        if not demand.parts:
            return [demand.keys]
        each = [self._clauses(part) for part in demand.parts]
        if demand.every:
            return [clause for clauses in each for clause in clauses]
        if not all(each):
            return []
        return [frozenset().union(*(min(clauses, key=self._cost) for clauses in each))]

    def _forms(self, word: str) -> Keys:
        return frozenset(
            form for language in self.languages for form in query_stems(word, language)
        )


def is_meta_key(key: str) -> bool:
    """Whether a key is of something known beside the words (`lang:ru`)."""
    return ":" in key and key[0] not in "=^~"


def required_words(node: Node) -> WordClauses:
    """Words in clauses, of each of which an article must hold one; after `=` those that are not inflected. A quick first look."""
    match node:
        case Term(units=units, mode=mode):
            sign = "" if mode == "inflected" else "="
            return tuple((f"{sign}{unit}",) for unit in units if isinstance(unit, str))
        case AllOf(parts=parts):
            return tuple(dict.fromkeys(clause for part in parts for clause in required_words(part)))
        case AnyOf(parts=parts):
            each = [required_words(part) for part in parts]
            return (
                (tuple(dict.fromkeys(word for clauses in each for word in min(clauses, key=len))),)
                if all(each)
                else ()
            )
        case Near(left=left, right=right):
            return required_words(left) + required_words(right)
        case InField(part=part):
            return required_words(part)
        case _:
            return ()


Forms = Callable[[str], Keys]


def required_keys(node: Node, forms: Forms) -> KeyRequirement | None:
    """What an article must hold to match; None where nothing is demanded. `forms` gives the stems of an inflected word."""
    match node:
        case Term(units=units, mode=mode):
            each = [_unit(unit, forms if mode == "inflected" else _exact) for unit in units]
            return each[0] if len(each) == 1 else KeyRequirement(parts=tuple(each), every=True)
        case Prefix(head=head, start=start):
            return _prefix(head, start)
        case Name(pattern=pattern):
            return KeyRequirement(pattern_keys(pattern))
        case NamedList(items=parts) | AnyOf(parts=parts):
            found = [required_keys(part, forms) for part in parts]
            return (
                None if None in found else KeyRequirement(parts=tuple(one for one in found if one))
            )
        case AllOf(parts=parts):
            inner = tuple(one for part in parts if (one := required_keys(part, forms)))
            return KeyRequirement(parts=inner, every=True) if inner else None
        case Near(left=left, right=right):
            return required_keys(AllOf((left, right)), forms)
        case InField(part=part):
            return required_keys(part, forms)
        case Meta(field=field, value=value):
            return _meta(field, value)
        case _:
            return None


def _exact(word: str) -> Keys:
    return frozenset((f"={word}",))


def _unit(unit: Unit, forms: Forms) -> KeyRequirement:
    if isinstance(unit, str):
        return KeyRequirement(forms(unit))
    if is_unspaced(unit[0]):
        return KeyRequirement(
            parts=tuple(
                KeyRequirement(_exact(fold(first + second))) for first, second in pairwise(unit)
            ),
            every=True,
        )
    apart = KeyRequirement(parts=tuple(KeyRequirement(forms(part)) for part in unit), every=True)
    return KeyRequirement(parts=(apart, KeyRequirement(forms(joined(unit)))))


def _prefix(head: tuple[str, ...], start: str) -> KeyRequirement:
    whole = joined((*head, start))
    found = KeyRequirement(frozenset((f"^{whole}",)))
    if not head:
        return found
    apart = KeyRequirement(parts=tuple(KeyRequirement(_exact(part)) for part in head), every=True)
    return KeyRequirement(parts=(found, apart))


def _meta(field: str, value: str) -> KeyRequirement:
    if field == "site":
        return KeyRequirement(frozenset((f"site:{value.partition('/')[0]}",)))
    if field in {"feed", "source", "author"} and "://" not in value:
        return KeyRequirement(
            parts=tuple(KeyRequirement(frozenset((f"{field}:{word}",))) for word in value.split()),
            every=True,
        )
    return KeyRequirement(frozenset((f"{field}:{value}",)))
