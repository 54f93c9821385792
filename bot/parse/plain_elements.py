"""Elements of plain documents: their names for feedparser, and what it finds in them.

Raises NotPlain wherever feedparser would have to be asked. Not documents: those are `plain`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from bot.parse.feedparser_hooks import LONGEST_AUTHOR, SUMMARIES, TITLES, has_handler, prefix_of

_XML = "http://www.w3.org/XML/1998/namespace"
#: Attributes of every element.
LANG = f"{{{_XML}}}lang"
BASE = f"{{{_XML}}}base"
#: Local names of attributes that change how what is in their element is read; addresses even how
#: what comes after it is.
_BASES = frozenset(("base",))
_REACHING = frozenset(("base", "lang"))
_TYPES = {
    "text": "text/plain",
    "plain": "text/plain",
    "text/plain": "text/plain",
    "html": "text/html",
    "text/html": "text/html",
}
_PAGES = frozenset(("text/html", "application/xhtml+xml", "html", "xhtml"))
_LINK_ATTRIBUTES = frozenset(
    (
        "href",
        "rel",
        "type",
        "title",
        "hreflang",
        "length",
        "{http://purl.org/syndication/thread/1.0}count",
    )
)
_ENCLOSURE_ATTRIBUTES = frozenset(("url", "type", "length"))
_REFERENCE = re.compile("&([A-Za-z0-9_]+);")
_TYPED = frozenset(("title", "summary", "content"))
_PERSON = frozenset(("name", "uri", "url", "email"))
#: What may stand within an element.
_WITHIN = {
    "image": frozenset("url title link width height description".split()),
    "author": _PERSON,
    "contributor": _PERSON,
    "skiphours": frozenset(("hour",)),
    "skipdays": frozenset(("day",)),
    "itunes_owner": frozenset(("itunes_name", "itunes_email")),
    "itunes_category": frozenset(("itunes_category",)),
    "items": frozenset(("rdf_seq", "rdf_bag", "rdf_li")),
}
#: Elements that name categories, with the scheme that feedparser gives them.
CATEGORIES = {
    "category": None,
    "keywords": None,
    "dc_subject": None,
    "media_category": "http://search.yahoo.com/mrss/category_schema",
    "media_keywords": None,
    "itunes_category": "http://www.itunes.com/",
    "itunes_keywords": "http://www.itunes.com/",
}
_CATEGORY_ATTRIBUTES = frozenset(("term", "scheme", "domain", "label", "text", LANG))
_MOST_TAGS = 500  # each is compared with all of them
_MEDIA = frozenset(("media_content", "media_group"))
#: Names under which feedparser keeps what it has found: an unknown element may not have them.
_KEPT = frozenset(
    "title link links id guid guidislink summary description content author authors contributors "
    "publisher publishers tags source published issued updated date modified rights copyright "
    "tagline subtitle url href image textinput items entries channel feed svg math div".split()
)
_C1 = re.compile("[\x80-\x9f]")
_CP1252 = {
    code: bytes((code,)).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


class NotPlain(Exception):  # noqa: N818 (no fault of anybody's)
    """There is something of which feedparser decides what it means. Nobody sees it outside."""


class Names(dict[str, str]):
    """feedparser's names of elements, such as `dc_date`, by those of the tree."""

    #: Whether an element names what links are relative to: for feedparser, those behind it as well.
    have_base = False

    def __init__(self, declared: list[tuple[str, str]]) -> None:
        """Raises NotPlain where feedparser, which knows no scopes, would confuse prefixes."""
        super().__init__()
        self._meanings = {_XML: "xml"}  # of a namespace: the prefix that it has for feedparser
        bound: dict[str, tuple[str, str]] = {}
        unknown: dict[str, str] = {}
        for prefix, uri in dict.fromkeys(declared):
            known = prefix_of(uri)
            meaning = prefix.lower() if known is None else known
            if not uri:
                raise NotPlain
            if known is None and bool(unknown.setdefault(uri, meaning)) != bool(meaning):
                raise NotPlain
            if prefix and bound.setdefault(prefix.lower(), (uri, meaning)) != (uri, meaning):
                raise NotPlain
            self._meanings.setdefault(uri, meaning)
        used = Counter(filter(None, self._meanings.values()))
        if any(used[meaning] > 1 for meaning in unknown.values()):
            raise NotPlain
        if any(bound.get(meaning, ("", meaning))[1] != meaning for meaning in used):
            raise NotPlain

    def __missing__(self, tag: str) -> str:
        space, _, local = tag.rpartition("}")
        prefix = self._meanings[space[1:]] if space else ""
        name = self[tag] = (f"{prefix}_{local}" if prefix else local).lower()
        return name


def _value(text: str | None) -> str:
    """The text of an element, with feedparser's corrections of wrong charsets."""
    value = (text or "").strip()
    if value.isascii():
        return value
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")
    return value.translate(_CP1252) if _C1.search(value) else value


class Found:
    """What was found of an entry or a feed so far."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.fields: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.link: str | None = None
        self.alternates: list[tuple[bool, str]] = []
        self.enclosures: list[str] = []
        self.authors: list[str] = []
        self.tags: list[dict[str, str | None]] = []  # as feedparser has them
        self.language = ""  # of the headline
        self.others: dict[str, tuple[str, str] | None] = {}  # text and type of what may stand in

    def text(self, element: Element, name: str) -> None:
        """A field that is the text of an element."""
        if len(element):
            raise NotPlain
        value = self.fields[name] = _value(element.text)
        is_permalink = name == "guid"
        for key, attribute in element.items():
            if key == "type" and name in _TYPED and attribute.lower() in _TYPES:
                self.types[name] = _TYPES[attribute.lower()]
            elif key == "isPermaLink" and name == "guid":
                is_permalink = attribute == "true"
            elif key == LANG and name in _TYPED and attribute:
                self.language = attribute.replace("_", "-") if name == "title" else self.language
            elif key == BASE and name in _TYPED:
                check_base(attribute)
            else:
                raise NotPlain
        if is_permalink and self.link is None:
            self.link = value

    def link_of(self, element: Element, _: str) -> None:
        """A link, as text or as an attribute."""
        attributes = dict(element.items())
        if len(element):
            raise NotPlain
        if not attributes:
            value = self.link = self._whole(_reference(_value(element.text)))
            self.alternates += [(False, value)] if value else []
            return
        if not attributes.get("href") or not _LINK_ATTRIBUTES.issuperset(attributes):
            raise NotPlain
        relation = attributes.get("rel", "alternate").lower()
        default = "application/atom+xml" if relation == "self" else "text/html"
        kind = attributes.get("type", default).lower()
        href = self._whole(attributes["href"])
        if relation == "alternate":
            self.alternates.append(("html" not in kind, href))
            if kind in _PAGES:
                self.link = href
        elif relation == "enclosure":
            self.enclosures.append(href)

    def _whole(self, link: str) -> str:
        """A link that is the same whatever it is relative to."""
        if ":///" in link or (self.names.have_base and link and not _is_whole(link)):
            raise NotPlain
        return link

    def enclosure(self, element: Element, _: str) -> None:
        """An enclosure of RSS."""
        if len(element) or not element.get("url") or {*element.keys()} - _ENCLOSURE_ATTRIBUTES:
            raise NotPlain
        self.enclosures.append(element.get("url", ""))

    def source(self, element: Element, _: str) -> None:
        """The outlet of which an aggregator has the entry."""
        if len(element) or "source" in self.fields or {*element.keys()} - {"url"}:
            raise NotPlain
        self.fields["source"] = _value(element.text)

    def author(self, element: Element, _: str) -> None:
        """A person, as text or in parts."""
        if element.keys():
            raise NotPlain
        if not len(element):
            self.authors.append(_value(element.text)[:LONGEST_AUTHOR])
            return
        parts = {self.names[part.tag]: (part.text or "").strip() for part in element}
        if len(parts) < len(element) or (element.text or "").strip():
            raise NotPlain
        self.aside(element, "author")
        self.authors.append(parts.get("name") or parts.get("email") or "")

    def category(self, element: Element, name: str) -> None:
        """One category as text or attributes, or several as text."""
        if len(element) or not _CATEGORY_ATTRIBUTES.issuperset(element.keys()):
            raise NotPlain
        value, scheme = _value(element.text), CATEGORIES[name]
        if name.endswith("_keywords"):
            if element.keys():
                raise NotPlain
            for term in filter(None, map(str.strip, value.split(","))):
                self._tag(term, scheme, None)
            return
        if name == "itunes_category":
            self._tag(element.get("text"), scheme, None)
        else:
            scheme = element.get("scheme", element.get("domain", scheme))
            self._tag(element.get("term"), scheme, element.get("label"))
        if value and self.tags and not self.tags[-1]["term"]:
            self.tags[-1]["term"] = value
        elif value:
            self._tag(value, None, None)

    def _tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        tag = {"term": term, "scheme": scheme, "label": label}
        if (term or scheme or label) and tag not in self.tags:
            self.tags.append(tag)
        if len(self.tags) > _MOST_TAGS:
            raise NotPlain

    def other(self, element: Element, name: str) -> None:
        """An element that stands in for the headline or the text, should they be empty."""
        kind = element.get("type", "").lower()
        if len(element) or {*element.keys()} - {"type"} or (kind and kind not in _TYPES):
            raise NotPlain
        is_first = name not in self.others  # which of several it is depends on their depths
        self.others[name] = (_value(element.text), _TYPES.get(kind, "")) if is_first else None

    def first_other(self, names: Iterable[str]) -> tuple[str, str]:
        """Text and type of the first of these that has a text."""
        for name in names:
            text = self.others.get(name, ("", ""))
            if text is None:
                raise NotPlain
            if text[0]:
                return text
        return "", ""

    def aside(self, element: Element, name: str) -> None:
        """An element that is about nothing of what is read here."""
        if _has(element, _REACHING if len(element) else _BASES):
            raise NotPlain
        if not len(element):
            return
        allowed = _WITHIN.get(name, frozenset())
        inner = element.iter()
        next(inner)  # the element itself
        for part in inner:
            inner_name = self.names[part.tag]
            if name in _MEDIA:
                is_known = inner_name.startswith("media_")
            else:
                is_known = inner_name in allowed or (bool(allowed) and is_unknown(inner_name))
            if not is_known or _has(part, _REACHING):
                raise NotPlain
            if inner_name in TITLES or inner_name in SUMMARIES:
                self.other(part, inner_name)
            elif inner_name in CATEGORIES and name in _MEDIA:
                self.category(part, inner_name)


def is_unknown(name: str) -> bool:
    """Whether feedparser keeps an element of this name and does nothing else."""
    return name not in _KEPT and not name.endswith(("_detail", "_parsed")) and not has_handler(name)


def _has(element: Element, names: frozenset[str]) -> bool:
    """Whether an element has an attribute of one of these local names."""
    keys = element.keys()
    return bool(keys) and any(key.rpartition("}")[2].lower() in names for key in keys)


def has_reference(text: str) -> bool:
    """Whether feedparser would take something in a link for a reference to a character."""
    return bool(_REFERENCE.search(text))


def check_base(address: str) -> None:
    """Raises NotPlain unless links that are whole mean the same relative to this address."""
    if not _is_whole(address):
        raise NotPlain


def _is_whole(link: str) -> bool:
    """Whether it has all parts, written as Python's urljoin writes them."""
    if not link.startswith(("http://", "https://")):
        return False
    try:
        return all(urljoin(f"{scheme}://x.example/", link) == link for scheme in ("http", "https"))
    except ValueError:
        return False


def _reference(link: str) -> str:
    """A link without the signs that feedparser takes for a reference to a character."""
    return _REFERENCE.sub(r"&\1", link.replace("&amp;", "&")) if "&" in link else link
