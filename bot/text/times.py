"""Times of the day as people write them: 7:30, 23:00-07:00. In minutes of the day; no dates, no zones."""

import re

MAX_DIGESTS = 6  #: times of one day
_SPAN = re.compile(r"(\S+?)\s*(?:-|–|—|\.\.|\s)\s*(\S+)")
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?")


def parse_time(text: object) -> int | None:
    """`7:30` or `7`; None for what is no time of the day."""
    found = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return (60 * hour + minute) % 1440 if minute < 60 and 60 * hour + minute <= 1440 else None


def parse_time_span(text: str) -> tuple[int, int] | None:
    """`23:30-06:45`; None for what is no such span."""
    found = _SPAN.fullmatch(text.strip())
    begins, ends = (parse_time(found[1]), parse_time(found[2])) if found else (None, None)
    return None if begins is None or ends is None else (begins, ends)


def parse_times(text: str) -> tuple[int, ...]:
    """`7:30 19:00` in order, each once; none where any of them is no time, or there are too many."""
    times = [parse_time(part) for part in re.split(r"[\s,;]+", text.strip())]
    good = [one for one in times if one is not None]
    return tuple(sorted(set(good))) if len(good) == len(times) <= MAX_DIGESTS else ()
