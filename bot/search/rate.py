"""How many messages to expect, from how many came: a mean and a range. Not what came, nor when.

Counts of news are wider spread than chance alone would have them: stories come in storylines, and
no day is like another. So the range is that of a negative binomial distribution, the mixture of
Poisson counts over rates that are not known well (a gamma distribution) and vary. No I/O, no clock.
"""

from dataclasses import dataclass
from math import exp, log1p

DAY_VARIATION = 0.25  #: how far the rate of a day is from that of others, as a share of it
UNSEEN_VARIATION = 0.5  #: further, for hours of the day of which nothing was seen yet
PROBABILITY = 0.9  #: with which the count is within the range
_UNCOUNTED = 0.3  # what may come of something that never came: half of them see one in three spans
_HIGHEST = 100_000  # count at which a range ends


@dataclass(frozen=True, slots=True)
class Range:
    """How many to expect in a span."""

    low: int
    high: int
    mean: float

    @property
    def middle(self) -> int:
        """Return the count to name where there is room for one."""
        return min(max(round(self.mean), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was counted, and over how long."""

    count: int  #: of those that were examined
    days: float  #: ordinary days that the count is of; see `coverage`
    step: int = 1  #: each counted one stands for so many
    #: how many of one storyline come on average where one comes, by weight; 1 or more
    cluster: float = 1.0


def expected(seen: Observation, days: float, unseen: float = 0.0) -> Range:
    """Return how many come in so many ordinary days; `unseen` is the share of hours never seen."""
    covered = max(seen.days, 1e-3)
    mean = (seen.step * seen.count + _UNCOUNTED) * days / covered
    cluster = max(1.0, seen.cluster)
    # Days are alike in part: what varies between two of them is not lost in their mean.
    between = DAY_VARIATION**2 * (0.5 + 0.5 / max(days, 0.5) + 1 / max(covered, 1.0))
    relative = between + cluster / (seen.count + 0.5 * cluster) + (UNSEEN_VARIATION * unseen) ** 2
    variance = mean * cluster + mean * mean * relative
    tail = (1 - PROBABILITY) / 2
    low, high = _quantiles(mean, variance, (tail, 1 - tail))
    return Range(low, high, mean)


def _quantiles(mean: float, variance: float, shares: tuple[float, float]) -> tuple[int, int]:
    """Return the counts at two shares of a negative binomial distribution."""
    size = mean * mean / (variance - mean)
    ratio = mean / (mean + size)
    likelihood = exp(-size * log1p(mean / size))
    found: list[int] = []
    total, count = likelihood, 0
    for share in shares:
        while total < share and count < _HIGHEST:
            likelihood *= ratio * (count + size) / (count + 1)
            count += 1
            total += likelihood
        found.append(count)
    return found[0], found[1]
