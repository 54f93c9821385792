"""Put a changed feeds.yaml in force while newsbell runs. A file with mistakes changes nothing."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog
from watchfiles import awatch

from bot.config.load import Config, load
from bot.errors import ConfigError, Mistake, QueryError, StoreError
from bot.ports import Clock, Store
from bot.query.parser import parse
from bot.service import logs
from bot.service.live_config import LiveConfig
from bot.service.subscriptions import LiveSubscriptions

log = structlog.stdlib.get_logger("newsbell.config")


class Reloader:
    """Watches the file and reloads it."""

    def __init__(
        self,
        live: LiveConfig,
        store: Store,
        subscriptions: LiveSubscriptions,
        clock: Clock,
        reloaded: Callable[[], None],
    ) -> None:
        """`reloaded` is called after each change that is in force."""
        self._live, self._store, self._clock = live, store, clock
        self._subscriptions, self._reloaded = subscriptions, reloaded

    async def watch(self) -> None:
        """Reload the file whenever it changes, until cancelled."""
        path = self._live.config.path.resolve()
        async for _ in awatch(
            path.parent, watch_filter=lambda _, name: Path(name) == path, recursive=False, step=200
        ):
            try:
                await self.reload()
            except StoreError as error:
                log.error("reload_failed", error=str(error))

    async def reload(self) -> None:
        """Read the file and put it in force, or log its mistakes. Raises StoreError."""
        old = self._live.config
        try:
            new = await self._read()
        except ConfigError as error:
            log.error(
                "config_rejected",
                file=old.path.name,
                effect="the old settings stay",
                error=str(error),
            )
            return
        changes = await self._store.config.sync(new.declared, self._clock.now())
        if new.names != old.names:
            changes.append("names changed")
        if new.settings != old.settings:
            changes.append(
                "settings changed (timezone, spacing and admins apply now, "
                "the others after a restart)"
            )
        self._live.replace(new)
        logs.keep_secret(value for headers in new.headers.values() for value in headers.values())
        await self._subscriptions.refresh()
        log.info("config_reloaded", file=new.path.name, changes="; ".join(changes) or "no changes")
        self._reloaded()

    async def _read(self) -> Config:
        """Return the file as it is now.

        Raises ConfigError, also where a chat's query needs a list that the file dropped.
        """
        # A large file takes seconds, and polls go on.
        new = await asyncio.to_thread(load, self._live.config.path)
        old = self._live.config.names
        mistakes = [
            Mistake(1, 1, "names", f"a chat still subscribes to {error.query!r}: {error.message}")
            for subscription in await self._store.polls.subscriptions()
            if not subscription.declared
            and (error := _query_error(subscription.query, new.names)) is not None
            and _query_error(subscription.query, old) is None  # else this edit did not break it
        ]
        if mistakes:
            raise ConfigError(new.path.name, tuple(mistakes))
        return new


def _query_error(query: str, names: Mapping[str, tuple[str, ...]]) -> QueryError | None:
    try:
        parse(query, names)
    except QueryError as error:
        return error
    return None
