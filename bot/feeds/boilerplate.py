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
from itertools import takewhile

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
                tuple(_Run(tuple(words), count, since) for words, count, since in data[place.key])
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
        learnt = self
        for entry in entries:
            learnt = learnt._counted(entry)
        return learnt

    def _counted(self, entry: ParsedEntry) -> "Boilerplate":
        number = self.entries + 1
        runs = tuple(
            _with_text(known, place, getattr(entry, place.field), number)
            for place, known in zip(_PLACES, self.runs, strict=True)
        )
        if number < HALVED_AT:
            return Boilerplate(number, runs)
        halved = tuple(
            tuple(_Run(run.words, run.count // 2, run.since // 2) for run in known)
            for known in runs
        )
        return Boilerplate(number // 2, halved)

    def without(self, entry: ParsedEntry) -> ParsedEntry:
        """Return an entry whose summary and `core` lack what most entries of the feed have.

        The headline stays as it was written: its words are matched and shown.
        """
        title, summary = entry.title, entry.summary
        for place, runs in zip(_PLACES, self.runs, strict=True):
            text = title if place.field == "title" else summary
            learnt = [
                run.words
                for run in runs
                if self._is_boilerplate(run) and not _is_credit(run.words, place)
            ]
            shorter = _cut(text, place, learnt)
            if place.field == "title":
                title = shorter
            else:
                summary = shorter
        core = title if title != entry.title else ""
        return replace(entry, summary=summary, core=core)

    def _is_boilerplate(self, run: _Run) -> bool:
        seen = self.entries - run.since + 1
        return run.count >= LEAST_ENTRIES and run.count >= SHARE * seen


def _with_text(known: tuple[_Run, ...], place: _Place, text: str, number: int) -> tuple[_Run, ...]:
    """Return the candidates of a place after a text: what it has in common is counted."""
    words = _words(text, place)
    if len(words) < place.least:
        return known
    best, common = max(
        ((run, _common(run.words, words)) for run in known),
        key=lambda pair: pair[1],
        default=(None, 0),
    )
    if best is not None and common >= place.least:
        counted = _Run(best.words[:common], best.count + 1, best.since)
        return tuple(counted if run is best else run for run in known)
    kept = sorted(known, key=lambda run: (run.count, run.since))[max(len(known) + 1 - KEPT, 0) :]
    return (*kept, _Run(words, 1, number))


def _words(text: str, place: _Place) -> tuple[str, ...]:
    """Return the folded words from the place inwards, but never all of a text."""
    words = text.split()
    count = min(place.most, len(words) - 1)
    if count < place.least:
        return ()
    chosen = words[-count:][::-1] if place.at_end else words[:count]
    return tuple(folded_key(word) or word for word in chosen)


def _is_credit(words: Sequence[str], place: _Place) -> bool:
    text = f" {' '.join(words[::-1] if place.at_end else words)} "
    return place.field == "summary" and any(name in text for name in _CREDITS)


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return sum(1 for _ in pairs)


def _cut(text: str, place: _Place, runs: Sequence[Sequence[str]]) -> str:
    """Return a text without the longest of these runs in that place."""
    words = _words(text, place)
    length = max((len(run) for run in runs if words[: len(run)] == tuple(run)), default=0)
    if not length:
        return text
    spans = [match.span() for match in _WORD.finditer(text)]
    if place.at_end:
        return text[: spans[-length - 1][1]]
    return text[spans[length][0] :]
