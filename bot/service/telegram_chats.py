"""Take updates from Telegram, hand them to the chat layer, do what follows from them.

What is replied is the chat layer's decision.
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bot.chat.dispatcher import Dispatcher, UpdateResult
from bot.i18n.catalog import LANGUAGES
from bot.model.chat_events import ChatUpdate
from bot.ports import Clock, Store
from bot.service.live_config import LiveConfig
from bot.service.screen_tasks import ScreenTasks
from bot.service.subscriptions import LiveSubscriptions
from bot.telegram import menu
from bot.telegram.listener import Listener
from bot.telegram.members import TelegramMembers
from bot.telegram.webhook import Webhook, WebhookAddress

CLAIM_LASTS = timedelta(hours=24)
MENU_PAUSE = 600.0  #: seconds before the menu of commands is sent to Telegram again

log = structlog.stdlib.get_logger("newsbell.telegram")


class TelegramChats:
    """The Telegram side of a running newsbell."""

    def __init__(
        self,
        *,
        bot: Bot,
        members: TelegramMembers,
        dispatcher: Dispatcher,
        live: LiveConfig,
        store: Store,
        subscriptions: LiveSubscriptions,
        clock: Clock,
        poll: Callable[[], None],
        deliver: Callable[[], None],
    ) -> None:
        """`poll` looks for due feeds, `deliver` at the outbox."""
        self.bot, self.dispatcher, self.members = bot, dispatcher, members
        self._live, self._store, self._subscriptions = live, store, subscriptions
        self._clock, self._poll, self._deliver = clock, poll, deliver
        self.listener = Listener(bot, members, store.chats.last_update, self.handle)
        self.tasks = ScreenTasks(dispatcher, store, live.translator, clock, self._follow)

    async def run(self) -> None:
        """Take updates until cancelled."""
        await self.tasks.start()
        address = self._webhook()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._register_menu())
            if address:
                await Webhook(self.bot, self.listener, address).run()
            else:
                await self.listener.run()

    async def handle(self, update: ChatUpdate) -> str:
        """Reply to an update; return the toast for whoever pressed a button. Raises StoreError."""
        result = await self.dispatcher.handle(update)
        await self._follow(result)
        return result.toast

    async def _follow(self, result: UpdateResult) -> None:
        """Do what follows from an update or a task."""
        if result.changed:
            await self._subscriptions.refresh(result.chat_id)
            self._poll()
        if result.has_task:
            await self.tasks.start()
        self._deliver()

    async def claim_link(self) -> str | None:
        """Return a single-use link that makes whoever opens it the operator.

        None where there is an operator, or Telegram does not answer.
        """
        if await self._store.chats.has_admin():
            return None
        try:
            me = await self.bot.get_me()
        except TelegramError as error:
            log.warning(
                "claim_link_unavailable",
                error=type(error).__name__,
                hint="Telegram does not answer for this token; restart newsbell to try again",
            )
            return None
        token = secrets.token_urlsafe(24)
        await self._store.chats.make_claim(token, self._clock.now() + CLAIM_LASTS)
        return f"https://t.me/{me.username}?start={token}"

    def _webhook(self) -> WebhookAddress | None:
        """Return where Telegram calls; None where newsbell asks."""
        hook = self._live.settings.telegram.webhook
        if hook is None:
            return None
        host, _, port = hook.listen.rpartition(":")
        return WebhookAddress(hook.url, host, int(port), self._live.config.webhook_secret)

    async def _register_menu(self) -> None:
        """Tell Telegram the commands in all languages."""
        translators = self._live.translators(tuple(LANGUAGES))
        while True:
            if await menu.register(self.bot, translators):
                return
            await asyncio.sleep(MENU_PAUSE)
