"""What people do in a chat, and what comes of it: updates, screens, changes, answers.

Not alerts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.model.alerts import Stance
from bot.model.chats import AlertOptions, Chat, ChatSettings
from bot.model.feeds import FeedText
from bot.model.message import Message
from bot.model.stories import Grouping


class AlertAction(StrEnum):
    """What a button under an alert does; the message it stands under says which alert."""

    WHY = "why"
    MUTE = "mute"
    FOLLOW = "follow"
    NOT_FOR_ME = "unwanted"
    CLAIM = "mine"  #: "I'm on it", in groups


class Role(StrEnum):
    """What a person is to this newsbell."""

    OWNER = "owner"  #: named by the file, or the one who opened the claim link
    ADMIN = "admin"  #: made one by an owner
    USER = "user"
    BLOCKED = "blocked"
    STRANGER = "stranger"  #: not known


class UploadProblem(StrEnum):
    """Why a document that was sent could not be read."""

    TOO_LARGE = "too large"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Upload:
    """A document that came with a message: its content, or why there is none."""

    name: str
    content: bytes = b""
    problem: UploadProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUpdate:
    """One update of a chat service, whatever it is: where it happened and who did it.

    Each update is one of the classes below; this one alone is an update that newsbell ignores,
    but counts as taken.
    """

    update_id: int
    address: int = 0  #: of the chat; negative for groups and channels, 0 where there is none
    topic: int = 0
    title: str = ""  #: of the chat, or the person's name
    user_id: int = 0  #: 0 where nobody is known (a channel, an anonymous administrator)
    user_name: str = ""
    language: str = ""  #: code of the person's client, as `pt-br`
    channel: bool = False  #: a channel, where everyone only reads
    message_id: int | None = None
    #: the message that it replies to, whose button was pressed, or that was reacted to
    reply_to: int | None = None
    #: a private chat, a channel's own post, or an anonymous administrator; others are asked for
    is_admin: bool = False

    @property
    def private(self) -> bool:
        """Whether it came from a private chat."""
        return self.address > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMessage(ChatUpdate):
    """Something that a person wrote or sent."""

    upload: Upload | None = None
    forwarded_from: str = ""  #: the name of the first author, where it was forwarded
    forwarded_channel: str = ""  #: the public channel that it was forwarded from, without `@`


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(WrittenMessage):
    """A message that begins with a command."""

    name: str  #: lower case, with its slash and without the bot's name: `/mute`
    argument: str = ""  #: what follows it, without surrounding space
    text: str = ""  #: all of it as it was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(WrittenMessage):
    """A message without a command."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(ChatUpdate):
    """A pressed button; `message_id` and `reply_to` are the message that it belongs to."""

    data: str  #: an `AlertAction`, or the number of a screen, a colon and a `Callback`
    press_id: str = ""  #: by which the press is acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOpened(ChatUpdate):
    """A topic of a forum was opened again: it takes messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(ChatUpdate):
    """The bot was let into the chat, or blocked and removed."""

    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(ChatUpdate):
    """A person's reaction to a message."""

    emoji: str  #: empty where a reaction was taken back


class ExpectedInput(StrEnum):
    """What a screen waits for a person to write."""

    NOTHING = ""  #: nothing; other screens go on waiting
    ARGUMENT = "argument"  #: what a command came without
    CANCEL = "-"  #: nothing, and no other screen of this person waits any longer
    BROADCAST = "broadcast"
    CHANNEL = "channel"
    DIGEST_TIMES = "digest"
    QUERY = "query"
    QUIET_HOURS = "quiet"
    SITE = "site"
    TIME_ZONE = "zone"
    TOPIC = "topic"


class ScreenTask(StrEnum):
    """What is being done for a screen, where that takes long."""

    NONE = ""
    DRAW = "draw"  #: a chart
    LOOK = "look"  #: at the address of a site
    WORK = "work"  #: what an update asked for, which takes long; there is no message yet


@dataclass(frozen=True, slots=True)
class Screen:
    """A message with buttons that changes as they are pressed: what it shows now."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)  #: the handler's own; JSON
    expects: ExpectedInput = ExpectedInput.NOTHING
    id: int = 0  #: 0: not stored yet
    task: ScreenTask = ScreenTask.NONE
    target_chat: int | None = None  #: the chat that it is about, where that is another


# Changes.


@dataclass(frozen=True, slots=True)
class AddSubscription:
    """A chat asks for something."""

    query: str
    name: str
    options: AlertOptions = AlertOptions()
    feeds: tuple[str, ...] = ()
    forecast: tuple[int, int] | None = None  #: from how many to how many alerts a week


@dataclass(frozen=True, slots=True)
class EditSubscription:
    """A chat asks for the same otherwise; None leaves as it is. Ends its forecast."""

    subscription_id: int
    query: str | None = None
    name: str | None = None
    options: AlertOptions | None = None
    feeds: tuple[str, ...] | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class AskConfirmation:
    """A chat asks for so much that it has to confirm."""

    query: str


@dataclass(frozen=True, slots=True)
class RemoveSubscription:
    """A chat does not want something any more."""

    subscription_id: int
    undo: bool = False  #: it wants it again


@dataclass(frozen=True, slots=True)
class SetRole:
    """A person becomes something else to this newsbell."""

    user_id: int
    role: Role
    name: str = ""
    openly: bool = False  #: nobody let them in: everyone may come


@dataclass(frozen=True, slots=True)
class AllowChat:
    """A chat may use the bot, or may not any more; None: the one that the update came from."""

    chat_id: int | None = None
    allowed: bool = True
    operator: bool = False  #: it gets the notices
    openly: bool = False  #: nobody let it in: everyone may come


@dataclass(frozen=True, slots=True)
class SetPaused:
    """The chat closed itself to the bot (a reason) or opened again (empty)."""

    reason: str


@dataclass(frozen=True, slots=True)
class SetStance:
    """The chat follows or mutes a storyline, or neither any more."""

    storyline_id: int
    stance: Stance | None


@dataclass(frozen=True, slots=True)
class SetGrouping:
    """How much belongs to one alert of this chat; None: as the file's settings say."""

    grouping: Grouping | None


@dataclass(frozen=True, slots=True)
class SetSettings:
    """What the chat now says of itself; None leaves as it was."""

    settings: ChatSettings


@dataclass(frozen=True, slots=True)
class AddFeeds:
    """A chat wants these watched: address, name, tags."""

    feeds: tuple[tuple[str, str, tuple[str, ...]], ...]
    titled: bool = False  #: the names are those that the documents give


@dataclass(frozen=True, slots=True)
class RemoveFeed:
    """A chat does not want a feed that it added any more."""

    feed_id: int


@dataclass(frozen=True, slots=True)
class SetFeedText:
    """What of a feed is matched that no other chat added."""

    feed_id: int
    text: FeedText


@dataclass(frozen=True, slots=True)
class StoreToken:
    """A link to the bot can be used: its token, what it does, and for how many hours."""

    token: str
    purpose: str  #: "invite" or "share"
    values: Mapping[str, Any] = field(default_factory=dict)
    hours: int = 0  #: 0: for good


@dataclass(frozen=True, slots=True)
class UseToken:
    """A link that works once was opened."""

    token: str


@dataclass(frozen=True, slots=True)
class StoreWebLink:
    """A person of a private chat may open the web page, once and within these minutes."""

    word: str
    minutes: int


@dataclass(frozen=True, slots=True)
class ShowChatOnWeb:
    """A person of a group wants to see it on the web page, while they are a member."""


@dataclass(frozen=True, slots=True)
class AssignStory:
    """Somebody of a group takes the story of an alert, or gives it back (no name)."""

    message_id: int
    name: str


@dataclass(frozen=True, slots=True)
class RateAlert:
    """A person rates an alert: good (1), bad (-1), or takes the rating back (0)."""

    message_id: int
    verdict: int


@dataclass(frozen=True, slots=True)
class ManageChat:
    """Another chat is managed from this private chat from now on; None: none is."""

    chat_id: int | None


@dataclass(frozen=True, slots=True)
class LinkChannel:
    """A channel can be acted for by this person: its address and title."""

    address: int
    title: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The operator tells these chats something."""

    text: str
    chats: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Another chat is told something, with the buttons of a screen."""

    chat_id: int
    message: Message
    screen: Screen | None = None


@dataclass(frozen=True, slots=True)
class RetryDead:
    """The operator has the deliveries that were given up sent again."""


@dataclass(frozen=True, slots=True)
class RetryFeeds:
    """The operator has all failing feeds polled now, as far as their hosts may be asked."""


@dataclass(frozen=True, slots=True)
class ForgetPerson:
    """A person wants all that names them deleted, with their private chat."""


Change = (
    AddSubscription
    | EditSubscription
    | AskConfirmation
    | RemoveSubscription
    | SetRole
    | AllowChat
    | SetPaused
    | SetStance
    | SetGrouping
    | SetSettings
    | AddFeeds
    | RemoveFeed
    | SetFeedText
    | StoreToken
    | UseToken
    | StoreWebLink
    | ShowChatOnWeb
    | AssignStory
    | RateAlert
    | ManageChat
    | LinkChannel
    | Broadcast
    | Tell
    | RetryDead
    | RetryFeeds
    | ForgetPerson
)
#: changes after which what is subscribed has to be read anew
SUBSCRIPTION_CHANGES = (
    AddSubscription,
    EditSubscription,
    RemoveSubscription,
    AllowChat,
    SetRole,
    SetGrouping,
    SetSettings,
    AddFeeds,
    RemoveFeed,
    ForgetPerson,
)
#: those that may touch other chats than the one they came from
WIDE_CHANGES = (AllowChat, SetRole, AddFeeds, RemoveFeed, ForgetPerson)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an action came to."""

    message: Message | None = None
    changes: tuple[Change, ...] = ()
    toast: str = (
        ""  #: shown for a moment to the person who pressed a button; at most 200 characters
    )
    screen: Screen | None = None  #: what the reply is, where its buttons belong to it
    edit: bool = False  #: the reply takes the place of the message whose button was pressed
    ends_input: bool = False  #: no screen of this person waits for input any longer
    answered: int = 0  #: a screen, whoever opened it, that waits no longer


@dataclass(frozen=True, slots=True)
class HandledUpdate:
    """What one update led to: its changes and its answer are kept together, once."""

    update: ChatUpdate
    chat: Chat | None  #: where it was written; None for a chat that is not known yet
    reply: Reply = Reply()
    target: int | None = None  #: the chat that the changes are for, where it is another


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes."""

    user_id: int
    role: Role = Role.STRANGER
    name: str = ""
    openly: bool = False  #: nobody let them in: everyone may come


@dataclass(frozen=True, slots=True)
class OwnFeed:
    """A feed as a chat sees it in its lists."""

    id: int
    url: str
    name: str
    tags: tuple[str, ...]
    declared: bool  #: it stands in the file
    added_here: bool
    text: FeedText = FeedText.FEED
