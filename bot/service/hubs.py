"""Agree with hubs that they tell of news (WebSub), and poll the feeds of which they tell.

What a hub sends is not read: it makes its feed due, so there is one way for news to come, with all
its guards. Feeds are polled at their own times as well, because a hub may forget.
W3C Recommendation WebSub (2018), sections 5 and 7.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from bot.feeds.poller import PollReport
from bot.model.hubs import HubLink, HubSubscription
from bot.ports import Caller, Clock, Store
from bot.web.signed import hub_address, hub_secret

EVERY = 2.0  #: seconds between two looks
LEASE = timedelta(days=10)  #: that a hub is asked for
AT_ONCE = 10  #: hubs asked in one look
FIRST_RETRY = timedelta(minutes=10)  #: until a hub that did not agree is asked again; then longer
LONGEST_RETRY = timedelta(days=1)
PATIENCE = 30  #: looks in which a feed of which a hub told may still be busy

log = structlog.stdlib.get_logger("newsbell.hubs")


class Hubs:
    """The agreements with hubs; one part of the running program."""

    def __init__(self, store: Store, caller: Caller, clock: Clock, public: str) -> None:
        """`public` is the address at which hubs reach the web page.

        `caller` reaches public addresses only: strangers' documents name the hubs.
        """
        self._store, self._caller, self._clock, self._public = store, caller, clock, public
        self.poll: Callable[[], None] = _nothing  #: looks for due feeds
        self._found: dict[int, HubLink] = {}
        self._told: dict[int, int] = {}  # feeds of which hubs told, with looks in vain

    def polled(self, reports: Iterable[PollReport]) -> None:
        """Note the hubs that feeds name."""
        for report in reports:
            if report.hub is not None:
                self._found[report.commit.feed_id] = report.hub

    def tell(self, feed_id: int) -> None:
        """A hub told of news of this feed."""
        self._told.setdefault(feed_id, 0)

    async def run(self) -> None:
        """Look again and again, until cancelled. Raises StoreError."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Poll what hubs told of, keep the hubs that were found, ask those that are due."""
        hubs, now = self._store.hubs, self._clock.now()
        for feed_id, looks in list(self._told.items()):
            if await hubs.told(feed_id, now):
                self.poll()
            elif looks < PATIENCE:  # it is being polled, or was a moment ago
                self._told[feed_id] = looks + 1
                continue
            del self._told[feed_id]
        if self._found:
            found, self._found = self._found, {}
            await hubs.note(found, now)
        due = await hubs.due(now, AT_ONCE)
        for subscription in due:
            # Before the call: a hub may ask back while it is made.
            await hubs.asked(subscription.feed_id, now + retry_after(subscription.tries))
        await asyncio.gather(*map(self._ask, due))

    async def _ask(self, subscription: HubSubscription) -> None:
        key, link = await self._store.web.key(), subscription.link
        form = {
            "hub.mode": "subscribe",
            "hub.topic": link.topic,
            "hub.callback": hub_address(key, self._public, subscription.feed_id),
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
        }
        if link.hub.startswith("https://"):  # WebSub §8: a secret goes over no other way
            form["hub.secret"] = hub_secret(key, subscription.feed_id, link.hub)
        failed = await self._caller.call(link.hub, form=form)
        if failed is not None:
            log.info("hub_refused", feed_id=subscription.feed_id, error=failed.text)


def _nothing() -> None:
    """Nobody polls yet."""


def retry_after(tries: int) -> timedelta:
    """Return how long a hub is left alone that did not agree: 10 minutes, 20, 40 ... a day."""
    return min(FIRST_RETRY * (1 << min(tries, 10)), LONGEST_RETRY)
