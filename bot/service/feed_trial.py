"""Look at one address as a poll would: fetch, read. Keeps nothing, decides nothing, no store.

`build` makes its fetchers by the same settings.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Network, ip_network

from bot import __version__
from bot.config.load import Config
from bot.feeds.sitemap_pages import news_sitemaps, with_children
from bot.feeds.source_access import SourceAccess
from bot.feeds.sources import Sources
from bot.fetch.client import Client, Limits, open_client, user_agent
from bot.fetch.url_guard import UrlGuard
from bot.model.entries import ParsedDocument, ParseFailed, ParseOutcome
from bot.model.feeds import Fetched, FetchFailed, FetchOutcome, FetchRequest, NotModified
from bot.model.sources import PageSource
from bot.parse.discover import FeedLink, feed_links
from bot.ports import Fetcher
from bot.service.clock import SystemClock
from bot.service.workers import READERS, WorkerLimits, Workers

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FeedTrial:
    """What came of an address."""

    answer: Fetched | NotModified | FetchFailed
    seconds: float  #: until all of the answer was there
    parsed: ParsedDocument | ParseFailed | None = None  #: None: nothing came to read
    links: tuple[FeedLink, ...] = ()  #: feeds that a page names


def guard_of(config: Config) -> UrlGuard:
    """Return the guard for the feeds of the file."""
    network = config.settings.network
    return UrlGuard(
        [ip_network(address) for address in network.allow],
        network.ports,
        [IPv6Network(prefix) for prefix in network.nat64],
    )


def limits_of(config: Config) -> Limits:
    """Return the limits of one fetch."""
    return Limits(config.settings.limits.deadline, config.settings.limits.body * MEGABYTE)


def worker_limits_of(config: Config, documents: int = READERS) -> WorkerLimits:
    """Return the limits of one document; no more readers than there are documents at once."""
    limits = config.settings.limits
    return WorkerLimits(
        limits.parse.total_seconds(), limits.memory * MEGABYTE, min(documents, READERS)
    )


def sources_of(config: Config) -> Sources:
    """Return which feeds are no documents of feeds, and where they are read."""
    pages = {feed.url: feed.page for feed in config.declared.feeds if feed.page}
    return Sources(config.settings.sources.telegram, pages)


def agent_of(config: Config) -> str:
    """Return the User-Agent."""
    return user_agent(__version__, config.settings.contact, len(config.declared.chats))


async def fetch_page(config: Config, url: str) -> FetchOutcome:
    """Fetch a page that somebody chose, if its site's robots.txt allows it."""
    access = SourceAccess.of(SystemClock(), partial(sources_of, config))
    async with _opened(config) as client:
        return await access.ask_politely(url, client)


def _opened(config: Config) -> AbstractAsyncContextManager[Client]:
    return open_client(
        guard_of(config),
        limits_of(config),
        SystemClock(),
        agent_of(config),
        proxy=config.proxies.network,
    )


async def try_feed(config: Config, url: str) -> FeedTrial:
    """Fetch an address with the headers that the file has for it, and read what comes."""
    access = SourceAccess.of(SystemClock(), partial(sources_of, config))
    workers = Workers(worker_limits_of(config, 1))
    async with _opened(config) as client:
        try:
            return await _tried(config, url, access, client, workers)
        finally:
            workers.close()


async def _tried(
    config: Config,
    url: str,
    access: SourceAccess,
    client: Fetcher,
    workers: Workers,
) -> FeedTrial:
    sources, clock = access.sources(), SystemClock()
    source = sources.of(url)
    headers = tuple(config.headers.get(url, {}).items())
    request = FetchRequest(sources.request_url(url, source, url), headers=headers)
    start = time.monotonic()
    answer = await access.ask(request, source, client)
    seconds = time.monotonic() - start
    if not isinstance(answer, Fetched):
        return FeedTrial(answer, seconds)

    async def parse(fetched: Fetched) -> ParseOutcome:
        return await workers.parse(
            fetched.body,
            fetched.content_type,
            fetched.url,
            frozenset(),
            clock.now(),
            fetched.truncated,
            source,
        )

    async def fetch(address: str) -> FetchOutcome:
        return await access.ask_politely(address, client)

    parsed: ParseOutcome | FetchFailed = await parse(answer)
    links: tuple[FeedLink, ...] = ()
    if isinstance(parsed, ParsedDocument) and (parsed.is_sitemap or isinstance(source, PageSource)):
        refused = await access.refusal(request.url, answer.url, client)
        parsed = refused or (
            await with_children(parsed, fetch, parse) if parsed.children else parsed
        )
    elif isinstance(parsed, ParseFailed) and source is None:
        links = await asyncio.to_thread(feed_links, answer.body, answer.url, answer.content_type)
        if not links:
            found = await news_sitemaps(answer.url, access.rules, client, fetch, parse)
            links = tuple(FeedLink(feed.url, feed.title, "") for feed in found)
    if isinstance(parsed, FetchFailed):
        return FeedTrial(parsed, seconds)
    return FeedTrial(answer, seconds, parsed, links)
