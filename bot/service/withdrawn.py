"""What a change of feeds.yaml took out of force, so that it is known when it comes back soon.

Values only; reads no file and no store.
"""

from bot.model.desired_config import DesiredConfig

AGAIN = 600.0  #: seconds within which a file that comes back counts as never withdrawn

_Part = tuple[str, ...]


class Withdrawn:
    """Remembers for a while what subscriptions, routes and feeds were withdrawn."""

    def __init__(self) -> None:
        self._since: dict[_Part, float] = {}

    def change(
        self, old: DesiredConfig, new: DesiredConfig, now: float
    ) -> tuple[frozenset[str], float]:
        """Note a change at this moment, in seconds of the monotonic clock.

        Return the names of the subscriptions that are as they were before they were withdrawn, and
        when the first of them was.
        """
        before, after = _parts(old), _parts(new)
        self._since = {part: since for part, since in self._since.items() if now - since <= AGAIN}
        back = {part: self._since.pop(part) for part in after - before if part in self._since}
        self._since |= dict.fromkeys(before - after, now)
        names = {part[1] for part in back if part[0] == "route"}
        if any(part[0] == "feed" for part in back):  # its tags may lead to any subscription
            names |= {subscription.name for subscription in new.subscriptions}
        return frozenset(names), min(back.values(), default=now)


def _parts(config: DesiredConfig) -> set[_Part]:
    """What decides which entries lead to alerts: each route, and each feed."""
    routes = {
        ("route", subscription.name, subscription.query, "\n".join(subscription.feeds), chat)
        for subscription in config.subscriptions
        for chat in subscription.to
    }
    return routes | {("feed", feed.url, feed.name, "\n".join(feed.tags)) for feed in config.feeds}
