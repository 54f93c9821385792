"""What of the state of newsbell a visit may show: the feeds and the queue of its chat."""

from dataclasses import dataclass

from bot.model.delivery import Outage
from bot.model.status import FeedList, FeedQuestion, FeedStatus
from bot.web.services import WebServices
from bot.web.visit import Visit


@dataclass(frozen=True, slots=True)
class OwnState:
    """The state of a chat; of all, where all are shown."""

    feeds: FeedList  #: those in trouble
    subscriptions: int
    queued: int  #: messages that wait or are being sent
    outage: Outage | None  #: since when Telegram takes nothing


async def own_state(visit: Visit, services: WebServices, slow_from: float, limit: int) -> OwnState:
    """Return the state of the visit's chat. Raises StoreError."""
    whole, chat = await services.search.whole_status(), visit.chat
    question = FeedQuestion(slow_from=slow_from, limit=limit)
    feeds = await services.search.feed_list(visit.chat_id, question)
    if chat is None:
        queued = sum(count for _, count, _ in whole.chats)
        return OwnState(feeds, whole.subscriptions, queued, whole.outage)
    subscriptions = await services.chats.subscriptions_of(chat.id)
    queued = await services.search.queued(chat.id)
    return OwnState(feeds, len(subscriptions), queued, whole.outage)


async def own_feed(visit: Visit, services: WebServices, number: int) -> FeedStatus | None:
    """Return the state of a feed by its number; None where the chat does not have it.

    Raises StoreError.
    """
    question = FeedQuestion(number=number)
    return next(iter((await services.search.feed_list(visit.chat_id, question)).feeds), None)
