"""Read plain documents without feedparser: what it would say of them, in a tenth of the time.

A block is plain where nothing in it leaves feedparser a choice: elements that are known, each once,
without markup in them. Whatever is not listed here is not plain, and is left to feedparser: so is a
document whose head is not plain. The reading is by expat, as feedparser's is, so that characters,
references and blanks are the same. Not a reader of what is broken: that is not plain.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError, iterparse

from bot.parse.feedparser_hooks import SUMMARIES, TITLES
from bot.parse.fields import EntryFields, FeedFields, declared_language, own_link
from bot.parse.plain_elements import (
    BASE,
    CATEGORIES,
    LANG,
    Found,
    Names,
    NotPlain,
    check_base,
    has_reference,
    is_unknown,
)

_LARGEST = 4_000_000  # bytes of a document that is held as a tree
_BASE_ATTRIBUTE = re.compile(rb"base\s*=")
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
#: Local names of attributes of an item that change how it is read.
_READ_OF_ITEM = frozenset(("base", "lang", "href", "lastmod", "about"))
#: The field of an entry that is the text of an element.
_ENTRY = {
    "title": "title",
    "guid": "guid",
    "id": "guid",
    "description": "summary",
    "summary": "summary",
    "content": "content",
    "content_encoded": "content",
    "pubdate": "published",
    "published": "published",
    "issued": "published",
    "updated": "updated",
    "modified": "updated",
    "dc_date": "updated",
    "feedburner_origlink": "origin",
}
#: The same of a document.
_FEED = {
    "title": "title",
    "guid": "guid",
    "id": "guid",
    "pubdate": "published",
    "published": "published",
    "updated": "updated",
    "modified": "updated",
    "lastbuilddate": "updated",
    "dc_date": "updated",
    "language": "language",
    "dc_language": "language",
    "ttl": "ttl",
    "sy_updateperiod": "period",
    "sy_updatefrequency": "frequency",
}
#: What is done with the other elements of an entry.
_ELEMENTS = {
    "link": Found.link_of,
    "enclosure": Found.enclosure,
    "source": Found.source,
    **dict.fromkeys(("author", "dc_creator", "itunes_author"), Found.author),
    **dict.fromkeys(CATEGORIES, Found.category),
    **dict.fromkeys((*TITLES, *SUMMARIES), Found.other),
}
#: Elements with a handler of feedparser that is about nothing of what is read here.
_ASIDE = frozenset(
    "dc_publisher dc_rights dc_language rights copyright contributor itunes_explicit itunes_image "
    "itunes_subtitle itunes_block media_rating media_credit media_restriction media_license "
    "media_content media_thumbnail media_player media_group".split()
)
_ASIDE_IN_FEED = _ASIDE | frozenset(
    "description subtitle tagline generator managingeditor webmaster author cloud image items "
    "category keywords dc_creator dc_subject itunes_author itunes_owner itunes_category "
    "itunes_keywords media_category media_keywords admin_generatoragent "
    "admin_errorreportsto".split()
)


@dataclass(frozen=True, slots=True)
class PlainDocument:
    """A document whose head is plain."""

    feed: FeedFields
    entries: tuple[EntryFields | None, ...]  #: in document order; None: it is not plain


def read_plain(text: bytes) -> PlainDocument | None:
    """Read a document in UTF-8 without declaration; None if it is not plain."""
    if len(text) > _LARGEST or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return None
    events = iterparse(BytesIO(text), events=("start-ns",))  # noqa: S314 (it declares nothing)
    try:
        names = Names([(str(prefix), str(uri)) for _, (prefix, uri) in events])
        names.have_base = _have_base(text)
        return _document(events.root, names)  # type: ignore[attr-defined]  # it is documented
    except (ParseError, NotPlain):
        return None


def _have_base(text: bytes) -> bool:
    lowered = text.lower()
    return b"base" in lowered and bool(_BASE_ATTRIBUTE.search(lowered))


def _document(root: Element, names: Names) -> PlainDocument:
    kind, language = names[root.tag], root.get(LANG)
    if not {"version", LANG, BASE}.issuperset(root.keys()) or language == "":
        raise NotPlain
    if root.get(BASE):
        check_base(root.get(BASE, ""))
    if kind == "feed":
        parts, item = list(root), "entry"
    elif (kind == "rss" and len(root) == 1) or (kind == "rdf_rdf" and language is None):
        if not len(root) or names[root[0].tag] != "channel" or {*root[0].keys()} - {_ABOUT}:
            raise NotPlain
        parts, item = [*root[0], *root[1:]], "item"
    else:
        raise NotPlain
    language = (language or "").replace("_", "-")
    items = [part for part in parts if names[part.tag] == item]
    feed = _feed((part for part in parts if names[part.tag] != item), names, language)
    return PlainDocument(feed, tuple(_entry(item, names, language) for item in items))


def _feed(parts: Iterable[Element], names: Names, language: str) -> FeedFields:
    found = Found(names)
    for part in parts:
        name = names[part.tag]
        if name == "link":
            if has_reference(part.text or ""):  # read otherwise than that of an entry
                raise NotPlain
            found.link_of(part, name)
        elif field := _FEED.get(name):
            if field == "title" and "title" in found.fields:
                raise NotPlain
            found.text(part, field)
        elif name in _ASIDE_IN_FEED or is_unknown(name):
            found.aside(part, name)
        else:
            raise NotPlain
    if found.others:
        raise NotPlain
    fields = found.fields
    of_title = found.language or (language if "title" in fields else "")
    declared = fields.get("language", language) or of_title
    return FeedFields(
        title=fields.get("title", ""),
        link=found.link or "",
        language=declared_language(declared),
        dates=tuple(fields[name] for name in ("published", "updated") if name in fields),
        ttl=fields.get("ttl", ""),
        period=fields.get("period", ""),
        frequency=fields.get("frequency", ""),
    )


def _entry(item: Element, names: Names, language: str) -> EntryFields | None:
    found = Found(names)
    try:
        for part in item:
            _take(found, part, names[part.tag])
        return _fields(found, item, language)
    except NotPlain:
        return None


def _take(found: Found, part: Element, name: str) -> None:
    if field := _ENTRY.get(name):
        if field in found.fields:
            raise NotPlain
        found.text(part, field)
    elif take := _ELEMENTS.get(name):
        take(found, part, name)
    elif name in _ASIDE or is_unknown(name) or (name == "image" and not len(part)):
        found.aside(part, name)
    else:
        raise NotPlain


def _fields(found: Found, item: Element, language: str) -> EntryFields:
    fields, types = found.fields, found.types
    guid = fields.get("guid", "")
    for key, value in item.items():
        if key == _ABOUT:
            guid = guid if "guid" in fields else value
        elif key.rpartition("}")[2].lower() in _READ_OF_ITEM:
            raise NotPlain
    title, content = (fields.get("title", ""), types.get("title", "")), fields.get("content")
    summary = (fields.get("summary", content or ""), types.get("summary", ""))
    of_title = found.language or (language if "title" in fields else "")
    if found.others and not title[0] and (other := found.first_other(TITLES))[0]:
        title, of_title = other, language
    if found.others and not summary[0]:
        summary = found.first_other(SUMMARIES)
    own = own_link(found.link or "", guid)
    alternates = (href for _, href in sorted(found.alternates, key=lambda pair: pair[0]))
    links = (fields.get("origin"), own, *alternates, *found.enclosures)
    texts = (summary, (content, types.get("content", "")))
    return EntryFields(
        title=title[0],
        title_type=title[1],
        language=of_title,
        guid=guid,
        links=tuple(link for link in links if link),
        texts=tuple((text, kind) for text, kind in texts if text),
        authors=tuple(filter(None, found.authors)),
        source=fields.get("source", ""),
        published=fields.get("published"),
        updated=fields.get("updated"),
        categories=tuple(filter(None, (tag["label"] or tag["term"] for tag in found.tags))),
    )
