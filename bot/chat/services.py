"""What handlers need beyond the store: stored articles, feeds and sites, the operator's view.

Each service reads; what changes is decided by handlers and stored with their reply. Reading stored
articles may take a second, so it runs in a thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from functools import partial
from itertools import islice
from typing import TypeVar

from bot.chat.access import Access
from bot.errors import QueryError
from bot.i18n.catalog import Translator
from bot.model.archive import (
    ChatAlert,
    EntryFacts,
    FeedFact,
    FoundEntry,
    KnownSubscription,
    StoredEntry,
    StoryEntry,
)
from bot.model.chats import ChatSettings
from bot.model.delivery import OutboxRow
from bot.model.evidence import Evidence
from bot.model.feeds import SiteFeed
from bot.model.health import Health
from bot.model.sources import PageProposal
from bot.model.status import FeedList, FeedQuestion, Status
from bot.model.stories import Grouping
from bot.ports import ChatStore, Clock, FullArchive, Members, Sites
from bot.query.parser import Names, parse
from bot.query.price import chat_price, check_chat_price
from bot.query.tree import Node
from bot.search.account import ParsedSubscription, accounts_of
from bot.search.account_text import TimeFormat
from bot.search.backtest import Forecast, backtest
from bot.search.explain import AlertExplanation, account_sentence, explain_entry
from bot.search.found import Found, find, first_with_link
from bot.search.matches import Hit, daily_counts, search
from bot.search.past_alerts import Terms

SEARCH_DAYS = 30  #: how far back a search in a chat looks
SEARCH_HITS = 10  #: articles that it shows
SECONDS = 10.0  #: that one search, forecast or chart may take
THREADS = 2  #: searches at a time, of all chats

T = TypeVar("T")

DailyCounts = tuple[tuple[date, int, int], ...]  #: each day with its stories and publishers


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """What the configuration says about chats; read anew for each update."""

    access: Access = Access.PRIVATE
    commands_per_minute: int = 30  #: of one person
    subscriptions: int = 100  #: that one chat may make
    feeds: int = 200  #: that one chat may add
    new_hosts_per_hour: int = 20  #: that nobody had before, added by one person
    names: Names = field(default_factory=dict)
    timezone: str = "UTC"  #: where a chat has none
    grouping: Grouping = Grouping.NORMAL  #: where a chat has none
    web: str = ""  #: address of the web page; empty where there is none
    groupings: Mapping[int, Grouping] = field(default_factory=dict)  #: by chat id

    def grouping_of(self, chat_id: int) -> Grouping:
        """Return how articles are grouped into alerts of a chat."""
        return self.groupings.get(chat_id, self.grouping)


class SearchService:
    """Queries over stored articles, and what became of an article. Raises StoreError.

    Compiling, pricing and searching may take seconds: it runs in threads of its own, and ends with
    StoreTimeout after `SECONDS`. A chat sees what its own feeds and those of the file brought.
    """

    def __init__(
        self,
        archive: FullArchive,
        clock: Clock,
        config: Callable[[], ChatConfig],
        draw: Callable[[DailyCounts, str, Translator], Awaitable[bytes]],
    ) -> None:
        """`draw` makes a PNG picture of daily counts under a title; it raises ChartError."""
        self._archive, self._clock, self._config = archive, clock, config
        self.draw = draw
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")

    @property
    def names(self) -> Names:
        """The named lists of the configuration."""
        return self._config().names

    async def run(self, work: Callable[[], T]) -> T:
        """Run what may take long beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def archive(self, chat_id: int | None) -> FullArchive:
        """Return the archive as a chat may see it (None: all), for a search that begins now."""
        return self._archive.of_chat(chat_id, SECONDS)

    async def parse(self, query: str) -> Node:
        """Return the tree of a query. Raises QueryError."""
        names = self.names
        return await self.run(lambda: parse(query, names))

    async def affordable(self, query: str) -> Node:
        """Return the tree of a query. Raises QueryError, also where it costs too much."""
        names = self.names

        def work() -> Node:
            tree = parse(query, names)
            check_chat_price(tree, query)
            return tree

        return await self.run(work)

    async def chat_price(self, queries: Sequence[str]) -> float:
        """Return the milliseconds that these queries cost an article; broken ones cost nothing.

        The lists of feeds.yaml are not counted.
        """
        names = self.names
        return await self.run(lambda: chat_price(_trees(queries, names)))

    async def forecast(
        self, tree: Node, chat_id: int | None, terms: Terms, zone: tzinfo
    ) -> Forecast:
        """Return what a subscription would have sent there in the last week, and may send."""
        now = self._clock.now()
        return await self.run(
            lambda: backtest(tree, self.archive(chat_id), now, terms=terms, zone=zone)
        )

    async def search(
        self, tree: Node, chat_id: int | None, limit: int = SEARCH_HITS, skip: int = 0
    ) -> list[Hit]:
        """Return the newest articles that match, without the first `skip` of them."""
        since = self._clock.now() - timedelta(days=SEARCH_DAYS)

        def work() -> list[Hit]:
            found = search(tree, self.archive(chat_id), since=since)
            return list(islice(found, skip, skip + limit))

        return await self.run(work)

    async def daily_counts(
        self, tree: Node, chat_id: int | None, days: int, translator: Translator
    ) -> DailyCounts:
        """Return stories and publishers of the last days, in the chat's time zone."""
        now = self._clock.now()
        return await self.run(
            lambda: daily_counts(tree, self.archive(chat_id), now, days, zone=translator.zone)
        )

    async def found(self, text: str, chat_id: int | None) -> Found:
        """Return the articles that a text asks for."""
        return await self.run(lambda: find(text, self.archive(chat_id)))

    async def first_seen(self, entry_id: int, chat_id: int | None) -> FoundEntry | None:
        """Return the first article with the address of an article; None where it has none."""
        return await self.run(lambda: first_with_link(entry_id, self.archive(chat_id)))

    async def evidence(self, entry_id: int) -> Evidence | None:
        """Return all that is stored of the storyline of an article, of all chats."""
        return await self.run(lambda: self.archive(None).evidence(entry_id))

    async def storyline(self, entry_id: int, chat_id: int | None) -> list[StoryEntry]:
        """Return the articles of the storyline that an article belongs to."""
        return await self.run(lambda: self.archive(chat_id).storyline(entry_id))

    async def facts(self, entry_id: int, chat_id: int | None) -> EntryFacts | None:
        """Return what became of an article; None where it is not stored any longer."""
        now = self._clock.now()
        return await self.run(lambda: self.archive(chat_id).facts(entry_id, now))

    async def known_subscriptions(self, chat_id: int | None) -> list[KnownSubscription]:
        """Return the chat's subscriptions that are not removed, with how they read before."""
        return await self.run(lambda: self.archive(chat_id).known_subscriptions())

    async def feeds(self, chat_id: int | None) -> list[FeedFact]:
        """Return the feeds that are polled."""
        return await self.run(lambda: self.archive(chat_id).feeds())

    async def document(self, feed_id: int, chat_id: int | None, limit: int) -> list[StoredEntry]:
        """Return the first articles of what a feed last answered with."""
        return await self.run(lambda: self.archive(chat_id).document(feed_id, limit))

    async def feed_list(self, chat_id: int | None, question: FeedQuestion) -> FeedList:
        """Return some of the chat's feeds, failing ones first."""
        return await self.run(lambda: self.archive(chat_id).feed_list(question))

    async def queued(self, chat_id: int) -> int:
        """Return how many messages of a chat are queued or being sent."""
        return await self.run(lambda: self.archive(chat_id).queued(chat_id))

    async def whole_status(self) -> Status:
        """Return the state of newsbell with all chats, without feeds."""
        return await self.run(lambda: self.archive(None).whole_status())

    async def alerts(self, chat_id: int, limit: int) -> list[ChatAlert]:
        """Return the newest alerts of a chat."""
        return await self.run(lambda: self.archive(chat_id).alerts_of(chat_id, limit))

    async def reasons(
        self,
        facts: EntryFacts,
        chats: Mapping[int, str],
        chat_id: int | None,
        when: TimeFormat,
        translator: Translator,
    ) -> list[AlertExplanation]:
        """Return for each subscription of the chats why it alerted to an article, or did not.

        `chats` are their names; `chat_id` as everywhere here.
        """
        subscriptions = await self.known_subscriptions(chat_id)
        names = self.names

        def work() -> list[AlertExplanation]:
            parsed = [_parsed(item, names, translator) for item in subscriptions]
            accounts = accounts_of(facts, parsed, partial(_read, names=names), chat_id)
            return explain_entry(facts, parsed, accounts, chats, when, translator)

        return await self.run(work)

    async def outcomes(
        self,
        facts: EntryFacts,
        chats: Mapping[int, str],
        chat_id: int,
        when: TimeFormat,
        translator: Translator,
    ) -> list[str]:
        """Return what became of an article in the chats, a sentence each; none without a match."""
        subscriptions = await self.known_subscriptions(chat_id)
        names = self.names

        def work() -> list[str]:
            parsed = [_parsed(item, names, translator) for item in subscriptions]
            accounts = accounts_of(facts, parsed, partial(_read, names=names), chat_id)
            texts = [account_sentence(account, chats, when, translator) for account in accounts]
            return list(dict.fromkeys(text for text in texts if text))

        return await self.run(work)


def _parsed(
    subscription: KnownSubscription, names: Names, translator: Translator
) -> ParsedSubscription:
    try:
        return ParsedSubscription(subscription, parse(subscription.query, names))
    except QueryError as error:
        return ParsedSubscription(subscription, None, error.translated(translator.gettext))


def _read(query: str, names: Names) -> Node | None:
    try:
        return parse(query, names)
    except QueryError:
        return None


def _trees(queries: Iterable[str], names: Names) -> list[Node]:
    trees = []
    for query in queries:
        with suppress(QueryError):
            trees.append(parse(query, names))
    return trees


class FeedService:
    """The feeds of sites and chats."""

    def __init__(
        self,
        sites: Sites,
        status: Callable[[], Awaitable[Status]],
        export: Callable[[Sequence[int]], Awaitable[str]],
        proposal: Callable[[str], Awaitable[tuple[str, PageProposal] | None]],
    ) -> None:
        """`export` returns the subscriptions of chats as feeds.yaml, empty for none.

        `proposal` returns how a page without a feed may be read, as feeds.yaml has it too.
        """
        self._sites = sites
        self.proposal = proposal
        self.status = status
        self.export = export

    async def feeds_at(self, url: str, may_ask: Callable[[str], bool]) -> list[SiteFeed]:
        """Return the feeds at an address, at least one. Raises AddressError.

        `may_ask` says whether a further host, by its name, may be asked.
        """
        return await self._sites.feeds_at(url, may_ask)


class AdminService:
    """What operators see. Raises StoreError."""

    def __init__(
        self,
        status: Callable[[], Awaitable[Status]],
        dead: Callable[[], Awaitable[list[OutboxRow]]],
        health: Callable[[], Health],
    ) -> None:
        """`dead` returns the messages that could not be delivered."""
        self.status = status
        self.dead = dead
        self.health = health


@dataclass(frozen=True, slots=True)
class ChatServices:
    """All that the chat layer is built from."""

    store: ChatStore
    members: Members
    clock: Clock
    search: SearchService
    feeds: FeedService
    admin: AdminService
    config: Callable[[], ChatConfig]
    translator: Callable[[ChatSettings], Translator]
