"""Sizes of what is stored, at one moment, for a monitor. Values only; not what was counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.delivery import DeliveryState, WaitCause


class FeedCondition(StrEnum):
    """How a feed is, as a monitor counts it; the first that holds."""

    FAILING = "failing"  #: its last poll failed
    NEW = "new"  #: never polled with success
    SILENT = "silent"  #: it can be read, and has stopped to publish
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Deliveries that wait for the same reason."""

    count: int
    oldest: datetime  #: when the first of them was queued


@dataclass(frozen=True, slots=True)
class Gauges:
    """What a monitor reads of the database."""

    feeds: Mapping[FeedCondition, int]
    waiting: Mapping[WaitCause, Backlog]
    undelivered: Mapping[DeliveryState, int]  #: what waits for a person, and what is being sent
    subscriptions: int
    cleaned_at: datetime | None  #: when a clean-up last went through to its end
