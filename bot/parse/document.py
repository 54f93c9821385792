"""Parse a feed document with feedparser and extract what newsbell needs. Not identity, no I/O."""

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import wraps
from io import BytesIO
from itertools import chain
from time import struct_time
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from feedparser.mixin import _FeedParserMixin

from bot.model.entries import ParsedEntry
from bot.model.feeds import FeedHints
from bot.parse.entry_keys import with_keys
from bot.text import clean
from bot.text.language import language_of
from bot.text.url import display_link, safe_link

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}
_MAX_TTL = 100_000  # minutes; also the most updates in a period
_DAYS = {
    "monday": 0,
    "tuesday": 1,
    "wednesday": 2,
    "thursday": 3,
    "friday": 4,
    "saturday": 5,
    "sunday": 6,
}
_WWW_HOST = re.compile(r"www\.(?:[\w-]+\.)+[\w-]{2,}")
_SKIP = re.compile(rb"<skip(Hours|Days)>(.{0,2000}?)</skip(?:Hours|Days)>", re.DOTALL)
_SKIPPED = re.compile(rb"<(?:hour|day)>\s*([A-Za-z0-9]{1,9})\s*<")


def _keep_guids_verbatim() -> None:
    """Keep feedparser from resolving guids as links; it has no option for that.

    A guid is a name. Resolved against the address of the feed, it would change with every
    redirect, and "17" would look like a link.
    """
    parser = _FeedParserMixin
    parser.can_be_relative_uri = parser.can_be_relative_uri - {"id"}


def _survive_elements() -> None:
    """Keep an element that feedparser cannot read from costing its whole document.

    The handlers of its extensions raise at elements that are empty or misplaced. Such an element
    is left out; what is around it is read.
    """
    for name in ("unknown_starttag", "unknown_endtag", "handle_charref", "handle_entityref"):
        setattr(_FeedParserMixin, name, _surviving(getattr(_FeedParserMixin, name)))


def _surviving(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def survive(self: Any, *arguments: Any) -> Any:
        try:
            return handler(self, *arguments)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None

    return survive


_keep_guids_verbatim()
_survive_elements()


def parse_xml_feed(body: bytes, url: str = "") -> Any:
    """Return the result of feedparser for a UTF-8 document.

    Always from bytes: feedparser opens URLs and local files given as text. Without a base URL it
    resolves relative links by xml:base only, in three quarters of the time.
    """
    headers = {"content-type": "application/xml; charset=utf-8"} | (
        {"content-location": url} if url else {}
    )
    return feedparser.parse(
        BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )


def plausible_date(date: struct_time | None, now: datetime) -> datetime | None:
    """Return the date of an entry if it is plausible (2000 to two days ahead), else None."""
    if not date:
        return None
    try:
        moment = datetime.fromtimestamp(calendar.timegm(date), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if _EARLIEST <= moment <= now + _AHEAD else None


def _date(entry: Mapping[str, Any], name: str, now: datetime) -> datetime | None:
    """The date of this name only. Dates that feedparser rejects are parsed as those of mails."""
    if (
        name not in entry
    ):  # for `get`, feedparser returns the date of publication as that of an update
        return None
    date = entry.get(f"{name}_parsed")
    if not date and (mail_date := parsedate_tz(str(entry[name])[:100])) and not mail_date[9]:
        date = struct_time((*mail_date[:6], 0, 1, 0))
    return plausible_date(date, now)


def _link(entry: Mapping[str, Any], base: str) -> str:
    named = str(entry.get("link") or "")
    if "://" not in named and named == entry.get("id"):  # a guid wrongly declared a permalink
        named = ""
    candidates = chain((entry.get("feedburner_origlink"), named), _other_links(entry))
    return next((safe for link in candidates if link and (safe := absolute(str(link), base))), "")


def _other_links(entry: Mapping[str, Any]) -> Iterator[Any]:
    """Alternate links, pages first, then enclosures."""
    links = entry.get("links", ())
    alternates = [link for link in links if link.get("rel", "alternate") == "alternate"]
    alternates.sort(key=lambda link: "html" not in str(link.get("type", "text/html")))
    enclosures = [link for link in links if link.get("rel") == "enclosure"]
    yield from (link.get("href") for link in (*alternates, *enclosures))


def absolute(link: str, base: str) -> str:
    """Return an absolute link that is safe to show, or an empty string."""
    link = link.strip()
    try:
        if _is_host(link.partition("/")[0].lower(), base):
            link = f"https://{link}"
        return safe_link(urljoin(base, link))
    except ValueError:
        return ""


def _is_host(start: str, base: str) -> bool:
    """Whether a link begins with a host and lacks the scheme, as in `www.port.example/a`.

    Any other name with dots may be that of a page.
    """
    host = (urlsplit(base).hostname or "").removeprefix("www.")
    return bool(_WWW_HOST.fullmatch(start)) or ("." in host and start == host)


def _text(entry: Mapping[str, Any], name: str) -> tuple[str, bool]:
    detail = entry.get(f"{name}_detail") or {}
    value = str(entry.get(name) or "")
    return value, str(detail.get("type", "")).endswith(("html", "xhtml+xml"))


def _summary(entry: Mapping[str, Any]) -> str:
    value, is_html = _text(entry, "summary")
    if not value.strip():
        for content in entry.get("content") or ():
            value, is_html = (
                str(content.get("value") or ""),
                "html" in str(content.get("type", "html")),
            )
            if value.strip():
                break
    return clean.summary(value, is_html=is_html)


def to_entry(
    raw: Mapping[str, Any], block: bytes, base: str, now: datetime, declared: str
) -> ParsedEntry | None:
    """Convert an entry of feedparser; None if it has neither id, link nor title.

    `declared` is the language of the feed.
    """
    title = clean.title(*_text(raw, "title")[:1], is_html=_text(raw, "title")[1])
    guid = clean.plain(str(raw.get("id") or "")[:8192])[:2048]
    link = _link(raw, base)
    if not (guid or link or title):
        return None
    source = raw.get("source") or {}
    updated = _date(raw, "updated", now)
    summary = _summary(raw)
    own = (raw.get("title_detail") or {}).get("language") or ""  # xml:lang
    return with_keys(
        ParsedEntry(
            block=block,
            guid=guid,
            link=display_link(link),
            title=title or clean.cut(summary, 100) or link,
            summary=summary,
            author=clean.label(raw.get("author") or "", 100),
            source=clean.title(str(source.get("title") or "")[:300])
            if isinstance(source, Mapping)
            else "",
            published=_date(raw, "published", now) or updated,
            updated=updated,
            language=language_of(f"{title} {summary}", str(own or declared)),
        )
    )


def feed_hints(feed: Mapping[str, Any], head: bytes) -> FeedHints:
    """Return <ttl>, <skipHours> and <skipDays> of RSS 2.0, and those of the Syndication module.

    feedparser drops the skips, so they are parsed from the bytes.
    """
    waits: list[timedelta] = []
    ttl = clean.number(feed.get("ttl"), _MAX_TTL)
    if ttl:
        waits.append(timedelta(minutes=ttl))
    period = _PERIODS.get(str(feed.get("sy_updateperiod") or "").strip().lower())
    if period:
        frequency = clean.number(feed.get("sy_updatefrequency"), _MAX_TTL)
        waits.append(timedelta(hours=period) / (frequency or 1))
    hours: set[int] = set()
    days: set[int] = set()
    for kind, inside in _SKIP.findall(head[:20_000]):
        for word in _SKIPPED.findall(inside):
            text = word.decode("ascii").lower()
            if kind == b"Hours" and text.isdecimal() and 0 <= int(text) <= 24:
                hours.add(int(text) % 24)
            elif kind == b"Days" and text in _DAYS:
                days.add(_DAYS[text])
    return FeedHints(
        ttl=max(waits, default=None),
        skip_hours=frozenset(hours) if len(hours) < 24 else frozenset(),
        skip_days=frozenset(days) if len(days) < 7 else frozenset(),
    )
