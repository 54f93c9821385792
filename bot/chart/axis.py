"""Which days and counts of a chart get a label, and its text: digits only, in no language.

No drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

EACH = 14  #: days up to which each one is labelled, its numbers beside it
_REGULAR = 35  # days up to which every third to fifth is labelled, the last one among them
_WEEKLY = 100  # days up to which Mondays are; months after that
_MOST = 14  # labels that fit side by side
_LEVELS = 4  # lines of the scale above 0


@dataclass(frozen=True, slots=True)
class Tick:
    """A label under a day."""

    day: date
    label: str  #: the day of the month, or the month
    under: str  #: the month, or the year, where a new one begins; else empty


def each(days: Sequence[date]) -> bool:
    """Return whether each day has enough space for a label and its numbers."""
    return bool(days) and _span(days) <= EACH


def ticks(days: Sequence[date]) -> list[Tick]:
    """Return the days to label, 14 at most; `days` are in order.

    Of up to 14 days each, of up to 35 about seven, of up to 100 the Mondays, of more the first
    days of months.
    """
    if not days:
        return []
    monthly = _span(days) > _WEEKLY
    if _span(days) <= _REGULAR:
        step = 1 if each(days) else -(-_span(days) // 7)
        chosen = [*reversed(days[::-step])]
    else:
        starts = [day for day in days if (day.day == 1 if monthly else day.weekday() == 0)] or [
            days[0]
        ]
        chosen = starts[:: -(-len(starts) // _MOST)]
    small, large = ("%m", "%Y") if monthly else ("%d", "%Y-%m")
    names = [format(day, large) for day in chosen]
    return [
        Tick(day, format(day, small), name if not number or name != names[number - 1] else "")
        for number, (day, name) in enumerate(zip(chosen, names, strict=True))
    ]


def levels(highest: float) -> list[int]:
    """Return the counts at which a scale from 0 to `highest` has lines: five at most, round."""
    unit = 1
    while True:
        for step in (unit, 2 * unit, 5 * unit):
            if step * _LEVELS >= highest:
                return list(range(0, int(highest) + 1, step))
        unit *= 10


def brief(count: int) -> str:
    """Return a count in at most four characters, rounded down: 950, 3.5k, 12k, 3M."""
    for unit, letter in ((1_000_000, "M"), (1000, "k")):
        if count >= unit:
            tenth = count * 10 // unit % 10
            return f"{count // unit}{f'.{tenth}' if tenth and count < 10 * unit else ''}{letter}"
    return str(count)


def _span(days: Sequence[date]) -> int:
    return (days[-1] - days[0]).days + 1
