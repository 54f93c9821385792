"""Read robots.txt (RFC 9309): what newsbell may fetch of a site, how often, and its sitemaps.

Fetches nothing. urllib's reader takes the first rule that fits and knows no `*` within a path, so
it would allow what a site forbids; others make regular expressions of what strangers wrote, which
can take for ever. Here a path is compared piece by piece, in linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urljoin, urlsplit

from bot.text.url import safe_link

AGENT = "newsbell"  #: the name by which robots.txt may speak of newsbell
SIZE = 500 * 1024  #: bytes that are read (RFC 9309 §2.5)
LONGEST_DELAY = timedelta(minutes=10)  #: the most that Crawl-delay can ask for
MAX_SITEMAPS = 50
_LINE = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(r"[A-Za-z_-]+")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site asks of newsbell."""

    rules: tuple[tuple[str, bool], ...] = ()  #: patterns of paths, and whether they are allowed
    delay: timedelta | None = None  #: between two requests
    sitemaps: tuple[str, ...] = ()  #: absolute addresses

    def allows(self, url: str) -> bool:
        """Return whether an address of the site may be fetched: the longest rule decides."""
        parts = urlsplit(url)
        path = _normal(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
        if path == "/robots.txt":
            return True
        fitting = [
            (len(pattern), allowed) for pattern, allowed in self.rules if _fits(pattern, path)
        ]
        return max(fitting)[1] if fitting else True


NOTHING_FORBIDDEN = Robots()


def read_robots(body: bytes, url: str, agent: str = AGENT) -> Robots:
    """Return what a robots.txt at this address says to an agent."""
    groups: dict[bool, list[tuple[str, str]]] = {True: [], False: []}  # by whether it is named
    sitemaps: dict[str, None] = {}
    is_named = False
    agents: set[str] = set()
    in_rules = True
    for key, value in _lines(body):
        if key == "sitemap":
            if len(sitemaps) < MAX_SITEMAPS and (address := _absolute(value, url)):
                sitemaps[address] = None
        elif key == "user-agent":
            if in_rules:
                agents, in_rules = set(), False
            token = _TOKEN.match(value)
            agents.add("*" if value.startswith("*") else token[0].lower() if token else "")
            is_named = is_named or agent in agents
        elif key in {"allow", "disallow", "crawl-delay"}:
            in_rules = True
            for named in (True, False):
                if (agent if named else "*") in agents:
                    groups[named].append((key, value))
    lines = groups[is_named]
    rules = tuple(
        (_normal(value), key == "allow") for key, value in lines if key != "crawl-delay" and value
    )
    delays = [_seconds(value) for key, value in lines if key == "crawl-delay"]
    return Robots(rules, max(filter(None, delays), default=None), tuple(sitemaps))


def robots_url(url: str) -> str:
    """Return where the robots.txt of an address stands."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/robots.txt"


def _lines(body: bytes) -> Iterator[tuple[str, str]]:
    for line in _LINE.split(body[:SIZE].decode("utf-8", "replace").lstrip("\ufeff")):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _absolute(value: str, url: str) -> str:
    try:
        return safe_link(urljoin(url, value))
    except ValueError:
        return ""


def _seconds(value: str) -> timedelta | None:
    if not _NUMBER.fullmatch(value):
        return None
    return min(timedelta(seconds=float(value)), LONGEST_DELAY)


def _normal(path: str) -> str:
    """A path or pattern with its escapes in the same form (RFC 9309 §2.2.2)."""

    def escape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    if not path.isascii():
        path = quote(path, safe="".join(map(chr, range(33, 127))))
    return _ESCAPE.sub(escape, path)


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits the start of a path, or all of it where it ends with `$`."""
    is_whole = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    position = len(first)
    for number, part in enumerate(rest, 1):
        if is_whole and number == len(rest):
            return path.endswith(part) and len(path) - len(part) >= position
        position = path.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return not is_whole or position == len(path)
