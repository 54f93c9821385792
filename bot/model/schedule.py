"""What a chat's clock is asked, and what it answers: quiet hours, digests, messages of several stories. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from bot.model.alerts import BundleKind
from bot.model.chats import Chat


@dataclass(frozen=True, slots=True)
class WaitingStory:
    """An alert that waits to be told together with others."""

    delivery_id: int
    storyline_id: int
    publishers: int
    length: int  #: code points of its headline
    digest: bool  #: for the digest; else for the end of quiet hours
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChatSchedule:
    """A chat whose hours are to be looked at."""

    chat: Chat
    quiet_until: datetime | None  #: as decided the last time
    digested_at: datetime | None  #: when a digest was last due
    waiting: tuple[WaitingStory, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries that become one message, in this order."""

    form: BundleKind
    deliveries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """What is to be kept of a chat's hours."""

    chat_id: int
    quiet_until: datetime | None
    digested_at: datetime
    next_at: datetime | None  #: when to look again; None: not before something changes
    pages: tuple[Page, ...] = ()
