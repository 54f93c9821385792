"""Queries as people write them, invented from the words of entries that are not matched.

The same seed gives the same queries. A third are phrases, a third nested boolean, a tenth each
NEAR, `~` and prefix, the rest single words, always in these shares. Each query comes with its tree
as plain lists, so that other programs get the same question without newsbell's parser. All words of
a query are of one script, and the scripts have their share in the entries. Does not use newsbell's
tokens: words are runs of letters here, and pairs of neighbouring Chinese characters.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

#: how many of thirty queries are of each kind
MIX = {"phrase": 10, "boolean": 10, "near": 3, "name": 3, "prefix": 3, "word": 1}
#: weights of the bands of words; `invented`: names and terms that no entry of the sample has
SKEW = {"invented": 25, "rare": 45, "middle": 25, "common": 5}
#: Shares of the entries below which a word is rare, of the middle, common; above, it is grammar,
#: which is in phrases only.
_RARE, _MIDDLE, _COMMON = 0.002, 0.02, 0.15

#: nested shapes; a letter stands for a word
_SHAPES = (
    "a b NOT c",
    "a AND (b OR c)",
    "(a OR b) AND c NOT d",
    "a (b OR c OR d)",
    "(a OR b OR c) AND (d OR e)",
    "a AND (b OR c) NOT (d OR e)",
    "(a AND b) OR (c AND d)",
    "a AND (b OR (c AND d)) NOT e",
    "((a OR b) AND c) OR (d AND e)",
    "(a OR b) AND (c OR d) AND (e OR f) NOT (g OR h)",
)
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\d_\u3400-\u9fff]{2,}")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SCRIPTS = {
    "han": _HAN,
    "arabic": re.compile(r"[\u0600-\u06ff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "latin": re.compile(r"[a-zA-Z]"),
}
_SYLLABLES = (
    "ba bre cor dal dun fen gor hal ik jor kel lin mar "
    "nor ost pol quin ras sel tor ul var wen yor zan"
).split()

#: a query as nested lists: ["word", w], ["phrase", p], ["prefix", w], ["name", n],
#: ["near", n, a, b], ["and", ...], ["or", ...], ["not", a]
Tree = list[Any]


@dataclass(frozen=True)
class Query:
    """One query."""

    kind: str
    text: str
    tree: Tree


@dataclass(frozen=True)
class Vocabulary:
    """The words of texts in one script, by how many of the texts have them, and their phrases."""

    #: how many texts
    weight: int
    bands: dict[str, list[str]]
    phrases: list[str]
    #: phrases of which each word has a capital
    names: list[str]
    common: frozenset[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Vocabulary:
        """Count the words of the texts, all of one script."""
        counts: Counter[str] = Counter()
        phrases: dict[str, None] = {}
        for text in texts:
            runs = list(_WORD.finditer(text))
            counts.update({word.group().lower() for word in runs})
            counts.update(
                {
                    left.group() + right.group()
                    for left, right in pairwise(runs)
                    if _HAN.match(right.group()) and _meet(left, right)
                }
            )
            phrases.update(dict.fromkeys(_phrases(text, runs)))
        few, some, much = (
            max(least, share * len(texts))
            for least, share in ((2, _RARE), (4, _MIDDLE), (8, _COMMON))
        )
        usable = {
            word: count
            for word, count in counts.items()
            if len(word) > 2 or (len(word) == 2 and _HAN.match(word))
        }
        bands = {
            "rare": [word for word, count in usable.items() if count < few],
            "middle": [word for word, count in usable.items() if few <= count < some],
            "common": [word for word, count in usable.items() if some <= count < much],
        }
        if not any(bands.values()):  # invented entries: every word is in many of them
            bands["common"] = list(usable)
        grammar = {word for word, count in counts.items() if count >= some}
        complete = [
            phrase
            for phrase in phrases
            if not grammar.intersection((phrase.lower().split()[0], phrase.lower().split()[-1]))
        ]
        named = [
            phrase
            for phrase in complete
            if all(part[0].isupper() and part[1:].islower() for part in phrase.split())
        ]
        return cls(len(texts), bands, complete or list(phrases), named, frozenset(bands["common"]))


def vocabularies(texts: Iterable[str]) -> list[Vocabulary]:
    """Return one vocabulary a script, from the texts that are mostly in it."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        letters = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
        groups.setdefault(max(letters, key=lambda script: letters[script]), []).append(text)
    return [Vocabulary.of(group) for group in groups.values()]


def _phrases(text: str, words: list[re.Match[str]]) -> Iterator[str]:
    """Yield two and three neighbouring words with a space or nothing between them."""
    for length in (2, 3):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            if all(
                _meet(left, right) or text[left.end() : right.start()] == " "
                for left, right in pairwise(run)
            ):
                yield text[run[0].start() : run[-1].end()]


def _meet(left: re.Match[str], right: re.Match[str]) -> bool:
    return left.end() == right.start()


class Maker:
    """Makes distinct queries from vocabularies, one after another."""

    def __init__(self, known: list[Vocabulary], seed: int) -> None:
        """Begin: the same vocabularies and seed give the same queries."""
        self._chance = Random(seed)
        self._known = known
        self._vocabulary = known[0]  # that of the query being made
        self._earlier: set[str] = set()
        self._slots = [kind for kind, count in MIX.items() for _ in range(count)]
        self._kinds: dict[str, Callable[[], tuple[str, Tree]]] = {
            kind: getattr(self, f"_{kind}") for kind in MIX
        }

    def queries(self, count: int) -> list[Query]:
        """Return further queries; each thirty of them are of the kinds that MIX says."""
        queries: list[Query] = []
        while len(queries) < count:
            slots = list(self._slots)
            self._chance.shuffle(slots)
            queries.extend(self._distinct(kind) for kind in slots)
        return queries[:count]

    def words(self, count: int) -> list[str]:
        """Return distinct bare words."""
        words: dict[str, None] = {}
        while len(words) < count:
            self._choose()
            words[self._single_word()] = None
        return list(words)

    def _distinct(self, kind: str) -> Query:
        while True:
            self._choose()
            text, tree = self._kinds[kind]()
            if text not in self._earlier:
                self._earlier.add(text)
                return Query(kind, text, tree)

    def _choose(self) -> None:
        self._vocabulary = self._chance.choices(
            self._known, [vocabulary.weight for vocabulary in self._known]
        )[0]

    def _invented(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((2, 3, 3, 4))))

    def _any_word(self) -> str:
        band = self._chance.choices(list(SKEW), list(SKEW.values()))[0]
        words = self._vocabulary.bands.get(band)
        return self._chance.choice(words) if words else self._invented()

    def _single_word(self) -> str:
        """Return a word for a query of its own: none that every tenth entry has."""
        while True:
            word = self._any_word()
            if word not in self._vocabulary.common:
                return word

    def _different(self, count: int) -> list[str]:
        """Return words with different beginnings: a query must not require what it excludes."""
        words: dict[str, str] = {}
        while len(words) < count:
            word = self._any_word()
            words.setdefault(word[:4], word)
        return list(words.values())

    def _word(self) -> tuple[str, Tree]:
        word = self._single_word()
        return word, ["word", word]

    def _phrase(self) -> tuple[str, Tree]:
        if self._vocabulary.phrases and self._chance.random() < 0.6:
            phrase = self._chance.choice(self._vocabulary.phrases)
        else:
            phrase = " ".join([*self._different(self._chance.choice((1, 1, 2))), self._invented()])
        return f'"{phrase}"', ["phrase", phrase]

    def _name(self) -> tuple[str, Tree]:
        if self._vocabulary.names and self._chance.random() < 0.5:
            name = self._chance.choice(self._vocabulary.names)
        else:
            name = " ".join(
                self._invented().capitalize() for _ in range(self._chance.choice((1, 2, 2, 2)))
            )
        return f'~"{name}"', ["name", name]

    def _prefix(self) -> tuple[str, Tree]:
        word = self._single_word()
        while len(word) < 6:  # no pair of Chinese characters: an invented word instead
            word = self._single_word()
        start = word[: max(5, len(word) - self._chance.choice((1, 2, 3)))]
        if self._chance.random() < 0.5:
            return f"{start}*", ["prefix", start]
        other = self._different(1)[0]
        return f"{start}* {other}", ["and", ["prefix", start], ["word", other]]

    def _near(self) -> tuple[str, Tree]:
        left, right, third = self._different(3)
        far = self._chance.choice((1, 2, 3, 5, 8, 10))
        if self._chance.random() < 0.25:
            tree = [
                "or",
                ["near", far, ["word", left], ["word", right]],
                ["near", far, ["word", third], ["word", right]],
            ]
            return f"({left} OR {third}) NEAR/{far} {right}", tree
        return f"{left} NEAR/{far} {right}", ["near", far, ["word", left], ["word", right]]

    def _boolean(self) -> tuple[str, Tree]:
        shape = self._chance.choice(_SHAPES)
        letters = sorted(set(re.findall(r"\b[a-h]\b", shape)))
        words = dict(zip(letters, self._different(len(letters)), strict=True))
        return re.sub(r"\b[a-h]\b", lambda match: words[match.group()], shape), _Reader(
            shape, words
        ).any_of()


class _Reader:
    """Reads a shape: NOT binds tightest, then AND (also the implied one), then OR."""

    def __init__(self, shape: str, words: dict[str, str]) -> None:
        self._tokens = re.findall(r"[()]|\w+", shape)
        self._words = words

    def any_of(self) -> Tree:
        parts = [self._all_of()]
        while self._tokens and self._tokens[0] == "OR":
            self._tokens.pop(0)
            parts.append(self._all_of())
        return ["or", *parts] if len(parts) > 1 else parts[0]

    def _all_of(self) -> Tree:
        parts = [self._part()]
        while self._tokens and self._tokens[0] not in {"OR", ")"}:
            if self._tokens[0] == "AND":
                self._tokens.pop(0)
            parts.append(self._part())
        return ["and", *parts] if len(parts) > 1 else parts[0]

    def _part(self) -> Tree:
        token = self._tokens.pop(0)
        if token == "NOT":
            return ["not", self._part()]
        if token == "(":
            inside = self.any_of()
            self._tokens.pop(0)
            return inside
        return ["word", self._words[token]]
