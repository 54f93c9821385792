"""Parse and format durations: 90s, 2m, 1h, 1d. Not dates, not times of the day."""

import re
from datetime import timedelta

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> timedelta:
    """Parse a number with s, m, h or d. Raises ValueError with what was expected."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError("expected a duration such as 90s, 2m, 1h or 1d")
    return timedelta(seconds=float(match.group(1)) * _UNITS[match.group(2)])


def format_duration(span: timedelta) -> str:
    """Return the shortest form: 90s, 30m, 2h."""
    seconds = span.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def in_words(span: timedelta) -> str:
    """A duration as people and feeds.yaml write it: `90s`, `5m`, `2h`, `3d`."""
    seconds = round(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return (
                f"{seconds // size}{unit}"
                if seconds % size == 0 or seconds >= 10 * size
                else f"{seconds / size:.1f}{unit}"
            )
    return f"{seconds}s"
