"""Propose how a page without a feed can be read, for an operator who asked for it in a chat.

Fetches at the site's pace, and what its robots.txt allows. The page is read in a worker.
"""

import yaml

from bot.feeds.source_access import SourceAccess
from bot.model.feeds import Fetched
from bot.model.sources import PageProposal, PageSource
from bot.ports import Clock, Fetcher, PageParser

PARTS = ("item", "title", "link", "time", "summary")


def feed_yaml(url: str, source: PageSource) -> str:
    """Return the lines of a page for the list of feeds in feeds.yaml."""
    page = {name: getattr(source, name) for name in PARTS if getattr(source, name)}
    return yaml.safe_dump([{"url": url, "page": page}], allow_unicode=True, sort_keys=False)


class PageProposals:
    """Looks at pages."""

    def __init__(
        self, fetcher: Fetcher, parser: PageParser, access: SourceAccess, clock: Clock
    ) -> None:
        self._fetcher, self._parser = fetcher, parser
        self._access, self._clock = access, clock

    async def best(self, url: str) -> tuple[str, PageProposal] | None:
        """Return the first proposal for a page, as lines of feeds.yaml too; None for none."""
        answer = await self._access.ask_politely(url, self._fetcher)
        if not isinstance(answer, Fetched):
            return None
        found = await self._parser.propose(
            answer.body, answer.content_type, answer.url, self._clock.now()
        )
        return (feed_yaml(answer.url, found[0].source), found[0]) if found else None
