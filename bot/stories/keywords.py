"""The words and phrases of a text that tell what it is about, as they stand there: for people to read. Not terms, which are compared.

Where a script has no spaces, words cannot be told: of Chinese characters two at a time are taken, a run of katakana is a word, and of
Thai and its like a short run, or how a longer one begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import regex

from bot.stories.features import term_of
from bot.stories.stop_words import stop_words, usual
from bot.text.language import script_of
from bot.text.stem import stems
from bot.text.tokens import JOINED_MOST, Tokens, is_unspaced, tokens

_KATAKANA = regex.compile(r"[\p{Katakana}ー]{3,}")
_HAN = regex.compile(r"\p{Han}{2,}")
_RUN = regex.compile(r"(?V1)[[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}--\p{Nd}]{3,}")
_RUN_WORD = 5  # user-perceived characters taken for the first word of a long run
_RUN_MOST = 12  # of a run that is taken whole
_HYPHENS = frozenset("-‐‑–−")
# Stop words that are as often a part of another word: 中东, 上海, 日本.
_WITHIN_WORDS = frozenset("中上下日月年")
# Letters from which on a word may be telling; where signs are syllables two suffice.
_LEAST = {
    "Latin": 4,
    "Cyrillic": 4,
    "Greek": 4,
    "Armenian": 4,
    "Georgian": 4,
    "Arabic": 3,
    "Hebrew": 3,
}


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase where it first stands."""

    text: str  #: as written there
    start: int  #: in code points of the text
    phrase: bool


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or the words that a hyphen or apostrophe joins."""

    start: int
    end: int
    keywords: bool  #: by itself
    joins: bool  #: may be a word of a phrase


def keywords(text: str, language: str) -> list[Keyword]:
    """Words in their order, then phrases of two words; stop words, numbers and what all news are full of make neither."""
    cut = tokens(text)
    shouted = text.isupper()
    units = [
        _unit(text, cut, start, end, language, shouted=shouted)
        for start, end in _bounds(text, cut, language)
    ]
    words = [
        Keyword(text[one.start : one.end], one.start, phrase=False) for one in units if one.keywords
    ]
    phrases = [
        Keyword(text[one.start : other.end], one.start, phrase=True)
        for one, other in pairwise(units)
        if one.joins
        and other.joins
        and (one.keywords or other.keywords)
        and text[one.end : other.start].isspace()
    ]
    if cut.unspaced:
        unspaced = list(_unspaced(text))
        words += [one for one in unspaced if not one.phrase]
        phrases += [one for one in unspaced if one.phrase]
    return words + phrases


def _bounds(text: str, cut: Tokens, language: str) -> Iterator[tuple[int, int]]:
    """Half-open ranges of word positions that make one word each; what an apostrophe adds at either side (l', 's) is left out."""
    compounds = dict(cut.compounds)
    index = 0
    while index < len(cut.words):
        until = compounds.get(index, index + 1)
        start, end, index = index, until, until
        if end - start == 1 and is_unspaced(cut.words[start]):
            continue
        while end - start > 1 and _added(text, cut, end - 2, cut.words[end - 1], language):
            end -= 1
        while end - start > 1 and _added(text, cut, start, cut.words[start], language):
            start += 1
        yield start, end


def _added(text: str, cut: Tokens, before: int, word: str, language: str) -> bool:
    """Whether a word at the edge of a joined one is only added to it: by an apostrophe behind the word at `before`."""
    return text[cut.places[before][1]] not in _HYPHENS and (
        word == "s" or word in stop_words(language)
    )


def _unit(text: str, cut: Tokens, start: int, end: int, language: str, *, shouted: bool) -> _Unit:
    first, last = cut.places[start][0], cut.places[end - 1][1]
    written = text[first:last]
    parts = cut.lower[start:end]
    if not any(map(str.isalpha, written)) or end - start > JOINED_MOST:
        return _Unit(first, last, keywords=False, joins=False)
    if any(map(str.isdecimal, written)):
        return _Unit(first, last, keywords=True, joins=True)  # a designation, S-300
    terms = [
        (part, term) for part in parts if (term := term_of(part, language)) and not term.isdecimal()
    ]
    abbreviation = bool(terms) and not shouted and written.isupper() and len(written) > 1
    least = _LEAST.get(script_of(written), 2)
    long = any(len(part) >= least and stems(part, language)[0] not in usual() for part, _ in terms)
    return _Unit(
        first,
        last,
        keywords=long or abbreviation,
        joins=abbreviation or (bool(terms) and len(written) >= min(least, 3)),
    )


def _unspaced(text: str) -> Iterator[Keyword]:
    """Of scripts without spaces: what may be words, those that begin where a word does first."""
    for found in _KATAKANA.finditer(text):
        yield Keyword(found.group(), found.start(), phrase=False)
    for start, run in _han_runs(text):
        if len(run) == 3:
            yield Keyword(run, start, phrase=False)
        for at in (*range(0, len(run) - 1, 2), *range(1, len(run) - 1, 2)):
            yield Keyword(run[at : at + 2], start + at, phrase=False)
        for at in range(0, len(run) - 3, 2):
            yield Keyword(run[at : at + 4], start + at, phrase=True)
    for found in _RUN.finditer(text):
        signs = regex.findall(r"\X", found.group())
        yield Keyword(
            "".join(signs[: len(signs) if len(signs) <= _RUN_MOST else _RUN_WORD]),
            found.start(),
            phrase=False,
        )


def _han_runs(text: str) -> Iterator[tuple[int, str]]:
    """Chinese characters between those that are words of their own."""
    small = stop_words("zh") - _WITHIN_WORDS
    for found in _HAN.finditer(text):
        start = found.start()
        for at in range(found.start(), found.end() + 1):
            if at == found.end() or text[at] in small:
                if at - start > 1:
                    yield start, text[start:at]
                start = at + 1
