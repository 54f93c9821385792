"""Stored entries as searches and explanations read them. Not entries on their way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model.alerts import Fate
from bot.model.chats import AlertOptions, ChatKind, ChatSettings
from bot.model.delivery import DeliveryState, Wait
from bot.model.entries import Article, Silence
from bot.model.feeds import Failure
from bot.model.pages import PageFact
from bot.model.stories import Grouping, Pair, StoryIds
from bot.model.updates import ChangeKind, UpdateFate


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A stored entry, as a query looks at it."""

    id: int
    story_id: int
    article: Article
    published: datetime | None
    first_seen_at: datetime
    silent: Silence | None  #: why it got no alert by itself
    strict_id: int = 0
    storyline_id: int = 0

    @property
    def story_ids(self) -> StoryIds:
        """Return its stories."""
        return StoryIds(self.strict_id, self.story_id, self.storyline_id)

    @property
    def at(self) -> datetime:
        """Return when it was published, at the latest when it was first seen."""
        return min(self.published, self.first_seen_at) if self.published else self.first_seen_at


@dataclass(frozen=True, slots=True)
class StoryMember:
    """An entry of a story, as far as it decides when the story alerts."""

    id: int
    story_ids: StoryIds
    feed: str  #: address of its feed
    origin: str  #: whom it counts for
    confirms: bool  #: it counts for that in the stories that it did not open
    title: str
    published: datetime | None
    first_seen_at: datetime
    silent: Silence | None

    def counts(self, grouping: Grouping) -> bool:
        """Return whether its publisher counts as such of the story at this level."""
        opens = self.id == self.story_ids.at(grouping)
        return opens or self.confirms or grouping is Grouping.STRICT


@dataclass(frozen=True, slots=True)
class FeedPast:
    """What the stored entries show of a polled feed's past."""

    url: str
    name: str
    tags: tuple[str, ...]
    watched_since: datetime  #: its first fetch
    watched: int  #: entries that came since then, within the period that was asked for
    #: dates of the entries of its first fetch; empty where that was before the period
    shown: tuple[datetime, ...] = ()
    undated: int = 0  #: entries of its first fetch without a date

    @property
    def selectors(self) -> frozenset[str]:
        """Return what a subscription may name the feed by."""
        return frozenset((self.url, self.name, *self.tags))


@dataclass(frozen=True, slots=True)
class ArrivalFacts:
    """When the entries of a period came."""

    hours: tuple[tuple[datetime, int], ...]  #: each hour with any, and how many
    lag: timedelta  #: from an entry's date until it was seen, on average; at most hours


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
    matches: Mapping[int, int]  #: subscriptions that it names, each with the entry that it matched
    message_id: int | None = None  #: in the chat
    wait: Wait | None = None  #: of a queued delivery: why it waits
    pending: bool = False  #: it waits for further publishers
    due_at: datetime | None = None  #: of a pending alert: when it goes out with fewer publishers
    note: bool = False  #: it is a reply to the alert of its story
    followed: bool = False  #: it was made because the chat follows the storyline
    publishers: int = 1  #: of a pending alert: how many carry its story, as the chat counts them
    #: of a pending alert: articles of its story that add no publisher
    uncounted: tuple["UncountedEntry", ...] = ()
    again_at: datetime | None = None  #: when a second alert was sent
    muted: bool = False  #: the chat mutes its storyline now
    #: names of the subscriptions that it names and that were removed since, with the time of that
    removed: Mapping[int, tuple[str, datetime]] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        """Whether the message arrived."""
        return self.state is DeliveryState.SENT or (self.state is None and self.arrived)


@dataclass(frozen=True, slots=True)
class UpdateFact:
    """A change of an entry, and how a chat that has its alert heard of it."""

    chat_id: int
    kind: ChangeKind
    at: datetime  #: when newsbell learned of it
    fate: UpdateFate
    reply: AlertFact | None = None  #: that tells it; None where none does, or is stored no longer


@dataclass(frozen=True, slots=True)
class ChatAlert:
    """An alert of a chat, as it reads in a list."""

    story_id: int
    entry_id: int  #: the entry that the alert was sent for
    title: str
    link: str
    summary: str
    name: str  #: of the feed, or of the outlet that an aggregator names
    at: datetime  #: when it was published, at the latest when it was first seen
    created_at: datetime
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UncountedEntry:
    """An article of a story that adds no publisher to it."""

    entry_id: int
    title: str
    counts_for: str = ""  #: for whom another article counted already; empty: it confirms nothing


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """What was decided about a match of an entry when it came."""

    chat_id: int
    subscription_id: int  #: 0: no words matched; the chat follows the storyline
    fate: Fate
    leader: int  #: of a match that joins: the entry that made the alert; else 0


@dataclass(frozen=True, slots=True)
class SubscriptionVersion:
    """How a subscription read while entries came."""

    after_entry: int  #: it holds for later entries
    at: datetime
    query: str
    feeds: tuple[str, ...]
    chats: frozenset[int]  #: that were allowed
    paused: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """An entry and what happened to it."""

    entry: StoredEntry
    alerts: tuple[AlertFact, ...]  #: of its story, and those that it joined
    revisions: tuple[tuple[datetime, str], ...]  #: when the words changed, and the headline before
    records: tuple[EntryRecord, ...] = ()
    recorded: bool = True  #: it came after records began
    story_ids: StoryIds | None = None
    page: PageFact | None = None  #: None where its page is not read
    withdrawn_at: datetime | None = None  #: when its feed took it back
    updates: tuple[UpdateFact, ...] = ()  #: its changes, in each chat that had its alert


@dataclass(frozen=True, slots=True)
class KnownSubscription:
    """A subscription that is not removed, whether or not it is in force, and how it read before."""

    id: int
    name: str
    query: str
    feeds: tuple[str, ...]
    chats: tuple[int, ...]  #: that are allowed
    paused: bool
    created_at: datetime
    options: AlertOptions = AlertOptions()
    versions: tuple[SubscriptionVersion, ...] = ()  #: oldest first

    def was_paused(self, moment: datetime | None) -> bool:
        """Return whether it was paused at a moment, as far as that is known."""
        if moment is None:
            return False
        before = [item for item in self.versions if item.at <= moment]
        return bool(before) and before[-1].paused

    def version_for(self, entry_id: int) -> SubscriptionVersion | None:
        """Return how it read when an entry came; None: there was none, or it is not known."""
        before = [item for item in self.versions if item.after_entry < entry_id]
        return before[-1] if before else None


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
    in_force: ChatSettings = ChatSettings()  #: the file's, else the chat's own
    grouping: Grouping | None = None  #: None: as the file's settings say


@dataclass(frozen=True, slots=True)
class StoredAbout:
    """How much is stored of a person or chat, by their number."""

    address: int
    name: str
    declared: bool  #: feeds.yaml names them
    is_person: bool  #: known as one, not as a chat alone
    chats: int  #: the private chat, or a group with its topics
    subscriptions: int
    alerts: int
    messages: int  #: records of deliveries
    feeds: int  #: that were added there


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
