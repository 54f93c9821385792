"""What of the state of newsbell a visit may show: the feeds and the queue of its chat."""

from dataclasses import replace

from bot.model.status import FeedStatus, Status
from bot.web.services import WebServices
from bot.web.visit import Visit


async def own_status(visit: Visit, services: WebServices) -> Status:
    """Return the state, reduced to the feeds, subscriptions and queue of the visit's chat.

    Raises StoreError.
    """
    status = await services.admin.status()
    chat = visit.chat
    if chat is None:
        return status
    own = {feed.url: feed for feed in await services.chats.feeds_of(chat.id)}
    subscriptions = await services.chats.subscriptions_of(chat.id)
    return replace(
        status,
        feeds=tuple(
            replace(feed, name=own[feed.url].name) for feed in status.feeds if feed.url in own
        ),
        chats=tuple(row for row in status.chats if row[0].id == chat.id),
        subscriptions=len(subscriptions),
    )


async def own_feed(visit: Visit, services: WebServices, number: int) -> FeedStatus | None:
    """Return the state of a feed by its number; None where the chat does not have it.

    Raises StoreError.
    """
    status = await own_status(visit, services)
    return next((feed for feed in status.feeds if feed.id == number), None)
