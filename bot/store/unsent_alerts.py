"""Bring alerts that nobody has seen in line with what their chats want now.

Every transaction that changes a subscription, a stance or who is allowed ends with this. What no
subscription in force wants any more is withdrawn: it becomes a pending alert, which goes out if
the subscription, or another one, wants it again. What is pending and may go out is queued.
Whether an alert may go out is decided in `alerts.readiness`.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.readiness import Claim, Readiness, UnsentAlert, readiness
from bot.model.alerts import Priority, Stance, UnsentMatch
from bot.model.chats import AlertOptions, Updates, Urgency
from bot.model.delivery import DeliveryKind, DropReason
from bot.model.stories import Grouping
from bot.store.bodies import PACKED
from bot.store.engines.engine import Database
from bot.store.mappers import get_article, put_time, sure_time
from bot.store.outbox import drop, queue_alert
from bot.store.page_terms import TERMS
from bot.store.sql import (
    ALERT,
    DROPPED,
    HAS_ALERTS,
    IS_QUEUED,
    QUEUED,
    SECOND_ALERT,
    STORY_COLUMNS,
    literals,
)
from bot.store.story_publishers import count_publishers

#: a storyline without entries for this long is neither followed nor muted any more
QUIET = timedelta(hours=48)
#: an alert older than this comes back only if its story goes on
RETURNS_WITHIN = timedelta(hours=48)

_COLUMNS = """
    a.chat_id, a.story_id, a.grouping, a.merged_into, a.followed, a.created_at, a.due_at,
    a.note_of, a.update_form, (
        select stance from stances t where t.storyline_id = e.storyline_id
        and t.chat_id = a.chat_id and moved_at > :quiet
    ) as stance, (
        select json_group_array(
            json_array(first_seen_at, urgency, publishers, or_after, ring_again_at))
        from alert_matches m join entries x on x.id = m.entry_id
        join subscriptions s on s.id = m.subscription_id
        join routes r on r.subscription_id = s.id and r.chat_id = m.chat_id
        where m.chat_id = a.chat_id and m.story_id = a.story_id
        and removed_at is null and s.paused = 0
    ) as claims
"""
_CONCERNED = """
    (cast(:subscriptions as text) is null or exists (
        select 1 from alert_matches k where k.chat_id = a.chat_id and k.story_id = a.story_id
        and k.subscription_id in (select cast(value as integer) from json_each(:subscriptions))
    ))
"""
_QUEUED = f"""
    select o.id as delivery_id, o.kind, o.priority, o.form, o.doubts,
        (select count(*) from outbox_alerts where outbox_id = o.id) as alerts, {_COLUMNS}
    from outbox o join outbox_alerts b on b.outbox_id = o.id
    join alerts a on a.chat_id = b.chat_id and a.story_id = b.story_id
    join entries e on e.id = a.entry_id
    where {{which}} and o.{IS_QUEUED} and o.kind in ({ALERT}, {SECOND_ALERT}) and {_CONCERNED}
"""
_QUEUED_OF_CHAT = _QUEUED.format(which="o.chat_id = :chat")
_QUEUED_DELIVERY = _QUEUED.format(which="o.id = :delivery")
_QUEUED_ALERT = _QUEUED.format(
    which="o.id in (select outbox_id from outbox_alerts where chat_id = :chat "
    "and story_id = :story)"
)
# What waits for a digest, or for the end of quiet hours, and may become more urgent with time.
_RISING = _QUEUED.format(
    which=f"""o.chat_id = :chat and o.form = '' and o.kind = {ALERT}
    and o.priority in ({Priority.NORMAL.value}, {Priority.DIGEST.value}) and exists (
        select 1 from alert_matches w join subscriptions v on v.id = w.subscription_id
        where w.chat_id = a.chat_id and w.story_id = a.story_id and v.or_after is not null
    )"""
)
_PENDING = f"""
    select {_COLUMNS} from alerts a join entries e on e.id = a.entry_id
    where a.held = 1 and a.chat_id = :chat and {{which}} and {_CONCERNED}
"""
_RECENT_PENDING = _PENDING.format(which="a.created_at > :since")
_DUE_PENDING = _PENDING.format(which="a.due_at > '' and a.created_at <= :since")
_PENDING_ALERT = _PENDING.format(which="a.story_id = :story")
_WITHDRAWN = (DropReason.WITHDRAWN, DropReason.MUTED)
_SECOND_ALERTS = f"""
    select o.id as delivery_id, {_COLUMNS}
    from outbox o indexed by outbox_state join outbox_alerts b on b.outbox_id = o.id
    join alerts a on a.chat_id = b.chat_id and a.story_id = b.story_id
    join entries e on e.id = a.entry_id
    where o.state = {DROPPED} and o.state != {QUEUED} and o.settled_at > :since
    and o.chat_id = :chat and o.kind = {SECOND_ALERT} and o.error in {literals(*_WITHDRAWN)}
    and {_CONCERNED}
"""
_DOUBTS = f"""
    select max(doubts) from outbox_alerts b join outbox o on o.id = b.outbox_id
    where b.chat_id = ? and b.story_id = ? and o.kind = {ALERT} and o.state = {DROPPED}
"""
_FORGET_MATCHES = f"""
    delete from alert_matches where chat_id = :chat and subscription_id = :subscription
    and story_id in (
        select story_id from alerts where chat_id = :chat and held = 1
        union
        select b.story_id from outbox o join outbox_alerts b on b.outbox_id = o.id
        where o.chat_id = :chat and o.{IS_QUEUED} and o.kind = {ALERT}
    )
"""
_ARTICLES_LIMIT = 50  # of a story, that a changed query is tried on
# What waits, by chat: `alert_matches` has no index by subscription, and grows with the years.
_UNSENT_MATCHES = f"""
    with chosen (chat_id) as (
        select distinct chat_id from routes
        where subscription_id in (select cast(value as integer) from json_each(:subscriptions))
    ), unsent (chat_id, story_id) as (
        select b.chat_id, b.story_id from chosen join outbox o on o.chat_id = chosen.chat_id
        join outbox_alerts b on b.outbox_id = o.id
        where o.{IS_QUEUED} and o.kind in ({ALERT}, {SECOND_ALERT})
        union
        select a.chat_id, a.story_id from chosen join alerts a on a.chat_id = chosen.chat_id
        where a.held = 1 and a.created_at > :since
        union
        select a.chat_id, a.story_id from chosen join alerts a on a.chat_id = chosen.chat_id
        where a.held = 1 and a.due_at > ''
    )
    select m.chat_id, m.story_id, m.subscription_id, a.grouping, a.merged_into, a.entry_id,
        a.update_form
    from unsent join alert_matches m on m.chat_id = unsent.chat_id
        and m.story_id = unsent.story_id
    join alerts a on a.chat_id = m.chat_id and a.story_id = m.story_id
    where m.subscription_id in (select cast(value as integer) from json_each(:subscriptions))
"""
_ARTICLES = f"""
    select e.title, e.summary, e.language, e.link, e.author, e.source, e.categories, {PACKED},
        {TERMS},
        f.url as feed_url, f.name as feed_name, f.publisher, f.tags
    from entries e join feeds f on f.id = e.feed_id
    where e.{{column}} = ? order by e.id desc limit ?
"""


@dataclass(frozen=True, slots=True)
class _Scope:
    """The alerts that a change concerns."""

    chat_id: int
    now: datetime
    subscriptions: Collection[int] | None = None  #: those matched by these; None: all
    delivery_id: int = 0
    story_id: int = 0

    @property
    def values(self) -> dict[str, Any]:
        numbers = self.subscriptions
        return {
            "chat": self.chat_id,
            "quiet": put_time(self.now - QUIET),
            "since": put_time(self.now - RETURNS_WITHIN),
            "subscriptions": None if numbers is None else json.dumps(sorted(numbers)),
            "delivery": self.delivery_id,
            "story": self.story_id,
        }


def reconsider(
    db: Database,
    chats: Iterable[int],
    now: datetime,
    subscriptions: Collection[int] | None = None,
) -> None:
    """Withdraw what waits in these chats unwanted, and queue what may go out.

    Only alerts that one of the `subscriptions` matched, where those are given. What waits gets the
    priority of those that are in force.
    """
    for chat_id in sorted(set(chats)):
        scope = _Scope(chat_id, now, subscriptions)
        _withdraw(db, _QUEUED_OF_CHAT, scope)
        allowed = db.execute("select allowed from chats where id = ?", [chat_id]).fetchone()
        if allowed and allowed["allowed"]:
            _release(db, scope)


def release_ready(db: Database, chats: Iterable[int], now: datetime) -> None:
    """Queue what waits in these chats and may go out at once; nothing else changes.

    When a wait ends is not decided anew: it may have begun by a clock that was wrong.
    """
    for chat_id in sorted(set(chats)):
        for row in db.execute(_RECENT_PENDING, _Scope(chat_id, now).values).fetchall():
            ready = _readiness(db, row, now, follows=False)
            if ready.priority is not None and ready.due_at is None:
                _queue(db, row, ready.priority, now)


def raise_waiting(db: Database, chat_id: int, now: datetime) -> datetime | None:
    """Let what a more urgent subscription has waited long enough for go out with its priority.

    Return when the next one of the chat rises so, out of the digest or in quiet hours. Nothing is
    withdrawn: a wait may have begun by a clock that was wrong.
    """
    moments: list[datetime] = []
    for row in db.execute(_RISING, _Scope(chat_id, now).values).fetchall():
        ready = _readiness(db, row, now)
        if ready.priority is not None and ready.priority < row["priority"]:
            _change_priority(db, row, ready.priority)
            db.execute(
                "update alerts set single = 1 where chat_id = ? and story_id = ?",
                [chat_id, row["story_id"]],
            )
        moments += [ready.rises_at] if ready.rises_at else []
    return min(moments, default=None)


def reconsider_delivery(db: Database, delivery_id: int, now: datetime) -> None:
    """Withdraw what a delivery that waits again carries unwanted."""
    _withdraw(db, _QUEUED_DELIVERY, _Scope(0, now, delivery_id=delivery_id))


def reconsider_alert(db: Database, chat_id: int, story_id: int, now: datetime) -> None:
    """Withdraw an alert if nobody wants it any more; what is pending waits for those that do."""
    scope = _Scope(chat_id, now, story_id=story_id)
    for row in db.execute(_PENDING_ALERT, scope.values).fetchall():
        _wait(db, row, _readiness(db, row, now, follows=False))
    _withdraw(db, _QUEUED_ALERT, scope)


def forget_matches(db: Database, chat_id: int, subscription_id: int) -> None:
    """Let a subscription no longer want the alerts of a chat that nobody has seen."""
    db.execute(_FORGET_MATCHES, {"chat": chat_id, "subscription": subscription_id})


def unsent_matches(
    db: Database, subscriptions: Collection[int], now: datetime
) -> list[UnsentMatch]:
    """Return what these subscriptions want of what waits, with the articles of the stories."""
    values = {
        "subscriptions": json.dumps(sorted(subscriptions)),
        "since": put_time(now - RETURNS_WITHIN),
    }
    matches = []
    for row in db.execute(_UNSENT_MATCHES, values).fetchall():
        column, number = STORY_COLUMNS[Grouping(row["grouping"])], _story(row)
        if row["update_form"]:  # a reply about an article is of that alone
            column, number = "id", row["entry_id"]
        statement = _ARTICLES.format(column=column)
        articles = db.execute(statement, [number, _ARTICLES_LIMIT]).fetchall()
        matches.append(
            UnsentMatch(
                row["chat_id"],
                row["story_id"],
                row["subscription_id"],
                tuple(get_article(article) for article in articles),
            )
        )
    return matches


def withdraw_matches(db: Database, matches: Iterable[UnsentMatch], now: datetime) -> None:
    """Let subscriptions no longer want these alerts, unless they were sent meanwhile."""
    for match in matches:
        chat_id, story_id = match.chat_id, match.story_id
        sent = db.execute(
            "select 1 from alerts where chat_id = ? and story_id = ? and message_id is not null",
            [chat_id, story_id],
        ).fetchone()
        if sent is None:
            db.execute(
                "delete from alert_matches "
                "where chat_id = ? and story_id = ? and subscription_id = ?",
                [chat_id, story_id, match.subscription_id],
            )
            reconsider_alert(db, chat_id, story_id, now)


def read_claims(packed: str) -> tuple[Claim, ...]:
    """Return the subscriptions that want an alert, of which a statement made one array."""
    return tuple(_claim(*values) for values in json.loads(packed))


def _withdraw(db: Database, statement: str, scope: _Scope) -> None:
    for row in db.execute(statement, scope.values).fetchall():
        ready = _readiness(db, row, scope.now)
        is_second = row["kind"] == DeliveryKind.AGAIN
        if is_second:
            if ready.priority is None or not ready.again:
                _drop_delivery(db, row, scope.now)
        elif ready.priority is None:
            _make_pending(db, row, ready, scope.now)
        else:
            _change_priority(db, row, ready.priority)
            if ready.rises_at:
                db.execute("update chats set hours_at = '' where id = ?", [row["chat_id"]])


def _make_pending(db: Database, row: Any, ready: Readiness, now: datetime) -> None:
    alert = [row["chat_id"], row["story_id"]]
    if row["doubts"] and row["alerts"] == 1:
        _drop_delivery(db, row, now)  # it says that the alert may have arrived
    else:
        db.execute(
            "delete from outbox_alerts where outbox_id = ? and chat_id = ? and story_id = ?",
            [row["delivery_id"], *alert],
        )
        where = f"id = ? and not {HAS_ALERTS}"
        drop(db, _reason(row), now, where, [row["delivery_id"]])
    db.execute(
        "update alerts set held = 1, due_at = ?, form = '' where chat_id = ? and story_id = ?",
        [put_time(ready.due_at), *alert],
    )


def _drop_delivery(db: Database, row: Any, now: datetime) -> None:
    drop(db, _reason(row), now, "id = ?", [row["delivery_id"]])


def _reason(row: Any) -> DropReason:
    return DropReason.MUTED if row["stance"] == Stance.MUTE else DropReason.WITHDRAWN


def _change_priority(db: Database, row: Any, priority: Priority) -> None:
    """Let an alert that waits alone go out with the priority of those that want it now."""
    if row["form"] or row["alerts"] > 1 or row["priority"] == priority:
        return
    db.execute("update outbox set priority = ? where id = ?", [priority, row["delivery_id"]])
    if priority is Priority.DIGEST:
        db.execute("update chats set hours_at = '' where id = ?", [row["chat_id"]])


def _release(db: Database, scope: _Scope) -> None:
    for statement in (_RECENT_PENDING, _DUE_PENDING):
        for row in db.execute(statement, scope.values).fetchall():
            # Who follows a storyline is alerted of what comes later.
            ready = _readiness(db, row, scope.now, follows=False)
            if ready.priority is None or ready.due_at is not None:
                _wait(db, row, ready)
            else:
                _queue(db, row, ready.priority, scope.now)
    for row in db.execute(_SECOND_ALERTS, scope.values).fetchall():
        ready = _readiness(db, row, scope.now)
        if ready.priority is not None and ready.again:
            db.execute(
                f"update outbox set state = {QUEUED}, settled_at = null, error = '' where id = ?",
                [row["delivery_id"]],
            )


def _wait(db: Database, row: Any, ready: Readiness) -> None:
    """Let a pending alert wait as long as those want that want it now.

    What is overdue goes out with the next look at what is due.
    """
    db.execute(
        "update alerts set due_at = ? where chat_id = ? and story_id = ?",
        [put_time(ready.due_at), row["chat_id"], row["story_id"]],
    )


def _queue(db: Database, row: Any, priority: Priority, now: datetime) -> None:
    alert = [row["chat_id"], row["story_id"]]
    db.execute(
        "update alerts set held = 0, due_at = null where chat_id = ? and story_id = ?", alert
    )
    doubts = db.execute(_DOUBTS, alert).fetchone()[0] or 0
    queue_alert(db, row["chat_id"], [row["story_id"]], priority, now, doubts=doubts)


def _readiness(db: Database, row: Any, now: datetime, *, follows: bool = True) -> Readiness:
    stance = Stance(row["stance"]) if row["stance"] else None
    claims = read_claims(row["claims"])
    alert = UnsentAlert(
        claims,
        _publishers(db, row) if claims else 0,
        None if stance is Stance.FOLLOW and not follows else stance,
        bool(row["followed"]),
        row["note_of"] is not None,
        loud=row["update_form"] == Updates.ALERT,
    )
    return readiness(alert, now)


def _claim(since: str, urgency: str, publishers: int, wait: float | None, again_at: int) -> Claim:
    or_after = None if wait is None else timedelta(seconds=wait)
    return Claim(AlertOptions(Urgency(urgency), publishers, or_after, again_at), sure_time(since))


def _publishers(db: Database, row: Any) -> int:
    """The independent publishers of an alert's story, as its chat counts them."""
    return count_publishers(db, row["chat_id"], Grouping(row["grouping"]), _story(row))


def _story(row: Any) -> int:
    """The story of an alert, which may have become part of another."""
    return int(row["story_id"] if row["merged_into"] is None else row["merged_into"])
