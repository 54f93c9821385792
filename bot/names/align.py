"""The weighted comparison of two sound strings. What it costs and what a name may cost; no words, no texts."""

from functools import lru_cache

from bot.names.phonemes import ABJAD, PLAIN, SILENT, gap, is_vowel, substitution

#: More than any name may cost.
FAR = 99.0


@lru_cache(maxsize=65536)
def distance(one: str, other: str, mode: int, bound: float) -> float:
    """Least cost of turning one sound string into the other, in consonants; FAR where it exceeds the bound.

    The first sound counts a half more, and so does a vowel more or less at either end where vowels
    are written: Iran and ran, Ivanov and Ivanova.
    """
    if one == other:
        return 0.0
    costs, gaps = substitution(mode), gap(mode)
    row = [0.0]
    for place, facing in enumerate(other):
        row.append(row[-1] + gaps[facing] + (_edge(facing, mode) if place == 0 else 0.0))
    last_other = len(other)
    for index, symbol in enumerate(one):
        missing = gaps[symbol] + (_edge(symbol, mode) if index in (0, len(one) - 1) else 0.0)
        before, here = row[0], row[0] + missing
        fresh = [here]
        least = here
        for place, facing in enumerate(other, 1):
            cost = costs[symbol + facing]
            if index == 0 and place == 1:
                cost *= 1.5
            extra = gaps[facing] + (
                _edge(facing, mode) if place == last_other and index == len(one) - 1 else 0.0
            )
            here = min(before + cost, row[place] + missing, here + extra)
            before = row[place]
            fresh.append(here)
            least = min(least, here)
        if least > bound:
            return FAR
        row = fresh
    return row[-1] if row[-1] <= bound else FAR


def _edge(symbol: str, mode: int) -> float:
    if mode != PLAIN or not is_vowel(symbol):
        return 0.0
    if symbol in "eε":  # the mute e of French is no ending
        return -0.15
    return 0.4 if symbol in "iMη" else 0.25  # Israeli, Omani


@lru_cache(maxsize=65536)
def weight(sound: str) -> float:
    """How much a sound string says: a consonant one, a vowel or a silent letter less."""
    return sum(0.4 if is_vowel(symbol) else 0.5 if symbol in SILENT else 1.0 for symbol in sound)


@lru_cache(maxsize=65536)
def _skeleton(sound: str) -> float:
    """The same where vowels are not written."""
    return sum(
        0.15 if is_vowel(symbol) else 0.3 if symbol in SILENT or symbol in "αν" else 1.0
        for symbol in sound
    )


def allowance(sound: str, mode: int) -> float:
    """What a spelling of a name may cost: nearly nothing for short ones."""
    if mode & ABJAD:
        return min(max(0.18 * (_skeleton(sound) - 1.8), 0.02), 0.9)
    heavy = weight(sound)
    if heavy < 3.3:
        return 0.11 if heavy >= 2.5 else 0.08
    return min(0.2 * (heavy - 1.6), 1.2) if mode else min(0.21 * (heavy - 2.1), 1.1)
