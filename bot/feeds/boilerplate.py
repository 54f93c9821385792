"""Learn the words with which a feed begins or ends its texts: bylines, slogans, consent, prefixes.

What most entries of a feed have in the same place says nothing about any of them. It is learnt from
the feed's own entries, from its first document on, and kept with the feed. A subject that a
publisher writes about every day is none of it: its words are not in one place. What publishing
software adds to the texts of every site is taken out when they are read (`parse.boilerplate`).
No I/O, no clock.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter

import regex

from bot.model.entries import ParsedEntry
from bot.stories.publishers import AGENCIES
from bot.text.fold import folded_key

LEAST_ENTRIES = 5  #: entries with a run before it counts
SHARE = 0.5  #: of the entries since the run was first seen that have it
KEPT = 3  #: candidates in each place
HALVED_AT = 200  #: entries after which all counts are halved, so that a changed habit is learnt
_WORD = regex.compile(r"\S+")
# Who is credited counts for the publishers of a story, in however many entries.
_CREDITS = frozenset(
    f" {folded_key(name)} " for agency, names in AGENCIES.items() for name in (agency, *names)
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where runs of words are looked for."""

    key: str
    field: str
    at_end: bool
    least: int  #: words
    most: int


_PLACES = (
    _Place("a", "title", at_end=False, least=2, most=5),
    _Place("b", "title", at_end=True, least=2, most=5),
    _Place("c", "summary", at_end=False, least=4, most=10),
    _Place("d", "summary", at_end=True, least=4, most=20),
    _Place("e", "body", at_end=False, least=4, most=10),
    _Place("f", "body", at_end=True, least=4, most=20),
)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of folded words in one place, counted from that place inwards."""

    words: tuple[str, ...]
    count: int
    since: int  #: number of the entry with which it was first seen


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """What was learnt of a feed: candidates by place, and how many entries were looked at."""

    entries: int = 0
    runs: tuple[tuple[_Run, ...], ...] = ((),) * len(_PLACES)

    @classmethod
    def read(cls, text: str) -> "Boilerplate":
        """Inverse of `written`."""
        if not text:
            return cls()
        data = json.loads(text)
        return cls(
            data["n"],
            tuple(
                tuple(
                    _Run(tuple(words), count, since)
                    for words, count, since in data.get(place.key, ())
                )
                for place in _PLACES
            ),
        )

    def written(self) -> str:
        """Return it as text, at most a few thousand characters."""
        kept = {
            place.key: [[run.words, run.count, run.since] for run in runs]
            for place, runs in zip(_PLACES, self.runs, strict=True)
        }
        return json.dumps({"n": self.entries, **kept}, ensure_ascii=False, separators=(",", ":"))

    def learn(self, entries: Iterable[ParsedEntry]) -> "Boilerplate":
        """Return what is known after further entries of the feed."""
        number = self.entries
        places = [[_Candidate.of(run) for run in runs] for runs in self.runs]
        for entry in entries:
            number += 1
            for place, candidates in zip(_PLACES, places, strict=True):
                if text := getattr(entry, place.field):
                    _count(candidates, _Words.of(text, place), place, number)
            if number >= HALVED_AT:
                number //= 2
                for candidate in chain.from_iterable(places):
                    candidate.count, candidate.since = candidate.count // 2, candidate.since // 2
        runs = (tuple(candidate.run() for candidate in candidates) for candidates in places)
        return Boilerplate(number, tuple(runs))

    def without(self, entries: Iterable[ParsedEntry]) -> tuple[ParsedEntry, ...]:
        """Return entries whose summary, body and `core` lack what most entries of the feed have.

        The headline stays as it was written: its words are matched and shown.
        """
        learnt = [
            [
                run.words
                for run in runs
                if self._is_boilerplate(run) and not _is_credit(run.words, place)
            ]
            for place, runs in zip(_PLACES, self.runs, strict=True)
        ]
        return tuple(_without(entry, learnt) for entry in entries)

    def _is_boilerplate(self, run: _Run) -> bool:
        seen = self.entries - run.since + 1
        return run.count >= LEAST_ENTRIES and run.count >= SHARE * seen


@dataclass(slots=True)
class _Words:
    """The words of a text from a place inwards, but never all of them; none where it has too few.

    Folded as far as they are asked for: most texts differ in the first one.
    """

    raw: Sequence[str]
    folded: list[str]

    @classmethod
    def of(cls, text: str, place: _Place) -> "_Words":
        if place.at_end:
            words = text.rsplit(None, place.most)[:0:-1]
        else:
            words = text.split(None, place.most)[:-1]
        return cls(words if len(words) >= place.least else (), [])

    def first(self, count: int) -> tuple[str, ...]:
        """Return the first of them, folded."""
        if len(self.folded) < count:
            self.folded += map(_fold, self.raw[len(self.folded) : count])
        return tuple(self.folded[:count])

    def common(self, other: "_Words") -> int:
        """Return how many are the same at the beginning."""
        count, most = 0, min(len(self.raw), len(other.raw))
        while count < most and self.at(count) == other.at(count):
            count += 1
        return count

    def at(self, place: int) -> str:
        """Return one of them, folded. They are asked for one after the other."""
        if place == len(self.folded):
            self.folded.append(_fold(self.raw[place]))
        return self.folded[place]


@dataclass(slots=True, eq=False)
class _Candidate:
    """A run while it is counted."""

    head: str  # the first of the words
    words: _Words
    count: int
    since: int
    known: _Run | None = None  # as it was, while it has the same words

    @classmethod
    def of(cls, run: _Run) -> "_Candidate":
        words = _Words(run.words, list(run.words))
        return cls(words.at(0), words, run.count, run.since, run)

    def run(self) -> _Run:
        known = self.known
        if known and (known.count, known.since) == (self.count, self.since):
            return known
        return _Run(self.words.first(len(self.words.raw)), self.count, self.since)


def _count(candidates: list[_Candidate], words: _Words, place: _Place, number: int) -> None:
    """Count what a text has in common with the candidates of a place; else it becomes one."""
    if not words.raw:
        return
    best, common, head = None, 0, words.at(0)
    for candidate in candidates:
        if candidate.head == head and (length := candidate.words.common(words)) > common:
            best, common = candidate, length
    if best is not None and common >= place.least:
        best.words = _Words(words.raw[:common], list(words.first(common)))
        best.count, best.known = best.count + 1, None
        return
    candidates.sort(key=attrgetter("count", "since"))
    del candidates[: max(len(candidates) + 1 - KEPT, 0)]
    candidates.append(_Candidate(head, words, 1, number))


def _fold(word: str) -> str:
    if word.isascii() and word.isalnum():
        return word.lower()
    return folded_key(word) or word


def _is_credit(words: Sequence[str], place: _Place) -> bool:
    text = f" {' '.join(words[::-1] if place.at_end else words)} "
    return place.field != "title" and any(name in text for name in _CREDITS)


def _without(entry: ParsedEntry, learnt: Sequence[Sequence[Sequence[str]]]) -> ParsedEntry:
    texts = {"title": entry.title, "summary": entry.summary, "body": entry.body}
    for place, runs in zip(_PLACES, learnt, strict=True):
        if runs:
            texts[place.field] = _cut(texts[place.field], place, runs)
    title, summary, body = texts.values()
    core = title if title != entry.title else ""
    body = body if len(body) > len(summary) else ""
    if (summary, core, body) == (entry.summary, entry.core, entry.body):
        return entry
    return replace(entry, summary=summary, core=core, body=body)


def _cut(text: str, place: _Place, runs: Sequence[Sequence[str]]) -> str:
    """Return a text without the longest of these runs in that place."""
    words = _Words.of(text, place)
    length = max((len(run) for run in runs if words.first(len(run)) == tuple(run)), default=0)
    if not length:
        return text
    spans = [match.span() for match in _WORD.finditer(text)]
    if place.at_end:
        return text[: spans[-length - 1][1]]
    return text[spans[length][0] :]
