"""How sources that are no feeds are asked: at which address, how often, and whether at all.

One for the whole newsbell: polls and what people look at keep the same pace.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.feeds.channel_pages import SitePace
from bot.feeds.site_rules import SiteRules
from bot.feeds.sitemap_pages import looks_like_sitemap
from bot.feeds.sources import Sources
from bot.model.feeds import FetchFailed, FetchOutcome, FetchRequest
from bot.model.sources import ChannelSource, Source
from bot.ports import Clock, Fetcher
from bot.text.channel_link import SITE


def _no_pause(_: str) -> timedelta:
    return timedelta(0)


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """What is known of sources, the pace of their sites, and the sites' rules."""

    sources: Callable[[], Sources]
    pace: SitePace
    rules: SiteRules
    mirror: Fetcher | None = None  #: reaches what the file allows, for its mirror of Telegram

    @classmethod
    def of(
        cls,
        clock: Clock,
        sources: Callable[[], Sources] = Sources,
        spacing: Callable[[str], timedelta] = _no_pause,
        mirror: Fetcher | None = None,
    ) -> "SourceAccess":
        """Return the access by settings; `spacing` is the pause between requests to a host."""
        pace = SitePace(spacing)
        return cls(sources, pace, SiteRules(clock, pace), mirror)

    async def ask(
        self, request: FetchRequest, source: Source | None, fetcher: Fetcher
    ) -> FetchOutcome:
        """Fetch an address at its site's pace, if its robots.txt allows it.

        That of a plain feed is fetched as it is: somebody asked for it.
        """
        if isinstance(source, ChannelSource):
            await self.pace.turn(request.url)
            if self.mirror and not request.url.startswith(f"{SITE}/"):
                fetcher = self.mirror
        elif source is not None or looks_like_sitemap(request.url):
            return await self._ask_if_allowed(request, fetcher)
        return await fetcher.fetch(request)

    async def ask_politely(self, url: str, fetcher: Fetcher) -> FetchOutcome:
        """Fetch an address that nobody named, at its site's pace, if its robots.txt allows it."""
        return await self._ask_if_allowed(FetchRequest(url), fetcher)

    async def refusal(self, asked: str, led_to: str, fetcher: Fetcher) -> FetchFailed | None:
        """Return why what came of an address is not to be read: of a page, or of a sitemap."""
        if asked == led_to and looks_like_sitemap(asked):
            return None  # it was allowed before it was fetched
        return await self.rules.refusal(led_to, fetcher)

    async def _ask_if_allowed(self, request: FetchRequest, fetcher: Fetcher) -> FetchOutcome:
        """Fetch an address that robots.txt allows, by redirects that it allows as well."""

        async def refuses(url: str) -> FetchFailed | None:
            return await self.rules.refusal(url, fetcher)

        if refused := await refuses(request.url):
            return refused
        await self.pace.turn(request.url)
        return await fetcher.fetch(replace(request, refuses=refuses))
