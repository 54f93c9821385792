"""What a word of a text costs as a spelling of a word of a name. Single words and words cut into pieces; order is `bot.names.find`."""

from functools import lru_cache

from bot.names.align import FAR, allowance, distance, weight
from bot.names.common_words import common_words
from bot.names.forms import ARTICLES, FUNCTION_WORDS, canon, forms, roots, trimmed
from bot.names.pattern import Token
from bot.names.phonemes import ABJAD, collapse, is_vowel
from bot.names.phonetic_key import skeletons
from bot.names.transliteration import mode, script, sound

#: What an ending costs that had to be taken off, what an initial costs, and the weights from which a word may be
#: cut into pieces or lose the ending of an adjective.
_ENDING, _INITIAL, _LEAST_CUT, _LEAST_ROOT = 0.05, 0.3, 3.2, 2.8
_CUT_END = 0.3  # what the end of a piece may cost that is no end within the whole


def word_cost(token: Token, word: str, *, alone: bool, slack: float) -> float:
    """Cost of one word of a text for one word of a name, FAR where it is none of its spellings.

    Args:
        token: the word of the name.
        word: the folded word of the text.
        alone: whether the name has no other words that bear it out.
        slack: what any word of this name may cost.
    """
    if token.text in (word, canon(word)):
        return 0.0
    if len(token.text) == 1 or len(word) == 1:
        same = (
            not alone
            and (token.given or len(token.text) == 1)
            and (word[0] == token.text[0] or (token.sound[:1] == sound(word)[:1] != ""))
        )
        return _INITIAL if same and word.isalpha() and token.text.isalpha() else FAR
    return _sound_cost(token.sound, token.script, word, alone=alone, slack=slack)


@lru_cache(maxsize=131072)
def _sound_cost(spoken: str, written: str, word: str, *, alone: bool, slack: float) -> float:
    if alone and word in common_words():
        return FAR
    compared = mode(written, script(word))
    least = FAR
    for form in forms(word):
        if alone and compared & ABJAD and not (_tellable(form.sound) and _tellable(spoken)):
            continue
        limit = max(slack, min(allowance(spoken, compared), allowance(form.sound, compared) + 0.1))
        if form.open:
            bare = trimmed(spoken)
            cost = (
                distance(bare, form.sound, compared, limit) + _ENDING
                if len(bare) >= (4 if alone else 3)
                else FAR
            )
        else:
            cost = distance(spoken, form.sound, compared, limit)
        if cost <= limit:
            least = min(least, cost)
    return least


def _tellable(spoken: str) -> bool:
    """Whether sounds, of which an abjad leaves the vowels out, say enough to be told from an everyday word."""
    return (
        len(spoken) > 3
        or sum(not is_vowel(symbol) and symbol not in "αων" for symbol in spoken) > 2
    )


@lru_cache(maxsize=131072)
def may_begin(spoken: str, written: str, word: str) -> bool:
    """Whether a word may be the first piece of a longer one: it sounds like the beginning of that one. No everyday word is a piece."""
    if weight(spoken) < _LEAST_CUT or word in FUNCTION_WORDS or word in common_words():
        return False
    piece = sound(word)
    wholes = skeletons(spoken)
    if not any(whole.startswith(first) for first in skeletons(piece) for whole in wholes):
        return False
    compared = mode(written, script(word))
    limit = 0.8 * allowance(spoken, compared) + _CUT_END
    lengths = range(max(1, len(piece) - 2), min(len(spoken), len(piece) + 2) + 1)
    return any(distance(spoken[:length], piece, compared, limit) <= limit for length in lengths)


@lru_cache(maxsize=65536)
def pieces_cost(spoken: str, written: str, pieces: tuple[str, ...]) -> float:
    """Cost of several words of a text that together may be one word, as an apostrophe or a space cuts it."""
    other = collapse(
        "".join(
            sound(piece) for index, piece in enumerate(pieces) if not index or piece not in ARTICLES
        )
    )
    if weight(spoken) < _LEAST_CUT or len(other) > 2 * len(spoken) or not other:
        return FAR
    if pieces[0] in FUNCTION_WORDS or pieces[-1] in FUNCTION_WORDS:
        return FAR
    compared = mode(written, script(pieces[0]))
    limit = (1.0 if len(pieces[0]) == 1 else 0.5) * allowance(spoken, compared)
    return distance(spoken, other, compared, limit)


@lru_cache(maxsize=16384)
def is_adjective(spoken: str, written: str, pieces: tuple[str, ...]) -> bool:
    """Whether a word, maybe cut by an apostrophe, is the Slavic adjective of a name, or the name that of the word: Khersonska, Kherson."""
    compared = mode(written, script(pieces[0]))
    other_roots = roots(collapse("".join(map(sound, pieces))))
    for one in roots(spoken):
        limit = allowance(one, compared)
        if weight(one) >= _LEAST_ROOT and any(
            distance(one, other, compared, limit) <= limit for other in other_roots
        ):
            return True
    return False
