"""Chats, their settings and their subscriptions. Not what people write there (`chat_events`)."""

from dataclasses import astuple, dataclass
from datetime import timedelta
from enum import StrEnum

from bot.model.stories import Grouping

_FIRST_SUPERGROUP = 10**12  # ids of supergroups and channels lie below the negative of this
GENERAL_TOPIC = 1  #: its id in links; the Bot API takes messages to it as to the group alone


class ChatKind(StrEnum):
    """Where the messages of a chat go."""

    TELEGRAM = "telegram"
    TERMINAL = "terminal"
    WEBHOOK = "webhook"
    DISCORD = "discord"
    SLACK = "slack"  #: with a bot's token
    SLACK_WEBHOOK = "slack_webhook"
    MATRIX = "matrix"
    MATTERMOST = "mattermost"
    NTFY = "ntfy"
    EMAIL = "email"
    APPRISE = "apprise"  #: any other service, by that library


class TokenPurpose(StrEnum):
    """What a link with a token does for the person who opens it."""

    CLAIM = "claim"  #: makes them an owner
    INVITE = "invite"  #: lets them in
    SHARE = "share"  #: offers them a subscription


class Urgency(StrEnum):
    """How soon a subscription's alerts go out among a chat's others."""

    BREAKING = "breaking"
    NORMAL = "normal"
    DIGEST = "digest"


class Developments(StrEnum):
    """How a chat hears of news that joins a story which it was alerted of."""

    NOTE = "note"  #: a silent reply to the alert
    ALERT = "alert"  #: an alert of its own
    EDIT = "edit"  #: a change of the alert's message, as for any further article


class Updates(StrEnum):
    """How a chat hears that an article of an alert was withdrawn, corrected or carried on.

    The alert's message shows it in any case, where messages can change.
    """

    NOTE = "note"  #: a silent reply to the alert
    ALERT = "alert"  #: a reply with a sound, by the rules of an alert
    EDIT = "edit"  #: no more than the changed message


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """When a subscription sends alerts, and how urgent they are."""

    urgency: Urgency = Urgency.NORMAL
    publishers: int = 1  #: independent publishers that must carry a story before an alert is sent
    #: wait for `publishers` at most this long after the first match; None: without end
    or_after: timedelta | None = None
    alert_again_at: int = 0  #: publishers at which a second alert is sent; 0: never
    developments: Developments | None = None  #: None: as the chat chose
    updates: Updates | None = None  #: None: as the chat chose


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """Language, time zone and hours of a chat; None where nobody chose."""

    language: str | None = None
    zone: str | None = None  #: as `Europe/Berlin`
    quiet: tuple[int, int] | None = None  #: minutes of the day, from and to; both the same: never
    digest_at: tuple[int, ...] | None = None  #: minutes of the day
    #: number of waiting stories at which a digest comes before its time; 0: never
    digest_from: int | None = None
    developments: Developments | None = None
    hide_names: bool | None = None  #: alerts do not name the subscriptions that they match
    updates: Updates | None = None

    def over(self, other: "ChatSettings") -> "ChatSettings":
        """Return these settings, completed by others."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return ChatSettings(*(fallback if value is None else value for value, fallback in pairs))


@dataclass(frozen=True, slots=True)
class DeclaredChat:
    """A chat as the configuration file declares it."""

    name: str
    kind: ChatKind
    address: int = 0  #: Telegram chat id; 0 for all others, which are known by their names
    topic: int = 0  #: Telegram message_thread_id; 0 for none and for General
    grouping: Grouping | None = None  #: None: as the file's settings say
    settings: ChatSettings = ChatSettings()


@dataclass(frozen=True, slots=True)
class DeclaredSubscription:
    """A subscription as the configuration file declares it."""

    name: str
    query: str
    feeds: tuple[str, ...]  #: tags, names or URLs; empty: all feeds
    to: tuple[str, ...]  #: names of chats
    options: AlertOptions = AlertOptions()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing query with the chats that get its alerts."""

    id: int
    name: str
    query: str
    feeds: tuple[str, ...]
    chats: tuple[int, ...]  #: chat ids
    terminals: tuple[int, ...] = ()  #: those of `chats` that are terminals
    declared: bool = False  #: by the configuration file
    options: AlertOptions = AlertOptions()
    paused: bool = False  #: by a person
    number: int = 0  #: by which the chat names it; 0 where no chat is asked about


@dataclass(frozen=True, slots=True)
class ForecastResult:
    """What was forecast of a subscription for a week, and what the last seven days brought."""

    low: int
    high: int
    came: int  #: alerts that name it, without silent replies

    @property
    def is_right(self) -> bool:
        """Return whether what came is within the range."""
        return self.low <= self.came <= self.high


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that the store knows."""

    id: int
    name: str
    kind: ChatKind
    address: int
    topic: int
    allowed: bool = True  #: False: it gets no alerts, and only replies on how to get access
    paused: str = ""  #: why nothing is sent there; empty where it is not paused
    grouping: Grouping | None = None  #: that the file gives this chat
    settings: ChatSettings = ChatSettings()  #: in force: the file's, else the chat's own
    fixed: frozenset[str] = frozenset()  #: names of the settings that the file gives
    managed_chat: int | None = None  #: another chat that commands written here are meant for
    operator: bool = False  #: it gets the notices
    channel: bool = False  #: everybody reads, administrators write

    @property
    def is_group(self) -> bool:
        """Whether it is a group or channel: their ids are negative, and they have a rate limit."""
        return self.address < 0

    def link_to(self, message_id: int) -> str:
        """Return the address of a message here; empty where Telegram has none.

        Messages of supergroups and channels have one, for who is a member.
        """
        number = -self.address - _FIRST_SUPERGROUP
        if number <= 0:
            return ""
        topic = f"/{self.topic}" if self.topic else ""
        return f"https://t.me/c/{number}{topic}/{message_id}"
