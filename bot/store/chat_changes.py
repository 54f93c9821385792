"""Apply the changes that people ask for in chats: one function for each type of change.

Runs within the transaction of an update (`chat_writes`). Decides nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from bot.model.chat_events import (
    AddFeeds,
    AddSubscription,
    AllowChat,
    AskConfirmation,
    AssignStory,
    Broadcast,
    Change,
    EditSubscription,
    ForgetPerson,
    LinkChannel,
    ManageChat,
    RateAlert,
    RemoveFeed,
    RemoveSubscription,
    RetryDead,
    RetryFeeds,
    Role,
    SetFeedText,
    SetGrouping,
    SetPaused,
    SetRole,
    SetSettings,
    SetStance,
    ShowChatOnWeb,
    StoreToken,
    StoreWebLink,
    Tell,
    UseToken,
)
from bot.model.chats import ChatKind
from bot.model.delivery import DeliveryKind
from bot.model.message import Message
from bot.store import forget, outbox
from bot.store.engines.engine import Database
from bot.store.mappers import (
    OPTION_COLUMNS,
    get_settings,
    put_alert_options,
    put_settings,
    put_time,
)
from bot.store.screens import put_screen_state
from bot.store.sql import DECLARED, TELEGRAM, Entered, StoredRole, put
from bot.store.stories import set_stance
from bot.store.topics import allow_topics
from bot.store.unsent_alerts import forget_matches, reconsider
from bot.store.web_tokens import forget_person, put_chat, put_link
from bot.text.channel_link import publisher_of
from bot.text.url import host_and_port

CONFIRM_WITHIN = timedelta(hours=1)  #: how long a chat may take to confirm a query
_UNLIMITED = timedelta(days=36_500)

# Subscriptions of the file are not changed in chats, and a chat changes only its own.
_OWN_SUBSCRIPTION = (
    "id = ? and declared = 0 and id in (select subscription_id from routes where chat_id = ?)"
)
_INSERT_SUBSCRIPTION = """
    insert into subscriptions
        (name, query, feeds, created_at, urgency, publishers, or_after, ring_again_at, developments,
        updates)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    returning id
"""
# A feed that nobody polls any more is due at once. Its name is the document's, or its host: what a
# chat calls it is that chat's own. Its tags are all that chats gave it; they are shown to nobody.
_INSERT_FEED = """
    insert into feeds (
        url, name, publisher, tags, created_at, host, next_poll_at, declared, private)
    values (:url, :name, :publisher, :tags, :now, :host, :now, 0, 1)
    on conflict (url) do update set
        next_poll_at = case when feeds.active = 1 then feeds.next_poll_at
            else excluded.next_poll_at end,
        name = case when feeds.active = 1 or :title = '' then feeds.name else excluded.name end,
        tags = case when feeds.declared = 1 then feeds.tags else (
            select json_group_array(distinct value) from (
                select value from json_each(feeds.tags) where feeds.active = 1
                union all select value from json_each(excluded.tags)
            ) as given
        ) end,
        private = case when feeds.active = 1 then feeds.private else 1 end,
        active = 1
    returning id
"""
_INSERT_SCREEN = """
    insert into screens (chat_id, user_id, name, state, touched_at) values (?, ?, ?, ?, ?)
    returning id
"""
_RETRY_FAILING = """
    update feeds set next_poll_at = :now
    where active = 1 and failures > 0 and next_poll_at > :now
"""
# A feed that other chats added as well is matched for them, too.
_SET_FEED_TEXT = """
    update feeds set text = ? where id = ? and declared = 0
    and (select group_concat(chat_id) from feed_chats where feed_id = feeds.id) = cast(? as text)
"""
_STOP_UNUSED_FEED = """
    update feeds set active = 0, lease_until = null
    where id = ? and declared = 0
    and not exists (select 1 from feed_chats where feed_id = feeds.id)
"""
_SET_ROLE = f"""
    insert into people values (?, ?, ?, ?)
    on conflict (user_id) do update set
        role = excluded.role, name = coalesce(nullif(excluded.name, ''), people.name)
    where people.role != {DECLARED}
"""
_INSERT_CHANNEL = """
    insert into chats (name, kind, address, topic, allowed, channel, entered)
    select ?, ?, ?, 0, 1, 1, entered from chats where id = ?
    on conflict (kind, address, topic) do update set
        entered = case when chats.allowed = 1 then chats.entered else excluded.entered end,
        allowed = 1, channel = 1
    returning id
"""
# Telegram names no topic with a reaction, but numbers the messages of all topics of a chat as one.
_ALERTS_OF_MESSAGE = f"""
    select chat_id, story_id from alerts where message_id = :message and chat_id in
        (select id from chats where id = :chat
            or (kind = {TELEGRAM} and address = :address and :all_topics = 1))
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where changes come from, and when."""

    chat_id: int  #: where it was written
    target: int  #: the chat that the changes are for, mostly the same
    now: datetime
    address: int = 0  #: of the chat where it was written
    user_id: int = 0
    all_topics: bool = False  #: a message id stands for a message in any topic of that address


def apply(db: Database, change: Change, origin: Origin) -> None:
    """Apply a change."""
    _APPLY[type(change)](db, change, origin)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token."""
    return blake2b(token.encode(), digest_size=32, person=b"newsbell claim").digest()


def _add_subscription(db: Database, change: AddSubscription, origin: Origin) -> None:
    rows = db.execute(
        _INSERT_SUBSCRIPTION,
        [
            change.name,
            change.query,
            json.dumps(change.feeds),
            put_time(origin.now),
            *put_alert_options(change.options),
        ],
    ).fetchall()
    number = rows[0]["id"]
    db.execute("insert into routes values (?, ?)", [number, origin.target])
    if change.forecast:
        db.execute(
            "insert into forecasts values (?, ?, ?, ?)",
            [number, *change.forecast, put_time(origin.now)],
        )
    db.execute("delete from pending where chat_id = ?", [origin.target])


def _edit_subscription(db: Database, change: EditSubscription, origin: Origin) -> None:
    before = db.execute(
        f"select paused from subscriptions where {_OWN_SUBSCRIPTION}",
        [change.subscription_id, origin.target],
    ).fetchone()
    if before is None:
        return
    columns: dict[str, Any] = {
        "query": change.query,
        "name": change.name,
        "feeds": None if change.feeds is None else json.dumps(change.feeds),
        "paused": change.paused,
    }
    if change.options:
        options = dict(zip(OPTION_COLUMNS, put_alert_options(change.options), strict=True))
    else:
        options = {}
    changed = {name: value for name, value in columns.items() if value is not None} | options
    if changed:
        columns_text = ", ".join(f"{name} = ?" for name in changed)
        db.execute(
            f"update subscriptions set {columns_text} where {_OWN_SUBSCRIPTION}",
            [*changed.values(), change.subscription_id, origin.target],
        )
    db.execute("delete from forecasts where subscription_id = ?", [change.subscription_id])
    # What a paused subscription left behind was for its old words. Of others, whoever compiles
    # queries says what the new words match.
    if before["paused"] and (change.query is not None or change.feeds is not None):
        forget_matches(db, origin.target, change.subscription_id)
    if change.options or change.paused is not None:
        _reconsider(db, change.subscription_id, origin)


def _reconsider(db: Database, subscription_id: int, origin: Origin) -> None:
    """Bring what waits in line with a subscription that changed."""
    rows = db.execute(
        "select chat_id from routes where subscription_id = ?", [subscription_id]
    ).fetchall()
    chats = {row["chat_id"] for row in rows}
    reconsider(db, chats, origin.now, [subscription_id])


def _remove_subscription(db: Database, change: RemoveSubscription, origin: Origin) -> None:
    removed_at = None if change.undo else put_time(origin.now)
    db.execute(
        f"update subscriptions set removed_at = ? where {_OWN_SUBSCRIPTION}",
        [removed_at, change.subscription_id, origin.target],
    )
    _reconsider(db, change.subscription_id, origin)


def _ask_confirmation(db: Database, change: AskConfirmation, origin: Origin) -> None:
    until = put_time(origin.now + CONFIRM_WITHIN)
    db.execute(put("pending", "chat_id", "query, expires_at"), [origin.target, change.query, until])


def _add_feeds(db: Database, change: AddFeeds, origin: Origin) -> None:
    moment = put_time(origin.now)
    for url, name, tags in change.feeds:
        host = host_and_port(url)
        publisher = publisher_of(url, host.removeprefix("www."))
        feed = {
            "url": url,
            "name": (change.titled and name) or publisher_of(url, host),
            "title": name if change.titled else "",
            "publisher": publisher,
            "tags": json.dumps(tags),
            "now": moment,
            "host": host,
        }
        number = db.execute(_INSERT_FEED, feed).fetchone()["id"]
        db.execute(
            "insert into feed_chats (feed_id, chat_id, user_id, at, name, tags) "
            "values (?, ?, ?, ?, ?, ?) on conflict do nothing",
            [number, origin.target, origin.user_id, moment, name, json.dumps(tags)],
        )


def _remove_feed(db: Database, change: RemoveFeed, origin: Origin) -> None:
    db.execute(
        "delete from feed_chats where feed_id = ? and chat_id = ?",
        [change.feed_id, origin.target],
    )
    db.execute(_STOP_UNUSED_FEED, [change.feed_id])


def _set_feed_text(db: Database, change: SetFeedText, origin: Origin) -> None:
    db.execute(_SET_FEED_TEXT, [change.text, change.feed_id, origin.target])


def _set_paused(db: Database, change: SetPaused, origin: Origin) -> None:
    db.execute(
        "update chats set paused = ?, not_before = null where kind = ? and address = ?",
        [change.reason, ChatKind.TELEGRAM, origin.address],
    )


def _set_stance(db: Database, change: SetStance, origin: Origin) -> None:
    set_stance(db, origin.target, change.storyline_id, change.stance, origin.now)


def _set_grouping(db: Database, change: SetGrouping, origin: Origin) -> None:
    db.execute("update chats set grouping = ? where id = ?", [change.grouping, origin.target])


def _set_settings(db: Database, change: SetSettings, origin: Origin) -> None:
    row = db.execute("select settings from chats where id = ?", [origin.target]).fetchone()
    before = get_settings(row["settings"])
    settings = change.settings.over(before)
    db.execute(
        "update chats set settings = ?, hours_at = '' where id = ?",
        [put_settings(settings), origin.target],
    )
    # By other times the last digest may look long ago: the next one comes at the next of them.
    if (settings.digest_at, settings.zone) != (before.digest_at, before.zone):
        db.execute(
            "update chats set digested_at = ? where id = ? and digested_at is not null",
            [put_time(origin.now), origin.target],
        )


def _set_role(db: Database, change: SetRole, origin: Origin) -> None:
    role = StoredRole.OPEN if change.openly else change.role
    db.execute(_SET_ROLE, [change.user_id, role, change.name, put_time(origin.now)])
    if change.role is Role.BLOCKED:
        forget_person(db, change.user_id)
        db.execute(
            "update chats set allowed = declared where kind = ? and address = ?",
            [ChatKind.TELEGRAM, change.user_id],
        )


def _allow_chat(db: Database, change: AllowChat, origin: Origin) -> None:
    number = origin.chat_id if change.chat_id is None else change.chat_id
    entered = Entered.OPENLY if change.openly else Entered.BY_OTHERS
    db.execute(
        "update chats set allowed = max(?, declared), paused = '', entered = ? where id = ?",
        [change.allowed, entered, number],
    )
    if change.operator:
        db.execute("update chats set operator = 1 where id = ?", [number])
    if change.allowed:
        reconsider(db, [number, *allow_topics(db, [number])], origin.now)


def _link_channel(db: Database, change: LinkChannel, origin: Origin) -> None:
    number = db.execute(
        _INSERT_CHANNEL, [change.title, ChatKind.TELEGRAM, change.address, origin.chat_id]
    ).fetchone()["id"]
    db.execute(
        "insert into links values (?, ?, ?) on conflict do nothing",
        [number, origin.user_id, put_time(origin.now)],
    )


def _manage_chat(db: Database, change: ManageChat, origin: Origin) -> None:
    db.execute("update chats set acts_for = ? where id = ?", [change.chat_id, origin.chat_id])


def _store_token(db: Database, change: StoreToken, origin: Origin) -> None:
    until = origin.now + (timedelta(hours=change.hours) if change.hours else _UNLIMITED)
    db.execute(
        put("claims", "token_hash", "expires_at, purpose, state, chat_id, used_at"),
        [
            token_hash(change.token),
            put_time(until),
            change.purpose,
            json.dumps(dict(change.values)),
            origin.chat_id,
            None,
        ],
    )


def _store_web_link(db: Database, change: StoreWebLink, origin: Origin) -> None:
    until = origin.now + timedelta(minutes=change.minutes)
    put_link(db, change.word, origin.user_id, origin.chat_id, origin.now, until)


def _show_chat_on_web(db: Database, _: ShowChatOnWeb, origin: Origin) -> None:
    put_chat(db, origin.user_id, origin.target, origin.now)


def _use_token(db: Database, change: UseToken, origin: Origin) -> None:
    db.execute(
        "update claims set used_at = ? where token_hash = ?",
        [put_time(origin.now), token_hash(change.token)],
    )


def _broadcast(db: Database, change: Broadcast, origin: Origin) -> None:
    for number in change.chats:
        outbox.queue_text(db, number, DeliveryKind.NOTICE, Message(change.text), origin.now)


def _tell(db: Database, change: Tell, origin: Origin) -> None:
    number = 0
    if change.screen:
        screen, moment = change.screen, put_time(origin.now)
        row = [change.chat_id, origin.user_id, screen.name, put_screen_state(screen), moment]
        number = int(db.execute(_INSERT_SCREEN, row).fetchone()["id"])
    outbox.queue_text(
        db, change.chat_id, DeliveryKind.NOTICE, change.message, origin.now, screen=number
    )


def _retry_dead(db: Database, _: RetryDead, __: Origin) -> None:
    outbox.retry(db)


def _retry_feeds(db: Database, _: RetryFeeds, origin: Origin) -> None:
    db.execute(_RETRY_FAILING, {"now": put_time(origin.now)})


def _assign_story(db: Database, change: AssignStory, origin: Origin) -> None:
    user_id = origin.user_id if change.name else 0
    for chat_id, story_id in _alerts_of_message(db, change.message_id, origin):
        db.execute(
            "update alerts set taken_by = ?, taken_user = ?, revision = revision + 1 "
            "where chat_id = ? and story_id = ?",
            [change.name, user_id, chat_id, story_id],
        )
        outbox.queue_edit(db, chat_id, story_id, origin.now, at_once=True)


def _rate_alert(db: Database, change: RateAlert, origin: Origin) -> None:
    for chat_id, story_id in _alerts_of_message(db, change.message_id, origin):
        if change.verdict:
            db.execute(
                put("verdicts", "chat_id, story_id, user_id", "verdict, at"),
                [chat_id, story_id, origin.user_id, change.verdict, put_time(origin.now)],
            )
        else:
            db.execute(
                "delete from verdicts where chat_id = ? and story_id = ? and user_id = ?",
                [chat_id, story_id, origin.user_id],
            )


def _alerts_of_message(db: Database, message_id: int, origin: Origin) -> list[tuple[int, int]]:
    """Chat and story of each alert in a message."""
    values = {
        "message": message_id,
        "chat": origin.chat_id,
        "address": origin.address,
        "all_topics": origin.all_topics,
    }
    return [tuple(row) for row in db.execute(_ALERTS_OF_MESSAGE, values).fetchall()]


def _forget_person(db: Database, _: ForgetPerson, origin: Origin) -> None:
    # The name of the new row, by which the last message goes out, is their number.
    forget.begin(db, origin.user_id, origin.now, farewell=str(origin.user_id))


_APPLY: Mapping[type[Change], Callable[[Database, Any, Origin], None]] = {
    AddSubscription: _add_subscription,
    EditSubscription: _edit_subscription,
    RemoveSubscription: _remove_subscription,
    AskConfirmation: _ask_confirmation,
    AddFeeds: _add_feeds,
    RemoveFeed: _remove_feed,
    SetFeedText: _set_feed_text,
    SetPaused: _set_paused,
    SetStance: _set_stance,
    SetGrouping: _set_grouping,
    SetSettings: _set_settings,
    SetRole: _set_role,
    AllowChat: _allow_chat,
    LinkChannel: _link_channel,
    ManageChat: _manage_chat,
    StoreToken: _store_token,
    UseToken: _use_token,
    StoreWebLink: _store_web_link,
    ShowChatOnWeb: _show_chat_on_web,
    Broadcast: _broadcast,
    Tell: _tell,
    RetryDead: _retry_dead,
    RetryFeeds: _retry_feeds,
    AssignStory: _assign_story,
    RateAlert: _rate_alert,
    ForgetPerson: _forget_person,
}
