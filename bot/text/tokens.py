"""Split a text into the words that queries match, and their compounds. Not stemming.

Beyond `fold.words`: digits of all scripts become ASCII digits, thousands separators are removed
(1,000 is 1000), traditional characters are simplified, and words joined by hyphens or apostrophes
are also known as compounds, so that S-300, S300 and С-300 can match as a single word.
"""

import re
import unicodedata
from functools import cache

import regex
from anyascii import anyascii

from bot.text.chinese import simplified_characters
from bot.text.fold import UNSPACED, fold
from bot.text.word_cache import word_cache

_GROUP_DIGITS = 3
MAX_JOINED = 4  #: words of a compound that are joined
_SEPARATORS = "[,.'’٬\u00a0\u202f\u2009]"
# 1,000 and 1.234.567,89; as in India, 1,00,000; 1.5 and 0.125; not 1.2.2026 and 2.17.1.
_NUMBER = (
    rf"(?![0٠۰])\d{{1,3}}(?P<by>{_SEPARATORS})\d{{3}}(?:(?P=by)\d{{3}})*"
    r"(?:(?!(?P=by))[.,٫]\d{1,2})?(?!\d|[.,]\d)"
    r"|(?![0٠۰])\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d{1,2})?(?!\d|[.,]\d)"
    r"|(?<![\d.,])(?:[0٠۰][.,٫]\d{1,12}|\d{1,12}[.,٫]\d{1,2})(?!\d|[.,]\d)"
)
_ASCII_NUMBER = re.compile(rf"(?<![0-9a-z])(?:{_NUMBER})", re.ASCII)
_MAYBE_NUMBER = re.compile(r"[0-9][.,' ][0-9]")
_ASCII = re.compile(rf"[a-z][a-z0-9]*|{_ASCII_NUMBER.pattern}|[a-z0-9]+", re.ASCII)
_ASCII_UNIT = r"(?:(?<![a-z0-9])[a-z](?:\.[a-z](?![a-z0-9]))+|[a-z0-9]+)"
_ASCII_CHUNK = re.compile(rf"{_ASCII_UNIT}(?:[-'`]{_ASCII_UNIT})*")
_ASCII_PART = re.compile(r"[a-z0-9]+")
_ANY = regex.compile(
    rf"(?V1)(?<![\p{{L}}\p{{N}}])(?:{_NUMBER})|[{UNSPACED}][\p{{M}}\uff9e\uff9f]*"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\u0640\u200c\u200d]--[{UNSPACED}]]*+"
)
_UNSPACED_CHARACTER = regex.compile(rf"(?V1)[{UNSPACED}]")
_JOINERS = frozenset("-‐‑–−'’‘`´＇")
# Replaced by single characters: most texts are ASCII but for these, and ASCII is faster.
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
_DECIMALS = re.compile(r"(?:[.,٫](?=\d{1,2}$)|(?<=^\d)(?<=[0٠۰])[.,٫])(\d+)$")
_GROUP = re.compile(r"\d{3}(?:[.,٫]\d{1,2})?")
# Letters that people replace by these where they do not have them.
_ICELANDIC = {"þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"}
_NOT_DIGITS = re.compile(r"\D")


class Tokens:
    """The words of a text, in order. Their ranges are computed on demand: few texts need them."""

    __slots__ = ("_spans", "_text", "compounds", "lower", "unspaced", "words")

    def __init__(
        self,
        words: list[str],
        compounds: list[tuple[int, int]],
        text: str,
        spans: list[tuple[int, int]] | None = None,
        lower: list[str] | None = None,
    ) -> None:
        self.words = words  #: folded
        self.lower = words if lower is None else lower  #: with their accents, as stemmers need them
        #: half-open ranges of two or more words that hyphens or apostrophes join
        self.compounds = compounds
        #: some words are characters of scripts without spaces
        self.unspaced = not text.isascii() and _UNSPACED_CHARACTER.search(text) is not None
        self._text = text
        self._spans = spans

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The half-open range of each word, in code points of the text."""
        if self._spans is None:
            self._spans = spans = []
            find, end = self._text.find, 0
            for word in self.words:  # as they are in the text, with no letters between
                start = find(word, end)
                end = start + len(word)
                spans.append((start, end))
        return self._spans


def _number(written: str) -> str:
    """A number without thousands separators, and with a point before its decimals."""
    decimals = _DECIMALS.search(written)
    return (
        f"{_NOT_DIGITS.sub('', written[: decimals.start()])}.{decimals.group(1)}"
        if decimals
        else _NOT_DIGITS.sub("", written)
    )


@cache
def _equal_letters() -> dict[int, str]:
    """Letters that count as others in queries and texts, though `fold` keeps them apart."""
    return simplified_characters() | str.maketrans(_ICELANDIC)


@word_cache(1 << 16)
def _folded(word: str) -> str:
    if (
        word[0].isdecimal()
        and not word.isdecimal()
        and word[-1].isdecimal()
        and not any(map(str.isalpha, word))
    ):
        word = _number(word)
    folded = fold(word if word.isascii() else word.translate(_equal_letters()))
    if folded.isascii():
        return folded
    return "".join(
        str(unicodedata.digit(character)) if character.isdecimal() else character
        for character in folded
    )


def tokens(text: str) -> Tokens:
    """Split a text into words."""
    if not text.isascii():
        for sign, plain in _PUNCTUATION:
            if sign in text:
                text = text.replace(sign, plain)
    if text.isascii():
        return _ascii_tokens(text.lower())
    words: list[str] = []
    lower: list[str] = []
    spans: list[tuple[int, int]] = []
    text = text.translate(_APOSTROPHES)
    for match in _ANY.finditer(text):
        word = match.group()
        folded = _folded(word)
        if folded:
            words.append(folded)
            lower.append(folded if word.isascii() else accented(word))
            spans.append(match.span())
    return Tokens(words, _compounds(text, spans), text, spans, lower)


@word_cache(1 << 16)
def accented(word: str) -> str:
    """Return a word in lower case and NFC, with its accents; folded if it contains digits."""
    return (
        _folded(word)
        if any(map(str.isdecimal, word))
        else unicodedata.normalize(
            "NFC", unicodedata.normalize("NFKC", word.translate(_equal_letters())).lower()
        )
    )


def _compounds(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    compounds: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(spans) + 1):
        if index < len(spans):
            gap = spans[index][0] - spans[index - 1][1]
            if (gap == 1 and _are_joined(text, spans[index - 1], spans[index])) or (
                gap == 0 and _is_measure(text, spans[index - 1], spans[index])
            ):
                continue
        if index - first > 1:
            compounds.append((first, index))
        first = index
    return compounds


def _are_joined(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether the character between two words joins them.

    A hyphen or apostrophe, the point in U.S., the blank in 10 000.
    """
    sign = text[before[1]]
    if sign in _JOINERS:
        return True
    length = before[1] - before[0]
    if sign == ".":
        single = length == 1 and after[1] - after[0] == 1
        return single and text[before[0]].isalpha() and text[after[0]].isalpha()
    return (
        sign == " "
        and length <= _GROUP_DIGITS
        and text[before[0] : before[1]].isdecimal()
        and (length == _GROUP_DIGITS or text[before[0]] != "0")
        and _GROUP.fullmatch(text, *after) is not None
    )


def _is_measure(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether letters follow a number with separators, as in 1,000km, which is 1000km."""
    number = text[before[0] : before[1]]
    return (
        number[0].isdecimal()
        and number[-1].isdecimal()
        and not number.isalnum()
        and text[after[0]].isalpha()
        and not is_unspaced(text[after[0]])
    )


def _ascii_tokens(text: str) -> Tokens:
    """Like `tokens`, for ASCII in lower case, in a fifth of the time."""
    if _MAYBE_NUMBER.search(text):
        matches = list(_ASCII.finditer(text))
        words = [
            word if word.isalnum() else _number(word)
            for word in (match.group() for match in matches)
        ]
        spans = [match.span() for match in matches]
        return Tokens(words, _compounds(text, spans), text, spans)
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


@word_cache(1 << 15)
def joined(parts: tuple[str, ...]) -> str:
    """Join a compound; letters with digits become Latin letters, so that С-300 is S-300."""
    word = "".join(parts)
    return word if word.isascii() or not any(map(str.isdecimal, word)) else designation(fold(word))


@word_cache(1 << 14)
def designation(word: str) -> str:
    """Transliterate a folded word to Latin letters."""
    return str(anyascii(word)).lower().replace("'", "")


def compound_forms(parts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return a compound as it is and, if it has a number and other letters, in Latin letters."""
    word = "".join(parts)
    if word.isascii() or not any(map(str.isdecimal, word)):
        return (parts,)
    return tuple(dict.fromkeys((parts, tuple(designation(fold(part)) for part in parts))))


def is_unspaced(word: str) -> bool:
    """Whether a word is a single character of a script without spaces."""
    return not word.isascii() and (
        "\u4e00" <= word[0] <= "\u9fff" or _UNSPACED_CHARACTER.match(word) is not None
    )
