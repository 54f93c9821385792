"""Cut a text into the words that queries are held against, with what belongs together across hyphens and apostrophes. Not stemming.

Beyond `fold.words`: digits of all scripts are ASCII digits, thousands separators are no separators (1,000 is 1000), and words that a
hyphen or apostrophe joins are known as compounds, so that S-300, S300 and С-300 can be one word.
"""

import re
import unicodedata
from functools import lru_cache

import regex
from anyascii import anyascii

from bot.text.fold import UNSPACED, fold

MAX_JOINED = 4  #: words of one compound that are looked at together
_THOUSANDS = r"\d{1,3}(?:[,.'’٬\u00a0\u202f\u2009]\d{3})+(?!\d)"
_DECIMAL = r"(?<![\d.,])\d{1,12}[.,٫]\d{1,2}(?!\d|[.,]\d)"
_ASCII_NUMBER = re.compile(
    r"(?<![0-9a-z])(?:[0-9]{1,3}(?:[,.'][0-9]{3})+(?![0-9])|(?<![.,])[0-9]{1,12}[.,][0-9]{1,2}(?![0-9]|[.,][0-9]))"
)
_ASCII = re.compile(rf"[a-z][a-z0-9]*|{_ASCII_NUMBER.pattern}|[a-z0-9]+")
_ASCII_CHUNK = re.compile(
    r"(?<![a-z0-9])[a-z](?:\.[a-z](?![a-z0-9]))+|[a-z0-9]+(?:[-'`][a-z0-9]+)*"
)
_ASCII_PART = re.compile(r"[a-z0-9]+")
_ANY = regex.compile(
    rf"(?V1)(?<![\p{{L}}\p{{N}}])(?:{_THOUSANDS}|{_DECIMAL})|[{UNSPACED}][\p{{M}}\uff9e\uff9f]*"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\u0640\u200c\u200d]--[{UNSPACED}]]*+"
)
_UNSPACED_ONE = regex.compile(rf"(?V1)[{UNSPACED}]")
_JOINERS = frozenset("-‐‑–−'’‘`´＇")
# One for one; most texts that are not ASCII are so only for these, and the rest is read three times faster.
_PUNCTUATION = (
    ("’", "'"),
    ("“", '"'),
    ("”", '"'),
    ("–", "-"),
    ("—", "~"),
    ("‘", "'"),
    ("…", "."),
    ("•", "."),
)
# Letters by Unicode, apostrophes by use.
_APOSTROPHES = str.maketrans(dict.fromkeys("ʼʻʽʾʿˈ", "'"))
_DECIMALS = re.compile(r"[.,٫](\d{1,2})$")
_NOT_DIGITS = re.compile(r"\D")


class Tokens:
    """The words of one text, in order. Where they stand is found out when it is asked for, which most texts are not."""

    __slots__ = ("_places", "_text", "compounds", "lower", "unspaced", "words")

    def __init__(
        self,
        words: list[str],
        compounds: list[tuple[int, int]],
        text: str,
        places: list[tuple[int, int]] | None = None,
        lower: list[str] | None = None,
    ) -> None:
        self.words = words  #: folded
        self.lower = words if lower is None else lower  #: with their accents, as stemmers want them
        self.compounds = (
            compounds  #: half-open ranges of two words or more that hyphens or apostrophes join
        )
        self.unspaced = (
            places is not None and _UNSPACED_ONE.search(text) is not None
        )  #: some words are characters of scripts without spaces
        self._text = text
        self._places = places

    @property
    def places(self) -> list[tuple[int, int]]:
        """Of each word the half-open range of its characters, in code points of the text."""
        if self._places is None:
            self._places = [found.span() for found in _ASCII.finditer(self._text)]
        return self._places


def _number(written: str) -> str:
    """A number without what separates its thousands, and with a point before its decimals."""
    decimals = _DECIMALS.search(written)
    return (
        f"{_NOT_DIGITS.sub('', written[: decimals.start()])}.{decimals.group(1)}"
        if decimals
        else _NOT_DIGITS.sub("", written)
    )


@lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    if (
        word[0].isdecimal()
        and not word.isdecimal()
        and word[-1].isdecimal()
        and not any(map(str.isalpha, word))
    ):
        word = _number(word)
    folded = fold(word)
    if folded.isascii():
        return folded
    return "".join(str(unicodedata.digit(one)) if one.isdecimal() else one for one in folded)


def tokens(text: str) -> Tokens:
    """Cut a text."""
    if not text.isascii():
        for sign, plain in _PUNCTUATION:
            if sign in text:
                text = text.replace(sign, plain)
    if text.isascii():
        return _ascii_tokens(text.lower())
    words: list[str] = []
    lower: list[str] = []
    places: list[tuple[int, int]] = []
    text = text.translate(_APOSTROPHES)
    for found in _ANY.finditer(text):
        word = found.group()
        folded = _folded(word)
        if folded:
            words.append(folded)
            lower.append(folded if word.isascii() else accented(word))
            places.append(found.span())
    return Tokens(words, _compounds(text, places), text, places, lower)


@lru_cache(maxsize=1 << 16)
def accented(word: str) -> str:
    """A word in small letters, composed, with its accents; a designation as it is folded."""
    return (
        _folded(word)
        if any(map(str.isdecimal, word))
        else unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word).lower())
    )


def _compounds(text: str, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(places) + 1):
        gap = places[index - 1][1]
        if (
            index == len(places)
            or places[index][0] != gap + 1
            or not _joins(text, places[index - 1], places[index])
        ):
            if index - first > 1:
                found.append((first, index))
            first = index
    return found


def _joins(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether the one character between two words makes them one: a hyphen, an apostrophe, the point of an abbreviation (U.S.)."""
    sign = text[before[1]]
    single = before[1] - before[0] == 1 and after[1] - after[0] == 1
    return sign in _JOINERS or (
        sign == "." and single and text[before[0]].isalpha() and text[after[0]].isalpha()
    )


def _ascii_tokens(text: str) -> Tokens:
    """The same for the commonest texts, in a fifth of the time."""
    if _ASCII_NUMBER.search(text):
        found = list(_ASCII.finditer(text))
        words = [
            word if word.isalnum() else _number(word) for word in (one.group() for one in found)
        ]
        places = [one.span() for one in found]
        return Tokens(words, _compounds(text, places), text)
    words = []
    compounds: list[tuple[int, int]] = []
    for chunk in _ASCII_CHUNK.findall(text):
        if chunk.isalnum():
            words.append(chunk)
        else:
            parts = _ASCII_PART.findall(chunk)
            compounds.append((len(words), len(words) + len(parts)))
            words += parts
    return Tokens(words, compounds, text)


@lru_cache(maxsize=1 << 15)
def joined(parts: tuple[str, ...]) -> str:
    """The words of a compound as one word; designations (letters with digits) in Latin letters, so that С-300 is S-300."""
    word = "".join(parts)
    return word if word.isascii() or not any(map(str.isdecimal, word)) else designation(fold(word))


@lru_cache(maxsize=1 << 14)
def designation(word: str) -> str:
    """A folded word in Latin letters."""
    return str(anyascii(word)).lower().replace("'", "")


def is_unspaced(word: str) -> bool:
    """Whether a word is a single character of a script without spaces."""
    return not word.isascii() and _UNSPACED_ONE.match(word) is not None
