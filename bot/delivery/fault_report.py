"""Log an error of newsbell itself on the way to a chat, and tell the operator once."""

import structlog

from bot.i18n.phrase import phrase
from bot.model.delivery import NoticeKind, notice
from bot.ports import Clock, DeliveryStore

REPORTED = 1000  #: different errors of which the operator is told

log = structlog.stdlib.get_logger("newsbell.deliverer")


class FaultReport:
    """What nobody expected, once in a notice and each time in the log."""

    def __init__(self, store: DeliveryStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._reported: set[str] = set()

    async def tell(self, doing: str, error: Exception, chat_id: int | None = None) -> None:
        """Log the error with its traceback, and queue a notice where it is a new one.

        Raises nothing.
        """
        ids = {} if chat_id is None else {"chat_id": chat_id}
        log.error("delivery_failed", doing=doing, exc_info=error, **ids)
        where = "" if chat_id is None else f", chat {chat_id}"
        told = notice(
            NoticeKind.INTERNAL,
            phrase(
                "An error of newsbell itself ({what}). "
                "It tries again, and everything else goes on; its log says where.",
                what=f"{doing}{where}, {type(error).__name__}",
            ),
        )
        text = told.text
        if text in self._reported or len(self._reported) >= REPORTED:
            return
        self._reported.add(text)
        try:
            await self._store.notify(told, self._clock.now())
        except Exception:  # what failed is perhaps the database; the log has it
            self._reported.discard(text)
            log.exception("notice_failed")
