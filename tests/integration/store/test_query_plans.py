"""No statement of the store reads what grows with age: each plan is looked at on an old database.

Every method of the store is called once, and all that it has SQLite prepare is recorded. A test
sees to it that no statement is left out. The plans are those that every database has from its first
day on: they are made for the statistics of a newsroom's year, whatever the database holds.
"""

import ast
import asyncio
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer
from psycopg import errors
from support import NOON, changes

import bot.store
from bot.feeds.poll_schedule import OUTAGES
from bot.model.alerts import (
    AlertGrowth,
    AlertIntent,
    AlertRevision,
    AlertUpdate,
    BundleKind,
    Fate,
    MatchRecord,
    Priority,
    Stance,
)
from bot.model.archive import AskedKeys
from bot.model.chat_events import (
    AddFeeds,
    AddSubscription,
    AllowChat,
    AskConfirmation,
    AssignStory,
    Broadcast,
    Change,
    ChatUpdate,
    Command,
    EditSubscription,
    ExpectedInput,
    ForgetPerson,
    HandledUpdate,
    LinkChannel,
    ManageChat,
    Membership,
    RateAlert,
    RemoveFeed,
    RemoveSubscription,
    Reply,
    RetryDead,
    RetryFeeds,
    Role,
    Screen,
    SetFeedText,
    SetGrouping,
    SetPaused,
    SetRole,
    SetSettings,
    SetStance,
    ShowChatOnWeb,
    StoreToken,
    StoreWebLink,
    Tell,
    UseToken,
)
from bot.model.chats import (
    AlertOptions,
    ChatKind,
    ChatSettings,
    DeclaredChat,
    DeclaredSubscription,
    Updates,
    Urgency,
)
from bot.model.clock import ClockStep
from bot.model.delivery import (
    Delivery,
    DeliveryState,
    NoticeIntent,
    NoticeKind,
    Outage,
    ServiceFault,
    Settlement,
)
from bot.model.desired_config import DesiredConfig
from bot.model.entries import EntryKeys, KnownEntry, Match, NewEntry, PlacedEntry, Revision
from bot.model.feeds import DeclaredFeed, Failure, FeedState, FeedText
from bot.model.hosts import HostPace
from bot.model.hubs import HubLink
from bot.model.message import File, Message
from bot.model.nodes import HandedOver, Node
from bot.model.pages import PageCommit, PageRequest, PageState
from bot.model.poll import AffectedStories, FeedCommit, Lookup
from bot.model.retention import Retention, RetentionState
from bot.model.schedule import Page, SchedulePlan
from bot.model.status import FeedQuestion
from bot.model.stories import Grouping, Merge, Pair, PairReason, Placement, StoryIds
from bot.model.updates import ArticleChange, ChangeKind
from bot.model.web import WebTokenKind
from bot.store.archive import Archive
from bot.store.engines import sqlite as engine
from bot.store.engines.engine import Database
from bot.store.planner_statistics import PARTIAL, ROWS, shares
from bot.store.polls import PollTables
from bot.store.read_only import ReadOnlyDatabase
from bot.store.stores import SqliteStore

pytestmark = pytest.mark.own_engine("the plans are SQLite's, and one test asks PostgreSQL")

#: of SQLite alone: transactions, its catalogue, the index of the search
OF_SQLITE = re.compile(
    r"(?i)^\s*(begin|commit|rollback|savepoint|release|pragma)"
    r"|sqlite_|search\b|search_|total_changes"
)
STORE = Path(bot.store.__file__).parent
#: what runs once, at an opening or of a copy, and knows no table of ours
OTHERS = {"backup.py", "move.py", "planner_statistics.py", "schema.py"}
FETCH = "Writer.fetch.<locals>.work"  #: runs on a thread, without whoever asked for it
DAY = timedelta(days=1)
#: as many rows as this are read in a millisecond or two
FEW = 1_000

#: Tables whose size people choose, and which clean-ups keep small: reading all of them is allowed.
SMALL = {
    "feeds": "as many as the operator and people watch; those nobody has are deleted",
    "documents": "one for each feed",
    "chats": "as many as were let in; strangers are deleted",
    "subscriptions": "as many as people made; removed ones are deleted",
    "forecasts": "one for each subscription",
    "subscription_versions": "50 for each subscription, at most",
    "routes": "one for each subscription and chat",
    "chat_numbers": "one for each subscription and chat",
    "feed_chats": "as many as people added",
    "people": "as many as were let in",
    "hosts": "those that asked for a pause",
    "links": "as many as people linked",
    "pending": "one for each chat, for an hour",
    "stances": "forgotten after 48 quiet hours",
    "claims": "forgotten when they expire",
    "web_tokens": "forgotten when they expire; feeds are one for each chat",
    "meta": "single values",
    "_sqlite_migrations": "one for each migration",
}
#: What may read more than that, by a piece of the statement, and why.
ALLOWED = {
    "from entries order by id desc limit": "ends at the limit, from the newest entry on",
    "order by e.id desc limit": "ends at the limit, from the newest entry on",
    "limit :batch": "a part of a clean-up: ends at the limit, or at the first row of each chat",
    "and created_at < ? and state = 'queued' limit ?": "as above: what is older is unfinished",
    "where id > ? order by id limit ?": "ends at the limit",
    "from pages where at > ? group by failure": "the pages of a day",
    "and at <= ? order by at limit ?": "ends at the limit",
    "delete from unsearched where entry_id > ?": "the entries of a batch",
    "text = ? and created_at > ?": "a day of one chat",
    "order by e.id limit ?": "ends at the limit",
    "order by e.id limit :limit": "ends at the limit",
    "order by a.story_id desc limit :limit": "ends at the limit, from a chat's newest alert on",
    "first_seen_at < :explained": "ends at the first row, from that time backwards",
    ") as alerts, (": "what a shorter retention deletes, on a connection that only reads",
    "first_seen_at between ? and ? limit 1": "ends at the first row, after the clock was set",
    "indexed by outbox_state join": "what was dropped within two days",
    "where first_seen_at >= ? order by +id desc": "minutes, where a file was withdrawn",
    "from screens where true and touched_at > ''": "screens of 90 days, after the clock was set",
    "outbox.kind = 'reply' and created_at > ?": "a minute of one chat",
    "state != 'queued' and settled_at > :since": "a minute",
    "state = 'sending' and state != 'queued'": "what is being sent at this moment",
    "where state = 'dead' and state != 'queued'": "what waits for the operator",
    "where state = 'unknown' and state != 'queued'": "what waits for the operator",
    "where state in (?,?,?,?) and state != 'queued'": "what waits for the operator",
    "where state != 'queued' group by state": "counts 30 days by an index",
    "json_extract(state, '$.busy')": "once at a start: screens of 90 days",
    "where entry_id between :first and :last": "the records of some thousand articles",
    "delete from outbox where chat_id = ?": "the last message to somebody who is forgotten",
    "where chat_id in (?)": "what one chat has, on a connection that only reads",
    "select id from screens where user_id = :user": "a person is forgotten: once",
    "entities like :mention": "a person is forgotten: once",
    "delete from verdicts where user_id": "a person is forgotten: once",
    "update alerts set message_id = null where chat_id": "a group became a supergroup: once",
    "update outbox set message_id = null where chat_id": "a group became a supergroup: once",
    "update outbox set reply_to = null": "a group became a supergroup: once",
    "kind in ('alert', 'edit') and not exists": "a group became a supergroup: once",
    "and story_id in (select story_id from alerts": "a group became a supergroup: once",
    "where chat_id = ? and not exists (select 1 from": "a group became a supergroup: once",
    "select min(id) from entries indexed by entries_seen": "an index over the period of a search",
    "from entries e where true": "a search of all that is stored, on a connection that only reads",
    "where true and e.story_id %": "a search of all, on a connection that only reads",
    "where first_seen_at >= ? and e.silent not in": "the period of a forecast, as below",
    "select m.subscription_id, count(*) as came": "ten days of one chat",
    "e.first_seen_at >= :since": "the period of a search, on a connection that only reads",
    "search match :expression": "what a search finds, on a connection that only reads",
}

# Recording


class Recording:
    """What SQLite was asked to prepare, and from which lines of the store."""

    def __init__(self) -> None:
        self.statements: dict[str, Any] = {}  #: each with values that it had
        self.lines: set[tuple[str, int]] = set()

    def note(self, statement: str, values: Any = ()) -> None:
        if self.note_lines():
            self.statements.setdefault(statement, values)

    def note_lines(self) -> bool:
        """Return whether it is a statement of the store, and not one of a migration."""
        files = set()
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.parent == STORE or frame.f_code.co_qualname == FETCH:
                files.add(path.name)
                self.lines.add((path.name, frame.f_lineno))
            frame = frame.f_back
        return bool(files) and "schema.py" not in files


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """All that the store has prepared when each of its methods was called."""
    recording = Recording()

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            recording.note(sql, parameters)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            rows = list(parameters)
            recording.note(sql, rows[0] if rows else None)
            return super().executemany(sql, rows)

    connect, fetch = sqlite3.connect, engine.Writer.fetch

    def noted_fetch(self: Any, *arguments: Any) -> Any:
        recording.note_lines()
        return fetch(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sqlite3,
            "connect",
            lambda *args, **options: connect(*args, **options, factory=Connection),
        )
        patch.setattr(engine.Writer, "fetch", noted_fetch)
        path = tmp_path_factory.mktemp("plans") / "newsbell.db"
        with asyncio.Runner() as runner:
            runner.run(exercise(path))
    return recording


# The exercise: every method of the store once, and every branch with a statement of its own


def state(**values: Any) -> FeedState:
    return FeedState(next_poll_at=NOON, baseline_at=NOON, **values)


def placed(number: int, *, feed: int = 1, pairs: tuple[Pair, ...] = ()) -> PlacedEntry:
    key = number.to_bytes(16, "big")
    keys = EntryKeys(key, key, key, key)
    link = f"https://wire.example/{number}"
    title = f"Harbour news {number}"
    entry = NewEntry(
        number,
        feed,
        keys,
        str(number),
        link,
        title,
        "",
        "",
        "",
        NOON,
        None,
        NOON,
        language="en",
        body="At the harbour",
    )
    placement = Placement(number, StoryIds(number, number, number), pairs)
    return PlacedEntry(entry, placement, f"publisher {number}", f"publisher {number}")


def known(entry: PlacedEntry) -> KnownEntry:
    new = entry.entry
    return KnownEntry(
        new.id, 1, entry.story_ids, new.keys, new.title, new.summary, NOON, None, NOON
    )


def revision(entry: PlacedEntry, title: str) -> Revision:
    new = entry.entry
    return Revision(
        replace(known(entry), body=new.body),
        title,
        "",
        new.link,
        new.keys,
        None,
        retitled=True,
        language="en",
    )


TERMINAL, GROUP, PRIVATE = 1, 2, 3
DECLARED = DesiredConfig(
    (
        DeclaredFeed("https://wire.example/rss", "Wire", "Wire", ()),
        DeclaredFeed("https://post.example/rss", "Post", "Post", ()),
    ),
    (
        DeclaredChat("here", ChatKind.TERMINAL),
        DeclaredChat("group", ChatKind.TELEGRAM, -100),
        DeclaredChat("private", ChatKind.TELEGRAM, 7),
    ),
    (DeclaredSubscription("All", "harbour", (), ("here", "group", "private")),),
    admins=(7,),
)
FEWER = DesiredConfig(DECLARED.feeds[:1], DECLARED.chats[:2], (), ())


class Exercise:
    """A store, and numbers for its updates."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.update = 0

    async def write(self, statement: str, *values: Any) -> list[Any]:
        return await self.store._writer.run(
            "prepare a test", lambda db: db.execute(statement, values).fetchall()
        )

    async def commit(self, **what: Any) -> None:
        commit = FeedCommit(1, state(document=bytes(24)), document_changed=True, **what)
        await self.store.polls.commit([commit], NOON)

    async def change(
        self, *changes: Change, address: int = 7, channel: bool = False, **reply: Any
    ) -> None:
        self.update += 1
        chat = await self.store.chats.chat_at(address, 0)
        command = Command(
            update_id=self.update,
            address=address,
            user_id=7,
            name="/x",
            title="X",
            message_id=4,
            channel=channel,
        )
        await self.store.chats.answer(
            HandledUpdate(command, chat, Reply(changes=changes, **reply)), NOON
        )

    async def claim(self, *chats: int, merge_from: int = 20) -> list[Delivery]:
        return await self.store.deliveries.claim_deliveries(NOON, chats, merge_from)

    async def settle(self, delivery: Delivery, outcome: DeliveryState, **what: Any) -> None:
        settlement = Settlement(delivery, outcome, **what)
        await self.store.deliveries.settle([settlement], NOON)


async def exercise(path: Path) -> None:
    async with SqliteStore(path) as store:
        work = Exercise(store)
        await configure(work)
        await poll_feeds(work)
        await deliver(work)
        await talk(work)
        await change_minds(work)
        await search(work)
        await open_web(work)
        await agree_with_hubs(work)
        await share(work)
        await operate(work)
    ReadOnlyDatabase(path).status()
    ReadOnlyDatabase(path).outbox(NOON)
    ReadOnlyDatabase(path).clock_seen()
    ReadOnlyDatabase(path).gauges(NOON)
    ReadOnlyDatabase(path).sharing()


async def share(work: Exercise) -> None:
    """The database with other machines."""
    nodes, node = work.store.nodes, Node("host-a:1", "1", NOON)
    await nodes.beat(Node("host-b:1", "1", NOON - timedelta(days=1)), leads=False)
    await work.write("update nodes set beat = beat - 60")
    await nodes.beat(node, leads=True)
    await nodes.hand_over("a", [HandedOver(1, b"poll")], NOON)
    await nodes.backlog()
    [poll] = await nodes.handed_over(0, 10)
    await nodes.give_back([poll.id])
    await nodes.sign(node)
    await nodes.nodes()
    await nodes.release_of_gone()
    requests = work.store.requests
    number = await requests.ask("b", "{}")
    assert await requests.take() is not None
    await requests.answer_undecided("{}")
    await requests.answer(number, "{}")
    await requests.answer_to(number)
    await requests.withdraw(await requests.ask("b", "{}"))
    polls = PollTables(work.store._writer, "a")
    await polls.claim_feeds(NOON, 10, timedelta(minutes=3))
    await nodes.leave("a")


async def configure(work: Exercise) -> None:
    config = work.store.config
    await config.sync(DECLARED, NOON)
    await config.sync(FEWER, NOON)
    await config.sync(DECLARED, NOON)
    options = AlertOptions(publishers=2)
    other = replace(DECLARED.subscriptions[0], query="mill", options=options)
    await config.sync(replace(DECLARED, subscriptions=(other,)), NOON)
    await work.write("update feeds set adopted_url = 'https://new.example/rss' where id = 2")
    moved = DeclaredFeed("https://new.example/rss", "Post", "Post", ())
    await config.sync(replace(DECLARED, feeds=(DECLARED.feeds[0], moved)), NOON)
    insert = "insert into subscriptions (name, query, feeds, created_at) values ('a', 'a', ?, '')"
    await work.write(insert, '["Wire"]')
    renamed = replace(DECLARED.feeds[0], name="The Wire")
    await config.sync(replace(DECLARED, feeds=(renamed, moved)), NOON)
    await work.write("delete from subscriptions where name = 'a'")
    await config.sync(replace(DECLARED, feeds=(DECLARED.feeds[0], moved)), NOON)


async def poll_feeds(work: Exercise) -> None:
    polls = work.store.polls
    await polls.make_due(NOON)
    await polls.claim_feeds(NOON, 10, DAY)
    await polls.release_feeds()
    await polls.take_back([1])
    await polls.release_feeds([1, 2])
    await polls.is_overdue(NOON)
    await polls.retry_feeds([1, 2], NOON, ask_hosts=True)
    await polls.hurry([Failure.DNS], NOON, 0.5)
    entries = [placed(number) for number in range(1, 9)]
    keys = tuple(entry.entry.keys for entry in entries)
    await polls.lookup([Lookup(1, keys, (1, 2))])
    pair = Pair(1, 0.5, PairReason.WORDS)
    entries[1] = placed(2, pairs=(pair,))
    await work.commit(
        new=tuple(entries),
        notices=(NoticeIntent(NoticeKind.FLOOD, "Many"),),
        host=("wire.example", HostPace(NOON + DAY, asked_at=NOON)),
        given_back=(2, 3),
        wakes=OUTAGES,
    )
    await polls.lookup([Lookup(1, keys, (1, 2))])
    matches = (Match(1),)
    await work.commit(
        alerts=(
            *(AlertIntent(PRIVATE, number, number, matches) for number in (1, 2, 3)),
            AlertIntent(PRIVATE, 4, 4, matches, priority=Priority.DIGEST),
            AlertIntent(GROUP, 1, 1, matches, pending=True, due_at=NOON),
            AlertIntent(GROUP, 2, 2, matches, collapse=True),
            AlertIntent(GROUP, 3, 3, (), pending=True, due_at=NOON),
            AlertIntent(TERMINAL, 1, 1, matches),
            AlertIntent(TERMINAL, 2, 2, matches, pending=True),
        ),
        absent=(8,),
    )
    await work.commit(
        revisions=(revision(entries[0], "Harbour news again"),),
        alert_revisions=(
            AlertRevision(PRIVATE, 1, 1, matches, priority=Priority.BREAKING),
            AlertRevision(GROUP, 1, 1, matches, due_at=NOON),
        ),
        growths=(
            AlertGrowth(TERMINAL, 2, release=Priority.NORMAL),
            AlertGrowth(PRIVATE, 2, again=True, priority=Priority.NORMAL, grouping=Grouping.NORMAL),
        ),
        returned=(8,),
        withdrawn=(1,),
    )
    await work.write("update entries set story_id = 1, strict_id = 1 where id = 8")
    await work.write("update subscriptions set or_after = 60, removed_at = null")
    affected = AffectedStories(frozenset({StoryIds(1, 1, 1)}), frozenset({1}))
    for statement in ("update feeds set private = 1", "update feeds set private = 0"):
        await work.write(statement)
        await polls.stories(affected, NOON)
    await read_pages(work)
    await polls.window(NOON - DAY, NOON, 0, 10)
    await polls.window(NOON - DAY, NOON, 5, 10)
    await polls.merges(1)
    await polls.entries_since(NOON - DAY)
    await polls.insert_alerts((), (), NOON)
    await polls.release_pending(NOON)
    await polls.entries_since(NOON)
    record = MatchRecord(5, GROUP, 1, Fate.LEADS)
    await polls.insert_alerts([AlertIntent(GROUP, 5, 5, matches)], [record], NOON)
    await polls.groupings()
    await polls.developments()
    await polls.updates()
    await polls.languages()
    await polls.recent(10)
    await polls.subscriptions()
    await polls.subscriptions(PRIVATE)


async def read_pages(work: Exercise) -> None:
    """Claim pages, give one up, read one."""
    pages, link = work.store.pages, "https://wire.example/1"
    await work.commit(pages=tuple(PageRequest(number, link, bytes([number])) for number in (1, 2)))
    (first, second) = await pages.claim(NOON, 10)
    await pages.current(first)
    alert = AlertIntent(PRIVATE, 1, 1, (Match(1, (), "A snippet"),))
    await pages.commit(PageCommit(1, PageState.READ, terms="=harbour", alerts=(alert,)), NOON)
    for hours in range(1, 4):
        await pages.try_again(second.known.id, NOON)
        await pages.claim(NOON + hours * DAY, 10)
    ReadOnlyDatabase(work.store.path).pages(NOON)


async def deliver(work: Exercise) -> None:
    deliveries = work.store.deliveries
    await deliveries.waiting(NOON, 10, [1])
    await deliveries.waiting(NOON, 10, [], unpaced=True)
    await deliveries.next_wait(NOON)
    await deliveries.recent_sends(NOON - DAY, NOON)
    await deliveries.chats_due(NOON, [])
    await work.write("update subscriptions set urgency = 'digest'")
    for due in await deliveries.schedules_due(NOON):
        numbers = tuple(story.delivery_id for story in due.waiting if story.digest)
        pages = (Page(BundleKind.DIGEST, numbers),) if numbers else ()
        plan = SchedulePlan(due.chat.id, None, NOON, None, pages)
        await deliveries.apply_schedules([plan], NOON)
    await work.write("update subscriptions set urgency = 'normal'")
    [delivery] = await work.claim(PRIVATE, merge_from=1)
    await deliveries.in_flight()
    await work.settle(delivery, DeliveryState.QUEUED, doubt=True, retry_at=NOON)
    [delivery] = await work.claim(PRIVATE)
    await work.commit(growths=(AlertGrowth(PRIVATE, delivery.alerts[0].story_id, again=True),))
    await work.settle(delivery, DeliveryState.SENT, message_id=99)
    await work.write("update chats set not_before = null")
    while claimed := await work.claim(PRIVATE, GROUP, TERMINAL):
        for delivery in claimed:
            await work.settle(
                delivery,
                DeliveryState.SENT,
                message_id=delivery.id + 100,
                shown=b"1",
                reference="$event" if delivery.chat.id == TERMINAL else "",
            )
    elsewhere = "select story_id from alerts where chat_id = ? and message_id is not null"
    told = (await work.write(elsewhere, TERMINAL))[0][0]
    await work.commit(growths=(AlertGrowth(TERMINAL, told),))
    for delivery in await work.claim(TERMINAL):
        await work.settle(delivery, DeliveryState.DROPPED)
    shown = (await work.write("select story_id from alerts where message_id = 99"))[0][0]
    await work.commit(growths=(AlertGrowth(PRIVATE, shown, again=True),))
    await work.change(AssignStory(99, "Ann"))  # an edit that waits goes out at once
    while claimed := await work.claim(PRIVATE):
        for delivery in claimed:
            await work.settle(delivery, DeliveryState.SENT, message_id=99)
    await tell_changes(work)
    await merge_stories(work)
    await work.commit(new=(placed(30),), alerts=(AlertIntent(GROUP, 30, 30, (Match(1),)),))
    [delivery] = await work.claim(GROUP)
    notice = NoticeIntent(NoticeKind.CHAT_PAUSED, "Paused")
    await work.settle(delivery, DeliveryState.QUEUED, pause="gone", notice=notice)
    await work.write("update chats set paused = ''")
    for address in (-200, -300):
        if address == -300:  # a chat that exists already
            await work.change(AllowChat(), address=-300)
        [delivery] = await work.claim(GROUP)
        await work.settle(delivery, DeliveryState.QUEUED, move_to=address)
        await work.write("update chats set paused = '', allowed = 1")
    await work.claim(-1)
    await deliveries.take_back([])
    await work.claim(-1)
    await deliveries.requeue_in_flight("stopped", NOON)
    row = (await work.write("select id from chats where address = -300"))[0]
    [delivery] = await work.claim(row[0])
    await work.settle(delivery, DeliveryState.QUEUED, move_to=-200)  # from where it came
    await work.write("update chats set paused = '', allowed = 1")
    await deliveries.put_aside(row[0], "unreadable", NOON)
    await deliveries.outage()
    await deliveries.keep_outage(
        Outage(ServiceFault.ERROR, "502", NOON), NoticeIntent(NoticeKind.SERVICE_DOWN, "Down"), NOON
    )
    await deliveries.notify(NoticeIntent(NoticeKind.INTERNAL, "Failed"), NOON)
    await deliveries.drop_late_answers(NOON, NOON)


async def tell_changes(work: Exercise) -> None:
    """Changes of articles: told by replies, shown by edits, lost, and taken back."""
    await work.commit(new=tuple(placed(number) for number in range(22, 26)))

    async def change(number: int, kind: ChangeKind, chosen: Updates | None) -> None:
        withdrawn = (number,) if kind is ChangeKind.WITHDRAWN else ()
        what = ArticleChange(kind, bytes([number, len(kind)]), "Harbour")
        update = AlertUpdate(PRIVATE, number, number, what, (1,), chosen)
        await work.commit(withdrawn=withdrawn, updates=(update,))

    async def send(message_id: int, state: DeliveryState, **what: Any) -> None:
        [delivery] = await work.claim(PRIVATE)
        await work.settle(delivery, state, message_id=message_id, **what)

    async def alert(number: int) -> None:
        await work.commit(alerts=(AlertIntent(PRIVATE, number, number, (Match(1),)),))

    await alert(22)
    await send(4080, DeliveryState.SENT)
    await change(22, ChangeKind.PROGRESS, Updates.NOTE)
    await change(22, ChangeKind.CORRECTED, Updates.ALERT)
    await send(4180, DeliveryState.SENT)
    for number, outcome in (23, {}), (24, {"lost": True}):
        await alert(number)
        await send(4000 + number, DeliveryState.SENT)
        await change(number, ChangeKind.WITHDRAWN, None)
        state = DeliveryState.DROPPED if outcome else DeliveryState.SENT
        await send(4000 + number, state, **outcome)
    await send(4182, DeliveryState.SENT)
    await alert(25)
    [delivery] = await work.claim(PRIVATE)
    await change(25, ChangeKind.WITHDRAWN, Updates.NOTE)
    await work.settle(delivery, DeliveryState.QUEUED)
    rows = await work.write("select fate from update_records order by id")
    assert [row["fate"] for row in rows] == ["told", "told", "shown", "told", "unsent"]
    work.store.archive.facts(22, NOON)
    work.store.archive.evidence(22)
    await send(4083, DeliveryState.SENT)


async def merge_stories(work: Exercise) -> None:
    """Two alerts of which both are seen, one is, or none is."""
    matches = (Match(1),)
    for first, states in (
        (10, ("sent", "sent")),
        (12, ("queued", "sent")),
        (14, ("sent", "queued")),
        (16, ("queued", "queued")),
        (18, ("dead", "sent")),
    ):
        pair = (first, first + 1)
        await work.commit(
            new=tuple(placed(number) for number in pair),
            alerts=tuple(AlertIntent(PRIVATE, number, number, matches) for number in pair),
        )
        for number, outcome in zip(pair, states, strict=True):
            await work.write(
                "update outbox set state = ? where id in "
                "(select outbox_id from outbox_alerts where story_id = ?)",
                outcome,
                number,
            )
            if outcome == "sent":
                await work.write(
                    "update alerts set message_id = ? where story_id = ?", 1000 + number, number
                )
        for grouping in Grouping:
            merge = Merge(grouping, first + 1, first)
            await work.store.polls.commit([], NOON, [merge])
    # What waits becomes a note of what was sent, under the number of its strict story.
    await work.commit(
        new=(placed(130), placed(131)),
        alerts=tuple(AlertIntent(PRIVATE, number, number, matches) for number in (130, 131)),
    )
    await work.write("update alerts set message_id = 1130 where story_id = 130")
    await work.write("update entries set strict_id = 129 where id = 131")
    await work.store.polls.commit([], NOON, [Merge(Grouping.NORMAL, 131, 130)])
    await work.commit(new=(placed(20), placed(21)), alerts=(AlertIntent(PRIVATE, 21, 21, ()),))
    await work.store.polls.commit([], NOON, [Merge(Grouping.NORMAL, 21, 20)])
    await work.write("update outbox set not_before = null")
    while claimed := await work.claim(PRIVATE):  # what is left behind says where it goes on
        for delivery in claimed:
            await work.settle(
                delivery, DeliveryState.SENT, message_id=delivery.message_id or delivery.id + 2000
            )


async def talk(work: Exercise) -> None:
    chats = work.store.chats
    screen = Screen("menu", {"a": 1}, expects=ExpectedInput.QUERY)
    file = File("a.txt", b"a")
    for _ in range(2):
        await work.change(address=50, channel=True, message=Message("Who are you?"))
    await work.change(
        AddSubscription("harbour", "Harbour"),
        AskConfirmation("mill"),
        AddFeeds((("https://own.example/rss", "Own", ()),)),
        SetPaused(""),
        SetGrouping(Grouping.LOOSE),
        SetSettings(ChatSettings(language="de", digest_at=(480,))),
        SetRole(50, Role.BLOCKED, "Eve"),
        AllowChat(operator=True),
        LinkChannel(-900, "Channel"),
        ManageChat(GROUP),
        StoreToken("word", "share", {"a": 1}),
        UseToken("word"),
        StoreWebLink("opens", 10),
        ShowChatOnWeb(),
        Broadcast("Hello", (PRIVATE,)),
        Tell(PRIVATE, Message("Somebody asks"), Screen("admin")),
        RetryDead(),
        RetryFeeds(),
        RateAlert(99, 1),
        RateAlert(99, 0),
        SetStance(4, Stance.FOLLOW),
        SetStance(4, None),
        message=Message("Done"),
        screen=screen,
    )
    await work.commit(new=(placed(40),), alerts=(AlertIntent(PRIVATE, 40, 40, (Match(1),)),))
    await work.write("insert into merges values ('loose', 39, 40, ?)", NOON.isoformat())
    await work.change(SetStance(39, Stance.MUTE))
    await work.change(EditSubscription(2, query="mill", options=AlertOptions()))
    await work.change(RemoveSubscription(2))
    await work.change(AddSubscription("bridge", "Bridge"))
    await work.change(SetFeedText(3, FeedText.TEASER), message=Message("Set"), edit=True)
    await work.change(RemoveFeed(3), message=Message("Gone"), edit=True)
    number = (await work.write("select max(id) from screens"))[0][0]
    await chats.finish(
        PRIVATE, 7, replace(screen, id=number), Reply(Message("Chart", file=file)), NOON
    )
    await chats.finish(PRIVATE, 7, replace(screen, id=number), Reply(Message("Done")), NOON)
    await work.claim(PRIVATE)
    await work.write("update outbox set state = 'sent', settled_at = created_at")
    await chats.finish(
        PRIVATE, 7, replace(screen, id=number), Reply(Message("Done"), (RetryDead(),)), NOON
    )
    await work.claim(PRIVATE)
    answered = Reply(answered=number, ends_input=True)
    postponed = HandledUpdate(ChatUpdate(update_id=0, address=7), await chats.chat(PRIVATE))
    await chats.finish_work(postponed, Screen("postponed", id=number + 1), NOON)
    let_in = Membership(update_id=work.update + 1, address=7, joined=True)
    await chats.answer(HandledUpdate(let_in, await chats.chat(PRIVATE), answered), NOON)
    work.update += 1
    await chats.chat_at(7, 3)
    await chats.chat(PRIVATE)
    await chats.person(7)
    await chats.people()
    await chats.has_admin()
    await chats.access_requests()
    await chats.operator_chats()
    await chats.linked_channels(7)
    await chats.subscriptions_of(PRIVATE)
    await chats.removed_subscription(PRIVATE, 2)
    await chats.feeds_of(PRIVATE)
    await chats.new_hosts(7, NOON)
    await chats.alert_of(PRIVATE, 99)
    await chats.pending_query(PRIVATE, NOON)
    await chats.screen(PRIVATE, number)
    await chats.expecting(PRIVATE, 7, NOON, 99)
    await chats.expecting_at(PRIVATE, 99, NOON)
    await chats.recent_alerts(PRIVATE, 6)
    await chats.busy_screens()
    await chats.token("word", NOON)
    await chats.make_claim("other", NOON)
    await chats.ratings(PRIVATE, NOON)
    await work.change(AddSubscription("quay", "Quay", forecast=(2, 9)))
    await chats.forecast_results(PRIVATE, NOON + DAY)
    await chats.last_update()


async def change_minds(work: Exercise) -> None:
    """Withdraw what waits, and let it wait again."""
    polls = work.store.polls
    await work.change(AllowChat(), SetStance(40, None))
    await work.change(AddSubscription("tram", "Tram"))
    number = (await work.write("select max(id) from subscriptions"))[0][0]
    patient = AlertOptions(publishers=9, or_after=DAY)
    await work.change(AddSubscription("tram", "Patient", patient))
    matches = (Match(number), Match(number + 1))
    again = AlertOptions(urgency=Urgency.DIGEST, alert_again_at=1)
    await work.commit(new=(placed(60),), alerts=(AlertIntent(PRIVATE, 60, 60, matches),))
    await work.change(EditSubscription(number, options=again))
    await work.store.deliveries.schedules_due(NOON + 2 * DAY)
    await work.change(RemoveSubscription(number + 1))
    await work.change(RemoveSubscription(number))
    await work.change(RemoveSubscription(number, undo=True))
    await work.write(
        "insert into outbox (chat_id, kind, priority, created_at) values (3, 'again', 20, ?)",
        NOON.isoformat(),
    )
    await work.write("insert into outbox_alerts select max(id), 3, 60 from outbox")
    await work.change(RemoveSubscription(number))
    await work.change(RemoveSubscription(number, undo=True))
    waiting = await polls.unsent_matches([number], NOON)
    await polls.withdraw_matches(waiting, NOON)
    await work.change(EditSubscription(number, paused=True))
    await work.change(EditSubscription(number, query="mill"))


async def search(work: Exercise) -> None:
    tables = work.store.search
    await tables.fill(NOON)
    await work.commit(revisions=(revision(placed(3), "Mill news"),))
    await tables.fill(NOON + DAY)
    for archive in (work.store.archive, work.store.archive.of_chat(PRIVATE, 60.0)):
        read(archive)


def read(archive: Archive) -> None:
    archive.languages()
    archive.begins()
    for since in (None, NOON - DAY):
        for expression in ("", '"=harbour"'):
            archive.count(expression, since)
            list(archive.entries(expression, since, 2))
    archive.members(Grouping.NORMAL, [1, 2])
    archive.feed_pasts(NOON - DAY)
    archive.arrivals(NOON - DAY)
    archive.subscriptions()
    archive.known_subscriptions()
    archive.latest(3, NOON)
    some = tuple(number.to_bytes(16, "big") for number in range(4))
    archive.with_keys(AskedKeys(some, some, some, some), 50)
    archive.with_words('"=harbour"', 50)
    archive.newest(50)
    archive.with_link_of(1, 50)
    archive.facts(1, NOON)
    archive.storyline(1)
    archive.evidence(1)
    archive.feeds()
    archive.alerts_of(PRIVATE, 10)
    archive.document(1, 10)
    archive.feed_list(FeedQuestion())
    archive.queued(PRIVATE)
    archive.whole_status()
    archive.chat_addresses()
    archive.chats()
    archive.selectors()
    archive.added_feeds([PRIVATE])


async def agree_with_hubs(work: Exercise) -> None:
    hubs = work.store.hubs
    await hubs.note({1: HubLink("https://hub.example/", "https://wire.example/rss")}, NOON)
    await hubs.due(NOON, 10)
    await hubs.asked(1, NOON)
    await hubs.agreed(1, NOON + DAY, NOON)
    await hubs.subscription(1)
    await hubs.told(1, NOON)


async def open_web(work: Exercise) -> None:
    web = work.store.web
    told = "select story_id from alerts where chat_id = ? and message_id is not null"
    for row in (await work.write(told, TERMINAL))[:1]:
        await work.store.chats.alert_of_story(TERMINAL, row[0])
    await web.make_link("link", NOON, NOON + DAY)
    await web.open_session("link", "session", NOON, NOON + DAY)
    await web.token(WebTokenKind.SESSION, "session", NOON)
    await web.end_session("session")
    await web.chats_of(7)
    await web.make_feed(PRIVATE, 7, "feed", NOON)
    await web.feed_made_at(PRIVATE)
    await web.revoke_feed(PRIVATE)
    await web.key()
    await web.revoke_all()


async def operate(work: Exercise) -> None:
    admin = work.store.admin
    step = ClockStep(NOON, DAY)
    await admin.clock_seen()
    await admin.clock_set_at()
    await admin.unread_feeds(NOON)
    await admin.is_clock_behind(ClockStep(NOON, -DAY))
    await admin.note_time(NOON)
    await admin.correct_moments(step, NoticeIntent(NoticeKind.CLOCK, "Set"), is_set=True)
    await work.write("update feeds set next_poll_at = '2036-03-02T12:00:00.000000+00:00'")
    await admin.correct_moments(ClockStep(NOON))
    await admin.status()
    await admin.status(brief=True)
    await admin.outbox(NOON)
    await admin.retry((1,))
    await admin.retry(())
    await admin.drop((1,), NOON)
    await work.write("update feeds set active = 0 where id = 3")
    await work.write("update subscriptions set removed_at = ?", NOON.isoformat())
    await work.write("update entries set absent_since = ? where id > 5", NOON.isoformat())
    await work.write("update chats set paused = 'blocked' where id = ?", PRIVATE)
    await work.write("update outbox set state = 'queued'")
    await admin.prune(NOON + 40 * DAY)
    await work.write("update feeds set active = 1 where id = 3")
    await admin.prune(NOON + 50 * DAY)
    await work.write("update feeds set active = 0 where id = 3")
    await admin.prune(NOON + 400 * DAY)
    await admin.forget(7, NOON)
    await work.write(
        "insert into screens (chat_id, user_id, name, state, touched_at) "
        "values (?, 7, 'menu', '{}', '')",
        TERMINAL,
    )
    await work.write("update people set role = 'owner'")
    await work.write("update chats set declared = 0")
    await admin.forget(-100, NOON)
    await admin.forget(7, NOON)
    await work.change(ForgetPerson(), message=Message("Deleted"))
    await work.write("update outbox set state = 'dropped', settled_at = created_at")
    for text in ("7", "x"):
        ReadOnlyDatabase(work.store.path).stored_about(text)
    short = Retention(*(DAY,) * 5)
    await admin.keep_retention(RetentionState(), NOON, NoticeIntent(NoticeKind.RETENTION, "Short"))
    await admin.retention()
    await admin.prune(NOON + 400 * DAY, short)
    ReadOnlyDatabase(work.store.path).obsolete(short, Retention(), NOON)
    ReadOnlyDatabase(work.store.path).retention()
    await work.write("insert or replace into meta values ('search_obsolete', '1000')")
    await work.store.search.renew()
    await work.store.search.discard()
    await work.store.search.merge()
    await admin.cleaned_at()


# What was recorded


def call_sites() -> dict[tuple[str, int, int], str]:
    """The calls in the store that run a statement: file, first line and last line."""
    names = {"execute", "executemany", "fetch", "drop", "_select"}
    sites: dict[tuple[str, int, int], str] = {}
    for path in sorted(STORE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in names and path.name not in OTHERS:
                sites[path.name, node.lineno, node.end_lineno or 0] = ast.unparse(node)[:90]
    return sites


def test_every_statement_of_the_store_is_recorded(recording: Recording) -> None:
    missed = [
        f"{name}:{first} {text}"
        for (name, first, last), text in call_sites().items()
        if not any((name, line) in recording.lines for line in range(first, last + 1))
    ]
    assert not missed, "\n".join(("let `exercise` run these:", *missed))


# The plans


@pytest.fixture(scope="module")
def old_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database as it is opened: planned for as an old one from its first day on."""
    with closing(engine.connect(tmp_path_factory.mktemp("old") / "newsbell.db").conn) as connection:
        connection.execute("pragma foreign_keys = off")  # looked at below
        yield connection


def tables_of(connection: sqlite3.Connection) -> set[str]:
    statement = "select name from sqlite_schema where type = 'table'"
    return {row["name"] for row in connection.execute(statement)}


STEP = re.compile(
    r"^(?P<how>SCAN|SEARCH) (?P<table>\w+)(?: USING (?P<index>.*?))?(?: \((?P<terms>.*)\))?"
    r"(?: (?:LEFT|RIGHT|FULL)-JOIN)?$"
)


def cost(connection: sqlite3.Connection, statement: str, step: str) -> tuple[str, float]:
    """The table that a step of a plan reads, and how many of its rows each time."""
    match = STEP.match(step)
    if not match:
        return "", 0
    index_name = (match["index"] or "").rpartition(" ")[2]
    indexed = connection.execute(
        "select tbl_name from sqlite_schema where type = 'index' and name = ?", [index_name]
    ).fetchone()
    # Two parts of a statement may call two tables by one name.
    table = indexed[0] if indexed else named_table(connection, statement, match["table"])
    if table not in ROWS:
        return table, 0
    terms = match["terms"] or ""
    if match["how"] == "SCAN" or "AUTOMATIC" in (match["index"] or ""):
        return table, PARTIAL.get((match["index"] or "").rpartition(" ")[2], ROWS[table])
    if not terms:  # the first or the last of an index
        return table, 1
    equal = len(re.findall(r"[\w<>]+=\?", terms))
    if "INTEGER PRIMARY KEY" in match["index"]:
        return table, 1 if equal else ROWS[table]
    name = match["index"].rpartition(" ")[2]
    for index in connection.execute(f"pragma index_list({table})").fetchall():
        is_key = match["index"] == "PRIMARY KEY" and index["origin"] == "pk"
        if is_key or index["name"] == name:
            numbers = shares(
                engine.Database(connection), table, index
            )  # behind its columns an index has the key
            return table, numbers[min(equal, len(numbers) - 1)]
    raise AssertionError(f"no index of {table} for {step}")


def named_table(connection: sqlite3.Connection, statement: str, name: str) -> str:
    """The table behind a name in a plan, which may be an alias."""
    tables = tables_of(connection)
    for table in re.findall(rf"\b(\w+)\s+(?:as\s+)?{name}\b", statement):
        if table in tables:
            return str(table)
    return name


def plan(connection: sqlite3.Connection, statement: str, values: Any) -> list[str]:
    if values is None or isinstance(values, dict):
        names = set(re.findall(r":(\w+)", statement))
        values = dict.fromkeys(names) | (values or {}) if names else (None,) * statement.count("?")
    statement = statement.replace("in ()", "in (null)")
    rows = connection.execute(f"explain query plan {statement}", values).fetchall()
    return [row["detail"] for row in rows]


def is_planned(statement: str) -> bool:
    return statement.split(None, 1)[0].lower() in {"select", "insert", "update", "delete", "with"}


def test_no_statement_reads_what_grows_with_age(
    recording: Recording, old_database: sqlite3.Connection
) -> None:
    wrong = []
    for statement, values in recording.statements.items():
        if not is_planned(statement) or any(part in statement for part in ALLOWED):
            continue
        for step in plan(old_database, statement, values):
            table, rows = cost(old_database, statement, step)
            if rows > FEW and table not in SMALL:
                wrong.append(f"{rows:,} rows of {table}: {step}\n{statement.strip()}\n")
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_size_of_every_table_is_known(old_database: sqlite3.Connection) -> None:
    others = {"_sqlite_migrations"}
    tables = {name for name in tables_of(old_database) - others if not name.startswith("s")}
    assert tables - ROWS.keys() == set()


def test_every_exception_from_that_is_still_needed(recording: Recording) -> None:
    statements = "\n".join(recording.statements)
    assert [part for part in ALLOWED if part not in statements] == []


def test_deleting_a_row_looks_up_what_refers_to_it_by_an_index(
    old_database: sqlite3.Connection,
) -> None:
    """Foreign keys are checked by queries that no plan shows."""
    missing = []
    for table in tables_of(old_database) - SMALL.keys():
        for key in old_database.execute(f"pragma foreign_key_list({table})").fetchall():
            indexes = old_database.execute(f"pragma index_list({table})").fetchall()
            firsts = {
                old_database.execute(f"pragma index_info({index['name']})").fetchone()["name"]
                for index in indexes
                if not index["partial"]
            }
            names = [row["name"] for row in old_database.execute(f"pragma table_info({table})")]
            if names[0] == key["from"] and key["seq"] == 0:
                continue
            if key["seq"] == 0 and key["from"] not in firsts:
                missing.append(f"{table}.{key['from']}")
    assert missing == []


def fault_of(db: Database, statement: str, values: Any) -> str:
    """Why a statement cannot be run; empty where it can. Nothing of it is kept."""
    try:
        with db.atomic():
            db.execute(statement, [None] * statement.count("?") if values is None else values)
            raise psycopg.Rollback
    except errors.IntegrityError:  # a row that it names is not there
        return ""
    except psycopg.Error as error:
        return f"{error}\n{statement}"
    return ""


def test_every_statement_can_be_run_by_postgresql(
    recording: Recording, postgres: PostgresServer
) -> None:
    """With the values that it was given on SQLite."""
    with changes(postgres.database("statements")) as db:
        faults = [
            fault_of(db, statement, values)
            for statement, values in recording.statements.items()
            if not OF_SQLITE.search(statement)
        ]
    assert len(faults) > 600
    assert [fault for fault in faults if fault] == []


def test_a_claim_among_nodes_reads_few_feeds_however_many_a_host_has(
    recording: Recording, old_database: sqlite3.Connection
) -> None:
    [(statement, values)] = [
        (statement, values)
        for statement, values in recording.statements.items()
        if "o.last_poll_at > :since" in statement
    ]
    steps = plan(old_database, statement, values)
    assert [step for step in steps if STEP.match(step) and "feeds" in step] == [
        "SEARCH feeds USING INDEX feeds_due (next_poll_at>? AND next_poll_at<?)",
        "SEARCH o USING INDEX feeds_leased (host=? AND lease_until>?)",
        "SEARCH o USING INDEX feeds_polled (host=? AND last_poll_at>?)",
    ]
    assert not any("TEMP B-TREE" in step for step in steps), "they are read in their order"
