"""Spellings of a name that would be found, for a person to look at. Only what `bot.names.find` accepts is shown."""

import re

from bot.names.find import find
from bot.names.gazetteer import exonyms
from bot.names.pattern import compile_name, kernel
from bot.names.phonemes import READINGS
from bot.names.transliteration import ARABIC, HEBREW, script, sound
from bot.text.fold import words

__all__ = ["exonyms", "spellings"]

_FROM = "pbfvmntdszSZCJckgxhrlywaeiou"
_RUSSIAN = dict(
    zip(_FROM, "п б ф в м н т д с з ш ж ч дж ц к г х х р л й в а е и о у".split(), strict=True)
)
_UKRAINIAN = dict(
    zip(_FROM, "п б ф в м н т д с з ш ж ч дж ц к г х г р л й в а е і о у".split(), strict=True)
)
_ARABIC = dict(
    zip(_FROM, "ب ب ف ف م ن ت د س ز ش ج تش ج تس ك غ خ ه ر ل ي و ا ي ي و و".split(), strict=True)
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
    zip(_FROM, "פ ב פ ב מ נ ט ד ס ז ש ז צ ג צ ק ג ח ה ר ל י ו א  י ו ו".split(" "), strict=True)
) | {"e": ""}
_GREEK = dict(
    zip(
        _FROM,
        "π μπ φ β μ ν τ ντ σ ζ σ ζ τσ τζ τσ κ γκ χ χ ρ λ γι β α ε ι ο ου".split(),
        strict=True,
    )
)
_SCRIPTS = (_RUSSIAN, _UKRAINIAN, _ARABIC, _PERSIAN, _HEBREW, _GREEK)
#: Latin habits: English, German, French, Turkish, Spanish, Polish. The sounds that differ, then a small letter for itself.
_HABITS = (
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


def _spoken(word: str) -> list[str]:
    """The likeliest sounds of a folded word; a y without a vowel beside it is an i."""
    said = [READINGS[symbol][0] if symbol in READINGS else symbol for symbol in sound(word)]
    vowels = [symbol in "aeiou" for symbol in said]
    return [
        "i" if symbol == "y" and not any(vowels[max(0, at - 1) : at + 2]) else symbol
        for at, symbol in enumerate(said)
    ]


def _written(spoken: list[list[str]], letters: dict[str, str], *, keep: bool) -> str:
    """Sounds in the letters of a script or habit; a sound without one is kept or left out."""
    return " ".join(
        "".join(letters.get(symbol, symbol if keep else "") for symbol in word) for word in spoken
    ).title()


def _candidates(text: str) -> list[str]:
    folded = [word.folded for word in words(text)]
    core = kernel(folded)
    found = [text, " ".join(folded).title(), "-".join(core).title(), "".join(core).title()]
    spoken = [_spoken(word) for word in core]
    if script(core[0]) in (ARABIC, HEBREW):  # what has no vowels gives none
        return found
    found += [_written(spoken, habit, keep=True) for habit in _HABITS]
    found += [_written(spoken, letters, keep=False) for letters in _SCRIPTS]
    found += [
        re.sub("ски$", "ский", found[len(_HABITS) + 4]),
        re.sub("скі$", "ський", found[len(_HABITS) + 5]),
    ]
    return found


def spellings(text: str, most: int = 24) -> tuple[str, ...]:
    """Up to so many spellings that `find` accepts for a name, the one asked for first; generated, and not all of them are in use.

    Raises:
        ValueError: the text holds no letter.
    """
    pattern = compile_name(text)
    kept: dict[str, str] = {}
    generated = _candidates(text)
    known = list(exonyms(text))
    for candidate in [*generated, *known[:: max(1, len(known) // most)], *known]:
        folded = [word.folded for word in words(candidate)]
        if len(kept) < most and folded and find(pattern, folded):
            kept.setdefault(" ".join(folded), candidate)
    return tuple(kept.values())
