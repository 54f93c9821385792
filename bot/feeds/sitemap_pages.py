"""Read the sitemaps that an index names, and find those of a site that hold its news.

Fetches only what the site's robots.txt allows. Decides nothing about entries.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urlsplit

from bot.feeds.site_rules import SiteRules
from bot.model.entries import ParsedDocument, ParseFailed, ParseOutcome
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, SiteFeed
from bot.parse.robots import Robots
from bot.ports import Fetcher
from bot.text.url import host

MAX_SITEMAPS = 6  #: that robots.txt names and that are looked at
_NEWEST = 5  # headlines of each

Fetch = Callable[[str], Awaitable[FetchOutcome]]
Parse = Callable[[Fetched], Awaitable[ParseOutcome]]


def looks_like_sitemap(url: str) -> bool:
    """Return whether an address is that of a sitemap by its name: before it is fetched."""
    # First as a whole, for hardly any is: to take it apart costs more than all else here.
    return "sitemap" in url.lower() and "sitemap" in urlsplit(url).path.lower()


async def with_children(
    document: ParsedDocument, fetch: Fetch, parse: Parse
) -> ParsedDocument | FetchFailed:
    """Return a document with the entries of the sitemaps that it is the index of.

    Those that cannot be read are left out: what they have is there the next time.
    """
    pages: list[ParsedDocument] = []
    failure = FetchFailed(Failure.NOT_A_FEED, "The index of sitemaps names none with news.")
    for url in document.children:
        answer = await fetch(url)
        parsed = await parse(answer) if isinstance(answer, Fetched) else answer
        if isinstance(parsed, ParsedDocument) and parsed.is_sitemap and not parsed.children:
            pages.append(parsed)
        elif isinstance(parsed, FetchFailed | ParseFailed):
            failure = FetchFailed(parsed.failure, parsed.text)
    if not pages:
        return failure
    return replace(
        document,
        entries=tuple(entry for page in pages for entry in page.entries),
        blocks=tuple(block for page in pages for block in page.blocks),
        cut=tuple(block for page in pages for block in page.cut),
        title=next((page.title for page in pages if page.blocks), pages[0].title),
        faulty=sum(page.faulty for page in pages),
        seconds=document.seconds + sum(page.seconds for page in pages),
        truncated=any(page.truncated for page in pages),
    )


async def news_sitemaps(
    url: str, rules: SiteRules, fetcher: Fetcher, fetch: Fetch, parse: Parse
) -> list[SiteFeed]:
    """Return the sitemaps with news that the robots.txt of an address's site names."""
    robots = await rules.of(url, fetcher)
    if not isinstance(robots, Robots):
        return []
    named = [address for address in robots.sitemaps if host(address)]
    named.sort(key=lambda address: "news" not in address.lower())
    found: list[SiteFeed] = []
    for address in named[:MAX_SITEMAPS]:
        answer = await fetch(address)
        parsed = await parse(answer) if isinstance(answer, Fetched) else None
        if isinstance(parsed, ParsedDocument) and parsed.children:
            read = await with_children(parsed, fetch, parse)
            parsed = read if isinstance(read, ParsedDocument) else None
        if isinstance(parsed, ParsedDocument) and parsed.is_sitemap and parsed.entries:
            newest = tuple(entry.title for entry in parsed.entries[:_NEWEST])
            found.append(SiteFeed(address, parsed.title, newest))
    return found
