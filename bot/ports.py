"""The narrow doors to the outside: what the corridors need of clock, network, parser, store and channels. No implementation.

Every `Store` method is one transaction and takes or gives a batch; all may raise StoreError, after which nothing of it was kept.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.model.alerts import AlertedStory, StoryState
from bot.model.archive import EntryFacts, FeedFact, StoredEntry, StoryEntry
from bot.model.chat_events import HandledUpdate, OwnFeed, Person, Reply, Screen
from bot.model.chats import Chat, Subscription
from bot.model.delivery import Delivery, SendOutcome, Settlement, Waiting
from bot.model.entries import ParseOutcome
from bot.model.feeds import FeedDue, FetchOutcome, FetchRequest, SiteFeed
from bot.model.message import Message
from bot.model.poll import AffectedStories, FeedCommit, KnownEntries, Lookup
from bot.model.schedule import ChatSchedule, SchedulePlan
from bot.model.stories import Merge, Report, StoryIds


class Clock(Protocol):
    """Time, so that a demo or a test may run it faster."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, span: timedelta) -> None:
        """Wait that long on this clock."""
        ...


class Fetcher(Protocol):
    """One conditional GET. Raises nothing: a failure is an outcome."""

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch within the deadline and the limits."""
        ...


class Parser(Protocol):
    """Reads documents where they can do no harm. Raises nothing: a failure is an outcome."""

    async def parse(
        self,
        body: bytes,
        content_type: str,
        url: str,
        known: frozenset[bytes],
        now: datetime,
        truncated: bool,
    ) -> ParseOutcome:
        """The new or changed entries of a document."""
        ...


class Channel(Protocol):
    """A way to a chat. Raises nothing: whatever happens to a send is an outcome."""

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Send the message, or edit the one that `delivery.message_id` names."""
        ...


class Archive(Protocol):
    """Stored entries to look back at. Reads only, in the caller's thread; all may raise StoreError."""

    def languages(self) -> frozenset[str]:
        """The languages of stored entries."""
        ...

    def begins(self) -> datetime | None:
        """When the oldest stored entry was seen."""
        ...

    def count(self, expression: str, since: datetime | None) -> int:
        """How many entries a search has to look at."""
        ...

    def entries(
        self, expression: str, since: datetime | None, step: int = 1
    ) -> Iterator[StoredEntry]:
        """Entries that a search has to look at, newest first; with `step`, only each so manieth. An empty expression means all."""
        ...


class StoryArchive(Protocol):
    """Stored stories to be told. Reads only, in the caller's thread; all may raise StoreError."""

    def storyline(self, entry_id: int) -> list[StoryEntry]:
        """The entries of the storyline that an entry belongs to; none where it is not known."""
        ...

    def entry_at(self, link: bytes, guid: bytes, title: bytes) -> int:
        """The newest entry with this link, guid or headline; 0 for none."""
        ...

    def facts(self, entry_id: int) -> EntryFacts | None:
        """What became of an entry; None where it is forgotten."""
        ...

    def feeds(self) -> list[FeedFact]:
        """The feeds that are watched."""
        ...


class PollStore(Protocol):
    """What the ingest corridor asks of the store."""

    async def claim_feeds(self, now: datetime, most: int, lease: timedelta) -> list[FeedDue]:
        """Feeds that are due and whose host is not parked, leased so that no one else takes them."""
        ...

    async def lookup(self, lookups: Sequence[Lookup]) -> dict[int, KnownEntries]:
        """Known entries by feed id. Ids given out never overlap."""
        ...

    async def window(self, since: datetime, after: int, most: int) -> list[tuple[Report, StoryIds]]:
        """Entries seen since then with their stories, as grouping first looked at them, by id from the one behind `after`."""
        ...

    async def stories(self, touched: AffectedStories, now: datetime) -> StoryState:
        """Alerts, origins and stances of these stories."""
        ...

    async def commit(
        self, commits: Sequence[FeedCommit], now: datetime, merges: Sequence[Merge] = ()
    ) -> None:
        """Merges, then entries, alerts, outbox, validators and next polls of several feeds in one transaction."""
        ...

    async def release_pending(self, now: datetime) -> int:
        """Send the alerts that waited for publishers as long as they were to; how many."""
        ...

    async def subscriptions(self, chat_id: int | None = None) -> list[Subscription]:
        """All subscriptions in force, or those that ring one chat; each with all the chats it rings."""
        ...


class DeliveryStore(Protocol):
    """What the deliver corridor asks of the store."""

    async def in_flight(self) -> list[Delivery]:
        """Deliveries that are marked as being sent. At start-up those are of a process that is gone."""
        ...

    async def waiting(
        self, now: datetime, most: int, busy: Collection[int], *, unpaced: bool = False
    ) -> list[Waiting]:
        """Chats with something to send, urgent first, then those served longest ago.

        `busy` are chat ids to leave out; `unpaced`: only chats that no limit holds for.
        """
        ...

    async def claim_deliveries(
        self, now: datetime, chat_ids: Sequence[int], merge_from: int
    ) -> list[Delivery]:
        """The next delivery of each chat, marked as being sent. Where `merge_from` alerts wait or more, they become one."""
        ...

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """What became of deliveries."""
        ...

    async def next_wait(self, now: datetime) -> datetime | None:
        """When the next parked or quiet chat with something to send is to be looked at again."""
        ...

    async def schedules_due(self, now: datetime) -> list[ChatSchedule]:
        """Chats whose quiet hours or digests are to be looked at."""
        ...

    async def apply_schedules(self, plans: Sequence[SchedulePlan], now: datetime) -> None:
        """What was decided about them: quiet or not, and what waits there becoming one message."""
        ...

    async def recent_sends(self, since: datetime) -> list[tuple[int, datetime]]:
        """Address and time of sends, so that the pace survives a restart."""
        ...


class ChatStore(Protocol):
    """What the actions of people ask of the store."""

    async def chat_at(self, address: int, topic: int) -> Chat | None:
        """The chat at this address, if any is known."""
        ...

    async def chat(self, number: int) -> Chat | None:
        """A chat by its number."""
        ...

    async def person(self, user_id: int) -> Person:
        """Who this is to newsbell."""
        ...

    async def people(self) -> list[Person]:
        """All who are known, operators first."""
        ...

    async def access_requests(self) -> list[Chat]:
        """Chats that wrote to the bot and are not let in, the newest first."""
        ...

    async def linked(self, user_id: int) -> list[Chat]:
        """The channels that a person linked."""
        ...

    async def subscriptions_of(self, chat_id: int) -> list[tuple[Subscription, bool]]:
        """The chat's subscriptions, each with whether the configuration file declares it."""
        ...

    async def removed(self, chat_id: int, number: int) -> Subscription | None:
        """A subscription that the chat gave up."""
        ...

    async def feeds_of(self, chat_id: int) -> list[OwnFeed]:
        """The feeds that a chat's subscriptions look at."""
        ...

    async def new_hosts(self, user_id: int, since: datetime) -> int:
        """How many hosts the person had watched since then that nobody had before."""
        ...

    async def alert_of(self, chat_id: int, message_id: int) -> AlertedStory | None:
        """The story that a message of the chat tells of; of several, the first."""
        ...

    async def asked(self, chat_id: int, now: datetime) -> str:
        """The query that the chat was asked to confirm; empty where there is none, or it is too old."""
        ...

    async def screen(self, chat_id: int, number: int) -> Screen | None:
        """What a message with buttons shows at present."""
        ...

    async def expecting(
        self, chat_id: int, user_id: int, now: datetime, reply_to: int | None = None
    ) -> Screen | None:
        """The newest screen that waits for something this person is to write; with `reply_to`, only where that message is a reply of ours."""
        ...

    async def token(self, token: str, now: datetime) -> tuple[str, Mapping[str, Any]] | None:
        """What a link with this word does: its purpose and values; None where it is unknown, used or too old."""
        ...

    async def ratings(self, chat_id: int, since: datetime) -> Mapping[int, tuple[int, int]]:
        """By subscription: how many of its alerts pleased somebody, and how many did not."""
        ...

    async def finish(
        self, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
    ) -> None:
        """What was worked on for a screen is done: its changes are kept, and its message changes."""
        ...

    async def answer(self, answered: HandledUpdate, now: datetime) -> bool:
        """Keep changes, reply and the update's number together; False where this update was answered before."""
        ...


class Members(Protocol):
    """Who administers a chat, as Telegram says.

    Where a chat cannot be asked, nobody does. Where Telegram cannot be reached, its library's error goes up to who took the update, which
    is then taken again.
    """

    async def is_admin(self, address: int, user_id: int) -> bool:
        """Whether the person is an owner or administrator of the chat."""
        ...

    async def link(self, word: str) -> str:
        """The address that opens the bot with this word."""
        ...

    async def channel(self, name: str, user_id: int) -> tuple[int, str] | None:
        """Address and title of a channel by its name or number, where the person administers it and the bot may post; else None."""
        ...


class Sites(Protocol):
    """Finds feeds at the address of a site. Raises AddressError with a sentence for the person."""

    async def feeds_at(self, url: str) -> list[SiteFeed]:
        """The feed at this address, or those that the page there names; at least one."""
        ...
