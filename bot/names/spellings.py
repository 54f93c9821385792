"""Generates spellings that a name matches, as examples for people. Matching is `bot.names.find`."""

import re

from bot.names.core_words import core_words
from bot.names.find import find
from bot.names.gazetteer import exonyms
from bot.names.pattern import compile_name
from bot.names.phonemes import READINGS
from bot.names.transliteration import ARABIC, HEBREW, script, transcribe
from bot.text.fold import words

__all__ = ["exonyms", "spellings"]

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


def spellings(text: str, limit: int = 24) -> tuple[str, ...]:
    """Return up to `limit` spellings that match a name, the given one first.

    They are generated, and not all of them are in use.

    Raises:
        ValueError: the text contains no letter.
    """
    pattern = compile_name(text)
    matching: dict[str, str] = {}
    other_names = list(exonyms(text))
    sample = other_names[:: max(1, len(other_names) // limit)]
    for candidate in [*_candidates(text), *sample, *other_names]:
        folded = [word.folded for word in words(candidate)]
        if len(matching) < limit and folded and find(pattern, folded):
            matching.setdefault(" ".join(folded), candidate)
    return tuple(matching.values())
