"""Rows of the outbox: how alerts, edits and notices get in, for the transactions that create them. Claims and outcomes are in `deliver`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.model.alerts import Priority
from bot.model.delivery import DeliveryKind, NoticeIntent
from bot.model.message import Message
from bot.store.mappers import marks, put_buttons, put_entities, put_time, sure_time

_SAME_NOTICE = timedelta(hours=24)
EDIT_GAP = timedelta(minutes=1)  #: between two edits of one message


def queue_alert(
    db: Database, chat_id: int, stories: Iterable[int], priority: Priority, now: datetime
) -> None:
    """One delivery for these new alerts of a chat."""
    number = db.execute(
        "insert into outbox (chat_id, kind, priority, created_at) values (?, ?, ?, ?)",
        [chat_id, DeliveryKind.ALERT, priority, put_time(now)],
    ).lastrowid
    db.conn.executemany(
        "insert into outbox_alerts values (?, ?, ?)",
        [(number, chat_id, story) for story in stories],
    )
    if priority is Priority.DIGEST:  # there may be enough for a digest
        db.execute("update chats set hours_at = '' where id = ?", [chat_id])


def queue_edit(
    db: Database, chat_id: int, story_id: int, now: datetime, *, at_once: bool = False
) -> None:
    """An edit that shows the newest state of an alert's message, unless what waits already will show it; a minute after the last one.

    What a person waits for is shown at once.
    """
    mates = _message_mates(db, chat_id, story_id)
    waits = db.execute(
        f"select 1 from outbox_alerts a join outbox o on o.id = outbox_id where a.chat_id = ? and story_id in ({marks(mates)}) "
        "and kind in ('alert', 'edit') and state = 'queued' limit 1",
        [chat_id, *mates],
    ).fetchone()
    if waits and at_once:
        db.execute(
            f"update outbox set not_before = null where kind = 'edit' and state = 'queued' and id in (select outbox_id from outbox_alerts "
            f"where chat_id = ? and story_id in ({marks(mates)}))",
            [chat_id, *mates],
        )
    if waits or not _is_shown(db, chat_id, story_id):
        return
    edited = db.execute(
        f"select max(edited_at) from alerts where chat_id = ? and story_id in ({marks(mates)})",
        [chat_id, *mates],
    ).fetchone()[0]
    not_before = put_time(sure_time(edited) + EDIT_GAP) if edited and not at_once else None
    number = db.execute(
        "insert into outbox (chat_id, kind, priority, created_at, not_before) values (?, ?, ?, ?, ?)",
        [chat_id, DeliveryKind.EDIT, Priority.EDIT, put_time(now), not_before],
    ).lastrowid
    db.execute("insert into outbox_alerts values (?, ?, ?)", [number, chat_id, story_id])


def _message_mates(db: Database, chat_id: int, story_id: int) -> list[int]:
    """The stories whose alerts are in one message with this one's, which may be on its way."""
    rows = db.execute(
        "select story_id from alerts where chat_id = :chat and message_id = "
        "(select message_id from alerts where chat_id = :chat and story_id = :story) union "
        "select b.story_id from outbox_alerts a join outbox o on o.id = a.outbox_id join outbox_alerts b on b.outbox_id = o.id "
        "where a.chat_id = :chat and a.story_id = :story and kind = 'alert' and state = 'sending'",
        {"chat": chat_id, "story": story_id},
    ).fetchall()
    return [row["story_id"] for row in rows] or [story_id]


def _is_shown(db: Database, chat_id: int, story_id: int) -> bool:
    """Whether there is a message to edit, or will be when what is on its way has arrived."""
    row = db.execute(
        "select 1 from alerts where chat_id = :chat and story_id = :story and message_id is not null union all "
        "select 1 from outbox_alerts a join outbox o on o.id = outbox_id "
        "where a.chat_id = :chat and story_id = :story and kind = 'alert' and state = 'sending' limit 1",
        {"chat": chat_id, "story": story_id},
    ).fetchone()
    return row is not None


def queue_second_alert(
    db: Database, chat_id: int, story_id: int, priority: Priority, now: datetime
) -> None:
    """A second ring, unless the first is still to come and will tell as much."""
    waits = db.execute(
        "select 1 from outbox_alerts a join outbox o on o.id = outbox_id where a.chat_id = ? and story_id = ? "
        "and kind = 'alert' and state = 'queued' limit 1",
        [chat_id, story_id],
    ).fetchone()
    if waits:
        return
    number = db.execute(
        "insert into outbox (chat_id, kind, priority, created_at) values (?, ?, ?, ?)",
        [chat_id, DeliveryKind.AGAIN, priority, put_time(now)],
    ).lastrowid
    db.execute("insert into outbox_alerts values (?, ?, ?)", [number, chat_id, story_id])


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
) -> None:
    """A notice or a reply; one that `edits` a message takes its place, and that of an earlier such one which still waits.

    `edits` is 0 for the message of the screen, whichever number it got.
    """
    priority = Priority.REPLY if kind is DeliveryKind.REPLY else Priority.NOTICE
    file = message.file
    if edits is not None:
        db.execute(
            "update outbox set state = 'dropped', settled_at = ?, error = 'the message changed again' "
            "where chat_id = ? and state = 'queued' and edits is not null and (edits = ? or screen = ?)",
            [put_time(now), chat_id, edits or None, screen or None],
        )
    db.execute(
        "insert into outbox (chat_id, kind, priority, text, entities, reply_to, created_at, buttons, edits, screen, file_name, file, "
        "picture) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            chat_id,
            kind,
            priority,
            message.text,
            put_entities(message.entities),
            reply_to,
            put_time(now),
            put_buttons(message.buttons, screen),
            edits,
            screen or None,
            file.name if file else "",
            file.content if file else None,
            file.picture if file else False,
        ],
    )


def notify(db: Database, notice: NoticeIntent, now: datetime) -> None:
    """Tell the operator's chats, or the terminals where there is none; the same words once a day at most."""
    chats = db.execute(
        "select id from chats where operator = 1 and paused = '' and allowed = 1"
    ).fetchall()
    chats = (
        chats
        or db.execute("select id from chats where kind = 'terminal' and declared = 1").fetchall()
    )
    since = put_time(now - _SAME_NOTICE)
    for row in chats:
        told = db.execute(
            "select 1 from outbox where chat_id = ? and kind = ? and text = ? and created_at > ? limit 1",
            [row["id"], DeliveryKind.NOTICE, notice.text, since],
        ).fetchone()
        if not told:
            queue_text(db, row["id"], DeliveryKind.NOTICE, Message(notice.text), now)
