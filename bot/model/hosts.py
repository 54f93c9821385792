"""What newsbell knows of a host: how often it may be asked. Values only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

PATIENCE = 10  #: requests that a host lets in before its interval is shortened


@dataclass(frozen=True)  # without slots: see `changed`
class HostPace:
    """How often a host may be asked, as its refusals taught. Stored for hosts that refused."""

    not_before: datetime | None = None  #: it is not asked before then
    reason: str = ""  #: why not, in words
    interval: timedelta = timedelta(0)  #: least time between two requests; zero: nothing learned
    #: the interval that held, while a shorter one is tried; zero: none is tried
    proven: timedelta = timedelta(0)
    #: time between two requests, the second of which was refused
    refused_interval: timedelta = timedelta(0)
    since: datetime | None = None  #: when `interval` last changed
    held: int = 0  #: requests let in at this interval, one soon after the other
    patience: int = PATIENCE  #: how many of them it takes to try a shorter one
    refusals: int = 0  #: in a row
    asked_at: datetime | None = None  #: when it last answered


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What an answer says of its host."""

    pace: HostPace | None = None  #: to be stored; None: nothing changed
    refused: bool = False  #: the host refused, whatever feed was asked for
    given_back: tuple[int, ...] = ()  #: ids of claimed feeds that are not asked for now


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A host that waits, or that is asked more slowly, as the operator sees it."""

    host: str
    not_before: datetime
    reason: str
    interval: timedelta
    refusals: int
