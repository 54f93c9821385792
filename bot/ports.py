"""What the pipelines need of clock, network, parser, store and channels. Protocols only.

Every method of a store is one transaction and takes or returns a batch; all may raise StoreError,
after which nothing of the transaction was kept.
"""

import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from bot.model.alerts import (
    AlertedStory,
    AlertIntent,
    MatchRecord,
    StoryState,
    UnsentMatch,
)
from bot.model.archive import (
    ArrivalFacts,
    AskedKeys,
    ChatAlert,
    ChatFact,
    EntryFacts,
    FeedFact,
    FeedPast,
    FoundEntry,
    KnownSubscription,
    StoredAbout,
    StoredEntry,
    StoryEntry,
    StoryMember,
)
from bot.model.chat_events import (
    AssignStory,
    HandledUpdate,
    OwnFeed,
    Person,
    Reply,
    Screen,
    SetStance,
)
from bot.model.chats import Chat, Developments, ForecastResult, Subscription, TokenPurpose, Updates
from bot.model.clock import ClockStep
from bot.model.delivery import (
    Delivery,
    DeliveryState,
    NoticeIntent,
    Outage,
    OutboxRow,
    SendOutcome,
    Settlement,
    Waiting,
)
from bot.model.desired_config import ConfigText, DesiredConfig
from bot.model.entries import Article, ParseOutcome, PlacedEntry
from bot.model.evidence import Evidence
from bot.model.feeds import (
    Failure,
    FeedDue,
    FetchFailed,
    FetchOutcome,
    FetchRequest,
    SiteFeed,
)
from bot.model.gauges import Gauges
from bot.model.hubs import HubLink, HubSubscription
from bot.model.message import Message
from bot.model.nodes import Asked, HandedOver, Node, NodeState, Sharing
from bot.model.pages import PageCommit, PageCounts, PageDue, PageOutcome
from bot.model.poll import ANY_SHARE, AffectedStories, FeedCommit, HostShare, KnownEntries, Lookup
from bot.model.retention import Obsolete, Retention, RetentionState
from bot.model.schedule import ChatSchedule, SchedulePlan
from bot.model.sources import PageProposal, Source
from bot.model.status import FeedList, FeedQuestion, Status
from bot.model.stories import Grouping, Merge, Report, StoredFeatures, StoryIds
from bot.model.web import WebToken, WebTokenKind


class Clock(Protocol):
    """Time, so that a demo or a test may run it faster."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC; it may be wrong, and may be set meanwhile."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment, which pass evenly whatever `now` does."""
        ...

    async def sleep(self, span: timedelta) -> None:
        """Wait for `span` on this clock."""
        ...


class Fetcher(Protocol):
    """One conditional GET. Raises nothing: a failure is an outcome."""

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Fetch within the deadline and the limits."""
        ...


class Caller(Protocol):
    """Calls an address, to say something. Raises nothing: a failure is an outcome."""

    async def call(
        self, url: str, body: str | None = None, form: Mapping[str, str] | None = None
    ) -> FetchFailed | None:
        """GET the address, or POST this to it, within the deadline; None where it was taken."""
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
        source: Source | None = None,
    ) -> ParseOutcome:
        """Return the new or changed entries of a document; `source` says where it is no feed."""
        ...


@typing.runtime_checkable
class ServiceCheck(Protocol):
    """A channel whose service can be asked whether it works, without sending anything."""

    async def check(self) -> SendOutcome | None:
        """Return what is wrong with the service; None where it answers."""
        ...


class Channel(Protocol):
    """A way to a chat. Raises nothing: a failed send is an outcome."""

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Send the message, or edit the message that `delivery.message_id` names."""
        ...


class Members(Protocol):
    """Who administers a chat, according to Telegram.

    Where Telegram refuses to tell about a chat, nobody administers it. Where Telegram cannot be
    reached, its library's error is raised; the update is then processed again later.
    """

    async def is_admin(self, address: int, user_id: int) -> bool:
        """Return whether the person is an owner or administrator of the chat."""
        ...

    async def is_member(self, address: int, user_id: int) -> bool:
        """Return whether the person is in the chat."""
        ...

    async def link(self, word: str) -> str:
        """Return the address that opens the bot with this word."""
        ...

    async def channel(self, name: str, user_id: int) -> tuple[int, str] | None:
        """Return address and title of a channel, looked up by its name or number.

        None unless the person administers it and the bot may post there.
        """
        ...


class Sites(Protocol):
    """Finds the feeds of a site. Raises AddressError with a sentence for the person."""

    async def feeds_at(
        self, url: str, may_ask: Callable[[str], bool] = lambda _: True
    ) -> list[SiteFeed]:
        """Return the feed at this address, or those that the page links to; at least one."""
        ...


class Archive(Protocol):
    """Stored entries to search. Reads only, in the caller's thread."""

    def languages(self) -> frozenset[str]:
        """Return the languages of stored entries."""
        ...

    def begins(self) -> datetime | None:
        """Return when the oldest stored entry was first seen."""
        ...

    def count(self, expression: str, since: datetime | None) -> int:
        """Return how many entries a search has to look at."""
        ...

    def entries(
        self,
        expression: str,
        since: datetime | None,
        step: int = 1,
        grouping: Grouping = Grouping.NORMAL,
    ) -> Iterator[StoredEntry]:
        """Yield the entries that a search has to look at, newest first.

        With `step`, only those of every `step`-th story, at the level `grouping`. An empty
        expression selects all entries.
        """
        ...

    def members(self, grouping: Grouping, stories: Collection[int]) -> list[StoryMember]:
        """Return all entries of these stories, in the order in which they came."""
        ...

    def feed_pasts(self, since: datetime) -> list[FeedPast]:
        """Return what is known of the past of each feed that is polled, since then."""
        ...

    def arrivals(self, since: datetime) -> ArrivalFacts:
        """Return when entries came since then, those of first fetches aside."""
        ...


class AskedArchive(Protocol):
    """Stored entries that somebody asks for. Reads only, in the caller's thread."""

    def languages(self) -> frozenset[str]:
        """Return the languages of stored entries."""
        ...

    def with_keys(self, keys: AskedKeys, limit: int) -> list[FoundEntry]:
        """Return entries with any of these keys: what alerted the chat first, then the oldest."""
        ...

    def with_words(self, expression: str, limit: int) -> list[FoundEntry]:
        """Return the newest entries that the search index has under an expression.

        What is newer than the index is not among them.
        """
        ...

    def newest(self, count: int) -> list[FoundEntry]:
        """Return those of the last entries that may be read, newest first."""
        ...

    def with_link_of(self, entry_id: int, limit: int) -> list[FoundEntry]:
        """Return the entries with the link of an entry, in the order they were seen."""
        ...


class StoryArchive(Protocol):
    """Stored stories to show. Reads only, in the caller's thread."""

    def storyline(self, entry_id: int) -> list[StoryEntry]:
        """Return the entries of the storyline of an entry; empty where the entry is not known."""
        ...

    def evidence(self, entry_id: int) -> Evidence | None:
        """Return all that is stored of the storyline of an entry; None where it is not stored."""
        ...

    def facts(self, entry_id: int, now: datetime) -> EntryFacts | None:
        """Return an entry and what happened to it; None where it is not stored any more."""
        ...

    def feeds(self) -> list[FeedFact]:
        """Return the feeds that are polled."""
        ...

    def alerts_of(self, chat_id: int, limit: int) -> list[ChatAlert]:
        """Return the alerts of the newest stories of a chat, those that were withdrawn aside."""
        ...

    def document(self, feed_id: int, limit: int) -> list[StoredEntry]:
        """Return the first entries of what a feed last answered with, in its order."""
        ...

    def feed_list(self, question: FeedQuestion) -> FeedList:
        """Return the feeds that a page asks for, failing ones first."""
        ...

    def queued(self, chat_id: int) -> int:
        """Return how many deliveries of a chat are queued or being sent."""
        ...

    def whole_status(self) -> Status:
        """Return the state with all chats, without feeds."""
        ...


class FullArchive(Archive, AskedArchive, StoryArchive, Protocol):
    """All that can be read of stored entries and of the chats they were sent to."""

    def of_chat(self, chat_id: int | None, seconds: float) -> "FullArchive":
        """Return what a chat may see, to be read within so many seconds from now.

        None: all there is. Later, reading raises StoreTimeout.
        """
        ...

    def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions in force."""
        ...

    def known_subscriptions(self) -> list[KnownSubscription]:
        """Return the subscriptions that are not removed, those of the chat alone if it is one's."""
        ...

    def latest(self, limit: int, now: datetime) -> list[EntryFacts]:
        """Return the newest entries and what happened to them."""
        ...

    def selectors(self) -> set[str]:
        """Return what names feeds, polled or not: addresses, names and tags."""
        ...

    def chat_addresses(self) -> dict[int, ChatFact]:
        """Return name, address and settings of chats by id."""
        ...

    def chats(self) -> dict[int, tuple[str, str]]:
        """Return the names of chats by id, each with why it is paused, or nothing."""
        ...

    def added_feeds(self, chats: Collection[int]) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return address, name and tags of feeds these chats added and the file does not have."""
        ...


class PageParser(Protocol):
    """Reads pages of articles where they can do no harm. Raises nothing."""

    async def read_article(self, body: bytes, content_type: str) -> PageOutcome:
        """Return the text of an article's page, or why there is none."""
        ...

    async def propose(
        self, body: bytes, content_type: str, url: str, now: datetime
    ) -> tuple[PageProposal, ...]:
        """Return selectors for a page without a feed; none where it cannot be read."""
        ...


class PageStore(Protocol):
    """The pages of articles that are read for their text. Every method raises StoreError."""

    async def claim(self, now: datetime, limit: int) -> list[PageDue]:
        """Claim the next pages that are due."""
        ...

    async def current(self, due: PageDue) -> PageDue | None:
        """Return a claimed page with its entry as it is now; None where it does not wait."""
        ...

    async def commit(self, commit: PageCommit, now: datetime) -> bool:
        """Keep what came of a page; return whether it was still waiting."""
        ...

    async def try_again(self, entry_id: int, now: datetime) -> None:
        """Let a page of which nothing was asked wait for another try."""
        ...


class PollStore(Protocol):
    """What polling needs of the store."""

    async def claim_feeds(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
        in_flight: Collection[int] = (),
        share: HostShare = ANY_SHARE,
    ) -> list[FeedDue]:
        """Lease feeds that are due and whose host is not parked; `in_flight` are left out.

        Each comes with a new lease token, which ends earlier claims of the feed. A host gets no
        more than its share.
        """
        ...

    async def is_overdue(self, now: datetime) -> bool:
        """Whether a feed could have been polled minutes ago."""
        ...

    async def release_feeds(self, ids: Collection[int] | None = None) -> None:
        """Give up the leases of these feeds.

        Without ids, all of them: at start-up they belong to a process that has ended.
        """
        ...

    async def take_back(self, claimed: Collection[int]) -> int:
        """Free what this node claimed without knowing it; return how many feeds.

        `claimed` are those that it knows of.
        """
        ...

    async def make_due(self, now: datetime) -> None:
        """Make every feed due whose host is not parked."""
        ...

    async def retry_feeds(
        self, ids: Collection[int], now: datetime, *, ask_hosts: bool = False
    ) -> int:
        """Make these feeds due; with `ask_hosts` also where their host asked for a pause."""
        ...

    async def hurry(self, failures: Collection[Failure], now: datetime, share: float) -> int:
        """Make feeds due that failed like this, if at least `share` of all did; return how many."""
        ...

    async def lookup(self, lookups: Sequence[Lookup]) -> dict[int, KnownEntries]:
        """Return known entries by feed id. The ids handed out never overlap."""
        ...

    async def window(
        self, since: datetime, until: datetime, after: int, limit: int
    ) -> list[tuple[Report | StoredFeatures, StoryIds]]:
        """Return entries seen in this span with their stories, by id, starting behind `after`.

        Those that came after its first entry while the clock was wrong are among them. The words
        are those that grouping first looked at.
        """
        ...

    async def merges(self, first: int) -> list[Merge]:
        """Return the merges of stories and storylines with this number or a higher one."""
        ...

    async def stories(self, affected: AffectedStories, now: datetime) -> StoryState:
        """Return alerts, origins and stances of these stories."""
        ...

    async def commit(
        self,
        commits: Sequence[FeedCommit],
        now: datetime,
        merges: Sequence[Merge] = (),
        taken: Collection[int] = (),
    ) -> frozenset[int]:
        """Keep what several polls brought, in one transaction.

        `taken`: the polls among them that other nodes handed over; they wait no longer then.

        Return the feeds that another poll claimed meanwhile (normally none). If there are any,
        nothing was kept: the other polls have to be decided again without them.
        """
        ...

    async def release_pending(self, now: datetime) -> int:
        """Queue the alerts whose wait for further publishers is over; return how many."""
        ...

    async def unsent_matches(
        self, subscriptions: Collection[int], now: datetime
    ) -> list[UnsentMatch]:
        """Return what these subscriptions want of the alerts that nobody has seen."""
        ...

    async def withdraw_matches(self, matches: Sequence[UnsentMatch], now: datetime) -> None:
        """Let subscriptions no longer want these alerts; what nobody wants is not sent."""
        ...

    async def entries_since(self, since: datetime) -> list[tuple[FeedDue, list[PlacedEntry]]]:
        """Return the entries seen since then by feed, in order of id; the newest where many."""
        ...

    async def insert_alerts(
        self, alerts: Sequence[AlertIntent], records: Sequence[MatchRecord], now: datetime
    ) -> int:
        """Keep and queue alerts of stored entries; return how many the chats did not have.

        `records` are what was decided about the matches of these entries.
        """
        ...

    async def groupings(self) -> dict[int, Grouping]:
        """Return the chats that chose a grouping of their own."""
        ...

    async def developments(self) -> dict[int, Developments]:
        """Return how chats that chose it hear of developments."""
        ...

    async def updates(self) -> dict[int, Updates]:
        """Return how chats that chose it hear of changes of what they were alerted of."""
        ...

    async def languages(self) -> frozenset[str]:
        """Return the languages of all entries that were ever kept."""
        ...

    async def recent(self, limit: int) -> list[Article]:
        """Return the newest entries, headline and language only."""
        ...

    async def subscriptions(self, chat_id: int | None = None) -> list[Subscription]:
        """Return the subscriptions in force, or those of one chat; each with all its chats."""
        ...


class DeliveryStore(Protocol):
    """What delivering needs of the store."""

    async def in_flight(self) -> list[Delivery]:
        """Return deliveries marked as being sent: at start-up, by a process that has ended."""
        ...

    async def waiting(
        self, now: datetime, limit: int, busy: Collection[int], *, unpaced: bool = False
    ) -> list[Waiting]:
        """Return chats with something to send, urgent first, then the longest unserved.

        `busy` are chat ids to leave out; `unpaced`: only chats that no rate limit holds for.
        """
        ...

    async def claim_deliveries(
        self, now: datetime, chat_ids: Sequence[int], merge_from: int
    ) -> list[Delivery]:
        """Mark the next delivery of each chat as being sent and return it.

        Where `merge_from` alerts wait or more, they become one delivery.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """Keep the results of deliveries."""
        ...

    async def is_overdue(self, now: datetime) -> bool:
        """Whether a delivery could have gone out minutes ago."""
        ...

    async def next_wait(self, now: datetime) -> datetime | None:
        """Return when the next parked or quiet chat with something to send may be tried."""
        ...

    async def schedules_due(
        self, now: datetime, skip: Collection[int] = (), only: int | None = None
    ) -> list[ChatSchedule]:
        """Return chats whose quiet hours or digests have to be looked at.

        Without the chats `skip`, or `only` this chat.
        """
        ...

    async def chats_due(self, now: datetime, skip: Collection[int]) -> list[int]:
        """Return the ids of these chats; reads nothing else of them."""
        ...

    async def apply_schedules(self, plans: Sequence[SchedulePlan], now: datetime) -> None:
        """Keep whether chats are quiet, and gather what waits there into one message."""
        ...

    async def take_back(self, busy: Collection[int]) -> int:
        """Queue what was claimed and never begun; return how many. `busy`: chats being sent to."""
        ...

    async def requeue_in_flight(self, reason: str, now: datetime) -> int:
        """Queue what is marked as being sent, as what may have arrived; return how many.

        Reads nothing of it.
        """
        ...

    async def drop_late_answers(self, created_before: datetime, now: datetime) -> int:
        """Drop answers that have waited in busy groups since before; return how many."""
        ...

    async def put_aside(self, chat_id: int, reason: str, now: datetime) -> None:
        """Make the next delivery of a chat a dead letter; reads nothing of it."""
        ...

    async def outage(self) -> Outage | None:
        """Return since when the service takes nothing, as last kept."""
        ...

    async def keep_outage(
        self, outage: Outage | None, notice: NoticeIntent | None, now: datetime
    ) -> None:
        """Keep whether the service takes nothing, and queue a notice about it."""
        ...

    async def notify(self, notice: NoticeIntent, now: datetime) -> None:
        """Queue a notice to the operator."""
        ...

    async def recent_sends(self, since: datetime, now: datetime) -> list[tuple[int, datetime]]:
        """Return address and time of sends until `now`, so that rate limits survive a restart."""
        ...


class ChatStore(Protocol):
    """What the chat layer needs of the store."""

    async def chat_at(self, address: int, topic: int) -> Chat | None:
        """Return the chat at this address, if any is known."""
        ...

    async def chat(self, number: int) -> Chat | None:
        """Return a chat by its number."""
        ...

    async def person(self, user_id: int) -> Person:
        """Return what is known of a person; a stranger where nothing is."""
        ...

    async def people(self) -> list[Person]:
        """Return everybody who is known, operators first."""
        ...

    async def is_declared(self, address: int) -> bool:
        """Return whether feeds.yaml names a person or chat."""
        ...

    async def has_admin(self) -> bool:
        """Return whether anyone is an operator."""
        ...

    async def access_requests(self) -> list[Chat]:
        """Return chats that wrote to the bot and are not allowed, the newest first."""
        ...

    async def operator_chats(self) -> list[Chat]:
        """Return the private chats of operators that get notices."""
        ...

    async def linked_channels(self, user_id: int) -> list[Chat]:
        """Return the channels that a person linked."""
        ...

    async def subscriptions_of(self, chat_id: int) -> list[tuple[Subscription, bool]]:
        """Return the chat's subscriptions, each with whether the configuration declares it."""
        ...

    async def removed_subscription(self, chat_id: int, number: int) -> Subscription | None:
        """Return a subscription that the chat removed."""
        ...

    async def feeds_of(self, chat_id: int) -> list[OwnFeed]:
        """Return the feeds that a chat's subscriptions look at."""
        ...

    async def new_hosts(self, user_id: int, since: datetime) -> int:
        """Return how many hosts that nobody had before the person added since then."""
        ...

    async def alert_of(self, chat_id: int, message_id: int) -> AlertedStory | None:
        """Return the story of an alert's message; the first where the message has several."""
        ...

    async def alert_of_story(self, chat_id: int, story_id: int) -> AlertedStory | None:
        """Return the alert of a story, whatever it became part of; None where there is none."""
        ...

    async def change_story(
        self, chat_id: int, change: SetStance | AssignStory, now: datetime
    ) -> None:
        """Apply what somebody decided about a story for a chat that has no buttons."""
        ...

    async def pending_query(self, chat_id: int, now: datetime) -> str:
        """Return the query that the chat has still to confirm; empty for none."""
        ...

    async def screen(self, chat_id: int, number: int) -> Screen | None:
        """Return the state of a message with buttons."""
        ...

    async def expecting(
        self, chat_id: int, user_id: int, now: datetime, reply_to: int | None = None
    ) -> Screen | None:
        """Return the newest screen that expects input of this person.

        With `reply_to`, only where that message is a reply of the bot.
        """
        ...

    async def expecting_at(self, chat_id: int, message_id: int, now: datetime) -> Screen | None:
        """Return the screen of this message, whoever opened it, where it expects input."""
        ...

    async def recent_alerts(self, chat_id: int, limit: int) -> list[tuple[int, str]]:
        """Return message and headline of the newest alerts that have a message of their own."""
        ...

    async def busy_screens(self) -> list[tuple[int, int, Screen]]:
        """Return chat, person and screen of tasks that newsbell had not finished when it ended."""
        ...

    async def token(
        self, token: str, now: datetime
    ) -> tuple[TokenPurpose, Mapping[str, Any]] | None:
        """Return purpose and values of a link; None where it is unknown, used or expired."""
        ...

    async def make_claim(self, token: str, expires_at: datetime) -> None:
        """Store the claim token; earlier ones become invalid."""
        ...

    async def forecast_results(self, chat_id: int, since: datetime) -> Mapping[int, ForecastResult]:
        """Return by subscription what was forecast before then, and what came since."""
        ...

    async def ratings(self, chat_id: int, since: datetime) -> Mapping[int, tuple[int, int]]:
        """Return by subscription how many ratings of its alerts were good, and how many bad."""
        ...

    async def last_update(self) -> int:
        """Return the number of the last handled update; 0 for none."""
        ...

    async def answer(self, handled: HandledUpdate, now: datetime) -> bool:
        """Keep changes, reply and number of an update together; False where it was known."""
        ...

    async def finish_work(self, handled: HandledUpdate, screen: Screen, now: datetime) -> None:
        """Keep what a postponed update led to, and forget the screen that stood for it."""
        ...

    async def finish(
        self, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
    ) -> None:
        """Keep the result of a screen's task: its changes, and what its message shows now."""
        ...


class ConfigStore(Protocol):
    """What the configuration needs of the store."""

    async def sync(
        self, declared: DesiredConfig, now: datetime, source: ConfigText | None = None
    ) -> list[str]:
        """Make the store hold what is declared, in one transaction; return the changes in words.

        `source` is the text that declares it, kept as that of the last good configuration.
        """
        ...


class AdminStore(Protocol):
    """What operators need of the store."""

    async def status(self, *, brief: bool = False) -> Status:
        """Return the state; in brief, only chats with waiting deliveries, and no counts."""
        ...

    async def unread_feeds(self, now: datetime) -> int:
        """Return how many feeds are due of which nothing was ever read."""
        ...

    async def outbox(
        self, now: datetime, states: Collection[DeliveryState] | None = None
    ) -> list[OutboxRow]:
        """Return deliveries in these states (default: all unfinished), oldest first."""
        ...

    async def retry(self, ids: Sequence[int]) -> int:
        """Queue failed deliveries again (all dead ones where `ids` is empty); return how many."""
        ...

    async def drop(self, ids: Sequence[int], now: datetime) -> int:
        """Give up deliveries (all dead ones where `ids` is empty); return how many."""
        ...

    async def notify(self, notice: NoticeIntent, now: datetime) -> None:
        """Queue a notice to the operator."""
        ...

    async def clock_seen(self) -> datetime | None:
        """Return the last time that newsbell is known to have run; None before the first."""
        ...

    async def clock_set_at(self) -> datetime | None:
        """Return when the clock was last found to have been set; None for never."""
        ...

    async def is_clock_behind(self, step: ClockStep) -> bool:
        """Whether the clock is behind; otherwise it was ahead before it was set back."""
        ...

    async def note_time(self, now: datetime) -> None:
        """Keep that newsbell runs at this time."""
        ...

    async def correct_moments(
        self, step: ClockStep, notice: NoticeIntent | None = None, *, is_set: bool = False
    ) -> int:
        """Correct stored moments where the clock was set; return how many waited too long.

        `is_set` keeps that it was, so that nothing is deleted for its age for a while.
        """
        ...

    async def prune(self, now: datetime, retention: Retention = ...) -> int:
        """Delete what is obsolete, in small transactions; return how many rows were deleted."""
        ...

    async def forget(self, address: int, now: datetime) -> int:
        """Delete all that names a person or chat; return how many there were, 0 for none.

        Nothing happens where feeds.yaml names them.
        """
        ...

    async def retention(self) -> RetentionState:
        """Return what clean-ups keep to."""
        ...

    async def keep_retention(
        self, state: RetentionState, now: datetime, notice: NoticeIntent | None = None
    ) -> None:
        """Keep what clean-ups keep to, and queue a notice about it."""
        ...

    async def checked_at(self) -> datetime | None:
        """Return when all of the database was last checked."""
        ...

    async def note_check(self, now: datetime) -> None:
        """Keep that all of the database was checked."""
        ...

    async def cleaned_at(self) -> datetime | None:
        """Return when `prune` last went through to its end."""
        ...


class StatusReader(Protocol):
    """Status and outbox of a database that another process may have open. Reads only."""

    def status(self) -> Status:
        """Return the state, as `AdminStore.status` does."""
        ...

    def gauges(self, now: datetime) -> Gauges:
        """Return the sizes of what is stored. Raises StoreError."""
        ...

    def bytes(self) -> int:
        """Return how large all of the database is. Raises StoreError."""
        ...

    def sharing(self) -> Sharing:
        """Return the nodes, and what waits between them. Raises StoreError."""
        ...

    def clock_seen(self) -> datetime | None:
        """Return the last time that newsbell is known to have run. Raises StoreError."""
        ...

    def pages(self, since: datetime) -> PageCounts:
        """Return how many pages of articles wait, and what became of those since then.

        Raises StoreError.
        """
        ...

    def stored_about(self, text: str) -> list[StoredAbout]:
        """Return the people and chats of this number or name. Raises StoreError."""
        ...

    def retention(self) -> RetentionState:
        """Return what clean-ups keep to. Raises StoreError."""
        ...

    def obsolete(self, wanted: Retention, used: Retention, now: datetime) -> Obsolete:
        """Return how much a clean-up would delete that one by `used` would not.

        Raises StoreError.
        """
        ...

    def kept_config(self) -> ConfigText | None:
        """Return the text of the last good configuration. Raises StoreError."""
        ...

    def outbox(
        self, now: datetime, states: Collection[DeliveryState] | None = None
    ) -> list[OutboxRow]:
        """Return deliveries, as `AdminStore.outbox` does."""
        ...


class SearchStore(Protocol):
    """The writing side of the search."""

    async def fill(self, now: datetime) -> int:
        """Add the next batch of entries to the search index; return how many.

        An entry that changed is added again when it has been as it is for a while.
        """
        ...

    async def merge(self) -> bool:
        """Merge some of the parts that the index consists of; return whether there may be more."""
        ...

    async def renew(self) -> bool:
        """Rebuild the search index where half of it is obsolete; return whether it was."""
        ...

    async def discard(self) -> bool:
        """Delete some of what a rebuilt index left; return whether there may be more."""
        ...


class NodeStore(Protocol):
    """What several machines on one database need of it."""

    async def beat(
        self, node: Node, *, leads: bool, now: Callable[[], datetime] | None = None
    ) -> NodeState:
        """Give a sign of life, by tables of this version; return what the database knows then.

        `now` is the clock of the node, by which it is compared with that of the server.
        """
        ...

    async def sign(self, node: Node) -> None:
        """Give a sign of life of a node that waits, by tables of another version."""
        ...

    async def leave(self, name: str) -> None:
        """Take a node out that ends, and free what it claimed."""
        ...

    async def nodes(self) -> list[NodeState]:
        """Return the nodes that gave a sign of life within a day, who leads first."""
        ...

    async def release_of_gone(self) -> int:
        """Free the feeds that nodes claimed which are gone; return how many."""
        ...

    async def hand_over(
        self, node: str, polls: Sequence[HandedOver], until: datetime | None = None
    ) -> int:
        """Keep polls for whoever decides what they mean; return how many wait now.

        Their feeds stay claimed `until` then: a poll that waits is not made again.
        """
        ...

    async def backlog(self) -> int:
        """Return how many polls wait for whoever decides what they mean."""
        ...

    async def handed_over(self, after: int, limit: int) -> list[HandedOver]:
        """Return polls that wait, in the order in which they came, behind the one of this id."""
        ...

    async def tell(self, what: str) -> None:
        """Tell all nodes that listen; `News` says of what."""
        ...

    async def listen(self, told: Callable[[str], None]) -> None:
        """Call `told` with the `News` of other nodes, until cancelled; with "" when it begins.

        Raises StoreError where the connection ends.
        """
        ...

    async def give_back(self, ids: Collection[int]) -> None:
        """Take polls out that another version made, and let their feeds be polled again."""
        ...

    async def drop(self, ids: Collection[int]) -> None:
        """Take polls out that mean nothing any more."""
        ...


class RequestStore(Protocol):
    """Requests of other machines to the one that leads."""

    async def ask(self, node: str, asked: str) -> int:
        """Keep a request for the one that leads, and tell it; return its number."""
        ...

    async def answer_to(self, number: int) -> str | None:
        """Return the answer to a request, which is forgotten then; None where there is none yet."""
        ...

    async def withdraw(self, number: int) -> bool:
        """Take a request back; False where somebody has taken it."""
        ...

    async def take(self) -> Asked | None:
        """Take the next request that somebody waits for; None where there is none."""
        ...

    async def answer(self, number: int, text: str) -> None:
        """Keep the answer to a request."""
        ...

    async def answer_undecided(self, text: str) -> int:
        """Answer requests that were taken by who ended meanwhile; return how many."""
        ...


class StoreFiles(Protocol):
    """The files of the database."""

    def missing(self) -> Path | None:
        """Return the file that was deleted or replaced since the database was opened."""
        ...

    def bytes(self) -> int:
        """Return how large the files are; 0 where they are gone, or are a server's."""
        ...

    async def checkpoint(self) -> None:
        """Move what was written last into the database's file, unless somebody reads it."""
        ...

    def find_damage(self) -> str:
        """Check all of the database and return what is damaged; takes minutes. For a thread."""
        ...

    def stop_check(self) -> None:
        """End a check that is under way."""
        ...


class WebStore(Protocol):
    """The secret words of the web page. Of a word only its hash is stored."""

    async def token(self, kind: WebTokenKind, word: str, now: datetime) -> WebToken | None:
        """Return what a word opens; None where it is unknown, used, revoked or expired."""
        ...

    async def make_link(self, word: str | bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a link of the command line: it opens the page for the operator."""
        ...

    async def open_session(
        self, link: str, session: str, now: datetime, expires_at: datetime
    ) -> bool:
        """Use a link, and keep a session in its place; False where the link is not good."""
        ...

    async def chats_of(self, user_id: int) -> list[Chat]:
        """Return the groups in which a person asked for the page, those that are allowed."""
        ...

    async def end_session(self, word: str) -> None:
        """Forget a session."""
        ...

    async def revoke_all(self) -> int:
        """End all sessions, links and links to stories; return how many sessions and links."""
        ...

    async def make_feed(self, chat_id: int, user_id: int, word: str | bytes, now: datetime) -> None:
        """Let a word open the alerts of a chat; an earlier one opens them no more."""
        ...

    async def revoke_feed(self, chat_id: int) -> bool:
        """Let no word open the alerts of a chat; False where none did."""
        ...

    async def feed_made_at(self, chat_id: int) -> datetime | None:
        """Return when the word was made that opens the alerts of a chat; None for none."""
        ...

    async def key(self) -> bytes:
        """Return the key by which links to stories are signed; the first call makes it."""
        ...


class HubStore(Protocol):
    """What is agreed with hubs that tell of news of feeds."""

    async def note(self, links: Mapping[int, HubLink], now: datetime) -> None:
        """Keep which hubs feeds name now; with another one everything begins anew."""
        ...

    async def due(self, now: datetime, limit: int) -> list[HubSubscription]:
        """Return with which hubs to agree now, or again."""
        ...

    async def asked(self, feed_id: int, next_at: datetime) -> None:
        """Keep that a hub was asked, and when it is asked again unless it agrees."""
        ...

    async def subscription(self, feed_id: int) -> HubSubscription | None:
        """Return what is agreed with a feed's hub, or wanted; None where nothing is."""
        ...

    async def agreed(self, feed_id: int, until: datetime, next_at: datetime) -> None:
        """Keep until when a hub tells of news, and when to agree again."""
        ...

    async def told(self, feed_id: int, now: datetime) -> bool:
        """Make the feed due now; False where it was told of moments ago, or is not polled."""
        ...


class Store(Protocol):
    """The whole store, by what uses it."""

    @property
    def nodes(self) -> NodeStore:
        """What several machines on one database need."""
        ...

    @property
    def requests(self) -> RequestStore:
        """What other machines ask for."""
        ...

    @property
    def hubs(self) -> HubStore:
        """What polling by hubs needs."""
        ...

    @property
    def files(self) -> StoreFiles:
        """The files of the database."""
        ...

    @property
    def polls(self) -> PollStore:
        """What polling needs."""
        ...

    @property
    def pages(self) -> PageStore:
        """What reading the pages of articles needs."""
        ...

    @property
    def deliveries(self) -> DeliveryStore:
        """What delivering needs."""
        ...

    @property
    def chats(self) -> ChatStore:
        """What the chat layer needs."""
        ...

    @property
    def config(self) -> ConfigStore:
        """What the configuration needs."""
        ...

    @property
    def admin(self) -> AdminStore:
        """What operators need."""
        ...

    @property
    def search(self) -> SearchStore:
        """The writing side of the search."""
        ...

    @property
    def web(self) -> WebStore:
        """What opens the web page."""
        ...

    @property
    def archive(self) -> FullArchive:
        """The reading side, for other threads."""
        ...
