"""Costs of words of a text as spellings of a word of a name. Word order is left to `find`."""

from bot.names.common_words import common_words
from bot.names.edit_distance import NO_MATCH, distance, max_distance, phonetic_weight
from bot.names.forms import (
    ARTICLES,
    FUNCTION_WORDS,
    PREFIXING,
    adjective_roots,
    canonical,
    without_article,
    without_final_vowels,
    word_forms,
)
from bot.names.known_spellings import known_spellings, spelling_in
from bot.names.other_words import is_inflected, is_other_word
from bot.names.pattern import NameToken
from bot.names.phonemes import ABJAD, collapse_repeats, is_vowel, join_phonemes
from bot.names.phonetic_key import skeletons
from bot.names.transliteration import comparison_mode, script, transcribe
from bot.text.word_cache import word_cache

_STEMMING_COST = 0.05  # of a case ending that was removed
_KNOWN_COST = 0.05  # of another usual spelling
_INITIAL_COST = 0.3  # of an initial instead of a given name
_MIN_SPLIT_WEIGHT = 3.2  # phonetic weight of a word that may be split into pieces
_MIN_ROOT_WEIGHT = 2.8  # phonetic weight of the root of an adjective
_PIECE_END_COST = 0.3  # of the end of a piece that is no end of the whole word


def word_cost(
    token: NameToken,
    word: str,
    *,
    alone: bool,
    slack: float,
    language: str = "",
    known: bool = False,
) -> float:
    """Return the cost of a word of a text for a word of a name, NO_MATCH for none of its spellings.

    Args:
        token: the word of the name.
        word: the folded word of the text.
        alone: whether the name has no other words to confirm a match.
        slack: the cost that any word of this name may have.
        language: of the text.
        known: whether the usual names of the place in this language are known.
    """
    if token.text in (word, canonical(word)):
        return 0.0
    if word in known_spellings(token.text) or word == spelling_in(token.text, language):
        return _KNOWN_COST
    if len(token.text) == 1 or len(word) == 1:
        is_initial = (
            not alone
            and (token.may_be_initial or len(token.text) == 1)
            and (word[0] == token.text[0] or (token.phonemes[:1] == transcribe(word)[:1] != ""))
        )
        return _INITIAL_COST if is_initial and word.isalpha() and token.text.isalpha() else NO_MATCH
    if language and is_inflected(token.text, word, language):
        return _STEMMING_COST
    cost, form = phonetic_cost(token.phonemes, token.script, word, alone=alone, slack=slack)
    if cost == NO_MATCH:
        return cost
    if form != word and language not in PREFIXING and form != without_article(word):
        return NO_MATCH
    if any(
        is_other_word(token.text, variant, cost, alone=alone, language=language, known=known)
        for variant in {word, form}
    ):
        return NO_MATCH
    return cost


@word_cache(131072)
def phonetic_cost(
    phonemes: str, name_script: str, word: str, *, alone: bool, slack: float
) -> tuple[float, str]:
    """Return the least cost of a word, and it without the prefixes that had to be removed."""
    if alone and word in common_words():
        return NO_MATCH, word
    mode = comparison_mode(name_script, script(word))
    least, least_form = NO_MATCH, word
    for form in word_forms(word):
        if (
            alone
            and mode & ABJAD
            and not (_is_distinctive(form.phonemes) and _is_distinctive(phonemes))
        ):
            continue
        limit = max(
            slack, min(max_distance(phonemes, mode), max_distance(form.phonemes, mode) + 0.1)
        )
        if form.stemmed:
            bare = without_final_vowels(phonemes)
            cost = (
                distance(bare, form.phonemes, mode, limit) + _STEMMING_COST
                if len(bare) >= (4 if alone else 3)
                else NO_MATCH
            )
        else:
            cost = distance(phonemes, form.phonemes, mode, limit)
        if cost <= limit and cost < least:
            least, least_form = cost, form.text
    return least, least_form


def _is_distinctive(phonemes: str) -> bool:
    """Whether a word without vowels is long enough not to be taken for a common word."""
    return (
        len(phonemes) > 3
        or sum(not is_vowel(symbol) and symbol not in "αων" for symbol in phonemes) > 2
    )


@word_cache(131072)
def may_be_first_piece(phonemes: str, name_script: str, word: str) -> bool:
    """Whether a word may be the first piece of a split name. Common words are no pieces."""
    if (
        phonetic_weight(phonemes) < _MIN_SPLIT_WEIGHT
        or word in FUNCTION_WORDS
        or word in common_words()
    ):
        return False
    piece = transcribe(word)
    starts = skeletons(piece)
    if not any(skeleton.startswith(starts) for skeleton in skeletons(phonemes)):
        return False
    mode = comparison_mode(name_script, script(word))
    limit = 0.8 * max_distance(phonemes, mode) + _PIECE_END_COST
    lengths = range(max(1, len(piece) - 2), min(len(phonemes), len(piece) + 2) + 1)
    return any(distance(phonemes[:length], piece, mode, limit) <= limit for length in lengths)


def pieces_sound(pieces: tuple[str, ...]) -> str:
    """Return the phonemes of words of a text together, without articles behind the first."""
    joined = transcribe(pieces[0])
    for piece in pieces[1:]:
        if piece not in ARTICLES:
            joined = join_phonemes(joined, transcribe(piece))
    return joined


@word_cache(65536)
def pieces_cost(phonemes: str, name_script: str, pieces: tuple[str, ...]) -> float:
    """Return the cost of several words of a text for one word of a name."""
    joined = pieces_sound(pieces)
    if (
        phonetic_weight(phonemes) < _MIN_SPLIT_WEIGHT
        or len(joined) > 2 * len(phonemes)
        or not joined
    ):
        return NO_MATCH
    if pieces[0] in FUNCTION_WORDS or pieces[-1] in FUNCTION_WORDS:
        return NO_MATCH
    mode = comparison_mode(name_script, script(pieces[0]))
    limit = (1.0 if len(pieces[0]) == 1 else 0.5) * max_distance(phonemes, mode)
    return distance(phonemes, joined, mode, limit)


@word_cache(16384)
def share_adjective_root(phonemes: str, name_script: str, pieces: tuple[str, ...]) -> bool:
    """Whether a name and a word have one root as Slavic adjectives: Khersonska, Kherson.

    Args:
        phonemes: the word of the name.
        name_script: its script.
        pieces: the word of the text, in pieces where an apostrophe splits it.
    """
    mode = comparison_mode(name_script, script(pieces[0]))
    word_roots = adjective_roots(collapse_repeats("".join(map(transcribe, pieces))))
    for root in adjective_roots(phonemes):
        limit = max_distance(root, mode)
        if phonetic_weight(root) >= _MIN_ROOT_WEIGHT and any(
            distance(root, word_root, mode, limit) <= limit for word_root in word_roots
        ):
            return True
    return False
