"""The words of a text as names are looked for among them, and what the text says of them.

Words that an apostrophe joins are one word here, since it is a letter in many transcriptions:
Donets'k, Sa'id, צ'רנוביל. No matching.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from bot.names.transliteration import is_unspaced_character
from bot.text.fold import words

APOSTROPHES = frozenset("'’‘ʼʻʿʾ`´׳‛′ʹ")
_SIGNS = "#@"  # before words that are written in small letters though they may be names
#: Words before an apostrophe that stay words: l'Ukraine, dell'Ucraina.
_ELIDED = frozenset("d l j n s c m t qu dell nell all sull dall quell un jusqu lorsqu".split())
_ELIDING = frozenset(("", "fr", "it", "ca", "oc", "pms", "lb"))
#: Words behind an apostrophe that stay words: Zelensky's.
_ENDINGS = frozenset("s t d m re ve ll".split())
#: Languages with an apostrophe between a name and its ending.
_SUFFIXING = frozenset(("tr", "az", "uz", "tk", "fi", "eo"))


#: Text, folded words, and the half-open range of each in the text.
_Field = tuple[str, Sequence[str], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class NameContext:
    """What is known of the words of a text."""

    language: str = ""  #: of the text, empty for an unknown one
    #: Indices of the words that begin with a small letter in a part of the text that has capitals.
    small: Container[int] = ()
    #: Indices of the characters of Chinese and Japanese that stand right behind another.
    adjacent: Container[int] = ()


NO_CONTEXT = NameContext()


@dataclass(frozen=True, slots=True)
class NameText:
    """The words of a text as names are looked for among them."""

    words: list[str]  #: folded; an empty one between two fields
    ranges: list[tuple[int, int]]  #: half-open ranges of the words of the text that each one is
    context: NameContext


def name_text(fields: Iterable[_Field], language: str) -> NameText:
    """Return the words of the fields of a text.

    Args:
        fields: text, folded words, and the half-open range of each in the text.
        language: of the text, empty for an unknown one.
    """
    listed: list[str] = []
    ranges: list[tuple[int, int]] = []
    small: set[int] = set()
    adjacent: set[int] = set()
    shift = 0
    for text, folded, spans in fields:
        if shift:
            listed.append("")
            ranges.append((shift - 1, shift))
        if text.isascii() and "'" not in text and "`" not in text:
            small_here = _small_words(text, spans, len(listed))
            listed += folded
            ranges += [(index, index + 1) for index in range(shift, shift + len(folded))]
        else:
            small_here = _add_words(
                (text, folded, spans), shift, language, listed, ranges, adjacent
            )
        if _has_capital(text):  # a text of one case says nothing of its words
            small.update(small_here)
        shift += len(folded) + 1
    return NameText(listed, ranges, NameContext(language, frozenset(small), frozenset(adjacent)))


def _small_words(text: str, spans: Sequence[tuple[int, int]], first: int) -> list[int]:
    """Indices of the words in small letters of an ASCII text, from the first index on."""
    return [
        index
        for index, (start, end) in enumerate(spans, first)
        if text[start:end].islower() and (not start or text[start - 1] not in _SIGNS)
    ]


def _add_words(
    field: _Field,
    shift: int,
    language: str,
    listed: list[str],
    ranges: list[tuple[int, int]],
    adjacent: set[int],
) -> list[int]:
    """Add the words of a field; return the indices of those in small letters."""
    text, folded, spans = field
    small: list[int] = []
    before, end = "", -2
    for index, (word, (start, stop)) in enumerate(zip(folded, spans, strict=True), shift):
        if start < end + 2:
            gap = text[end:start]
            if gap in APOSTROPHES and _are_joined(before, word, language):
                listed[-1] += word
                ranges[-1] = (ranges[-1][0], index + 1)
                before, end = word, stop
                continue
            stands_behind = not gap and is_unspaced_character(word)
        else:
            stands_behind = False
        if stands_behind:
            adjacent.add(len(listed))
        elif _is_small(text, start, stop):
            small.append(len(listed))
        before, end = word, stop
        listed.append(word)
        ranges.append((index, index + 1))
    return small


def text_of(text: str, language: str = "") -> NameText:
    """Return the words of a text of one field."""
    found = list(words(text))
    folded = [word.folded for word in found]
    return name_text([(text, folded, [(word.start, word.end) for word in found])], language)


def _are_joined(before: str, word: str, language: str) -> bool:
    return not (
        language in _SUFFIXING or word in _ENDINGS or (before in _ELIDED and language in _ELIDING)
    )


def _is_small(text: str, start: int, end: int) -> bool:
    word = text[start:end]
    # Letters without case are neither.
    is_small = word.islower() if word.isascii() else word == word.lower() != word.upper()
    return is_small and (not start or text[start - 1] not in _SIGNS)


def _has_capital(text: str) -> bool:
    return text != text.lower()
