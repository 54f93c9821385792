"""What becomes known of articles after their alerts were sent: kept once, and told.

A reply is an alert with `note_of` and a number below zero, which no story has: quiet hours,
digests, mutes and retries hold for it as for any other. What a change is, and how a chat hears of
it, is decided in `alerts`; only here it is known what was sent.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.alerts.changes import fashion
from bot.model.abilities import ABILITIES
from bot.model.alerts import AlertUpdate, Priority
from bot.model.chats import ChatKind, Updates
from bot.model.delivery import DeliveryState, DropReason
from bot.model.stories import Grouping
from bot.model.updates import ChangeKind, UpdateFate, UpdateView
from bot.store.engines.engine import Database
from bot.store.mappers import put_time, sure_time
from bot.store.outbox import drop, queue_alert, queue_edit
from bot.store.sql import ALERT, EDIT, HAS_ALERTS, IS_QUEUED, literal, literals
from bot.store.unsent_alerts import reconsider_alert

_RECORD = """
    insert into update_records
        (entry_id, chat_id, mark, kind, title, before, status, text, at, fate)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing returning id
"""
_DECIDE = "update update_records set fate = ?, reply = ? where id = ?"
_ALERT_STATE = f"""
    select a.held, a.message_id, c.kind, (
        select json_group_array(distinct o.state) from outbox_alerts x
        join outbox o on o.id = x.outbox_id
        where x.chat_id = a.chat_id and x.story_id = a.story_id and o.kind = {ALERT}
    ) as states
    from alerts a join chats c on c.id = a.chat_id where a.chat_id = ? and a.story_id = ?
"""
_ARRIVED = {DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN}
# A reply about the same alert that nobody has seen, whether it waits to be sent or to be wanted.
_UNSEEN_REPLIES = f"""
    select a.story_id, a.held from alerts a
    where a.chat_id = :chat and a.note_of = :story and a.update_form != '' and (
        a.held = 1 or exists (
            select 1 from outbox_alerts x join outbox o on o.id = x.outbox_id
            where x.chat_id = a.chat_id and x.story_id = a.story_id
            and o.kind = {ALERT} and o.{IS_QUEUED}))
    order by a.story_id limit 1
"""
_INSERT_REPLY = """
    insert into alerts (chat_id, story_id, entry_id, first_title, created_at, grouping, followed,
        note_of, update_form)
    select :chat, :reply, id, title, :now, :grouping, :followed, :story, :form
    from entries where id = :entry
"""
# Who wanted the alert may want to hear what became of it.
_INSERT_MATCHES = """
    insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans)
    select chat_id, :reply, subscription_id, :entry, '[]' from alert_matches
    where chat_id = :chat and story_id = :story
"""
_CHANGE_REPLY = f"""
    update alerts set revision = revision + 1, held = 0, due_at = null,
        update_form = case when {literal(Updates.ALERT)} in (update_form, :form)
            then {literal(Updates.ALERT)} else :form end
    where chat_id = :chat and story_id = :reply
"""
_RAISE = f"""
    update outbox set priority = min(priority, :priority)
    where kind = {ALERT} and form = '' and {IS_QUEUED} and id in
        (select outbox_id from outbox_alerts where chat_id = :chat and story_id = :reply)
"""
# A withdrawal is said before a correction, as the alert's message does, and both before progress.
_VIEW = f"""
    select *, (
        select before from update_records f where f.chat_id = r.chat_id and f.reply = r.reply
        order by f.id limit 1
    ) as first_before
    from update_records r where chat_id = ? and reply = ?
    order by case kind when {literal(ChangeKind.WITHDRAWN)} then 0
        when {literal(ChangeKind.CORRECTED)} then 1 else 2 end, id desc limit 1
"""
_OF_MESSAGE = """
    select {column} from alerts where chat_id = :chat and update_form = ''
    and (message_id = :message or story_id in (
        select story_id from outbox_alerts where outbox_id = :delivery))
"""
_ENTRIES = _OF_MESSAGE.format(column="entry_id")
# Of what became known after an edit began, another one is queued.
_SHOWN = f"""
    update update_records set fate = {literal(UpdateFate.SHOWN)}
    where chat_id = :chat and fate = {literal(UpdateFate.EDITED)} and entry_id in ({_ENTRIES})
    and not exists (
        select 1 from outbox_alerts x join outbox o on o.id = x.outbox_id
        where x.chat_id = :chat and x.story_id in ({_OF_MESSAGE.format(column="story_id")})
        and o.kind = {EDIT} and o.{IS_QUEUED})
"""
_UNSHOWN = f"""
    select r.id, r.entry_id, a.story_id from update_records r
    join alerts a on a.chat_id = r.chat_id and a.entry_id = r.entry_id and a.update_form = ''
    where r.chat_id = :chat and r.fate = {literal(UpdateFate.EDITED)}
    and r.kind in {literals(ChangeKind.WITHDRAWN, ChangeKind.CORRECTED)}
    and r.entry_id in ({_ENTRIES}) order by r.id
"""
# The replies about what a delivery carries that nobody has seen.
_REPLIES_OF_DELIVERY = f"""
    select reply.chat_id, reply.story_id from outbox_alerts own
    join alerts reply on reply.chat_id = own.chat_id and reply.note_of = own.story_id
    where own.outbox_id = ? and reply.update_form != '' and exists (
        select 1 from outbox_alerts x join outbox o on o.id = x.outbox_id
        where x.chat_id = reply.chat_id and x.story_id = reply.story_id
        and o.kind = {ALERT} and o.{IS_QUEUED} and o.attempts = 0)
"""
_DELIVERIES = "select outbox_id from outbox_alerts where chat_id = ? and story_id = ?"
_FORGET_REPLY = (
    "delete from outbox_alerts where chat_id = ? and story_id = ?",
    "delete from alert_matches where chat_id = ? and story_id = ?",
    "delete from alerts where chat_id = ? and story_id = ?",
)
_NEVER_SENT = f"""
    update update_records set fate = {literal(UpdateFate.UNSENT)}, reply = null
    where chat_id = ? and reply = ?
"""


# What edits were to show, the alert shows that is sent again.
_SHOWN_AGAIN = f"""
    update update_records set fate = {literal(UpdateFate.UNSENT)}
    where fate = {literal(UpdateFate.EDITED)} and (chat_id, entry_id) in (
        select a.chat_id, a.entry_id from outbox_alerts x
        join alerts a on a.chat_id = x.chat_id and a.story_id = x.story_id
        where x.outbox_id = ? and a.update_form = '')
"""


def withdraw(db: Database, entry_id: int, now: datetime) -> None:
    """Mark an entry that its publisher took back, and let the messages of its alerts say so."""
    marked = db.execute(
        "update entries set withdrawn_at = ? where id = ? and withdrawn_at is null",
        [put_time(now), entry_id],
    )
    if not marked.rowcount:
        return
    rows = db.execute(
        "select chat_id, story_id from alerts where entry_id = ? and held = 0 and update_form = ''",
        [entry_id],
    ).fetchall()
    for row in rows:
        db.execute(
            "update alerts set revision = revision + 1 where chat_id = ? and story_id = ?",
            [row["chat_id"], row["story_id"]],
        )
        queue_edit(db, row["chat_id"], row["story_id"], now)


def tell(db: Database, updates: Iterable[AlertUpdate], now: datetime) -> None:
    """Keep changes of articles, and queue the replies that say so; a change is told once."""
    for update in updates:
        change = update.change
        known = db.execute(
            _RECORD,
            [
                *(update.entry_id, update.chat_id, change.mark, change.kind, change.title),
                *(change.before, change.status, change.text, put_time(now), UpdateFate.UNSENT),
            ],
        ).fetchone()
        alert = db.execute(_ALERT_STATE, [update.chat_id, update.story_id]).fetchone()
        if known is None or alert is None or not _was_sent(alert):
            continue
        number = int(known["id"])
        form, fate = _decided(update, alert)
        reply = None
        if fate is UpdateFate.TOLD:
            values = _values(update.chat_id, update.story_id, update.entry_id, form, now)
            values["followed"] = update.followed
            reply = _put_reply(db, number, values, _priority(update, form), now)
        db.execute(_DECIDE, [fate, reply, number])


def _was_sent(alert: Any) -> bool:
    """Whether an alert arrived, may have arrived, or is on its way as it was before."""
    if alert["held"]:
        return False
    states = {DeliveryState(state) for state in json.loads(alert["states"])}
    is_kept = alert["message_id"] is not None or not states
    return DeliveryState.QUEUED not in states and (is_kept or bool(states & _ARRIVED))


def _decided(update: AlertUpdate, alert: Any) -> tuple[Updates, UpdateFate]:
    states = json.loads(alert["states"])
    can_change = ABILITIES[ChatKind(alert["kind"])].edits
    is_at_hand = alert["message_id"] is not None or DeliveryState.SENDING in states
    kind = update.change.kind
    form = fashion(kind, update.chosen, can_change=can_change, is_at_hand=is_at_hand)
    if form is Updates.EDIT:
        return form, UpdateFate.EDITED if can_change and is_at_hand else UpdateFate.UNTOLD
    if update.muted:
        return form, UpdateFate.MUTED
    return form, UpdateFate.TOLD if update.wanted else UpdateFate.UNWANTED


def _priority(update: AlertUpdate, form: Updates) -> Priority:
    if form is Updates.ALERT:
        return update.priority
    return max(update.priority, Priority.NORMAL)


def _values(chat: int, story: int, entry: int, form: Updates, now: datetime) -> dict[str, Any]:
    return {
        "chat": chat,
        "story": story,
        "entry": entry,
        "form": form,
        "grouping": Grouping.STRICT,
        "now": put_time(now),
        "followed": False,
    }


def _put_reply(
    db: Database, record: int, values: dict[str, Any], priority: Priority, now: datetime
) -> int:
    """Queue a reply, or let one that nobody has seen say this as well; return its number."""
    unseen = db.execute(_UNSEEN_REPLIES, values).fetchone()
    reply = unseen["story_id"] if unseen else -(record + 1)
    values = {**values, "reply": reply, "priority": priority}
    if unseen is None:
        db.execute(_INSERT_REPLY, values)
        db.execute(_INSERT_MATCHES, values)
    else:
        db.execute(_CHANGE_REPLY, values)
        db.execute(_RAISE, values)
    if unseen is None or unseen["held"]:
        queue_alert(db, values["chat"], [reply], priority, now)
    reconsider_alert(db, values["chat"], reply, now)
    return int(reply)


def view(db: Database, chat_id: int, reply: int, note_of: int, form: str) -> UpdateView | None:
    """Return what a reply says; None where that is no longer stored."""
    row = db.execute(_VIEW, [chat_id, reply]).fetchone()
    if row is None:
        return None
    return UpdateView(
        ChangeKind(row["kind"]),
        note_of,
        row["title"],
        row["first_before"] or row["before"],
        row["status"],
        row["text"],
        sure_time(row["at"]),
        loud=form == Updates.ALERT,
    )


def message_changed(db: Database, chat_id: int, message_id: int | None, delivery_id: int) -> None:
    """Note that a message shows what became of its articles."""
    db.execute(_SHOWN, {"chat": chat_id, "message": message_id, "delivery": delivery_id})


def message_lost(
    db: Database, chat_id: int, message_id: int | None, delivery_id: int, now: datetime
) -> None:
    """Tell by replies what a message was to show that cannot be changed any more."""
    place = {"chat": chat_id, "message": message_id, "delivery": delivery_id}
    for row in db.execute(_UNSHOWN, place).fetchall():
        values = _values(chat_id, row["story_id"], row["entry_id"], Updates.NOTE, now)
        reply = _put_reply(db, row["id"], values, Priority.NORMAL, now)
        db.execute(_DECIDE, [UpdateFate.TOLD, reply, row["id"]])


def alert_queued_again(db: Database, delivery_id: int, now: datetime) -> None:
    """Take back replies about alerts that are sent again: those show it themselves."""
    for row in db.execute(_REPLIES_OF_DELIVERY, [delivery_id]).fetchall():
        reply = [row["chat_id"], row["story_id"]]
        deliveries = db.execute(_DELIVERIES, reply).fetchall()
        for statement in _FORGET_REPLY:
            db.execute(statement, reply)
        for item in deliveries:
            where = f"id = ? and {IS_QUEUED} and not {HAS_ALERTS}"
            drop(db, DropReason.ALERT_REPEATED, now, where, [item["outbox_id"]])
        db.execute(_NEVER_SENT, reply)
    db.execute(_SHOWN_AGAIN, [delivery_id])
