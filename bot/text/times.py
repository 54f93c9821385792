"""Parse times of the day, 7:30 or 23:00-07:00, to minutes of the day. No dates, no time zones."""

import re

MAX_DIGESTS = 6  #: times of a day
_SPAN = re.compile(r"(\S+?)\s*(?:-|–|—|\.\.|\s)\s*(\S+)")
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?(?:([ap])m)?")
_HALF_DAY = re.compile(r"(?<=\d)\s*([ap])\.?\s?m\b\.?", re.IGNORECASE)
#: from, to and and, as chats in our languages say them
_FROM = re.compile(r"\b(?:from|von|de|desde|с|з|із|від|من)\b", re.IGNORECASE)
_TO = re.compile(r"\s(?:to|till|until|bis|a|hasta|до|по|إلى|حتى)\s", re.IGNORECASE)
_AND = re.compile(r"\s(?:and|und|y|e|и|і|та|و)\s", re.IGNORECASE)
_NOON = 12


def parse_time(text: object) -> int | None:
    """Parse `7:30`, `7` or `7pm`; None if the text is no time of the day."""
    match = _TIME.fullmatch(_HALF_DAY.sub(_short, text.strip())) if isinstance(text, str) else None
    if not match:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 0 < hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if match[3] == "p" else 0)
    return (60 * hour + minute) % 1440 if minute < 60 and 60 * hour + minute <= 1440 else None


def parse_time_span(text: str) -> tuple[int, int] | None:
    """Parse `23:30-06:45` or `11pm to 7am`; None if the text is no such span."""
    text = _TO.sub("-", _FROM.sub("", _HALF_DAY.sub(_short, text)))
    match = _SPAN.fullmatch(text.strip())
    begins, ends = (parse_time(match[1]), parse_time(match[2])) if match else (None, None)
    return None if begins is None or ends is None else (begins, ends)


def parse_times(text: str) -> tuple[int, ...]:
    """Parse `7:30 19:00` or `8am and 6pm`; sorted and unique.

    Empty if any is wrong or there are too many.
    """
    text = _AND.sub(" ", _HALF_DAY.sub(_short, text))
    times = [parse_time(part) for part in re.split(r"[\s,;]+", text.strip())]
    valid = [minutes for minutes in times if minutes is not None]
    return tuple(sorted(set(valid))) if len(valid) == len(times) <= MAX_DIGESTS else ()


def _short(half: re.Match[str]) -> str:
    return f"{half[1].lower()}m"
