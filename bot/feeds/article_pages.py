"""Read the pages of articles for their text, at the pace of their site, if that allows it.

    store.claim | SourceAccess | Parser.read_article | decide_page | store.commit

Only of feeds that ask for it. The article has alerted by what its feed says; here its chats are
alerted by what the page says besides. A page that cannot be read costs nothing but itself.
What came of it holds for the entries of all feeds that lead to it: it is asked for once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.errors import StoreError
from bot.feeds.batch import BatchCommitter
from bot.feeds.source_access import SourceAccess
from bot.model.feeds import Failure, Fetched, FetchFailed
from bot.model.pages import (
    PageCommit,
    PageDue,
    PageFailed,
    PageFailure,
    PageOutcome,
    PageState,
    PageText,
)
from bot.ports import Clock, Fetcher, PageParser, PageStore
from bot.text.url import host_and_port

REMEMBERED = 200  #: pages whose outcome is at hand when another feed shows them
AT_ONCE = 4  #: pages that are asked for at a time
AT_A_LOOK = 200  #: pages of one look, which a single run waits for
#: how a page fails of which its site was not asked, so that it may be tried again
_UNASKED = frozenset({Failure.DNS, Failure.CONNECT, Failure.LOCAL})
_FAILURES = {
    Failure.LOGIN: PageFailure.PAYWALL,
    Failure.BLOCKED: PageFailure.REFUSED,
    Failure.SLOW_DOWN: PageFailure.REFUSED,
    Failure.ROBOTS: PageFailure.ROBOTS,
    Failure.NOT_FOUND: PageFailure.GONE,
    Failure.GONE: PageFailure.GONE,
    Failure.TOO_LARGE: PageFailure.HARMFUL,
    Failure.PRIVATE: PageFailure.REFUSED,
}

log = structlog.stdlib.get_logger("newsbell.pages")


@dataclass(frozen=True, slots=True)
class Fetchers:
    """Which fetcher asks: that of feeds of the file for their own hosts, else the public one."""

    own: Fetcher
    public: Fetcher

    def of(self, due: PageDue) -> Fetcher:
        """Return what asks for a page: a link of a feed may lead anywhere."""
        return self.own if is_own(due) else self.public


def is_own(due: PageDue) -> bool:
    """Whether a page is on the host of a feed of the file, which may be a private one."""
    return due.feed.chats is None and host_and_port(due.link) == host_and_port(due.feed.address)


class ArticlePages:
    """The queue of pages, taken up now and then."""

    def __init__(
        self,
        store: PageStore,
        clock: Clock,
        fetchers: Fetchers,
        access: SourceAccess,
        parser: PageParser,
        committer: BatchCommitter,
        alerted: Callable[[], None],
    ) -> None:
        """`alerted` is called where an alert is to be sent."""
        self._store, self._clock, self._fetchers = store, clock, fetchers
        self._access, self._parser, self._committer = access, parser, committer
        self._alerted = alerted
        # What came of the pages read last. Not for others than those who may ask for them.
        self._outcomes: dict[tuple[bool, bytes], PageOutcome] = {}

    async def look(self) -> int:
        """Read the pages that are due, a few at a time; return how many."""
        count = 0
        try:
            while count < AT_A_LOOK and (
                due := await self._store.claim(self._clock.now(), AT_ONCE)
            ):
                pages: dict[tuple[bool, bytes], list[PageDue]] = {}
                for item in due:
                    pages.setdefault((is_own(item), item.link_key), []).append(item)
                await asyncio.gather(*(self._take(key, page) for key, page in pages.items()))
                count += len(due)
        except StoreError as error:
            log.error("pages_failed", error=str(error))
        return count

    async def _take(self, key: tuple[bool, bytes], page: list[PageDue]) -> None:
        """Read a page, and keep what came of it for its entries. Raises StoreError."""
        outcome = self._outcomes.get(key) or await self._read(page[0])
        if isinstance(outcome, PageText) or not outcome.again:
            self._outcomes[key] = outcome
            if len(self._outcomes) > REMEMBERED:
                del self._outcomes[next(iter(self._outcomes))]
        for due in page:
            await self._keep(due, outcome)

    async def _keep(self, due: PageDue, outcome: PageOutcome) -> None:
        """Keep what came of a page for an entry: that it is gone, too. Raises StoreError."""
        if isinstance(outcome, PageText) or outcome.withdrawn:
            if await self._committer.page_read(self._store, due, outcome):
                self._alerted()
            return
        log.debug("page_not_read", entry_id=due.known.id, reason=outcome.failure)
        now = self._clock.now()
        if outcome.again:
            await self._store.try_again(due.known.id, now)
        else:
            commit = PageCommit(due.known.id, PageState.FAILED, outcome.failure)
            await self._store.commit(commit, now)

    async def _read(self, due: PageDue) -> PageOutcome:
        fetcher = self._fetchers.of(due)
        answer = await self._access.ask_politely(due.link, fetcher)
        if isinstance(answer, FetchFailed):
            failure = _FAILURES.get(answer.failure, PageFailure.NO_ANSWER)
            is_gone = answer.failure is Failure.GONE
            return PageFailed(failure, again=answer.failure in _UNASKED, withdrawn=is_gone)
        if not isinstance(answer, Fetched) or answer.truncated:
            return PageFailed(PageFailure.NO_ANSWER)
        if "html" not in answer.content_type.lower():
            return PageFailed(PageFailure.NO_PAGE)
        if answer.url != due.link:
            refused = await self._access.refusal(due.link, answer.url, fetcher)
            if refused is not None:
                return PageFailed(PageFailure.ROBOTS)
        return await self._parser.read_article(answer.body, answer.content_type)
