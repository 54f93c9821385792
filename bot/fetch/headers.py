"""Freshness and waiting times from response headers. Pure; `now` is an argument."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.model.feeds import Freshness

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_FORBIDS = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b", re.IGNORECASE)
_LONGEST = timedelta(days=366)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{0,9})?", re.ASCII)
_MOMENT = 1_000_000_000  # as seconds to wait it is 31 years: it is a moment, as seconds since 1970


def http_date(text: str | None) -> datetime | None:
    """Parse an HTTP-date (RFC 9110 §5.6.7) to an aware time; None if it is not one."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _seconds(text: str | None) -> timedelta | None:
    text = (text or "").strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(timedelta(seconds=int(text[:9])), _LONGEST)


def freshness(headers: Mapping[str, str], now: datetime) -> Freshness:
    """Return how long a response is fresh, and how long to wait before the next request.

    Cache-Control max-age over Expires, less Age (RFC 9111 §4.2.1); Retry-After in its forms,
    relative to Date (RFC 9110 §10.2.3).
    """
    control = headers.get("Cache-Control", "")
    age = _seconds(headers.get("Age")) or timedelta(0)
    max_age: timedelta | None = None
    if directive := _MAX_AGE.search(control):
        max_age = min(timedelta(seconds=int(directive.group(1)[:9])), _LONGEST) - age
    elif expires := http_date(headers.get("Expires")):
        max_age = min(expires - _sent_at(headers, now), _LONGEST) - age
    if _FORBIDS.search(control) or (max_age is not None and max_age <= timedelta(0)):
        max_age = None
    return Freshness(max_age, _retry_after(headers, now) or None)


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long to wait: as seconds, as a date, or as the moment in seconds that some write.

    Where the clock of the server is wrong, its own Date makes a date right.
    """
    text = (headers.get("Retry-After") or "").strip()
    if number := _NUMBER.fullmatch(text):
        seconds = float(number.group())
        if seconds < _MOMENT:
            return min(timedelta(seconds=seconds), _LONGEST)
        moment = seconds / 1000 if seconds >= _MOMENT * 1000 else seconds
        try:
            until: datetime | None = datetime.fromtimestamp(moment, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    else:
        until = http_date(text) or _iso_date(text)
    return min(max(until - _sent_at(headers, now), timedelta(0)), _LONGEST) if until else None


def _iso_date(text: str) -> datetime | None:
    """Parse an ISO 8601 date with time, which is no HTTP-date but sent as one."""
    if len(text) < len("2026-03-02T12:00"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sent_at(headers: Mapping[str, str], now: datetime) -> datetime:
    return http_date(headers.get("Date")) or now
