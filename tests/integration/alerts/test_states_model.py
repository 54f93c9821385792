"""A model of subscriptions, stances, chats and feeds.yaml against the real store and deliverer.

The model knows only what a person would expect: which stories a chat should still get, by whose
subscriptions. After each step it is compared with what waits, at each send with what is sent, and
at the end, when all hours have passed, with what was ever sent.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sampling import SOAK
from support import NOON, ManualClock, prepare_database
from telegram_harness import FEED

from bot.alerts.decide import AlertRules
from bot.delivery.deliverer import Deliverer
from bot.feeds.batch import decide_commits
from bot.feeds.poll_result import PollDecision
from bot.i18n.catalog import Catalogs, Translator
from bot.model.alerts import PRIORITIES, BundleKind, Priority, Stance
from bot.model.chat_events import (
    AddSubscription,
    Change,
    EditSubscription,
    RemoveSubscription,
    Reply,
    Screen,
    SetSettings,
    SetStance,
)
from bot.model.chats import (
    AlertOptions,
    ChatKind,
    ChatSettings,
    DeclaredChat,
    DeclaredSubscription,
    Urgency,
)
from bot.model.delivery import Delivery, DeliveryKind, NotSent, SendOutcome, Sent
from bot.model.desired_config import DesiredConfig
from bot.model.entries import EntryKeys, NewEntry, PlacedEntry
from bot.model.feeds import DeclaredFeed, FeedDue, FeedState
from bot.model.message import Message
from bot.model.poll import FeedCommit, Lookup
from bot.model.stories import Grouping, Placement, StoryIds
from bot.query.index import Index
from bot.service.subscriptions import LiveSubscriptions
from bot.store.stores import SqliteStore
from bot.stories.assign import Merges

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LONGEST = 40 * HOUR  #: of one run: what waited longer than two days need not come back
#: after which all was sent: a wait for publishers, the next digest, quiet hours
HOURS_TO_DRAIN = 5 + 24 + 9 + 1
WORDS = ("zebra", "lion")
ADDRESSES = (7, 8, -10)
FEED_NAME = "Invented Wire"
T = TypeVar("T")

options = st.builds(
    lambda urgency, publishers, wait, again: AlertOptions(
        urgency,
        publishers,
        HOUR * wait if wait and publishers > 1 else None,
        publishers + 1 if again else 0,
    ),
    st.sampled_from(Urgency),
    st.sampled_from((1, 1, 2, 3)),
    st.sampled_from((0, 0, 1, 5)),
    st.booleans(),
)
words = st.sampled_from((*WORDS, "@animals"))
addresses = st.sampled_from(ADDRESSES)
feeds = st.sampled_from(((), (FEED_NAME,), ("Coastal Post",)))


@dataclass
class Wish:
    """A subscription as people think of it."""

    word: str
    options: AlertOptions
    chats: set[int]
    feeds: tuple[str, ...] = ()
    declared: str = ""  #: its name in the file
    paused: bool = False
    removed: bool = False

    @property
    def in_force(self) -> bool:
        return not self.paused and not self.removed


@dataclass
class Story:
    """What came of one event."""

    storyline: int
    words: set[str] = field(default_factory=set)
    origins: set[str] = field(default_factory=set)


@dataclass
class Expected:
    """An alert that a chat should get, or got."""

    wishes: dict[int, datetime] = field(default_factory=dict)  #: since when they match
    by_follow: bool = False  #: it comes because the chat follows the storyline
    sent: bool = False


class OpenConfig:
    """What the subscriptions need of the configuration."""

    def __init__(self) -> None:
        self.lists: dict[str, tuple[str, ...]] = {"animals": ("zebra",)}

    @property
    def settings(self) -> Any:
        return self

    stories = "normal"

    def names(self) -> dict[str, tuple[str, ...]]:
        return self.lists


class Phone:
    """A channel that asks the model about each alert, and answers as it was told."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        if self._world.failures > 0:
            self._world.failures -= 1
            return NotSent("the service is busy", 30 * SECOND)
        try:
            self._world.note_sent(delivery)
        except AssertionError as error:  # the deliverer would go on
            self._world.faults.append(str(error))
        return Sent(delivery.message_id or delivery.id)


class World(RuleBasedStateMachine):
    """The real parts, and the model beside them."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = TemporaryDirectory()
        self._stack = AsyncExitStack()
        self.clock, self.live = ManualClock(), OpenConfig()
        self.failures = 0
        self.faults: list[str] = []
        self.file_chats: set[int] = set(ADDRESSES)
        self.settings: dict[int, ChatSettings] = {}
        self.closed: set[int] = set()
        self.wishes: dict[int, Wish] = {}
        self.stories: dict[int, Story] = {}
        self.stances: dict[tuple[int, int], Stance] = {}
        self.alerts: dict[tuple[int, int], Expected] = {}
        self.seconds: set[tuple[int, int]] = set()
        self.flying: Delivery | None = None
        self.names = 0
        self.chat_ids: dict[int, int] = {}
        self.draining = False

    # The real parts

    def run(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self._loop.run_until_complete(run())

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.run(self._open())
        self.run(self._sync())
        for address in ADDRESSES:
            for word in WORDS:
                self._subscribe(address, word, data.draw(options))

    async def _open(self) -> None:
        path = Path(self._folder.name) / "newsbell.db"
        prepare_database(path)
        store = SqliteStore(path)
        self.store = await self._stack.enter_async_context(store)
        index = Index(self.live.names())
        live = cast("Any", self.live)
        self.subscriptions = LiveSubscriptions(store, index, live, self.clock)
        self.deliverer = Deliverer(
            store.deliveries,
            {ChatKind.TELEGRAM: Phone(self)},
            self.clock,
            lambda _: Translator(ZoneInfo("UTC"), Catalogs().of("en")),
            lambda _: None,
        )
        await self.deliverer.recover()
        await self.subscriptions.refresh()

    async def _sync(self) -> None:
        """Take in feeds.yaml as the model has it."""
        declared = tuple(
            DeclaredSubscription(
                wish.declared,
                wish.word,
                wish.feeds,
                tuple(str(address) for address in sorted(wish.chats)),
                wish.options,
            )
            for wish in self.wishes.values()
            if wish.declared and not wish.removed
        )
        chats = [
            DeclaredChat(str(address), ChatKind.TELEGRAM, address)
            for address in sorted(self.file_chats)
        ]
        feed = DeclaredFeed(FEED, FEED_NAME, FEED_NAME, (), None)
        await self.store.config.sync(
            DesiredConfig((feed,), tuple(chats), declared), self.clock.now()
        )
        await self.subscriptions.refresh()
        rows = await self.rows("select address, id from chats where kind = 'telegram'")
        self.chat_ids = dict(rows)

    async def rows(self, statement: str, *values: Any) -> list[Any]:
        return await self.store._writer.run(
            "look", lambda db: [tuple(row) for row in db.execute(statement, values).fetchall()]
        )

    def change(self, address: int, *changes: Change) -> None:
        number = self.chat_ids[address]
        screen, reply = Screen("test"), Reply(changes=changes)

        async def work() -> None:
            await self.store.chats.finish(number, address, screen, reply, self.clock.now())
            await self.subscriptions.refresh(number)

        self.run(work())

    # What a person expects

    def members(self, word: str) -> set[str]:
        return set(self.live.lists["animals"]) if word == "@animals" else {word}

    def matches(self, wish: Wish, story_words: set[str]) -> bool:
        in_feeds = not wish.feeds or FEED_NAME in wish.feeds
        return in_feeds and bool(self.members(wish.word) & story_words)

    def claims(self, key: tuple[int, int]) -> list[tuple[Wish, datetime]]:
        address, _ = key
        return [
            (wish, since)
            for number, since in self.alerts[key].wishes.items()
            if (wish := self.wishes[number]).in_force and address in wish.chats
        ]

    def ready(self, key: tuple[int, int]) -> list[Wish]:
        """The subscriptions because of which an alert may go out."""
        count = len(self.stories[key[1]].origins)
        return [
            wish
            for wish, since in self.claims(key)
            if wish.options.publishers <= count
            or (wish.options.or_after and since + wish.options.or_after <= self.clock.now())
        ]

    def muted(self, key: tuple[int, int]) -> bool:
        stance = self.stances.get((key[0], self.stories[key[1]].storyline))
        return stance is Stance.MUTE

    def in_flight(self) -> set[tuple[int, int]]:
        """The alerts that are being sent."""
        if self.flying is None or self.flying.kind is not DeliveryKind.ALERT:
            return set()
        return {(self.flying.chat.address, alert.story_id) for alert in self.flying.alerts}

    def should_go_out(self, key: tuple[int, int]) -> bool:
        alert = self.alerts[key]
        return not self.muted(key) and (alert.by_follow or bool(self.ready(key)))

    def quiet(self, address: int) -> bool:
        begins, ends = self.settings.get(address, ChatSettings()).quiet or (0, 0)
        minute = self.clock.now().hour * 60 + self.clock.now().minute
        if begins < ends:
            return begins <= minute < ends
        return begins != ends and not ends <= minute < begins

    def note_sent(self, delivery: Delivery) -> None:
        address = delivery.chat.address
        if delivery.kind is DeliveryKind.AGAIN:
            [alert] = delivery.alerts
            key = (address, alert.story_id)
            count = len(self.stories[key[1]].origins)
            assert key not in self.seconds, "a second alert came twice"
            assert not self.muted(key), "a second alert of what is muted"
            if self.flying is None or self.flying.id != delivery.id:
                again = [wish.options.alert_again_at for wish, _ in self.claims(key)]
                assert any(0 < at <= count for at in again), "a second alert nobody wants"
            self.seconds.add(key)
        if delivery.kind is not DeliveryKind.ALERT:
            return
        for alert in delivery.alerts:
            key = (address, alert.story_id)
            expected = self.alerts[key]
            assert not expected.sent, "an alert came twice"
            expected.sent = True
            if self.flying is not None and self.flying.id == delivery.id:
                continue  # it was on its way when things changed
            assert self.should_go_out(key), "an alert that nobody wants"
            ready = self.ready(key)
            if self.quiet(address):
                assert any(wish.options.urgency is Urgency.BREAKING for wish in ready), (
                    "an alert in quiet hours"
                )
            if not expected.by_follow and all(
                wish.options.urgency is Urgency.DIGEST for wish in ready
            ):
                assert alert.form is BundleKind.DIGEST, "what is for the digest came alone"

    # Subscriptions in chats

    def own(self, address: int, *, removed: bool = False) -> list[int]:
        return [
            number
            for number, wish in self.wishes.items()
            if not wish.declared and address in wish.chats and wish.removed is removed
        ]

    def may_act(self, address: int) -> bool:
        return address in self.file_chats

    @rule(address=addresses, word=words, options=options)
    def subscribe(self, address: int, word: str, options: AlertOptions) -> None:
        if self.may_act(address) and len(self.own(address)) < 4:
            self._subscribe(address, word, options)

    def _subscribe(self, address: int, word: str, options: AlertOptions) -> None:
        self.change(address, AddSubscription(word, word, options))
        [(number,)] = self.run(self.rows("select max(id) from subscriptions"))
        self.wishes[number] = Wish(word, options, {address})

    @rule(address=addresses, data=st.data(), paused=st.booleans())
    def pause_or_resume(self, address: int, data: st.DataObject, paused: bool) -> None:
        with self._chosen(address, data) as number:
            if number is not None:
                self.wishes[number].paused = paused
                self.change(address, EditSubscription(number, paused=paused))

    @rule(address=addresses, data=st.data())
    def delete(self, address: int, data: st.DataObject) -> None:
        with self._chosen(address, data) as number:
            if number is not None:
                self.wishes[number].removed = True
                self.change(address, RemoveSubscription(number))

    @rule(address=addresses, data=st.data())
    def undo(self, address: int, data: st.DataObject) -> None:
        with self._chosen(address, data, removed=True) as number:
            if number is not None:
                self.wishes[number].removed = False
                self.change(address, RemoveSubscription(number, undo=True))

    @rule(address=addresses, data=st.data(), options=options)
    def choose_options(self, address: int, data: st.DataObject, options: AlertOptions) -> None:
        with self._chosen(address, data) as number:
            if number is not None:
                self.wishes[number].options = options
                self.change(address, EditSubscription(number, options=options))

    @rule(address=addresses, data=st.data(), word=words)
    def edit_query(self, address: int, data: st.DataObject, word: str) -> None:
        with self._chosen(address, data) as number:
            if number is not None:
                self._reword(number, word=word)
                self.change(address, EditSubscription(number, query=word, name=word))

    @rule(address=addresses, data=st.data(), feeds=feeds)
    def limit_feeds(self, address: int, data: st.DataObject, feeds: tuple[str, ...]) -> None:
        with self._chosen(address, data) as number:
            if number is not None:
                self._reword(number, feeds=feeds)
                self.change(address, EditSubscription(number, feeds=feeds))

    @contextmanager
    def _chosen(
        self, address: int, data: st.DataObject, *, removed: bool = False
    ) -> Iterator[int | None]:
        """A subscription of a chat, often with news that waits for it."""
        numbers = self.own(address, removed=removed) if self.may_act(address) else []
        if not numbers:
            yield None
            return
        number = data.draw(st.sampled_from(numbers))
        if data.draw(st.booleans()):
            word = min(self.members(self.wishes[number].word))
            self._news(word, data.draw(st.sampled_from("abcd")))
        yield number

    def _reword(self, number: int, **changes: Any) -> None:
        """A subscription reads otherwise: what waits for it has to match it still.

        What is on its way stays what it was sent for, also where it has to be sent again.
        """
        wish = self.wishes[number] = replace(self.wishes[number], **changes)
        flying = self.in_flight()
        for key, alert in self.alerts.items():
            still = wish.in_force and self.matches(wish, self.stories[key[1]].words)
            if not alert.sent and key not in flying and number in alert.wishes and not still:
                del alert.wishes[number]

    # Stances and settings

    @precondition(lambda self: self.stories)
    @rule(address=addresses, data=st.data(), stance=st.sampled_from((*Stance, None)))
    def take_a_stance(self, address: int, data: st.DataObject, stance: Stance | None) -> None:
        if not self.may_act(address):
            return
        story_id = data.draw(st.sampled_from(sorted(self.stories)))
        storyline = self.stories[story_id].storyline
        for key, alert in self.alerts.items():
            if key[0] == address and self.stories[key[1]].storyline == storyline:
                waits = not alert.sent and self.should_go_out(key)
                alert.by_follow = waits and stance is Stance.FOLLOW
        if stance is None:
            self.stances.pop((address, storyline), None)
        else:
            self.stances[address, storyline] = stance
        self.change(address, SetStance(storyline, stance))

    def _keep_followed(self) -> None:
        """What goes out in a storyline that a chat follows goes out because of that as well."""
        for key, alert in self.alerts.items():
            stance = self.stances.get((key[0], self.stories[key[1]].storyline))
            if stance is Stance.FOLLOW and not alert.sent and self.should_go_out(key):
                alert.by_follow = True

    @rule(address=addresses, hours=st.sampled_from((0, 2, 9)))
    def set_quiet_hours(self, address: int, hours: int) -> None:
        if self.may_act(address):
            begins = self.clock.now().hour * 60
            quiet = (begins, (begins + hours * 60) % 1440)
            self.settings[address] = ChatSettings(quiet=quiet)
            self.change(address, SetSettings(self.settings[address]))

    @rule(address=addresses, closed=st.booleans())
    def close_or_open(self, address: int, closed: bool) -> None:
        if self.may_act(address):
            self.closed = self.closed | {address} if closed else self.closed - {address}
            statement = "update chats set paused = ?, not_before = null where address = ?"
            self.run(self.rows(statement, "it was blocked" if closed else "", address))

    # feeds.yaml

    def declared(self) -> list[int]:
        return [
            number for number, wish in self.wishes.items() if wish.declared and not wish.removed
        ]

    @rule(word=words, options=options, to=st.sets(addresses, min_size=1))
    def declare(self, word: str, options: AlertOptions, to: set[int]) -> None:
        to &= self.file_chats
        if not to or len(self.declared()) >= 4:
            return
        self.names += 1
        name = f"rule {self.names}"
        self.wishes[-self.names] = Wish(word, options, to, declared=name)
        self.run(self._sync())
        [(number,)] = self.run(self.rows("select max(id) from subscriptions where name = ?", name))
        self.wishes[number] = self.wishes.pop(-self.names)

    @precondition(lambda self: self.declared())
    @rule(data=st.data(), options=options, renamed=st.booleans(), to=st.sets(addresses, min_size=1))
    def edit_the_file(
        self, data: st.DataObject, options: AlertOptions, renamed: bool, to: set[int]
    ) -> None:
        wish = self.wishes[data.draw(st.sampled_from(self.declared()))]
        wish.options = options
        wish.chats = to & self.file_chats or wish.chats
        if renamed:
            self.names += 1
            wish.declared = f"rule {self.names}"
        self.run(self._sync())

    @precondition(lambda self: self.declared())
    @rule(data=st.data(), word=words)
    def reword_in_the_file(self, data: st.DataObject, word: str) -> None:
        self._reword(data.draw(st.sampled_from(self.declared())), word=word)
        self.run(self._sync())

    @precondition(lambda self: self.declared())
    @rule(data=st.data())
    def take_out_of_the_file(self, data: st.DataObject) -> None:
        self.wishes[data.draw(st.sampled_from(self.declared()))].removed = True
        self.run(self._sync())

    @rule(data=st.data())
    def put_back_into_the_file(self, data: st.DataObject) -> None:
        gone = [
            number
            for number, wish in self.wishes.items()
            if wish.declared and wish.removed and wish.chats <= self.file_chats
        ]
        if gone:
            self.wishes[data.draw(st.sampled_from(gone))].removed = False
            self.run(self._sync())

    @rule(address=addresses)
    def take_a_chat_out_or_back(self, address: int) -> None:
        if address in self.file_chats:
            if len(self.file_chats) == 1:
                return
            self.file_chats.discard(address)
            for number in self.declared():
                wish = self.wishes[number]
                wish.removed = wish.chats == {address}
                if not wish.removed:
                    wish.chats = wish.chats - {address}
        else:
            self.file_chats.add(address)
        self.run(self._sync())

    @rule(members=st.sets(st.sampled_from(WORDS), min_size=1))
    def change_the_list(self, members: set[str]) -> None:
        before = self.members("@animals")
        self.live.lists = {"animals": tuple(sorted(members))}
        for number, wish in self.wishes.items():
            changed = wish.word == "@animals" and members != before
            if changed and wish.in_force and wish.chats & self.file_chats:
                self._reword(number)
        self.run(self._sync())

    # News

    @rule(
        data=st.data(),
        word=st.sampled_from(WORDS),
        origin=st.sampled_from("abcd"),
        continues=st.booleans(),
    )
    def something_happens(
        self, data: st.DataObject, word: str, origin: str, continues: bool
    ) -> None:
        storyline = 0
        if self.stories and continues:
            story = self.stories[data.draw(st.sampled_from(sorted(self.stories)))]
            storyline = story.storyline
        self._news(word, origin, 0, storyline)

    @precondition(lambda self: self.stories)
    @rule(data=st.data(), word=st.sampled_from(WORDS), origin=st.sampled_from("abcd"))
    def another_publisher_follows(self, data: st.DataObject, word: str, origin: str) -> None:
        story_id = data.draw(st.sampled_from(sorted(self.stories)))
        self._news(word, origin, story_id, self.stories[story_id].storyline)

    def _news(self, word: str, origin: str, story_id: int = 0, storyline: int = 0) -> None:
        number = self.run(self._commit(word, origin, story_id, storyline))
        story_id = story_id or number
        story = self.stories.setdefault(story_id, Story(storyline or number))
        story.words.add(word)
        story.origins.add(origin)
        for address in self.file_chats:
            self._expect(address, story_id, word)

    def _expect(self, address: int, story_id: int, word: str) -> None:
        key, stance = (
            (address, story_id),
            self.stances.get((address, self.stories[story_id].storyline)),
        )
        if stance is Stance.MUTE:
            return
        matched = [
            number
            for number, wish in self.wishes.items()
            if wish.in_force and address in wish.chats and self.matches(wish, {word})
        ]
        if not matched and stance is not Stance.FOLLOW and key not in self.alerts:
            return
        alert = self.alerts.setdefault(key, Expected())
        for number in matched:
            alert.wishes.setdefault(number, self.clock.now())
        if not alert.sent:
            alert.by_follow = alert.by_follow or stance is Stance.FOLLOW

    async def _commit(self, word: str, origin: str, story: int, storyline: int) -> int:
        now = self.clock.now()
        lookup = Lookup(1, (EntryKeys(b"", b"", b"\0"),))
        number = (await self.store.polls.lookup([lookup]))[1].next_id
        keys = EntryKeys(number.to_bytes(16, "big"), b"", word.encode()[:16])
        link = f"https://news.example/{number}"
        new = NewEntry(number, 1, keys, f"g{number}", link, word, "", "", "", now, None, now)
        ids = StoryIds(story or number, story or number, storyline or number)
        placed = PlacedEntry(new, Placement(number, ids), origin, origin)
        state = FeedState(next_poll_at=NOON + timedelta(days=365), baseline_at=NOON)
        feed = FeedDue(1, FEED, FEED_NAME, FEED_NAME, (), None, state)
        decision = PollDecision(feed, FeedCommit(1, state), placed=(placed,))
        rules = AlertRules(self.subscriptions.index, lambda _: Grouping.NORMAL, now)
        commits = await decide_commits(self.store.polls, [decision], Merges.of(()), rules)
        await self.store.polls.commit(commits, now, ())
        return number

    # Time and sending

    @rule(span=st.sampled_from((SECOND, HOUR, 3 * HOUR, 7 * HOUR)), sends=st.booleans())
    def time_passes(self, span: timedelta, sends: bool) -> None:
        if self.clock.now() + span < NOON + LONGEST:
            self.clock.advance(span)
        self.run(self.store.polls.release_pending(self.clock.now()))
        if sends:
            self.run(self._send())

    @rule(failures=st.integers(0, 3))
    def send(self, failures: int) -> None:
        self.failures = failures
        self.run(self._send())
        self.failures = 0

    async def _send(self) -> None:
        for _ in range(3):
            await self.deliverer.run_once(timedelta(0))
            self.clock.advance(2 * SECOND)
        await self.store.polls.release_pending(self.clock.now())

    @precondition(lambda self: self.flying is None)
    @rule(address=addresses)
    def begin_a_send(self, address: int) -> None:
        now, chat = self.clock.now(), self.chat_ids[address]
        if address in self.file_chats - self.closed:
            begun = self.run(self.store.deliveries.claim_deliveries(now, [chat], 1000))
            self.flying = begun[0] if begun else None

    @precondition(lambda self: self.flying is not None)
    @rule(arrives=st.booleans())
    def end_a_send(self, arrives: bool) -> None:
        assert self.flying is not None
        self.failures = 0 if arrives else 1
        flying = self.flying
        self.run(self.deliverer.deliver(flying))
        self.flying, self.failures = None, 0

    @precondition(lambda self: self.flying is None)
    @rule()
    def start_anew(self) -> None:
        async def work() -> None:
            await self._stack.aclose()
            await self._open()

        self.run(work())

    # What has to hold

    def _compare(self) -> None:
        assert not self.faults, self.faults
        rows = self.run(
            self.rows(
                "select address, story_id from outbox o join outbox_alerts b on b.outbox_id = o.id "
                "join chats c on c.id = o.chat_id where o.kind = 'alert' and state = 'queued'"
            )
        )
        waiting = set(rows)
        assert len(rows) == len(waiting), "an alert waits twice"
        flying = self.in_flight()
        expected = {
            key
            for key, alert in self.alerts.items()
            if not alert.sent and key not in flying and self.should_go_out(key)
        }
        assert waiting <= expected, f"nobody wants {waiting - expected}"
        forgotten = {key for key in expected - waiting if key[0] in self.file_chats}
        assert not forgotten, f"forgotten: {forgotten}"
        self._compare_urgency()

    def _compare_urgency(self) -> None:
        """What waits alone is as urgent as the most urgent of those because of which it may go.

        What is only in line outside of quiet hours need not become breaking with time.
        """
        rows = self.run(
            self.rows(
                "select address, story_id, priority from outbox o "
                "join outbox_alerts b on b.outbox_id = o.id join chats c on c.id = o.chat_id "
                "where o.kind = 'alert' and state = 'queued' and form = '' and o.doubts = 0"
            )
        )
        for address, story_id, priority in rows:
            key = (address, story_id)
            wanted = [PRIORITIES[wish.options.urgency] for wish in self.ready(key)]
            if not wanted or address not in self.file_chats or self.alerts[key].by_follow:
                continue
            in_line = {Priority.NORMAL} if min(wanted) is Priority.BREAKING else set()
            right = {min(wanted), *(set() if self.quiet(address) else in_line)}
            assert priority in right, f"{key}: {priority}, and not {right}"

    def check_invariants(self, *arguments: Any, **more: Any) -> None:
        super().check_invariants(*arguments, **more)
        if self.chat_ids:
            self.run(self.store.polls.release_pending(self.clock.now()))
            self.run(self.deliverer._apply_schedules(self.clock.now()))
            self._keep_followed()
            self._compare()

    def teardown(self) -> None:
        try:
            if self.chat_ids:
                self._drain()
        finally:
            self.run(self._stack.aclose())
            self._loop.close()
            self._folder.cleanup()

    def _drain(self) -> None:
        """All hours pass, and everybody listens."""
        if self.flying:
            self.end_a_send(arrives=True)
        for address in set(self.closed):
            self.close_or_open(address, closed=False)
        for _ in range(HOURS_TO_DRAIN):
            self.clock.advance(HOUR)
            self.run(self.store.polls.release_pending(self.clock.now()))
            self.run(self._send())
        missing = {
            key
            for key, alert in self.alerts.items()
            if key[0] in self.file_chats and not alert.sent and self.should_go_out(key)
        }
        assert not self.faults, self.faults
        assert not missing, f"never sent: {missing}"


def test_whatever_changes_the_chats_get_what_a_person_would_expect() -> None:
    run_state_machine_as_test(
        World,
        settings=settings(
            max_examples=2000 if SOAK else 4,
            stateful_step_count=60 if SOAK else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
