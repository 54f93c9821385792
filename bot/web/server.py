"""The listener of the web page: takes the requests that are meant for it, and answers them all.

A request is taken if its `Host` is ours, and what changes something if it comes from a page of
ours. What is shown, `handlers` says.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.errors import StoreError
from bot.web.answers import HEADERS, Answers, Refused
from bot.web.handlers import HUBS, Handlers
from bot.web.origin import is_our_host, is_own_form
from bot.web.services import WebServices

AGAIN = 60.0  #: seconds until it tries again to listen where that failed
BODY = 16_384  #: bytes of a form
AT_ONCE = 40  #: requests under way; more are told to come later
_COMPRESSED = ("text/", "application/", "image/svg")

log = structlog.stdlib.get_logger("newsbell.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebPage:
    """Listens for readers."""

    def __init__(self, address: str, services: WebServices) -> None:
        """`address` is HOST:PORT."""
        host, _, port = address.rpartition(":")
        self._host, self._port, self._public = host.strip("[]"), int(port), services.public
        self._answers = Answers(services)
        self._handlers = Handlers(services, self._answers)
        self._open = 0
        self.addresses: list[tuple[str, int]] = []  #: where it listens

    async def run(self) -> None:
        """Listen until cancelled; where the port is taken, try again and again."""
        while True:
            try:
                async with self._listening():
                    await asyncio.Event().wait()
            except OSError as error:
                address = f"{self._host}:{self._port}"
                reason = error.strerror or type(error).__name__
                log.error("web_failed", address=address, error=reason, retry_after=AGAIN)
            await asyncio.sleep(AGAIN)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        application = web.Application(client_max_size=BODY, middlewares=[self._middleware()])
        self._handlers.add_routes(application.router)
        runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=1,
            keepalive_timeout=15,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self.addresses = [(address[0], address[1]) for address in runner.addresses]
            yield
        finally:
            self.addresses = []
            await runner.cleanup()

    def _middleware(self) -> Middleware:
        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        return guarded

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, with our headers, whatever becomes of the request."""
        self._open += 1
        try:
            response = await self._answer(request, handler)
        except Refused as refusal:
            response = self._answers.refusal(request, refusal)
        except web.HTTPException as error:
            response = self._answers.refusal(request, Refused(error.status))
        except StoreError as error:
            log.warning("web_unreadable", error=str(error))
            response = self._answers.refusal(request, Refused(503, 10))
        finally:
            self._open -= 1
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        if self._public.startswith("https://"):
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        has_body = isinstance(response, web.Response) and response.body
        if has_body and response.content_type.startswith(_COMPRESSED):
            response.enable_compression()
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._open > AT_ONCE:
            raise Refused(503, 5)
        if not is_our_host(request.headers.get("Host", ""), self._public):
            raise Refused(421)
        changes = request.method not in {"GET", "HEAD"}
        is_hub = request.path.startswith(HUBS)
        if changes and not is_hub and not is_own_form(request.headers, self._public):
            raise Refused(403)
        return await handler(request)
