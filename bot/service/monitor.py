"""Answer a monitor over HTTP: `/health` and `/metrics`. A listener of its own, off by default.

Who may ask is decided by the address it listens on, never by the address of who asks: behind a
proxy everybody has that of the proxy. It changes nothing and names no feed, chat or person.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.model.health import Health

AGAIN = 60.0  #: seconds until it tries again to listen where that failed
TEXT = "text/plain; version=0.0.4; charset=utf-8"  #: the format of `/metrics`

log = structlog.stdlib.get_logger("newsbell.monitor")


class Monitor:
    """Listens for monitors."""

    def __init__(
        self,
        address: str,
        look: Callable[[], Health],
        metrics: Callable[[], Awaitable[bytes]],
    ) -> None:
        """`address` is HOST:PORT; `metrics` returns the body of `/metrics`."""
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._look, self._metrics = look, metrics
        self._one_at_a_time = asyncio.Lock()
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
                log.error("monitor_failed", address=address, error=reason, retry_after=AGAIN)
            await asyncio.sleep(AGAIN)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_get("/health", self._health)
        application.router.add_get("/metrics", self._measured)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self.addresses = [(address[0], address[1]) for address in runner.addresses]
            yield
        finally:
            self.addresses = []
            await runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        health = self._look()
        return web.json_response(health.record(), status=200 if health.healthy else 503)

    async def _measured(self, _: web.Request) -> web.Response:
        async with self._one_at_a_time:
            body = await self._metrics()
        return web.Response(body=body, headers={"Content-Type": TEXT})
