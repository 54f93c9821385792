"""Hubs that tell of a feed's news (WebSub), and what is agreed with them. No addresses of ours."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HubLink:
    """A hub that a feed names."""

    hub: str  #: address of the hub
    topic: str  #: the address under which it knows the feed


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """What is agreed with a hub about a feed, or still wanted."""

    feed_id: int
    link: HubLink
    tries: int = 0  #: in vain, since it last agreed
    until: datetime | None = None  #: the hub tells of news until then; None: it never agreed
