"""The state of the whole program as its operator sees it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model.chats import Chat
from bot.model.delivery import DeliveryState, Outage
from bot.model.feeds import FeedState
from bot.model.hosts import HostStatus
from bot.model.nodes import Sharing


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed as the operator sees it."""

    url: str
    name: str
    every: timedelta | None
    state: FeedState
    entries: int
    id: int = 0
    host: str = ""  #: with its port, where that is not the usual one


@dataclass(frozen=True, slots=True)
class FeedQuestion:
    """Which feeds a page shows: one, those in trouble, or those that have a word."""

    number: int | None = None  #: this one alone
    slow_from: float | None = None  #: those that fail, are silent, or took so many seconds
    word: str = ""  #: those with it in their name or address
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FeedList:
    """Feeds that were asked for."""

    feeds: tuple[FeedStatus, ...]  #: at most as many as were asked for
    matching: int
    total: int  #: of the chat
    next_poll_at: datetime | None  #: of any of the chat


@dataclass(frozen=True, slots=True)
class Status:
    """The whole program as the operator sees it."""

    feeds: tuple[FeedStatus, ...]
    chats: tuple[tuple[Chat, int, datetime | None], ...]  #: chat, queued or being sent, not before
    subscriptions: int
    deliveries: Mapping[DeliveryState, int] = field(default_factory=dict)
    hosts: tuple[HostStatus, ...] = ()  #: hosts that wait, or that are asked more slowly
    outage: Outage | None = None  #: since when Telegram takes nothing
    sharing: Sharing = Sharing()
