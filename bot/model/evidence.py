"""A storyline as evidence: what feeds showed when, what was sent, and by which hashes it is known.

Values only; `docs/evidence.schema.json` has the types. Times are in UTC.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EvidencePair:
    """Why an article belongs to its story: another article, and how alike the two are."""

    article: int
    likeness: float  #: 0 to 1
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceRevision:
    """Words that an article had until they changed."""

    until: datetime
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class EvidenceArticle:
    """An article as its feed showed it, and when."""

    article: int
    feed: str
    feed_url: str  #: without passwords and values of its query
    publisher: str
    source: str  #: the outlet that an aggregating feed names, or empty
    agency: str  #: whose text it is, or empty
    counts_for: str
    link: str
    guid: str
    title: str
    summary: str
    author: str
    language: str
    published: datetime | None  #: by the feed
    updated: datetime | None  #: by the feed
    first_seen: datetime
    left_feed: datetime | None  #: null while the feed shows it
    silent: str  #: why it alerted nobody by itself, or empty
    strict: int  #: the numbers of its stories
    story: int
    storyline: int
    pairs: tuple[EvidencePair, ...]
    revisions: tuple[EvidenceRevision, ...]
    guid_key: str  #: BLAKE2b with 128 bits, as newsbell compares it; empty where there is none
    link_key: str
    title_key: str
    #: of the bytes that the feed's last document had for it: BLAKE2b with 128 bits
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceFeed:
    """What the last document of a feed was, by which its articles are known."""

    feed: str
    last_read: datetime | None
    body_hash: str  #: of all of it, with its type: BLAKE2b with 128 bits; empty where not known
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class EvidenceMatch:
    """A subscription that an alert names, and what matched."""

    subscription: str
    query: str  #: of today
    article: int
    matched: tuple[str, ...]  #: terms of the query


@dataclass(frozen=True, slots=True)
class EvidenceDelivery:
    """A send of an alert, or a change of it."""

    kind: str
    state: str
    tries: int
    made: datetime
    settled: datetime | None
    message: int | None  #: its number in the chat
    error: str


@dataclass(frozen=True, slots=True)
class EvidenceAlert:
    """What was sent to a chat of a story, while that is stored."""

    chat: str
    service: str
    story: int
    level: str
    article: int
    note: bool  #: a reply to another alert: of a development, or of a change of its article
    update: str  #: of a reply about a change of its article: what that was; else empty
    title: str  #: when it was made
    made: datetime
    message: int | None
    matches: tuple[EvidenceMatch, ...]
    deliveries: tuple[EvidenceDelivery, ...]


@dataclass(frozen=True, slots=True)
class EvidenceConfig:
    """The configuration in force, by its hash."""

    file: str
    sha256: str  #: of its text without comments and secrets, as newsbell keeps it
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A storyline."""

    storyline: int
    articles: tuple[EvidenceArticle, ...]  #: in the order in which they were seen
    feeds: tuple[EvidenceFeed, ...]
    alerts: tuple[EvidenceAlert, ...]
    configuration: EvidenceConfig | None
