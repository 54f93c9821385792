"""Stored entries as searches and explanations read them. Not entries on their way."""

from dataclasses import dataclass
from datetime import datetime

from bot.model.chats import ChatKind, ChatSettings
from bot.model.delivery import DeliveryState
from bot.model.entries import Article, Silence
from bot.model.feeds import Failure
from bot.model.stories import Pair, StoryIds


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored entry, as a query looks at it."""

    id: int
    story_id: int
    article: Article
    published: datetime | None
    first_seen_at: datetime
    silent: Silence | None  #: why it got no alert by itself

    @property
    def at(self) -> datetime:
        """Return when it was published, at the latest when it was first seen."""
        return min(self.published, self.first_seen_at) if self.published else self.first_seen_at


@dataclass(frozen=True, slots=True)
class AlertFact:
    """The alert of an entry's story in a chat, and its delivery."""

    chat_id: int
    entry_id: int  #: the entry that the alert was sent for
    title: str  #: of that entry
    created_at: datetime
    state: DeliveryState | None  #: of its delivery; None where that is not stored any more
    error: str
    settled_at: datetime | None
    arrived: bool  #: Telegram has a number for the message
    subscriptions: frozenset[int]  #: that it names
    pending: bool = False  #: it waits for further publishers
    due_at: datetime | None = None  #: of a pending alert: when it goes out with fewer publishers
    note: bool = False  #: it is a reply to the alert of its story


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry and what happened to it."""

    entry: StoredEntry
    alerts: tuple[AlertFact, ...]
    revisions: tuple[tuple[datetime, str], ...]  #: when the words changed, and the headline before


@dataclass(frozen=True, slots=True)
class AskedKeys:
    """Keys that an article may have for which somebody asks."""

    links: tuple[bytes, ...] = ()
    guids: tuple[bytes, ...] = ()
    titles: tuple[bytes, ...] = ()
    numbers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry that may be the one somebody asks for."""

    id: int
    title: str
    link: str
    guid: str
    names: tuple[str, str, str, str]  #: of its feed, publisher and outlet; the feed's address
    first_seen_at: datetime
    alerted: bool  #: the chat's alert was sent for it


@dataclass(frozen=True, slots=True)
class FeedFact:
    """A feed, as far as it explains why an article is not known."""

    name: str
    url: str
    last_poll_at: datetime | None
    next_poll_at: datetime
    failure_text: str  #: in English; empty where the last poll went well
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ChatFact:
    """Name, address and settings of a chat."""

    name: str
    kind: ChatKind
    address: int
    topic: int
    declared: bool  #: by the configuration file
    settings: ChatSettings = ChatSettings()  #: that the chat itself chose


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """An entry as a part of its story."""

    id: int
    story_ids: StoryIds
    title: str
    link: str
    name: str  #: of the feed, or of the outlet that an aggregator names
    origin: str  #: whom it counts for
    agency: str
    at: datetime
    pairs: tuple[Pair, ...]  #: why it belongs
    by_sight: bool = False  #: `at` is when it was seen: it has no date, or one in the future
