"""Fetch and parse one feed, at a pace that its host bears. Decides nothing, keeps nothing."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

import structlog
from structlog.contextvars import bound_contextvars

from bot.feeds.entry_identity import Document
from bot.feeds.poll_result import PollResponse, internal_failure
from bot.feeds.poll_schedule import conditional
from bot.model.entries import ParseFailed
from bot.model.feeds import FeedDue, Fetched, FetchFailed, FetchOutcome, FetchRequest
from bot.ports import Clock, Fetcher, Parser
from bot.text.url import host_and_port

log = structlog.stdlib.get_logger("newsbell.poller")


@dataclass(slots=True)
class _Host:
    """A host, asked for one feed at a time, with a pause in between."""

    lock: asyncio.Lock
    free_at: float = 0.0
    users: int = 0


class FeedReader:
    """Takes a feed from the network to a parsed document.

    `spacing` is the pause between two requests to a host, `headers` are those of a feed's URL.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        *,
        spacing: Callable[[str], timedelta],
        headers: Callable[[str], Mapping[str, str]],
    ) -> None:
        self._fetcher, self._parser, self._clock = fetcher, parser, clock
        self._spacing, self._headers = spacing, headers
        self._hosts: dict[str, _Host] = {}

    async def read(self, feed: FeedDue) -> PollResponse:
        """Poll the feed. Raises nothing: a failure is a response."""
        try:
            with bound_contextvars(feed_id=feed.id):
                return await self._read(feed)
        except Exception:  # a feed that trips over our own mistake must not stop the others
            log.exception("poll_failed", feed_id=feed.id, feed=feed.name)
            return internal_failure(feed)

    async def _read(self, feed: FeedDue) -> PollResponse:
        answer = await self._fetch(feed)
        if not isinstance(answer, Fetched):
            return PollResponse(feed, answer)
        body_hash = blake2b(answer.body, digest_size=16).digest()
        if body_hash == feed.state.body_hash and not answer.truncated:
            return PollResponse(feed, answer, body_hash)
        known = Document.unpack(feed.state.document).blocks
        now = self._clock.now()
        parsed = await self._parser.parse(
            answer.body, answer.content_type, answer.url, known, now, answer.truncated
        )
        if isinstance(parsed, ParseFailed):
            return PollResponse(feed, FetchFailed(parsed.failure, parsed.text, answer.freshness))
        return PollResponse(feed, answer, body_hash, parsed)

    async def _fetch(self, feed: FeedDue) -> FetchOutcome:
        """Fetch when the feed's host may be asked."""
        name = host_and_port(feed.address)
        host = self._hosts.setdefault(name, _Host(asyncio.Lock()))
        host.users += 1
        try:
            async with host.lock:
                loop = asyncio.get_running_loop()
                if host.free_at > loop.time():
                    await asyncio.sleep(host.free_at - loop.time())
                answer = await self._fetcher.fetch(self._request(feed))
                host.free_at = loop.time() + self._spacing(name).total_seconds()
                return answer
        finally:
            host.users -= 1
            if not host.users and host.free_at <= asyncio.get_running_loop().time():
                self._hosts.pop(name, None)

    def _request(self, feed: FeedDue) -> FetchRequest:
        send_validators = conditional(feed.state, self._clock.now())
        return FetchRequest(
            url=feed.address,
            etag=feed.state.etag if send_validators else None,
            last_modified=feed.state.last_modified if send_validators else None,
            headers=tuple(self._headers(feed.url).items()),
        )
