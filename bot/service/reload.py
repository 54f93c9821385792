"""Put a changed feeds.yaml in force while newsbell runs. A file with mistakes changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.config.changes import is_live, setting_changes
from bot.config.load import Config, load_again
from bot.errors import ConfigError, Mistake, QueryError, StoreError
from bot.i18n.phrase import (
    Phrase,
    counted_phrase,
    joined,
    phrase,
    span_phrase,
    verbatim,
)
from bot.model.desired_config import ConfigText
from bot.ports import Clock, Store
from bot.query.parser import parse
from bot.service import logs
from bot.service.last_good import Rejected
from bot.service.live_config import LiveConfig
from bot.service.losses import most_lost
from bot.service.subscriptions import LiveSubscriptions
from bot.service.withdrawn import Withdrawn
from bot.text.redaction import redact

SETTLE = timedelta(seconds=2)  #: for which the file has to stand still
HOLD = timedelta(seconds=30)  #: before a file that lost most of what it had takes effect
STORE_PAUSE = 5.0  #: seconds before a change that could not be stored is tried again
LOOK = 0.25  #: seconds between two looks at a file that may still be written
WATCH = 1.0  #: seconds between two looks at a file that stands still

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
        report: Callable[[Phrase], Awaitable[None]],
        rematch: Callable[[Sequence[int], datetime], Awaitable[int]],
    ) -> None:
        """`reloaded` is called after each change that is in force; `report` tells the operator."""
        self._live, self._store, self._clock = live, store, clock
        self._subscriptions, self._reloaded, self._report = subscriptions, reloaded, report
        self._rematch = rematch
        self.settle, self.hold = SETTLE, HOLD
        self.reloading: Callable[[], AbstractContextManager[None]] = nullcontext
        self._withdrawn = Withdrawn()
        self._changed = asyncio.Event()
        self._asked = False
        self._stamp = stamp(live.config.path)
        self._is_first = True  # nothing was read since the start

    def take_now(self) -> None:
        """Read the file without delay, and put it in force whatever it removes."""
        self._asked = True
        self._changed.set()

    async def watch(self) -> None:
        """Reload the file whenever it changed and then stands still, until cancelled."""
        if self._live.rejected and self._is_first:
            self._changed.set()  # it may have been mended while newsbell started
        async with asyncio.TaskGroup() as group:
            group.create_task(self._notice_changes())
            while True:
                await self._changed.wait()
                try:
                    await self._take_change()
                except StoreError as error:
                    log.error("reload_failed", error=str(error), retry_after=STORE_PAUSE)
                    await asyncio.sleep(STORE_PAUSE)
                    self._changed.set()

    async def _notice_changes(self) -> None:
        """Look at the file through whatever links lead to it.

        The folder of a Kubernetes ConfigMap is another one after each change, so that nothing
        there can be watched; some file systems report no changes at all.
        """
        while True:
            await asyncio.sleep(WATCH)
            now = stamp(self._live.config.path)
            if now != self._stamp:
                self._stamp = now
                self._changed.set()

    async def _take_change(self) -> None:
        """Reload once the file stands still; later where it lost most of what it had."""
        asked = await self._stands_still()
        self._changed.clear()
        self._asked = False
        lost = None if asked else await self._lost()
        if lost:
            seconds = self.hold.total_seconds()
            log.warning("config_held_back", lost=str(lost), taken_in=seconds)
            await self._report(
                phrase(
                    "{file} no longer has {lost}. In case it was only half saved, it takes effect "
                    "in {span} unless it changes again; "
                    "`kill -HUP` with newsbell's process number takes it at once.",
                    file=self._live.config.path.name,
                    lost=lost,
                    span=span_phrase(self.hold),
                )
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
                return  # it changed again, or was asked for: from the beginning
        await self.reload()
        self._is_first = False

    async def _stands_still(self) -> bool:
        """Wait until size and time of the file stood still for a while.

        Return whether somebody asked for the file meanwhile, which ends the wait.
        """
        loop, path = asyncio.get_running_loop(), self._live.config.path
        seen, since = stamp(path), loop.time()
        while not self._asked and loop.time() - since < self.settle.total_seconds():
            await asyncio.sleep(min(LOOK, self.settle.total_seconds()))
            if (now := stamp(path)) != seen:
                seen, since = now, loop.time()
        return self._asked

    async def _lost(self) -> Phrase | None:
        """What the file lost since it was last taken in, if that is most of it."""
        old = self._live.config
        try:
            new = await asyncio.to_thread(load_again, old)
        except ConfigError:
            return None  # `reload` says why
        return most_lost(old.declared, new.declared)

    async def reload(self) -> None:
        """Read the file and put it in force, or log its mistakes. Raises StoreError."""
        with self.reloading():
            await self._reload()

    async def _reload(self) -> None:
        old = self._live.config
        try:
            new = await self._read()
        except ConfigError as error:
            await self._reject(error)
            return
        source = ConfigText(new.path.name, new.text)
        changes = await self._store.config.sync(new.declared, self._clock.now(), source)
        if new.names != old.names:
            changes.append("names changed")
        changes += setting_lines(old, new)
        self._live.replace(new)
        logs.keep_secret(new.secrets)
        await self._subscriptions.refresh()
        await self._match_again(old, new)
        log.info(
            "config_reloaded",
            file=new.path.name,
            effect="the file is taken in",
            changes="; ".join(changes) or "no changes",
        )
        self._reloaded()

    async def _reject(self, error: ConfigError) -> None:
        """Say that the file has mistakes; that a start said so is enough. Raises StoreError."""
        before = self._live.rejected
        if before and str(before.error) == str(error) and self._is_first:
            return
        log.error(
            "config_rejected",
            file=Path(error.file).name,
            effect="the old settings stay",
            error=str(error),
        )
        self._live.rejected = Rejected(error, before.since if before else None)
        await self._report(rejected_text(self._live.rejected))

    async def _match_again(self, old: Config, new: Config) -> None:
        """Alert what came while a file was in force that was withdrawn within minutes."""
        returned = self._withdrawn.change(
            old.declared, new.declared, self._clock.monotonic(), old.names, new.names
        )
        if not returned.subscriptions and not returned.lists:
            return
        numbers = [
            subscription.id
            for subscription in await self._store.polls.subscriptions()
            if returned.concerns(subscription)
        ]
        age = timedelta(seconds=self._clock.monotonic() - returned.since)
        alerts = await self._rematch(numbers, self._clock.now() - age)
        log.info("entries_matched_again", subscriptions=len(numbers), alerts=alerts)

    async def _read(self) -> Config:
        """Return the file as it is now.

        Raises ConfigError, also where a chat's query needs a list that the file dropped.
        """
        # A large file takes seconds, and polls go on.
        new = await asyncio.to_thread(load_again, self._live.config)
        old = self._live.config.names
        queries = [
            subscription.query
            for subscription in await self._store.polls.subscriptions()
            if not subscription.declared
        ]
        errors = await asyncio.to_thread(
            lambda: [
                error
                for query in queries
                if (error := _query_error(query, new.names)) is not None
                and _query_error(query, old) is None  # else this edit did not break it
            ]
        )
        mistakes = [
            Mistake(1, 1, "names", f"a chat still subscribes to {error.query!r}: {error.message}")
            for error in errors
        ]
        if mistakes:
            raise ConfigError(new.path.name, tuple(mistakes))
        return new


def setting_lines(old: Config, new: Config) -> Iterator[str]:
    """Yield which settings changed, and when they take effect."""
    keys = setting_changes(old.settings, new.settings)
    for when, live in (("now", True), ("after a restart", False)):
        if names := [f"settings.{key}" for key in keys if is_live(key) is live]:
            yield f"{', '.join(names)} changed, in force {when}"


def rejected_text(rejected: Rejected) -> Phrase:
    """What the operator reads of a file that did not take effect."""
    parts = [
        counted_phrase(
            "{file} has {number} mistake and is not in force; newsbell goes on with what was in "
            "force before. It takes the file as soon as it is mended and saved.",
            "{file} has {number} mistakes and is not in force; newsbell goes on with what was in "
            "force before. It takes the file as soon as it is mended and saved.",
            len(rejected.error.mistakes),
            file=rejected.file,
        ),
        verbatim(redact(rejected.places())),
    ]
    if rejected.unnamed:
        parts.append(counted_phrase("… and {number} more", "… and {number} more", rejected.unnamed))
    if rejected.without_headers:
        feeds = ", ".join(rejected.without_headers)
        parts.append(phrase("Polled without their headers meanwhile: {feeds}.", feeds=feeds))
    return joined("\n", *parts)


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None where it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _query_error(query: str, names: Mapping[str, tuple[str, ...]]) -> QueryError | None:
    try:
        parse(query, names)
    except QueryError as error:
        return error
    return None
