"""Find the feeds of a site: fetch its page, read what it names, try what sites usually have.

Calls fetcher and parser; keeps nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from bot.errors import AddressError
from bot.feeds.sitemap_pages import news_sitemaps
from bot.feeds.source_access import SourceAccess
from bot.model.entries import ParsedDocument, ParseFailed, ParseOutcome
from bot.model.feeds import (
    Failure,
    Fetched,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    SiteFeed,
)
from bot.model.sources import Source
from bot.parse.discover import feed_links, guessed_urls
from bot.ports import Clock, Fetcher, Parser
from bot.text.channel_link import canonical_channel

TRIED = 8  #: feeds of a site that are read
AT_ONCE = 3  #: of them at a time
_NEWEST = 5  # headlines of each


def _permitted(urls: Iterable[str], may_ask: Callable[[str], bool]) -> list[str]:
    """Return the first addresses, without those at hosts that may not be asked."""
    return [url for url in list(urls)[:TRIED] if may_ask(urlsplit(url).hostname or "")]


class SiteFinder:
    """Implements `ports.Sites`."""

    def __init__(
        self,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        access: SourceAccess | None = None,
    ) -> None:
        self._fetcher, self._parser, self._clock = fetcher, parser, clock
        self._access = access or SourceAccess.of(clock)

    async def feeds_at(
        self, url: str, may_ask: Callable[[str], bool] = lambda _: True
    ) -> list[SiteFeed]:
        """The feed at this address, else those its page names, else those at usual addresses.

        `may_ask` says whether another host of the page, by its name, may be asked. Raises
        AddressError where there is no feed.
        """
        url = canonical_channel(url)
        if source := self._access.sources().of(url):
            return [await self._channel(url, source)]
        answer = _fetched(await self._access.ask(FetchRequest(url), None, self._fetcher))
        feed = await self._parse(answer)
        if feed:
            return [feed]
        # A hostile page takes seconds to read.
        links = await asyncio.to_thread(feed_links, answer.body, answer.url, answer.content_type)
        named = _permitted([link.url for link in links], may_ask)
        guessed = [address for address in guessed_urls(answer.url) if address not in named]
        feeds = (
            await self._read_all(named[:TRIED])
            or await self._read_all(guessed)
            or await self._sitemaps(answer.url, may_ask)
        )
        if not feeds:
            raise AddressError(
                "There is no feed at this address. If you know the feed's own address, send that.",
                Failure.NOT_A_FEED,
            )
        return feeds

    async def _channel(self, url: str, source: Source) -> SiteFeed:
        """The channel at an address. Raises AddressError with why it cannot be read."""
        address = self._access.sources().request_url(url, source, url)
        answer = _fetched(await self._access.ask(FetchRequest(address), source, self._fetcher))
        parsed = await self._parser.parse(
            answer.body,
            answer.content_type,
            answer.url,
            frozenset(),
            self._clock.now(),
            answer.truncated,
            source,
        )
        if isinstance(parsed, ParseFailed):
            raise AddressError(parsed.text, parsed.failure)
        newest = tuple(entry.title for entry in reversed(parsed.entries[-_NEWEST:]))
        return SiteFeed(url, parsed.title, newest)

    async def _sitemaps(self, url: str, may_ask: Callable[[str], bool]) -> list[SiteFeed]:
        """The news sitemaps that the site's robots.txt names."""

        async def fetch(address: str) -> FetchOutcome:
            if not may_ask(urlsplit(address).hostname or ""):
                return FetchFailed(Failure.ROBOTS, "This site may not be asked now.")
            return await self._access.ask_politely(address, self._fetcher)

        async def parse(page: Fetched) -> ParseOutcome:
            return await self._parser.parse(
                page.body,
                page.content_type,
                page.url,
                frozenset(),
                self._clock.now(),
                page.truncated,
            )

        return await news_sitemaps(url, self._access.rules, self._fetcher, fetch, parse)

    async def _read_all(self, urls: Iterable[str]) -> list[SiteFeed]:
        """The feeds at these addresses, each once."""
        turn = asyncio.Semaphore(AT_ONCE)
        feeds = await asyncio.gather(*(self._read(url, turn) for url in urls))
        return list({feed.url: feed for feed in feeds if feed}.values())

    async def _read(self, url: str, turn: asyncio.Semaphore) -> SiteFeed | None:
        async with turn:
            answer = await self._fetcher.fetch(FetchRequest(url))
        return await self._parse(answer) if isinstance(answer, Fetched) else None

    async def _parse(self, answer: Fetched) -> SiteFeed | None:
        now = self._clock.now()
        parsed = await self._parser.parse(
            answer.body, answer.content_type, answer.url, frozenset(), now, answer.truncated
        )
        if not isinstance(parsed, ParsedDocument) or not (parsed.entries or parsed.title):
            return None
        newest = tuple(entry.title for entry in parsed.entries[:_NEWEST])
        return SiteFeed(answer.permanent_url or answer.url, parsed.title, newest)


def _fetched(answer: FetchOutcome) -> Fetched:
    """What came of an address. Raises AddressError where nothing did."""
    if isinstance(answer, FetchFailed):
        raise AddressError(answer.text, answer.failure)
    if not isinstance(answer, Fetched):
        raise AddressError("Nothing came from this address.", Failure.HTTP)
    return answer
