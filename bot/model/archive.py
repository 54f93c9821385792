"""Stored entries as people look back at them. Not entries on their way."""

from dataclasses import dataclass
from datetime import datetime

from bot.model.chats import ChatKind, ChatSettings
from bot.model.delivery import DeliveryState
from bot.model.entries import Article, Silence
from bot.model.stories import Pair, StoryIds


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry that was kept, as a query looks at it."""

    id: int
    story_id: int
    article: Article
    published: datetime | None
    first_seen_at: datetime
    silent: Silence | None  #: why it got no alert by itself

    @property
    def at(self) -> datetime:
        """When it came, by its own date where that is plausible."""
        return min(self.published, self.first_seen_at) if self.published else self.first_seen_at


@dataclass(frozen=True, slots=True)
class AlertFact:
    """What became of the alert of an entry's story in one chat."""

    chat_id: int
    entry_id: int  #: the entry that rang
    title: str  #: of that entry
    created_at: datetime
    state: DeliveryState | None  #: of its delivery; None where that is not stored any more
    error: str
    settled_at: datetime | None
    arrived: bool  #: Telegram has a number for the message
    subscriptions: frozenset[int]  #: that it names
    held: bool = False  #: it waits for further publishers
    due_at: datetime | None = None  #: of a held one: when it goes out all the same


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry and all that became of it."""

    entry: StoredEntry
    alerts: tuple[AlertFact, ...]
    revisions: tuple[tuple[datetime, str], ...]  #: when the words changed, and the headline before


@dataclass(frozen=True, slots=True)
class FeedFact:
    """A feed, as far as it explains why an article is not known."""

    name: str
    url: str
    last_poll_at: datetime | None
    next_poll_at: datetime
    failure: str


@dataclass(frozen=True, slots=True)
class ChatFact:
    """Where a chat is."""

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
