"""How frequent words are in each language, from the lists of wordfreq. No names, no matching.

A list has the words of at least one in a million of a language, names among them. All are in a file
that `data/word_frequencies.py` makes, of which only what is looked up is read.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.names.data_file import DataFile, WordIndex, open_data
from bot.names.transliteration import ARABIC, CYRILLIC, HEBREW, LATIN, script
from bot.text.language import SCRIPTS, scripts_of
from bot.text.word_cache import word_cache

FILE = Path(__file__).with_name("data") / "word_frequencies.bin"
#: Lists that serve further languages.
_LISTS = {
    "hr": "sh",
    "bs": "sh",
    "no": "nb",
    "nn": "nb",
    "tl": "fil",
}
#: Languages in Latin letters with a list.
LANGUAGES = frozenset(
    ("ca cs da de en es fi fil fr hu id is it lt lv ms nb nl pl pt ro sh sk sl sv tr vi").split()
)
#: The language of words whose script is not that of their text, or of an unknown language.
_USUAL = {LATIN: "en", CYRILLIC: "ru", ARABIC: "ar", HEBREW: "he"}
_SCRIPTS = {"Latin": LATIN, "Cyrillic": CYRILLIC, "Arabic": ARABIC, "Hebrew": HEBREW}
_HIGHEST = 9.0  # Zipf frequency of a word that is all of a text


def language_of_word(word: str, language: str) -> str:
    """Return the language whose words a word of a text is compared with."""
    word_script = script(word)
    if any(_SCRIPTS.get(name) == word_script for name in scripts_of(language)):
        return language
    return _USUAL.get(word_script, "")


def lists() -> frozenset[str]:
    """Return the lists that words may be looked up in: those of languages of the usual scripts."""
    languages = {language for name in _SCRIPTS for language in SCRIPTS[name]} | LANGUAGES
    return frozenset(_LISTS.get(language, language) for language in languages)


@word_cache(65536)
def frequency(word: str, language: str) -> float:
    """Return the Zipf frequency of a folded word in a language: 7 for the commonest, 3 for rare.

    0 for a word that is rarer or unknown, and in languages without a list.
    """
    known = _list(_LISTS.get(language, language))
    if known is None:
        return 0.0
    return next((known.frequency_at(place) for place in known.words.find(word)), 0.0)


@dataclass(frozen=True, slots=True)
class _List:
    """The words of a language."""

    words: WordIndex
    steps: Sequence[int]  #: of each word: hundredths below the highest frequency
    frequencies: Sequence[float]  #: by steps

    def frequency_at(self, place: int) -> float:
        """Return the frequency of the word at a place."""
        return self.frequencies[self.steps[place]]


@cache
def _list(language: str) -> _List | None:
    data = _data()
    if f"{language} steps" not in data.sections:
        return None
    starts, rests = (
        data.integers(f"{language} starts", "H"),
        data.integers(f"{language} rests", "I"),
    )
    steps = data.integers(f"{language} steps", "H")
    return _List(WordIndex(starts, rests), steps, _frequencies())


@cache
def _frequencies() -> Sequence[float]:
    """Frequencies by hundredths below the highest, as exact as their source."""
    return array("f", (_HIGHEST - steps / 100 for steps in range(round(100 * _HIGHEST))))


@cache
def _data() -> DataFile:
    return open_data(FILE)
