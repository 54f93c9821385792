"""The feeds that a web page names, and addresses worth a try where it names none. Nothing is fetched; whether a feed is there is not known.

html.parser gives tags in order and builds no tree: its time is linear whatever the page holds, while the tree of a page whose elements
lie a hundred thousand deep takes the square of that.
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

MAX_PAGE_BYTES = 2_000_000  #: bytes of a page
MAX_FEEDS = 20  #: feeds that a page names
MAX_GUESSES = 6  #: addresses worth a try
_TITLE = 100  # characters
_CANDIDATES = 500  # links looked at before the best are chosen

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
_ENDLESS = re.compile(r"&#(?=[0-9]{8}|[xX][0-9a-fA-F]{8})")
_PATH = re.compile(
    r"(?:^|[/._?&=-])(?:rss2?|atom|feeds?|rdf|index\.xml|feed\.json)(?:$|[/._?&=-])", re.IGNORECASE
)
_WORD = re.compile(r"\b(?:rss|atom|feeds?|newsfeed)\b", re.IGNORECASE)
_FEW = 5  # words of a link at most; more is a headline
_KIND = re.compile(r"(?<![a-z])(atom|rss|json)(?![a-z])")
_COMMENTS = re.compile(
    r"\b(?:comm?ent(?:s|aires?|[aá]rios?)?|kommentare?|комментари\w*|коментар\w*)\b", re.IGNORECASE
)
# Services to which a page sends a feed's address. What is found there is theirs.
_READERS = frozenset(
    "feedly.com inoreader.com newsblur.com theoldreader.com validator.w3.org".split()
)

_PLACES = ("feed", "rss", "rss.xml", "atom.xml", "feed.xml", "index.xml")
_SECTION = re.compile(r"/(?!\d+(?:/|$))([\w~-]{1,60})(?:/|$)", re.ASCII)
# Host without `www.`, path and query of a page to the address of its feed, as the sites publish it; the first that fits counts.
_RULES = tuple(
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
        (r"[^/?]+/(@\w{1,60})/?", "{site}/{0}.rss"),  # Mastodon, and what is built as it is
    )
)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names."""

    url: str  #: absolute, http or https
    title: str  #: what the page calls it, at most 100 characters; may be empty
    kind: FeedFormat  #: what the page says it is; empty where it does not say


def feed_links(page: bytes, base: str, content_type: str = "") -> tuple[FeedLink, ...]:
    """The feeds that a web page names, at most MOST, feeds of comments last; `base` is the page's address, `content_type` its header.

    Those of `<link rel="alternate">` (RSS Advisory Board, "RSS Autodiscovery"); where there are none, links of the page that speak of
    a feed, first by their address, then by their words. The first LOOKED_AT bytes are looked at.
    """
    reader = _Reader()
    reader.feed(
        _text(page, content_type)
    )  # without `close`, which would read a broken end again and again
    within = absolute(reader.base, base) or base
    anchors = sorted(reader.anchors, key=lambda one: not _speaks_by_address(one[0]))
    found = _resolved(reader.links, within, base) or _resolved(anchors, within, base)
    return tuple(sorted(found, key=_of_comments))[:MAX_FEEDS]


def _resolved(
    candidates: Iterable[tuple[str, str, FeedFormat]], within: str, base: str
) -> list[FeedLink]:
    """The candidates with absolute addresses, each address once, without those of services and of the page itself."""
    found: dict[str, FeedLink] = {}
    for href, title, kind in candidates:
        url = absolute(href, within)
        if url and host(url) not in _READERS and urldefrag(url).url != urldefrag(base).url:
            found.setdefault(url, FeedLink(url, cut(plain(title), _TITLE), kind))
    return list(found.values())


def _text(page: bytes, content_type: str) -> str:
    """The page with what html.parser would stumble over mended: it raises at unknown sections and at numbers of thousands of digits."""
    if len(page) > MAX_PAGE_BYTES:
        page = page[:MAX_PAGE_BYTES].rpartition(b">")[0]  # between characters
    named = _CHARSET.search(
        page[:1024]
    )  # HTML §13.2.3.2: the header first, then the first 1024 bytes
    if named and "charset" not in content_type.lower():
        content_type = f"text/html; charset={named.group(1).decode('ascii')}"
    text = mend(to_utf8(page, content_type)).decode()
    return _ENDLESS.sub("&amp;#", text.replace("<![", "<! "))


class _Reader(HTMLParser):
    """Gathers what a page says of feeds: addresses as they stand there, with titles and kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.links: list[tuple[str, str, FeedFormat]] = []
        self.anchors: list[tuple[str, str, FeedFormat]] = []
        self._open: str | None = None  # the address of the anchor that is open
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"link", "a", "base", "img"}:
            return
        said = {name: value for name, value in reversed(attrs) if value}
        if tag == "link":
            self._link(said)
        elif tag == "base":
            self.base = self.base or said.get("href", "")
        elif tag == "img":
            self.handle_data(said.get("alt", ""))
        else:
            self._end_anchor()
            self._open = said.get("href")
            self._said = [said.get("title", ""), said.get("aria-label", "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_anchor()

    def handle_data(self, data: str) -> None:
        if self._open is not None and len(self._said) < 20:
            self._said.append(data[:200])

    def _link(self, said: dict[str, str]) -> None:
        kind = _TYPES.get(said.get("type", "").partition(";")[0].strip().lower())
        href, title = said.get("href", ""), said.get("title", "")
        if (
            not (href and kind and "alternate" in said.get("rel", "").lower().split())
            or len(self.links) >= _CANDIDATES
        ):
            return
        if said["type"].lower().startswith("application/json") and not (
            _speaks_by_address(href) or _WORD.search(title)
        ):
            return  # WordPress names its programming interface in this way
        self.links.append((href, title[:500], kind))

    def _end_anchor(self) -> None:
        href, self._open = self._open, None
        if not href or len(self.anchors) >= _CANDIDATES:
            return
        said = " ".join(
            dict.fromkeys(word for one in self._said if (word := " ".join(one.split())))
        )
        if _speaks_by_address(href) or (len(said.split()) <= _FEW and _WORD.search(said)):
            self.anchors.append((href, said[:500], _kind_by_address(href)))


def _speaks_by_address(href: str) -> bool:
    try:
        parts = urlsplit(href[:2048])
    except ValueError:
        return False
    return bool(_PATH.search(f"{parts.path}?{parts.query}"))


def _kind_by_address(href: str) -> FeedFormat:
    named = _KIND.findall(href[:2048].lower())
    return cast("FeedFormat", named[-1]) if named else ""


def _of_comments(one: FeedLink) -> bool:
    return bool(_COMMENTS.search(one.title) or _COMMENTS.search(urlsplit(one.url).path))


def guessed_urls(base: str) -> tuple[str, ...]:
    """Addresses at which a feed may be, best first, at most GUESSES, all of the page's site; for a page that names none.

    Where a site's own published rule gives the feed of a page there is that address, or none. Otherwise the usual places, of the part of
    the site that the page is in and of the whole.
    """
    if not safe_link(base):
        return ()
    parts = urlsplit(base)
    site = f"{parts.scheme}://{parts.netloc}"
    place = f"{host(base)}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    for page, feed in _RULES:
        found = page.fullmatch(place)
        if found:
            return (feed.format(*found.groups(), site=site),) if feed else ()
    return tuple(one for one in _usual(site, parts.path) if one != base)[:MAX_GUESSES]


def _usual(site: str, path: str) -> Iterator[str]:
    section = _SECTION.match(path)
    if section:
        yield from (f"{site}/{section.group(1)}/{place}" for place in _PLACES[:1] + _PLACES[2:3])
    yield from (f"{site}/{place}" for place in _PLACES)
