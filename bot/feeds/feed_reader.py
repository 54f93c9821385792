"""Fetch and parse one feed. Decides nothing, keeps nothing; `host_turns` says when."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b

import structlog
from structlog.contextvars import bind_contextvars, reset_contextvars

from bot.feeds.channel_pages import with_missed_posts
from bot.feeds.last_document import Document
from bot.feeds.poll_result import PollResponse, internal_failure
from bot.feeds.poll_schedule import conditional
from bot.feeds.sitemap_pages import with_children
from bot.feeds.source_access import SourceAccess
from bot.model.entries import ParsedDocument, ParseOutcome
from bot.model.feeds import FeedDue, Fetched, FetchFailed, FetchOutcome, FetchRequest
from bot.model.sources import ChannelSource, Source
from bot.ports import Clock, Fetcher, Parser

Answered = Callable[[FetchOutcome], float]

BODIES = 1 << 14  #: feeds whose last body is remembered as it came: 4 MB

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
        access: SourceAccess | None = None,
    ) -> None:
        """`public_fetcher` is for feeds that chats added: it reaches public addresses only.

        `access` says which feeds are channels or pages, and how these are asked.
        """
        self._fetcher, self._public_fetcher = fetcher, public_fetcher
        self._parser, self._clock = parser, clock
        self._headers = headers
        self._access = access or SourceAccess.of(clock)
        # Of feeds, as their bodies came last: the digest, and the hash of the body that is kept.
        self._came: OrderedDict[int, tuple[bytes, bytes]] = OrderedDict()

    async def read(self, feed: FeedDue, answered: Answered) -> PollResponse:
        """Poll the feed. Raises nothing: a failure is a response.

        `answered` is called with the host's answer before that is parsed; it returns the seconds
        that this took.
        """
        bound = bind_contextvars(feed_id=feed.id)
        try:
            return await self._read(feed, answered)
        except Exception:  # a feed that trips over our own mistake must not stop the others
            log.exception("poll_failed", feed_id=feed.id, feed=feed.name)
            return internal_failure(feed)
        finally:
            reset_contextvars(**bound)

    async def _read(self, feed: FeedDue, answered: Answered) -> PollResponse:
        fetcher = self._fetcher if feed.chats is None else self._public_fetcher
        sources = self._access.sources()
        source = sources.of(feed.url)
        request = self._request(feed, sources.request_url(feed.url, source, feed.address))
        answer = await self._access.ask(request, source, fetcher)
        seconds = answered(answer)
        if not isinstance(answer, Fetched):
            return PollResponse(feed, answer, seconds=seconds)
        if answer.is_known:
            return PollResponse(feed, answer, feed.state.body_hash, seconds=seconds)
        body_hash = hash_of(answer)
        self._remember(feed.id, answer, body_hash)
        if body_hash == feed.state.body_hash and not answer.truncated:
            return PollResponse(feed, answer, body_hash, seconds=seconds)
        known = Document.unpack(feed.state.document).blocks
        parsed: ParseOutcome | FetchFailed = await self._parse(answer, known, source)
        if isinstance(parsed, ParsedDocument):
            if isinstance(source, ChannelSource):  # its site leads elsewhere where it shows nothing
                answer = replace(answer, permanent_url=None)
            if parsed.children:  # of an index that is as it was, too, what it names has news
                answer, body_hash = replace(answer, etag=None, last_modified=None), b""
            parsed = await self._completed(feed, fetcher, request.url, answer, parsed, known)
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

    async def _completed(
        self,
        feed: FeedDue,
        fetcher: Fetcher,
        asked: str,
        answer: Fetched,
        parsed: ParsedDocument,
        known: frozenset[bytes],
    ) -> ParsedDocument | FetchFailed:
        """The document with what stands on further pages: of a channel, or of an index."""
        access = self._access
        source = access.sources().of(feed.url)

        async def fetch(url: str) -> FetchOutcome:
            if isinstance(source, ChannelSource):
                return await access.ask(FetchRequest(url), source, fetcher)
            return await access.ask_politely(url, fetcher)

        async def parse(page: Fetched) -> ParseOutcome:
            return await self._parse(page, known, source)

        if isinstance(source, ChannelSource):
            return await with_missed_posts(feed, answer, parsed, known, fetch, parse)
        if not (source or parsed.is_sitemap):
            return parsed
        if refused := await access.refusal(asked, answer.url, fetcher):
            return refused
        return await with_children(parsed, fetch, parse) if parsed.children else parsed

    def _request(self, feed: FeedDue, url: str) -> FetchRequest:
        send_validators = conditional(feed.state, self._clock.now())
        return FetchRequest(
            url=url,
            etag=feed.state.etag if send_validators else None,
            last_modified=feed.state.last_modified if send_validators else None,
            headers=tuple(self._headers(feed.url).items()),
            known=self._known(feed),
        )

    def _known(self, feed: FeedDue) -> bytes:
        """The digest of the body that was committed last, as it came; empty where not known.

        Another process may have committed another one since.
        """
        digest, body_hash = self._came.get(feed.id, (b"", b""))
        return digest if body_hash == feed.state.body_hash else b""

    def _remember(self, number: int, answer: Fetched, body_hash: bytes) -> None:
        self._came.pop(number, None)
        if answer.digest and not answer.truncated:
            self._came[number] = answer.digest, body_hash
            if len(self._came) > BODIES:
                self._came.popitem(last=False)
