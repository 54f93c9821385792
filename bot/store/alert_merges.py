"""Merge the alerts of two stories that became one. Which alert survives is said in `stories`."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from bot.model.delivery import DeliveryState, DropReason
from bot.model.stories import Grouping, Merge
from bot.store.engines.engine import Database
from bot.store.outbox import drop, queue_edit
from bot.store.sql import ALERT, HAS_ALERTS, IS_QUEUED, marks

_TEMPORARY = -1  # a number that no story has
_STATES = f"""
    select state from outbox_alerts a join outbox o on o.id = outbox_id
    where a.chat_id = ? and story_id = ? and kind = {ALERT}
"""
_MOVE_MATCHES = """
    insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans, snippet)
    select chat_id, ?, subscription_id, entry_id, spans, snippet from alert_matches
    where chat_id = ? and story_id = ?
    on conflict do nothing
"""
_EARLIER_DUE = """
    update alerts set due_at = (
        select min(due_at) from alerts where chat_id = :chat and story_id in (:winner, :loser)
    )
    where chat_id = :chat and story_id = :winner and held = 1
"""
# The more urgent of the two is the urgency of both.
_MORE_URGENT = f"""
    update outbox set priority = min(priority, coalesce((
        select min(priority) from outbox where kind = {ALERT} and id in ({{marks}})
    ), priority))
    where kind = {ALERT} and {IS_QUEUED}
    and id in (select outbox_id from outbox_alerts where chat_id = ? and story_id = ?)
"""


_MOVE_NOTES = "update alerts set note_of = ? where chat_id = ? and note_of = ?"
_APART = """
    select g.strict_id from entries g, entries o
    where g.id = :gone and o.id = :other and g.strict_id != o.strict_id
"""
_WANTS_NOTES = """
    select 1 from alerts a join chats c on c.id = a.chat_id
    left join alert_matches m on m.chat_id = a.chat_id and m.story_id = a.story_id
    left join subscriptions s on s.id = m.subscription_id
    where a.chat_id = ? and a.story_id = ? and coalesce(
        nullif(s.developments, ''), json_extract(c.declared_settings, '$.developments'),
        json_extract(c.settings, '$.developments'), 'note'
    ) != 'edit' limit 1
"""


class _Rank(IntEnum):
    """How far an alert has come; the higher one survives."""

    UNDELIVERED = 0
    PENDING = 1
    QUEUED = 2
    SEEN = 3


def merge_alerts(db: Database, merged: Merge, now: datetime) -> None:
    """Merge the alerts of two stories in every chat."""
    left = db.execute(
        "update alerts set merged_into = ? where merged_into = ? and grouping = ? "
        "returning chat_id, story_id",
        [merged.kept, merged.gone, merged.grouping],
    ).fetchall()
    alerts = db.execute(
        "select * from alerts where coalesce(merged_into, story_id) = ? and grouping = ? "
        "and merged_into is null",
        [merged.gone, merged.grouping],
    ).fetchall()
    for alert in alerts:
        _merge(db, alert, merged.kept, now)
    for row in left:  # what they say of the message in which they go on may be another now
        _show_again(db, row["chat_id"], row["story_id"], now)


def _merge(db: Database, gone: Any, target: int, now: datetime) -> None:
    chat, number = gone["chat_id"], gone["story_id"]
    other = db.execute(
        "select * from alerts where chat_id = ? and story_id = ?", [chat, target]
    ).fetchone()
    if other is None:
        _rename(db, chat, number, target)
        return
    ranks = _rank(db, gone), _rank(db, other)
    if ranks[0] is _Rank.QUEUED <= ranks[1] and _make_note(db, gone, other):
        return
    loser, winner = (number, target) if ranks[0] <= ranks[1] else (target, number)
    both_stay = min(ranks) == _Rank.UNDELIVERED or ranks == (_Rank.SEEN, _Rank.SEEN)
    if not both_stay:
        _absorb(db, chat, loser, winner, now)
    if winner != target:
        _rename(db, chat, target, _TEMPORARY)
        _rename(db, chat, winner, target)
        _rename(db, chat, _TEMPORARY, number)
    if both_stay:
        db.execute(
            "update alerts set merged_into = ? where chat_id = ? and story_id = ?",
            [target, chat, number],
        )
        _show_again(db, chat, number, now)  # it says where it goes on
    if max(ranks) == _Rank.SEEN:
        _show_again(db, chat, target, now)


def _show_again(db: Database, chat: int, story: int, now: datetime) -> None:
    db.execute(
        "update alerts set revision = revision + 1 where chat_id = ? and story_id = ?",
        [chat, story],
    )
    queue_edit(db, chat, story, now)


def _make_note(db: Database, gone: Any, other: Any) -> bool:
    """Let an alert that waits be a note of another, if it tells what that one does not.

    Nobody has seen it: dropped, what it tells would be hidden. A chat that wants no notes has it
    in the other message.
    """
    values = {"chat": gone["chat_id"], "gone": gone["entry_id"], "other": other["entry_id"]}
    row = db.execute(_APART, values).fetchone()
    if row is None or not db.execute(_WANTS_NOTES, [gone["chat_id"], gone["story_id"]]).fetchone():
        return False
    strict = row["strict_id"]
    if strict != gone["story_id"]:
        if db.execute(
            "select 1 from alerts where chat_id = ? and story_id = ?", [gone["chat_id"], strict]
        ).fetchone():
            return False
        _rename(db, gone["chat_id"], gone["story_id"], strict)
    db.execute(
        "update alerts set grouping = ?, note_of = ? where chat_id = ? and story_id = ?",
        [Grouping.STRICT, other["story_id"], gone["chat_id"], strict],
    )
    return True


def _rank(db: Database, alert: Any) -> _Rank:
    if alert["held"]:
        return _Rank.PENDING
    if alert["message_id"] is not None:
        return _Rank.SEEN
    rows = db.execute(_STATES, [alert["chat_id"], alert["story_id"]]).fetchall()
    states = {DeliveryState(row["state"]) for row in rows}
    if DeliveryState.QUEUED in states:
        return _Rank.QUEUED
    undelivered = states & {DeliveryState.UNKNOWN, DeliveryState.DEAD}
    return _Rank.UNDELIVERED if undelivered else _Rank.SEEN


def _absorb(db: Database, chat: int, loser: int, winner: int, now: datetime) -> None:
    """Let an alert take over the matches and the urgency of one that nobody has seen."""
    db.execute(_MOVE_MATCHES, [winner, chat, loser])
    db.execute("delete from alert_matches where chat_id = ? and story_id = ?", [chat, loser])
    db.execute(_EARLIER_DUE, {"chat": chat, "winner": winner, "loser": loser})
    rows = db.execute(
        "select outbox_id from outbox_alerts where chat_id = ? and story_id = ?", [chat, loser]
    ).fetchall()
    deliveries = [row["outbox_id"] for row in rows]
    statement = _MORE_URGENT.format(marks=marks(deliveries))
    db.execute(statement, [*deliveries, chat, winner])
    db.execute("delete from outbox_alerts where chat_id = ? and story_id = ?", [chat, loser])
    drop(
        db,
        DropReason.MERGED_STORY,
        now,
        f"id in ({marks(deliveries)}) and {IS_QUEUED} and not {HAS_ALERTS}",
        deliveries,
    )
    db.execute(_MOVE_NOTES, [winner, chat, loser])
    db.execute("delete from alerts where chat_id = ? and story_id = ?", [chat, loser])


def _rename(db: Database, chat: int, old: int, new: int) -> None:
    db.defer_foreign_keys()
    for table in ("alerts", "alert_matches", "outbox_alerts"):
        db.execute(
            f"update {table} set story_id = ? where chat_id = ? and story_id = ?", [new, chat, old]
        )
    db.execute(_MOVE_NOTES, [new, chat, old])
