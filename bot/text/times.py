"""Parse times of the day, 7:30 or 23:00-07:00, to minutes of the day. No dates, no time zones."""

import re

MAX_DIGESTS = 6  #: times of a day
_SPAN = re.compile(r"(\S+?)\s*(?:-|–|—|\.\.|\s)\s*(\S+)")
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?")


def parse_time(text: object) -> int | None:
    """Parse `7:30` or `7`; None if the text is no time of the day."""
    match = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    return (60 * hour + minute) % 1440 if minute < 60 and 60 * hour + minute <= 1440 else None


def parse_time_span(text: str) -> tuple[int, int] | None:
    """Parse `23:30-06:45`; None if the text is no such span."""
    match = _SPAN.fullmatch(text.strip())
    begins, ends = (parse_time(match[1]), parse_time(match[2])) if match else (None, None)
    return None if begins is None or ends is None else (begins, ends)


def parse_times(text: str) -> tuple[int, ...]:
    """Parse `7:30 19:00`; sorted and unique, empty if any is wrong or there are too many."""
    times = [parse_time(part) for part in re.split(r"[\s,;]+", text.strip())]
    valid = [minutes for minutes in times if minutes is not None]
    return tuple(sorted(set(valid))) if len(valid) == len(times) <= MAX_DIGESTS else ()
