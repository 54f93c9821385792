"""Read a feed document with feedparser: the reference for all documents. Not cleaning, no I/O."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import feedparser

from bot.parse import feedparser_hooks
from bot.parse.fields import EntryFields, FeedFields, declared_language, own_link

feedparser_hooks.keep_guids_verbatim()
feedparser_hooks.survive_elements()
feedparser_hooks.separate_elements()
feedparser_hooks.keep_declared_types()
feedparser_hooks.bound_texts()
feedparser_hooks.separate_authors()


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


def feed_fields(feed: Mapping[str, Any]) -> FeedFields:
    """Return what feedparser found of a document."""
    declared = feed.get("language") or (feed.get("title_detail") or {}).get("language") or ""
    return FeedFields(
        title=str(feed.get("title") or ""),
        link=str(feed.get("link") or ""),
        language=declared_language(declared),
        dates=tuple(str(feed[name]) for name in ("published", "updated") if name in feed),
        ttl=str(feed.get("ttl") or ""),
        period=str(feed.get("sy_updateperiod") or ""),
        frequency=str(feed.get("sy_updatefrequency") or ""),
    )


def entry_fields(raw: Mapping[str, Any]) -> EntryFields:
    """Return what feedparser found of an entry."""
    title, summary = (raw.get(name) or {} for name in ("title_detail", "summary_detail"))
    source = raw.get("source")
    texts = (
        (raw.get("summary"), summary),
        *((part.get("value"), part) for part in raw.get("content") or ()),
    )
    # For `get`, feedparser returns the date of publication as that of an update.
    published, updated = (
        str(raw[name]) if name in raw else None for name in ("published", "updated")
    )
    return EntryFields(
        title=str(raw.get("title") or ""),
        title_type=str(title.get("declared") or ""),
        language=str(title.get("language") or ""),
        guid=str(raw.get("id") or ""),
        links=tuple(str(link) for link in _links(raw) if link),
        texts=tuple((str(text), str(part.get("declared") or "")) for text, part in texts if text),
        authors=_authors(raw),
        source=str(source.get("title") or "") if isinstance(source, Mapping) else "",
        published=published,
        updated=updated,
        categories=tuple(_categories(raw)),
    )


def _links(raw: Mapping[str, Any]) -> Iterator[Any]:
    """Links that may be the entry's: its own, alternates with pages first, enclosures."""
    links = raw.get("links", ())
    yield raw.get("feedburner_origlink")
    yield own_link(str(raw.get("link") or ""), str(raw.get("id") or ""))
    alternates = [link for link in links if link.get("rel", "alternate") == "alternate"]
    alternates.sort(key=lambda link: "html" not in str(link.get("type", "text/html")))
    enclosures = [link for link in links if link.get("rel") == "enclosure"]
    yield from (link.get("href") for link in (*alternates, *enclosures))


def _categories(raw: Mapping[str, Any]) -> Iterator[str]:
    """The categories that an entry names, as people read them."""
    for tag in raw.get("tags") or ():
        name = (tag.get("label") or tag.get("term")) if isinstance(tag, Mapping) else None
        if isinstance(name, str):
            yield name


def _authors(raw: Mapping[str, Any]) -> tuple[str, ...]:
    written = (
        str(author.get("as_written") or author.get("name") or author.get("email") or "")
        for author in raw.get("authors") or ()
    )
    return tuple(filter(None, written)) or tuple(filter(None, [str(raw.get("author") or "")]))
