"""Fold words so that spellings of a word compare equal, and split text into words.

Not stemming, not transliteration. Folding is Unicode caseless matching (The Unicode Standard §3.13)
over NFKC, without the marks that people leave out when they type: accents of Latin, Greek and
Cyrillic, vowel points of Arabic and Hebrew. Marks that make another letter stay (й, ї, kana
voicing).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import regex

from bot.text.word_cache import word_cache

# Scripts written without spaces: every character is a word, so that a phrase is a substring.
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]--\p{Nd}"
_WORD = regex.compile(
    rf"(?V1)[{UNSPACED}]\p{{M}}*"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]]"
    rf"[[\p{{L}}\p{{N}}\p{{M}}\u0640\u200c\u200d]--[{UNSPACED}]]*+"
)
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_LETTERS = str.maketrans(
    {
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
        "ـ": None,
        "ٱ": "ا",
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "ς": "σ",
        "\u200c": None,
        "\u200d": None,
    }
)
_KEPT_PAIRS = frozenset({"и\u0306", "і\u0308"})  # й and ї are letters, not accented forms
_VOICING = frozenset("\u3099\u309a")
_MARKS = regex.compile(r"(?V1)(?<!и(?=\u0306))(?<!і(?=\u0308))[\p{Mn}--[\u3099\u309a]]")


class Word(NamedTuple):
    """A word of a text."""

    folded: str
    start: int  #: in code points of the original text
    end: int


@word_cache(65536)
def fold(word: str) -> str:
    """Fold a word or a longer text. Idempotent."""
    return fold_once(word)


def fold_once(word: str) -> str:
    """Like `fold`, for those who keep what is made of it: nothing is cached here."""
    if word.isascii():
        return word.lower()
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).casefold())
    characters: list[str] = []
    for character in text:
        if unicodedata.category(character) == "Mn" and character not in _VOICING:
            if characters and characters[-1] + character in _KEPT_PAIRS:
                characters.append(character)
            continue
        characters.append(character)
    return unicodedata.normalize("NFKC", "".join(characters).translate(_LETTERS))


def fold_many(listed: Iterable[str]) -> list[str]:
    """Fold many words of a line each, as `fold` does, in a tenth of its time."""
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", "\n".join(listed)).casefold())
    bare = _MARKS.sub("", text).translate(_LETTERS)
    return unicodedata.normalize("NFKC", bare).split("\n")


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text, folded, each with its range in the original."""
    if text.isascii():
        for ascii_match in _ASCII_WORD.finditer(text):
            start, end = ascii_match.span()
            yield Word(ascii_match.group().lower(), start, end)
        return
    for match in _WORD.finditer(text):
        folded = fold(match.group())
        if folded:
            yield Word(folded, match.start(), match.end())


def folded_key(text: str) -> str:
    """Return the folded words, equal for texts that differ in case, accents or punctuation only."""
    if text.isascii():
        return " ".join(_ASCII_WORD.findall(text)).lower()
    return " ".join(filter(None, map(fold, _WORD.findall(text))))
