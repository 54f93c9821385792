"""Whether a name may stand at a place of a text: quick, never too strict. Not matching.

What `bot.names.find` matches passes both checks of a name: that of the word, which an index asks
once for each word and remembers, and that of the place, which looks at the words beside it as well.
Costs are bounded from below by the first and last two phonemes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from bot.names.alignment import MAX_FILLERS, MAX_PIECES, is_filler
from bot.names.chinese import pinyin
from bot.names.common_words import common_words
from bot.names.compare import pieces_cost
from bot.names.context import NameText
from bot.names.edit_distance import (
    NO_MATCH,
    distance,
    end_cost,
    max_distance,
    phonetic_weight,
    silence_cost,
    start_cost,
)
from bot.names.forms import (
    ARTICLES,
    FUNCTION_WORDS,
    base_forms,
    canonical,
    stem,
    without_final_vowels,
    word_forms,
)
from bot.names.known_spellings import known_spellings, spellings_in_languages
from bot.names.pattern import NamePattern, NameToken
from bot.names.phonemes import ABJAD, PLAIN, SYLLABIC
from bot.names.phonetic_key import initial_keys, word_keys
from bot.names.transliteration import (
    HEBREW,
    comparison_mode,
    is_unspaced_character,
    script,
    transcribe,
)
from bot.text.word_cache import word_cache

_CLOSE = 1e-9  # sums in another order differ by less
_MODES = (PLAIN, ABJAD, SYLLABIC, ABJAD + SYLLABIC)
_SPLIT_WEIGHT = 3.2  # phonetic weight of a word that may be split into pieces, at least
SILENT = 0  #: what `hear` says of a word at which no text has the name
_SURE = -1  # the place needs no look
_NEVER, _PIECE, _WORD = range(3)  # what a word of a text may be of a word of a name


class _Sound(NamedTuple):
    """A string of phonemes, and what is compared of it first."""

    phonemes: str
    start: str  #: the first two; empty where there are fewer than three
    end: str  #: the last two, the last one first; empty where there are fewer than four
    limits: tuple[float, ...]  #: of the cost, by mode
    is_bare: bool = False  #: to be compared with a name without its final vowels


class _Word(NamedTuple):
    """A word of a text."""

    text: str
    canonical: str
    stem: str
    script: str
    forms: tuple[_Sound, ...]
    may_be_piece: bool  #: and be followed by the rest of a word


class _Part(NamedTuple):
    """A required word of a name, or all of the name as one word."""

    text: str
    stem: str
    root: str  #: with which its case forms in Latin letters begin
    spellings: frozenset[str]  #: that are known, in any language
    script: str
    whole: _Sound
    bare: _Sound | None  #: without final vowels
    slack: float  #: cost that each word may have beside others
    may_split: bool


def _sound(phonemes: str, *, is_bare: bool = False) -> _Sound:
    return _Sound(
        phonemes,
        phonemes[:2] if len(phonemes) > 2 else "",
        phonemes[:-3:-1] if len(phonemes) > 3 else "",
        tuple(max_distance(phonemes, mode) + _CLOSE for mode in _MODES),
        is_bare,
    )


@word_cache(32768)
def _word(text: str) -> _Word:
    return _Word(
        text,
        canonical(text),
        stem(text),
        script(text),
        tuple(_sound(form.phonemes, is_bare=form.stemmed) for form in word_forms(text)),
        text not in FUNCTION_WORDS and text not in common_words(),
    )


def _part(token: NameToken, phonemes: str, text: str, slack: float) -> _Part:
    bare = without_final_vowels(phonemes)
    root = text.rstrip("aeiou") if len(text) > 4 else text
    return _Part(
        text,
        stem(text),
        root,
        spellings_in_languages(text).union(known_spellings(text)),
        token.script,
        _sound(phonemes),
        _sound(bare) if len(bare) > 2 else None,
        slack + _CLOSE,
        phonetic_weight(phonemes) >= _SPLIT_WEIGHT,
    )


class PlaceCheck:
    """Tells of a name where it may stand."""

    __slots__ = ("_exact", "_joined", "_needs_other", "_parts", "pattern")

    def __init__(self, pattern: NamePattern) -> None:
        self.pattern = pattern
        self._exact = frozenset(pattern.exact)
        tokens = pattern.orders[0]
        required = [token for token in tokens if not token.optional]
        is_alone = len(required) == 1
        slack = 0.0 if is_alone else 0.5 * max_distance(pattern.joined_phonemes, PLAIN)
        self._parts = tuple(_part(token, token.phonemes, token.text, slack) for token in required)
        self._joined = (
            _part(tokens[0], pattern.joined_phonemes, "".join(token.text for token in tokens), 0.0)
            if len(tokens) > 1
            else None
        )
        #: Whether another word of the name stands beside each: what is between is known.
        self._needs_other = len(required) > 1 and len(tokens) == len(required)

    def hear(self, word: str) -> int:
        """Return what a folded word may be of the name: SILENT where no text has the name at it.

        What else it is, is for `may_stand`.
        """
        pattern = self.pattern
        if not self._exact.isdisjoint(base_forms(word)):
            return _SURE
        if is_unspaced_character(word):
            is_heard = (
                not pattern.initial_keys.isdisjoint(initial_keys(word))
                or pinyin(word) in pattern.syllables
            )
            return _SURE if is_heard else SILENT
        if pattern.anchor_keys.isdisjoint(word_keys(word)):
            return SILENT
        of_text = _word(word)
        if (
            pattern.place_kind
            or of_text.script == HEBREW
            or (self._joined is not None and _heard(self._joined, of_text) == _WORD)
        ):
            return _SURE
        heard = 0
        for place, part in enumerate(self._parts):
            heard |= _heard(part, of_text) << (2 * place)
        return heard

    def may_stand(self, text: NameText, index: int, heard: int) -> bool:
        """Return whether the name may stand at a word of a text, of which `hear` said this."""
        if heard == _SURE:
            return True
        if index in text.context.small:
            return False
        if index and len(text.words[index - 1]) == 1 and script(text.words[index - 1]) == HEBREW:
            return True
        return any(
            self._has_part(part, text, index, heard >> (2 * place) & 3)
            for place, part in enumerate(self._parts)
        )

    def _has_part(self, part: _Part, text: NameText, index: int, heard: int) -> bool:
        """Whether a word may be this part, and others of the name stand beside it.

        What is cheap to find out comes first: words in small letters are no others.
        """
        if heard == _NEVER:
            return False
        words = text.words
        if not self._needs_other or self._has_other(part, text, index - 1, -1):
            return heard == _WORD or any(_pieces(part, words, index, 1))
        if heard == _WORD and self._has_other(part, text, index + 1, 1):
            return True
        return part.may_split and any(
            self._has_other(part, text, index + count, 1)
            and count in _pieces(part, words, index, 1)
            for count in range(2, MAX_PIECES + 1)
        )

    def _has_other(self, part: _Part, text: NameText, index: int, step: int) -> bool:
        """Whether another part may stand at an index, or behind what may be between."""
        return any(
            _stands(other, text, place, step)
            for place in _places(text.words, index, step)
            for other in self._parts
            if other is not part
        )


def _places(words: list[str], index: int, step: int) -> Iterator[int]:
    """Indices where the next word of a name may be, the nearest first."""
    for _ in range(MAX_FILLERS + 1):
        if not 0 <= index < len(words) or not words[index]:
            return
        yield index
        if not is_filler(words[index]):
            return
        index += step


def _stands(part: _Part, text: NameText, index: int, step: int) -> bool:
    """Whether a part may stand at an index, and go on from there."""
    words = text.words
    if index in text.context.small and words[index] != part.text:
        return False
    heard = _heard(part, _word(words[index]))
    if heard == _WORD:
        return True
    return (
        part.may_split and (step < 0 or heard == _PIECE) and any(_pieces(part, words, index, step))
    )


def _pieces(part: _Part, words: list[str], index: int, step: int) -> Iterator[int]:
    """How many words may be the pieces of a part."""
    pieces = [words[index]]
    for count in range(2, MAX_PIECES + 1):
        beyond = index + step * (count - 1)
        if (
            not 0 <= beyond < len(words)
            or not words[beyond]
            or is_unspaced_character(words[beyond])
        ):
            return
        pieces.append(words[beyond])
        ordered = tuple(pieces[::step])
        if (
            _may_join(part, ordered[0], ordered[-1])
            and pieces_cost(part.whole.phonemes, part.script, ordered) < NO_MATCH
        ):
            yield count


def _may_join(part: _Part, first: str, last: str) -> bool:
    """Whether pieces that begin and end with these words may be a part."""
    begin, end = transcribe(first), transcribe(last)
    if len(begin) < 3 or len(end) < 2 or last in ARTICLES:
        return True
    mode = comparison_mode(part.script, script(first))
    limit = (1.0 if len(first) == 1 else 0.5) * part.whole.limits[mode]
    least = start_cost(part.whole.start, begin[:2], mode)
    return least <= limit and least + end_cost(part.whole.end, end[:-3:-1], mode) <= limit


def _heard(part: _Part, word: _Word) -> int:
    """What a word may be of a part: all of it, the first piece, or nothing."""
    text = word.text
    if (
        part.text in (text, word.canonical)
        or len(text) == 1
        or len(part.text) == 1
        or text in part.spellings
        or text.startswith(part.root)
        or word.stem == part.stem
    ):
        return _WORD
    mode = comparison_mode(part.script, word.script)
    may_be_piece = part.may_split and word.may_be_piece
    heard = _PIECE if may_be_piece and not word.forms else _NEVER
    whole = part.whole.limits[mode]
    for form in word.forms:
        own = part.bare if form.is_bare else part.whole
        if own is None:
            continue
        least = start_cost(own.start, form.start, mode) if own.start and form.start else 0.0
        if may_be_piece and least <= whole:
            heard = _PIECE
        limit = max(part.slack, min(whole, form.limits[mode] + 0.1))
        if (
            least > limit
            or abs(silence_cost(own.phonemes, mode) - silence_cost(form.phonemes, mode)) > limit
        ):
            continue
        if not own.start or not form.start:
            if distance(own.phonemes, form.phonemes, mode, limit) < NO_MATCH:
                return _WORD
        elif not own.end or not form.end or least + end_cost(own.end, form.end, mode) <= limit:
            return _WORD
    return heard
