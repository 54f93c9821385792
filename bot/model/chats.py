"""Chats, subscriptions, alerts and deliveries. Not feeds, not entries, not what people write (`talk`)."""

from dataclasses import astuple, dataclass
from datetime import timedelta
from enum import StrEnum

from bot.model.stories import Grouping


class ChatKind(StrEnum):
    """What kind of place a chat is."""

    TELEGRAM = "telegram"
    TERMINAL = "terminal"


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


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """How a subscription rings."""

    urgency: Urgency = Urgency.NORMAL
    publishers: int = 1  #: independent publishers that must carry a story before it rings
    or_after: timedelta | None = (
        None  #: rings so long after the first match all the same; None: never
    )
    alert_again_at: int = 0  #: rings once more when so many carry it; 0: never


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How a chat is spoken to, and when; None where nobody said."""

    language: str | None = None
    zone: str | None = None  #: as `Europe/Berlin`
    quiet: tuple[int, int] | None = None  #: minutes of the day, from and to; both the same: never
    digest_at: tuple[int, ...] | None = None  #: minutes of the day
    digest_from: int | None = (
        None  #: a digest comes before its time when so many stories wait; 0: never
    )

    def over(self, other: "ChatSettings") -> "ChatSettings":
        """These, and where they say nothing, the other."""
        return ChatSettings(
            *(
                theirs if mine is None else mine
                for mine, theirs in zip(astuple(self), astuple(other), strict=True)
            )
        )


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
    options: AlertOptions = AlertOptions()


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
    options: AlertOptions = AlertOptions()
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
    managed_chat: int | None = (
        None  #: the chat that is meant by what is written here, where it is another
    )
    operator: bool = False  #: it gets the notices
    channel: bool = False  #: everybody reads, administrators write

    @property
    def is_group(self) -> bool:
        """Whether Telegram's limit of 20 messages a minute holds (groups and channels have negative ids)."""
        return self.address < 0
