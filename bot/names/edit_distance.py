"""Weighted edit distance of two phoneme strings, and its threshold. No words, no texts."""

from functools import cache, lru_cache

from bot.names.phonemes import (
    ABJAD,
    MAY_BE_SILENT,
    PLAIN,
    costs_of_symbol,
    gap_costs,
    is_vowel,
    substitution_costs,
)
from bot.text.word_cache import word_cache

_ABJAD_EDGE = 0.2  # of a vowel at either end that a script without vowels lacks
_CORNERS = 1 << 15  # remembered costs of two symbols each: of texts of all languages 20,000 or so
#: Distance of strings that do not match; more than any threshold.
NO_MATCH = 99.0


@word_cache(65536)
def distance(phonemes: str, other: str, mode: int, bound: float) -> float:
    """Return the weighted edit distance of two phoneme strings, NO_MATCH where it exceeds `bound`.

    The unit is one consonant. A substitution of the first symbol costs half as much again. Where
    vowels are written, a vowel that is missing at either end costs more: Iran and ran, Ivanov and
    Ivanova.

    Args:
        phonemes: the first string.
        other: the second string.
        mode: PLAIN, or a sum of ABJAD and SYLLABIC.
        bound: the distance above which the exact value is of no interest.
    """
    if phonemes == other:
        return 0.0
    gaps = gap_costs(mode)
    insertions = [gaps[symbol] for symbol in other]
    cost, row = 0.0, [0.0]
    for column, insertion in enumerate(insertions):
        cost += insertion if column else insertion + _edge_cost(other[0], mode)
        row.append(cost)
    last_index = len(phonemes) - 1
    for index, symbol in enumerate(phonemes):
        deletion = gaps[symbol]
        if index == 0 or (index == last_index and mode == PLAIN):
            deletion += _edge_cost(symbol, mode)
        if index == last_index and mode == PLAIN and other:
            insertions[-1] = gaps[other[-1]] + _edge_cost(other[-1], mode)
        substitutions = list(map(costs_of_symbol(symbol, mode).__getitem__, other))
        if index == 0 and other:
            substitutions[0] *= 1.5
        row = _next_row(row, deletion, insertions, substitutions)
        if min(row) > bound:
            return NO_MATCH
    return row[-1] if row[-1] <= bound else NO_MATCH


def _next_row(
    row: list[float], deletion: float, insertions: list[float], substitutions: list[float]
) -> list[float]:
    """The costs of one more symbol and each beginning of the other string."""
    diagonal = row[0]
    cost = diagonal + deletion
    following = [cost]
    for above, insertion, substitution in zip(row[1:], insertions, substitutions, strict=True):
        cost += insertion
        diagonal += substitution
        if diagonal < cost:  # noqa: PLR1730 (a call costs more than all of it)
            cost = diagonal
        diagonal = above
        deleted = above + deletion
        if deleted < cost:  # noqa: PLR1730 (the same)
            cost = deleted
        following.append(cost)
    return following


@lru_cache(maxsize=_CORNERS)
def start_cost(start: str, other: str, mode: int) -> float:
    """Return a lower bound of the distance of two phoneme strings by their first two symbols.

    Of strings of three symbols or more: no symbol here is the last one.
    """
    return _least_cost(start, other, mode, at_end=False)


@lru_cache(maxsize=_CORNERS)
def end_cost(end: str, other: str, mode: int) -> float:
    """Return a lower bound of the distance of two phoneme strings by their last two symbols.

    To be added to `start_cost` where both strings have four symbols or more.

    Args:
        end: the last two symbols of the first string, the last one first.
        other: the same of the second string.
        mode: as for `distance`.
    """
    return _least_cost(end, other, mode, at_end=True)


@cache
def least_gaps(mode: int) -> dict[str, float]:
    """Return the least cost of a gap in the place of each symbol, wherever it stands."""
    gaps = gap_costs(mode)
    return {symbol: gaps[symbol] + min(0.0, _edge_cost(symbol, mode)) for symbol in gaps}


@cache
def first_costs(mode: int) -> dict[str, float]:
    """Return a lower bound of `start_cost` by the first symbols alone, by the pair as a string."""
    gaps = _outer_gaps(mode, at_end=False)
    return {
        pair: min(1.5 * cost, gaps[pair[0]], gaps[pair[1]])
        for pair, cost in substitution_costs(mode).items()
    }


def _least_cost(symbols: str, others: str, mode: int, *, at_end: bool) -> float:
    """The least cost of what leads out of the corner of two strings of two symbols each."""
    costs, gaps, outer = substitution_costs(mode), gap_costs(mode), _outer_gaps(mode, at_end=at_end)
    first, second, other, another = symbols[0], symbols[1], others[0], others[1]
    gap, other_gap, second_gap, another_gap = (
        outer[first],
        outer[other],
        gaps[second],
        gaps[another],
    )
    row = other_gap + another_gap
    substitution = costs[first + other] * (1.0 if at_end else 1.5)
    inner = min(substitution, other_gap + gap, gap + gaps[other])
    through_another = min(other_gap + costs[first + another], row + gap, inner + another_gap)
    column = gap + second_gap
    through_second = min(gap + costs[second + other], inner + second_gap, column + gaps[other])
    last = min(
        inner + costs[second + another], through_another + second_gap, through_second + another_gap
    )
    return min(row, through_another, column, through_second, last)


@cache
def _outer_gaps(mode: int, *, at_end: bool) -> dict[str, float]:
    """Costs of a gap that is the first or the last of a string."""
    gaps = gap_costs(mode)
    if mode != PLAIN and at_end:
        return gaps
    return {symbol: gap + _edge_cost(symbol, mode) for symbol, gap in gaps.items()}


def _edge_cost(symbol: str, mode: int) -> float:
    """Additional cost of a gap at either end of a name."""
    if not is_vowel(symbol):
        return 0.0
    if mode != PLAIN:  # the first vowel is always written, and so is a last one that is spoken
        return _ABJAD_EDGE if mode == ABJAD and symbol in "aeiou" else 0.0
    if symbol in "eε":  # a final e is often mute, as in French
        return -0.15
    return 0.4 if symbol in "iMη" else 0.25  # Israeli, Omani


@word_cache(65536)
def phonetic_weight(phonemes: str) -> float:
    """Return how distinctive a phoneme string is: 1 for each consonant, less for other symbols."""
    return sum(
        0.4 if is_vowel(symbol) else 0.5 if symbol in MAY_BE_SILENT else 1.0 for symbol in phonemes
    )


@word_cache(65536)
def _abjad_weight(phonemes: str) -> float:
    """The same for scripts that omit vowels."""
    return sum(
        0.15 if is_vowel(symbol) else 0.3 if symbol in MAY_BE_SILENT or symbol in "αν" else 1.0
        for symbol in phonemes
    )


def max_distance(phonemes: str, mode: int) -> float:
    """Return the threshold for spellings of a name: close to 0 for short names."""
    if mode & ABJAD:
        return min(max(0.18 * (_abjad_weight(phonemes) - 1.8), 0.02), 0.9)
    weight = phonetic_weight(phonemes)
    if weight < 3.3:
        return 0.11 if weight >= 2.5 else 0.08
    return min(0.18 * (weight - 1.6), 1.1) if mode else min(0.21 * (weight - 2.1), 1.1)
