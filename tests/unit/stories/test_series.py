"""The times of headlines of a series: as if each publisher and template had a plain list."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from bot.model.stories import Report, StoryIds
from bot.stories.entry_index import EntryIndex
from bot.stories.features import extract_features
from bot.stories.series import Series

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_bounds_are_those_of_lists_while_times_come_and_go() -> None:
    chance = random.Random(11)
    series, lists = Series(), defaultdict[tuple[str, str], list[float]](list)
    for _ in range(2000):
        key = chance.choice("AB"), chance.choice("xyz")
        if lists[key] and chance.random() < 0.48:
            hours = lists[key].pop(chance.randrange(len(lists[key])))
            series.remove(*key, hours)
        else:
            hours = float(chance.randrange(40))  # some of them equal
            lists[key].append(hours)
            series.add(*key, hours)
        expected = (min(lists[key]), max(lists[key])) if lists[key] else None
        assert series.bounds(*key) == expected
    for key, times in lists.items():
        for hours in times:
            series.remove(*key, hours)
    assert not series.by_publisher


def recurs(later: timedelta, publisher: str) -> bool:
    """Whether a level of a gauge is one of a series after two levels of the gauge at the river."""
    index = EntryIndex(72.0)
    levels = [
        Report(number, f"Brackwater gauge stands at {number} metres", "", "en", by, at)
        for number, (by, at) in enumerate(
            [("River", NOON), ("River", NOON + later / 2), (publisher, NOON + later)], 1
        )
    ]
    for report in levels[:2]:
        features = extract_features(report)
        index.add(index.frequencies.add(features), StoryIds(report.id, report.id, report.id))
    return index.is_recurring(extract_features(levels[2]))


def test_a_headline_that_comes_each_day_is_one_of_a_series() -> None:
    assert recurs(timedelta(hours=18), "River")


def test_the_same_headline_within_hours_is_no_series() -> None:
    assert not recurs(timedelta(hours=17), "River")


def test_the_series_of_another_publisher_is_not_ones_own() -> None:
    assert not recurs(timedelta(hours=18), "Harbour")
