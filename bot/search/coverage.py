"""Which part of the past stored entries show, and how much news that part would ordinarily have.

A feed shows what came since it was first fetched, and before that its newest entries alone: each
feed's past begins at another time. So a span counts by the share of the feeds' news that it is
covered for, and by the hours of the day and the days of the week that it has. No I/O, no clock.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bot.model.archive import ArrivalFacts, FeedPast

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENOUGH = timedelta(hours=5)  #: covered time below which it is too early for a rate
#: news of a day of the weekend, as a share of that of a working day, until it is known better
WEEKEND = 0.7
_SHOWN = 3  # dated entries of a first fetch from which it shows a past
_EVEN = 2.2  # ratio of the 90th percentile to the median of ages in a document in order of time
_STEPS = 1_000  # that a period is divided into, at most
_SHORTEST_STEP = timedelta(minutes=10)
_HOUR_WEIGHT = 10.0  # entries that an hour of the day counts as usual before it is known better
_DAY_WEIGHT = 0.5  # the same for the weekend, in days


def begins(past: FeedPast, since: datetime, lag: timedelta) -> datetime:
    """Return from when on the stored entries of a feed are all that it had.

    A document in order of time goes back as far as it shows; in others what is old was chosen.
    """
    first = past.watched_since
    ages = sorted(first - date for date in past.shown if date <= first)
    if first <= since or len(ages) < max(_SHOWN, past.undated):
        return max(first, since)
    middle, far = ages[len(ages) // 2], ages[(9 * len(ages) - 1) // 10]
    span = far if far <= _EVEN * middle else middle
    # What was published and not yet shown when the feed was first fetched came later. The entry
    # that the span was measured by is not in it.
    return max(first - max(span - lag, span / 2) + timedelta.resolution, since)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the news of feeds is spread over the day and the week; 1 is the mean of a week."""

    hours: Sequence[float]
    weekend: float
    zone: tzinfo

    def at(self, moment: datetime) -> float:
        week = 7 / (5 + 2 * self.weekend)
        return self.hours[moment.astimezone(UTC).hour] * week * self._day(moment)

    def _day(self, moment: datetime) -> float:
        return self.weekend if is_weekend(moment, self.zone) else 1.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """The covered part of a period."""

    since: datetime  #: from when on most of the news is covered
    now: datetime
    starts: Mapping[str, datetime]  #: by address, from when on a feed's entries are all stored
    _steps: Sequence[tuple[datetime, timedelta, float]]  #: begin, length, covered share
    _shape: _Shape
    _seen_hours: frozenset[int]

    @classmethod
    def of(
        cls,
        pasts: Sequence[FeedPast],
        arrivals: ArrivalFacts,
        period: tuple[datetime, datetime],
        zone: tzinfo = UTC,
        selectors: Sequence[str] = (),
    ) -> "Coverage":
        """Return what feeds with any of these selectors cover of a period; all feeds if none."""
        since, now = period
        starts = {past.url: begins(past, since, arrivals.lag) for past in pasts}
        overall = _cover(pasts, starts, period)
        shape, seen = _shape(overall, _by_hour(pasts, starts, arrivals), zone)
        chosen = [
            past for past in pasts if not (selectors and past.selectors.isdisjoint(selectors))
        ]
        steps = _cover(chosen, starts, period)
        own = {past.url: starts[past.url] for past in chosen}
        return cls(_since(chosen, starts, now), now, own, steps, shape, seen)

    @property
    def span(self) -> timedelta:
        """Return the covered time: half of it where half of the news is covered."""
        return sum((length * share for _, length, share in self._steps), timedelta(0))

    @property
    def too_early(self) -> bool:
        """Return whether too little is covered for a rate."""
        return self.span < ENOUGH

    def days(self, publishers: int = 1) -> float:
        """Return the ordinary days that the covered part stands for.

        What so many publishers have to carry is seen where all of them are.
        """
        return sum(
            length / DAY * share**publishers * self._shape.at(begin + length / 2)
            for begin, length, share in self._steps
        )

    def days_to_come(self, span: timedelta) -> float:
        """Return the ordinary days that the time from now on stands for."""
        count = round(span / HOUR)
        return sum(self._shape.at(self.now + (number + 0.5) * HOUR) for number in range(count)) / 24

    @property
    def unseen(self) -> float:
        """Return the share of the hours of the day of which nothing is covered."""
        return 1 - len(self._seen_hours) / 24


def is_weekend(moment: datetime, zone: tzinfo) -> bool:
    """Return whether it is Saturday or Sunday there."""
    return moment.astimezone(zone).weekday() >= 5


def _cover(
    pasts: Sequence[FeedPast], starts: Mapping[str, datetime], period: tuple[datetime, datetime]
) -> list[tuple[datetime, timedelta, float]]:
    """Return the steps of a period, each with the share of the feeds' news that it shows."""
    since, now = period
    step = max((now - since) / _STEPS, _SHORTEST_STEP)
    weights = _weights(pasts, starts, now)
    begins_at = [start for start, _ in weights]
    sums = [0.0]
    for _, weight in weights:
        sums.append(sums[-1] + weight)
    steps: list[tuple[datetime, timedelta, float]] = []
    at = now
    while at > since and weights:
        length = min(step, at - since)
        at -= length
        share = sums[bisect_right(begins_at, at + length / 2)] / sums[-1]
        if not share:
            break
        steps.append((at, length, share))
    return steps[::-1]


def _since(pasts: Sequence[FeedPast], starts: Mapping[str, datetime], now: datetime) -> datetime:
    """Return from when on half of the feeds' news is covered; now where there are no feeds."""
    weights = _weights(pasts, starts, now)
    half, total = sum(weight for _, weight in weights) / 2, 0.0
    for start, weight in weights:
        total += weight
        if total >= half:
            return start
    return now


def _weights(
    pasts: Sequence[FeedPast], starts: Mapping[str, datetime], now: datetime
) -> list[tuple[datetime, float]]:
    """Return from when on each feed is covered, with its share of the news, the longest first."""
    weights = sorted((starts[past.url], _weight(past, starts[past.url], now)) for past in pasts)
    if any(weight for _, weight in weights):
        return weights
    return [(start, 1.0) for start, _ in weights]


def _weight(past: FeedPast, start: datetime, now: datetime) -> float:
    """Return a feed's entries an hour, as far as it is covered."""
    count = past.watched + sum(date >= start for date in past.shown)
    return count / max((now - start) / HOUR, 0.5)


def _by_hour(
    pasts: Iterable[FeedPast], starts: Mapping[str, datetime], arrivals: ArrivalFacts
) -> Mapping[datetime, int]:
    """Return how many entries each covered hour had."""
    hours = dict(arrivals.hours)
    for past in pasts:
        for date in past.shown:
            if starts[past.url] <= date <= past.watched_since:
                hour = date.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
                hours[hour] = hours.get(hour, 0) + 1
    return hours


def _shape(
    steps: Sequence[tuple[datetime, timedelta, float]], hours: Mapping[datetime, int], zone: tzinfo
) -> tuple[_Shape, frozenset[int]]:
    """Return how news is spread, and the hours of the day of which any was covered."""
    covered, expected = [0.0] * 24, [0.0] * 24
    days = {True: 0.0, False: 0.0}
    for begin, length, share in steps:
        middle = begin + length / 2
        weekend, part = is_weekend(middle, zone), share * (length / HOUR)
        covered[middle.astimezone(UTC).hour] += part
        expected[middle.astimezone(UTC).hour] += part * (WEEKEND if weekend else 1.0)
        days[weekend] += part / 24
    counts = [0.0] * 24
    for hour, count in hours.items():
        counts[hour.hour] += count
    rate = sum(counts) / (sum(expected) or 1.0)
    raw = [
        (count + _HOUR_WEIGHT) / (rate * part + _HOUR_WEIGHT)
        for count, part in zip(counts, expected, strict=True)
    ]
    smooth = [(raw[at - 1] + 2 * raw[at] + raw[(at + 1) % 24]) / 4 for at in range(24)]
    shape = [value * 24 / sum(smooth) for value in smooth]
    seen = frozenset(hour for hour in range(24) if covered[hour] >= 0.5)
    return _Shape(shape, _weekend(steps, hours, shape, zone), zone), seen


def _weekend(
    steps: Sequence[tuple[datetime, timedelta, float]],
    hours: Mapping[datetime, int],
    shape: Sequence[float],
    zone: tzinfo,
) -> float:
    """Return the news of a day of the weekend as a share of that of a working day."""
    days, counts = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for begin, length, share in steps:
        middle = begin + length / 2
        part = share * shape[middle.astimezone(UTC).hour] * (length / DAY)
        days[is_weekend(middle, zone)] += part
    for hour, count in hours.items():
        counts[is_weekend(hour, zone)] += count
    if not counts[False] or not days[False]:
        return WEEKEND
    working = counts[False] / days[False]
    return (counts[True] + WEEKEND * working * _DAY_WEIGHT) / (working * (days[True] + _DAY_WEIGHT))
