"""Split a text into the words that queries match, and their compounds. Not stemming.

Beyond `fold.words`: digits of all scripts become ASCII digits, thousands separators are removed
(1,000 is 1000), traditional characters are simplified, and words joined by hyphens or apostrophes
are also known as compounds, so that S-300, S300 and С-300 can match as a single word.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

import regex
from anyascii import anyascii

from bot.text.chinese import simplified_characters
from bot.text.fold import UNSPACED, fold, fold_once
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
# Texts of these characters are split by `re`, in a third of the time: it has no classes of marks
# and scripts. ASCII, and letters, digits and signs of European scripts, Hebrew and Arabic, of which
# none combines, joins, or is of a script without spaces.
_USUAL_CHARACTERS = (
    "\x00-\xac\xae-\u02ba\u02c2-\u02c7\u02c9-\u02ff"
    "\u0370-\u0482\u048a-\u052f\u0531-\u0556\u0561-\u0587"
    "\u05be\u05d0-\u05ea\u05f3\u05f4\u060c\u061b\u061f\u0621-\u063a\u0641-\u064a\u0660-\u066d"
    "\u0671-\u06d3\u06d4\u1e00-\u1eff\u2000-\u200b\u200e-\u2027\u202a-\u205e\u20a0-\u20bf"
    "\u2100-\u218b\u2190-\u23ff\u2500-\u27bf\U0001f300-\U0001faff"
)
_UNUSUAL = re.compile(f"[^{_USUAL_CHARACTERS}]")
_JOINING = "-‐‑–−'’‘`´＇"
_ANY = regex.compile(
    rf"(?V1)(?<![\p{{L}}\p{{N}}])(?:{_NUMBER})|[{UNSPACED}][\p{{M}}\uff9e\uff9f]*"
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\u0640\u200c\u200d]--[{UNSPACED}]]*+"
)
_UNSPACED_CHARACTER = regex.compile(rf"(?V1)[{UNSPACED}]")
_JOINERS = frozenset(_JOINING)
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
_LETTER_APOSTROPHES = "ʼʻʽʾʿˈ"
_APOSTROPHES = str.maketrans(dict.fromkeys(_LETTER_APOSTROPHES, "'"))
_HAS_APOSTROPHE = re.compile(f"[{_LETTER_APOSTROPHES}]")
_DECIMALS = re.compile(r"(?:[.,٫](?=\d{1,2}$)|(?<=^\d)(?<=[0٠۰])[.,٫])(\d+)$")
_GROUP = re.compile(r"\d{3}(?:[.,٫]\d{1,2})?")
# Letters that people replace by these where they do not have them.
_ICELANDIC = {"þ": "th", "Þ": "Th", "ð": "d", "Ð": "D"}
_NOT_DIGITS = re.compile(r"\D")


_SHARED_RANGES = tuple((index, index + 1) for index in range(4_000))


def single_ranges(start: int, end: int) -> Sequence[tuple[int, int]]:
    """Return the half-open ranges of single words, from one to another: the same for all texts."""
    shared = _SHARED_RANGES[start:end]
    more = range(max(start, len(_SHARED_RANGES)), end)
    return (*shared, *((index, index + 1) for index in more)) if more else shared


class _Splitter:
    """How texts of some characters are split into words by `re`."""

    def __init__(self, letter: str, sign: str) -> None:
        """`letter` and `sign` are classes: of letters, and of letters and digits."""
        self.letter = re.compile(letter)
        self.words = re.compile(f"{sign}+")
        #: the same with the separators of numbers, which one in three texts has
        self.numbered = re.compile(rf"{letter}{sign}*|(?<!{sign})(?:{_NUMBER})|{sign}+")
        self.near_number = re.compile(rf"\d(?:{_SEPARATORS}|[٫ ])(?=\d)")
        initial = rf"(?<=(?<!{sign}){letter}\.)(?={letter}(?!{sign}))"
        #: what joins the words beside it: a hyphen or apostrophe, the point in U.S.
        self.joint = re.compile(rf"[{_JOINING}](?<={sign}[{_JOINING}])(?={sign})|\.{initial}")


_ASCII = _Splitter("[a-z]", "[a-z0-9]")
# Digits that are raised, fractions, Roman and circled numbers are no letters.
_USUAL = _Splitter(r"[^\W\d_²³¹¼-¾⁰⁴-⁾₀-₎⅐-ↂↅ-↉①-⒛⓪-⓿❶-➓]", r"[^\W_]")


class Tokens:
    """The words of a text, in order. Their ranges are computed on demand: few texts need them."""

    __slots__ = ("_spans", "_splitter", "_text", "compounds", "lower", "unspaced", "words")

    def __init__(
        self,
        words: list[str],
        compounds: list[tuple[int, int]],
        text: str,
        found: list[tuple[int, int]] | _Splitter,
        lower: list[str] | None = None,
    ) -> None:
        """`found` are the ranges of the words, or what splits the text into them again."""
        self.words = words  #: folded
        self.lower = words if lower is None else lower  #: with their accents, as stemmers need them
        #: half-open ranges of two or more words that hyphens or apostrophes join
        self.compounds = compounds
        self._text = text
        self._splitter = found if isinstance(found, _Splitter) else None
        self._spans = None if isinstance(found, _Splitter) else found
        #: some words are characters of scripts without spaces
        self.unspaced = self._splitter is None and _UNSPACED_CHARACTER.search(text) is not None

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The half-open range of each word, in code points of the text."""
        if self._spans is None and self._splitter is not None:
            self._spans = [match.span() for match in self._splitter.numbered.finditer(self._text)]
        return self._spans or []


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


def _folded(word: str) -> str:
    if (
        word[0].isdecimal()
        and not word.isdecimal()
        and word[-1].isdecimal()
        and not any(map(str.isalpha, word))
    ):
        word = _number(word)
    if word.isascii():
        return word.lower()
    folded = fold_once(word.translate(_equal_letters()))
    if folded.isascii():
        return folded
    return "".join(
        str(unicodedata.digit(character)) if character.isdecimal() else character
        for character in folded
    )


@word_cache(1 << 16)
def _forms(word: str) -> tuple[str, str]:
    """A word folded, and in lower case and NFC, with its accents; folded if it contains digits."""
    folded = _folded(word)
    if word.isascii() or any(map(str.isdecimal, word)):
        return folded, folded
    accented = unicodedata.normalize("NFKC", word.translate(_equal_letters())).lower()
    return folded, unicodedata.normalize("NFC", accented)


def tokens(text: str) -> Tokens:
    """Split a text into words."""
    if not text.isascii():
        for sign, plain in _PUNCTUATION:
            if sign in text:
                text = text.replace(sign, plain)
    if text.isascii():
        text = text.lower()
        words, compounds = _split(text, _ASCII)
        if _ASCII.near_number.search(text):
            words = [word if word.isalnum() else _number(word) for word in words]
        return Tokens(words, compounds, text, _ASCII)
    if _HAS_APOSTROPHE.search(text):
        text = text.translate(_APOSTROPHES)
    if not _UNUSUAL.search(text):
        written, compounds = _split(text, _USUAL)
        # Words of ASCII letters are most of many texts, and need no place in a cache.
        forms = {
            word: (small, small)
            if word.isascii() and (small := word.lower()).isalpha()
            else _forms(word)
            for word in set(written)
        }
        if all(folded for folded, _ in forms.values()):
            return Tokens(
                [forms[word][0] for word in written],
                compounds,
                text,
                _USUAL,
                [forms[word][1] for word in written],
            )
    return _tokens_of_any(text)


def _tokens_of_any(text: str) -> Tokens:
    """Like `tokens`, for all characters."""
    spans = [match.span() for match in _ANY.finditer(text)]
    written = [text[start:end] for start, end in spans]
    forms = {word: _forms(word) for word in set(written)}
    if not all(folded for folded, _ in forms.values()):
        kept = [index for index, word in enumerate(written) if forms[word][0]]
        spans = [spans[index] for index in kept]
        written = [written[index] for index in kept]
    words = [forms[word][0] for word in written]
    lower = [forms[word][1] for word in written]
    return Tokens(words, _compounds(text, spans), text, spans, lower)


def _split(text: str, splitter: _Splitter) -> tuple[list[str], list[tuple[int, int]]]:
    """The words of a text as they are written, and its compounds.

    Where it has numbers with separators, these and what touches them are looked at word by word.
    """
    words: list[str] = []
    compounds: list[tuple[int, int]] = []
    before = 0
    for start, end in _near_numbers(text, splitter):
        _split_plain(text, before, start, splitter, words, compounds)
        shift = len(words)
        spans = [match.span() for match in splitter.numbered.finditer(text, start, end)]
        words += [text[first:last] for first, last in spans]
        compounds += [(first + shift, last + shift) for first, last in _compounds(text, spans)]
        before = end
    _split_plain(text, before, len(text), splitter, words, compounds)
    return words, compounds


def _near_numbers(text: str, splitter: _Splitter) -> Iterator[tuple[int, int]]:
    """The parts of a text, from blank to blank, that have a separator between two digits."""
    start = end = -1
    for match in splitter.near_number.finditer(text):
        if match.end() < end:
            continue
        first = text.rfind(" ", 0, match.start()) + 1
        if first > end:
            if end >= 0:
                yield start, end
            start = first
        end = text.find(" ", match.end())
        if end < 0:
            end = len(text)
    if end >= 0:
        yield start, end


def _split_plain(
    text: str,
    start: int,
    end: int,
    splitter: _Splitter,
    words: list[str],
    compounds: list[tuple[int, int]],
) -> None:
    """Add the words and compounds of a part of a text that has no separators within numbers."""
    first = last = -1  # indices of the words of the newest compound
    for joint in splitter.joint.finditer(text, start, end):
        place = joint.start()
        words += splitter.words.findall(text, start, place)
        start = place + 1
        if last != len(words) - 1:
            if first >= 0:
                compounds.append((first, last + 1))
            first = len(words) - 1
        last = len(words)
    if first >= 0:
        compounds.append((first, last + 1))
    words += splitter.words.findall(text, start, end)


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
