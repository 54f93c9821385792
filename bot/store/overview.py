"""What the operator looks at: the state and the outbox. Reads only, also for other processes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from bot.model.delivery import DeliveryKind, DeliveryState, OutboxRow
from bot.model.hosts import HostStatus
from bot.model.nodes import Sharing
from bot.model.status import Status
from bot.store import meta
from bot.store.engines.engine import Database
from bot.store.feed_lists import feed_status
from bot.store.mappers import get_chat, get_time, sure_time
from bot.store.meta import MetaName
from bot.store.nodes import read_sharing
from bot.store.outages import read_outage
from bot.store.sql import IS_QUEUED, IS_SENDING, QUEUED, marks
from bot.store.waiting import read_waits

_OUTBOX_ROWS = 200  # of `outbox list`, at most
UNFINISHED = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.DEAD,
)

_FEEDS = """
    select feeds.*, (select not_before from hosts where hosts.host = feeds.host) as host_not_before
    from feeds where active = 1 order by name
"""
_COUNTS = f"""
    select {QUEUED} as state, count(*) as number from outbox where {IS_QUEUED}
    union all
    select state, count(*) from outbox where state != {QUEUED} group by state
"""
# Two halves, each with its own index: with `state in (queued, sending)` SQLite would read the
# deliveries of a month.
_CHATS = f"""
    select chats.*, coalesce(waiting.queued, 0) as queued from chats
    {{join}} (
        select chat_id, count(*) as queued from (
            select chat_id from outbox where {IS_QUEUED}
            union all select chat_id from outbox where {IS_SENDING}
        ) as unfinished group by chat_id
    ) waiting on chat_id = chats.id
    where allowed = 1 or waiting.queued > 0 order by chats.id
"""
_ALL_CHATS = _CHATS.format(join="left join")
_WAITING_CHATS = _CHATS.format(join="join")
_OUTBOX = f"""
    select o.*, c.name as chat, coalesce((
        select group_concat(title, ' · ') from outbox_alerts join alerts a using (chat_id, story_id)
        join entries e on e.id = a.entry_id where outbox_id = o.id
    ), o.text) as title
    from outbox o join chats c on c.id = o.chat_id where o.id in (
        select id from outbox where ? = 1 and {IS_QUEUED}
        union all
        select id from outbox where state in ({{marks}}) and state != {QUEUED}
    )
    order by o.id limit ?
"""
_LAST_POLL = "select max(last_poll_at) from feeds where active = 1"


def read_clock_seen(db: Database) -> datetime | None:
    """Read when newsbell is last known to have run; also for a reader in another process."""
    seen = meta.read(db, MetaName.CLOCK_SEEN)
    return get_time(seen or db.execute(_LAST_POLL).fetchone()[0])


def read_status(db: Database, *, brief: bool = False, without_feeds: bool = False) -> Status:
    """Read the state; also for a reader in another process."""
    chats = db.execute(_WAITING_CHATS if brief else _ALL_CHATS).fetchall()
    hosts = db.execute("select * from hosts order by host").fetchall()
    subscriptions = db.execute(
        "select count(*) from subscriptions where removed_at is null"
    ).fetchone()[0]
    return Status(
        feeds=() if without_feeds else tuple(map(feed_status, db.execute(_FEEDS).fetchall())),
        chats=tuple((get_chat(row), row["queued"], get_time(row["not_before"])) for row in chats),
        subscriptions=subscriptions,
        deliveries={} if brief else _delivery_counts(db),
        hosts=tuple(
            HostStatus(
                row["host"],
                sure_time(row["not_before"]),
                row["reason"],
                timedelta(seconds=row["interval"]),
                row["refusals"],
            )
            for row in hosts
        ),
        outage=read_outage(db),
        sharing=Sharing() if brief else read_sharing(db),
    )


def _delivery_counts(db: Database) -> dict[DeliveryState, int]:
    rows = db.execute(_COUNTS).fetchall()
    return {DeliveryState(row["state"]): row["number"] for row in rows if row["number"]}


def read_outbox(
    db: Database, now: datetime, states: Collection[DeliveryState] | None
) -> list[OutboxRow]:
    """Read deliveries; also for a reader in another process."""
    states = states or UNFINISHED
    values = [DeliveryState.QUEUED in states, *states, _OUTBOX_ROWS]
    rows = db.execute(_OUTBOX.format(marks=marks(states)), values).fetchall()
    waits = read_waits(db, [row["id"] for row in rows], now)
    return [
        OutboxRow(
            row["id"],
            DeliveryState(row["state"]),
            DeliveryKind(row["kind"]),
            row["chat"],
            row["title"],
            row["attempts"],
            sure_time(row["created_at"]),
            row["error"],
            waits.get(row["id"]),
        )
        for row in rows
    ]
