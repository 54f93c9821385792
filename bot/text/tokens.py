"""Cut a text into the words that queries are held against, with what belongs together across hyphens and apostrophes. Not stemming.

Beyond `fold.words`: digits of all scripts are ASCII digits, thousands separators are no separators (1,000 is 1000), and words that a
hyphen or apostrophe joins are known as compounds, so that S-300, S300 and С-300 can be one word.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import regex
from anyascii import anyascii

from bot.text.fold import UNSPACED, fold

JOINED_MOST = 4  #: words of one compound that are looked at together
_THOUSANDS = r"\d{1,3}(?:[,.'’٬\u00a0\u202f\u2009]\d{3})+(?!\d)"
_ASCII_THOUSANDS = re.compile(r"(?<![0-9a-z])[0-9]{1,3}(?:[,.'][0-9]{3})+(?![0-9])")
_ASCII = re.compile(rf"[a-z][a-z0-9]*|{_ASCII_THOUSANDS.pattern}|[a-z0-9]+")
_ASCII_COMPOUND = re.compile(r"[a-z0-9]+(?:[-'`][a-z0-9]+)+")
_ANY = regex.compile(
    rf"(?V1)(?<![\p{{L}}\p{{N}}]){_THOUSANDS}|[{UNSPACED}]\p{{M}}*"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\u0640\u200c\u200d]--[{UNSPACED}]]*+"
)
_UNSPACED_ONE = regex.compile(rf"[{UNSPACED}]")
_JOINERS = frozenset("-‐‑–−'’‘`´＇")
# Letters by Unicode, apostrophes by use.
_APOSTROPHES = str.maketrans(dict.fromkeys("ʼʻʽʾʿˈ", "'"))
_NOT_DIGITS = re.compile(r"\D")


class Tokens(NamedTuple):
    """The words of one text, in order."""

    words: list[str]  #: folded
    starts: list[int]  #: in code points of the text
    ends: list[int]
    compounds: list[tuple[int, int]]  #: half-open ranges of two words or more that hyphens or apostrophes join
    unspaced: bool  #: whether some words are single characters of a script without spaces


@lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    if word[0].isdecimal() and not word.isdecimal() and word[-1].isdecimal() and not any(map(str.isalpha, word)):
        word = _NOT_DIGITS.sub("", word)
    folded = fold(word)
    if folded.isascii():
        return folded
    return "".join(str(unicodedata.digit(one)) if one.isdecimal() else one for one in folded)


def tokens(text: str) -> Tokens:
    """Cut a text."""
    if text.isascii():
        return _ascii_tokens(text)
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    compounds: list[tuple[int, int]] = []
    text = text.translate(_APOSTROPHES)
    first, last = 0, -2  # the compound under way; where the last word ended
    for found in _ANY.finditer(text):
        folded = _folded(found.group())
        if not folded:
            continue
        start, end = found.span()
        if start != last + 1 or text[last] not in _JOINERS:
            if len(words) - first > 1:
                compounds.append((first, len(words)))
            first = len(words)
        words.append(folded)
        starts.append(start)
        ends.append(end)
        last = end
    if len(words) - first > 1:
        compounds.append((first, len(words)))
    return Tokens(words, starts, ends, compounds, _UNSPACED_ONE.search(text) is not None)


def _ascii_tokens(text: str) -> Tokens:
    """The same for the commonest texts, in a third of the time."""
    text = text.lower()
    found = list(_ASCII.finditer(text))
    words = [one.group() for one in found]
    starts = [one.start() for one in found]
    ends = [one.end() for one in found]
    if _ASCII_THOUSANDS.search(text):
        words = [word if word.isalnum() else _NOT_DIGITS.sub("", word) for word in words]
    compounds: list[tuple[int, int]] = []
    if "-" in text or "'" in text or "`" in text:
        at = {start: index for index, start in enumerate(starts)}
        until = {end: index + 1 for index, end in enumerate(ends)}
        compounds = [(at[one.start()], until[one.end()]) for one in _ASCII_COMPOUND.finditer(text) if one.start() in at and one.end() in until]
    return Tokens(words, starts, ends, compounds, unspaced=False)


@lru_cache(maxsize=1 << 15)
def joined(parts: tuple[str, ...]) -> str:
    """The words of a compound as one word; designations (letters with digits) in Latin letters, so that С-300 is S-300."""
    word = "".join(parts)
    return word if word.isascii() or not any(map(str.isdecimal, word)) else designation(word)


@lru_cache(maxsize=1 << 14)
def designation(word: str) -> str:
    """A folded word in Latin letters."""
    return str(anyascii(word)).lower().replace("'", "")


def is_unspaced(word: str) -> bool:
    """Whether a word is a single character of a script without spaces."""
    return not word.isascii() and _UNSPACED_ONE.match(word) is not None
