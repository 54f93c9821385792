"""Call somebody who gives alarm when the calls end: a dead man's switch.

Whoever is called sees that newsbell is dead, which no newsbell can say of itself. Decides nothing
about what is healthy. The address is a secret: whoever knows it can call as well.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import structlog

from bot.model.health import Health
from bot.ports import Caller

EVERY = 60.0  #: seconds between two calls
LENGTH = 10_000  #: characters of the reasons that are told

log = structlog.stdlib.get_logger("newsbell.heartbeat")


class Heartbeat:
    """Calls the address of the configuration."""

    def __init__(
        self, address: Callable[[], str], caller: Caller, look: Callable[[], Health]
    ) -> None:
        """`address` returns what to call, empty for nobody."""
        self._address, self._caller, self._look = address, caller, look
        self._failing = ""  # why the last call failed

    async def run(self) -> None:
        """Call until cancelled.

        Not at the start: a newsbell that ends again and again must not look like one that works.
        """
        while True:
            await asyncio.sleep(EVERY)
            await self.beat()

    async def beat(self) -> None:
        """Call once: the address where newsbell works, otherwise `/fail` with the reasons."""
        address = self._address()
        if not address:
            return
        health = self._look()
        if health.healthy:
            failed = await self._caller.call(address)
        else:
            body = "\n".join(map(str, health.reasons))[:LENGTH]
            failed = await self._caller.call(fail_address(address), body)
        text = failed.text if failed else ""
        if text and text != self._failing:
            log.warning("heartbeat_failed", error=text)
        elif self._failing and not text:
            log.info("heartbeat_works")
        self._failing = text


def fail_address(address: str) -> str:
    """Return where a failure is told: the address with `/fail` behind its path."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
