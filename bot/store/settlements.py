"""Keep the result of a delivery, and what it means for its chat. Decides nothing."""

from datetime import datetime
from typing import Any

from bot.i18n.phrase import phrase
from bot.model.chats import ChatKind
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    DropReason,
    NoticeKind,
    Settlement,
    notice,
)
from bot.store import alert_updates, meta, subscription_versions
from bot.store.engines.engine import Database
from bot.store.mappers import put_time
from bot.store.meta import moved_to
from bot.store.outbox import drop, notify, queue_edit
from bot.store.sql import ALERT, EDIT, HAS_ALERTS, IS_QUEUED, IS_SENDING, SECOND_ALERT
from bot.store.unsent_alerts import reconsider_delivery

_SETTLE = f"""
    update outbox set state = :state, error = :error, doubts = doubts + :doubt,
        doubted_at = case when :doubt = 1 then coalesce(doubted_at, :now) else doubted_at end,
        attempts = attempts - :uncounted, plain = max(plain, :plain),
        message_id = :message, lease_until = null, settled_at = :settled
    where id = :id and {IS_SENDING}
"""
_PUT_REFERENCE = """
    insert into message_references (chat_id, message_id, reference) values (?, ?, ?)
    on conflict (chat_id, message_id) do update set reference = excluded.reference
"""
_SHOWS_ALERTS = (DeliveryKind.ALERT, DeliveryKind.EDIT)
_REVISIONS = """
    select story_id, revision from outbox_alerts join alerts using (chat_id, story_id)
    where outbox_id = ?
"""
_LEFT_BEHIND = "select story_id from alerts where chat_id = ? and merged_into = ?"
_CHANGES_OF_ALERT = f"""
    {IS_QUEUED} and kind in ({EDIT}, {SECOND_ALERT}) and id in (
        select other.outbox_id from outbox_alerts own
        join outbox_alerts other using (chat_id, story_id) where own.outbox_id = ?
    )
"""
_PARK = """
    update chats set not_before = :until where kind = :kind and address = :address
    and (id = :id or (address != 0 and :all_topics = 1 and coalesce(not_before, '') < :until))
"""
#: tables whose rows of a chat another chat gets, and the keys that they have beside the chat's
_MOVED_TABLES = {
    "stances": "storyline_id",
    "feed_chats": "feed_id",
    "links": "user_id",
    "screens": "id",
    "verdicts": "story_id, user_id",
    "update_records": "id",
}
_MOVES_IN_CIRCLES = "Telegram sends it to another address and back."
_ALERT_TABLES = {
    "alerts": "story_id",
    "alert_matches": "story_id, subscription_id",
    "outbox_alerts": "outbox_id, story_id",
    "outbox": "id",
    "match_records": "entry_id, subscription_id",
}
_TAKE_OVER_SETTINGS = """
    update chats set grouping = coalesce(chats.grouping, old.grouping),
        digested_at = old.digested_at, hours_at = '',
        settings = case when chats.settings = '{}' then old.settings else chats.settings end
    from chats old where old.id = ? and chats.id = ?
"""
_TAKE_OVER_ROUTES = """
    insert into routes select subscription_id, ? from routes where chat_id = ?
    on conflict do nothing
"""
_FORGET_QUEUED_DOUBLES = f"""
    delete from outbox_alerts where chat_id = ?
    and outbox_id in (select id from outbox where {IS_QUEUED})
    and story_id in (select story_id from alerts where chat_id = ?)
"""


def settle(db: Database, settlement: Settlement, now: datetime) -> None:
    """Keep the result of a delivery; nothing where it is kept: the answer may have been lost."""
    if _is_put(db, settlement, now):
        _follow(db, settlement, now)


def _is_put(db: Database, settlement: Settlement, now: datetime) -> bool:
    """Whether the delivery waited for its result, which it has now."""
    values = {
        "state": settlement.state,
        "error": settlement.error,
        "doubt": settlement.doubt,
        "uncounted": not settlement.counts,
        "plain": settlement.plain,
        "message": settlement.message_id,
        "settled": put_time(now) if settlement.state is not DeliveryState.QUEUED else None,
        "now": put_time(now),
        "id": settlement.delivery.id,
    }
    return db.execute(_SETTLE, values).rowcount > 0


def _follow(db: Database, settlement: Settlement, now: datetime) -> None:
    """Keep what the result means for the chat and its alerts."""
    delivery, chat = settlement.delivery, settlement.delivery.chat
    done = settlement.state is not DeliveryState.QUEUED
    if settlement.state is DeliveryState.SENT:
        _sent(db, settlement, now)
    if settlement.reference and delivery.kind in _SHOWS_ALERTS:
        db.execute(_PUT_REFERENCE, [chat.id, settlement.message_id, settlement.reference])
    if settlement.shown:
        db.execute(
            "update alerts set shown = ? where chat_id = ? and message_id = ?",
            [settlement.shown, chat.id, settlement.message_id],
        )
    if not done:
        _queued_again(db, delivery, now)
    elif delivery.kind is DeliveryKind.EDIT:
        _edited(db, settlement, now)
    if settlement.move_to is not None:
        _move_chats(db, chat.address, settlement.move_to, now)
    if settlement.retry_at:
        _park(db, settlement, settlement.retry_at)
    if settlement.pause:
        db.execute(
            "update chats set paused = ? where kind = ? and address = ? "
            "and (address != 0 or id = ?)",
            [settlement.pause, chat.kind, chat.address, chat.id],
        )
    if settlement.notice:
        notify(db, settlement.notice, now)


def _queued_again(db: Database, delivery: Delivery, now: datetime) -> None:
    if delivery.kind is DeliveryKind.ALERT:
        # The alert will show the newest state: what was to change it is not needed any more.
        drop(db, DropReason.ALERT_REPEATED, now, _CHANGES_OF_ALERT, [delivery.id])
        alert_updates.alert_queued_again(db, delivery.id, now)
    reconsider_delivery(db, delivery.id, now)  # its subscription may be gone by now


def _edited(db: Database, settlement: Settlement, now: datetime) -> None:
    """Note that a message shows what became of its articles; tell it where it cannot."""
    delivery = settlement.delivery
    place = (delivery.chat.id, delivery.message_id, delivery.id)
    if settlement.lost or settlement.state is DeliveryState.DEAD:
        alert_updates.message_lost(db, *place, now)
    elif settlement.state is DeliveryState.SENT or settlement.error == DropReason.UNCHANGED:
        alert_updates.message_changed(db, *place)


def _sent(db: Database, settlement: Settlement, now: datetime) -> None:
    delivery = settlement.delivery
    chat_id = delivery.chat.id
    db.execute(
        "update chats set last_sent_at = ?, not_before = null where id = ?",
        [put_time(now), chat_id],
    )
    if delivery.kind is not DeliveryKind.ALERT:
        return
    sent = {alert.story_id: alert.revision for alert in delivery.alerts}
    # A story may have become another while the message was being sent: the outbox knows which.
    for row in db.execute(_REVISIONS, [delivery.id]).fetchall():
        story_id = row["story_id"]
        db.execute(
            "update alerts set message_id = ? where chat_id = ? and story_id = ?",
            [settlement.message_id, chat_id, story_id],
        )
        # It changed while it was being sent, or between two tries of which the first counts.
        is_older = delivery.shows_first_try and row["revision"]
        if sent.get(story_id) != row["revision"] or is_older:
            queue_edit(db, chat_id, story_id, now)
        for left in db.execute(_LEFT_BEHIND, [chat_id, story_id]).fetchall():
            queue_edit(db, chat_id, left["story_id"], now)  # it says where it goes on


def _park(db: Database, settlement: Settlement, until: datetime) -> None:
    """Send nothing to the chat before.

    Telegram's limits are those of an address, so that its topics wait together.
    """
    chat = settlement.delivery.chat
    values = {
        "until": put_time(until),
        "kind": chat.kind,
        "address": chat.address if settlement.move_to is None else settlement.move_to,
        "id": chat.id,
        "all_topics": not settlement.topic_only,
    }
    db.execute(_PARK, values)


def _move_chats(db: Database, old: int, new: int, now: datetime) -> None:
    """Move the chats of a group that became a supergroup, with all that waits in them.

    The numbers of its messages are not moved: in the supergroup they are other messages. Whoever
    is sent back to where it came from stays, and takes nothing until a person acts.
    """
    if moved_to(meta.moves(db), new) == old:
        db.execute(
            "update chats set paused = ? where kind = ? and address = ?",
            [_MOVES_IN_CIRCLES, ChatKind.TELEGRAM, old],
        )
        text = phrase(
            "Telegram sends the group {old} to {new} and back; its alerts are kept.",
            old=old,
            new=new,
        )
        notify(db, notice(NoticeKind.CHAT_PAUSED, text), now)
        return
    meta.write(db, f"{meta.MOVED}{old}", new)
    rows = db.execute(
        "select id, topic, operator from chats where kind = ? and address = ?",
        [ChatKind.TELEGRAM, old],
    ).fetchall()
    for row in rows:
        _forget_messages(db, row["id"])
        target = db.execute(
            "select id from chats where kind = ? and address = ? and topic = ?",
            [ChatKind.TELEGRAM, new, row["topic"]],
        ).fetchone()
        if target:
            _merge_chat(db, row, target["id"], now)
        else:
            db.execute(
                "update chats set address = ?, not_before = null where id = ?", [new, row["id"]]
            )


def _forget_messages(db: Database, chat_id: int) -> None:
    db.execute("update alerts set message_id = null where chat_id = ?", [chat_id])
    db.execute(
        "update outbox set reply_to = null, edits = min(edits, 0) "
        f"where chat_id = ? and {IS_QUEUED}",
        [chat_id],
    )
    db.execute("update outbox set message_id = null where chat_id = ?", [chat_id])


def _merge_chat(db: Database, old: Any, new: int, now: datetime) -> None:
    """Give all that a chat has to another one, which keeps what it has."""
    number = old["id"]
    db.execute(
        "update chats set operator = max(operator, ?), allowed = 1 where id = ?",
        [old["operator"], new],
    )
    known = db.execute("select 1 from chat_numbers where chat_id = ? limit 1", [new]).fetchone()
    if known is None:
        db.execute("update chat_numbers set chat_id = ? where chat_id = ?", [new, number])
    db.execute(_TAKE_OVER_ROUTES, [new, number])
    db.execute("delete from routes where chat_id = ?", [number])
    for table, keys in _MOVED_TABLES.items():
        _give(db, table, keys, number, new)
        db.execute(f"delete from {table} where chat_id = ?", [number])
    db.execute("update chats set acts_for = ? where acts_for = ?", [new, number])
    db.execute(_TAKE_OVER_SETTINGS, [number, new])
    _drop_doubles(db, number, new, now)
    db.defer_foreign_keys()
    for table, keys in _ALERT_TABLES.items():
        _give(db, table, keys, number, new)
    db.execute(
        "update chats set allowed = 0, paused = 'it became a supergroup' where id = ?", [number]
    )
    subscription_versions.note(db, now)


def _give(db: Database, table: str, keys: str, old: int, new: int) -> None:
    """Give another chat the rows of a chat that it has none of yet."""
    same = " and ".join(f"own.{key} = {table}.{key}" for key in keys.split(", "))
    db.execute(
        f"update {table} set chat_id = ? where chat_id = ? "
        f"and not exists (select 1 from {table} own where own.chat_id = ? and {same})",
        [new, old, new],
    )


def _drop_doubles(db: Database, old: int, new: int, now: datetime) -> None:
    """Let what waits in both chats wait in the new one only."""
    db.execute(_FORGET_QUEUED_DOUBLES, [old, new])
    where = f"chat_id = ? and {IS_QUEUED} and kind in ({ALERT}, {EDIT}) and not {HAS_ALERTS}"
    drop(db, DropReason.SUPERGROUP, now, where, [old])
