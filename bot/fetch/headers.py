"""Freshness and waiting times from response headers. Pure; `now` is an argument."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.model.feeds import Freshness

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_FORBIDS = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b", re.IGNORECASE)
_LONGEST = timedelta(days=366)


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

    Cache-Control max-age over Expires, less Age (RFC 9111 §4.2.1); Retry-After in both forms,
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
    retry = headers.get("Retry-After")
    wait = _seconds(retry)
    if wait is None and (until := http_date(retry)):
        wait = min(max(until - _sent_at(headers, now), timedelta(0)), _LONGEST)
    return Freshness(max_age, wait or None)


def _sent_at(headers: Mapping[str, str], now: datetime) -> datetime:
    return http_date(headers.get("Date")) or now
