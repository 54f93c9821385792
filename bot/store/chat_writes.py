"""Keep what an update led to: changes, reply and the update's number, in one transaction.

Decides nothing; how a change is applied is in `chat_changes`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model.chat_events import (
    SUBSCRIPTION_CHANGES,
    WIDE_CHANGES,
    Change,
    ExpectedInput,
    ForgetPerson,
    HandledUpdate,
    Membership,
    Reaction,
    Reply,
    Screen,
)
from bot.model.chats import ChatKind
from bot.model.delivery import DeliveryKind, DropReason
from bot.store import meta, outbox, subscription_versions, topics
from bot.store.chat_changes import Origin, apply
from bot.store.engines.engine import Database
from bot.store.mappers import put_time
from bot.store.meta import MetaName
from bot.store.screens import put_screen_state
from bot.store.sql import IS_QUEUED, REPLY

# An update at most this far below the last handled one is a repeat; Telegram may also begin anew
# with lower numbers.
_REPEATS = 10_000
_STRANGER_PAUSE = timedelta(minutes=1)  # between two replies to a chat that is not allowed

_INSERT_CHAT = """
    insert into chats (name, kind, address, topic, allowed) values (?, ?, ?, ?, 0)
    on conflict (kind, address, topic) do update set kind = excluded.kind
    returning id
"""
_RECENT_REPLY_TO_STRANGER = f"""
    select 1 from outbox join chats on chats.id = chat_id
    where chat_id = ? and allowed = 0 and outbox.kind = {REPLY} and created_at > ? limit 1
"""
_UPDATE_SCREEN = """
    update screens set user_id = ?, name = ?, state = ?, expects = ?, touched_at = ? where id = ?
"""
_INSERT_SCREEN = """
    insert into screens (user_id, name, state, expects, touched_at, chat_id)
    values (?, ?, ?, ?, ?, ?) returning id
"""


def keep(db: Database, handled: HandledUpdate, now: datetime) -> bool:
    """Keep changes, reply and number of an update; False where it was handled before."""
    update, reply = handled.update, handled.reply
    last = meta.read(db, MetaName.LAST_UPDATE)
    if last is not None and 0 <= int(last) - update.update_id < _REPEATS:
        return False
    meta.write(db, MetaName.LAST_UPDATE, update.update_id)
    if isinstance(update, Membership) and update.joined:
        topics.let_in(db, update.address)
    elif update.address < 0 and not isinstance(update, Membership | Reaction):
        topics.try_again(db, update)
    ends = reply.ends_input or reply.answered
    if reply.message or reply.changes or reply.screen or (ends and handled.chat):
        _keep_reply(db, handled, now)
    return True


def finish_work(db: Database, handled: HandledUpdate, screen: Screen, now: datetime) -> None:
    """Keep what a postponed update led to, and forget the screen that stood for it."""
    if db.execute("delete from screens where id = ?", [screen.id]).rowcount:
        _keep_reply(db, handled, now)


def _keep_reply(db: Database, handled: HandledUpdate, now: datetime) -> None:
    update, reply = handled.update, handled.reply
    chat_id = _chat_id(db, handled)
    if update.channel:
        db.execute("update chats set channel = 1 where id = ?", [chat_id])
    origin = Origin(
        chat_id,
        handled.target or chat_id,
        now,
        update.address,
        update.user_id,
        all_topics=isinstance(update, Reaction),
    )
    _apply(db, reply.changes, origin)
    if any(isinstance(change, ForgetPerson) for change in reply.changes):
        chat_id = _chat_id(db, replace(handled, chat=None))  # a new row
    if reply.answered:
        db.execute("update screens set expects = '' where id = ?", [reply.answered])
    if reply.ends_input:
        _end_input(db, origin)
    screen = _keep_screen(db, origin, reply.screen) if reply.screen else 0
    if reply.message and not _stranger_had_reply(db, chat_id, now):
        outbox.queue_text(
            db,
            chat_id,
            DeliveryKind.REPLY,
            reply.message,
            now,
            reply_to=None if reply.edit else update.message_id,
            screen=screen,
            edits=update.message_id if reply.edit else None,
            lasting=_is_lasting(reply),
        )


def _apply(db: Database, changes: Sequence[Change], origin: Origin) -> None:
    for change in changes:
        apply(db, change, origin)
    if any(isinstance(change, WIDE_CHANGES) for change in changes):
        subscription_versions.note(db, origin.now)
    elif any(isinstance(change, SUBSCRIPTION_CHANGES) for change in changes):
        subscription_versions.note(db, origin.now, origin.target)


def _is_lasting(reply: Reply) -> bool:
    """Whether a reply says what was changed, or asks for something."""
    asks = reply.screen is not None and reply.screen.expects is not ExpectedInput.NOTHING
    return bool(reply.changes) or reply.edit or asks


def finish(
    db: Database, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
) -> None:
    """Keep the result of a screen's task: its changes, and what its message shows now."""
    origin = Origin(chat_id, chat_id, now, user_id=user_id)
    _apply(db, reply.changes, origin)
    number = _keep_screen(db, origin, replace(reply.screen or screen, id=screen.id))
    if reply.message is None:
        return
    if reply.message.file:  # a file is a message of its own: "I am working on it" is not needed
        where = f"chat_id = ? and {IS_QUEUED} and screen = ?"
        outbox.drop(db, DropReason.TASK_DONE, now, where, [chat_id, number])
    outbox.queue_text(
        db,
        chat_id,
        DeliveryKind.REPLY,
        reply.message,
        now,
        screen=number,
        edits=None if reply.message.file else 0,
    )


def _chat_id(db: Database, handled: HandledUpdate) -> int:
    if handled.chat:
        return handled.chat.id
    update = handled.update
    values = [update.title or str(update.address), ChatKind.TELEGRAM, update.address, update.topic]
    return int(db.execute(_INSERT_CHAT, values).fetchone()["id"])


def _stranger_had_reply(db: Database, chat_id: int, now: datetime) -> bool:
    """Whether a chat that is not allowed got a reply a moment ago."""
    values = [chat_id, put_time(now - _STRANGER_PAUSE)]
    return db.execute(_RECENT_REPLY_TO_STRANGER, values).fetchone() is not None


def _end_input(db: Database, origin: Origin) -> None:
    db.execute(
        "update screens set expects = '' where chat_id = ? and user_id = ? and expects != ''",
        [origin.chat_id, origin.user_id],
    )


def _keep_screen(db: Database, origin: Origin, screen: Screen) -> int:
    """Return the screen's number. Only one screen at a time expects input of a person."""
    if screen.expects:
        _end_input(db, origin)
    row = [
        origin.user_id,
        screen.name,
        put_screen_state(screen),
        ExpectedInput.NOTHING if screen.expects is ExpectedInput.CANCEL else screen.expects,
        put_time(origin.now),
    ]
    if screen.id:
        db.execute(_UPDATE_SCREEN, [*row, screen.id])
        return screen.id
    return int(db.execute(_INSERT_SCREEN, [*row, origin.chat_id]).fetchone()["id"])
