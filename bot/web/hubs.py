"""What hubs ask and tell (WebSub): whether a subscription is meant, and that a feed has news.

Anybody can call; an address that was not made here is not found. What is sent is never read beyond
its signature, so at worst a feed is polled that has nothing new.
"""

import hmac
from datetime import timedelta

import structlog
from aiohttp import web

from bot.web.answers import Refused
from bot.web.services import WebServices
from bot.web.signed import hub_secret, hub_word

LARGEST = 10 * 1024 * 1024  #: bytes of what a hub sends
LONGEST = timedelta(days=30)  #: that an agreement may last
SHORTEST = timedelta(minutes=10)
MARGIN = timedelta(hours=12)  #: before the end of an agreement, or a third of it, it is renewed
_CHALLENGE = 1000  # characters
_METHODS = ("sha1", "sha256", "sha384", "sha512")  # WebSub §7.1

log = structlog.stdlib.get_logger("newsbell.hubs")


class HubCalls:
    """Answers hubs."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    async def verify(self, request: web.Request) -> web.Response:
        """Say whether a subscription is meant (§5.3). Raises a refusal, and StoreError."""
        feed_id = await self._feed(request)
        subscription = await self._services.hubs.subscription(feed_id)
        query = request.query
        if subscription is None or query.get("hub.topic") != subscription.link.topic:
            raise Refused(404)
        match query.get("hub.mode"):
            case "subscribe":
                lease = _lease(query.get("hub.lease_seconds", ""))
                now = self._services.now()
                renewal = now + lease - min(MARGIN, lease / 3)
                await self._services.hubs.agreed(feed_id, now + lease, renewal)
                log.info("hub_agreed", feed_id=feed_id, seconds=int(lease.total_seconds()))
                return web.Response(text=query.get("hub.challenge", "")[:_CHALLENGE])
            case "denied":
                log.info("hub_denied", feed_id=feed_id, reason=query.get("hub.reason", "")[:200])
                return web.Response()
        raise Refused(404)  # newsbell ends no subscription: it lets them run out

    async def take(self, request: web.Request) -> web.Response:
        """Take the word of a hub that a feed has news (§7). Raises a refusal, and StoreError."""
        feed_id = await self._feed(request)
        subscription = await self._services.hubs.subscription(feed_id)
        if subscription is None:
            raise Refused(410)  # §7: the hub may end it
        link = subscription.link
        method, _, digest = request.headers.get("X-Hub-Signature", "").partition("=")
        is_signed = link.hub.startswith("https://")
        secret = hub_secret(await self._services.web.key(), feed_id, link.hub)
        counted = hmac.new(secret.encode(), digestmod=_method(method))
        size = 0
        async for part in request.content.iter_chunked(65_536):
            size += len(part)
            if size > LARGEST:
                raise Refused(413)
            counted.update(part)
        # What is not signed well is taken and not believed: §7.1.
        if not is_signed or hmac.compare_digest(counted.hexdigest(), digest.lower()):
            self._services.told(feed_id)
        else:
            log.warning("hub_unsigned", feed_id=feed_id)
        return web.Response(status=202)

    async def _feed(self, request: web.Request) -> int:
        feed_id, word = int(request.match_info["feed"]), request.match_info["word"]
        if not hmac.compare_digest(word, hub_word(await self._services.web.key(), feed_id)):
            raise Refused(404)
        return feed_id


def _method(name: str) -> str:
    return name.lower() if name.lower() in _METHODS else "sha256"


def _lease(text: str) -> timedelta:
    if not (text.isascii() and text.isdecimal()):
        return SHORTEST  # it has to be said (§5.3): renewed soon, should the hub not know
    return min(max(timedelta(seconds=int(text[:9])), SHORTEST), LONGEST)
