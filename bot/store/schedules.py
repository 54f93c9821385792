"""Chats whose quiet hours or digests are to be looked at, and what waits there becoming one message. Decides nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.model.alerts import BundleKind, Priority
from bot.model.delivery import DeliveryKind
from bot.model.schedule import ChatSchedule, Page, SchedulePlan, WaitingStory
from bot.model.stories import Grouping
from bot.store.mappers import get_chat, get_time, marks, put_time, sure_time
from bot.store.stories import LEVELS

_NEVER = "9999"  # sorts behind every time


def due(db: Database, now: datetime) -> list[ChatSchedule]:
    """The chats whose time has come, with what waits in them to be told together.

    They stay due until `keep`. What makes `hours_at` empty meanwhile is seen there: it was not decided about.
    """
    rows = db.execute("select * from chats where hours_at <= ?", [put_time(now)]).fetchall()
    db.conn.executemany(
        "update chats set hours_at = ? where id = ?", [(put_time(now), row["id"]) for row in rows]
    )
    return [
        ChatSchedule(
            get_chat(row),
            get_time(row["quiet_until"]),
            get_time(row["digested_at"]),
            tuple(_waiting(db, row["id"], get_time(row["quiet_until"]))),
        )
        for row in rows
    ]


def _waiting(db: Database, chat_id: int, quiet: datetime | None) -> Iterable[WaitingStory]:
    """Alerts of one story each; those for the end of quiet hours only where there were such."""
    rows = db.execute(
        "select o.id, o.priority, o.created_at, a.story_id, a.grouping, a.merged_into, e.storyline_id, length(e.title) as length from outbox o "
        "join outbox_alerts b on b.outbox_id = o.id join alerts a using (chat_id, story_id) join entries e on e.id = a.entry_id "
        "where o.chat_id = ? and o.state = 'queued' and o.kind = 'alert' and o.form = '' and o.doubts = 0 and o.plain = 0 "
        "and (o.priority = ? or (o.priority = ? and ?)) "
        "and (select count(*) from outbox_alerts where outbox_id = o.id) = 1 order by o.id",
        [chat_id, Priority.DIGEST, Priority.NORMAL, quiet is not None],
    ).fetchall()
    for row in rows:
        column = LEVELS[Grouping(row["grouping"])]
        story = row["story_id"] if row["merged_into"] is None else row["merged_into"]
        publishers = db.execute(
            f"select count(distinct origin) from entries where {column} = ?", [story]
        ).fetchone()[0]
        digest = row["priority"] == Priority.DIGEST
        yield WaitingStory(
            row["id"],
            row["storyline_id"],
            publishers,
            row["length"],
            digest,
            sure_time(row["created_at"]),
        )


def keep(db: Database, plans: Sequence[SchedulePlan], now: datetime) -> None:
    """What was decided about them."""
    for one in plans:
        for page in one.pages:
            _gather(db, one.chat_id, page, now)
        db.execute(
            "update chats set quiet_until = ?, digested_at = ?, hours_at = case when hours_at = '' then '' else ? end where id = ?",
            [
                put_time(one.quiet_until),
                put_time(one.digested_at),
                put_time(one.next_at) or _NEVER,
                one.chat_id,
            ],
        )


def _gather(db: Database, chat_id: int, page: Page, now: datetime) -> None:
    """These deliveries become one, behind those of earlier pages; but none that became more urgent, or was dropped, since they were read."""
    priority = Priority.DIGEST if page.form is BundleKind.DIGEST else Priority.NORMAL
    left = f"select id from outbox where id in ({marks(page.deliveries)}) and state = 'queued' and form = '' and priority = ?"
    still = {row["id"] for row in db.execute(left, [*page.deliveries, priority]).fetchall()}
    deliveries = [one for one in page.deliveries if one in still]
    if not deliveries:
        return
    number = db.execute(
        "insert into outbox (chat_id, kind, priority, form, created_at) values (?, ?, ?, ?, ?)",
        [chat_id, DeliveryKind.ALERT, priority, page.form, put_time(now)],
    ).lastrowid
    moved: list[Any] = [(number, one) for one in deliveries]
    db.conn.executemany(
        "update alerts set form = ? where exists (select 1 from outbox_alerts b where b.outbox_id = ? and b.chat_id = alerts.chat_id "
        "and b.story_id = alerts.story_id)",
        [(page.form, one) for one in deliveries],
    )
    db.conn.executemany("update outbox_alerts set outbox_id = ? where outbox_id = ?", moved)
    db.conn.executemany(
        "update outbox set state = 'merged', settled_at = ?, error = ? where id = ?",
        [(put_time(now), f"sent together with {number}", one) for one in deliveries],
    )
