"""Entries: parsed, known from the store, identified, placed in stories, matched."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from bot.model.feeds import Failure, FeedHints
from bot.model.hubs import HubLink
from bot.model.stories import Placement, StoryIds


def counts_from_sight(published: datetime | None, first_seen_at: datetime) -> bool:
    """Whether an entry counts from when it was seen: it has no date, or one in the future."""
    return published is None or published > first_seen_at + AHEAD


@dataclass(frozen=True, slots=True)
class EntryKeys:
    """What an entry is recognised by: BLAKE2b-128 hashes, empty where there is nothing.

    By `quoted` it is not recognised: its story is found by that.
    """

    guid: bytes
    link: bytes  #: canonical link; the same for every feed
    title: bytes
    article: bytes = b""  #: host and article number in the link
    quoted: bytes = b""  #: canonical link of what it is about: a post's article or original

    def __reduce__(self) -> tuple[type["EntryKeys"], tuple[bytes, ...]]:
        """Travel between processes as the fields alone: what dataclasses do takes twice as long."""
        return EntryKeys, (self.guid, self.link, self.title, self.article, self.quoted)


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One entry of a document: plain text, absolute http(s) link, plausible dates or none."""

    block: bytes  #: BLAKE2b-128 of its bytes in the document; empty where blocks could not be cut
    guid: str
    link: str  #: empty where the entry has none
    title: str
    summary: str  #: plain text, cut
    author: str = ""
    source: str = ""  #: the outlet an aggregator names
    published: datetime | None = None  #: None unless plausible
    updated: datetime | None = None
    #: made where the entry is read, so that it costs the worker's time
    keys: EntryKeys = EntryKeys(b"", b"", b"")
    #: ISO 639-1; the feed's where the script agrees, else detected; empty where unknown
    language: str = ""
    core: str = ""  #: the headline without what the feed's headlines share; empty: all of it
    body: str = ""  #: plain text, where the feed carries more of it than the summary has
    categories: tuple[str, ...] = ()  #: as the feed names them, each once

    def __reduce__(self) -> tuple[type["ParsedEntry"], tuple[object, ...]]:
        """Travel as EntryKeys do."""
        return ParsedEntry, _fields(self)


_fields = attrgetter(*(field.name for field in fields(ParsedEntry)))


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The new or changed entries of a document, and what the document says of itself."""

    entries: tuple[ParsedEntry, ...]  #: document order; only blocks that were not known before
    blocks: tuple[
        bytes, ...
    ]  #: hashes of all blocks in document order; empty where they could not be cut
    cut: tuple[bytes, ...] = ()  #: hashes of blocks beyond the cap, remembered but not read
    title: str = ""
    link: str = ""
    language: str = ""
    hints: FeedHints = FeedHints()
    skipped: int = 0  #: entries without id, link and title
    faulty: int = 0  #: entries that the parser cannot read
    seconds: float = 0.0  #: of a processor that it took to be read
    truncated: bool = False  #: the end is missing; the last entry was dropped
    withdrawn: tuple[bytes, ...] = ()  #: keys of the guids of entries that the feed took back
    is_sitemap: bool = False  #: robots.txt may forbid it
    children: tuple[str, ...] = ()  #: of an index: addresses of the sitemaps with its entries
    hub: HubLink | None = None  #: that tells of its news


@dataclass(frozen=True, slots=True)
class ParseFailed:
    """The body is not a feed, or reading it was stopped."""

    failure: Failure
    text: str


ParseOutcome = ParsedDocument | ParseFailed


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An entry that the store has."""

    id: int
    feed_id: int
    story_ids: StoryIds
    keys: EntryKeys
    title: str
    summary: str
    published: datetime | None
    updated: datetime | None
    first_seen_at: datetime
    earlier: tuple[tuple[str, str], ...] = ()  #: headlines with texts that it had before
    body: str = ""
    withdrawn: bool = False  #: its feed took it back


class Silence(StrEnum):
    """Why no alert is sent for a new entry by itself."""

    BASELINE = "baseline"  #: it was in the feed at the first poll
    FLOOD = "flood"  #: it came with more new entries than the feed ever had: in one message
    ARCHIVE = "archive"  #: it is an old article that the feed showed late


@dataclass(frozen=True)  # without slots, for `changed`
class NewEntry:
    """An entry seen for the first time, on its way to the store."""

    id: int
    feed_id: int
    keys: EntryKeys
    guid: str
    link: str
    title: str
    summary: str
    author: str
    source: str
    published: datetime | None
    updated: datetime | None
    first_seen_at: datetime
    silent: Silence | None = None  #: why it gets no alert by itself; None: it may get one
    language: str = ""
    core: str = ""  #: the headline without what the feed's headlines share; empty: all of it
    body: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """A new entry with the stories it belongs to and who says it."""

    entry: NewEntry
    placement: Placement
    publisher_group: str  #: key of its publisher group
    origin: str  #: key of whom it counts for: that group, or the agency or outlet it came from
    agency: str = ""  #: name of the agency that it credits
    features: str = ""  #: what grouping made of it; empty where that has to be found out again

    @property
    def story_ids(self) -> StoryIds:
        """Its stories."""
        return self.placement.story_ids


@dataclass(frozen=True, slots=True)
class Revision:
    """A known entry with other words."""

    known: KnownEntry
    title: str
    summary: str
    link: str
    keys: EntryKeys
    updated: datetime | None
    retitled: bool  #: the headline differs by more than case and punctuation
    author: str = ""
    source: str = ""
    language: str = ""
    flips: bool = False  #: to words that it had before
    body: str = ""
    categories: tuple[str, ...] = ()

    @property
    def is_reworded(self) -> bool:
        """Return whether headline or summary differ, and not the body alone."""
        return (self.title, self.summary) != (self.known.title, self.known.summary)


@dataclass(frozen=True, slots=True)
class Article:
    """What a query can look at: an entry's words, and what its feed adds to them."""

    title: str
    summary: str = ""
    language: str = ""  #: ISO 639-1; empty where unknown
    link: str = ""
    author: str = ""
    source: str = ""  #: the outlet that an aggregating feed names
    feed: str = ""  #: the feed's URL
    feed_name: str = ""
    publisher: str = ""
    tags: tuple[str, ...] = ()  #: of the feed
    body: str = ""  #: where the feed carries more text than the summary has
    categories: tuple[str, ...] = ()  #: as the feed names them
    #: keys of the words of its page, of which the text is not kept
    terms: frozenset[str] = frozenset()

    @property
    def selectors(self) -> frozenset[str]:
        """What a subscription may name the feed by."""
        return frozenset((self.feed, self.feed_name, *self.tags))

    def text_of(self, field: str) -> str:
        """Return the text of a field that spans are of."""
        return {"title": self.title, "summary": self.summary, "body": self.body}[field]


@dataclass(frozen=True, slots=True)
class Span:
    """A matched stretch of an entry's original text, in code points."""

    field: str  #: "title", "summary" or "body"
    start: int
    end: int
    term: str = ""  #: what of the query it matches, as written there


@dataclass(frozen=True, slots=True)
class Match:
    """A subscription that matches an entry."""

    subscription_id: int
    spans: tuple[Span, ...] = field(default=())
    snippet: str = ""  #: of a page whose text is not kept; spans of the field "page" are in it


AHEAD = timedelta(minutes=10)  #: how far the clock of a publisher may be ahead
RECENT = timedelta(hours=24)  #: age up to which an article is news
