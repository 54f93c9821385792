"""Find the feeds of a site: fetch its page, read what it names, try what sites usually have. Calls fetcher and parser; keeps nothing."""

import asyncio
from collections.abc import Iterable

from bot.errors import AddressError
from bot.model.entries import ParsedDocument
from bot.model.feeds import Fetched, FetchFailed, FetchRequest, SiteFeed
from bot.parse.discover import feed_links, guessed_urls
from bot.ports import Clock, Fetcher, Parser

TRIED = 8  #: feeds of one site that are looked at
_NEWEST = 5  # headlines of each


class SiteFinder:
    """Implements `ports.Sites`."""

    def __init__(self, fetcher: Fetcher, parser: Parser, clock: Clock) -> None:
        self._fetcher, self._parser, self._clock = fetcher, parser, clock

    async def feeds_at(self, url: str) -> list[SiteFeed]:
        """The feed at this address, or those that the page there names, or that are where sites usually have them."""
        answer = await self._fetcher.fetch(FetchRequest(url))
        if not isinstance(answer, Fetched):
            raise AddressError(
                answer.text
                if isinstance(answer, FetchFailed)
                else "Nothing came from this address."
            )
        own = await self._read(answer)
        if own:
            return [own]
        # A hostile page takes seconds to read.
        named = [
            one.url
            for one in await asyncio.to_thread(
                feed_links, answer.body, answer.url, answer.content_type
            )
        ]
        found = await self._look(named[:TRIED]) or await self._look(
            [one for one in guessed_urls(answer.url) if one not in named]
        )
        if not found:
            raise AddressError(
                "I find no feed there. Give me the address of a feed itself, if you know it."
            )
        return found

    async def _look(self, urls: Iterable[str]) -> list[SiteFeed]:
        looked = await asyncio.gather(*(self._feed(url) for url in urls))
        return list({one.url: one for one in looked if one}.values())

    async def _feed(self, url: str) -> SiteFeed | None:
        answer = await self._fetcher.fetch(FetchRequest(url))
        return await self._read(answer) if isinstance(answer, Fetched) else None

    async def _read(self, answer: Fetched) -> SiteFeed | None:
        now = self._clock.now()
        parsed = await self._parser.parse(
            answer.body, answer.content_type, answer.url, frozenset(), now, answer.truncated
        )
        if not isinstance(parsed, ParsedDocument) or not (parsed.entries or parsed.title):
            return None
        return SiteFeed(
            answer.permanent_url or answer.url,
            parsed.title,
            tuple(entry.title for entry in parsed.entries[:_NEWEST]),
        )
