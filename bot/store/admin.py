"""The operator's side of the store: status, the outbox by hand, and forgetting what is no longer needed."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.model.chats import Chat
from bot.model.delivery import DeliveryKind, DeliveryState, OutboxRow
from bot.model.status import FeedStatus, Status
from bot.store.database import Writer
from bot.store.mappers import get_chat, get_feed, get_time, put_time, sure_time
from bot.store.stories import QUIET

KEEP_ABSENT = timedelta(days=90)  #: a seen entry is remembered so long after it left its feed
KEEP_SENT = timedelta(days=30)  #: deliveries that are done
# Two halves, each with the index that knows it: `state in ('queued', 'sending')` reads the deliveries of a month.
_UNDELIVERED = "(select chat_id from outbox where state = 'queued' union all select chat_id from outbox where state = 'sending' and state != 'queued')"

UNFINISHED = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.DEAD,
)


class AdminTables:
    """What `status`, `outbox` and the nightly clean-up need."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def status(self, *, brief: bool = False) -> Status:
        """The whole state; in brief, only chats in which something waits, and no count of deliveries."""
        return await self._writer.run("read the status", lambda db: read_status(db, brief=brief))

    async def outbox(self, states: Collection[DeliveryState] | None = None) -> list[OutboxRow]:
        """Deliveries in these states (by default all that are not done), oldest first, at most 200."""
        return await self._writer.run("read the outbox", lambda db: read_outbox(db, states))

    async def retry(self, ids: Sequence[int]) -> int:
        """Queue dead, undecided or dropped deliveries again (all dead ones where none is named); how many."""

        def work(db: Database) -> int:
            where, values = _named(ids, "state = 'dead'")
            db.execute(
                f"update chats set not_before = null, paused = '' where id in (select chat_id from outbox where {where} "
                "and state in ('dead', 'unknown', 'dropped', 'queued'))",
                values,
            )
            done = db.execute(
                "update outbox set state = 'queued', attempts = 0, doubts = min(doubts, 1), plain = 0, error = '', settled_at = null "
                f"where {where} and state in ('dead', 'unknown', 'dropped', 'queued') and (kind in ('notice', 'reply') "
                "or exists (select 1 from outbox_alerts where outbox_id = outbox.id))",
                values,
            )
            return done.rowcount

        return await self._writer.run("queue again", work)

    async def drop(self, ids: Sequence[int], now: datetime) -> int:
        """Give up deliveries that wait or are dead (all dead ones where none is named); how many."""

        def work(db: Database) -> int:
            where, values = _named(ids, "state = 'dead'")
            done = db.execute(
                f"update outbox set state = 'dropped', settled_at = ?, error = 'dropped by hand' where {where} "
                "and state in ('dead', 'unknown', 'queued')",
                [put_time(now), *values],
            )
            return done.rowcount

        return await self._writer.run("drop", work)

    async def prune(self, now: datetime) -> int:
        """Forget entries long absent from their feeds and deliveries long done; how many rows."""

        def work(db: Database) -> int:
            old = put_time(now - KEEP_ABSENT)
            done = put_time(now - KEEP_SENT)
            count = 0
            for statement, value in (
                (
                    "delete from outbox_alerts where outbox_id in (select id from outbox where state in ('sent', 'merged', 'dropped') "  # noqa: ISC004 (one statement)
                    "and settled_at < ?)",
                    done,
                ),
                (
                    "delete from outbox where state in ('sent', 'merged', 'dropped') and settled_at < ?",
                    done,
                ),
                (
                    "delete from revisions where entry_id in (select id from entries where absent_since < ?)",
                    old,
                ),
                (
                    "delete from joins where entry_id in (select id from entries where absent_since < ? "  # noqa: ISC004 (one statement)
                    "and not exists (select 1 from alerts where entry_id = entries.id))",
                    old,
                ),
                (
                    "delete from entries where absent_since < ? and not exists (select 1 from alerts where entry_id = entries.id)",
                    old,
                ),
                ("delete from hosts where not_before < ?", put_time(now)),
                ("delete from merges where at < ?", old),
                ("delete from stances where moved_at < ?", put_time(now - QUIET)),
                ("delete from screens where touched_at < ?", old),
                ("delete from verdicts where at < ?", old),
                ("delete from claims where expires_at < ?", put_time(now)),
            ):
                count += db.execute(statement, [value]).rowcount
            db.execute("delete from unsearched where entry_id not in (select id from entries)")
            return count

        return await self._writer.run("forget what is old", work)


def _named(ids: Sequence[int], otherwise: str) -> tuple[str, list[int]]:
    return (f"id in ({','.join('?' for _ in ids)})", list(ids)) if ids else (otherwise, [])


def read_status(db: Database, *, brief: bool = False) -> Status:
    """Also for a reader in another process."""
    feeds = db.execute(
        "select feeds.*, (select count(*) from entries where feed_id = feeds.id) as entries from feeds where active = 1 order by name"
    ).fetchall()
    chats = db.execute(
        "select chats.*, coalesce(queued, 0) as queued from chats "
        f"{'join' if brief else 'left join'} (select chat_id, count(*) as queued from {_UNDELIVERED} group by chat_id) on chat_id = chats.id "
        "where allowed = 1 order by chats.id"
    ).fetchall()
    waits: list[tuple[Chat, int, datetime | None]] = [
        (get_chat(row), row["queued"], get_time(row["not_before"])) for row in chats
    ]
    return Status(
        feeds=tuple(_feed_status(row) for row in feeds),
        chats=tuple(waits),
        subscriptions=db.execute(
            "select count(*) from subscriptions where removed_at is null"
        ).fetchone()[0],
        deliveries={}
        if brief
        else {
            DeliveryState(row["state"]): row["number"]
            for row in db.execute("select state, count(*) as number from outbox group by state")
        },
        hosts=tuple(
            (row["host"], sure_time(row["not_before"]))
            for row in db.execute("select * from hosts order by host").fetchall()
        ),
    )


def _feed_status(row: Any) -> FeedStatus:
    feed = get_feed(row)
    return FeedStatus(feed.url, feed.name, feed.every, feed.state, row["entries"])


def read_outbox(db: Database, states: Collection[DeliveryState] | None) -> list[OutboxRow]:
    """Also for a reader in another process."""
    wanted = states or UNFINISHED
    rows = db.execute(
        "select o.*, c.name as chat, coalesce((select group_concat(title, ' · ') from outbox_alerts a join alerts l using (chat_id, story_id) "
        "join entries e on e.id = l.entry_id where outbox_id = o.id), o.text) as title from outbox o join chats c on c.id = o.chat_id "
        f"where state in ({','.join('?' for _ in wanted)}) order by o.id limit 200",
        list(wanted),
    ).fetchall()
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
        )
        for row in rows
    ]
