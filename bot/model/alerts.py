"""Alerts: the message about a story in a chat, and what changes it.

Not its deliveries, not its text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.model.chats import Updates, Urgency
from bot.model.entries import Article, Match, Span
from bot.model.stories import Grouping
from bot.model.updates import ArticleChange, UpdateView


class BundleKind(StrEnum):
    """What several stories in one message are."""

    ALERT = ""  #: a queue that outgrew the chat's budget
    CATCH_UP = "catch-up"  #: what came in quiet hours
    DIGEST = "digest"


class Priority(IntEnum):
    """Who goes first within a chat; lower first."""

    REPLY = 0
    BREAKING = 10
    NORMAL = 20
    LATE_REPLY = 22  #: to a group where several replies wait
    DIGEST = 25
    EDIT = 30
    NOTICE = 40


#: priority of alerts by urgency
PRIORITIES = {
    Urgency.BREAKING: Priority.BREAKING,
    Urgency.NORMAL: Priority.NORMAL,
    Urgency.DIGEST: Priority.DIGEST,
}


@dataclass(frozen=True, slots=True)
class AlertIntent:
    """An alert that a poll wants a chat to get."""

    chat_id: int
    story_id: int
    entry_id: int
    matches: tuple[Match, ...]
    catch_up: bool = False
    collapse: bool = False  #: goes out together with its feed's other alerts, as one message
    grouping: Grouping = Grouping.NORMAL  #: what `story_id` names a story of
    priority: Priority = Priority.NORMAL
    pending: bool = False  #: waits for further publishers
    due_at: datetime | None = None  #: of a pending alert: when it goes out with fewer publishers
    followed: bool = False  #: the chat follows the storyline; no words matched
    note_of: int = 0  #: the story of the alert to which it is a silent reply; 0: it is no note


@dataclass(frozen=True, slots=True)
class AlertRevision:
    """An alert whose message has to change: other words, or a further subscription."""

    chat_id: int
    story_id: int
    entry_id: int
    matches: tuple[Match, ...]
    #: where it is pending: when it goes out with fewer publishers, if not sooner
    due_at: datetime | None = None
    #: that of the most urgent further subscription: what waits goes out with it
    priority: Priority = Priority.NOTICE
    flips: bool = False  #: to words that it had before: there is no hurry


@dataclass(frozen=True, slots=True)
class AlertGrowth:
    """An alert whose story has a further entry."""

    chat_id: int
    story_id: int
    release: Priority | None = None  #: it was pending, and goes out now
    #: with which it goes out where it still waits: enough carry it for an urgent subscription
    priority: Priority = Priority.NOTICE
    again: bool = False  #: a second alert goes out
    grouping: Grouping | None = None  #: it is for a wider story of the same number from now on


@dataclass(frozen=True, slots=True)
class AlertUpdate:
    """A change of an article of which a chat has the alert."""

    chat_id: int
    story_id: int  #: of the alert
    entry_id: int
    change: ArticleChange
    subscriptions: tuple[int, ...] = ()  #: of the alert, that still send to the chat
    chosen: Updates | None = (
        None  #: the loudest choice of these and of the chat; None: nobody chose
    )
    priority: Priority = Priority.NORMAL  #: of the most urgent of these
    followed: bool = False  #: the chat follows the storyline
    muted: bool = False  #: the chat muted it

    @property
    def wanted(self) -> bool:
        """Whether anything still alerts the chat of the story."""
        return bool(self.subscriptions) or self.followed


class Fate(IntEnum):
    """What was decided about a match when its article came."""

    LEADS = 1  #: the article made the chat's alert
    JOINS = 2  #: the chat had an alert of its story
    TOLD = 3  #: it is a development of a story that the chat was alerted of: a note or an alert
    MUTED = 4  #: the chat had muted its storyline
    FOREIGN = 5  #: its feed was polled for other chats only


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """A match, and what was decided about it; kept as long as its article."""

    entry_id: int
    chat_id: int
    subscription_id: int  #: 0: no words matched; the chat follows the storyline
    fate: Fate
    leader: int = 0  #: of a match that joins: the entry that made the alert


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert that a chat already has."""

    chat_id: int
    story_id: int
    entry_id: int
    subscriptions: frozenset[int]
    grouping: Grouping = Grouping.NORMAL
    pending: bool = False  #: waits for further publishers
    alerted_again: bool = False  #: the second alert went out
    #: refused for good, or sent without anyone knowing whether it arrived
    undelivered: bool = False
    #: its story became part of another, of which the chat has an alert as well
    superseded: bool = False
    note: bool = False  #: it tells of a development, as a reply to another alert


@dataclass(frozen=True, slots=True)
class UnsentMatch:
    """A subscription that wants an alert which nobody has seen."""

    chat_id: int
    story_id: int
    subscription_id: int
    articles: tuple[Article, ...] = ()  #: of the story, the newest first


@dataclass(frozen=True, slots=True)
class AlertedStory:
    """The story behind a message."""

    entry_id: int
    storyline_id: int
    title: str
    stance: "Stance | None" = None  #: what the chat wants of the storyline
    taken_by: str = ""  #: who of the group has it
    taken_user: int = 0  #: the same as a user id
    message_id: int | None = None  #: of the alert, where it was asked for by its story


class Stance(StrEnum):
    """What a chat wants of a storyline."""

    FOLLOW = "follow"  #: all its later stories, whatever their words
    MUTE = "mute"  #: nothing more


@dataclass(frozen=True, slots=True)
class StoryOrigin:
    """Whom entries of a story count for, and who may know of it."""

    name: str  #: a publisher or agency
    chats: frozenset[int] | None = None  #: that read a feed of theirs; None: all


def publishers_for(origins: Iterable[StoryOrigin], chat: int) -> int:
    """How many publishers a chat counts: a feed that others added is nothing that it sees."""
    return len({item.name for item in origins if item.chats is None or chat in item.chats})


@dataclass(frozen=True, slots=True)
class StoryState:
    """What the store knows of the stories that new entries belong to."""

    alerts: tuple[KnownAlert, ...] = ()
    origins: Mapping[tuple[Grouping, int], frozenset[StoryOrigin]] = field(
        default_factory=dict
    )  #: whom the entries of a story count for
    stances: Mapping[int, Mapping[int, Stance]] = field(
        default_factory=dict
    )  #: storyline to chat to what it wants
    originals: Mapping[int, str] = field(
        default_factory=dict
    )  #: whom the entries count for that new ones are copies of


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A further entry of an alert's story, as its message shows it."""

    name: str  #: of the feed, or of the outlet that an aggregator names
    link: str
    at: datetime
    agency: str = ""  #: whose text it is
    title: str = ""  #: its headline, where that is shown


@dataclass(frozen=True, slots=True)
class Continuation:
    """The message in which a story goes on that became part of another, after both were sent."""

    title: str
    message_id: int
    link: str  #: to the message, where Telegram has one; else empty


@dataclass(frozen=True, slots=True)
class AlertView:
    """All that a message about one alert shows."""

    story_id: int
    title: str
    first_title: str  #: the headline the alert was first made with
    link: str  #: the entry's, else the feed's home page, else empty
    summary: str
    feed: str
    publisher: str
    source: str
    published: datetime | None
    first_seen_at: datetime
    subscriptions: tuple[str, ...]
    spans: tuple[Span, ...]
    catch_up: bool
    revision: int = 0  #: how often the alert's words changed
    agency: str = ""  #: whose text it is
    also: tuple[Confirmation, ...] = ()  #: the story's first further entries, in order of time
    entries: int = 1  #: of the story in all
    publishers: int = 1  #: independent ones
    single: bool = False  #: its time ran out before enough publishers carried it
    followed: bool = False
    storyline_id: int = 0
    form: BundleKind = BundleKind.ALERT  #: of the message that carries the alert
    taken_by: str = ""  #: who of the group has the story
    note: bool = False  #: it tells of a development, as a reply to another alert
    #: headline of the newest further article that says something else
    latest: "Confirmation | None" = None
    continuation: Continuation | None = None  #: None where its own message goes on
    body: str = ""  #: the entry's, where a span is in it
    withdrawn: bool = False  #: its publisher took the entry back
    corrected: bool = False  #: its publisher corrected it
    update: UpdateView | None = None  #: what it says as a reply about a change of its article

    @property
    def quiet(self) -> bool:
        """Whether it comes without a sound."""
        return self.note and not (self.update and self.update.loud)
