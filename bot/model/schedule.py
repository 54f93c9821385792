"""Quiet hours and digests of chats: what waits for them, and what was decided.

Decides nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.model.alerts import BundleKind
from bot.model.chats import Chat


@dataclass(frozen=True, slots=True)
class WaitingStory:
    """An alert that waits to be sent in one message with others."""

    delivery_id: int
    storyline_id: int
    publishers: int
    length: int  #: code points of its headline
    digest: bool  #: for the digest; else for the end of quiet hours
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChatSchedule:
    """A chat whose quiet hours or digests are due."""

    chat: Chat
    quiet_until: datetime | None  #: as decided the last time
    digested_at: datetime | None  #: when a digest was last due
    waiting: tuple[WaitingStory, ...]
    #: when the wait for publishers of a more urgent subscription ends next
    rises_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries that become one message, in this order."""

    form: BundleKind
    deliveries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """What was decided about a chat's quiet hours and digests."""

    chat_id: int
    quiet_until: datetime | None
    digested_at: datetime
    next_at: datetime | None  #: when to look again; None: not before something changes
    pages: tuple[Page, ...] = ()
    next_digest_at: datetime | None = None  #: None: no time of the day is set for digests
