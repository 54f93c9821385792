"""Whether two phoneme strings hold too different sounds to be close: one addition of integers.

A bound of the edit distance from below, by what the strings hold and not in which order. Not the
distance.

For a group of phonemes, a symbol that is surely of the group holds as much as a gap in its place
costs at least; any symbol may pass for as much of the group as the cost of putting it there leaves.
So what one string holds of a group for sure exceeds what the other may hold of it by their distance
at most: a substitution costs at least the difference of its two symbols, a gap at least what its
symbol holds. The sums of all groups are the digits of one integer, in hundredths of a consonant.
"""

from functools import cache
from math import ceil, floor

from bot.names.edit_distance import least_gaps
from bot.names.phonemes import PHONEMES, VOWELS, readings_of, substitution_costs

_VOWELS = "".join(sorted(VOWELS)) + "yw"
#: Phonemes of one group are confused more than those of two.
_GROUPS = (
    "pbfvw",
    "m",
    "n",
    "td",
    "szSZCJc",
    "kgx",
    "r",
    "l",
    "h",
    _VOWELS,
    "".join(phoneme for phoneme in PHONEMES if phoneme not in _VOWELS and phoneme != "h"),
    "0123456789",
)
_BITS = 24  # of a sum: enough for 27,000 digits, which cost most
_HALF = _BITS * len(
    _GROUPS
)  # what is too much of a name is below, what is too much of a text above
_ONES = sum(1 << (_BITS * place) for place in range(2 * len(_GROUPS)))
#: The bits of a sum that are set where nothing is too much, and those of what a text has too much.
ALL = _ONES << (_BITS - 1)
OF_TEXT = ALL >> _HALF << _HALF
OF_TEXT_ALONE = ALL >> _HALF  #: the latter of what `of_text` returns
_LOWER_HALF = (1 << _HALF) - 1
_UNIT = 100  # hundredths
_MOST = 1000  # of a limit, in these


def allowance(phonemes: str, mode: int, limit: float) -> int:
    """Return what a name allows a text to hold that is within a distance.

    With the `content` of a text added, all bits of ALL are set if the text may be so close, and
    those of OF_TEXT if the text may be the beginning of one that is.
    """
    table = _tables(mode)[0]
    return sum(map(table.__getitem__, phonemes)) + ALL + STEPS[steps(limit)]


def content(phonemes: str, mode: int) -> int:
    """Return what a text holds."""
    table = _tables(mode)[1]
    return sum(map(table.__getitem__, phonemes))


def between(shortest: int, longest: int) -> int:
    """Return what any text holds of which one is the beginning, and that is one of another."""
    passing = shortest & _LOWER_HALF
    return (longest & _LOWER_HALF) - (passing - shortest)


def of_text(amounts: int) -> int:
    """Return what a text has too much, of an allowance or a content: half as long."""
    return amounts >> _HALF


def steps(limit: float) -> int:
    """Return a limit of distances as an index of `STEPS`, the difference of allowances."""
    return min(floor(limit * _UNIT) + 1, _MOST)


#: What allowances of the same name differ by, of each limit.
STEPS = tuple(number * _ONES for number in range(_MOST + 1))


@cache
def _tables(mode: int) -> tuple[dict[str, int], dict[str, int]]:
    """What each symbol adds to an allowance, and to a content."""
    gaps = least_gaps(mode)
    allowances, contents = dict.fromkeys(gaps, 0), dict.fromkeys(gaps, 0)
    for place, group in enumerate(_GROUPS):
        held, passing = _amounts(group, mode)
        low = _BITS * place
        for symbol in gaps:
            allowances[symbol] += (passing[symbol] << (low + _HALF)) - (held[symbol] << low)
            contents[symbol] += (passing[symbol] << low) - (held[symbol] << (low + _HALF))
    return allowances, contents


def _amounts(group: str, mode: int) -> tuple[dict[str, int], dict[str, int]]:
    """What each symbol holds of a group for sure, and what it may hold."""
    gaps, costs = least_gaps(mode), substitution_costs(mode)
    members = [
        symbol for symbol in gaps if all(reading in group for reading, _ in readings_of(symbol))
    ]
    held = dict.fromkeys(gaps, 0)
    held.update((symbol, floor(round(_UNIT * gaps[symbol], 6))) for symbol in members)
    passing = dict(held)  # equal strings have no distance, whatever their symbols cost
    for symbol in gaps:
        for member in members:
            left = ceil(round(held[member] - _UNIT * costs[member + symbol], 6))
            passing[symbol] = max(passing[symbol], left)
    return held, passing
