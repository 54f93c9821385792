"""Where a name stands in the words of a text. Pure; which texts are worth asking is `bot.names.keys`."""

from collections.abc import Sequence
from functools import lru_cache

from bot.names.align import FAR, allowance, distance
from bot.names.chinese import pinyin, reading, simple
from bot.names.compare import is_adjective, may_begin, pieces_cost, word_cost
from bot.names.forms import (
    ADJECTIVE_ENDINGS,
    ARTICLES,
    JOINTS,
    KINDS,
    PARTICLES,
    TITLES,
    bases,
    is_patronymic,
    same_case_forms,
    stem,
)
from bot.names.gazetteer import is_other_country
from bot.names.pattern import Exact, NamePattern, Token
from bot.names.phonemes import SYLLABIC, collapse
from bot.names.phonetic_key import opening_keys, word_keys
from bot.names.transliteration import HAN, HEBREW, KANA, in_run, script, sound

#: Words of a text that may be one word of the name, and fillers that may stand within a name.
_PIECES, _FILLERS = 3, 3
#: Characters of a run that are read for one name.
_RUN_LONGEST = 20
#: A text of so few words is a label, such as a full name: words may stand between those of the name.
_LABEL = 6


def find(pattern: NamePattern, words: Sequence[str]) -> list[tuple[int, int]]:
    """Half-open ranges of the word indices where the name stands, leftmost first, not overlapping.

    Args:
        pattern: the compiled name.
        words: the folded words of a text in order; an empty one is a wall that no name crosses.
    """
    keys = pattern.keys
    found: list[tuple[int, int]] = []
    for place, word in enumerate(words):
        if word and not keys.isdisjoint(word_keys(word)):
            span = _at(pattern, words, place)
            if span is not None:
                found.append(span)
    if len(found) > 1:
        found.sort(key=lambda span: (span[0], -span[1]))
    kept: list[tuple[int, int]] = []
    for start, end in found:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def may_stand(pattern: NamePattern, word: str) -> bool:
    """Whether a text can hold the name for having this word; no text does that has no such word. For an index, which asks once for a word."""
    if pattern.keys.isdisjoint(word_keys(word)):
        return False
    if any(base in pattern.exact for base in bases(word)):
        return True
    if in_run(word):
        return (
            not pattern.starts.isdisjoint(opening_keys(word)) or pinyin(word) in pattern.syllables
        )
    if pattern.anchors.isdisjoint(word_keys(word)):
        return False
    if pattern.kind or script(word) == HEBREW:
        return True
    tokens = pattern.orders[0]
    walk = _Walk(pattern, tokens, (word,), label=False)
    needed = [token for token in tokens if not token.optional and len(token.text) > 1]
    if any(
        word_cost(token, word, alone=walk.alone, slack=walk.slack) < FAR
        or may_begin(token.sound, token.script, word)
        for token in needed
    ):
        return True
    return len(tokens) > 1 and word_cost(_whole(pattern), word, alone=True, slack=0.0) < FAR


def _at(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    """The name as it stands around one word that may be its anchor."""
    word = words[place]
    for base in bases(word):
        for spelling in pattern.exact.get(base, ()):
            start = place - spelling.anchor
            if start >= 0 and _stands(spelling, words, start):
                return start, start + len(spelling.words)
    if in_run(word):
        span = _run(pattern, words, place)
    elif pattern.anchors.isdisjoint(word_keys(word)):
        return None
    else:
        span = _by_sound(pattern, words, place)
        if (
            span is None
            and place
            and len(words[place - 1]) == 1
            and script(words[place - 1]) == HEBREW
        ):  # צ'רנוביץ: cut by the geresh
            span = _by_sound(pattern, words, place - 1)
    if (
        span is not None
        and span[1] - span[0] == 1
        and is_other_country(words[span[0]], pattern.place)
    ):
        return None
    return _with_kind(pattern.kind, words, *span) if span is not None and pattern.kind else span


def _stands(spelling: Exact, words: Sequence[str], start: int) -> bool:
    if start + len(spelling.words) > len(words):
        return False
    for offset, wanted in enumerate(spelling.words):
        word = simple(words[start + offset])
        if wanted == word:
            continue
        if offset != spelling.anchor and (len(wanted) < 5 or stem(wanted) != stem(word)):
            return False
        if not same_case_forms(wanted, word):
            return False
    return True


def _with_kind(kind: str, words: Sequence[str], start: int, end: int) -> tuple[int, int] | None:
    """The range with the word for the kind of place, where it stands beside it."""
    before = start - 1
    while before > 0 and (words[before] in JOINTS or words[before] in ARTICLES):
        before -= 1
    if before >= 0 and KINDS.get(words[before]) == kind:
        return before, end
    return (start, end + 1) if end < len(words) and KINDS.get(words[end]) == kind else None


def _run(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    """A rendering in characters that begins here, or a Chinese name by its syllables."""
    many = len(pattern.syllables)
    if many:
        start = place - max(range(many), key=lambda index: len(pattern.syllables[index]))
        if (
            start >= 0
            and start + many <= len(words)
            and all(
                pinyin(words[start + at]) == wanted for at, wanted in enumerate(pattern.syllables)
            )
        ):
            return start, start + many
    if pattern.starts.isdisjoint(opening_keys(words[place])):
        return None
    spoken, best, end = "", allowance(pattern.glued, SYLLABIC), place
    for index in range(place, min(place + _RUN_LONGEST, len(words))):
        word = words[index]
        piece = (
            reading(word) if script(word) == HAN else sound(word) if script(word) == KANA else ""
        )
        if not piece and word != "ー":
            break
        spoken = collapse(spoken + piece)
        cost = distance(pattern.glued, spoken, SYLLABIC, best)
        if cost < best:
            best, end = cost, index + 1
    return (place, end) if end - place > 2 else None


def _by_sound(pattern: NamePattern, words: Sequence[str], place: int) -> tuple[int, int] | None:
    """The words of the name in any of their orders, one of them at one place of the text; or all of them as one word."""
    label = len(words) <= _LABEL and "" not in words
    for tokens in pattern.orders:
        span = _Walk(pattern, tokens, words, label=label).around(place)
        if span is not None:
            return span
    if (
        len(pattern.orders[0]) > 1
        and all(len(token.text) > 1 for token in pattern.orders[0])
        and word_cost(_whole(pattern), words[place], alone=True, slack=0.0) < FAR
    ):
        return place, place + 1
    return None


def _whole(pattern: NamePattern) -> Token:
    tokens = pattern.orders[0]
    return Token("".join(token.text for token in tokens), pattern.glued, tokens[0].script)


@lru_cache(maxsize=16384)
def _is_filler(word: str) -> bool:
    """Whether a word may stand within a name that was asked for without it."""
    return (
        word in ARTICLES
        or word in PARTICLES
        or word in TITLES
        or is_patronymic(word)
        or (len(word) == 1 and word.isalpha() and not in_run(word))
    )


class _Walk:
    """One order of a name against one text: from an anchor to the left and to the right, as long as the cost allows."""

    __slots__ = ("alone", "filled", "kind", "label", "limit", "omitted", "slack", "tokens", "words")

    def __init__(
        self, pattern: NamePattern, tokens: tuple[Token, ...], words: Sequence[str], *, label: bool
    ) -> None:
        self.tokens, self.words, self.kind, self.label = tokens, words, pattern.kind, label
        self.alone = sum(not token.optional for token in tokens) == 1
        self.limit = FAR if self.alone else allowance(pattern.glued, 0)
        self.slack = 0.0 if self.alone else 0.5 * self.limit
        self.omitted = self.filled = (
            False  # a middle name that one of the two has, and another that the other has: two persons
        )

    def around(self, place: int) -> tuple[int, int] | None:
        """The range of the name with one of its words at this place."""
        for index, token in enumerate(self.tokens):
            if token.optional or len(token.text) == 1:
                continue
            self.omitted = self.filled = False
            step = self._take(token, place, 1)
            left = step and self._side(self.tokens[:index][::-1], place - 1, -1, step[1])
            right = left and step and self._side(self.tokens[index + 1 :], step[0], 1, left[1])
            if left and right and right[1] <= self.limit and not (self.omitted and self.filled):
                return left[0] + 1, right[0]
        return None

    def _side(
        self, tokens: tuple[Token, ...], at: int, step: int, cost: float
    ) -> tuple[int, float] | None:
        """Index beyond the last word taken and the cost so far; None where these tokens do not stand there."""
        fillers = 0
        for token in tokens:
            taken = None
            ahead = at
            while taken is None and 0 <= ahead < len(self.words) and self.words[ahead]:
                taken = self._take(token, ahead, step)
                if taken is None:
                    if fillers >= _FILLERS or not (self.label or _is_filler(self.words[ahead])):
                        break
                    fillers += 1
                    ahead += step
            if taken is not None:
                self.filled |= ahead != at and any(
                    word not in ARTICLES and word not in PARTICLES
                    for word in self.words[at:ahead:step]
                )
                at, cost = taken[0], cost + taken[1]
            elif not token.optional:
                return None
            else:
                self.omitted |= token.text not in PARTICLES
        return at, cost

    def _take(self, token: Token, at: int, step: int) -> tuple[int, float] | None:
        """Index after the token in the direction of the step and its cost, for one word or for up to three that are its pieces."""
        word = self.words[at]
        cost = word_cost(token, word, alone=self.alone, slack=self.slack)
        if cost < FAR:
            return at + step, cost
        if self.kind:
            beyond = at + step
            cut = (
                (word, self.words[beyond])
                if step > 0 and beyond < len(self.words) and self.words[beyond] in ADJECTIVE_ENDINGS
                else ()
            )
            for pieces in filter(None, (cut, (word,))):
                if is_adjective(token.sound, token.script, pieces):
                    return at + step * len(pieces), 0.1
        cut_up = [word]
        for more in range(
            1, _PIECES if step < 0 or may_begin(token.sound, token.script, word) else 1
        ):
            beyond = at + step * more
            if (
                not 0 <= beyond < len(self.words)
                or not self.words[beyond]
                or in_run(self.words[beyond])
            ):
                break
            cut_up.append(self.words[beyond])
            cost = pieces_cost(token.sound, token.script, tuple(cut_up[::step]))
            if cost < FAR:
                return beyond + step, cost
        return None
