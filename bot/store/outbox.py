"""Rows of the outbox: queue, drop and retry deliveries, within the transactions of others.

Claims are in `deliveries`, outcomes in `settlements`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.quiet_hours import pages
from bot.i18n.phrase import Phrase
from bot.model.abilities import ABILITIES
from bot.model.alerts import Priority
from bot.model.chats import ChatKind
from bot.model.delivery import (
    DeliveryKind,
    DeliveryState,
    DropReason,
    NoticeIntent,
    NoticeKind,
)
from bot.model.message import Message
from bot.store.engines.engine import Database
from bot.store.mappers import put_buttons, put_entities, put_time, sure_time
from bot.store.sql import (
    ALERT,
    DEAD,
    DROPPED,
    EDIT,
    HAS_ALERTS,
    IS_QUEUED,
    MERGED,
    QUEUED,
    SENDING,
    TERMINAL,
    UNKNOWN,
    literals,
    marks,
)
from bot.text.clean import HEADLINE_LENGTH

_SAME_NOTICE = timedelta(hours=24)
_PROMPT_REPLIES = 3  # replies that may wait before alerts in a group
EDIT_GAP = timedelta(minutes=1)  #: between two edits of one message
FLIP_GAP = timedelta(hours=1)  #: the same, where the words are those that it had before

_RETRIED = literals(
    DeliveryState.DEAD, DeliveryState.UNKNOWN, DeliveryState.DROPPED, DeliveryState.QUEUED
)
_GIVEN_UP = literals(DeliveryState.DEAD, DeliveryState.UNKNOWN, DeliveryState.QUEUED)
# An alert that nobody wants any more is not sent again.
_HAS_CONTENT = f"""(
    kind in {literals(DeliveryKind.NOTICE, DeliveryKind.REPLY)} or (kind = {EDIT} and {HAS_ALERTS})
    or exists (
        select 1 from outbox_alerts b
        join alerts a on a.chat_id = b.chat_id and a.story_id = b.story_id
        where b.outbox_id = outbox.id and a.held = 0 and (followed = 1 or exists (
            select 1 from alert_matches m join subscriptions s on s.id = m.subscription_id
            join routes r on r.subscription_id = s.id and r.chat_id = m.chat_id
            where m.chat_id = a.chat_id and m.story_id = a.story_id
            and removed_at is null and s.paused = 0
        ))
    )
)"""
_RESUME_CHATS = (
    "update chats set not_before = null, paused = '' "
    f"where id in (select chat_id from outbox where {{which}} and state in {_RETRIED})"
)
_RETRY = (
    f"update outbox set state = {QUEUED}, attempts = 0, doubts = min(doubts, 1), plain = 0, "
    "doubted_at = null, "
    "error = '', settled_at = null "
    f"where {{which}} and state in {_RETRIED} and {_HAS_CONTENT}"
)
_OTHER_STORIES = f"""
    select story_id from alerts where chat_id = :chat and message_id =
        (select message_id from alerts where chat_id = :chat and story_id = :story)
    union
    select other.story_id from outbox_alerts own join outbox on outbox.id = own.outbox_id
        join outbox_alerts other on other.outbox_id = outbox.id
        where own.chat_id = :chat and own.story_id = :story
        and kind = {ALERT} and state = {SENDING}
"""
# Those of all topics of a group: they share its rate.
_WAITING_REPLIES = f"""
    select count(*) filter (where priority = {Priority.REPLY.value}), count(*) filter (
        where priority = {Priority.LATE_REPLY.value})
    from outbox where {IS_QUEUED}
    and priority in ({Priority.REPLY.value}, {Priority.LATE_REPLY.value})
    and chat_id in (
        select other.id from chats own join chats other using (kind, address)
        where own.id = ? and own.address < 0)
"""
_LENGTHS = f"""
    select alerts.story_id, min(length(title), {HEADLINE_LENGTH})
    from alerts join entries on entries.id = entry_id
    where chat_id = ? and alerts.story_id in ({{marks}})
"""
# In quiet hours, or where it is for the digest, an alert waits while a wait for publishers ends.
_LOOK_AT_WAITS = f"""
    update chats set hours_at = '' where id = :chat and hours_at != '' and exists (
        select 1 from outbox_alerts b join outbox o on o.id = b.outbox_id
        join alert_matches m on m.chat_id = b.chat_id and m.story_id = b.story_id
        join subscriptions s on s.id = m.subscription_id
        where b.chat_id = :chat and b.story_id = :story and o.kind = {ALERT} and o.form = ''
        and o.{IS_QUEUED} and s.or_after is not null
        and (o.priority = {Priority.DIGEST.value}
            or (o.priority = {Priority.NORMAL.value} and chats.quiet_until is not null))
    )
"""
_IS_SHOWN = f"""
    select 1 from alerts
        where chat_id = :chat and story_id = :story and message_id is not null
    union all
    select 1 from outbox_alerts join outbox on outbox.id = outbox_id
        where outbox_alerts.chat_id = :chat and story_id = :story
        and kind = {ALERT} and state = {SENDING}
    limit 1
"""


def insert(
    db: Database,
    chat_id: int,
    kind: DeliveryKind,
    priority: Priority,
    now: datetime,
    **columns: Any,
) -> int:
    """Insert a delivery and return its id; `columns` are further values of the row."""
    values = {
        "chat_id": chat_id,
        "kind": kind,
        "priority": priority,
        "created_at": put_time(now),
        **columns,
    }
    rows = db.execute(
        f"insert into outbox ({', '.join(values)}) values ({marks(values)}) returning id",
        list(values.values()),
    ).fetchall()
    return int(rows[0]["id"])


def add_alerts(db: Database, number: int, chat_id: int, stories: Iterable[int]) -> None:
    """Let a delivery carry the alerts of these stories."""
    db.executemany(
        "insert into outbox_alerts values (?, ?, ?)",
        [(number, chat_id, story) for story in stories],
    )


def move_alerts(db: Database, sources: Sequence[int], number: int, now: datetime) -> None:
    """Let one delivery carry the alerts of others, which are done with that."""
    db.executemany(
        "update outbox_alerts set outbox_id = ? where outbox_id = ?",
        [(number, source) for source in sources],
    )
    db.executemany(
        f"update outbox set state = {MERGED}, settled_at = ?, error = ? where id = ?",
        [(put_time(now), f"sent together with {number}", source) for source in sources],
    )


def queue_pages(db: Database, chat_id: int, stories: Sequence[int], now: datetime) -> None:
    """Queue new alerts of a chat as few messages, each of which names all its stories."""
    lengths: dict[int, int] = dict(
        db.execute(
            _LENGTHS.format(marks=marks(stories)),
            [chat_id, *stories],
        ).fetchall()
    )
    kind = db.execute("select kind from chats where id = ?", [chat_id]).fetchone()["kind"]
    most = ABILITIES[ChatKind(kind)].stories
    for page in pages([lengths[story] for story in stories], most):
        queue_alert(db, chat_id, [stories[place] for place in page], Priority.NORMAL, now)


def drop(db: Database, reason: DropReason, now: datetime, where: str, values: Sequence[Any]) -> int:
    """Drop the deliveries for which an SQL condition holds; return how many."""
    return db.execute(
        f"update outbox set state = {DROPPED}, settled_at = ?, error = ? where {where}",
        [put_time(now), reason, *values],
    ).rowcount


def drop_by_hand(db: Database, ids: Collection[int], now: datetime) -> int:
    """Drop deliveries that wait or failed (all dead ones where `ids` is empty)."""
    which = f"{_of_ids(ids) if ids else _in_state(DEAD)} and state in {_GIVEN_UP}"
    return drop(db, DropReason.BY_HAND, now, which, list(ids))


def retry(db: Database, ids: Collection[int] = ()) -> int:
    """Queue failed deliveries again; return how many.

    Where `ids` is empty, all dead ones and those of which nobody knows whether they arrived. Their
    chats are resumed: a delivery in a paused chat would never go out.
    """
    count = 0
    for which in [_of_ids(ids)] if ids else [_in_state(DEAD), _in_state(UNKNOWN)]:
        db.execute(_RESUME_CHATS.format(which=which), list(ids))
        count += db.execute(_RETRY.format(which=which), list(ids)).rowcount
    return count


def _of_ids(ids: Collection[int]) -> str:
    return f"id in ({marks(ids)})"


def _in_state(state: str) -> str:
    # The index of what is not queued serves only where that is said as well.
    return f"state = {state} and state != {QUEUED}"


def queue_alert(
    db: Database,
    chat_id: int,
    stories: Iterable[int],
    priority: Priority,
    now: datetime,
    *,
    doubts: int = 0,
) -> None:
    """Queue one delivery for these new alerts of a chat.

    `doubts`: how often they may have been sent already.
    """
    number = insert(db, chat_id, DeliveryKind.ALERT, priority, now, doubts=doubts)
    add_alerts(db, number, chat_id, stories)
    if priority is Priority.DIGEST:  # there may be enough for a digest
        db.execute("update chats set hours_at = '' where id = ?", [chat_id])
    else:
        look_at_waits(db, chat_id, stories)


def look_at_waits(db: Database, chat_id: int, stories: Iterable[int]) -> None:
    """Let the hours of a chat be decided anew if these alerts wait and may become more urgent."""
    db.executemany(_LOOK_AT_WAITS, [{"chat": chat_id, "story": story} for story in stories])


def queue_edit(
    db: Database,
    chat_id: int,
    story_id: int,
    now: datetime,
    *,
    at_once: bool = False,
    gap: timedelta = EDIT_GAP,
) -> None:
    """Queue an edit that shows the newest state of an alert's message.

    Nothing is queued where a waiting delivery of the message will show it anyway. Edits of a
    message are `gap` apart, except where a person waits for one (`at_once`).
    """
    stories = _stories_of_message(db, chat_id, story_id)
    these = f"outbox_alerts.chat_id = ? and story_id in ({marks(stories)})"
    edited = db.execute(
        f"select max(edited_at) from alerts where chat_id = ? and story_id in ({marks(stories)})",
        [chat_id, *stories],
    ).fetchone()[0]
    not_before = None
    if edited and not at_once:
        # An edit after now was made while the clock was ahead.
        not_before = put_time(min(sure_time(edited), now) + gap)
    waiting = db.execute(
        f"select 1 from outbox_alerts join outbox on outbox.id = outbox_id where {these} "
        f"and kind in ({ALERT}, {EDIT}) and {IS_QUEUED} limit 1",
        [chat_id, *stories],
    ).fetchone()
    if waiting:
        db.execute(
            f"update outbox set not_before = min(not_before, ?) where kind = {EDIT} "
            f"and {IS_QUEUED} and id in (select outbox_id from outbox_alerts where {these})",
            [not_before, chat_id, *stories],
        )
    if waiting or not _is_shown(db, chat_id, story_id):
        return
    number = insert(db, chat_id, DeliveryKind.EDIT, Priority.EDIT, now, not_before=not_before)
    add_alerts(db, number, chat_id, [story_id])


def _stories_of_message(db: Database, chat_id: int, story_id: int) -> list[int]:
    """The stories whose alerts share a message with this one, sent or being sent."""
    rows = db.execute(_OTHER_STORIES, {"chat": chat_id, "story": story_id}).fetchall()
    return [row["story_id"] for row in rows] or [story_id]


def _is_shown(db: Database, chat_id: int, story_id: int) -> bool:
    """Whether there is a message to edit, or will be when what is being sent has arrived."""
    return db.execute(_IS_SHOWN, {"chat": chat_id, "story": story_id}).fetchone() is not None


def queue_second_alert(
    db: Database, chat_id: int, story_id: int, priority: Priority, now: datetime
) -> None:
    """Queue a second alert, unless the first still waits and will say the same."""
    waiting = db.execute(
        "select 1 from outbox_alerts join outbox on outbox.id = outbox_id "
        "where outbox_alerts.chat_id = ? and story_id = ? "
        f"and kind = {ALERT} and {IS_QUEUED} limit 1",
        [chat_id, story_id],
    ).fetchone()
    if waiting is None:
        number = insert(db, chat_id, DeliveryKind.AGAIN, priority, now)
        add_alerts(db, number, chat_id, [story_id])


def queue_text(
    db: Database,
    chat_id: int,
    kind: DeliveryKind,
    message: Message,
    now: datetime,
    *,
    reply_to: int | None = None,
    screen: int = 0,
    edits: int | None = None,
    phrase: Phrase | None = None,
    lasting: bool = True,
) -> None:
    """Queue a notice or a reply.

    A reply that is not `lasting` is an answer and no more: late in a busy group, it is dropped.

    A reply that `edits` a message replaces it, and an earlier edit of it that still waits.
    `edits` is 0 for the message of the screen, whichever number that got.
    """
    if edits:
        # It may be the message of an alert, which shows something else then.
        db.execute(
            "update alerts set shown = x'' where chat_id = ? and message_id = ?", [chat_id, edits]
        )
    if edits is not None:
        drop(
            db,
            DropReason.REPLACED,
            now,
            f"chat_id = ? and {IS_QUEUED} and priority = {Priority.REPLY.value} "
            "and edits is not null and (edits = ? or screen = ?)",
            [chat_id, edits or None, screen or None],
        )
    file = message.file
    priority = _reply_priority(db, chat_id) if kind is DeliveryKind.REPLY else Priority.NOTICE
    insert(
        db,
        chat_id,
        kind,
        priority,
        now,
        text=message.text,
        entities=put_entities(message.entities),
        reply_to=reply_to,
        buttons=put_buttons(message.buttons, screen),
        edits=edits,
        asks=message.asks,
        screen=screen or None,
        file_name=file.name if file else "",
        file=file.content if file else None,
        picture=file.picture if file else False,
        phrase=phrase.dumped() if phrase else "",
        expires=not lasting and priority is Priority.LATE_REPLY,
    )


def drop_late_answers(db: Database, created_before: datetime, now: datetime) -> int:
    """Drop answers that have waited in busy groups since before; return how many."""
    where = f"{IS_QUEUED} and expires = 1 and created_at < ?"
    return drop(db, DropReason.LATE_ANSWER, now, where, [put_time(created_before)])


def _reply_priority(db: Database, chat_id: int) -> Priority:
    """Replies go first, but in a group only a few: it takes 20 messages a minute."""
    prompt, late = db.execute(_WAITING_REPLIES, [chat_id]).fetchone()
    return Priority.LATE_REPLY if late or prompt >= _PROMPT_REPLIES else Priority.REPLY


def notify(db: Database, notice: NoticeIntent, now: datetime) -> None:
    """Send a notice to the operator's chats, or to the terminals where there are none.

    That Telegram takes nothing goes to the terminals alone. The same words are sent at most once a
    day.
    """
    reachable = notice.kind is not NoticeKind.REFUSED
    chats = db.execute(
        "select id from chats where ? = 1 and operator = 1 and paused = '' and allowed = 1",
        [reachable],
    ).fetchall()
    chats = (
        chats
        or db.execute(f"select id from chats where kind = {TERMINAL} and declared = 1").fetchall()
    )
    since = put_time(now - _SAME_NOTICE)
    for row in chats:
        same = db.execute(
            "select 1 from outbox where chat_id = ? and kind = ? and text = ? "
            "and created_at > ? and created_at <= ? limit 1",
            [row["id"], DeliveryKind.NOTICE, notice.text, since, put_time(now)],
        ).fetchone()
        if same is None:
            message = Message(notice.text)
            queue_text(db, row["id"], DeliveryKind.NOTICE, message, now, phrase=notice.phrase)
