"""Parse documents in worker processes that can be killed.

A hostile document costs its own time limit and nothing else. The pool starts with the first
document and ends after a quiet minute, so that an idle newsbell is one process.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing import get_context, resource_tracker
from typing import Any, TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from bot.model.entries import ParsedDocument, ParseFailed, ParseOutcome
from bot.model.feeds import Failure
from bot.model.pages import PageFailed, PageFailure, PageOutcome
from bot.model.sources import PageProposal, Source
from bot.parse.article import read_article
from bot.parse.page_proposal import proposals
from bot.parse.process_limits import set_limits
from bot.parse.read import cut_known_blocks, read_document
from bot.parse.sources import read_source

T = TypeVar("T")

_INLINE = 512 * 1024  # bytes up to which a known document may be recognised on the event loop
_REST_AFTER = 60.0  # seconds
HARMFUL = 2  #: readers that a document has to end before it is called harmful
READERS = 2  #: processes that read documents
TRIES = 5  #: of one document, where readers are ended from outside

log = structlog.stdlib.get_logger("newsbell.workers")


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Bounds of one document."""

    seconds: float = 5.0
    memory: int = 768 * 1024 * 1024  #: address space of a worker
    workers: int = READERS


@contextmanager
def _blocked(*numbers: signal.Signals) -> Iterator[None]:
    """Have threads and processes that are started meanwhile never see Ctrl-C or a closed terminal.

    Those are for newsbell, which ends its workers. A worker that loads its modules would otherwise
    say with a traceback that it was interrupted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """Start the process that removes semaphores which a killed newsbell left, without its warning.

    To be killed is no fault of newsbell. It ignores SIGINT itself, and unblocks it where it is
    started: so it has to run before that is blocked.
    """
    before = os.environ.get("PYTHONWARNINGS")
    quiet = "ignore:resource_tracker"
    os.environ["PYTHONWARNINGS"] = f"{before},{quiet}" if before else quiet
    try:
        with _blocked(signal.SIGHUP):
            resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


class _PoolStopped(Exception):  # noqa: N818 (no fault of anybody's)
    """The pool was let go while a document was read in it."""


class Workers:
    """A pool of parsers; implements `ports.Parser` and `ports.PageParser`."""

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self._limits = limits or WorkerLimits()
        self._pool: Any = None
        self._running = 0
        self._used_at = 0.0

    @property
    def reading(self) -> int:
        """Documents that are read or wait for it."""
        return self._running

    @property
    def processes(self) -> int:
        """Processes that read; 0 where they rest."""
        return self._limits.workers if self._pool is not None else 0

    async def parse(
        self,
        body: bytes,
        content_type: str,
        url: str,
        known: frozenset[bytes],
        now: datetime,
        truncated: bool,
        source: Source | None = None,
    ) -> ParseOutcome:
        """The new or changed entries of a document, or why it cannot be read."""
        short = (
            cut_known_blocks(body, content_type, known)
            if known and source is None and not truncated and len(body) <= _INLINE
            else None
        )
        if short and not short.body:
            return ParsedDocument(entries=(), blocks=short.blocks)
        self._running += 1
        try:
            if source is not None:
                return await self._scheduled(
                    partial(read_source, body, content_type, url, known, now, truncated, source)
                )
            if short:
                outcome = await self._scheduled(
                    partial(
                        read_document,
                        short.body,
                        content_type,
                        url,
                        frozenset(),
                        now,
                        charset=short.charset,
                    )
                )
                if isinstance(outcome, ParsedDocument) and outcome.blocks:
                    return replace(outcome, blocks=short.blocks)
            return await self._scheduled(
                partial(read_document, body, content_type, url, known, now, truncated)
            )
        finally:
            self._running -= 1
            self._used_at = asyncio.get_running_loop().time()

    async def read_article(self, body: bytes, content_type: str) -> PageOutcome:
        """The text of an article's page, or why there is none."""
        self._running += 1
        try:
            outcome = await self._scheduled(partial(read_article, body, content_type))
        finally:
            self._running -= 1
            self._used_at = asyncio.get_running_loop().time()
        return PageFailed(PageFailure.HARMFUL) if isinstance(outcome, ParseFailed) else outcome

    async def propose(
        self, body: bytes, content_type: str, url: str, now: datetime
    ) -> tuple[PageProposal, ...]:
        """Selectors for a page without a feed; none where it cannot be read."""
        self._running += 1
        try:
            outcome = await self._scheduled(partial(proposals, body, content_type, url, now))
        finally:
            self._running -= 1
            self._used_at = asyncio.get_running_loop().time()
        return () if isinstance(outcome, ParseFailed) else outcome

    async def _scheduled(self, work: Callable[[], T]) -> T | ParseFailed:
        """Read in a worker. A document whose worker ended is read once more.

        The machine may have ended it (out of memory): only one that ends two is called harmful.
        A pool of which an idle worker was ended is broken for good: a new one takes its place.
        """
        ended, exit_code = 0, 0
        for _ in range(TRIES):
            pool = self._pool or self._new_pool()
            try:
                return await self._read(pool, work)
            except ProcessExpired as error:
                ended, exit_code = ended + 1, error.exitcode
                log.warning("reader_ended", exit_code=exit_code)
                if ended == HARMFUL:
                    return ParseFailed(
                        Failure.HOSTILE,
                        f"Reading the feed ended {HARMFUL} readers (exit {exit_code}); "
                        "it may be made to harm readers, or the machine lacks memory.",
                    )
            except _PoolStopped:
                pass  # another document's reading found the pool broken
            except RuntimeError as error:
                log.warning("readers_broken", error=type(error).__name__)
                await self._replace(pool)
        return ParseFailed(
            Failure.INTERNAL, "The processes that read feeds cannot be started or are ended."
        )

    async def _replace(self, pool: Any) -> None:
        """Let go of a pool that is broken, and end the workers that it still has."""
        if self._pool is pool:
            self._pool = None
            pool.stop()
            await asyncio.to_thread(pool.join)

    def _new_pool(self) -> Any:
        self._pool = ProcessPool(
            max_workers=self._limits.workers,
            max_tasks=2000,
            initializer=set_limits,
            initargs=(self._limits.memory,),
            context=get_context("spawn"),
        )
        _start_tracker()
        with _blocked(signal.SIGINT, signal.SIGHUP):
            # To ask for it starts the pool's threads, which start the workers.
            log.debug("readers_started", active=self._pool.active)
        return self._pool

    async def _read(self, pool: Any, work: Callable[[], T]) -> T | ParseFailed:
        """Read in a worker of this pool. Raises ProcessExpired, _PoolStopped and RuntimeError."""
        future = pool.schedule(work, timeout=self._limits.seconds)
        try:
            outcome: T = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if future.cancelled() and not (task and task.cancelling()):
                raise _PoolStopped from None
            raise
        except (TimeoutError, FutureTimeoutError):
            seconds = f"{self._limits.seconds:g} seconds"
            return ParseFailed(
                Failure.HOSTILE,
                f"Reading the feed took longer than {seconds} and was stopped; "
                "it may be made to harm readers.",
            )
        except MemoryError:
            return ParseFailed(
                Failure.HOSTILE,
                "Reading the feed took too much memory and was stopped; "
                "it may be made to harm readers.",
            )
        except RecursionError:
            return ParseFailed(
                Failure.HOSTILE, "The feed nests its elements too deeply to be read."
            )
        return outcome

    def rest(self, loop_time: float) -> None:
        """End the worker processes where no document came for a while."""
        if self._pool is not None and not self._running and loop_time - self._used_at > _REST_AFTER:
            self._stop()

    def close(self) -> None:
        """End the worker processes now."""
        if self._pool is not None:
            self._stop()

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        pool.stop()
        pool.join()
