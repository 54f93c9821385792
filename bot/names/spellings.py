"""Generates spellings that a name matches, as examples for people. Matching is `bot.names.find`."""

import re

from bot.names.context import text_of
from bot.names.core_words import core_words
from bot.names.find import find_in
from bot.names.gazetteer import Exonym, exonyms
from bot.names.lexicon import LANGUAGES, frequency
from bot.names.pattern import NamePattern, compile_name
from bot.names.phonemes import READINGS
from bot.names.transliteration import ARABIC, HEBREW, LATIN, script, transcribe
from bot.text.fold import words

__all__ = ["safe_exonyms", "spellings"]
_MIN_LETTERS = 4  # of a Latin name that may stand in a list for all languages
_MIN_UNKNOWN = 6  # of one of which it is not known which languages use it
_KNOWN_ABROAD = 3.85  # Zipf frequency to which other languages may have taken the name over

_PHONEMES = "pbfvmntdszSZCJckgxhrlywaeiou"
_RUSSIAN = dict(
    zip(_PHONEMES, "п б ф в м н т д с з ш ж ч дж ц к г х х р л й в а е и о у".split(), strict=True)
)
_UKRAINIAN = dict(
    zip(_PHONEMES, "п б ф в м н т д с з ш ж ч дж ц к г х г р л й в а е і о у".split(), strict=True)
)
_ARABIC = dict(
    zip(_PHONEMES, "ب ب ف ف م ن ت د س ز ش ج تش ج تس ك غ خ ه ر ل ي و ا ي ي و و".split(), strict=True)
)
_PERSIAN = _ARABIC | {
    "p": "پ",
    "v": "و",
    "Z": "ژ",
    "C": "چ",
    "g": "گ",
    "k": "ک",
    "y": "ی",
    "e": "",
    "i": "ی",
}
_HEBREW = dict(
    zip(_PHONEMES, "פ ב פ ב מ נ ט ד ס ז ש ז צ ג צ ק ג ח ה ר ל י ו א  י ו ו".split(" "), strict=True)
) | {"e": ""}
_GREEK = dict(
    zip(
        _PHONEMES,
        "π μπ φ β μ ν τ ντ σ ζ σ ζ τσ τζ τσ κ γκ χ χ ρ λ γι β α ε ι ο ου".split(),
        strict=True,
    )
)
_ALPHABETS = (_RUSSIAN, _UKRAINIAN, _ARABIC, _PERSIAN, _HEBREW, _GREEK)
#: Latin spellings of phonemes other than their own letter: English, German, French, Turkish,
#: Spanish, Polish.
_LATIN_SPELLINGS = (
    {"S": "sh", "Z": "zh", "C": "ch", "J": "j", "c": "ts", "x": "kh"},
    {
        "S": "sch",
        "Z": "sch",
        "C": "tsch",
        "J": "dsch",
        "c": "z",
        "x": "ch",
        "v": "w",
        "w": "w",
        "y": "j",
    },
    {"S": "ch", "Z": "j", "C": "tch", "J": "dj", "c": "ts", "x": "kh", "u": "ou", "w": "ou"},
    {"S": "ş", "Z": "j", "C": "ç", "J": "c", "c": "ts", "x": "h", "w": "v"},
    {"S": "sh", "Z": "zh", "C": "ch", "J": "y", "c": "ts", "x": "j", "w": "u"},
    {"S": "sz", "Z": "ż", "C": "cz", "J": "dż", "c": "c", "x": "ch", "v": "w", "y": "j"},
)


def _likeliest_phonemes(word: str) -> list[str]:
    """The likeliest phonemes of a folded word; y without a vowel beside it is i."""
    phonemes = [
        READINGS[symbol][0] if symbol in READINGS else symbol for symbol in transcribe(word)
    ]
    vowels = [phoneme in "aeiou" for phoneme in phonemes]
    return [
        "i" if phoneme == "y" and not any(vowels[max(0, index - 1) : index + 2]) else phoneme
        for index, phoneme in enumerate(phonemes)
    ]


def _spell(phonemes: list[list[str]], letters: dict[str, str], *, keep: bool) -> str:
    """Spell words with the letters of an alphabet.

    Args:
        phonemes: the phonemes of each word.
        letters: the spelling of each phoneme.
        keep: whether a phoneme without a spelling stays as it is or is left out.
    """
    return " ".join(
        "".join(letters.get(phoneme, phoneme if keep else "") for phoneme in word)
        for word in phonemes
    ).title()


def _candidates(text: str) -> list[str]:
    folded = [word.folded for word in words(text)]
    core = core_words(folded)
    candidates = [text, " ".join(folded).title(), "-".join(core).title(), "".join(core).title()]
    if script(core[0]) in (ARABIC, HEBREW):  # vowels cannot be restored
        return candidates
    phonemes = [_likeliest_phonemes(word) for word in core]
    candidates += [_spell(phonemes, spellings, keep=True) for spellings in _LATIN_SPELLINGS]
    russian, ukrainian, *others = [_spell(phonemes, letters, keep=False) for letters in _ALPHABETS]
    return [
        *candidates,
        russian,
        ukrainian,
        *others,
        re.sub("ски$", "ский", russian),
        re.sub("скі$", "ський", ukrainian),
    ]


def safe_exonyms(text: str) -> tuple[str, ...]:
    """Return the other names of a place that mean nothing else in any language.

    A list matches them in texts of every language, and in small letters.
    """
    pattern = compile_name(text)
    return tuple(
        name.text
        for name in exonyms(text)
        if _is_matched(pattern, name) and _means_nothing_else(name)
    )


def _is_matched(pattern: NamePattern, name: Exonym) -> bool:
    """Whether the name of a place is one that ~name matches, too."""
    languages = name.languages or ("",)
    return any(find_in(pattern, text_of(name.text, language)) for language in languages)


def _means_nothing_else(name: Exonym) -> bool:
    folded = text_of(name.text).words
    letters = sum(map(len, folded))
    if script(folded[0]) != LATIN:
        return True
    if letters < (_MIN_LETTERS if name.languages else _MIN_UNKNOWN):
        return False
    limit = _KNOWN_ABROAD if name.languages else 0.0
    return not any(
        frequency(word, language) > limit
        for word in folded[:1]
        for language in LANGUAGES - name.languages
    )


def spellings(text: str, limit: int = 24) -> tuple[str, ...]:
    """Return up to `limit` spellings that match a name, the given one first.

    They are generated, and not all of them are in use.

    Raises:
        ValueError: the text contains no letter.
    """
    pattern = compile_name(text)
    matching: dict[str, str] = {}
    other_names = [name.text for name in exonyms(text)]
    sample = other_names[:: max(1, len(other_names) // limit)]
    for candidate in [*_candidates(text), *sample, *other_names]:
        folded = [word.folded for word in words(candidate)]
        if len(matching) < limit and folded and find_in(pattern, text_of(candidate)):
            matching.setdefault(" ".join(folded), candidate)
    return tuple(matching.values())
