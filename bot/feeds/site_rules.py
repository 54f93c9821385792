"""What sites ask of programs in robots.txt: fetched once a day and site, kept in memory.

Of pages and sitemaps only: feeds and channels are asked for by somebody. Decides by RFC 9309: a
site without the file forbids nothing, and one that does not answer is left alone.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.feeds.channel_pages import SitePace
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchRequest
from bot.parse.robots import NOTHING_FORBIDDEN, Robots, read_robots, robots_url
from bot.ports import Clock, Fetcher
from bot.text.url import host_and_port

KEPT = timedelta(days=1)  #: for which the rules of a site are believed
KEPT_FAILURE = timedelta(minutes=15)  #: before a site that did not answer is asked again
SITES = 2000  #: of which the rules are kept
#: how a site fails that has no such file; any other failure leaves open what it forbids
_ABSENT = frozenset(
    {
        Failure.NOT_FOUND,
        Failure.GONE,
        Failure.LOGIN,
        Failure.BLOCKED,
        Failure.HTTP,
        Failure.REDIRECT,
    }
)

_NO_DELAY = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Known:
    rules: Robots | FetchFailed
    until: float  # by the monotonic clock


class SiteRules:
    """The rules of sites."""

    def __init__(self, clock: Clock, pace: SitePace) -> None:
        self._clock, self._pace = clock, pace
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._turns: OrderedDict[str, asyncio.Lock] = OrderedDict()
        self._delays: dict[str, timedelta] = {}

    def delay(self, host: str) -> timedelta:
        """Return the pause between two requests that a host asked for; none where it is unknown."""
        return self._delays.get(host, _NO_DELAY)

    async def of(self, url: str, fetcher: Fetcher) -> Robots | FetchFailed:
        """Return the rules of an address's site, or why they are not known."""
        site = robots_url(url)
        async with self._turns.setdefault(site, asyncio.Lock()):
            known = self._known.get(site)
            if known is None or known.until <= self._clock.monotonic():
                known = self._keep(site, await self._fetched(site, fetcher))
        if len(self._turns) > SITES:
            self._turns = OrderedDict(
                (name, turn) for name, turn in self._turns.items() if turn.locked()
            )
        return known.rules

    async def refusal(self, url: str, fetcher: Fetcher) -> FetchFailed | None:
        """Return why an address is not to be fetched; None where it may be."""
        rules = await self.of(url, fetcher)
        if isinstance(rules, FetchFailed):
            return rules
        if rules.allows(url):
            return None
        return FetchFailed(Failure.ROBOTS, "The site's robots.txt asks programs not to read this.")

    async def _fetched(self, site: str, fetcher: Fetcher) -> Robots | FetchFailed:
        await self._pace.turn(site)
        answer = await fetcher.fetch(FetchRequest(site))
        if isinstance(answer, Fetched):
            return await asyncio.to_thread(read_robots, answer.body, site)
        if isinstance(answer, FetchFailed) and answer.failure not in _ABSENT:
            return replace(answer, text=f"Its robots.txt cannot be read: {answer.text}")
        return NOTHING_FORBIDDEN

    def _keep(self, site: str, rules: Robots | FetchFailed) -> _Known:
        kept = KEPT_FAILURE if isinstance(rules, FetchFailed) else KEPT
        known = _Known(rules, self._clock.monotonic() + kept.total_seconds())
        self._known[site] = known
        self._known.move_to_end(site)
        host = host_and_port(site)
        self._delays.pop(host, None)
        if isinstance(rules, Robots) and rules.delay:
            self._delays[host] = rules.delay
        if len(self._known) > SITES:
            oldest, _ = self._known.popitem(last=False)
            self._delays.pop(host_and_port(oldest), None)
        return known
