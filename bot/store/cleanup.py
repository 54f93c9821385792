"""Delete what is obsolete, in parts of a few milliseconds: polls and sends get their turn between.

A step looks at no more than `BATCH` rows, each found by an index, and is repeated until it finds
none. What has to stay is marked when it is found, so that no later clean-up looks at it again: the
time that a clean-up takes depends on what became obsolete, not on the age of the database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.i18n.phrase import phrase, span_phrase
from bot.model.chats import ChatKind
from bot.model.delivery import DropReason, NoticeKind, notice
from bot.model.retention import Obsolete, Retention
from bot.model.stories import Grouping
from bot.store import forget, meta, outbox, stories
from bot.store.engines.engine import Database
from bot.store.forget import RecordsPosition
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.sql import (
    IS_DONE,
    IS_QUEUED,
    QUEUED,
    Entered,
    StoredRole,
    literal,
    literals,
    marks,
)
from bot.store.unsent_alerts import QUIET
from bot.stories.window import SPAN

KEEP_UNUSED = timedelta(days=90)  #: how long screens, ratings and people without a chat are kept
KEEP_WAITING = timedelta(days=30)  #: how long messages wait for a chat that takes none
BATCH = 40  #: rows that one transaction of a clean-up looks at

# An alert goes when the last article of its story left its feed so long ago: until then further
# articles may join the story, and would alert again. What others refer to goes after them.
_OPEN_STORY = """
    exists (
        select 1 from entries where {column} = coalesce(a.merged_into, a.story_id)
        and (absent_since is null or absent_since >= :alerted or first_seen_at >= :alerted)
    )
"""
_IS_KEPT = f"""
    (case a.grouping
        when {literal(Grouping.STRICT)} then {_OPEN_STORY.format(column="strict_id")}
        when {literal(Grouping.LOOSE)} then {_OPEN_STORY.format(column="storyline_id")}
        else {_OPEN_STORY.format(column="story_id")} end
    or exists (
        select 1 from entries where id = a.entry_id
        and (absent_since is null or absent_since >= :alerted))
    or exists (select 1 from alerts n where n.chat_id = a.chat_id and n.note_of = a.story_id)
    or exists (select 1 from alerts m where m.chat_id = a.chat_id and m.merged_into = a.story_id)
    or exists (
        select 1 from outbox_alerts x join outbox o on o.id = x.outbox_id
        where x.chat_id = a.chat_id and x.story_id = a.story_id and not o.{IS_DONE}))
"""
_OLD_ALERTS = f"""
    select chat_id, story_id, entry_id, created_at, {_IS_KEPT} as kept
    from alerts a where created_at < :alerted
    and (created_at, chat_id, story_id) > (:time, :chat, :story)
    order by created_at, chat_id, story_id limit :batch
"""
_DELIVERIES = "select outbox_id from outbox_alerts where chat_id = :chat and story_id = :story"
# A delivery of forgotten alerts alone goes with them; others stay as long as messages do.
_FORGET_DELIVERY = """
    delete from outbox where id = ?
    and not exists (select 1 from outbox_alerts where outbox_id = outbox.id)
"""
_FORGET_ALERT = (
    "delete from outbox_alerts where chat_id = :chat and story_id = :story",
    """
    update subscriptions set alerted = 0 where alerted = 1 and id in (
        select subscription_id from alert_matches where chat_id = :chat and story_id = :story)
    """,
    "delete from alert_matches where chat_id = :chat and story_id = :story",
    "delete from verdicts where chat_id = :chat and story_id = :story",
    "delete from alerts where chat_id = :chat and story_id = :story",
    "update entries set alerted = 0 where id = :entry and alerted = 1",
)
_RELEASE_FEED = """
    update feeds set stopped_at = ? where id = ? and stopped_at = '9999'
    and not exists (select 1 from entries where feed_id = feeds.id)
"""
# Entries have their numbers in the order in which they came.
_LAST_EXPLAINED = """
    select id from entries indexed by entries_seen where first_seen_at < :explained
    order by first_seen_at desc limit 1
"""
_OLD_RECORDS = """
    delete from match_records where (entry_id, chat_id, subscription_id) in (
        select entry_id, chat_id, subscription_id from match_records
        where entry_id <= :last order by 1, 2, 3 limit :batch
    )
"""
# The version before a time is the one in force at it.
_OLD_VERSIONS = """
    delete from subscription_versions where id in (
        select id from subscription_versions v where exists (
            select 1 from subscription_versions n
            where n.subscription_id = v.subscription_id and n.id > v.id and n.at < :explained
        ) limit :batch
    )
"""
# What a clean-up would delete, for whoever is asked before.
_OBSOLETE = f"""
    select (
        select count(*) from entries where absent_since < :absent and alerted = 0
        and not exists (select 1 from alerts where entry_id = entries.id)
    ) as articles, (
        select count(*) from alerts a where created_at < :alerted and not {_IS_KEPT}
    ) as alerts, (
        select count(*) from outbox where {IS_DONE} and state != {QUEUED} and settled_at < :sent
    ) as messages, (
        select count(*) from subscriptions s where removed_at < :removed and alerted = 0
        and not exists (select 1 from alert_matches where subscription_id = s.id)
    ) + (
        select count(*) from feeds where active = 0 and declared = 0 and stopped_at < :removed
        and not exists (select 1 from feed_chats where feed_id = feeds.id)
        and not exists (select 1 from entries where feed_id = feeds.id)
    ) as removed
"""
# Rows that are done with by a time alone: table, key and condition. What refers to a row is none.
_BY_TIME = (
    ("hosts", "host", "not_before < :quiet"),
    ("merges", "grouping, gone", "at < :unused"),
    ("stances", "chat_id, storyline_id", "moved_at < :quiet"),
    ("screens", "id", "touched_at < :unused"),
    ("verdicts", "chat_id, story_id, user_id", "at < :unused"),
    ("claims", "token_hash", "expires_at < :now"),
    ("web_tokens", "token_hash", "expires_at < :now"),
    ("pending", "chat_id", "expires_at < :now"),
)
_DONE = f"""
    select id from outbox where {IS_DONE} and state != {QUEUED} and settled_at < :sent limit :batch
"""
_ABSENT = """
    select id, feed_id, exists (select 1 from alerts where entry_id = entries.id) as alerted
    from entries where absent_since < :absent and alerted = 0 order by absent_since limit :batch
"""
_NEXT_RETURNED = """
    select id, stopped_at from feeds where active = 1 and stopped_at is not null limit 1
"""
# The next of a feed's entries in the order of an index.
_NEXT_ENTRIES = """
    select id, title_key from entries
    where feed_id = ? and (title_key, id) > (?, ?) order by title_key, id limit ?
"""
# After a feed's entries have been forgotten, it is as new as one that was never polled.
_LONG_STOPPED = """
    select id, exists (select 1 from entries where feed_id = feeds.id) as used from feeds
    where active = 0 and declared = 0 and stopped_at < :removed
    and not exists (select 1 from feed_chats where feed_id = feeds.id) limit :batch
"""
_RENEW_FEED = """
    update feeds set baseline_at = null, newest = null, etag = null, last_modified = null,
        body_hash = x'', full_at = null, most_new = 0, rate = 0, trust = 1, most_old = 0, cut = 0,
        stopped_at = '9999'
    where id = ?
"""
_REMOVED_SUBSCRIPTIONS = """
    select id, exists (select 1 from alert_matches where subscription_id = s.id) as alerted
    from subscriptions s where removed_at < :removed and alerted = 0 limit :batch
"""
# Somebody who wrote once and was not let in, or came by themselves while everyone may. Their last
# reply is forgotten after 30 days, their last screen after 90.
_UNUSED_CHATS = f"""
    with next as (
        select id from chats where id > :after and declared = 0 and operator = 0
        and kind = {literal(ChatKind.TELEGRAM)}
        and (allowed = 0 or entered = {literal(Entered.OPENLY)} and address > 0)
        order by id limit :batch
    )
    select id, not exists (select 1 from outbox where chat_id = chats.id)
    and not exists (select 1 from alerts where chat_id = chats.id)
    and not exists (select 1 from routes where chat_id = chats.id)
    and not exists (select 1 from screens where chat_id = chats.id)
    and not exists (select 1 from links where chat_id = chats.id)
    and not exists (select 1 from feed_chats where chat_id = chats.id)
    and not exists (select 1 from verdicts where chat_id = chats.id)
    and not exists (select 1 from stances where chat_id = chats.id)
    and not exists (select 1 from pending where chat_id = chats.id)
    and not exists (select 1 from chats other where other.acts_for = chats.id) as unused
    from next join chats using (id) order by id
"""
# Who came by themselves, or is known for what they were: without a chat they are strangers.
_UNUSED_PEOPLE = f"""
    with next as (
        select user_id from people where user_id > :after
        and role in {literals(StoredRole.OPEN, StoredRole.FORMER)} and since < :unused
        order by user_id limit :batch
    )
    select user_id, not exists (
        select 1 from chats where kind = {literal(ChatKind.TELEGRAM)} and address = user_id
    ) and not exists (select 1 from links where links.user_id = next.user_id) as unused
    from next order by user_id
"""
_CLOSED_CHATS = "select id, name from chats where (paused != '' or allowed = 0) and id > :after"
_OLD_WAITING = f"""
    select id from outbox where chat_id = ? and created_at < ? and {IS_QUEUED} limit ?
"""


def moments(retention: Retention, now: datetime) -> dict[str, str | None]:
    """Return the times that statements refer to; null for what is kept forever."""

    def before(span: timedelta | None) -> str | None:
        return None if span is None else put_time(now - span)

    return {
        "now": put_time(now),
        "absent": before(retention.articles),
        "alerted": before(retention.alerts),
        "sent": before(retention.messages),
        "removed": before(retention.removed),
        "explained": before(retention.explanations),
        "unused": before(KEEP_UNUSED),
        "quiet": before(QUIET),
    }


@dataclass(slots=True)
class Run:
    """One clean-up: its times, and how far steps came that go through rows in order."""

    now: datetime
    retention: Retention = Retention()
    last_alert: tuple[str, int, int] = ("", 0, 0)  #: time, chat and story of the last looked at
    unused_chats: int = 0  #: the last chat that was looked at
    unused_people: int = 0
    closed_chats: int = 0
    records: RecordsPosition = field(default_factory=RecordsPosition)  #: of a forgotten chat
    last_entry: tuple[int, bytes, int] = (0, b"", 0)  #: of a feed that is gone through

    @property
    def values(self) -> dict[str, Any]:
        """The times that statements refer to."""
        return {**moments(self.retention, self.now), "batch": BATCH}

    def next_entries(self, db: Database, feed_id: int) -> list[Any]:
        """Return the next of a feed's entries; fewer than `BATCH` at the end."""
        after = self.last_entry[1:] if self.last_entry[0] == feed_id else (b"", 0)
        rows = db.execute(_NEXT_ENTRIES, [feed_id, *after, BATCH]).fetchall()
        at_end = len(rows) < BATCH
        self.last_entry = (
            (0, b"", 0) if at_end else (feed_id, rows[-1]["title_key"], rows[-1]["id"])
        )
        return rows


@dataclass(frozen=True, slots=True)
class Progress:
    """What a part of a step did."""

    deleted: int
    again: bool  #: there may be more


def forgotten_chats(db: Database, run: Run) -> Progress:
    """Delete what hangs on chats that were forgotten."""
    return Progress(*forget.go_on(db, run.records, BATCH))


def done_deliveries(db: Database, run: Run) -> Progress:
    """Delete deliveries of which nothing more will happen."""
    rows = db.execute(_DONE, run.values).fetchall()
    numbers = [(row["id"],) for row in rows]
    db.executemany("delete from outbox_alerts where outbox_id = ?", numbers)
    db.executemany("delete from outbox where id = ?", numbers)
    return Progress(len(rows), len(rows) == BATCH)


def old_features(db: Database, run: Run) -> Progress:
    """Delete what grouping made of entries that the live window is not restored from any more."""
    count = stories.forget_features(db, run.now - 2 * SPAN, BATCH)
    return Progress(count, count == BATCH)


def absent_entries(db: Database, run: Run) -> Progress:
    """Delete entries that left their feeds; those that alerted a chat stay, and are marked."""
    rows = db.execute(_ABSENT, run.values).fetchall()
    numbers = [(row["id"],) for row in rows]
    alerted = [(row["id"],) for row in rows if row["alerted"]]
    gone = [row for row in rows if not row["alerted"]]
    revisions = db.executemany("delete from revisions where entry_id = ?", numbers)
    db.executemany("update entries set alerted = 1 where id = ?", alerted)
    _delete_entries(db, gone)
    # A feed that waited for its articles that alerted can go as others do.
    feeds = {(put_time(run.now), row["feed_id"]) for row in gone}
    db.executemany(_RELEASE_FEED, sorted(feeds))
    return Progress(len(gone) + max(revisions, 0), len(rows) == BATCH)


def old_alerts(db: Database, run: Run) -> Progress:
    """Delete alerts of stories whose articles left their feeds long ago."""
    if run.retention.alerts is None:
        return Progress(0, again=False)
    time, chat, story = run.last_alert
    values = {**run.values, "time": time, "chat": chat, "story": story}
    rows = db.execute(_OLD_ALERTS, values).fetchall()
    gone = [
        {"chat": row["chat_id"], "story": row["story_id"], "entry": row["entry_id"]}
        for row in rows
        if not row["kept"]
    ]
    deliveries = [tuple(row) for alert in gone for row in db.execute(_DELIVERIES, alert).fetchall()]
    for statement in _FORGET_ALERT:
        db.executemany(statement, gone)
    db.executemany(_FORGET_DELIVERY, deliveries)
    if rows:
        run.last_alert = rows[-1]["created_at"], rows[-1]["chat_id"], rows[-1]["story_id"]
    return Progress(len(gone), len(rows) == BATCH)


def old_explanations(db: Database, run: Run) -> Progress:
    """Delete what was decided about matches, and how subscriptions read before."""
    if run.retention.explanations is None:
        return Progress(0, again=False)
    versions = db.execute(_OLD_VERSIONS, run.values).rowcount
    row = db.execute(_LAST_EXPLAINED, run.values).fetchone()
    if row is None:
        return Progress(versions, versions == BATCH)
    records = db.execute(_OLD_RECORDS, {**run.values, "last": row["id"]}).rowcount
    known = meta.read_number(db, MetaName.RECORDED_AFTER)
    meta.write(db, MetaName.RECORDED_AFTER, max(known, row["id"]))
    return Progress(versions + records, BATCH in {versions, records})


def obsolete(db: Database, wanted: Retention, used: Retention, now: datetime) -> Obsolete:
    """Count what a clean-up would delete that one by `used` would not.

    Explanations are not counted.
    """
    row, less = (
        db.execute(_OBSOLETE, moments(retention, now)).fetchone()
        for retention in (wanted, used.longer(wanted))
    )
    return Obsolete(**{kind: row[kind] - less[kind] for kind in row.keys()})  # noqa: SIM118 (a row)


def _delete_entries(db: Database, rows: Sequence[Any]) -> None:
    numbers = [(row["id"],) for row in rows]
    searched = meta.read_number(db, MetaName.SEARCHED)
    for statement in (
        "delete from joins where entry_id = ?",
        "delete from unsearched where entry_id = ?",
        "delete from match_records where entry_id = ?",
        "delete from update_records where entry_id = ?",
        "delete from bodies where entry_id = ?",
        "delete from features where entry_id = ?",
        "delete from pages where entry_id = ?",
        "delete from entries where id = ?",
    ):
        db.executemany(statement, numbers)
    db.executemany(
        "update feeds set stored = max(stored - 1, 0) where id = ?",
        [(row["feed_id"],) for row in rows],
    )
    obsolete = sum(row["id"] <= searched for row in rows)
    if obsolete:
        meta.add(db, MetaName.SEARCH_OBSOLETE, obsolete)


def returned_feeds(db: Database, run: Run) -> Progress:
    """Let the entries of a feed that is polled again count as present."""
    feed = db.execute(_NEXT_RETURNED).fetchone()
    if feed is None:
        return Progress(0, again=False)
    rows = run.next_entries(db, feed["id"])
    db.executemany(
        "update entries set absent_since = null where id = ? and absent_since = ?",
        [(row["id"], feed["stopped_at"]) for row in rows],
    )
    if len(rows) < BATCH:
        db.execute("update feeds set stopped_at = null where id = ?", [feed["id"]])
    return Progress(0, again=True)


def stopped_feeds(db: Database, run: Run) -> Progress:
    """Let the entries of a feed that is polled no more count as absent from then on."""
    number = meta.read_number(db, MetaName.STOPPING)
    if not number:
        feed = db.execute("select id from feeds where active = 0 and stopped_at is null limit 1")
        row = feed.fetchone()
        if row is None:
            return Progress(0, again=False)
        number = row["id"]
        meta.write(db, MetaName.STOPPING, number)
        db.execute("update feeds set stopped_at = ? where id = ?", [put_time(run.now), number])
    rows = run.next_entries(db, number)
    db.executemany(
        "update entries set absent_since = (select stopped_at from feeds where id = feed_id) "
        "where id = ? and absent_since is null",
        [(row["id"],) for row in rows],
    )
    if len(rows) < BATCH:
        meta.write(db, MetaName.STOPPING, 0)
    return Progress(0, again=True)


def long_stopped_feeds(db: Database, run: Run) -> Progress:
    """Delete feeds that nobody has any more; those whose articles alerted begin anew one day."""
    rows = db.execute(_LONG_STOPPED, run.values).fetchall()
    numbers = [(row["id"],) for row in rows]
    db.executemany("delete from documents where feed_id = ?", numbers)
    db.executemany(_RENEW_FEED, [(row["id"],) for row in rows if row["used"]])
    unused = [(row["id"],) for row in rows if not row["used"]]
    db.executemany("delete from feeds where id = ?", unused)
    return Progress(len(unused), len(rows) == BATCH)


def removed_subscriptions(db: Database, run: Run) -> Progress:
    """Delete subscriptions that were removed; those that alerts name stay, and are marked."""
    rows = db.execute(_REMOVED_SUBSCRIPTIONS, run.values).fetchall()
    alerted = [(row["id"],) for row in rows if row["alerted"]]
    unused = [(row["id"],) for row in rows if not row["alerted"]]
    db.executemany("update subscriptions set alerted = 1 where id = ?", alerted)
    db.executemany("delete from routes where subscription_id = ?", unused)
    db.executemany("delete from subscription_versions where subscription_id = ?", unused)
    db.executemany("delete from forecasts where subscription_id = ?", unused)
    db.executemany("delete from subscriptions where id = ?", unused)
    return Progress(len(unused), len(rows) == BATCH)


def unused_chats(db: Database, run: Run) -> Progress:
    """Delete chats that nobody let in and of which nothing is left."""
    rows = db.execute(_UNUSED_CHATS, {"after": run.unused_chats, "batch": BATCH}).fetchall()
    unused = [(row["id"],) for row in rows if row["unused"]]
    db.executemany("delete from chats where id = ?", unused)
    if rows:
        run.unused_chats = rows[-1]["id"]
    return Progress(len(unused), len(rows) == BATCH)


def unused_people(db: Database, run: Run) -> Progress:
    """Delete people to whom nobody gave access and whose chat is forgotten."""
    rows = db.execute(_UNUSED_PEOPLE, {**run.values, "after": run.unused_people}).fetchall()
    unused = [(row["user_id"],) for row in rows if row["unused"]]
    db.executemany("delete from people where user_id = ?", unused)
    if rows:
        run.unused_people = rows[-1]["user_id"]
    return Progress(len(unused), len(rows) == BATCH)


def closed_chats(db: Database, run: Run) -> Progress:
    """Drop what has waited for weeks in a chat that takes no messages, and tell the operator."""
    statement = f"{_CLOSED_CHATS} order by id limit 1"
    chat = db.execute(statement, {"after": run.closed_chats}).fetchone()
    if chat is None:
        return Progress(0, again=False)
    until = put_time(run.now - KEEP_WAITING)
    rows = db.execute(_OLD_WAITING, [chat["id"], until, BATCH]).fetchall()
    numbers = [row["id"] for row in rows]
    if numbers:
        outbox.drop(db, DropReason.WAITED_TOO_LONG, run.now, f"id in ({marks(numbers)})", numbers)
        text = phrase(
            "{chat} has taken no messages for {span}: what has waited longer is dropped. "
            "The articles stay in the search.",
            chat=chat["name"],
            span=span_phrase(KEEP_WAITING),
        )
        outbox.notify(db, notice(NoticeKind.CHAT_CLOSED, text), run.now)
    if len(numbers) < BATCH:
        run.closed_chats = chat["id"]
    return Progress(0, again=True)


def _by_time(table: str, key: str, condition: str) -> Callable[[Database, Run], Progress]:
    statement = (
        f"delete from {table} where ({key}) in "
        f"(select {key} from {table} where {condition} limit :batch)"
    )

    def step(db: Database, run: Run) -> Progress:
        count = db.execute(statement, run.values).rowcount
        return Progress(count, count == BATCH)

    return step


Step = Callable[[Database, Run], Progress]
#: in this order: what refers to a row goes before it
STEPS: tuple[Step, ...] = (
    forgotten_chats,
    done_deliveries,
    returned_feeds,
    stopped_feeds,
    old_alerts,
    old_explanations,
    old_features,
    absent_entries,
    *(_by_time(*row) for row in _BY_TIME),
    removed_subscriptions,
    long_stopped_feeds,
    unused_chats,
    unused_people,
    closed_chats,
)
