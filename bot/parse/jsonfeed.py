"""Parse JSON Feed (jsonfeed.org/version/1.1), which feedparser does not support.

Each item is a block, hashed as canonical JSON.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model.entries import ParsedDocument, ParsedEntry
from bot.parse.blocks import block_hash
from bot.parse.boilerplate import article_text
from bot.parse.dates import DateStyle, read_date, style_of
from bot.parse.document import AUTHORS_LENGTH, absolute, plausible_date
from bot.parse.entry_keys import with_keys
from bot.parse.hubs import hub_of_json_feed
from bot.parse.texts import categories_of, summary_and_body
from bot.text import clean
from bot.text.language import language_of
from bot.text.markup import TextType
from bot.text.url import display_link, safe_link

# An escape sequence of JSON: a pair of surrogates, half of one, or any other.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_DATES = ("date_published", "date_modified")
_MAX_DIGITS = 18  # of a number; a longer one stays text


def _author(item: Mapping[str, Any]) -> str:
    authors = item.get("authors") or [item.get("author")]
    names = [
        clean.label(author.get("name") or "", AUTHORS_LENGTH)
        for author in (authors if isinstance(authors, list) else [authors])
        if isinstance(author, Mapping)
    ]
    return clean.cut(", ".join(dict.fromkeys(filter(None, names))), AUTHORS_LENGTH)


def _texts(item: Mapping[str, Any], title: str) -> list[str]:
    """What an item says of itself: its summary, then its contents, those without text left out."""
    values = (
        (item.get("summary"), TextType.UNSURE),
        (item.get("content_text"), TextType.UNSURE),
        (item.get("content_html"), TextType.HTML),
    )
    texts = (article_text(str(value), kind, title) for value, kind in values if value)
    return [text for text in texts if text]


def _entry(
    item: Mapping[str, Any], block: bytes, base: str, now: datetime, style: DateStyle
) -> ParsedEntry | None:
    guid = item.get("id")
    name = (
        ""
        if guid is None
        else clean.plain((json.dumps(guid) if isinstance(guid, float) else str(guid))[:8192])
    )
    address = (
        item.get("url")
        or item.get("external_url")
        or (name if name.startswith(("http://", "https://")) else "")
    )
    attached = item.get("attachments")
    if not address and isinstance(attached, list) and attached and isinstance(attached[0], Mapping):
        address = attached[0].get("url") or ""
    link = absolute(str(address), base) if address else ""
    title = clean.title(str(item.get("title") or ""))
    text, body = summary_and_body(_texts(item, title))
    title = title or clean.cut(text, 100)
    if not (name or link or title):
        return None
    language = language_of(f"{title} {text}", str(item.get("language") or style.language))
    dates = [
        plausible_date(read_date(item.get(key) or "", style, text_language=language), now)
        for key in _DATES
    ]
    return with_keys(
        ParsedEntry(
            block=block,
            guid=name[:2048],
            link=display_link(link),
            title=title or link,
            summary=text,
            author=_author(item),
            published=dates[0],
            updated=dates[1],
            language=language,
            body=body,
            categories=categories_of(tags if isinstance(tags := item.get("tags"), list) else ()),
        )
    )


def read_json_feed(
    text: str, url: str, known: frozenset[bytes], now: datetime, limit: int
) -> ParsedDocument | None:
    """Return at most `limit` new items, the first ones; None if the text is no JSON Feed."""
    try:
        document = json.loads(_without_surrogates(text), parse_int=_int)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Mapping) or not isinstance(document.get("items"), list):
        return None
    if "jsonfeed.org" not in str(document.get("version") or "jsonfeed.org"):
        return None
    blocks: list[bytes] = []
    entries: list[ParsedEntry] = []
    cut: list[bytes] = []
    skipped = faulty = 0
    language = clean.label(document.get("language") or "", 20)
    style = style_of(
        language,
        (
            str(item[key])
            for item in document["items"]
            if isinstance(item, Mapping)
            for key in _DATES
            if key in item
        ),
    )
    for item in document["items"]:
        if not isinstance(item, Mapping):
            skipped += 1
            continue
        block = block_hash(json.dumps(item, sort_keys=True).encode())
        blocks.append(block)
        if block in known:
            continue
        if len(entries) >= limit:
            cut.append(block)
            continue
        try:
            entry = _entry(item, block, url, now, style)
        except Exception:  # noqa: BLE001 (an item costs itself, not its feed)
            faulty += 1
            continue
        if entry:
            entries.append(entry)
        else:
            skipped += 1
    home = safe_link(str(document.get("home_page_url") or ""))
    return ParsedDocument(
        entries=tuple(entry if entry.link else replace(entry, link=home) for entry in entries),
        blocks=tuple(blocks),
        cut=tuple(cut),
        title=clean.title(str(document.get("title") or ""), length=clean.HEADLINE_LENGTH),
        link=home,
        language=language,
        skipped=skipped,
        faulty=faulty,
        hub=hub_of_json_feed(document, url),
    )


def _without_surrogates(text: str) -> str:
    """The text of a document, without halves of surrogate pairs, however they are written."""
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda part: "\\ufffd" if part.group(1) else part.group(), text)
    return text


def _int(digits: str) -> int | str:
    """A number; a text where it has so many digits that Python refuses to read it."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits
