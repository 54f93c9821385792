"""The store's side of delivering: which chats wait, claims, what was settled. Decides nothing."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from bot.model.abilities import ABILITIES
from bot.model.alerts import Priority
from bot.model.chats import ChatKind
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    NoticeIntent,
    Outage,
    Settlement,
    Waiting,
)
from bot.model.schedule import ChatSchedule, SchedulePlan
from bot.store import delivery_rows, outbox, schedules
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import get_time, put_time, sure_time
from bot.store.outages import read_outage, write_outage
from bot.store.settlements import settle
from bot.store.sql import (
    ALERT,
    COLLECTING,
    DEAD,
    IDEMPOTENT,
    IS_ANSWERED,
    IS_QUEUED,
    IS_RIPE,
    IS_SENDING,
    OVERDUE,
    QUEUED,
    SENDING,
    TELEGRAM,
)

LEASE = timedelta(minutes=5)

# The chats with something queued, each found by a step in the index: what waits behind a chat's
# first delivery costs nothing.
_CHATS_WITH_QUEUE = f"""
    waiting (chat) as (
        select min(chat_id) from outbox where {IS_QUEUED}
        union all
        select (select min(chat_id) from outbox where {IS_QUEUED} and chat_id > chat)
        from waiting where chat is not null
    )
"""
# Chats that neither Telegram's limits nor its outages concern: terminals and other services.
_ELSEWHERE = f"waiting (chat) as (select id from chats where kind != {TELEGRAM})"
# `exists` and not a condition of the join: SQLite would read all chats into a filter each time.
_ACCEPTS = """
    exists (select 1 from chats where id = chat and chats.paused = ''
        and (chats.not_before is null or chats.not_before <= :now))
"""
_WAITING = f"""
    with recursive {{chats}}
    select chat, priority, address, chats.kind as kind from waiting
    join chats on chats.id = chat
    join outbox on outbox.id = (
        select id from outbox where chat_id = chat and {IS_QUEUED} and {IS_RIPE}
        order by priority, id limit 1
    )
    where {_ACCEPTS} and chat not in (select cast(value as integer) from json_each(:busy))
    order by priority, last_sent_at nulls first, outbox.id limit :limit
"""
_WAITING_PACED = _WAITING.format(chats=_CHATS_WITH_QUEUE)
_WAITING_UNPACED = _WAITING.format(chats=_ELSEWHERE)
# Only edits wait for a time of their own. `hours_at` of a chat that waits for nothing is "9999".
_NEXT_WAIT = f"""
    with recursive {_CHATS_WITH_QUEUE}
    select min(at) from (
        select (select not_before from chats
            where id = chat and paused = '' and not_before > :now) as at from waiting
        union all
        select (select hours_at from chats
            where id = chat and hours_at > :now and hours_at < '9') from waiting
        union all
        select (select min(outbox.not_before) from outbox
            where chat_id = chat and {IS_QUEUED} and priority = {Priority.EDIT.value}
            and outbox.not_before > :now)
        from waiting where {_ACCEPTS}
    ) as waits
"""
# A delivery keeps the time of its end alone. Tries of one that is older than the span are some of
# them before it; between two that nobody answered there is more and more time.
_TRIES = """
    case when created_at > :since then attempts else min(attempts, 1 + plain + min(doubts, 2)) end
"""
_RECENT_SENDS = f"""
    select address, settled_at as at, {_TRIES} as tries
    from outbox join chats on chats.id = chat_id
    where {IS_ANSWERED} and settled_at > :since and settled_at <= :now and attempts > 0
"""
# What was tried and is not done may have arrived at any moment until now.
_UNFINISHED_SENDS = f"""
    select address, :now as at, {_TRIES} as tries from (
        select * from outbox where {IS_SENDING}
        union all select * from outbox where {IS_QUEUED} and attempts > 0
    ) as unanswered join chats on chats.id = chat_id
"""
_NEXT_OF_CHAT = f"""
    select outbox.*, chats.kind as chat_kind from outbox join chats on chats.id = chat_id
    where chat_id = :chat and {IS_QUEUED} and {IS_RIPE}
    order by priority, outbox.id limit 1
"""
_MARK_SENDING = f"""
    update outbox set state = {SENDING}, attempts = attempts + 1, lease_until = ? where id = ?
"""
_REQUEUE = f"""
    update outbox set state = {QUEUED}, error = ?, doubts = doubts + 1, lease_until = null,
        doubted_at = coalesce(doubted_at, ?)
    where {IS_SENDING}
"""
_TAKE_BACK = f"""
    update outbox set state = {QUEUED}, attempts = attempts - 1, lease_until = null
    where {IS_SENDING} and chat_id not in (select cast(value as integer) from json_each(?))
"""
_PUT_ASIDE = f"""
    update outbox set state = {DEAD}, error = ?, lease_until = null, settled_at = ? where id = ?
"""
_MERGEABLE = f"""
    select outbox.id,
        (select count(*) from outbox_alerts where outbox_id = outbox.id) as alerts
    from outbox join chats on chats.id = chat_id
    where outbox.chat_id = ? and outbox.kind = {ALERT} and {IS_QUEUED} and priority = ?
        and doubts = 0 and plain = 0 and form = '' and chats.kind in {COLLECTING}
        and (attempts = 0 or chats.kind not in {IDEMPOTENT})
    order by outbox.id limit ?
"""


class DeliveryTables:
    """Implements `ports.DeliveryStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def in_flight(self) -> list[Delivery]:
        """Return deliveries marked as being sent."""

        def work(db: Database) -> list[Delivery]:
            rows = db.execute(f"select * from outbox where {IS_SENDING} order by +id").fetchall()
            return [delivery_rows.read(db, row) for row in rows]

        return await self._writer.run("read deliveries in flight", work)

    async def waiting(
        self, now: datetime, limit: int, busy: Collection[int], *, unpaced: bool = False
    ) -> list[Waiting]:
        """Return chats with something to send, urgent first, then the longest unserved.

        `busy` are chat ids to leave out; `unpaced`: only chats that no rate limit holds for.
        """
        statement = _WAITING_UNPACED if unpaced else _WAITING_PACED
        numbers = ",".join(str(number) for number in busy)
        values = {"now": put_time(now), "limit": limit, "busy": f"[{numbers}]"}
        rows = await self._writer.fetch("read who waits", statement, values)
        return [
            Waiting(row["chat"], row["address"], row["priority"], ChatKind(row["kind"]))
            for row in rows
        ]

    async def is_overdue(self, now: datetime) -> bool:
        """Whether a delivery could have gone out `OVERDUE` ago."""
        return bool(await self.waiting(now - OVERDUE, 1, ()))

    async def next_wait(self, now: datetime) -> datetime | None:
        """Return when the next parked or quiet chat may be tried, or the next edit is due."""
        rows = await self._writer.fetch("read who waits", _NEXT_WAIT, {"now": put_time(now)})
        return get_time(rows[0][0])

    async def schedules_due(
        self, now: datetime, skip: Collection[int] = (), only: int | None = None
    ) -> list[ChatSchedule]:
        """Return chats whose quiet hours or digests have to be looked at.

        Without the chats `skip`, or `only` this chat.
        """
        return await self._writer.run(
            "read the hours of chats", lambda db: schedules.due(db, now, skip, only)
        )

    async def chats_due(self, now: datetime, skip: Collection[int]) -> list[int]:
        """Return the ids of these chats; reads nothing else of them."""
        return await self._writer.run(
            "read the hours of chats", lambda db: schedules.due_ids(db, now, skip)
        )

    async def apply_schedules(self, plans: Sequence[SchedulePlan], now: datetime) -> None:
        """Keep whether chats are quiet, and gather what waits there into one message."""
        await self._writer.run("keep the hours of chats", lambda db: schedules.keep(db, plans, now))

    async def recent_sends(self, since: datetime, now: datetime) -> list[tuple[int, datetime]]:
        """Return address and time of sends and edits that may have arrived.

        None is after `now`, when the clock was ahead; what was not settled counts as sent now.
        """
        span = {"since": put_time(since), "now": put_time(now)}
        rows = [
            row
            for statement in (_RECENT_SENDS, _UNFINISHED_SENDS)
            for row in await self._writer.fetch("read recent sends", statement, span)
        ]
        return [(row["address"], sure_time(row["at"])) for row in rows for _ in range(row["tries"])]

    async def claim_deliveries(
        self, now: datetime, chat_ids: Sequence[int], merge_from: int
    ) -> list[Delivery]:
        """Mark the next delivery of each chat as being sent and return it.

        Where `merge_from` alerts wait or more, they become one delivery.
        """

        def work(db: Database) -> list[Delivery]:
            claims = (_claim(db, chat_id, merge_from, now) for chat_id in chat_ids)
            return [delivery for delivery in claims if delivery]

        return await self._writer.run("claim deliveries", work)

    async def take_back(self, busy: Collection[int]) -> int:
        """Queue what was claimed and never begun; return how many. `busy`: chats being sent to."""
        values = [json.dumps(sorted(busy))]
        return await self._writer.run(
            "take claims back", lambda db: db.execute(_TAKE_BACK, values).rowcount
        )

    async def requeue_in_flight(self, reason: str, now: datetime) -> int:
        """Queue what is marked as being sent, as what may have arrived; return how many.

        Reads nothing of it.
        """

        def work(db: Database) -> int:
            return db.execute(_REQUEUE, [reason, put_time(now)]).rowcount

        return await self._writer.run("queue again", work)

    async def drop_late_answers(self, created_before: datetime, now: datetime) -> int:
        """Drop answers that have waited in busy groups since before; return how many."""
        return await self._writer.run(
            "drop late answers", lambda db: outbox.drop_late_answers(db, created_before, now)
        )

    async def put_aside(self, chat_id: int, reason: str, now: datetime) -> None:
        """Make the next delivery of a chat a dead letter; reads nothing of it."""

        def work(db: Database) -> None:
            row = db.execute(_NEXT_OF_CHAT, {"chat": chat_id, "now": put_time(now)}).fetchone()
            if row:
                db.execute(_PUT_ASIDE, [reason, put_time(now), row["id"]])

        await self._writer.run("put a delivery aside", work)

    async def outage(self) -> Outage | None:
        """Return since when the service takes nothing, as last kept."""
        return await self._writer.run("read the outage", read_outage)

    async def keep_outage(
        self, outage: Outage | None, notice: NoticeIntent | None, now: datetime
    ) -> None:
        """Keep whether the service takes nothing, and queue a notice about it."""

        def work(db: Database) -> None:
            write_outage(db, outage)
            if notice:
                outbox.notify(db, notice, now)

        await self._writer.run("keep the outage", work)

    async def notify(self, notice: NoticeIntent, now: datetime) -> None:
        """Queue a notice to the operator."""
        await self._writer.run("queue a notice", lambda db: outbox.notify(db, notice, now))

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """Keep the results of deliveries."""

        def work(db: Database) -> None:
            for settlement in settlements:
                settle(db, settlement, now)

        await self._writer.run("keep what became of deliveries", work)


def _claim(db: Database, chat_id: int, merge_from: int, now: datetime) -> Delivery | None:
    row = db.execute(_NEXT_OF_CHAT, {"chat": chat_id, "now": put_time(now)}).fetchone()
    if row is None:
        return None
    number = row["id"]
    if row["kind"] == DeliveryKind.ALERT:
        _merge(db, row, merge_from, now)
    db.execute(_MARK_SENDING, [put_time(now + LEASE), number])
    row = db.execute("select * from outbox where id = ?", [number]).fetchone()
    delivery = delivery_rows.read(db, row)
    if delivery.kind is DeliveryKind.EDIT:
        db.executemany(
            # Until the answer nobody knows what the message shows.
            "update alerts set edited_at = ?, shown = x'' where chat_id = ? and story_id = ?",
            [(put_time(now), chat_id, alert.story_id) for alert in delivery.alerts],
        )
    return delivery


def _merge(db: Database, first: Any, merge_from: int, now: datetime) -> None:
    """Let a delivery carry the alerts of the next ones, if the queue is too long for the chat."""
    if first["doubts"] or first["plain"] or first["form"]:
        return
    most = ABILITIES[ChatKind(first["chat_kind"])].stories
    rows = db.execute(_MERGEABLE, [first["chat_id"], first["priority"], most]).fetchall()
    sums = list(accumulate(row["alerts"] for row in rows))
    merged = [row["id"] for row, alerts in zip(rows, sums, strict=True) if alerts <= most]
    if not rows or sums[-1] < min(merge_from, most) or first["id"] not in merged:
        return
    others = [number for number in merged if number != first["id"]]
    outbox.move_alerts(db, others, first["id"], now)
