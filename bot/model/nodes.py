"""The machines that share one database: who they are, and what they hand over. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.entries import Match

#: since its last sign of life, from which a node counts as gone, and what it had claimed is free
GONE = timedelta(seconds=8)
#: by which the clock of a node may differ from that of the one that leads, in seconds: by its clock
#: it decides which feeds are due, and how long it has them
CLOCKS_DIFFER = 5.0


class Tables(StrEnum):
    """The tables of a database, as a version of newsbell finds them."""

    SAME = "same"  #: its own
    OLDER = "older"  #: it would change them when it takes the lead
    NEWER = "newer"  #: it may not write into them


class Rest(StrEnum):
    """Why a node that waits polls nothing."""

    VERSION = "version"  #: it is not that of the one that leads, which would take no poll of it
    OLDER_TABLES = "older tables"
    NEWER_TABLES = "newer tables"
    CLOCK = "clock"  #: it differs from that of the one that leads


class News(StrEnum):
    """What nodes tell each other when it happens."""

    POLLS = "polls"  #: polls were handed over
    REQUESTS = "requests"  #: the one that leads is asked for something
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
    digest: str = ""  #: of what its feeds.yaml says; empty for not known


def node_name(host: str, chance: str, process: int) -> str:
    """Return the name of a node. By host and process alone, containers are called the same."""
    return f"{host}-{chance}:{process}"


def host_of(name: str) -> str:
    """Return the host in the name of a node; empty where it has none."""
    return name.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class NodeState:
    """What the database knows of a node."""

    node: Node
    leads: bool  #: it decides and sends; the others fetch
    silent: timedelta  #: since its last sign of life, by the clock of the database's server
    ahead: float | None = None  #: seconds of its clock before that of the server; None: not known

    @property
    def is_gone(self) -> bool:
        """Whether it counts as gone."""
        return self.silent > GONE


@dataclass(frozen=True, slots=True)
class Sharing:
    """The machines that share a database, and what waits between them."""

    states: tuple[NodeState, ...] = ()  #: of a day, who leads first; none where nobody shares
    waiting: int = 0  #: polls of other nodes that the one that leads has not taken in
    oldest: timedelta = timedelta(0)  #: for which the first of them has waited

    @property
    def leader(self) -> NodeState | None:
        """Who leads; None for nobody."""
        return leader_of(self.states)


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of another machine, for whoever leads."""

    id: int
    node: str
    text: str


def leader_of(states: Sequence[NodeState]) -> NodeState | None:
    """Return who leads and gave a sign of life lately; None for nobody."""
    leaders = [state for state in states if state.leads and not state.is_gone]
    return min(leaders, key=lambda state: state.silent, default=None)


def clock_difference(state: NodeState, leader: NodeState) -> float:
    """Return by how many seconds a node's clock is ahead of the leader's; 0 where not known."""
    if state.ahead is None or leader.ahead is None:
        return 0.0
    return state.ahead - leader.ahead


def is_file_different(state: NodeState, leader: NodeState) -> bool:
    """Whether a node has another feeds.yaml than the one that leads."""
    digests = {state.node.digest, leader.node.digest}
    return "" not in digests and len(digests) > 1


def rest_of(state: NodeState, leader: NodeState, tables: Tables = Tables.SAME) -> Rest | None:
    """Return why a node polls nothing for the one that leads; None where it polls."""
    if tables is not Tables.SAME:
        return Rest.NEWER_TABLES if tables is Tables.NEWER else Rest.OLDER_TABLES
    if state.node.version != leader.node.version:
        return Rest.VERSION
    if abs(clock_difference(state, leader)) > CLOCKS_DIFFER:
        return Rest.CLOCK
    return None


def rest_text(rest: Rest, state: NodeState, leader: NodeState | None) -> str:
    """Return why a node polls nothing, and what to do, as a sentence."""
    match rest:
        case Rest.VERSION:
            other = leader.node.version if leader else "another one"
            return (
                f"It polls nothing, because its version is {state.node.version} and that of the "
                f"one that leads {other}: update the older one."
            )
        case Rest.OLDER_TABLES:
            return (
                f"It polls nothing, because the tables are those of an older newsbell: it brings "
                f"them to version {state.node.version} when it takes the lead."
            )
        case Rest.NEWER_TABLES:
            return (
                f"It polls nothing and cannot lead, because a newer newsbell than "
                f"{state.node.version} wrote the database: update this one."
            )
        case Rest.CLOCK:
            difference = clock_difference(state, leader) if leader else 0.0
            way = "ahead of" if difference > 0 else "behind"
            return (
                f"It polls nothing, because its clock is {abs(difference):.0f} s {way} that of the "
                f"one that leads: set the clocks."
            )
