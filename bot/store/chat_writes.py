"""Keep what one update led to: its changes, its answer and its number, in one transaction. Decides nothing."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, assert_never

from sqlite_utils import Database

from bot.model.chat_events import (
    NOTHING,
    AddFeeds,
    AddSubscription,
    AllowChat,
    AskConfirmation,
    AssignStory,
    Broadcast,
    Change,
    EditSubscription,
    HandledUpdate,
    Incoming,
    LinkChannel,
    ManageChat,
    RateAlert,
    RemoveFeed,
    RemoveSubscription,
    Reply,
    RetryDead,
    Role,
    Screen,
    SetGrouping,
    SetPaused,
    SetRole,
    SetSettings,
    SetStance,
    StoreToken,
    UseToken,
)
from bot.model.delivery import DeliveryKind
from bot.model.message import Message
from bot.store.mappers import get_settings, put_alert_options, put_settings, put_time
from bot.store.outbox import queue_edit, queue_text
from bot.store.stories import set_stance
from bot.text.url import host_and_port

_REPEATS = 10_000  # an update so little below the last answered one is a repeat; Telegram may begin anew with lower numbers
ASKED = timedelta(hours=1)  #: how long a chat may take to confirm
_STRANGER_PAUSE = timedelta(minutes=1)  # between two answers to a stranger
_FOR_GOOD = 24 * 365 * 100  # hours


def token_hash(token: str) -> bytes:
    """What is kept of the word in a link."""
    return blake2b(token.encode(), digest_size=32, person=b"newsbell claim").digest()


def keep(db: Database, answered: HandledUpdate, now: datetime) -> bool:
    """Keep it all; False where this update was answered before."""
    update, reply = answered.update, answered.reply
    row = db.execute("select value from meta where name = 'last_update'").fetchone()
    if row and 0 <= int(row["value"]) - update.update_id < _REPEATS:
        return False
    db.execute("insert or replace into meta values ('last_update', ?)", [str(update.update_id)])
    if not (reply.message or reply.changes or reply.screen):
        return True
    here = _chat_id(db, answered)
    if update.channel:
        db.execute("update chats set channel = 1 where id = ?", [here])
    for change in reply.changes:
        _apply(db, here, answered.target or here, change, answered, now)
    screen = _keep_screen(db, here, update.user_id, reply.screen, now) if reply.screen else 0
    if reply.message and not _pestered(db, here, now):
        edits = update.message_id if reply.edit else None
        reply_to = None if reply.edit else update.message_id
        queue_text(
            db,
            here,
            DeliveryKind.REPLY,
            reply.message,
            now,
            reply_to=reply_to,
            screen=screen,
            edits=edits,
        )
    return True


def finish(
    db: Database, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
) -> None:
    """What was worked on for a screen is done: its message changes."""
    update = Incoming(0, 0, 0, "", user_id, "")
    for change in reply.changes:
        _apply(db, chat_id, chat_id, change, HandledUpdate(update, None, reply), now)
    number = _keep_screen(db, chat_id, user_id, replace(reply.screen or screen, id=screen.id), now)
    if (
        reply.message and reply.message.file
    ):  # what said that it is being done is not needed where it was not sent yet
        db.execute(
            "update outbox set state = 'dropped', settled_at = ?, error = 'it is done' where chat_id = ? and state = 'queued' and screen = ?",
            [put_time(now), chat_id, number],
        )
    if reply.message:
        queue_text(
            db,
            chat_id,
            DeliveryKind.REPLY,
            reply.message,
            now,
            screen=number,
            edits=None if reply.message.file else 0,
        )


def _chat_id(db: Database, answered: HandledUpdate) -> int:
    if answered.chat:
        return answered.chat.id
    update = answered.update
    return int(
        db.execute(
            "insert into chats (name, kind, address, topic, allowed) values (?, 'telegram', ?, ?, 0) "
            "on conflict (kind, address, topic) do update set kind = kind returning id",
            [update.title or str(update.address), update.address, update.topic],
        ).fetchone()[0]
    )


def _pestered(db: Database, chat_id: int, now: datetime) -> bool:
    """Whether a stranger was answered a moment ago."""
    row = db.execute(
        "select 1 from outbox join chats on chats.id = chat_id "
        "where chat_id = ? and allowed = 0 and outbox.kind = 'reply' and created_at > ? limit 1",
        [chat_id, put_time(now - _STRANGER_PAUSE)],
    ).fetchone()
    return row is not None


def _keep_screen(db: Database, chat_id: int, user_id: int, screen: Screen, now: datetime) -> int:
    """The screen's number. A person is expected to write for one screen at a time."""
    if screen.expects:
        db.execute(
            "update screens set expects = '' where chat_id = ? and user_id = ? and expects != ''",
            [chat_id, user_id],
        )
    expects = "" if screen.expects == NOTHING else screen.expects
    row = [
        user_id,
        screen.name,
        json.dumps(dict(screen.values), ensure_ascii=False),
        expects,
        put_time(now),
    ]
    if screen.id:
        db.execute(
            "update screens set user_id = ?, name = ?, state = ?, expects = ?, touched_at = ? where id = ?",
            [*row, screen.id],
        )
        return screen.id
    return int(
        db.execute(
            "insert into screens (user_id, name, state, expects, touched_at, chat_id) values (?, ?, ?, ?, ?, ?) returning id",
            [*row, chat_id],
        ).fetchone()[0]
    )


def _apply(
    db: Database, here: int, target: int, change: Change, answered: HandledUpdate, now: datetime
) -> None:
    user_id = answered.update.user_id
    match change:
        case AddSubscription() | EditSubscription() | RemoveSubscription() | AskConfirmation():
            _subscription(db, target, change, now)
        case AddFeeds() | RemoveFeed():
            _feeds(db, target, change, user_id, now)
        case SetStance() | SetGrouping() | SetSettings() | SetPaused():
            _chat(db, target, change, answered.update.address, now)
        case SetRole() | StoreToken() | UseToken() | Broadcast() | RetryDead():
            _operation(db, here, change, now)
        case AllowChat() | LinkChannel() | ManageChat():
            _place(db, here, change, user_id, now)
        case AssignStory() | RateAlert():
            _alert(db, here, change, answered.update, now)
        case _:
            assert_never(change)


def _chat(
    db: Database,
    chat_id: int,
    change: SetStance | SetGrouping | SetSettings | SetPaused,
    address: int,
    now: datetime,
) -> None:
    match change:
        case SetPaused(reason=reason):
            db.execute(
                "update chats set paused = ?, not_before = null where kind = 'telegram' and address = ?",
                [reason, address],
            )
        case SetStance(storyline_id=number, stance=stance):
            set_stance(db, chat_id, number, stance, now)
        case SetGrouping(grouping=grouping):
            db.execute(
                "update chats set grouping = ? where id = ?",
                [grouping.value if grouping else None, chat_id],
            )
        case SetSettings(settings=settings):
            had = get_settings(
                db.execute("select settings from chats where id = ?", [chat_id]).fetchone()[
                    "settings"
                ]
            )
            db.execute(
                "update chats set settings = ?, hours_at = '' where id = ?",
                [put_settings(settings.over(had)), chat_id],
            )
        case _:
            assert_never(change)


def _operation(
    db: Database,
    here: int,
    change: SetRole | StoreToken | UseToken | Broadcast | RetryDead,
    now: datetime,
) -> None:
    match change:
        case SetRole():
            _person(db, change, now)
        case StoreToken() | UseToken():
            _token(db, here, change, now)
        case Broadcast() | RetryDead():
            _outbox(db, change, now)
        case _:
            assert_never(change)


def _subscription(
    db: Database,
    chat_id: int,
    change: AddSubscription | EditSubscription | RemoveSubscription | AskConfirmation,
    now: datetime,
) -> None:
    mine = "declared = 0 and id in (select subscription_id from routes where chat_id = ?)"
    match change:
        case AddSubscription(query=query, name=name, options=options, feeds=feeds):
            number = db.execute(
                "insert into subscriptions (name, query, feeds, created_at, urgency, publishers, or_after, ring_again_at) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                [name, query, json.dumps(feeds), put_time(now), *put_alert_options(options)],
            ).lastrowid
            db.execute("insert into routes values (?, ?)", [number, chat_id])
            db.execute("delete from pending where chat_id = ?", [chat_id])
        case EditSubscription(subscription_id=number):
            for column, value in (
                ("query", change.query),
                ("name", change.name),
                ("feeds", None if change.feeds is None else json.dumps(change.feeds)),
                ("paused", change.paused),
            ):
                if value is not None:
                    db.execute(
                        f"update subscriptions set {column} = ? where id = ? and {mine}",
                        [value, number, chat_id],
                    )
            if change.options:
                db.execute(
                    f"update subscriptions set urgency = ?, publishers = ?, or_after = ?, ring_again_at = ? where id = ? and {mine}",
                    [*put_alert_options(change.options), number, chat_id],
                )
        case RemoveSubscription(subscription_id=number, undo=undo):
            db.execute(
                f"update subscriptions set removed_at = ? where id = ? and {mine}",
                [None if undo else put_time(now), number, chat_id],
            )
        case AskConfirmation(query=query):
            db.execute(
                "insert or replace into pending values (?, ?, ?)",
                [chat_id, query, put_time(now + ASKED)],
            )
        case _:
            assert_never(change)


def _feeds(
    db: Database, chat_id: int, change: AddFeeds | RemoveFeed, user_id: int, now: datetime
) -> None:
    if isinstance(change, RemoveFeed):
        db.execute(
            "delete from feed_chats where feed_id = ? and chat_id = ?", [change.feed_id, chat_id]
        )
        db.execute(
            "update feeds set active = 0, lease_until = null where id = ? and declared = 0 "
            "and not exists (select 1 from feed_chats where feed_id = feeds.id)",
            [change.feed_id],
        )
        return
    for url, name, tags in change.feeds:
        host = host_and_port(url)
        number = db.execute(
            "insert into feeds (url, name, publisher, tags, created_at, host, next_poll_at, declared) values (?, ?, ?, ?, ?, ?, ?, 0) "
            "on conflict (url) do update set next_poll_at = case when active then next_poll_at else excluded.next_poll_at end, "
            "tags = case when active then tags else excluded.tags end, active = 1 returning id",
            [
                url,
                name or host,
                host.removeprefix("www."),
                json.dumps(tags),
                put_time(now),
                host,
                put_time(now),
            ],
        ).fetchone()[0]
        db.execute(
            "insert or ignore into feed_chats values (?, ?, ?, ?)",
            [number, chat_id, user_id, put_time(now)],
        )


def _person(db: Database, change: SetRole, now: datetime) -> None:
    db.execute(
        "insert into people values (?, ?, ?, ?) on conflict (user_id) do update set role = excluded.role, "
        "name = coalesce(nullif(excluded.name, ''), name) where people.role != 'declared'",
        [change.user_id, change.role.value, change.name, put_time(now)],
    )
    if change.role is Role.BLOCKED:
        db.execute(
            "update chats set allowed = declared where kind = 'telegram' and address = ?",
            [change.user_id],
        )


def _token(db: Database, here: int, change: StoreToken | UseToken, now: datetime) -> None:
    if isinstance(change, UseToken):
        db.execute(
            "update claims set used_at = ? where token_hash = ?",
            [put_time(now), token_hash(change.token)],
        )
        return
    until = put_time(now + timedelta(hours=change.hours or _FOR_GOOD))
    db.execute(
        "insert or replace into claims (token_hash, expires_at, purpose, state, chat_id) values (?, ?, ?, ?, ?)",
        [token_hash(change.token), until, change.purpose, json.dumps(dict(change.values)), here],
    )


def _place(
    db: Database,
    here: int,
    change: AllowChat | LinkChannel | ManageChat,
    user_id: int,
    now: datetime,
) -> None:
    match change:
        case AllowChat(chat_id=chat_id, allowed=allowed, operator=operator):
            number = here if chat_id is None else chat_id
            db.execute(
                "update chats set allowed = max(?, declared), paused = '' where id = ?",
                [allowed, number],
            )
            if operator:
                db.execute("update chats set operator = 1 where id = ?", [number])
        case LinkChannel(address=address, title=title):
            number = db.execute(
                "insert into chats (name, kind, address, topic, allowed, channel) values (?, 'telegram', ?, 0, 1, 1) "
                "on conflict (kind, address, topic) do update set allowed = 1, channel = 1 returning id",
                [title, address],
            ).fetchone()[0]
            db.execute(
                "insert or ignore into links values (?, ?, ?)", [number, user_id, put_time(now)]
            )
        case ManageChat(chat_id=chat_id):
            db.execute("update chats set acts_for = ? where id = ?", [chat_id, here])
        case _:
            assert_never(change)


def _outbox(db: Database, change: Broadcast | RetryDead, now: datetime) -> None:
    if isinstance(change, Broadcast):
        for number in change.chats:
            queue_text(db, number, DeliveryKind.NOTICE, Message(change.text), now)
        return
    db.execute(
        "update outbox set state = 'queued', attempts = 0, doubts = min(doubts, 1), plain = 0, error = '', settled_at = null "
        "where state = 'dead' and (kind in ('notice', 'reply') or exists (select 1 from outbox_alerts where outbox_id = outbox.id))"
    )


def _alert(
    db: Database, here: int, change: AssignStory | RateAlert, update: Incoming, now: datetime
) -> None:
    """What people do with the alerts of one message. Telegram names no topic with a reaction; its messages are numbered for all of them."""
    rows: list[Any] = db.execute(
        "select chat_id, story_id from alerts where message_id = ? and chat_id in "
        "(select id from chats where id = ? or (kind = 'telegram' and address = ? and ?))",
        [change.message_id, here, update.address, update.reaction is not None],
    ).fetchall()
    for row in rows:
        chat_id = row["chat_id"]
        at = [chat_id, row["story_id"]]
        if isinstance(change, AssignStory):
            db.execute(
                "update alerts set taken_by = ?, taken_user = ?, revision = revision + 1 where chat_id = ? and story_id = ?",
                [change.name, update.user_id if change.name else 0, *at],
            )
            queue_edit(db, chat_id, row["story_id"], now, at_once=True)
        elif change.verdict:
            db.execute(
                "insert or replace into verdicts values (?, ?, ?, ?, ?)",
                [*at, update.user_id, change.verdict, put_time(now)],
            )
        else:
            db.execute(
                "delete from verdicts where chat_id = ? and story_id = ? and user_id = ?",
                [*at, update.user_id],
            )
