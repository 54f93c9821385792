"""Alignment of the words of a name with the words of a text, outwards from an anchor. No index."""

from collections.abc import Sequence

from bot.names.compare import may_be_first_piece, pieces_cost, share_adjective_root, word_cost
from bot.names.context import NameContext
from bot.names.edit_distance import NO_MATCH, max_distance
from bot.names.forms import ADJECTIVE_ENDINGS, ARTICLES, PARTICLES, TITLES, is_patronymic
from bot.names.pattern import NamePattern, NameToken
from bot.names.phonemes import PLAIN
from bot.names.transliteration import is_unspaced_character
from bot.text.word_cache import word_cache

MAX_PIECES = 3  # words of a text that may together be one word of the name
MAX_FILLERS = 3  # other words between two words of the name
_ADJECTIVE_COST = 0.1


@word_cache(16384)
def is_filler(word: str) -> bool:
    """Return whether a word may stand within a name that does not contain it."""
    return (
        word in ARTICLES
        or word in PARTICLES
        or word in TITLES
        or is_patronymic(word)
        or (len(word) == 1 and word.isalpha() and not is_unspaced_character(word))
    )


class Alignment:
    """Aligns one order of the words of a name with a text, outwards from an anchor."""

    __slots__ = (
        "alone",
        "context",
        "has_filler",
        "has_omission",
        "known",
        "limit",
        "place_kind",
        "slack",
        "tokens",
        "words",
    )

    def __init__(
        self,
        pattern: NamePattern,
        tokens: tuple[NameToken, ...],
        words: Sequence[str],
        context: NameContext,
    ) -> None:
        self.tokens, self.words, self.context = tokens, words, context
        self.place_kind = pattern.place_kind
        self.known = context.language in pattern.known_languages
        self.alone = sum(not token.optional for token in tokens) == 1
        self.limit = NO_MATCH if self.alone else max_distance(pattern.joined_phonemes, PLAIN)
        self.slack = 0.0 if self.alone else 0.5 * self.limit
        # An omitted middle name and another one in its place: two persons.
        self.has_omission = self.has_filler = False

    def align_at(self, index: int) -> tuple[int, int] | None:
        """Return the range of the name with one of its words at this index."""
        for position, token in enumerate(self.tokens):
            if token.optional or len(token.text) == 1:
                continue
            self.has_omission = self.has_filler = False
            anchor = self._align_token(token, index, 1)
            if anchor is None:
                continue
            left = self._align_side(self.tokens[:position][::-1], index - 1, -1, anchor[1])
            if left is None:
                continue
            right = self._align_side(self.tokens[position + 1 :], anchor[0], 1, left[1])
            if (
                right is not None
                and right[1] <= self.limit
                and not (self.has_omission and self.has_filler)
            ):
                return left[0] + 1, right[0]
        return None

    def _align_side(
        self, tokens: tuple[NameToken, ...], index: int, step: int, cost: float
    ) -> tuple[int, float] | None:
        """Align the tokens on one side of the anchor.

        Args:
            tokens: the tokens, the nearest to the anchor first.
            index: where the nearest is expected.
            step: 1 to the right, -1 to the left.
            cost: the cost of what is aligned already.

        Returns:
            The index beyond the last word and the cost, None where a required token is missing.
        """
        fillers = 0
        for token in tokens:
            aligned = None
            ahead = index
            while aligned is None and 0 <= ahead < len(self.words) and self.words[ahead]:
                aligned = self._align_token(token, ahead, step)
                if aligned is None:
                    if fillers >= MAX_FILLERS or not is_filler(self.words[ahead]):
                        break
                    fillers += 1
                    ahead += step
            if aligned is not None:
                self.has_filler |= ahead != index and any(
                    word not in ARTICLES and word not in PARTICLES
                    for word in self.words[index:ahead:step]
                )
                index, cost = aligned[0], cost + aligned[1]
            elif not token.optional:
                return None
            else:
                self.has_omission |= token.text not in PARTICLES
        return index, cost

    def _align_token(self, token: NameToken, index: int, step: int) -> tuple[int, float] | None:
        """Return the index beyond the word or words of a token, and their cost; None for none."""
        word = self.words[index]
        is_small = index in self.context.small
        if is_small and not self.place_kind and (self.alone or word != token.text):
            return None
        cost = word_cost(
            token,
            word,
            alone=self.alone,
            slack=self.slack,
            language=self.context.language,
            known=self.known,
        )
        if cost < NO_MATCH:
            return index + step, cost
        if self.place_kind:
            count = self._count_adjective_words(token, index, step)
            if count:
                return index + step * count, _ADJECTIVE_COST
        return self._align_pieces(token, index, step)

    def _count_adjective_words(self, token: NameToken, index: int, step: int) -> int:
        """Number of words that are the adjective of a place: two where its ending is split off."""
        word, beyond = self.words[index], index + step
        if step > 0 and beyond < len(self.words) and self.words[beyond] in ADJECTIVE_ENDINGS:
            pieces = (word, self.words[beyond])
            if share_adjective_root(token.phonemes, token.script, pieces):
                return 2
        return int(share_adjective_root(token.phonemes, token.script, (word,)))

    def _align_pieces(self, token: NameToken, index: int, step: int) -> tuple[int, float] | None:
        """Align several words that are the pieces of one token."""
        pieces = [self.words[index]]
        may_split = step < 0 or may_be_first_piece(token.phonemes, token.script, pieces[0])
        for count in range(1, MAX_PIECES if may_split else 1):
            beyond = index + step * count
            if (
                not 0 <= beyond < len(self.words)
                or not self.words[beyond]
                or is_unspaced_character(self.words[beyond])
            ):
                break
            pieces.append(self.words[beyond])
            cost = pieces_cost(token.phonemes, token.script, tuple(pieces[::step]))
            if cost < NO_MATCH:
                return beyond + step, cost
        return None
