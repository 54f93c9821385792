"""Parse a feed document with feedparser and extract what newsbell needs. Not identity, no I/O."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import chain
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from bot.model.entries import ParsedEntry
from bot.model.feeds import FeedHints
from bot.parse import feedparser_hooks
from bot.parse.boilerplate import article_text, headline_without_source
from bot.parse.dates import DateStyle, read_date, style_of
from bot.parse.entry_keys import with_keys
from bot.parse.texts import categories_of, summary_and_body
from bot.text import clean
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.markup import TextType
from bot.text.url import display_link, safe_link

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


feedparser_hooks.keep_guids_verbatim()
feedparser_hooks.survive_elements()
feedparser_hooks.separate_elements()
feedparser_hooks.keep_declared_types()
feedparser_hooks.bound_texts()


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


def plausible_date(moment: datetime | None, now: datetime) -> datetime | None:
    """Return the date of an entry if it is plausible (2000 to two days ahead), else None."""
    return moment if moment and _EARLIEST <= moment <= now + _AHEAD else None


def _date(
    entry: Mapping[str, Any], name: str, now: datetime, style: DateStyle, language: str
) -> datetime | None:
    """The date of this name only; `language` is that of the entry."""
    if (
        name not in entry
    ):  # for `get`, feedparser returns the date of publication as that of an update
        return None
    return plausible_date(read_date(entry[name], style, text_language=language), now)


def date_style(language: str, feed: Mapping[str, Any], entries: Iterable[Any]) -> DateStyle:
    """Return how the dates of a document are written; `language` is what it declares."""
    texts = (
        str(source[name])
        for source in (feed, *entries)
        for name in ("published", "updated")
        if name in source
    )
    return style_of(language, texts)


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


def _type(detail: Mapping[str, Any], default: TextType) -> TextType:
    """What the format says of a value; the default where its element says nothing."""
    if detail.get("declared"):
        return _TYPES.get(str(detail["declared"]), default)
    return default


def _title(entry: Mapping[str, Any]) -> str:
    kind = _type(entry.get("title_detail") or {}, TextType.UNSURE)
    return clean.title(str(entry.get("title") or ""), kind)


def _texts(entry: Mapping[str, Any], title: str) -> list[str]:
    """What an entry says of itself: its summary, then its contents, those without text left out."""
    detail = entry.get("summary_detail") or {}
    # A content alone is the summary for feedparser, too.
    values = dict.fromkeys(
        (str(value), _type(part, TextType.HTML))
        for value, part in (
            (entry.get("summary"), detail),
            *((part.get("value"), part) for part in entry.get("content") or ()),
        )
        if value
    )
    texts = (article_text(value, kind, title) for value, kind in values)
    return [text for text in texts if text]


def _categories(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The categories that an entry names, as people read them."""
    tags = [tag for tag in entry.get("tags") or () if isinstance(tag, Mapping)]
    return categories_of(tag.get("label") or tag.get("term") for tag in tags)


def _author(author: Mapping[str, Any]) -> str:
    """The name of an author, otherwise the address."""
    text = clean.label(author.get("as_written") or "", AUTHORS_LENGTH)
    if named := _ADDRESS_AND_NAME.fullmatch(text) or _NAME_AND_ADDRESS.fullmatch(text):
        return named.group("name")
    return text or clean.label(author.get("name") or author.get("email") or "", AUTHORS_LENGTH)


def _authors(entry: Mapping[str, Any]) -> str:
    """The names of all authors, each once."""
    names: dict[str, str] = {}
    for author in entry.get("authors") or ():
        name = _author(author)
        names.setdefault(folded_key(name) or name, name)
    return clean.cut(
        ", ".join(filter(None, names.values()))
        or clean.label(entry.get("author") or "", AUTHORS_LENGTH),
        AUTHORS_LENGTH,
    )


def _source(entry: Mapping[str, Any]) -> str:
    """The outlet that an aggregator names."""
    source = entry.get("source")
    return clean.title(str(source.get("title") or "")[:300]) if isinstance(source, Mapping) else ""


def to_entry(
    raw: Mapping[str, Any], block: bytes, base: str, now: datetime, style: DateStyle
) -> ParsedEntry | None:
    """Convert an entry of feedparser; None if it has neither id, link nor title.

    `style` is how the document writes dates, and in which language it is.
    """
    source = _source(raw)
    title = headline_without_source(_title(raw), source)
    guid = clean.plain(str(raw.get("id") or "")[:8192])[:2048]
    link = _link(raw, base)
    if not (guid or link or title):
        return None
    summary, body = summary_and_body(_texts(raw, title))
    own = (raw.get("title_detail") or {}).get("language") or ""  # xml:lang
    language = language_of(f"{title} {summary}", str(own or style.language))
    updated = _date(raw, "updated", now, style, language)
    return with_keys(
        ParsedEntry(
            block=block,
            guid=guid,
            link=display_link(link),
            title=title or clean.cut(summary, 100) or link,
            summary=summary,
            author=_authors(raw),
            source=source,
            published=_date(raw, "published", now, style, language) or updated,
            updated=updated,
            language=language,
            body=body,
            categories=_categories(raw),
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
