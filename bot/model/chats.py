"""Chats, subscriptions, alerts and deliveries. Not feeds, not entries, not what people write (`talk`)."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from bot.model.entries import Match, Span
from bot.model.stories import Grouping


class ChatKind(StrEnum):
    """What kind of place a chat is."""

    TELEGRAM = "telegram"
    TERMINAL = "terminal"


class Urgency(StrEnum):
    """How soon a subscription's alerts go out among a chat's others."""

    BREAKING = "breaking"
    NORMAL = "normal"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Ringing:
    """How a subscription rings."""

    urgency: Urgency = Urgency.NORMAL
    publishers: int = 1  #: independent publishers that must carry a story before it rings
    or_after: timedelta | None = None  #: rings so long after the first match all the same; None: never
    ring_again_at: int = 0  #: rings once more when so many carry it; 0: never


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How a chat is spoken to, and when; None where nobody said."""

    language: str | None = None
    zone: str | None = None  #: as `Europe/Berlin`
    quiet: tuple[int, int] | None = None  #: minutes of the day, from and to; both the same: never
    digest_at: tuple[int, ...] | None = None  #: minutes of the day
    digest_from: int | None = None  #: a digest comes before its time when so many stories wait; 0: never

    def over(self, other: "ChatSettings") -> "ChatSettings":
        """These, and where they say nothing, the other."""
        return ChatSettings(*(theirs if mine is None else mine for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class DeclaredChat:
    """A chat as the configuration file declares it."""

    name: str
    kind: ChatKind
    address: int = 0  #: Telegram chat id; 0 for the terminal
    topic: int = 0  #: Telegram message_thread_id; 0 for none
    grouping: Grouping | None = None  #: None: as the file's settings say
    settings: ChatSettings = ChatSettings()


@dataclass(frozen=True, slots=True)
class DeclaredSubscription:
    """A subscription as the configuration file declares it."""

    name: str
    query: str
    feeds: tuple[str, ...]  #: tags, names or URLs; empty: all feeds
    to: tuple[str, ...]  #: names of chats
    ringing: Ringing = Ringing()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing query with the chats it rings."""

    id: int
    name: str
    query: str
    feeds: tuple[str, ...]
    chats: tuple[int, ...]  #: chat ids
    terminals: tuple[int, ...] = ()  #: those of `chats` that are terminals
    declared: bool = False  #: by the configuration file
    ringing: Ringing = Ringing()
    paused: bool = False  #: a person stopped it for a while


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that the store knows."""

    id: int
    name: str
    kind: ChatKind
    address: int
    topic: int
    allowed: bool = True  #: False for a stranger, who is told how to get in and nothing else
    paused: str = ""  #: why nothing is sent there at present, or empty
    grouping: Grouping | None = None  #: that the file gives this chat
    settings: ChatSettings = ChatSettings()  #: in force: the file's, else the chat's own
    fixed: frozenset[str] = frozenset()  #: names of the settings that the file gives
    acts_for: int | None = None  #: the chat that is meant by what is written here, where it is another
    operator: bool = False  #: it gets the notices
    channel: bool = False  #: everybody reads, administrators write

    @property
    def is_group(self) -> bool:
        """Whether Telegram's limit of 20 messages a minute holds (groups and channels have negative ids)."""
        return self.address < 0


class DeliveryKind(StrEnum):
    """What a delivery is for."""

    ALERT = "alert"  #: the first message of one story, or of several collapsed into one
    EDIT = "edit"  #: the newest state of a message that was sent
    AGAIN = "again"  #: a short second ring, in reply to an alert, when enough publishers carry its story
    NOTICE = "notice"  #: something the operator should know
    REPLY = "reply"  #: an answer to a person


class Form(StrEnum):
    """What several stories in one message are."""

    ALERT = ""  #: a queue that outgrew the chat's budget
    CATCH_UP = "catch-up"  #: what came in quiet hours
    DIGEST = "digest"


class Priority(IntEnum):
    """Who goes first within a chat; lower first."""

    REPLY = 0
    BREAKING = 10
    NORMAL = 20
    DIGEST = 25
    EDIT = 30
    NOTICE = 40


#: where alerts of an urgency stand in a chat's queue
PRIORITIES = {Urgency.BREAKING: Priority.BREAKING, Urgency.NORMAL: Priority.NORMAL, Urgency.DIGEST: Priority.DIGEST}


class DeliveryState(StrEnum):
    """Where a delivery is on its way."""

    QUEUED = "queued"
    SENDING = "sending"  #: leased; written before the call goes out
    SENT = "sent"
    UNKNOWN = "unknown"  #: the network left it undecided and no further copy may be sent
    MERGED = "merged"  #: another delivery carries its alerts
    DROPPED = "dropped"  #: not needed any more, or a person said so
    DEAD = "dead"  #: refused for good; waits for a person


@dataclass(frozen=True, slots=True)
class AlertIntent:
    """An alert that ingest wants a chat to have."""

    chat_id: int
    story_id: int
    entry_id: int
    matches: tuple[Match, ...]
    catch_up: bool = False
    collapse: bool = False  #: goes out together with its feed's other alerts, as one message
    grouping: Grouping = Grouping.NORMAL  #: what `story_id` names a story of
    priority: Priority = Priority.NORMAL
    held: bool = False  #: waits for further publishers
    due_at: datetime | None = None  #: of a held one: when it goes out all the same
    followed: bool = False  #: the chat follows the storyline; no words matched


@dataclass(frozen=True, slots=True)
class AlertRevision:
    """An alert whose message has to change: other words, or a further subscription."""

    chat_id: int
    story_id: int
    entry_id: int
    matches: tuple[Match, ...]
    due_at: datetime | None = None  #: where it is held: when it goes out all the same, if not sooner
    priority: Priority = Priority.NOTICE  #: that of the most urgent further subscription: what waits goes out with it


@dataclass(frozen=True, slots=True)
class AlertGrowth:
    """An alert whose story has a further entry."""

    chat_id: int
    story_id: int
    release: Priority | None = None  #: it was held, and goes out now
    priority: Priority = Priority.NOTICE  #: with which it goes out where it still waits: enough carry it for an urgent subscription
    again: bool = False  #: it rings once more
    grouping: Grouping | None = None  #: it is for a wider story of the same number from now on


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert that a chat already has."""

    chat_id: int
    story_id: int
    entry_id: int
    subscriptions: frozenset[int]
    grouping: Grouping = Grouping.NORMAL
    held: bool = False
    again: bool = False  #: it rang once more
    lost: bool = False  #: refused for good, or sent without anyone knowing whether it arrived
    aside: bool = False  #: its story became part of another, of which the chat has an alert as well


@dataclass(frozen=True, slots=True)
class AlertedStory:
    """The story behind a message."""

    entry_id: int
    storyline_id: int
    title: str
    stance: "Stance | None" = None  #: what the chat wants of the storyline
    taken_by: str = ""  #: who of the group has it
    taken_user: int = 0  #: the same as a user id


class Stance(StrEnum):
    """What a chat wants of a storyline."""

    FOLLOW = "follow"  #: all its later stories, whatever their words
    MUTE = "mute"  #: nothing more


@dataclass(frozen=True, slots=True)
class StoryState:
    """What the store knows of the stories that new entries belong to."""

    alerts: tuple[KnownAlert, ...] = ()
    origins: Mapping[tuple[Grouping, int], frozenset[str]] = field(default_factory=dict)  #: whom the entries of a story count for
    stances: Mapping[int, Mapping[int, Stance]] = field(default_factory=dict)  #: storyline to chat to what it wants
    originals: Mapping[int, str] = field(default_factory=dict)  #: whom the entries count for that new ones are copies of


@dataclass(frozen=True, slots=True)
class NoticeIntent:
    """Something the operator should know; the same words are sent once a day at most."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A further entry of an alert's story, as its message shows it."""

    name: str  #: of the feed, or of the outlet that an aggregator names
    link: str
    at: datetime
    agency: str = ""  #: whose text it is


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
    form: Form = Form.ALERT  #: of the message that it is told in
    taken_by: str = ""  #: who of the group has the story


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row of the outbox: one send or edit that this process may now do."""

    id: int
    kind: DeliveryKind
    chat: Chat
    attempt: int  #: 1 for the first
    doubts: int  #: how many earlier attempts may have arrived
    plain: bool  #: Telegram refused the styled form
    alerts: tuple[AlertView, ...] = ()
    text: str = ""  #: of a notice or reply
    entities: tuple["Entity", ...] = ()  #: of a notice or reply
    message_id: int | None = None  #: of the message to edit
    reply_to: int | None = None
    created_at: datetime | None = None
    marked: bool = False  #: the message to edit says that it is a repeat
    edits: bool = False  #: a reply that takes the place of `message_id`
    buttons: tuple[tuple["Button", ...], ...] = ()  #: of a notice or reply
    file: "File | None" = None

    @property
    def repeat(self) -> bool:
        """Whether an earlier copy may have arrived, so that this one must say it is a repeat, and go on saying so when it changes."""
        return self.marked or (self.doubts > 0 and self.kind is DeliveryKind.ALERT)


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of styled text; offset and length in UTF-16 code units, as Telegram counts."""

    kind: str  #: "bold", "italic", "underline", "text_link", "pre", "code"
    offset: int
    length: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it tells the bot a word, or opens an address."""

    text: str
    word: str = ""  #: of an alert's button; under a screen, behind the screen's number
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Text with entities, ready to be sent. Never markup."""

    text: str
    entities: tuple[Entity, ...] = ()
    preview: str = ""  #: URL whose preview may be shown; empty: none
    buttons: tuple[tuple[Button, ...], ...] = ()  #: row by row
    file: "File | None" = None  #: sent with the text as its caption


@dataclass(frozen=True, slots=True)
class File:
    """A document or a picture."""

    name: str
    content: bytes
    picture: bool = False


# What became of one send or edit.


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived (or was already so)."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """It surely did not arrive and may be tried again."""

    reason: str
    after: timedelta | None = None  #: the wait the server named
    flood: bool = False  #: the server said: too many requests


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The message will never be taken as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatClosed:
    """The chat takes no messages at present."""

    reason: str
    probe: bool  #: worth a try a day later (rights may come back); otherwise a person must act
    final: bool = True  #: False: may be a slip (chat not found), counts as a strike


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """A group became a supergroup."""

    address: int


@dataclass(frozen=True, slots=True)
class MessageLost:
    """The message to edit is not there any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Halted:
    """Nothing can be sent to anyone (the token is refused)."""

    reason: str


SendOutcome = Sent | NotSent | InDoubt | Refused | ChatClosed | ChatMoved | MessageLost | Halted


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the store is to do with a delivery after its outcome."""

    delivery: Delivery
    state: DeliveryState
    message_id: int | None = None
    error: str = ""
    doubt: bool = False  #: count one attempt that may have arrived
    plain: bool = False  #: render without style next time
    park_until: datetime | None = None  #: the chat's address sends nothing before
    pause: str = ""  #: pause the chat with this reason
    move_to: int | None = None  #: the chat's new address
    notice: NoticeIntent | None = field(default=None)
