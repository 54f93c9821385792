"""Fetch and parse one feed. Decides nothing, keeps nothing; `host_turns` says when."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import structlog
from structlog.contextvars import bound_contextvars

from bot.feeds.last_document import Document
from bot.feeds.poll_result import PollResponse, internal_failure
from bot.feeds.poll_schedule import conditional
from bot.model.entries import ParseFailed
from bot.model.feeds import FeedDue, Fetched, FetchFailed, FetchOutcome, FetchRequest
from bot.ports import Clock, Fetcher, Parser

Answered = Callable[[FetchOutcome], float]

log = structlog.stdlib.get_logger("newsbell.poller")


def hash_of(answer: Fetched) -> bytes:
    """Return the BLAKE2b-128 digest of a body with its type.

    The type names a charset: where it changes, the same bytes may read otherwise.
    """
    digest = blake2b(answer.body, digest_size=16)
    digest.update(b"\0" + answer.content_type.encode("utf-8", "surrogatepass"))
    return digest.digest()


class FeedReader:
    """Takes a feed from the network to a parsed document; `headers` are those of a feed's URL."""

    def __init__(
        self,
        fetcher: Fetcher,
        public_fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        *,
        headers: Callable[[str], Mapping[str, str]],
    ) -> None:
        """`public_fetcher` is for feeds that chats added: it reaches public addresses only."""
        self._fetcher, self._public_fetcher = fetcher, public_fetcher
        self._parser, self._clock = parser, clock
        self._headers = headers

    async def read(self, feed: FeedDue, answered: Answered) -> PollResponse:
        """Poll the feed. Raises nothing: a failure is a response.

        `answered` is called with the host's answer before that is parsed; it returns the seconds
        that this took.
        """
        try:
            with bound_contextvars(feed_id=feed.id):
                return await self._read(feed, answered)
        except Exception:  # a feed that trips over our own mistake must not stop the others
            log.exception("poll_failed", feed_id=feed.id, feed=feed.name)
            return internal_failure(feed)

    async def _read(self, feed: FeedDue, answered: Answered) -> PollResponse:
        fetcher = self._fetcher if feed.chats is None else self._public_fetcher
        answer: FetchOutcome = await fetcher.fetch(self._request(feed))
        seconds = answered(answer)
        if not isinstance(answer, Fetched):
            return PollResponse(feed, answer, seconds=seconds)
        body_hash = hash_of(answer)
        if body_hash == feed.state.body_hash and not answer.truncated:
            return PollResponse(feed, answer, body_hash, seconds=seconds)
        known = Document.unpack(feed.state.document).blocks
        now = self._clock.now()
        parsed = await self._parser.parse(
            answer.body, answer.content_type, answer.url, known, now, answer.truncated
        )
        if isinstance(parsed, ParseFailed):
            failure = FetchFailed(parsed.failure, parsed.text, answer.freshness)
            return PollResponse(feed, failure, seconds=seconds)
        return PollResponse(feed, answer, body_hash, parsed, seconds)

    def _request(self, feed: FeedDue) -> FetchRequest:
        send_validators = conditional(feed.state, self._clock.now())
        return FetchRequest(
            url=feed.address,
            etag=feed.state.etag if send_validators else None,
            last_modified=feed.state.last_modified if send_validators else None,
            headers=tuple(self._headers(feed.url).items()),
        )
