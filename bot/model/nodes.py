"""The machines that share one database: who they are, and what they hand over. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.entries import Match

#: since its last sign of life, from which a node counts as gone, and what it had claimed is free
GONE = timedelta(seconds=8)


class News(StrEnum):
    """What nodes tell each other when it happens."""

    POLLS = "polls"  #: polls were handed over
    SUBSCRIPTIONS = "subscriptions"  #: those of all chats changed, or of the one that follows


def subscriptions_changed(chat: int | None) -> str:
    """Return what is told of subscriptions that changed: of one chat, or maybe of all."""
    return News.SUBSCRIPTIONS if chat is None else f"{News.SUBSCRIPTIONS} {chat}"


@dataclass(frozen=True, slots=True)
class Node:
    """A newsbell that runs on the database."""

    name: str
    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class NodeState:
    """What the database knows of a node."""

    node: Node
    leads: bool  #: it decides and sends; the others fetch
    silent: timedelta  #: since its last sign of life, by the clock of the database's server

    @property
    def is_gone(self) -> bool:
        """Whether it counts as gone."""
        return self.silent > GONE


@dataclass(frozen=True, slots=True)
class KnownMatches:
    """What a node that does not lead found to match the articles of a poll."""

    subscriptions: bytes = b""  #: digest of those that were asked
    by_article: Mapping[bytes, tuple[Match, ...]] = field(default_factory=dict)  #: by digest


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A poll that another node made, packed, for whoever decides what it means."""

    feed_id: int
    packed: bytes
    id: int = 0  #: in the database; 0 before it is there
