"""Build the web page: what it reads, and where it listens. Imported where it is asked for.

Searches have threads of their own, so that readers of the page keep no chat waiting.
"""

from collections.abc import Awaitable, Callable
from hashlib import sha256

import structlog
from telegram.error import TelegramError

from bot.chat.services import AdminService, ChatConfig, SearchService
from bot.model.delivery import DeliveryState, OutboxRow
from bot.model.health import Health
from bot.model.status import Status
from bot.ports import Clock, Members, Store
from bot.service.chat_services import Charts, chat_config
from bot.service.live_config import LiveConfig
from bot.service.subscriptions import LiveSubscriptions
from bot.web.server import WebPage
from bot.web.services import Revision, WebServices

_DIGEST = 12  # digits of a hash that people compare

log = structlog.stdlib.get_logger("newsbell.web")


class _Views:
    """What the page reads of newsbell. Raises StoreError."""

    def __init__(
        self, live: LiveConfig, store: Store, members: Members | None, clock: Clock
    ) -> None:
        self._live, self._store, self._members, self._clock = live, store, members, clock

    async def status(self) -> Status:
        """Return the state of feeds and queues, without chats that nothing waits for."""
        return await self._store.admin.status(brief=True)

    async def outbox(self) -> list[OutboxRow]:
        """Return the messages that could not be delivered."""
        states = (DeliveryState.DEAD, DeliveryState.UNKNOWN)
        return await self._store.admin.outbox(self._clock.now(), states)

    async def is_admin(self, address: int, user_id: int) -> bool:
        """Whether a person administers a chat; no, where Telegram does not say so now."""
        members = self._members
        return members is not None and await _sure(members.is_admin(address, user_id))

    async def is_member(self, address: int, user_id: int) -> bool:
        """Whether a person is in a chat, likewise."""
        members = self._members
        return members is not None and await _sure(members.is_member(address, user_id))

    def revision(self) -> Revision:
        """Return which feeds.yaml is in force."""
        text = self._live.config.text.encode()
        digest = sha256(text).hexdigest()[:_DIGEST]
        return Revision(self._live.config.path.name, digest, self._live.rejected is not None)


async def _sure(answer: Awaitable[bool]) -> bool:
    """Return what Telegram says; no, where it cannot be reached."""
    try:
        return await answer
    except TelegramError as error:
        log.warning("web_members_unknown", error=type(error).__name__)
        return False


def build_web(
    live: LiveConfig,
    store: Store,
    subscriptions: LiveSubscriptions,
    members: Members | None,
    clock: Clock,
    health: Callable[[], Health],
    told: Callable[[int], None],
) -> WebPage | None:
    """Build the web page; None where none is asked for. `members` is None without a bot."""
    settings = live.settings.web
    if settings.listen is None:
        return None
    views = _Views(live, store, members, clock)
    charts = Charts()

    def config() -> ChatConfig:
        return chat_config(live, subscriptions)

    services = WebServices(
        web=store.web,
        chats=store.chats,
        clock=clock,
        search=SearchService(store.archive, clock, config, charts.draw),
        admin=AdminService(views.status, views.outbox, health),
        config=config,
        revision=views.revision,
        translator=live.translator,
        is_admin=views.is_admin,
        is_member=views.is_member,
        chart=charts.svg,
        public=settings.address,
        hubs=store.hubs,
        told=told,
    )
    return WebPage(settings.listen, services)
