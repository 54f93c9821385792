"""Names that may stand among Chinese and Japanese characters: quick, never too strict.

Not matching, which is `bot.names.find`. A Chinese name is looked up by its syllables; a foreign one
by what characters can transcribe it, wherever such a transcription may begin.
"""

from bisect import bisect_left
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Generic, NamedTuple, TypeVar

from bot.names.chinese import pinyin
from bot.names.context import NameText
from bot.names.edit_distance import (
    NO_MATCH,
    distance,
    end_cost,
    max_distance,
    start_cost,
)
from bot.names.find import MIN_TRANSCRIPTION, sounds_of, transcriptions
from bot.names.pattern import NamePattern
from bot.names.phoneme_content import ALL, allowance, between, content
from bot.names.phonemes import SYLLABIC
from bot.names.phonetic_key import initial_keys
from bot.names.transliteration import is_unspaced_character

_FEWEST_SYLLABLES = 3  # of a Chinese name
_CACHED_RUNS = 1 << 13  # of which the names are remembered: 3 MB
_CLOSE = 1e-9  # sums in another order differ by less

Key = TypeVar("Key")


class _Sound(NamedTuple):
    """A phoneme string, and what is compared of it first."""

    phonemes: str
    start: str  #: the first two; empty where there are hardly more
    end: str  #: the last two, the last one first; the same


class _RunName(NamedTuple, Generic[Key]):
    """A name that characters may transcribe."""

    sound: _Sound
    limit: float  #: of the distance of a transcription
    key: Key


class _Listed(Generic[Key]):
    """The names that begin with what a character may be read as."""

    __slots__ = ("allowances", "names", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []  #: in the order in which they came, among all names
        self.names: list[_RunName[Key]] = []
        self.allowances: list[int] = []  #: of what is a transcription of each


class RunNames(Generic[Key]):
    """Names by what a run of characters may be read as."""

    def __init__(self) -> None:
        self._by_syllables: dict[tuple[str, ...], list[Key]] = {}
        self._first_syllables: set[str] = set()
        self._by_initial: dict[str, _Listed[Key]] = {}
        self._count = 0  # of names that may be transcribed
        # Of runs, with their first character: how many names there were, which they may be.
        self._cache: dict[tuple[str, ...], tuple[int, tuple[Key, ...]]] = {}

    def add(self, pattern: NamePattern, key: Key) -> None:
        """Add a name, unless it can be none in such characters."""
        if pattern.syllables:
            first = pattern.syllables[:_FEWEST_SYLLABLES]
            self._by_syllables.setdefault(first, []).append(key)
            self._first_syllables.add(first[0])
        if pattern.initial_keys:
            limit = max_distance(pattern.joined_phonemes, SYLLABIC)
            phonemes = pattern.joined_phonemes
            name = _RunName(_sound(phonemes), limit, key)
            allowed = allowance(phonemes, SYLLABIC, limit)
            for initial in pattern.initial_keys:
                listed = self._by_initial.setdefault(initial, _Listed())
                listed.numbers.append(self._count)
                listed.names.append(name)
                listed.allowances.append(allowed)
            self._count += 1

    def find(self, text: NameText, found: dict[Key, None]) -> None:
        """Add the names that may stand in a text."""
        words = text.words
        here = {word for word in set(words) if not word.isascii() and is_unspaced_character(word)}
        if not here:
            return
        if self._by_syllables:
            self._find_syllables(words, here, found)
        if self._by_initial:
            sounds = sounds_of(words)
            for index, sound in enumerate(sounds):
                if sound and words[index] in here:
                    runs = [
                        phonemes
                        for count, phonemes in transcriptions(words, sounds, index, text.context)
                        if count >= MIN_TRANSCRIPTION
                    ]
                    if runs:
                        found.update(dict.fromkeys(self._of_runs(words[index], runs)))

    def _find_syllables(
        self, words: list[str], here: AbstractSet[str], found: dict[Key, None]
    ) -> None:
        """Add the Chinese names that may stand in a text."""
        first = {word for word in here if pinyin(word) in self._first_syllables}
        for index, word in enumerate(words):
            if word in first:
                syllables = tuple(map(pinyin, words[index : index + _FEWEST_SYLLABLES]))
                found.update(dict.fromkeys(self._by_syllables.get(syllables, ())))

    def _of_runs(self, first_character: str, runs: list[str]) -> tuple[Key, ...]:
        """The names that runs of characters may transcribe, which begin with the same one."""
        key = (first_character, *runs)
        since, names = self._cache.get(key, (0, ()))
        if since < self._count or not since:
            names = (*names, *dict.fromkeys(self._transcribed(first_character, runs, since)))
            if len(self._cache) >= _CACHED_RUNS:
                self._cache.clear()
            self._cache[key] = self._count, names
        return names

    def _transcribed(self, first_character: str, runs: list[str], since: int) -> Iterator[Key]:
        """Like `_of_runs`, from a number of names on."""
        contents = [content(phonemes, SYLLABIC) for phonemes in runs]
        held = contents[0] if len(contents) == 1 else between(contents[0], contents[-1])
        for initial in initial_keys(first_character):
            listed = self._by_initial.get(initial)
            if listed is None:
                continue
            begin = bisect_left(listed.numbers, since) if since else 0
            allowances = listed.allowances[begin:] if begin else listed.allowances
            for place in [
                place for place, left in enumerate(allowances, begin) if (left + held) & ALL == ALL
            ]:
                name, left = listed.names[place], listed.allowances[place]
                if any(
                    (left + of_run) & ALL == ALL and _are_close(name, _sound(run))
                    for run, of_run in zip(runs, contents, strict=True)
                ):
                    yield name.key


def _sound(phonemes: str) -> _Sound:
    return _Sound(
        phonemes,
        phonemes[:2] if len(phonemes) > 2 else "",
        phonemes[:-3:-1] if len(phonemes) > 3 else "",
    )


def _are_close(name: _RunName[Key], run: _Sound) -> bool:
    own, limit = name.sound, name.limit
    least = start_cost(own.start, run.start, SYLLABIC) if own.start and run.start else 0.0
    if own.end and run.end and least <= limit + _CLOSE:
        least += end_cost(own.end, run.end, SYLLABIC)
    return (
        least <= limit + _CLOSE and distance(own.phonemes, run.phonemes, SYLLABIC, limit) < NO_MATCH
    )
