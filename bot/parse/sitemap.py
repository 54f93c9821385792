"""Read a news sitemap: the addresses, headlines and times of what a site published lately.

Each `<url>` is a block, hashed as it stands; only new ones are looked at. Knows no XML beyond that,
and is linear in the size of any document. An index names other sitemaps, which the reader follows.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime

from bot.model.entries import ParsedDocument, ParsedEntry, ParseFailed, ParseOutcome
from bot.model.feeds import Failure
from bot.parse.blocks import block_hash
from bot.parse.charset import decode
from bot.parse.dates import DateStyle, read_date
from bot.parse.document import absolute, plausible_date
from bot.parse.entry_keys import with_keys
from bot.text import clean
from bot.text.language import language_of
from bot.text.markup import TextType
from bot.text.url import display_link, host

MAX_CHILDREN = 5  #: sitemaps of an index that are read
_HEAD = 3000  # bytes in which the name of the document's format stands
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.{0,500}?\?>|<!--.{0,2000}?-->)*"
    rb"<(?:[A-Za-z_][\w.-]{0,30}:)?(urlset|sitemapindex)(?=[\s/>])",
    re.DOTALL,
)
_URL = re.compile(r"<(/?)(?:[A-Za-z_][\w.-]{0,30}:)?(url|sitemap)(?=[\s>])")
_NEWS = re.compile(r"<(/?)(?:[A-Za-z_][\w.-]{0,30}:)?news(?=[\s>])")
_NAMED_NEWS = re.compile(r"news|latest|recent", re.IGNORECASE)
_ELEMENTS = {
    name: re.compile(
        rf"<(?:[A-Za-z_][\w.-]{{0,30}}:)?{name}(?:\s[^<>]*)?>\s*"
        r"(<!\[CDATA\[.{0,4000}?\]\]>|[^<]{0,4000})",
        re.DOTALL,
    )
    for name in ("loc", "lastmod", "title", "publication_date", "name", "language", "keywords")
}


def is_sitemap(body: bytes) -> bool:
    """Return whether a document is a sitemap, or an index of them, by its first element."""
    head = body[:_HEAD]
    return (b"urlset" in head or b"sitemapindex" in head) and bool(_ROOT.match(head))


def read_sitemap(
    body: bytes,
    charset: str,
    url: str,
    known: frozenset[bytes],
    now: datetime,
    limit: int,
    *,
    truncated: bool = False,
) -> ParseOutcome:
    """Return at most `limit` new articles of a sitemap, the first ones; of an index its children.

    A sitemap that has addresses alone is no news sitemap: nobody could say what they are about.
    """
    root = _ROOT.match(body[:_HEAD])
    text = decode(body, "", charset)
    if root and root[1] == b"sitemapindex":
        return _index(text, url, truncated=truncated)
    blocks: list[bytes] = []
    entries: list[ParsedEntry] = []
    cut: list[bytes] = []
    bare = faulty = 0
    name = ""
    for part in _parts(text, "url"):
        news = _within(part, _NEWS)
        if not news:
            bare += 1
            continue
        block = block_hash(part.encode("utf-8", "surrogatepass"))
        blocks.append(block)
        name = name or _value(news, "name")
        if block in known:
            continue
        if len(entries) >= limit:
            cut.append(block)
        elif entry := _entry(part, news, block, url, now):
            entries.append(entry)
        else:
            faulty += 1
    if bare and not blocks:
        return ParseFailed(
            Failure.NOT_A_FEED, "The sitemap names addresses without headlines: it is not for news."
        )
    return ParsedDocument(
        entries=tuple(entries),
        blocks=tuple(blocks),
        cut=tuple(cut),
        title=clean.title(name, length=clean.HEADLINE_LENGTH) or host(url),
        faulty=faulty,
        truncated=truncated,
        is_sitemap=True,
    )


def _index(text: str, url: str, *, truncated: bool) -> ParseOutcome:
    """The children of an index that may hold the news: by their names, then the newest."""
    children: dict[str, str] = {}
    for part in _parts(text, "sitemap"):
        if address := absolute(_value(part, "loc"), url):
            children.setdefault(address, _value(part, "lastmod"))
    if not children:
        return ParseFailed(Failure.NOT_A_FEED, "The index of sitemaps names none.")
    newest = sorted(children, key=children.__getitem__, reverse=True)
    newest.sort(key=lambda address: not _NAMED_NEWS.search(address))
    return ParsedDocument(
        (), (), is_sitemap=True, children=tuple(newest[:MAX_CHILDREN]), truncated=truncated
    )


def _entry(part: str, news: str, block: bytes, url: str, now: datetime) -> ParsedEntry | None:
    link = absolute(_value(part.replace(news, "", 1), "loc") or _value(part, "loc"), url)
    title = clean.title(_value(news, "title"), TextType.TEXT)
    if not link or not title:
        return None
    language = language_of(title, _value(news, "language"))
    dates = (
        read_date(value, DateStyle(language)) if value else None
        for value in (_value(news, "publication_date"), _value(part, "lastmod"))
    )
    published, updated = (plausible_date(moment, now) for moment in dates)
    return with_keys(
        ParsedEntry(
            block=block,
            guid=link[:2048],
            link=display_link(link),
            title=title,
            summary="",
            published=published or updated,
            updated=updated,
            language=language,
        )
    )


def _parts(text: str, name: str) -> Iterator[str]:
    """The elements of this name, which do not hold each other."""
    start = -1
    for tag in _URL.finditer(text):
        if tag[2] != name:
            continue
        if not tag[1]:
            start = tag.end()
        elif start >= 0:
            yield text[start : tag.start()]
            start = -1


def _within(text: str, tag: re.Pattern[str]) -> str:
    """What stands in the first element of this kind; empty where there is none."""
    opened = next((match for match in tag.finditer(text) if not match[1]), None)
    closed = next((match for match in tag.finditer(text) if match[1]), None)
    return text[opened.end() : closed.start()] if opened and closed else ""


def _value(text: str, name: str) -> str:
    """The text of the first element of this name, with its references resolved."""
    element = _ELEMENTS[name].search(text)
    if element is None:
        return ""
    value = element[1]
    if value.startswith("<![CDATA["):
        return value[9:].removesuffix("]]>").strip()
    return html.unescape(value).strip()
