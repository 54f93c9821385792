"""Read a page that has no feed: CSS selectors say what on it is an article.

A row is known by its link, and where it has none by its headline, so rows that change place or
whose counts change are no news. Fetches nothing; `parse.page_proposal` finds selectors.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from bot.model.entries import EntryKeys, ParsedDocument, ParsedEntry, ParseFailed, ParseOutcome
from bot.model.feeds import Failure
from bot.model.sources import PageSource
from bot.parse.blocks import block_hash
from bot.parse.charset import decode
from bot.parse.dates import DateStyle, read_date, style_of
from bot.parse.document import absolute, plausible_date
from bot.parse.entry_keys import digest, with_keys
from bot.text import clean
from bot.text.counters import steady_headline, without_counters
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.markup import TextType
from bot.text.url import display_link, host, names_page

MAX_ITEMS = 500  #: of a page that are read
_DATE_LENGTH = 100  # code points of what may be a date


@dataclass(frozen=True, slots=True)
class _Row:
    """What the selectors give of an item."""

    title: str
    link: str  # absolute; empty where it has none
    time: str  # as written
    summary: str

    @property
    def steady(self) -> tuple[str, ...]:
        """What of it does not change by itself."""
        title, summary = steady_headline(self.title), without_counters(self.summary)
        return title, self.link, self.time, summary


def read_page(
    body: bytes,
    content_type: str,
    url: str,
    source: PageSource,
    known: frozenset[bytes],
    now: datetime,
    *,
    truncated: bool = False,
) -> ParseOutcome:
    """Return the new or changed articles of a page; a failure where its selectors find none."""
    tree = LexborHTMLParser(decode(body, content_type))
    items = tree.css(source.item)[:MAX_ITEMS]
    if not items:
        return _changed(f"the selector of items, {source.item!r}, finds nothing")
    base = absolute(_attribute(tree.css_first("base[href]"), "href"), url) or url
    rows = [row for item in items if (row := _row(item, source, base)) is not None]
    if not rows:
        return _changed(f"the {len(items)} items that it has are without a headline")
    language = clean.label(_attribute(tree.css_first("html[lang]"), "lang"), 20)
    style = style_of(language, [row.time for row in rows])
    blocks: list[bytes] = []
    entries: list[ParsedEntry] = []
    for row in dict.fromkeys(rows):
        block = block_hash(repr(row.steady).encode("utf-8", "surrogatepass"))
        blocks.append(block)
        if block not in known:
            entries.append(_entry(row, block, url, now, style))
    return ParsedDocument(
        entries=tuple(entries),
        blocks=tuple(blocks),
        title=_name(tree) or host(url),
        link=url,
        language=language,
        skipped=len(items) - len(rows),
        truncated=truncated,
    )


def _changed(what: str) -> ParseFailed:
    return ParseFailed(Failure.CHANGED_PAGE, f"The page reads differently than it used to: {what}.")


def _row(item: Any, source: PageSource, base: str) -> _Row | None:
    """What an item is; None where it has no headline."""
    if source.link:
        anchor = item.css_first(source.link)
    else:
        anchor = item if item.tag == "a" else item.css_first("a[href]")
    href = _attribute(anchor, "href")
    link = absolute(href, base) if href else ""
    heading = item.css_first(source.title) if source.title else anchor or item
    title = _text(heading, clean.TITLE_LENGTH)
    if not title:
        return None
    moment = item.css_first(source.time or "time")
    written = _attribute(moment, "datetime") or _text(moment, _DATE_LENGTH)
    summary = _text(item.css_first(source.summary), clean.SUMMARY_LENGTH) if source.summary else ""
    return _Row(
        title,
        display_link(link) if names_page(link) else "",
        written[:_DATE_LENGTH],
        summary,
    )


def _entry(row: _Row, block: bytes, url: str, now: datetime, style: DateStyle) -> ParsedEntry:
    language = language_of(f"{row.title} {row.summary}", style.language)
    moment = read_date(row.time, style, text_language=language) if row.time else None
    entry = with_keys(
        ParsedEntry(
            block=block,
            guid="",
            link=row.link or url,
            title=row.title,
            summary=row.summary,
            published=plausible_date(moment, now),
            language=language,
        )
    )
    if row.link:
        return entry
    name = folded_key(steady_headline(row.title)) or row.title
    return replace(entry, keys=EntryKeys(digest("guid", name), b"", entry.keys.title))


def _name(tree: Any) -> str:
    node = tree.css_first("title")
    text = str(node.text(deep=True)) if node is not None else ""
    return clean.title(text, TextType.TEXT, clean.HEADLINE_LENGTH)


def _attribute(node: Any, name: str) -> str:
    return clean.encodable(node.attributes.get(name) or "") if node is not None else ""


def _text(node: Any, length: int) -> str:
    """The text of an element as a clean line, its blocks apart."""
    return clean.title(node.html or "", TextType.HTML, length) if node is not None else ""
