"""Pages of articles that are read for their text: asked for, due, read, or not. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.alerts import AlertGrowth, AlertIntent, AlertRevision, AlertUpdate, MatchRecord
from bot.model.entries import KnownEntry
from bot.model.feeds import FeedDue


class PageState(StrEnum):
    """How far the page of an entry has come."""

    WAITING = "waiting"
    READ = "read"
    FAILED = "failed"  #: it is not asked for again


class PageFailure(StrEnum):
    """Why a page was not read."""

    PAYWALL = "paywall"  #: it says that it is for those who pay, or is answered with 401 or 402
    REFUSED = "refused"  #: it is answered with 403, or with a challenge for browsers
    ROBOTS = "robots"  #: robots.txt asks programs not to read it
    GONE = "gone"  #: there is no such page
    NO_ANSWER = "no_answer"  #: the site could not be reached, or failed
    NO_PAGE = "no_page"  #: what came is no web page
    NO_TEXT = "no_text"  #: no article was found in it
    HARMFUL = "harmful"  #: reading it was stopped at a limit
    TOO_MANY = "too_many"  #: more pages than are read were waiting


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of an article's page."""

    text: str  #: plain, at most BODY_LENGTH code points


@dataclass(frozen=True, slots=True)
class PageFailed:
    """No text came of a page."""

    failure: PageFailure
    again: bool = False  #: nothing was asked of the site: it may be tried once more
    #: the site says that it is gone for good: 410 (RFC 9110 §15.5.11)
    withdrawn: bool = False


PageOutcome = PageText | PageFailed


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page that is to be read once for an entry."""

    entry_id: int
    link: str
    link_key: bytes


@dataclass(frozen=True, slots=True)
class PageDue:
    """A page whose time has come, claimed for one try."""

    known: KnownEntry
    link: str
    link_key: bytes  #: the same for all links to the article
    feed: FeedDue
    language: str
    author: str = ""
    source: str = ""
    categories: tuple[str, ...] = ()
    tries: int = 0


@dataclass(frozen=True, slots=True)
class PageCommit:
    """All that a page changes; kept in one transaction or not at all."""

    entry_id: int
    state: PageState
    failure: PageFailure | None = None
    terms: str = ""  #: keys of its words, in the order of the alphabet; not its text
    alerts: tuple[AlertIntent, ...] = ()
    alert_revisions: tuple[AlertRevision, ...] = ()
    growths: tuple[AlertGrowth, ...] = ()
    records: tuple[MatchRecord, ...] = ()
    withdrawn: bool = False  #: it is gone for good, and its entry with it
    updates: tuple[AlertUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class PageCounts:
    """How many pages wait, and what became of those of the last day."""

    waiting: int = 0
    read: int = 0
    failed: Mapping[PageFailure, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.waiting or self.read or self.failed)


@dataclass(frozen=True, slots=True)
class PageFact:
    """What became of the page of an entry."""

    state: PageState
    at: datetime | None = None  #: when it was read, or given up
    failure: PageFailure | None = None
