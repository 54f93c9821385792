"""A copy with other fields is what `dataclasses.replace` makes of a value."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from bot.model.changed import changed
from bot.model.feeds import FeedState
from bot.model.hosts import HostPace
from bot.model.poll import FeedCommit

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
STATE = FeedState(NOON, etag='"a"')


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (STATE, {"failures": 3, "etag": None}),
        (STATE, {}),
        (FeedCommit(1, STATE), {"lease": 2}),
        (HostPace(), {"asked_at": NOON}),
    ],
)
def test_it_is_what_replace_makes(value: FeedState, changes: dict[str, object]) -> None:
    before = {field.name: getattr(value, field.name) for field in fields(value)}
    copy = changed(value, **changes)  # type: ignore[arg-type]  # of several classes
    assert copy == replace(value, **changes)  # type: ignore[arg-type]  # as above
    assert before == {field.name: getattr(value, field.name) for field in fields(value)}
    with pytest.raises(AttributeError):
        copy.failures = 7  # type: ignore[misc]  # it is as frozen as the other
