"""Whether a name may stand at a place of a text: quick, never too strict. Not matching.

What `bot.names.find` matches passes both checks of a name: what a word may be of it, which an index
asks once for each word and remembers, and whether the words beside it may be the rest.
Costs are bounded from below by the first and last two phonemes before they are computed.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.names.alignment import MAX_FILLERS, MAX_PIECES, is_filler
from bot.names.common_words import common_words
from bot.names.compare import phonetic_cost, pieces_cost, pieces_sound
from bot.names.context import NameText
from bot.names.edit_distance import (
    NO_MATCH,
    end_cost,
    first_costs,
    max_distance,
    phonetic_weight,
    start_cost,
)
from bot.names.forms import (
    FUNCTION_WORDS,
    canonical,
    stem,
    without_final_vowels,
    word_forms,
)
from bot.names.known_spellings import known_spellings, spellings_in_languages
from bot.names.other_words import possible_roots, root_of
from bot.names.pattern import NamePattern, NameToken
from bot.names.phoneme_content import ALL, OF_TEXT, STEPS, allowance, content, steps
from bot.names.phonemes import PLAIN
from bot.names.phonetic_key import skeletons
from bot.names.transliteration import (
    comparison_mode,
    is_unspaced_character,
    script,
    transcribe,
)
from bot.text.word_cache import word_cache

_CLOSE = 1e-9  # sums in another order differ by less
_NOTHING = (None,) * 4  # of PLAIN, ABJAD, SYLLABIC, and the last two together
_SPLIT_WEIGHT = 3.2  # phonetic weight of a word that may be split into pieces, at least
_NO_SPELLINGS: frozenset[str] = frozenset()
SURE = -1  #: what is heard of a word at which the name may stand, whatever is beside it
NEVER, PIECE, WORD = range(3)  #: what a word of a text may be of a word of a name
PART_BITS = 2  #: of what is heard, for each word of a name


class Sound:
    """A string of phonemes, and what is compared of it first. Not its cost."""

    __slots__ = ("_allowances", "_contents", "_limits", "end", "is_bare", "phonemes", "start")

    def __init__(self, phonemes: str, *, is_bare: bool = False) -> None:
        self.phonemes = phonemes
        #: the first two; empty where there are fewer than three
        self.start = phonemes[:2] if len(phonemes) > 2 else ""
        #: the last two, the last one first; empty where there are fewer than four
        self.end = phonemes[:-3:-1] if len(phonemes) > 3 else ""
        self.is_bare = is_bare  #: to be compared with a name without its final vowels
        # By mode, each of them its own from the first value on: few are asked for all three.
        self._limits: Sequence[float | None] = _NOTHING
        self._contents: Sequence[int | None] = _NOTHING
        self._allowances: Sequence[int | None] = _NOTHING

    def limit(self, mode: int) -> float:
        """Return the highest cost of what is a spelling of it."""
        limit = self._limits[mode]
        if limit is None:
            limit = max_distance(self.phonemes, mode) + _CLOSE
            self._limits = (*self._limits[:mode], limit, *self._limits[mode + 1 :])
        return limit

    def content(self, mode: int) -> int:
        """Return what it holds, as a word of a text."""
        held = self._contents[mode]
        if held is None:
            held = content(self.phonemes, mode)
            self._contents = (*self._contents[:mode], held, *self._contents[mode + 1 :])
        return held

    def allowance(self, mode: int, limit: float) -> int:
        """Return what it allows, as a word of a name, within its limit in this mode."""
        left = self._allowances[mode]
        if left is None:
            left = allowance(self.phonemes, mode, limit)
            self._allowances = (*self._allowances[:mode], left, *self._allowances[mode + 1 :])
        return left


class TextWord(NamedTuple):
    """A word of a text."""

    text: str
    canonical: str
    stem: str
    script: str
    forms: tuple[Sound, ...]
    may_be_piece: bool  #: and be followed by the rest of a word
    skeletons: tuple[str, ...]  #: as those of a part begin of which it is the first piece


class Part(NamedTuple):
    """A required word of a name, or all of the name as one word."""

    text: str
    stem: str
    root: str  #: with which its case forms in Latin letters begin
    alone: bool  #: the name has no other words to confirm a match
    own_slack: float  #: cost that each word may have beside others
    spellings: frozenset[str]  #: that are known, in any language
    script: str
    whole: Sound
    skeletons: tuple[str, ...]
    bare: Sound | None  #: without final vowels
    slack: float  #: the same, as a limit of sums in another order
    may_split: bool


@word_cache(32768)
def text_word(text: str) -> TextWord:
    """Return a folded word of a text, ready to be compared."""
    return TextWord(
        text,
        canonical(text),
        stem(text),
        script(text),
        tuple(Sound(form.phonemes, is_bare=form.stemmed) for form in word_forms(text)),
        text not in FUNCTION_WORDS and text not in common_words(),
        skeletons(transcribe(text)),
    )


def _part(token: NameToken, phonemes: str, text: str, slack: float, *, alone: bool) -> Part:
    bare = without_final_vowels(phonemes)
    return Part(
        text,
        stem(text),
        root_of(text),
        alone,
        slack,
        spellings_in_languages(text).union(known_spellings(text)) or _NO_SPELLINGS,
        token.script,
        Sound(phonemes),
        skeletons(phonemes),
        Sound(bare) if len(bare) > 2 else None,
        slack + _CLOSE,
        phonetic_weight(phonemes) >= _SPLIT_WEIGHT,
    )


class PlaceCheck:
    """Tells of a name where it may stand."""

    __slots__ = ("_needs_other", "joined", "parts", "pattern")

    def __init__(self, pattern: NamePattern) -> None:
        self.pattern = pattern
        tokens = pattern.orders[0]
        required = [token for token in tokens if not token.optional]
        alone = len(required) == 1
        slack = 0.0 if alone else 0.5 * max_distance(pattern.joined_phonemes, PLAIN)
        self.parts = tuple(
            _part(token, token.phonemes, token.text, slack, alone=alone) for token in required
        )
        text = "".join(token.text for token in tokens)
        #: all of the name as one word, where it has several
        self.joined = (
            _part(tokens[0], pattern.joined_phonemes, text, 0.0, alone=True)._replace(
                may_split=False
            )
            if len(tokens) > 1
            else None
        )
        #: Whether another word of the name stands beside each: what is between is known.
        self._needs_other = len(required) > 1 and len(tokens) == len(required)

    def may_stand(self, text: NameText, index: int, heard: int) -> bool:
        """Return whether the name may stand at a word of a text.

        Args:
            text: the words of the text.
            index: of the word.
            heard: what the word may be of each of `parts`, the first in the lowest bits, or SURE.
        """
        if heard == SURE:
            return True
        if index in text.context.small:
            return False
        for part in self.parts:
            if heard & 3 and self._has_part(part, text, index, heard & 3):
                return True
            heard >>= PART_BITS
        return False

    def _has_part(self, part: Part, text: NameText, index: int, heard: int) -> bool:
        """Whether a word may be this part, and others of the name stand beside it.

        What is cheap to find out comes first: words in small letters are no others.
        """
        words = text.words
        if not self._needs_other or self._has_other(part, text, index - 1, -1):
            return heard == WORD or any(_pieces(part, words, index, 1))
        if heard == WORD and self._has_other(part, text, index + 1, 1):
            return True
        return part.may_split and any(
            self._has_other(part, text, index + count, 1)
            and count in _pieces(part, words, index, 1)
            for count in range(2, MAX_PIECES + 1)
        )

    def _has_other(self, part: Part, text: NameText, index: int, step: int) -> bool:
        """Whether another part may stand at an index, or behind what may be between."""
        for place in _places(text.words, index, step):
            for other in self.parts:
                if other is not part and _stands(other, text, place, step):
                    return True
        return False


def _places(words: list[str], index: int, step: int) -> Iterator[int]:
    """Indices where the next word of a name may be, the nearest first."""
    for _ in range(MAX_FILLERS + 1):
        if not 0 <= index < len(words) or not words[index]:
            return
        yield index
        if not is_filler(words[index]):
            return
        index += step


def _stands(part: Part, text: NameText, index: int, step: int) -> bool:
    """Whether a part may stand at an index, and go on from there."""
    words = text.words
    if index in text.context.small and words[index] != part.text:
        return False
    heard = _heard_of(part, text_word(words[index]))
    if heard == WORD:
        return True
    return (
        part.may_split and (step < 0 or heard == PIECE) and any(_pieces(part, words, index, step))
    )


def _pieces(part: Part, words: list[str], index: int, step: int) -> Iterator[int]:
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
            may_be_joined(part, ordered[0], Sound(pieces_sound(ordered)))
            and pieces_cost(part.whole.phonemes, part.script, ordered) < NO_MATCH
        ):
            yield count


def _heard_of(part: Part, word: TextWord) -> int:
    """What a word of a text may be of a part: all of it, the first piece, or nothing."""
    if (
        len(word.text) == 1
        or len(part.text) == 1
        or is_written_like(part, word)
        or sounds_like(part, word)
    ):
        return WORD
    if part.may_split and word.may_be_piece and may_begin(part, word):
        return PIECE
    return NEVER


def sounds_like(part: Part, word: TextWord) -> bool:
    """Whether a word sounds like a part, whatever it is in its language."""
    return _sounds_close(part, word) and costs_little(part, word)


def is_written_like(part: Part, word: TextWord) -> bool:
    """Whether a word is a known spelling of a part or a form of it in some language."""
    text = word.text
    return (
        part.text in (text, word.canonical, text.removesuffix("s"))
        or text in part.spellings
        or word.stem == part.stem
        or part.root in possible_roots(text)
    )


def costs_little(part: Part, word: TextWord) -> bool:
    """Return whether a word sounds like a part by its cost, which takes long to find out."""
    cost, _ = phonetic_cost(
        part.whole.phonemes, part.script, word.text, alone=part.alone, slack=part.own_slack
    )
    return cost < NO_MATCH


def may_begin(part: Part, word: TextWord) -> bool:
    """Return whether a word may be the first piece of a part."""
    if word.forms:
        mode = comparison_mode(part.script, word.script)
        limit = (1.0 if len(word.text) == 1 else 0.5) * part.whole.limit(mode)
        first, least = word.forms[0], allowance_below(part, mode, limit)
        if (least + first.content(mode)) & OF_TEXT != OF_TEXT:
            return False
        starts = part.whole.start, first.start
        if all(starts) and (
            first_costs(mode)[starts[0][0] + starts[1][0]] > limit
            or start_cost(*starts, mode) > limit
        ):
            return False
    return begins_alike(part, word)


def begins_alike(part: Part, word: TextWord) -> bool:
    """Return whether a skeleton of a part begins with one of a word."""
    starts = word.skeletons
    for skeleton in part.skeletons:  # noqa: SIM110 (a generator costs three times as much)
        if skeleton.startswith(starts):
            return True
    return False


def may_be_joined(part: Part, first: str, joined: Sound) -> bool:
    """Return whether words of a text may be a part: the first of them, and how all sound."""
    mode = comparison_mode(part.script, script(first))
    limit = (1.0 if len(first) == 1 else 0.5) * part.whole.limit(mode)
    left = allowance_below(part, mode, limit) + joined.content(mode)
    return left & ALL == ALL and _corners_close(part.whole, joined, mode, limit)


def limit_of(part: Part, mode: int) -> float:
    """Return the highest cost of a word that is a part."""
    return max(part.slack, part.whole.limit(mode))


def allowance_below(part: Part, mode: int, limit: float) -> int:
    """Return what a part allows within a lower limit than that of a word."""
    most = limit_of(part, mode)
    return part.whole.allowance(mode, most) - STEPS[steps(most) - steps(limit)]


def _corners_close(own: Sound, other: Sound, mode: int, limit: float) -> bool:
    """Whether what two sounds begin and end with allows that they are close."""
    if not (own.start and other.start):
        return True
    if first_costs(mode)[own.start[0] + other.start[0]] > limit:
        return False
    least = start_cost(own.start, other.start, mode)
    if least > limit or not (own.end and other.end):
        return least <= limit
    return least + end_cost(own.end, other.end, mode) <= limit


def _sounds_close(part: Part, word: TextWord) -> bool:
    """Whether the distance to a form of a word may be small, by what costs little to find out."""
    mode = comparison_mode(part.script, word.script)
    most = limit_of(part, mode)
    for form in word.forms:
        own = part.bare if form.is_bare else part.whole
        if (
            own is not None
            and (own.allowance(mode, most) + form.content(mode)) & ALL == ALL
            and ends_close(part, form, mode)
        ):
            return True
    return False


def ends_close(part: Part, form: Sound, mode: int) -> bool:
    """Return whether what a part and a form of a word begin and end with allows that it is one."""
    whole = part.whole
    own = part.bare if form.is_bare else whole
    if own is None:
        return False
    limit = max(part.slack, min(whole.limit(mode), form.limit(mode) + 0.1))
    return _corners_close(own, form, mode, limit)
