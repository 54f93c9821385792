"""Extracts keywords and key phrases of a text as written, for people. Not terms for comparison.

Scripts without spaces are not segmented into words: Chinese gives character bigrams, a run of
katakana is one word, and so is a short run of Thai and similar scripts, or the beginning of a
longer one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import regex

from bot.stories.features import term_of
from bot.stories.stop_words import prior_frequencies, stop_words
from bot.text.language import script_of
from bot.text.stem import stems
from bot.text.tokens import MAX_JOINED, Tokens, is_unspaced, tokens

_KATAKANA_RUN = regex.compile(r"[\p{Katakana}ー]{3,}")
_HAN_RUN = regex.compile(r"\p{Han}{2,}")
_UNSPACED_RUN = regex.compile(r"(?V1)[[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}--\p{Nd}]{3,}")
_RUN_WORD = 5  # grapheme clusters of a long run that are taken as its first word
_MAX_RUN = 12  # grapheme clusters of a run that is taken as one word
_HYPHENS = frozenset("-‐‑–−")
# Stop words that are often part of another word: 中东, 上海, 日本.
_PARTS_OF_WORDS = frozenset("中上下日月年")
# Least letters of a keyword; two in scripts whose characters are syllables.
_MIN_LETTERS = {
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
    """A word or phrase at its first occurrence."""

    text: str  #: as written
    start: int  #: offset in code points
    phrase: bool


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or words joined by hyphens or apostrophes."""

    start: int
    end: int
    is_keyword: bool  #: by itself
    in_phrases: bool  #: may be a word of a phrase


def extract_keywords(text: str, language: str) -> list[Keyword]:
    """Return keywords in order of the text, then phrases of two words.

    Stop words, numbers and words common in all news are no keywords.
    """
    cut = tokens(text)
    uppercase = text.isupper()
    units = [
        _unit(text, cut, start, end, language, uppercase=uppercase)
        for start, end in _unit_ranges(text, cut, language)
    ]
    words = [
        Keyword(text[unit.start : unit.end], unit.start, phrase=False)
        for unit in units
        if unit.is_keyword
    ]
    phrases = [
        Keyword(text[unit.start : following.end], unit.start, phrase=True)
        for unit, following in pairwise(units)
        if unit.in_phrases
        and following.in_phrases
        and (unit.is_keyword or following.is_keyword)
        and text[unit.end : following.start].isspace()
    ]
    if cut.unspaced:
        unspaced = list(_unspaced_keywords(text))
        words += [keyword for keyword in unspaced if not keyword.phrase]
        phrases += [keyword for keyword in unspaced if keyword.phrase]
    return words + phrases


def _unit_ranges(text: str, cut: Tokens, language: str) -> Iterator[tuple[int, int]]:
    """Half-open token ranges of the units, without clitics at their edges (l', 's)."""
    compounds = dict(cut.compounds)
    index = 0
    while index < len(cut.words):
        until = compounds.get(index, index + 1)
        start, end, index = index, until, until
        if end - start == 1 and is_unspaced(cut.words[start]):
            continue
        while end - start > 1 and _is_clitic(text, cut, end - 2, cut.words[end - 1], language):
            end -= 1
        while end - start > 1 and _is_clitic(text, cut, start, cut.words[start], language):
            start += 1
        yield start, end


def _is_clitic(text: str, cut: Tokens, before: int, word: str, language: str) -> bool:
    """Whether an edge word is only attached by the apostrophe behind the token at `before`."""
    return text[cut.spans[before][1]] not in _HYPHENS and (
        word == "s" or word in stop_words(language)
    )


def _unit(text: str, cut: Tokens, start: int, end: int, language: str, *, uppercase: bool) -> _Unit:
    first, last = cut.spans[start][0], cut.spans[end - 1][1]
    written = text[first:last]
    parts = cut.lower[start:end]
    if not any(map(str.isalpha, written)) or end - start > MAX_JOINED:
        return _Unit(first, last, is_keyword=False, in_phrases=False)
    if any(map(str.isdecimal, written)):  # a designation: S-300
        return _Unit(first, last, is_keyword=True, in_phrases=True)
    terms = [
        (part, term) for part in parts if (term := term_of(part, language)) and not term.isdecimal()
    ]
    is_abbreviation = bool(terms) and not uppercase and written.isupper() and len(written) > 1
    least = _MIN_LETTERS.get(script_of(written), 2)
    is_rare = any(
        len(part) >= least and stems(part, language)[0] not in prior_frequencies()
        for part, _ in terms
    )
    return _Unit(
        first,
        last,
        is_keyword=is_rare or is_abbreviation,
        in_phrases=is_abbreviation or (bool(terms) and len(written) >= min(least, 3)),
    )


def _unspaced_keywords(text: str) -> Iterator[Keyword]:
    """Candidates for words in scripts without spaces, likelier word boundaries first."""
    for match in _KATAKANA_RUN.finditer(text):
        yield Keyword(match.group(), match.start(), phrase=False)
    for start, run in _han_runs(text):
        if len(run) == 3:
            yield Keyword(run, start, phrase=False)
        for offset in (*range(0, len(run) - 1, 2), *range(1, len(run) - 1, 2)):
            yield Keyword(run[offset : offset + 2], start + offset, phrase=False)
        for offset in range(0, len(run) - 3, 2):
            yield Keyword(run[offset : offset + 4], start + offset, phrase=True)
    for match in _UNSPACED_RUN.finditer(text):
        graphemes = regex.findall(r"\X", match.group())
        length = len(graphemes) if len(graphemes) <= _MAX_RUN else _RUN_WORD
        yield Keyword("".join(graphemes[:length]), match.start(), phrase=False)


def _han_runs(text: str) -> Iterator[tuple[int, str]]:
    """Runs of Chinese characters between stop words, with their offsets."""
    separators = stop_words("zh") - _PARTS_OF_WORDS
    for match in _HAN_RUN.finditer(text):
        start = match.start()
        for offset in range(match.start(), match.end() + 1):
            if offset == match.end() or text[offset] in separators:
                if offset - start > 1:
                    yield start, text[start:offset]
                start = offset + 1
