"""Names that may stand among Chinese and Japanese characters: quick, never too strict.

Not matching, which is `bot.names.find`. A Chinese name is looked up by its syllables; a foreign one
by what characters can transcribe it, wherever such a transcription may begin.
"""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from bot.names.chinese import pinyin
from bot.names.context import NameText
from bot.names.edit_distance import (
    NO_MATCH,
    distance,
    end_cost,
    max_distance,
    silence_cost,
    start_cost,
)
from bot.names.find import MIN_TRANSCRIPTION, transcriptions
from bot.names.pattern import NamePattern
from bot.names.phonemes import SYLLABIC
from bot.names.phonetic_key import initial_keys
from bot.names.transliteration import is_unspaced_character

_FEWEST_SYLLABLES = 3  # of a Chinese name
_CLOSE = 1e-9  # sums in another order differ by less

Key = TypeVar("Key")


class _Sound(NamedTuple):
    """A phoneme string, and what is compared of it first."""

    phonemes: str
    start: str  #: the first two; empty where there are hardly more
    end: str  #: the last two, the last one first; the same
    silence: float  #: cost of turning it into nothing


class RunNames(Generic[Key]):
    """Names by what a run of characters may be read as."""

    def __init__(self) -> None:
        self._by_syllables: dict[tuple[str, ...], list[Key]] = {}
        self._by_initial: dict[str, list[tuple[_Sound, float, Key]]] = {}

    def add(self, pattern: NamePattern, key: Key) -> None:
        """Add a name, unless it can be none in such characters."""
        if pattern.syllables:
            self._by_syllables.setdefault(pattern.syllables[:_FEWEST_SYLLABLES], []).append(key)
        if pattern.initial_keys:
            limit = max_distance(pattern.joined_phonemes, SYLLABIC)
            name = _sound(pattern.joined_phonemes), limit, key
            for initial in pattern.initial_keys:
                self._by_initial.setdefault(initial, []).append(name)

    def find(self, text: NameText, found: dict[Key, None]) -> None:
        """Add the names that may stand in a text."""
        words = text.words
        for index, word in enumerate(words):
            if word.isascii() or not is_unspaced_character(word):
                continue
            if self._by_syllables:
                syllables = tuple(map(pinyin, words[index : index + _FEWEST_SYLLABLES]))
                found.update(dict.fromkeys(self._by_syllables.get(syllables, ())))
            if self._by_initial:
                found.update(dict.fromkeys(self._transcribed(text, index)))

    def _transcribed(self, text: NameText, index: int) -> Iterator[Key]:
        """The names that characters from an index on may transcribe."""
        runs = [
            _sound(phonemes)
            for count, phonemes in transcriptions(text.words, index, text.context)
            if count >= MIN_TRANSCRIPTION
        ]
        if not runs:
            return
        least, most = runs[0].silence, runs[-1].silence
        for initial in initial_keys(text.words[index]):
            for name, limit, key in self._by_initial.get(initial, ()):
                if least - limit - _CLOSE <= name.silence <= most + limit + _CLOSE and any(
                    _are_close(name, run, limit) for run in runs
                ):
                    yield key


def _sound(phonemes: str) -> _Sound:
    return _Sound(
        phonemes,
        phonemes[:2] if len(phonemes) > 2 else "",
        phonemes[:-3:-1] if len(phonemes) > 3 else "",
        silence_cost(phonemes, SYLLABIC),
    )


def _are_close(name: _Sound, run: _Sound, limit: float) -> bool:
    if abs(name.silence - run.silence) > limit + _CLOSE:
        return False
    least = start_cost(name.start, run.start, SYLLABIC) if name.start and run.start else 0.0
    if name.end and run.end and least <= limit + _CLOSE:
        least += end_cost(name.end, run.end, SYLLABIC)
    return (
        least <= limit + _CLOSE
        and distance(name.phonemes, run.phonemes, SYLLABIC, limit) < NO_MATCH
    )
