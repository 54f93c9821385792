"""Put a changed feeds.yaml in force on a node that waits for its turn. Stores and tells nothing.

What it is good for there: headers, sources and pauses of polls, and what this node begins with when
it leads. A file with mistakes changes nothing; the log says so.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import structlog

from bot.config.load import load_again
from bot.errors import ConfigError
from bot.service import logs
from bot.service.last_good import Rejected
from bot.service.live_config import LiveConfig
from bot.service.reload import SETTLE, WATCH, setting_lines, stamp

log = structlog.stdlib.get_logger("newsbell.config")


class WaitingFile:
    """Watches the file."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live
        self.settle = SETTLE  #: for which the file has to stand still

    async def watch(self) -> None:
        """Read the file whenever it changed and then stands still, until cancelled."""
        loop, path = asyncio.get_running_loop(), self._live.config.path
        taken, seen, since = None, stamp(path), loop.time()
        while True:
            now = stamp(path)
            if now != seen:
                seen, since = now, loop.time()
            if now != taken and loop.time() - since >= self.settle.total_seconds():
                taken = now
                await self.take()
            await asyncio.sleep(WATCH)

    async def take(self) -> None:
        """Read the file, and put it in force unless it has mistakes."""
        old, rejected = self._live.config, self._live.rejected
        try:
            new = await asyncio.to_thread(load_again, old)
        except ConfigError as error:
            if rejected is None or str(rejected.error) != str(error):
                log.error(
                    "config_rejected",
                    file=Path(error.file).name,
                    effect="the old settings stay",
                    error=str(error),
                )
            self._live.rejected = Rejected(error, rejected.since if rejected else None)
            return
        self._live.rejected = None
        if (new.text, new.content) == (old.text, old.content):
            return
        # The database is the one that is open, whatever the file says now.
        self._live.replace(replace(new, database=old.database))
        logs.keep_secret(new.secrets)
        log.info(
            "config_reloaded",
            file=new.path.name,
            effect="this node polls by it; the one that leads reads its own file",
            changes="; ".join(setting_lines(old, new)) or "no settings",
        )
