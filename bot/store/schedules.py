"""Chats whose quiet hours or digests are due, and what waits there as one message.

Decides nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.model.alerts import BundleKind, Priority
from bot.model.delivery import DeliveryKind
from bot.model.schedule import ChatSchedule, Page, SchedulePlan, WaitingStory
from bot.model.stories import Grouping
from bot.store import outbox
from bot.store.engines.engine import Database
from bot.store.mappers import get_chat, get_time, put_time, sure_time
from bot.store.sql import ALERT, IS_QUEUED, marks
from bot.store.story_publishers import count_publishers
from bot.store.unsent_alerts import raise_waiting
from bot.text.clean import HEADLINE_LENGTH

_NEVER = "9999"  # sorts behind every time

_WAITING = f"""
    select o.id, o.priority, o.created_at, a.story_id, a.grouping, a.merged_into,
        e.storyline_id, min(length(e.title), {HEADLINE_LENGTH}) as length
    from outbox o indexed by outbox_queue join outbox_alerts b on b.outbox_id = o.id
    join alerts a on a.chat_id = b.chat_id and a.story_id = b.story_id
    join entries e on e.id = a.entry_id
    where o.chat_id = ? and {IS_QUEUED} and o.kind = {ALERT}
        and o.form = '' and o.doubts = 0 and o.plain = 0
        and (o.priority = ? or (o.priority = ? and ? = 1))
        and (select count(*) from outbox_alerts where outbox_id = o.id) = 1
    order by o.id
"""
# What made the chat due since it was read (an empty `hours_at`) was not decided about.
_KEEP = """
    update chats set quiet_until = ?, digested_at = ?, next_digest_at = ?,
        hours_at = case when hours_at = '' then '' else ? end
    where id = ?
"""
_STILL_WAITING = f"""
    select id from outbox where id in ({{marks}}) and {IS_QUEUED} and form = '' and priority = ?
"""
_SET_FORM = """
    update alerts set form = ? where (chat_id, story_id) in
        (select chat_id, story_id from outbox_alerts where outbox_id = ?)
"""


def due_ids(db: Database, now: datetime, skip: Collection[int]) -> list[int]:
    """Return the ids of the chats that are due, without `skip`."""
    rows = db.execute("select id from chats where hours_at <= ?", [put_time(now)]).fetchall()
    return [row["id"] for row in rows if row["id"] not in skip]


def due(
    db: Database, now: datetime, skip: Collection[int] = (), only: int | None = None
) -> list[ChatSchedule]:
    """Return the chats that are due, with what waits in them for a digest or for quiet hours' end.

    They stay due until `keep`. Without the chats `skip`, or `only` this chat.
    """
    rows = db.execute("select * from chats where hours_at <= ?", [put_time(now)]).fetchall()
    rows = [row for row in rows if row["id"] not in skip and only in {None, row["id"]}]
    db.executemany(
        "update chats set hours_at = ? where id = ?", [(put_time(now), row["id"]) for row in rows]
    )
    return [_due(db, row, now) for row in rows]


def _due(db: Database, row: Any, now: datetime) -> ChatSchedule:
    quiet = bool(row["quiet_until"])
    rises_at = raise_waiting(db, row["id"], now)
    return ChatSchedule(
        get_chat(row),
        get_time(row["quiet_until"]),
        get_time(row["digested_at"]),
        tuple(_waiting(db, row["id"], quiet=quiet)),
        rises_at,
    )


def _waiting(db: Database, chat_id: int, *, quiet: bool) -> Iterable[WaitingStory]:
    """Alerts of one story each; normal ones only where there were quiet hours."""
    rows = db.execute(_WAITING, [chat_id, Priority.DIGEST, Priority.NORMAL, quiet]).fetchall()
    for row in rows:
        story = row["story_id"] if row["merged_into"] is None else row["merged_into"]
        publishers = count_publishers(db, chat_id, Grouping(row["grouping"]), story)
        yield WaitingStory(
            row["id"],
            row["storyline_id"],
            publishers,
            row["length"],
            row["priority"] == Priority.DIGEST,
            sure_time(row["created_at"]),
        )


def keep(db: Database, plans: Sequence[SchedulePlan], now: datetime) -> None:
    """Keep what was decided about chats that were due."""
    for plan in plans:
        for page in plan.pages:
            _gather(db, plan.chat_id, page, now)
        next_at = put_time(plan.next_at) or _NEVER
        moments = (plan.quiet_until, plan.digested_at, plan.next_digest_at)
        db.execute(_KEEP, [*map(put_time, moments), next_at, plan.chat_id])


def _gather(db: Database, chat_id: int, page: Page, now: datetime) -> None:
    """Make these deliveries one, queued behind those of earlier pages.

    Without those that became more urgent, or were dropped, since they were read.
    """
    priority = Priority.DIGEST if page.form is BundleKind.DIGEST else Priority.NORMAL
    statement = _STILL_WAITING.format(marks=marks(page.deliveries))
    rows = db.execute(statement, [*page.deliveries, priority]).fetchall()
    waiting = {row["id"] for row in rows}
    deliveries = [number for number in page.deliveries if number in waiting]
    if not deliveries:
        return
    number = outbox.insert(db, chat_id, DeliveryKind.ALERT, priority, now, form=page.form)
    db.executemany(_SET_FORM, [(page.form, delivery) for delivery in deliveries])
    outbox.move_alerts(db, deliveries, number, now)
