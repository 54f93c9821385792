"""Find the feeds that a web page links to, and guess addresses if there are none. Fetches nothing.

html.parser yields tags in order and builds no tree: it takes linear time for any page, while trees
take quadratic time for elements that are nested a hundred thousand deep.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal, cast
from urllib.parse import urldefrag, urlsplit

from bot.parse.charset import to_utf8
from bot.parse.document import absolute
from bot.parse.repair import mend
from bot.text.clean import cut, plain
from bot.text.url import host, safe_link

MAX_PAGE_BYTES = 2_000_000  #: of a page that are parsed
MAX_FEEDS = 20  #: of a page
MAX_GUESSES = 6  #: addresses to try for a page without feeds
_TITLE = 100  # characters
_MAX_LINKS = 500  # of a page that are considered

FeedFormat = Literal["rss", "atom", "json", ""]

_TYPES: dict[str, FeedFormat] = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",  # JSON Feed 1.1
    "application/json": "json",  # JSON Feed 1.0, and much else
}
_CHARSET = re.compile(
    rb"""<meta[^>]{1,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE
)
_LONG_NUMBER = re.compile(r"&#(?=[0-9]{8}|[xX][0-9a-fA-F]{8})")
_PATH = re.compile(
    r"(?:^|[/._?&=-])(?:rss2?|atom|feeds?|rdf|index\.xml|feed\.json)(?:$|[/._?&=-])", re.IGNORECASE
)
_WORD = re.compile(r"\b(?:rss|atom|feeds?|newsfeed)\b", re.IGNORECASE)
_MAX_WORDS = 5  # of the text of a link; longer ones are headlines
_KIND = re.compile(r"(?<![a-z])(atom|rss|json)(?![a-z])")
_COMMENTS = re.compile(
    r"\b(?:comm?ent(?:s|aires?|[aá]rios?)?|kommentare?|комментари\w*|коментар\w*)\b", re.IGNORECASE
)
# Services that pages link to with the address of a feed.
_FEED_READERS = frozenset(
    "feedly.com inoreader.com newsblur.com theoldreader.com validator.w3.org".split()
)

_USUAL_PATHS = ("feed", "rss", "rss.xml", "atom.xml", "feed.xml", "index.xml")
_SECTION = re.compile(r"/(?!\d+(?:/|$))([\w~-]{1,60})(?:/|$)", re.ASCII)
# Rules that sites publish: host without `www.`, path and query of a page to the address of its
# feed. The first match counts.
_SITE_RULES = tuple(
    (re.compile(page, re.ASCII), feed)
    for page, feed in (
        (
            r"(?:m\.)?youtube\.com/channel/(UC[\w-]{22})(?:[/?].*)?",
            "https://www.youtube.com/feeds/videos.xml?channel_id={0}",
        ),
        (
            r"(?:m\.)?youtube\.com/playlist\?(?:.*&)?list=([\w-]{10,64})(?:&.*)?",
            "https://www.youtube.com/feeds/videos.xml?playlist_id={0}",
        ),
        (r"(?:m\.)?youtube\.com(?:/.*)?", ""),
        (
            r"(?:old\.|new\.)?reddit\.com/r/(\w{2,40})(?:[/?].*)?",
            "https://www.reddit.com/r/{0}/.rss",
        ),
        (
            r"github\.com/([\w.-]+)/([\w.-]+)(?:/releases)?/?",
            "https://github.com/{0}/{1}/releases.atom",
        ),
        (r"github\.com/([\w.-]+)/([\w.-]+)/tags/?", "https://github.com/{0}/{1}/tags.atom"),
        (r"medium\.com/(@[\w.-]+)(?:[/?].*)?", "https://medium.com/feed/{0}"),
        (r"([\w-]+)\.substack\.com(?:[/?].*)?", "https://{0}.substack.com/feed"),
        (r"[^/?]+/(@\w{1,60})/?", "{site}/{0}.rss"),  # Mastodon and compatible software
    )
)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page links to."""

    url: str  #: absolute, http or https
    title: str  #: as on the page, at most 100 characters; may be empty
    kind: FeedFormat  #: as declared by the page; empty if it is not


def feed_links(page: bytes, base: str, content_type: str = "") -> tuple[FeedLink, ...]:
    """Return at most MAX_FEEDS feeds that a page links to, feeds of comments last.

    Those of `<link rel="alternate">` (RSS Advisory Board, "RSS Autodiscovery"). If there are none,
    links that look like feeds by their address, then those that do by their text. `base` is the
    address of the page, `content_type` its header. The first MAX_PAGE_BYTES bytes are parsed.
    """
    parser = _LinkParser()
    parser.feed(_text(page, content_type))  # no `close`, which parses a broken end repeatedly
    base_url = absolute(parser.base, base) or base
    anchors = sorted(parser.anchors, key=lambda anchor: not _has_feed_url(anchor[0]))
    feeds = _resolved(parser.links, base_url, base) or _resolved(anchors, base_url, base)
    return tuple(sorted(feeds, key=_is_for_comments))[:MAX_FEEDS]


def _resolved(
    candidates: Iterable[tuple[str, str, FeedFormat]], base_url: str, base: str
) -> list[FeedLink]:
    """The candidates with absolute, unique addresses, without feed readers and the page itself."""
    links: dict[str, FeedLink] = {}
    for href, title, kind in candidates:
        url = absolute(href, base_url)
        if url and host(url) not in _FEED_READERS and urldefrag(url).url != urldefrag(base).url:
            links.setdefault(url, FeedLink(url, cut(plain(title), _TITLE), kind))
    return list(links.values())


def _text(page: bytes, content_type: str) -> str:
    """Decode a page, and change what html.parser raises at: unknown sections and huge numbers."""
    if len(page) > MAX_PAGE_BYTES:
        page = page[:MAX_PAGE_BYTES].rpartition(b">")[0]  # between characters
    declared = _CHARSET.search(page[:1024])  # HTML §13.2.3.2: the header, then the first 1024 bytes
    if declared and "charset" not in content_type.lower():
        content_type = f"text/html; charset={declared.group(1).decode('ascii')}"
    text = mend(to_utf8(page, content_type)).decode()
    return _LONG_NUMBER.sub("&amp;#", text.replace("<![", "<! "))


class _LinkParser(HTMLParser):
    """Collects the links to feeds: addresses as written, titles and formats."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.links: list[tuple[str, str, FeedFormat]] = []
        self.anchors: list[tuple[str, str, FeedFormat]] = []
        self._open: str | None = None  # the address of the anchor that is open
        self._texts: list[str] = []  # title and text of the open anchor

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"link", "a", "base", "img"}:
            return
        attributes = {name: value for name, value in reversed(attrs) if value}
        if tag == "link":
            self._add_link(attributes)
        elif tag == "base":
            self.base = self.base or attributes.get("href", "")
        elif tag == "img":
            self.handle_data(attributes.get("alt", ""))
        else:
            self._end_anchor()
            self._open = attributes.get("href")
            self._texts = [attributes.get("title", ""), attributes.get("aria-label", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_anchor()

    def handle_data(self, data: str) -> None:
        if self._open is not None and len(self._texts) < 20:
            self._texts.append(data[:200])

    def _add_link(self, attributes: dict[str, str]) -> None:
        kind = _TYPES.get(attributes.get("type", "").partition(";")[0].strip().lower())
        href, title = attributes.get("href", ""), attributes.get("title", "")
        if (
            not (href and kind and "alternate" in attributes.get("rel", "").lower().split())
            or len(self.links) >= _MAX_LINKS
        ):
            return
        if attributes["type"].lower().startswith("application/json") and not (
            _has_feed_url(href) or _WORD.search(title)
        ):
            return  # WordPress declares its API like this
        self.links.append((href, title[:500], kind))

    def _end_anchor(self) -> None:
        href, self._open = self._open, None
        if not href or len(self.anchors) >= _MAX_LINKS:
            return
        stripped = (" ".join(text.split()) for text in self._texts)
        text = " ".join(dict.fromkeys(part for part in stripped if part))
        if _has_feed_url(href) or (len(text.split()) <= _MAX_WORDS and _WORD.search(text)):
            self.anchors.append((href, text[:500], _format_of_url(href)))


def _has_feed_url(href: str) -> bool:
    try:
        parts = urlsplit(href[:2048])
    except ValueError:
        return False
    return bool(_PATH.search(f"{parts.path}?{parts.query}"))


def _format_of_url(href: str) -> FeedFormat:
    formats = _KIND.findall(href[:2048].lower())
    return cast("FeedFormat", formats[-1]) if formats else ""


def _is_for_comments(link: FeedLink) -> bool:
    return bool(_COMMENTS.search(link.title) or _COMMENTS.search(urlsplit(link.url).path))


def guessed_urls(base: str) -> tuple[str, ...]:
    """Return at most MAX_GUESSES addresses where the feed of a page may be, best first.

    All are of the same site. If the site publishes a rule for its feeds, the address by that rule
    or none; else the usual paths, below the section of the page and of the whole site.
    """
    if not safe_link(base):
        return ()
    parts = urlsplit(base)
    site = f"{parts.scheme}://{parts.netloc}"
    page = f"{host(base)}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    for pattern, feed in _SITE_RULES:
        match = pattern.fullmatch(page)
        if match:
            return (feed.format(*match.groups(), site=site),) if feed else ()
    return tuple(url for url in _usual_urls(site, parts.path) if url != base)[:MAX_GUESSES]


def _usual_urls(site: str, path: str) -> Iterator[str]:
    section = _SECTION.match(path)
    if section:
        yield from (
            f"{site}/{section.group(1)}/{usual}" for usual in _USUAL_PATHS[:1] + _USUAL_PATHS[2:3]
        )
    yield from (f"{site}/{usual}" for usual in _USUAL_PATHS)
