"""The words of a text as names are looked for among them, and what the text says of them.

Words that an apostrophe joins are one word here, since it is a letter in many transcriptions:
Donets'k, Sa'id, צ'רנוביל. No matching.
"""

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from bot.names.transliteration import is_unspaced_character
from bot.text.fold import words
from bot.text.tokens import single_ranges

APOSTROPHES = frozenset("'’‘ʼʻʿʾ`´׳‛′ʹ")
_APOSTROPHE = re.compile(f"[{''.join(APOSTROPHES)}]")
#: Has all characters of scripts without spaces; those of others that it has are rare.
_UNSPACED = re.compile("[\u2e80-\U0001f1ff\U0001fb00-\U0010ffff]")
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
        if _UNSPACED.search(text):
            small_here = _add_words(
                (text, folded, spans), shift, language, listed, ranges, adjacent
            )
        else:
            small_here = _add_spaced(text, folded, spans, shift, language, listed, ranges)
        if _has_capital(text):  # a text of one case says nothing of its words
            small.update(small_here)
        shift += len(folded) + 1
    return NameText(listed, ranges, NameContext(language, frozenset(small), frozenset(adjacent)))


def _add_spaced(
    text: str,
    folded: Sequence[str],
    spans: Sequence[tuple[int, int]],
    shift: int,
    language: str,
    listed: list[str],
    ranges: list[tuple[int, int]],
) -> list[int]:
    """Like `_add_words`, for scripts with blanks, without looking at each word."""
    first, begin = len(listed), 0
    joints = _joints(text, folded, spans, language)
    for index in joints:
        listed += folded[begin:index]
        ranges += single_ranges(shift + begin, shift + index)
        listed[-1] += folded[index]
        ranges[-1] = (ranges[-1][0], shift + index + 1)
        begin = index + 1
    listed += folded[begin:]
    ranges += single_ranges(shift + begin, shift + len(folded))
    if joints:
        behind = set(joints)
        spans = [span for index, span in enumerate(spans) if index not in behind]
    written = [text[start:end] for start, end in spans]
    # Letters without case are neither.
    small = {word for word in set(written) if word == word.lower() != word.upper()}
    found = [index for index, word in enumerate(written, first) if word in small]
    if any(sign in text for sign in _SIGNS):
        signed = {
            index
            for index, (start, _) in enumerate(spans, first)
            if start and text[start - 1] in _SIGNS
        }
        return [index for index in found if index not in signed]
    return found


def _joints(
    text: str, folded: Sequence[str], spans: Sequence[tuple[int, int]], language: str
) -> list[int]:
    """Indices of the words that an apostrophe joins with the word before."""
    found: list[int] = []
    for sign in _APOSTROPHE.finditer(text):
        index = bisect_left(spans, (sign.end(),))
        if (
            0 < index < len(spans)
            and spans[index][0] == sign.end()
            and spans[index - 1][1] == sign.start()
            and _are_joined(folded[index - 1], folded[index], language)
        ):
            found.append(index)
    return found


def _add_words(
    field: _Field,
    shift: int,
    language: str,
    listed: list[str],
    ranges: list[tuple[int, int]],
    adjacent: set[int],
) -> list[int]:
    """Add the words of a field, one by one; return the indices of those in small letters."""
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
