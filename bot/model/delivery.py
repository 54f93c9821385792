"""Deliveries and their outcomes: a send or edit of a message. Not its text (`message`)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.i18n.phrase import Phrase
from bot.model.abilities import ABILITIES, Abilities
from bot.model.alerts import AlertView, BundleKind, Priority
from bot.model.chats import Chat, ChatKind
from bot.model.message import Button, Entity, File


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chat with deliveries that may go out, as far as the store can tell."""

    chat_id: int
    address: int
    priority: int
    kind: ChatKind = ChatKind.TELEGRAM


class DeliveryKind(StrEnum):
    """What a delivery is for."""

    ALERT = "alert"  #: the first message of one story, or of several collapsed into one
    EDIT = "edit"  #: the newest state of a message that was sent
    #: a short second alert, in reply to the first, when enough publishers carry the story
    AGAIN = "again"
    NOTICE = "notice"  #: something the operator should know
    REPLY = "reply"  #: an answer to a person


class DeliveryState(StrEnum):
    """Where a delivery is on its way."""

    QUEUED = "queued"
    SENDING = "sending"  #: leased; written before the call goes out
    SENT = "sent"
    UNKNOWN = "unknown"  #: many tries over hours were all left undecided; waits for a person
    MERGED = "merged"  #: another delivery carries its alerts
    DROPPED = "dropped"  #: not needed any more, or given up by a person
    DEAD = "dead"  #: refused for good; waits for a person


class DropReason(StrEnum):
    """Why a delivery was dropped, as it is stored."""

    BY_HAND = "dropped by hand"
    TASK_DONE = "it is done"
    REPLACED = "the message changed again"
    ALERT_REPEATED = "the alert itself is sent again"
    SUPERGROUP = "the supergroup has it already"
    MERGED_STORY = "its story became part of another"
    MUTED = "the chat muted its storyline"
    WITHDRAWN = "no subscription in force wants it any more"
    LATE_ANSWER = "the group was too busy to get the answer in time"
    NO_EDITS = "this kind of chat cannot change its messages"
    WAITED_TOO_LONG = "the chat took no messages for weeks"
    UNCHANGED = "the message shows the same already"


class NoticeKind(StrEnum):
    """What a notice is about."""

    SERVICE_DOWN = "halted"  #: nothing could be sent to any chat
    UNDECIDED = "undecided"  #: nobody can tell whether a message arrived
    DEAD_LETTER = "dead_letter"  #: a message was refused for good
    CHAT_PAUSED = "chat_paused"  #: a chat takes no messages
    CLOCK = "clock"  #: the clock of this machine was wrong
    CHAT_CLOSED = "chat_closed"  #: what waited for weeks in such a chat was dropped
    REFUSED = "refused"  #: Telegram takes nothing of this bot: it goes to terminals
    RETENTION = "retention"  #: what a shorter retention will delete
    DATABASE = "database"  #: its file is gone, replaced or damaged
    FLOOD = "flood"  #: a feed had more new entries than ever
    EMPTY = "empty"  #: a feed that had entries has none
    FEED_FAILING = "feed_failing"
    FEED_RECOVERED = "feed_recovered"
    FEED_SILENT = "feed_silent"  #: it can be read, and has stopped to publish
    INTERNAL = "internal"  #: a part of newsbell failed
    FEED_MOVED = "feed_moved"  #: a permanent redirect was adopted


class ServiceFault(StrEnum):
    """What is wrong with the service as a whole, not with one chat or message."""

    UNREACHABLE = "unreachable"  #: no connection
    CERTIFICATE = "certificate"  #: its certificate is not valid
    PORTAL = "portal"  #: something answers that is not the service: a login page, a proxy
    ERROR = "error"  #: 5xx
    SILENT = "silent"  #: no answer in time
    BROKEN = "broken"  #: the connection ended before the answer
    REFUSED = "token"  #: it refuses the bot's token


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the service takes nothing."""

    fault: ServiceFault
    reason: str
    since: datetime


class WaitCause(StrEnum):
    """Why a delivery that is queued has not gone out yet."""

    QUIET_HOURS = "quiet_hours"
    DIGEST = "digest"  #: it goes out with the next digest
    #: the chat's address may not be written to before: Telegram said so, or a try there failed
    CHAT_PACE = "chat_pace"
    RETRY = "retry"  #: this delivery was tried, and is tried again
    EDIT_PACE = (
        "edit_pace"  #: the message was changed recently; longer apart if it had these words before
    )
    PAUSED = "paused"  #: the chat takes no messages until a person acts
    NOT_ALLOWED = "not_allowed"  #: the chat may not use newsbell
    SERVICE_DOWN = "service_down"  #: Telegram takes nothing from anybody
    COLLECTED = "collected"  #: it was gathered into a digest or catch-up, which is next in line
    IN_LINE = "in_line"  #: nothing but what goes out before it


@dataclass(frozen=True, slots=True)
class WaitFacts:
    """What is stored about a queued delivery and its chat that decides when it goes out."""

    kind: DeliveryKind
    priority: Priority
    form: BundleKind  #: of a message that was gathered
    attempts: int
    error: str  #: of the last attempt
    not_before: datetime | None  #: of the delivery itself
    is_allowed: bool
    paused: str  #: why nothing is sent to the chat; empty where it is not paused
    chat_not_before: datetime | None
    quiet_until: datetime | None
    next_digest_at: datetime | None  #: None: by number alone, or not planned yet
    outage: Outage | None  #: that concerns the chat


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a queued delivery waits."""

    cause: WaitCause
    until: datetime | None = None  #: always after now; None: nobody knows
    reason: str = ""  #: why the chat is paused, the service down or the last attempt in vain


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A delivery as the operator sees it."""

    id: int
    state: DeliveryState
    kind: DeliveryKind
    chat: str
    title: str
    attempts: int
    created_at: datetime
    error: str
    wait: Wait | None = None  #: why it is queued; None where it is not


@dataclass(frozen=True, slots=True)
class NoticeIntent:
    """Something the operator should know; the same words are sent once a day at most."""

    kind: NoticeKind
    text: str  #: English
    phrase: Phrase | None = field(default=None, compare=False)  #: the same for each language


def notice(kind: NoticeKind, phrase: Phrase) -> NoticeIntent:
    """Return a notice that each operator reads in the language of their chat."""
    return NoticeIntent(kind, str(phrase), phrase)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row of the outbox: a send or edit that this process may do now."""

    id: int
    kind: DeliveryKind
    chat: Chat
    attempt: int  #: 1 for the first
    doubts: int  #: how many earlier attempts may have arrived
    plain: bool  #: Telegram refused the styled form
    alerts: tuple[AlertView, ...] = ()
    text: str = ""  #: of a notice or reply
    phrase: Phrase | None = None  #: of a notice: its text for each language
    entities: tuple[Entity, ...] = ()  #: of a notice or reply
    message_id: int | None = None  #: of the message to edit
    reply_to: int | None = None
    created_at: datetime | None = None
    marked: bool = False  #: the message to edit says that it is a repeat
    edits: bool = False  #: a reply that replaces `message_id`
    buttons: tuple[tuple[Button, ...], ...] = ()  #: of a notice or reply
    asks: bool = False  #: a reply to this message is asked for
    file: File | None = None
    doubted_at: datetime | None = None  #: when the first of `doubts` was
    shown: bytes = b""  #: digest of what the message to edit shows; empty: nobody knows
    reference: str = ""  #: by which another service than Telegram knows the message to edit
    reply_reference: str = ""  #: and that which this one replies to

    @property
    def abilities(self) -> Abilities:
        """What its kind of chat can do."""
        return ABILITIES[self.chat.kind]

    @property
    def changes_message(self) -> bool:
        """Whether it changes a message: that does no harm if it is done twice."""
        return self.kind is DeliveryKind.EDIT or self.edits

    @property
    def shows_first_try(self) -> bool:
        """Whether an earlier try may be what its message shows: the service takes only one."""
        return self.abilities.idempotent and self.attempt > 1 and not self.changes_message

    @property
    def silent(self) -> bool:
        """Whether it arrives without a sound: it only tells what is new of earlier alerts."""
        return bool(self.alerts) and all(alert.quiet for alert in self.alerts)

    @property
    def repeat(self) -> bool:
        """Whether an earlier copy may have arrived: this copy and its edits say "(repeat)"."""
        in_doubt = self.doubts > 0 and not self.changes_message and not self.abilities.idempotent
        return self.marked or in_doubt


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived (or was already so)."""

    message_id: int | None
    reference: str = ""  #: by which another service than Telegram knows it from now on


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing was sent: the message to edit shows the same already."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """It surely did not arrive and may be tried again."""

    reason: str
    retry_after: timedelta | None = None  #: the wait that the server named
    rate_limited: bool = False  #: the server said: too many requests


@dataclass(frozen=True, slots=True)
class Undecided:
    """It may have arrived."""

    reason: str
    fault: ServiceFault | None = None  #: where the fault is the service's


@dataclass(frozen=True, slots=True)
class Refused:
    """The message will never be accepted as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatClosed:
    """The chat accepts no messages for now."""

    reason: str
    probe: bool  #: worth a try a day later (rights may come back); otherwise a person must act
    final: bool = True  #: False: may be a slip of the server (chat not found): tried again first
    soon: bool = False  #: worth a try within the hour: topics are closed for a night


#: what a topic is where Telegram takes nothing for it
NO_TOPIC = ChatClosed("the topic is closed or deleted; reopen it, or set another one.", probe=True)


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """A group became a supergroup."""

    address: int


@dataclass(frozen=True, slots=True)
class MessageLost:
    """The message to edit does not exist any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class ServiceDown:
    """It surely did not arrive, and nothing can be sent to anyone."""

    reason: str
    fault: ServiceFault


SendOutcome = (
    Sent
    | Unchanged
    | NotSent
    | Undecided
    | Refused
    | ChatClosed
    | ChatMoved
    | MessageLost
    | ServiceDown
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the store is to do with a delivery after its outcome."""

    delivery: Delivery
    state: DeliveryState
    message_id: int | None = None
    reference: str = ""  #: of the message, with another service than Telegram
    shown: bytes = b""  #: digest of what the message of an alert shows from now on
    error: str = ""
    doubt: bool = False  #: count one attempt that may have arrived
    lost: bool = False  #: the message to change cannot be changed any more
    counts: bool = True  #: False: the attempt says nothing about the message and is not counted
    plain: bool = False  #: render without style next time
    retry_at: datetime | None = None  #: nothing is sent to the chat's address before
    topic_only: bool = False  #: `retry_at` holds for this chat and not for all of its address
    pause: str = ""  #: pause the chat with this reason
    move_to: int | None = None  #: the chat's new address
    notice: NoticeIntent | None = field(default=None)
