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
    start_cost,
)
from bot.names.find import MIN_TRANSCRIPTION, transcriptions
from bot.names.pattern import NamePattern
from bot.names.phoneme_content import ALL, allowance, between, content
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


class _RunName(NamedTuple, Generic[Key]):
    """A name that characters may transcribe."""

    sound: _Sound
    allowance: int  #: of what is a transcription
    limit: float  #: of the distance of one
    key: Key


class RunNames(Generic[Key]):
    """Names by what a run of characters may be read as."""

    def __init__(self) -> None:
        self._by_syllables: dict[tuple[str, ...], list[Key]] = {}
        self._first_syllables: set[str] = set()
        self._by_initial: dict[str, list[_RunName[Key]]] = {}

    def add(self, pattern: NamePattern, key: Key) -> None:
        """Add a name, unless it can be none in such characters."""
        if pattern.syllables:
            first = pattern.syllables[:_FEWEST_SYLLABLES]
            self._by_syllables.setdefault(first, []).append(key)
            self._first_syllables.add(first[0])
        if pattern.initial_keys:
            limit = max_distance(pattern.joined_phonemes, SYLLABIC)
            phonemes = pattern.joined_phonemes
            name = _RunName(_sound(phonemes), allowance(phonemes, SYLLABIC, limit), limit, key)
            for initial in pattern.initial_keys:
                self._by_initial.setdefault(initial, []).append(name)

    def find(self, text: NameText, found: dict[Key, None]) -> None:
        """Add the names that may stand in a text."""
        words = text.words
        for index, word in enumerate(words):
            if word.isascii() or not is_unspaced_character(word):
                continue
            if pinyin(word) in self._first_syllables:
                syllables = tuple(map(pinyin, words[index : index + _FEWEST_SYLLABLES]))
                found.update(dict.fromkeys(self._by_syllables.get(syllables, ())))
            if self._by_initial:
                found.update(dict.fromkeys(self._transcribed(text, index)))

    def _transcribed(self, text: NameText, index: int) -> Iterator[Key]:
        """The names that characters from an index on may transcribe."""
        runs = [
            phonemes
            for count, phonemes in transcriptions(text.words, index, text.context)
            if count >= MIN_TRANSCRIPTION
        ]
        if not runs:
            return
        contents = [content(phonemes, SYLLABIC) for phonemes in runs]
        of_any = between(contents[0], contents[-1])
        for initial in initial_keys(text.words[index]):
            for name in self._by_initial.get(initial, ()):
                left = name[1]
                if (left + of_any) & ALL == ALL and any(
                    (left + held) & ALL == ALL and _are_close(name, _sound(run))
                    for run, held in zip(runs, contents, strict=True)
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
