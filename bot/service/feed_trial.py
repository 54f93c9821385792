"""Look at one address as a poll would: fetch, read. Keeps nothing, decides nothing, no store.

`build` makes its fetchers by the same settings.
"""

import asyncio
import time
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_network

from bot import __version__
from bot.config.load import Config
from bot.feeds.sources import Sources
from bot.fetch.client import Limits, open_client, user_agent
from bot.fetch.url_guard import UrlGuard
from bot.model.entries import ParsedDocument, ParseFailed
from bot.model.feeds import Fetched, FetchFailed, FetchRequest, NotModified
from bot.parse.discover import FeedLink, feed_links
from bot.service.clock import SystemClock
from bot.service.workers import WorkerLimits, Workers

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


def worker_limits_of(config: Config) -> WorkerLimits:
    """Return the limits of one document."""
    limits = config.settings.limits
    return WorkerLimits(limits.parse.total_seconds(), limits.memory * MEGABYTE)


def sources_of(config: Config) -> Sources:
    """Return which feeds are no documents of feeds, and where they are read."""
    return Sources(config.settings.sources.telegram)


def agent_of(config: Config) -> str:
    """Return the User-Agent."""
    return user_agent(__version__, config.settings.contact, len(config.declared.chats))


async def try_feed(config: Config, url: str) -> FeedTrial:
    """Fetch an address with the headers that the file has for it, and read what comes."""
    clock, start = SystemClock(), time.monotonic()
    sources = sources_of(config)
    source = sources.of(url)
    request = FetchRequest(
        sources.request_url(url, source, url), headers=tuple(config.headers.get(url, {}).items())
    )
    opened = open_client(
        guard_of(config),
        limits_of(config),
        clock,
        agent_of(config),
        proxy=config.proxies.network,
    )
    async with opened as client:
        answer = await client.fetch(request)
    seconds = time.monotonic() - start
    if not isinstance(answer, Fetched):
        return FeedTrial(answer, seconds)
    workers = Workers(worker_limits_of(config))
    try:
        parsed = await workers.parse(
            answer.body,
            answer.content_type,
            answer.url,
            frozenset(),
            clock.now(),
            answer.truncated,
            source,
        )
    finally:
        workers.close()
    links: tuple[FeedLink, ...] = ()
    if isinstance(parsed, ParseFailed) and source is None:
        links = await asyncio.to_thread(feed_links, answer.body, answer.url, answer.content_type)
    return FeedTrial(answer, seconds, parsed, links)
