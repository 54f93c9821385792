"""Make entries of what was found in a document. Not XML, not identity, no I/O."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from urllib.parse import urljoin, urlsplit

from bot.model.entries import ParsedEntry
from bot.model.feeds import FeedHints
from bot.parse.boilerplate import article_text, headline_without_source
from bot.parse.dates import DateStyle, read_date, style_of
from bot.parse.entry_keys import keys_for
from bot.parse.fields import EntryFields, FeedFields
from bot.parse.texts import categories_of, summary_and_body
from bot.text import clean
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.markup import TextType
from bot.text.url import display_link, is_plain_link, safe_link

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=2)
_TYPES = {
    "text/plain": TextType.TEXT,
    "text/html": TextType.HTML,
    "application/xhtml+xml": TextType.XHTML,
}
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}
AUTHORS_LENGTH = 300  #: code points kept of the names of authors
_ADDRESS_AND_NAME = re.compile(r"[^\s@<>()]+@[^\s@<>()]+ ?\((?P<name>[^()]+)\)")
_NAME_AND_ADDRESS = re.compile(r"(?P<name>[^@<>()]+?) ?[<(][^\s@<>()]+@[^\s@<>()]+[>)]")
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


def plausible_date(moment: datetime | None, now: datetime) -> datetime | None:
    """Return the date of an entry if it is plausible (2000 to two days ahead), else None."""
    return moment if moment and _EARLIEST <= moment <= now + _AHEAD else None


def _date(text: str | None, now: datetime, style: DateStyle, language: str) -> datetime | None:
    """The plausible date that a text means; `language` is that of the entry."""
    if text is None:
        return None
    return plausible_date(read_date(text, style, text_language=language), now)


def date_style(feed: FeedFields, entries: Iterable[EntryFields]) -> DateStyle:
    """Return how the dates of a document are written."""
    dates = (date for entry in entries for date in (entry.published, entry.updated) if date)
    return style_of(feed.language, chain(feed.dates, dates))


def absolute(link: str, base: str) -> str:
    """Return an absolute link that is safe to show, or an empty string."""
    link = link.strip()
    if is_plain_link(link):
        return link
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


def _link(links: Iterable[str], base: str) -> str:
    """The first link that is safe to show."""
    return next((safe for link in links if (safe := absolute(link, base))), "")


def _texts(fields: EntryFields, title: str) -> list[str]:
    """What an entry says of itself: its summary, then its contents, those without text left out."""
    # A content alone is the summary for feedparser, too.
    values = dict.fromkeys((text, _TYPES.get(kind, TextType.HTML)) for text, kind in fields.texts)
    texts = (article_text(value, kind, title) for value, kind in values)
    return [text for text in texts if text]


@lru_cache(maxsize=1024)
def _author(written: str) -> tuple[str, str]:
    """The name of an author, otherwise the address; and what it has in common with its like."""
    text = clean.label(written, AUTHORS_LENGTH)
    named = _ADDRESS_AND_NAME.fullmatch(text) or _NAME_AND_ADDRESS.fullmatch(text)
    name = named.group("name") if named else text
    return folded_key(name) or name, name


def _names(authors: Iterable[str]) -> str:
    """The names of all authors, each once."""
    names: dict[str, str] = {}
    for author in authors:
        names.setdefault(*_author(author))
    return clean.cut(", ".join(filter(None, names.values())), AUTHORS_LENGTH)


def to_entry(
    fields: EntryFields, block: bytes, base: str, now: datetime, style: DateStyle
) -> ParsedEntry | None:
    """Convert what was found of an entry; None if it has neither id, link nor title.

    `style` is how the document writes dates, and in which language it is.
    """
    source = clean.title(fields.source[:300]) if fields.source else ""
    kind = _TYPES.get(fields.title_type, TextType.UNSURE)
    title = headline_without_source(clean.title(fields.title, kind), source)
    guid = clean.plain(fields.guid[:8192])[:2048]
    link = display_link(_link(fields.links, base))
    if not (guid or link or title):
        return None
    summary, body = summary_and_body(_texts(fields, title))
    language = language_of(f"{title} {summary}", fields.language or style.language)
    updated = _date(fields.updated, now, style, language)
    title = title or clean.cut(summary, 100) or link
    return ParsedEntry(
        block=block,
        guid=guid,
        link=link,
        title=title,
        summary=summary,
        author=_names(fields.authors) if fields.authors else "",
        source=source,
        published=_date(fields.published, now, style, language) or updated,
        updated=updated,
        keys=keys_for(guid, link, title, summary),
        language=language,
        body=body,
        categories=categories_of(fields.categories) if fields.categories else (),
    )


def feed_hints(feed: FeedFields, head: bytes) -> FeedHints:
    """Return <ttl>, <skipHours> and <skipDays> of RSS 2.0, and those of the Syndication module.

    feedparser drops the skips, so they are parsed from the bytes.
    """
    waits: list[timedelta] = []
    ttl = clean.number(feed.ttl, _MAX_TTL)
    if ttl:
        waits.append(timedelta(minutes=ttl))
    period = _PERIODS.get(feed.period.strip().lower())
    if period:
        frequency = clean.number(feed.frequency, _MAX_TTL)
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
