"""Fetch and parse one feed. Decides nothing, keeps nothing; `host_turns` says when."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

import structlog
from structlog.contextvars import bound_contextvars

from bot.feeds.channel_pages import SitePace, with_missed_posts
from bot.feeds.last_document import Document
from bot.feeds.poll_result import PollResponse, internal_failure
from bot.feeds.poll_schedule import conditional
from bot.feeds.sources import Sources
from bot.model.entries import ParsedDocument, ParseOutcome
from bot.model.feeds import FeedDue, Fetched, FetchFailed, FetchOutcome, FetchRequest
from bot.model.sources import ChannelSource, Source
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
        sources: Callable[[], Sources] = Sources,
        pace: SitePace | None = None,
    ) -> None:
        """`public_fetcher` is for feeds that chats added: it reaches public addresses only.

        `sources` says which feeds are channels or pages, `pace` is that of Telegram's site.
        """
        self._fetcher, self._public_fetcher = fetcher, public_fetcher
        self._parser, self._clock = parser, clock
        self._headers, self._sources = headers, sources
        self._pace = pace or SitePace(lambda _: timedelta(0))

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
        sources = self._sources()
        source = sources.of(feed.url)
        request = self._request(feed, sources.request_url(feed.url, source, feed.address))
        if isinstance(source, ChannelSource):
            await self._pace.turn(request.url)
        answer: FetchOutcome = await fetcher.fetch(request)
        seconds = answered(answer)
        if not isinstance(answer, Fetched):
            return PollResponse(feed, answer, seconds=seconds)
        body_hash = hash_of(answer)
        if body_hash == feed.state.body_hash and not answer.truncated:
            return PollResponse(feed, answer, body_hash, seconds=seconds)
        known = Document.unpack(feed.state.document).blocks
        parsed: ParseOutcome | FetchFailed = await self._parse(answer, known, source)
        if isinstance(parsed, ParsedDocument) and isinstance(source, ChannelSource):
            answer = replace(answer, permanent_url=None)  # the site sends elsewhere what it hides
            parsed = await self._with_missed(feed, fetcher, source, answer, parsed, known)
        if not isinstance(parsed, ParsedDocument):
            failure = FetchFailed(parsed.failure, parsed.text, answer.freshness)
            return PollResponse(feed, failure, seconds=seconds)
        return PollResponse(feed, answer, body_hash, parsed, seconds)

    async def _parse(
        self, answer: Fetched, known: frozenset[bytes], source: Source | None
    ) -> ParseOutcome:
        return await self._parser.parse(
            answer.body,
            answer.content_type,
            answer.url,
            known,
            self._clock.now(),
            answer.truncated,
            source,
        )

    async def _with_missed(
        self,
        feed: FeedDue,
        fetcher: Fetcher,
        source: ChannelSource,
        answer: Fetched,
        parsed: ParsedDocument,
        known: frozenset[bytes],
    ) -> ParsedDocument | FetchFailed:
        """The page of a channel with the posts before it that were missed, at its site's pace."""

        async def fetch(url: str) -> FetchOutcome:
            await self._pace.turn(url)
            return await fetcher.fetch(FetchRequest(url))

        async def parse(page: Fetched) -> ParseOutcome:
            return await self._parse(page, known, source)

        return await with_missed_posts(feed, answer, parsed, known, fetch, parse)

    def _request(self, feed: FeedDue, url: str) -> FetchRequest:
        send_validators = conditional(feed.state, self._clock.now())
        return FetchRequest(
            url=url,
            etag=feed.state.etag if send_validators else None,
            last_modified=feed.state.last_modified if send_validators else None,
            headers=tuple(self._headers(feed.url).items()),
        )
