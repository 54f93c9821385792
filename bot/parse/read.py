"""Parse the body of a response: known blocks are removed before the rest is read.

    JSON Feed? | find blocks | drop known ones | to UTF-8 | extract fields | entries

Pure, and run in a process that can be killed. `cut_known_blocks` is cheap enough to run anywhere.
"""

import re
import time
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model.entries import ParsedDocument, ParsedEntry, ParseFailed, ParseOutcome
from bot.model.feeds import Failure
from bot.parse.blocks import Block, prune, scan
from bot.parse.charset import charset_of, decode, is_wide, to_utf8
from bot.parse.dates import DateStyle, read_date
from bot.parse.document import absolute, date_style, feed_hints, to_entry
from bot.parse.extract import Cut, Extract, extract_blocks, extract_whole
from bot.parse.hubs import hub_of_document
from bot.parse.jsonfeed import read_json_feed
from bot.parse.repair import fault
from bot.parse.sitemap import is_sitemap, read_sitemap
from bot.parse.tombstones import MARK, withdrawn_keys
from bot.text.clean import HEADLINE_LENGTH
from bot.text.clean import title as clean_title

MAX_NEW_ENTRIES = 500  #: new entries parsed of a document; the others are only remembered
_DATE = re.compile(rb"<(?:pubDate|published|updated|dc:date)[^>]*>\s*([^<]{8,100})<")
_CHALLENGE = re.compile(
    rb"just a moment|attention required|cf-chl|challenge-platform|captcha|ddos-guard|enable "
    rb"javascript and cookies",
    re.IGNORECASE,
)
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_HTML = re.compile(
    rb"^\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class NewBlocks:
    """A document without its known blocks."""

    body: bytes  #: empty if nothing is new
    charset: str  #: of the whole document, as Python's codec
    blocks: tuple[bytes, ...]  #: hashes of all blocks of the document in order


def cut_known_blocks(body: bytes, content_type: str, known: frozenset[bytes]) -> NewBlocks | None:
    """Remove the known blocks of a document; None if the whole document has to be parsed."""
    if _is_json(body) or MARK in body:
        return None
    text, charset = _scannable(body, content_type)
    blocks = scan(text, charset)
    if not blocks or not _END.search(text, blocks[-1].end):
        return None
    fresh = frozenset(position for position, block in enumerate(blocks) if block.hash not in known)
    return NewBlocks(
        prune(text, blocks, fresh) if fresh else b"",
        charset,
        tuple(block.hash for block in blocks),
    )


def read_document(
    body: bytes,
    content_type: str,
    url: str,
    known: frozenset[bytes],
    now: datetime,
    truncated: bool = False,
    charset: str = "",
) -> ParseOutcome:
    """Return the new or changed entries of a document, and how long that took. Does not raise.

    `charset` is that of the whole document, where the body is what is left of one.
    """
    began = time.process_time()
    outcome = _read_document(body, content_type, url, known, now, truncated, charset)
    if isinstance(outcome, ParseFailed):
        return outcome
    withdrawn = _withdrawn(body, content_type) if MARK in body else ()
    return replace(outcome, withdrawn=withdrawn, seconds=time.process_time() - began)


def _withdrawn(body: bytes, content_type: str) -> tuple[bytes, ...]:
    """The entries that the document has taken back, and does not have itself."""
    return withdrawn_keys(to_utf8(body, content_type), "utf-8")


def _read_document(
    body: bytes,
    content_type: str,
    url: str,
    known: frozenset[bytes],
    now: datetime,
    truncated: bool,
    charset: str,
) -> ParseOutcome:
    if _is_json(body):
        document = read_json_feed(decode(body, content_type), url, known, now, MAX_NEW_ENTRIES)
        return document or ParseFailed(
            Failure.NOT_A_FEED, "The address answers with JSON that is not a JSON Feed."
        )
    text, charset = _scannable(body, content_type, charset)
    if is_sitemap(text):
        return read_sitemap(text, charset, url, known, now, MAX_NEW_ENTRIES, truncated=truncated)
    if _HTML.match(text[:5000].lstrip(b"\xef\xbb\xbf")):
        return _no_feed(text)
    blocks = scan(text, charset)
    if not blocks:
        return _read_whole(to_utf8(text, content_type, charset), url, now, truncated)
    fresh = tuple(position for position, block in enumerate(blocks) if block.hash not in known)
    chosen = _newest(text, blocks, fresh)
    taken = frozenset(chosen)
    extract = extract_blocks(Cut(text, charset, blocks), chosen)
    if extract is None:  # the scan was wrong
        return _read_whole(to_utf8(text, content_type, charset), url, now, truncated)
    return _document(
        extract,
        text[: blocks[0].start] + text[blocks[-1].end :],
        url,
        now,
        blocks=tuple(block.hash for block in blocks),
        cut=tuple(blocks[position].hash for position in fresh if position not in taken),
        truncated=truncated or not _END.search(text, blocks[-1].end),
    )


def _read_whole(text: bytes, url: str, now: datetime, truncated: bool) -> ParseOutcome:
    error = fault(text)
    at_end = truncated or (error is not None and error[1])
    extract = extract_whole(text)
    if not extract.is_feed:
        return _no_feed(text)
    # feedparser returns the last entry half filled.
    entries = extract.entries[:-1] if at_end else extract.entries
    extract = replace(extract, entries=entries[:MAX_NEW_ENTRIES])
    return _document(extract, text, url, now, truncated=at_end)


def _is_json(body: bytes) -> bool:
    return body[:100].lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n")[:1] == b"{"


def _scannable(body: bytes, content_type: str, charset: str = "") -> tuple[bytes, str]:
    """The document as bytes in which a tag begins with `<`, and their charset."""
    charset = charset or charset_of(body, content_type)
    return (to_utf8(body, content_type, charset), "utf-8") if is_wide(body) else (body, charset)


def _document(
    extract: Extract,
    head: bytes,
    base: str,
    now: datetime,
    *,
    blocks: tuple[bytes, ...] = (),
    cut: tuple[bytes, ...] = (),
    truncated: bool,
) -> ParsedDocument:
    feed = extract.feed
    entries, faulty = _entries(extract, base, now)
    home = absolute(feed.link, base) if feed.link else ""
    return ParsedDocument(
        entries=tuple(entry if entry.link else replace(entry, link=home) for entry in entries),
        blocks=blocks,
        cut=cut,
        title=clean_title(feed.title, length=HEADLINE_LENGTH),
        link=home,
        language=feed.language,
        hints=feed_hints(feed, head),
        hub=hub_of_document(head, base),
        skipped=len(extract.entries) - faulty - len(entries),
        faulty=extract.faulty + faulty,
        truncated=truncated,
    )


def _entries(extract: Extract, base: str, now: datetime) -> tuple[list[ParsedEntry], int]:
    """The entries of a document, and how many of them cannot be converted."""
    style = date_style(extract.feed, (fields for fields, _ in extract.entries))
    entries: list[ParsedEntry] = []
    faulty = 0
    for fields, block in extract.entries:
        try:
            entry = to_entry(fields, block, base, now, style)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (an item costs itself, not its feed)
            faulty += 1
            continue
        if entry:
            entries.append(entry)
    return entries, faulty


def _newest(text: bytes, blocks: tuple[Block, ...], fresh: tuple[int, ...]) -> tuple[int, ...]:
    """At most MAX_NEW_ENTRIES positions: the first, or the last if oldest entries come first."""
    if len(fresh) <= MAX_NEW_ENTRIES:
        return fresh
    first, last = (
        _date(text[blocks[position].start : blocks[position].end])
        for position in (fresh[0], fresh[-1])
    )
    return fresh[-MAX_NEW_ENTRIES:] if first and last and last > first else fresh[:MAX_NEW_ENTRIES]


def _date(block: bytes) -> datetime | None:
    element = _DATE.search(block)
    if not element:
        return None
    return read_date(element.group(1).decode("utf-8", "replace"), DateStyle())


def _no_feed(text: bytes) -> ParseFailed:
    if _CHALLENGE.search(text[:50_000]):
        return ParseFailed(
            Failure.BLOCKED,
            "The site answers with a challenge page for browsers instead of the feed.",
        )
    if not text.strip():
        return ParseFailed(Failure.NOT_A_FEED, "The address answers with an empty body.")
    return ParseFailed(Failure.NOT_A_FEED, "The address answers with a page that is not a feed.")
