"""What a change of feeds.yaml took out of force, so that it is known when it comes back soon.

Values only; reads no file and no store.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.model.chats import Subscription
from bot.model.desired_config import DesiredConfig
from bot.query.index import uses_lists

AGAIN = 600.0  #: seconds within which a file that comes back counts as never withdrawn

Names = Mapping[str, tuple[str, ...]]
_Part = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Returned:
    """What is again as it was before it was withdrawn."""

    since: float  #: when the first of it was withdrawn, in seconds of the monotonic clock
    subscriptions: frozenset[str] = frozenset()  #: names of those of the file
    lists: frozenset[str] = frozenset()  #: lists that queries name

    def concerns(self, subscription: Subscription) -> bool:
        """Whether the subscription may have missed articles meanwhile."""
        if subscription.declared and subscription.name in self.subscriptions:
            return True
        query = subscription.query.casefold()
        return (
            not subscription.paused
            and uses_lists(query)
            and any(name.casefold() in query for name in self.lists)
        )


class Withdrawn:
    """Remembers for a while what subscriptions, routes, feeds and lists were withdrawn."""

    def __init__(self) -> None:
        self._since: dict[_Part, float] = {}

    def change(
        self,
        old: DesiredConfig,
        new: DesiredConfig,
        now: float,
        old_names: Names | None = None,
        new_names: Names | None = None,
    ) -> Returned:
        """Note a change at this moment, in seconds of the monotonic clock.

        Return what is as it was before it was withdrawn.
        """
        before, after = _parts(old, old_names or {}), _parts(new, new_names or {})
        self._since = {part: since for part, since in self._since.items() if now - since <= AGAIN}
        back = {part: self._since.pop(part) for part in after - before if part in self._since}
        self._since |= dict.fromkeys(before - after, now)
        names = {part[1] for part in back if part[0] == "route"}
        if any(part[0] == "feed" for part in back):  # its tags may lead to any subscription
            names |= {subscription.name for subscription in new.subscriptions}
        lists = frozenset(part[1] for part in back if part[0] == "list")
        return Returned(min(back.values(), default=now), frozenset(names), lists)


def _parts(config: DesiredConfig, names: Names) -> set[_Part]:
    """What decides which entries lead to alerts: each route, each feed, and each list."""
    routes = {
        ("route", subscription.name, subscription.query, "\n".join(subscription.feeds), chat)
        for subscription in config.subscriptions
        for chat in subscription.to
    }
    feeds = {("feed", feed.url, feed.name, "\n".join(feed.tags)) for feed in config.feeds}
    return routes | feeds | {("list", name, "\n".join(items)) for name, items in names.items()}
