"""Say where somebody reads it that Telegram refuses the bot's token: nothing can go there.

newsbell goes on: it polls, serves terminals, and keeps what waits. Decides nothing about sends.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.i18n.phrase import phrase
from bot.model.delivery import NoticeKind, notice
from bot.ports import AdminStore, Clock

LOOK = timedelta(seconds=2)  #: between two looks
AGAIN = 3600.0  #: seconds after which it is said again
TEXT = phrase(
    "Telegram refuses the bot's token: no alert reaches Telegram, and no command is answered. "
    "Feeds are polled and alerts wait. Set a valid token and restart newsbell."
)
WORKS = "Telegram takes the bot's token again."

log = structlog.stdlib.get_logger("newsbell.telegram")


class TokenWatch:
    """Looks whether the token is refused."""

    def __init__(
        self,
        refused: Callable[[], bool],
        store: AdminStore,
        clock: Clock,
        show: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        """`show` prints to whoever started newsbell; `wake` looks at the outbox."""
        self._refused, self._store, self._clock = refused, store, clock
        self._show, self._wake = show, wake
        self._told_at: float | None = None

    async def look(self) -> bool:
        """Say what changed, and what stays so each hour; return whether the token is refused."""
        if not self._refused():
            if self._told_at is not None:
                log.info("token_accepted")
                self._show(WORKS)
            self._told_at = None
            return False
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= AGAIN:
            self._told_at = now
            log.error("token_refused", effect="nothing reaches Telegram until it is replaced")
            self._show(str(TEXT))
            try:
                await self._store.notify(notice(NoticeKind.REFUSED, TEXT), self._clock.now())
                self._wake()
            except StoreError as error:
                log.error("notice_failed", error=str(error))
        return True
