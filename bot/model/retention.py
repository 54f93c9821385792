"""How long stored things are kept that the work no longer needs. Deletes nothing."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind is kept; None: forever."""

    articles: timedelta | None = timedelta(days=90)  #: after they left their feeds
    alerts: timedelta | None = None  #: after the last article of the story left its feed
    messages: timedelta | None = timedelta(days=30)  #: after they were sent, merged or dropped
    removed: timedelta | None = timedelta(days=90)  #: subscriptions and feeds, so long to return
    explanations: timedelta | None = None  #: of matches; also how subscriptions read before

    def longer(self, other: "Retention") -> "Retention":
        """Return the longer of both for each kind."""
        kept = {}
        for kind in fields(self):
            own, others = getattr(self, kind.name), getattr(other, kind.name)
            kept[kind.name] = None if own is None or others is None else max(own, others)
        return Retention(**kept)


DEFAULT = Retention()


@dataclass(frozen=True, slots=True)
class Obsolete:
    """How much a clean-up would delete."""

    articles: int = 0
    alerts: int = 0  #: with their articles, which `articles` does not count
    messages: int = 0
    removed: int = 0  #: subscriptions and feeds

    def __bool__(self) -> bool:
        return bool(self.articles or self.alerts or self.messages or self.removed)


@dataclass(frozen=True, slots=True)
class RetentionState:
    """What clean-ups last kept to, and a shorter retention that the operator was told of."""

    used: Retention = Retention()
    announced: Retention | None = None
    announced_at: datetime | None = None
