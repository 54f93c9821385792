"""What a step of the wall clock means for a stored moment, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.model.clock import ClockStep

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("span", "moment", "longest", "expected"),
    [
        (timedelta(0), NOON + MINUTE, HOUR, NOON + MINUTE),
        (timedelta(0), NOON + YEAR, HOUR, NOON + HOUR),
        (timedelta(0), NOON - HOUR, HOUR, NOON - HOUR),
        # set back by a year: what would have come in a minute comes in a minute
        (-YEAR, NOON + YEAR + MINUTE, HOUR, NOON + MINUTE),
        (-YEAR, NOON + YEAR - MINUTE, HOUR, NOON - MINUTE),
        # set ahead by a year: nothing comes early
        (YEAR, NOON - YEAR + MINUTE, HOUR, NOON + MINUTE),
        (YEAR, NOON - YEAR - MINUTE, HOUR, NOON - MINUTE),
        # a span that is off by a day, as over a restart: no longer than could have been asked for
        (-YEAR, NOON + YEAR + 24 * HOUR, HOUR, NOON + HOUR),
        # longer than could have been asked for before the step: it began after it
        (YEAR, NOON + MINUTE, HOUR, NOON + MINUTE),
        # beyond what there is of time
        (YEAR, datetime.max.replace(tzinfo=UTC), HOUR, NOON + HOUR),
        (-YEAR, datetime.min.replace(tzinfo=UTC), HOUR, datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_wait_ends_as_long_after_the_step_as_it_would_have_without_it(
    span: timedelta, moment: datetime, longest: timedelta, expected: datetime
) -> None:
    assert ClockStep(NOON, span).waited_until(moment, longest) == expected


@pytest.mark.parametrize(
    ("span", "moment", "expected"),
    [
        (-YEAR, NOON + YEAR - MINUTE, NOON - MINUTE),
        (YEAR, NOON - YEAR - MINUTE, NOON - MINUTE),
        (timedelta(0), NOON + SECOND, NOON),
        (-HOUR, NOON + YEAR, NOON),
        # between the step and now
        (YEAR, NOON - SECOND, NOON - SECOND),
        (-YEAR, NOON - SECOND, NOON - SECOND),
    ],
)
def test_what_happened_lies_as_far_back_as_before_the_step_and_never_ahead(
    span: timedelta, moment: datetime, expected: datetime
) -> None:
    assert ClockStep(NOON, span).happened_at(moment) == expected
