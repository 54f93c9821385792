"""What a chart shows, as a value and as JSON for the child process. No colours, no fonts."""

import json
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Trend:
    """Stories and publishers, day by day."""

    title: str
    #: day, stories, publishers; in order of time, a missing day leaves a gap
    days: tuple[tuple[date, int, int], ...]
    note: str  #: a line under the title: the span, the time zone
    stories: str = "stories"  #: what the bars are called; empty where the caption says it
    publishers: str = "publishers"  #: what the line is called

    @property
    def dates(self) -> tuple[date, ...]:
        """The days alone."""
        return tuple(day for day, _, _ in self.days)


def to_json(trend: Trend) -> str:
    """Return the trend as a JSON object."""
    return json.dumps(
        {
            **asdict(trend),
            "days": [
                (day.isoformat(), stories, publishers) for day, stories, publishers in trend.days
            ],
        }
    )


def from_json(text: str | bytes) -> Trend:
    """Return the trend that `to_json` wrote.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    fields = json.loads(text)
    days = tuple(
        (date.fromisoformat(day), int(stories), int(publishers))
        for day, stories, publishers in fields.pop("days")
    )
    return Trend(days=days, **fields)
