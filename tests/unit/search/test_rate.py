"""Ranges hold what comes, as often as they say, and are no wider than they have to be."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.search.rate import PROBABILITY, Observation, expected


@given(
    st.integers(0, 2_000),
    st.floats(0.2, 90),
    st.integers(1, 50),
    st.floats(1, 100),
    st.floats(0.1, 10),
    st.floats(0, 1),
)
def test_a_range_holds_its_middle(
    count: int, days: float, step: int, cluster: float, coming: float, unseen: float
) -> None:
    span = expected(Observation(count, days, step, cluster), coming, unseen)

    assert 0 <= span.low <= span.middle <= span.high


def test_what_never_came_in_a_week_is_not_expected_tomorrow() -> None:
    span = expected(Observation(0, 7.0), 1.0)

    assert (span.low, span.middle, span.high) == (0, 0, 0)


@pytest.mark.parametrize(("rate", "days"), [(2.0, 1.0), (8.0, 3.0), (40.0, 7.0)])
def test_days_that_vary_are_within_the_range_as_often_as_it_says(rate: float, days: float) -> None:
    chance = random.Random(3)

    def count(span: float) -> int:
        day = chance.gauss(1, 0.2)
        return _poisson(chance, max(0.05, day) * rate * span)

    inside = 0
    for _ in range(600):
        span = expected(Observation(count(days), days), 1.0)
        inside += span.low <= count(1.0) <= span.high
    assert inside / 600 > PROBABILITY - 0.02


def test_a_range_narrows_with_what_was_seen_and_widens_with_what_was_not() -> None:
    def width(observation: Observation, unseen: float = 0.0) -> float:
        span = expected(observation, 1.0, unseen)
        return (span.high - span.low) / span.mean

    week = Observation(140, 7.0)
    assert width(week) < width(Observation(20, 1.0)) < width(Observation(20, 1.0), 0.8)
    assert width(week) < width(Observation(140, 7.0, cluster=10.0))
    assert width(week) < width(Observation(14, 7.0, step=10))


def _poisson(chance: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
