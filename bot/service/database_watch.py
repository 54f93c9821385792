"""Look after the database's files: that they are there, that they are whole, and how large.

What is wrong is logged, and told to the operator. Mends nothing.
"""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.i18n.phrase import Phrase, phrase
from bot.model.delivery import NoticeKind, notice
from bot.ports import Clock, Store

LOOK = timedelta(minutes=1)  #: between two looks for the files
TIDY = timedelta(hours=1)  #: between two cuts of the write-ahead log
CHECK = timedelta(days=7)  #: between two checks of all of the database

log = structlog.stdlib.get_logger("newsbell.database")


class DatabaseWatch:
    """Looks after the files of a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._tidied = False

    async def look(self) -> None:
        """Notice that a file of the database was deleted or replaced. Raises StoreError.

        SQLite goes on with what it opened, so that alerts still go out; but it ends with newsbell.
        """
        if not self._tidied:  # what the first polls brought stands in the log alone
            await self._store.files.checkpoint()
            self._tidied = True
        path = self._store.files.missing()
        if path is None:
            return
        log.error("database_missing", path=str(path), effect="what comes now is lost at the end")
        text = phrase(
            "{file} was deleted, moved or replaced while newsbell uses it. Alerts still go out, "
            "but what is stored from now on is lost when newsbell stops. "
            "Put the file back, or restore a backup, and restart newsbell.",
            file=path.name,
        )
        await self._tell(text)

    async def tidy(self) -> None:
        """Cut the write-ahead log. Raises StoreError."""
        await self._store.files.checkpoint()

    async def check_if_due(self) -> None:
        """Check all of the database now and then, in a thread that only reads.

        Raises StoreError.
        """
        now = self._clock.now()
        checked = await self._store.admin.checked_at()
        if checked is not None and timedelta(0) <= now - checked < CHECK:
            return
        damage = await asyncio.to_thread(self._store.files.find_damage)
        if damage:
            log.error("database_damaged", damage=damage)
            await self._tell(
                phrase(
                    "The database is damaged: {damage}. Stop newsbell and restore a backup.",
                    damage=damage,
                )
            )
        await self._store.admin.note_check(now)

    async def _tell(self, text: Phrase) -> None:
        try:
            await self._store.admin.notify(notice(NoticeKind.DATABASE, text), self._clock.now())
        except StoreError as error:
            log.error("notice_failed", error=str(error))
