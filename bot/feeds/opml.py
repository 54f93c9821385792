"""Lists of feeds as other readers export and import them: OPML to values and back.

Not feeds.yaml; fetches and keeps nothing. Two thirds of the lists that people pass on are not
well-formed XML, so no XML parser reads them. The document is cut where an outline begins or ends,
and html.parser reads each start tag alone: an error in an outline stays within it, and there are
no entities to expand. All of it is linear in the size of the document.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html.parser import HTMLParser
from itertools import pairwise
from unicodedata import category, normalize
from xml.etree import ElementTree as ET

from bot.errors import OpmlError
from bot.parse.charset import to_utf8
from bot.parse.repair import fault, mend
from bot.text.channel_link import canonical_channel
from bot.text.clean import cut, plain, to_text
from bot.text.url import safe_link

MAX_SIZE = 10 * 1024 * 1024  #: bytes of a document
MAX_FEEDS = 20_000  #: addresses of a document
MAX_OUTLINES = 200_000  #: outlines of a document, folders and repetitions included
MAX_TAGS = 20  #: tags of a feed, the outermost folders first
_NAME_LENGTH = 100  # characters, as feeds.yaml allows
_TAG_LENGTH = 60
_ATTRIBUTE_LENGTH = 4096  # characters that are read of an attribute

_ROOT = re.compile(
    r"<(?:(opml|outline)|(html|!doctype\s{1,9}html)|(?:rdf:)?(rss|rdf|feed))(?=[\s/>])",
    re.IGNORECASE | re.ASCII,
)
_MARK = re.compile(r"<(/?)outline(?=[\s/>])", re.IGNORECASE | re.ASCII)
# Each alternative ends at the end of the text at the latest: a search for an end that is missing
# would start anew at every beginning.
_HIDDEN = re.compile(
    r"<!--.*?(?:(-->)|\Z)|<!\[CDATA\[.*?(?:(\]\]>)|\Z)|<!DOCTYPE[^<>\[]*\[.*?(?:(\]\s*>)|\Z)",
    re.DOTALL,
)
_RUN_ON = re.compile(r" [\w:]+ ?= ?$| ?/?>(?:[\"<> ].*)?$")
# What `\w` is in the pattern of feeds.yaml, which pydantic reads; Python's differs.
_WORD_CATEGORIES = frozenset("Lu Ll Lt Lm Lo Mn Mc Me Nd Pc".split())
_ADDRESS = re.compile(
    r"""\bxmlurl\s{0,9}=\s{0,9}["']?\s{0,9}(?:https?|feed):""", re.IGNORECASE | re.ASCII
)
_KINDS = frozenset({"rss", "atom", "feed"})


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed of a list."""

    url: str  #: http or https
    name: str  #: cleaned as headlines are, at most 100 characters; empty where the list gives none
    #: the folders around it, outermost first, then its categories; each valid in feeds.yaml
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feeds of a document."""

    feeds: tuple[ListedFeed, ...]  #: in the order of the document, each address once
    repaired: bool  #: it is not well-formed: names or folders may be wrong
    skipped: tuple[str, ...]  #: addresses that newsbell cannot poll


def read(document: bytes) -> FeedList:
    """The feeds of an OPML document, well-formed or not.

    An address in several folders comes once, with the tags of all. Raises OpmlError with a
    sentence for people where the document is no OPML, or exceeds MAX_SIZE, MAX_FEEDS or
    MAX_OUTLINES.
    """
    if len(document) > MAX_SIZE:
        raise OpmlError("The file is larger than {size} MB.", size=MAX_SIZE // 1024**2)
    whole = to_utf8(document, "").decode()
    # Other sections than those of _HIDDEN make html.parser raise.
    text = mend(_HIDDEN.sub(_without, whole).replace("<![", "<! [").encode()).decode()
    _demand_opml(text)
    feeds: dict[str, ListedFeed] = {}
    skipped: dict[str, None] = {}
    for tags, attributes in _outlines(text):
        named = _named(attributes)
        url = _address(named)
        if url:
            known = feeds.get(url) or ListedFeed(url, _name(attributes, named), ())
            feeds[url] = ListedFeed(
                url, known.name, _merged(known.tags, tags, _categories(attributes))
            )
        elif named:
            skipped[named[:200]] = None
        if len(feeds) + len(skipped) > MAX_FEEDS:
            raise OpmlError("The list has more than {limit} feeds.", limit=f"{MAX_FEEDS:,}")
    # No document with entities reaches `fault`, whose parser expands them.
    repaired = "<!ENTITY" in whole or fault(document) is not None
    return FeedList(tuple(feeds.values()), repaired, tuple(skipped))


def _without(hidden: re.Match[str]) -> str:
    """A comment, CDATA section or internal subset goes; if it is not closed, its beginning does."""
    return " " if hidden.lastindex else f" {hidden.group()[4:]}"


def _demand_opml(text: str) -> None:
    first = _ROOT.search(text)
    if first and first.group(1):
        return
    if not text.strip():
        raise OpmlError("The file is empty.")
    if text.startswith(("{", "[")):
        raise OpmlError("This is JSON, not OPML.")
    if first:
        if first.group(2):
            raise OpmlError("This is a web page, not OPML.")
        raise OpmlError("This is a feed, not a list of feeds.")
    raise OpmlError("This is not OPML: it has no outline.")


class _StartTag(HTMLParser):
    """The first start tag of a piece of text.

    Its attributes by their names in lower case, and whether it closes itself.
    """

    attributes: dict[str, str] | None = None
    empty = False

    def read(self, piece: str, *, closing: bool) -> None:
        """Read a piece that begins with the tag; with `closing`, a missing end is added."""
        self._begin(piece, closing=closing)
        known = self.attributes or {}
        astray = _ADDRESS.search(piece) if "xmlurl" not in known else None
        if astray:
            # Bare quotation marks and tags in a description ended the tag before its address.
            self._begin(f"<outline {piece[astray.start() :]}", closing=closing)
            self.attributes = (self.attributes or {}) | {
                name: _RUN_ON.sub("", value[:_ATTRIBUTE_LENGTH]) for name, value in known.items()
            }

    def _begin(self, piece: str, *, closing: bool) -> None:
        self.reset()
        self.attributes = None
        self.feed(piece)
        for missing in ('">', "'>") if closing else ():
            if self.attributes is None:
                self.feed(missing)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs, empty=False)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs, empty=True)

    def _take(self, tag: str, attrs: list[tuple[str, str | None]], *, empty: bool) -> None:
        if self.attributes is None and tag == "outline":
            self.empty = empty
            # Of two attributes with the same name the first counts.
            self.attributes = {name: value for name, value in reversed(attrs) if value}


def _outlines(text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Every outline with the tags of the folders around it.

    A feed holds no feeds: a feed that is still open where the next outline begins lacks its end
    tag. Otherwise all that follow would seem to lie within it, and their folders would never end.
    """
    around: list[tuple[str, ...]] = [()]  # what is within each open outline
    in_feed = False
    tag = _StartTag()
    starts = [mark.start() for mark in _MARK.finditer(text)]
    if len(starts) > 2 * MAX_OUTLINES:  # each has an end tag at most
        raise OpmlError("The list has more than {limit} entries.", limit=f"{MAX_OUTLINES:,}")
    # The outline at the end of a truncated document may have half an address.
    broken_off = starts[-1] if starts and not text.rstrip().endswith(">") else -1
    for start, end in pairwise([*starts, len(text)]):
        ends = text.startswith("</", start)
        if (ends or in_feed) and len(around) > 1:
            around.pop()
        in_feed = False
        if ends:
            continue
        tag.read(text[start:end], closing=start != broken_off)
        attributes = tag.attributes or {}
        yield around[-1], attributes
        if not tag.empty:
            in_feed = bool(_named(attributes))
            around.append(
                around[-1] if in_feed else _merged(around[-1], (_tag(_label(attributes)),))
            )


def _label(attributes: dict[str, str]) -> str:
    return attributes.get("text", "").strip() or attributes.get("title", "").strip()


def _name(attributes: dict[str, str], named: str) -> str:
    label = _label(attributes)
    return "" if label == named else cut(to_text(label[:_ATTRIBUTE_LENGTH]), _NAME_LENGTH)


def _named(attributes: dict[str, str]) -> str:
    """The address as it stands there, without what a missing quotation mark made a part of it."""
    named = attributes.get("xmlurl", "")
    if not named and attributes.get("type", "").lower() in _KINDS:
        named = attributes.get("url", "")
    return _RUN_ON.sub("", " ".join(named[:_ATTRIBUTE_LENGTH].split())).strip('"“”„»« ')


def _address(named: str) -> str:
    """The http(s) address of a feed as lists write it, `feed:` and `feed://` among them.

    Empty where it cannot be polled.
    """
    scheme, colon, rest = named.partition(":")
    if colon and scheme.lower() == "feed":
        bare = rest.lstrip("/")
        named = bare if bare.lower().startswith(("http://", "https://")) else f"http://{bare}"
    return canonical_channel(safe_link(named))


def _categories(attributes: dict[str, str]) -> Iterator[str]:
    """OPML 2.0: "a string of comma-separated slash-delimited category strings"."""
    for part in re.split(r"[,/]", attributes.get("category", "")[:_ATTRIBUTE_LENGTH]):
        yield _tag(part)


def _tag(text: str) -> str:
    """A folder's name as a tag: in lower case, with a hyphen for what a tag cannot hold."""
    lower = (
        normalize("NFC", to_text(text[:_ATTRIBUTE_LENGTH]).lower())
        .replace("'", "")
        .replace("’", "")
    )
    words = "".join(
        letter if letter == "." or category(letter) in _WORD_CATEGORIES else " " for letter in lower
    )
    return "-".join(words.split()).strip("-.")[:_TAG_LENGTH].rstrip("-.")


def _merged(*several: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for tags in several for tag in tags if tag))[:MAX_TAGS]


def write(feeds: Iterable[ListedFeed], title: str, at: datetime) -> bytes:
    """The feeds as OPML 2.0 in UTF-8; `at` is when it was made. `read` returns the same feeds.

    The format is http://opml.org/spec2.opml. Feeds without tags come first, the others in a folder
    for each first tag: Feedly and Miniflux know no folders within folders. Further tags are in
    `category`. Characters that XML forbids are dropped.
    """
    root = ET.Element("opml", version="2.0")
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = plain(title)
    ET.SubElement(head, "dateCreated").text = format_datetime(at.astimezone(UTC), usegmt=True)
    body = ET.SubElement(root, "body")
    folders: dict[str, list[ListedFeed]] = {"": []}
    for feed in feeds:
        folders.setdefault(feed.tags[0] if feed.tags else "", []).append(feed)
    for folder, inside in folders.items():
        label = plain(folder)
        parent = ET.SubElement(body, "outline", text=label, title=label) if label else body
        for feed in inside:
            url = plain(feed.url)
            # `text` is required; the address in its place is read as no name.
            name = plain(feed.name) or url
            outline = ET.SubElement(
                parent, "outline", type="rss", text=name, title=name, xmlUrl=url
            )
            if feed.tags[1:]:
                outline.set("category", plain(",".join(feed.tags[1:])))
    ET.indent(root)
    document = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()
