"""Feeds: declared, stored, due, fetched. Not entries, not chats, not hosts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.hosts import HostPace
from bot.model.sources import PageSource


class FeedText(StrEnum):
    """What of a feed's articles is matched beside their headlines and summaries."""

    TEASER = "teaser"  #: nothing
    FEED = "feed"  #: what the feed carries
    FULL = "full"  #: the article's page as well, which is read once


@dataclass(frozen=True, slots=True)
class DeclaredFeed:
    """A feed as the configuration file declares it."""

    url: str  #: absolute http or https URL, as written
    name: str  #: shown to people; the host where the file has none
    publisher: str  #: the host where the file names none
    tags: tuple[str, ...] = ()
    every: timedelta | None = None  #: poll interval; None: the poll schedule decides
    #: may hold secrets; never stored
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    text: FeedText = FeedText.FEED
    page: PageSource | None = None  #: how a page is read that is no feed


class Policy(StrEnum):
    """How a feed's entries are told apart. It moves down this list once and never back."""

    GUID = "guid"  #: the guid or Atom id, else the link, else title and content
    GUID_LINK = "guid+link"  #: the guid repeats on different entries
    LINK_TITLE = "link+title"  #: the guid changes with every fetch
    TITLE = "title"  #: guid and link change with every fetch (Google News)


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What a document says about how often to look."""

    ttl: timedelta | None = None  #: RSS <ttl>, or sy:updatePeriod / sy:updateFrequency, the longer
    skip_hours: frozenset[int] = frozenset()  #: GMT hours in which not to look (RSS <skipHours>)
    skip_days: frozenset[int] = frozenset()  #: weekdays, Monday 0 (RSS <skipDays>)


class Hint(StrEnum):
    """What of a publisher may ask for a longer interval; also the reason of an interval."""

    TTL = "the feed's ttl or update period"
    MAX_AGE = "the server's Cache-Control or Expires"
    SKIPS = "the feed's skipHours or skipDays"


class Failure(StrEnum):
    """Why a poll failed, as far as a remedy differs."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PRIVATE = "private"
    REDIRECT = "redirect"
    NOT_FOUND = "not_found"
    GONE = "gone"
    LOGIN = "login"
    BLOCKED = "blocked"
    SLOW_DOWN = "slow_down"
    SERVER = "server"
    HTTP = "http"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    NOT_A_FEED = "not_a_feed"
    NO_PREVIEW = "no_preview"  #: a channel of Telegram that the web may not see
    NO_CHANNEL = "no_channel"  #: Telegram has no channel of this name
    NOT_A_CHANNEL = "not_a_channel"  #: the name is that of a person, bot or group
    CHANGED_PAGE = "changed_page"  #: a page that is read by its markup, and has another one
    ROBOTS = "robots"  #: the site's robots.txt forbids the page
    HOSTILE = "hostile"
    EMPTY = "empty"
    TOMBSTONE = "tombstone"
    LOCAL = "local"  #: the machine has no more open files for newsbell
    INTERNAL = "internal"  #: newsbell itself failed on this feed


@dataclass(frozen=True, slots=True)
class Redirection:
    """A permanent redirect under observation (RFC 9110 §15.4.2, §15.4.9)."""

    url: str
    polls: int
    since: datetime


@dataclass(frozen=True)  # without slots: see `changed`
class FeedState:
    """What newsbell remembers of a feed between polls; written back whole with every poll."""

    next_poll_at: datetime
    etag: str | None = None  #: byte for byte as the server gave it
    last_modified: str | None = None  #: byte for byte as the server gave it
    body_hash: bytes = b""  #: BLAKE2b-128 of the last committed body
    #: block hashes with entry ids, see `entry_identity.Document`
    document: bytes = field(default=b"", repr=False)
    policy: Policy = Policy.GUID
    links_identify: bool = True  #: False once two different entries shared one link
    cut: int = 0  #: entries of the last document beyond the cap
    newest: datetime | None = None  #: latest trusted date seen in the feed
    most_new: int = 0  #: most new entries that one poll ever brought, its archive aside
    rate: float = 0.0  #: new entries an hour, decayed over three days
    most_old: int = 0  #: most old-looking entries that one poll brought and that alerted
    #: how many floods of old-looking entries in a row are taken for its archive
    trust: float = 1.0
    baseline_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_ok_at: datetime | None = None
    interval: timedelta = timedelta(0)  #: until next_poll_at, without jitter
    reason: str = ""  #: why this interval, in words
    full_at: datetime | None = None  #: last fetch without validators
    failures: int = 0  #: in a row
    failing_since: datetime | None = None
    failure: Failure | None = None
    failure_text: str = ""
    noticed: bool = False  #: the operator got a notice of this failure
    gone: int = 0  #: 410 answers in a row
    empties: int = 0  #: documents without entries in a row
    gaps: int = 0  #: polls that found no known entry: some may have been missed
    adopted_url: str | None = None  #: where a proven permanent redirect leads
    redirection: Redirection | None = None
    hints: FeedHints = FeedHints()
    hint: timedelta = timedelta(0)  #: interval that the publisher asks for, overruled by `every`
    hint_reason: str = ""  #: in what the publisher asks; empty: nothing was overruled
    seconds: float = 0.0  #: that the last answer took; 0 for none yet
    unread: int = 0  #: entries of the last document that could not be read
    boilerplate: str = field(default="", repr=False)  #: see `feeds.boilerplate`
    news_at: datetime | None = None  #: when it last had something new; at its baseline, that
    rhythm_at: datetime | None = None  #: since when its pauses are counted
    pauses: float = 0.0  #: pauses between news, those of long ago less
    longest_pause: float = 0.0  #: seconds of the longest of them, shorter the longer ago
    stopped: bool = (
        False  #: the operator was told that it publishes nothing more, see `feeds.silence`
    )
    delay: float | None = None  #: seconds from publication to sight, as a rule; None: not known


@dataclass(frozen=True, slots=True)
class FeedDue:
    """A feed whose time has come, claimed for one poll."""

    id: int
    url: str
    name: str
    publisher: str
    tags: tuple[str, ...]
    every: timedelta | None
    state: FeedState
    #: of a feed that people added: chats that may get alerts of it; None: all
    chats: frozenset[int] | None = None
    lease: int = 0  #: token of this claim; a later claim of the feed has another
    host_pace: HostPace = HostPace()  #: how often its host may be asked
    has_siblings: bool = False  #: further feeds of its host are polled
    text: FeedText = FeedText.FEED

    @property
    def address(self) -> str:
        """The URL to fetch: the adopted redirect, else the declared one."""
        return self.state.adopted_url or self.url


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One conditional GET."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: `Fetched.digest` of a body that is known: where it comes again, it is not decompressed
    known: bytes = field(default=b"", repr=False, compare=False)
    #: says why a redirect to an address is not to be followed; None: all are
    refuses: "Callable[[str], Awaitable[FetchFailed | None]] | None" = field(
        default=None, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the response headers say about when to come back (RFC 9111 §4.2)."""

    max_age: timedelta | None = None  #: Cache-Control max-age less Age, else Expires less Date
    retry_after: timedelta | None = None  #: RFC 9110 §10.2.3, both forms made relative


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body came."""

    body: bytes = field(repr=False)
    url: str  #: final URL, the base of relative links
    content_type: str
    etag: str | None
    last_modified: str | None
    freshness: Freshness
    #: set when every redirect of the chain was permanent and safe to adopt
    permanent_url: str | None = None
    truncated: bool = False  #: fewer bytes than announced
    link_header: str = ""  #: the header Link
    #: of a small compressed body as it came, and its labels; empty for others
    digest: bytes = field(default=b"", repr=False, compare=False)
    is_known: bool = False  #: it is the one that the request named: `body` is empty


@dataclass(frozen=True, slots=True)
class NotModified:
    """304: nothing new. Validators that came along replace the stored ones (RFC 9110 §15.4.5)."""

    etag: str | None
    last_modified: str | None
    freshness: Freshness
    permanent_url: str | None = None


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Nothing usable came."""

    failure: Failure
    text: str  #: for people: what happened; never what a private address answered
    freshness: Freshness = Freshness()
    drop_validators: bool = False  #: the server seems to refuse conditional requests


FetchOutcome = Fetched | NotModified | FetchFailed


@dataclass(frozen=True, slots=True)
class SiteFeed:
    """A feed that was found at an address, and looked at."""

    url: str
    title: str
    newest: tuple[str, ...]  #: headlines of its last entries
