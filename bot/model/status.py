"""The state of the whole program as its operator sees it. Values only."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model.chats import Chat
from bot.model.feeds import FeedState


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed as the operator sees it."""

    url: str
    name: str
    every: timedelta | None
    state: FeedState
    entries: int


@dataclass(frozen=True, slots=True)
class Status:
    """The whole as the operator sees it."""

    feeds: tuple[FeedStatus, ...]
    chats: tuple[tuple[Chat, int, datetime | None], ...]  #: chat, queued, not before
    subscriptions: int
    deliveries: dict[str, int] = field(default_factory=dict)  #: state to count
    hosts: tuple[tuple[str, datetime], ...] = ()  #: parked hosts
