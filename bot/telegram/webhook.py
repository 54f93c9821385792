"""Let Telegram call with updates: one address, one secret, one update at a time.

What is done about an update is the listener's. A reverse proxy in front does the TLS that Telegram
demands. An update is answered with 200 only after its reply was stored; else Telegram calls again.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from telegram import Bot, Update
from telegram.error import TelegramError

from bot.errors import StoreError
from bot.telegram.listener import Listener
from bot.telegram.updates import ALLOWED

LARGEST = 1024 * 1024  #: bytes of one update
AGAIN = 30.0  #: seconds before Telegram is told the address once more, where it did not listen
LONG = 3600.0  #: seconds of a pause in which there is nothing to do
_HEADER = "X-Telegram-Bot-Api-Secret-Token"

log = structlog.stdlib.get_logger("newsbell.telegram")


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where Telegram calls, and where newsbell waits for it."""

    url: str
    host: str
    port: int
    secret: str = ""  #: empty: one is made up


class Webhook:
    """Waits for Telegram's calls."""

    def __init__(self, bot: Bot, listener: Listener, address: WebhookAddress) -> None:
        self._bot, self._listener, self._address = bot, listener, address
        self._secret = address.secret or secrets.token_urlsafe(32)
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Wait until cancelled. Raises OSError where the port cannot be listened on."""
        async with self._listening():
            told = False
            while True:
                told = told or await self._told()  # what Telegram took it keeps
                await asyncio.sleep(LONG if told else AGAIN)

    async def _told(self) -> bool:
        """Tell Telegram the address; False where it did not take it."""
        try:
            await self._bot.set_webhook(
                self._address.url,
                secret_token=self._secret,
                allowed_updates=ALLOWED,
                max_connections=1,
            )
        except TelegramError as error:
            log.warning(
                "webhook_rejected",
                url=self._address.url,
                error=error.message,
                retry_after=AGAIN,
            )
            return False
        return True

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        application = web.Application(client_max_size=LARGEST)
        application.router.add_post(urlsplit(self._address.url).path or "/", self._called)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._address.host, self._address.port).start()
            yield
        finally:
            await runner.cleanup()

    async def _called(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(
            request.headers.get(_HEADER, "").encode(), self._secret.encode()
        ):
            return web.Response(status=403)
        try:
            update = Update.de_json(json.loads(await request.read()), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            update = None
        if update is None or not isinstance(update.update_id, int):
            log.warning("update_unreadable")
            return web.Response(status=200)  # it would be no better the next time
        async with self._one_at_a_time:
            try:
                await self._listener.take(update)
            except (TelegramError, StoreError) as error:
                log.warning(
                    "update_postponed",
                    update_id=update.update_id,
                    error=type(error).__name__,
                )
                return web.Response(status=503)
        return web.Response(status=200)
