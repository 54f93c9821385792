"""Forget a person or a chat: what names them at once, the rest in parts. Decides nothing.

The chat's row is emptied and gives up its address, so nothing leads to it any more; what hangs on
it has only its number, and a clean-up deletes it in parts, as it deletes everything. Should they
write again, they are strangers with a row of their own.

In what others share (a group's subscriptions and feeds, a story that somebody took), the name goes
and the thing stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.model.archive import StoredAbout
from bot.store import web_tokens
from bot.store.engines.engine import Database
from bot.store.mappers import put_time
from bot.store.meta import MOVED, MetaName
from bot.store.sql import DECLARED, IS_QUEUED, IS_SENDING, TELEGRAM, marks

FORGOTTEN = "forgotten"  #: why an emptied chat is paused
_RECORDS = 4_000  # rows of match records that one part looks at: they have no index by chat

_CHATS = f"select * from chats where kind = {TELEGRAM} and address = ? order by id"
_IS_DECLARED = f"""
    select exists (select 1 from chats where kind = {TELEGRAM} and address = :address
        and declared = 1)
    or exists (select 1 from people where user_id = :address and role = {DECLARED}) as declared
"""
# Screens that a person used, and those by which operators are asked about them.
_QUESTIONS = """
    select id from screens where user_id = :user
    union
    select s.id from screens s join chats c on c.id = s.chat_id
    where c.operator = 1 and exists (select 1 from json_tree(s.state) as part
        where cast(part.atom as text) = cast(:user as text))
"""
# Messages to others that name the person. Operators read who asks for access and who has it; some
# of their messages too many do no harm: they were sent.
_MENTIONS = f"""
    select id from outbox where entities like :mention or text like :number
    union
    select o.id from outbox o join chats c on c.id = o.chat_id
    where c.operator = 1 and exists (select 1 from (
        select name from people where user_id = :user and name != ''
        union select name from chats where kind = {TELEGRAM} and address = :user and name != ''
    ) as named where instr(o.text, name) > 0)
"""
_MESSAGES_OF = "select id from outbox where screen = ?"
_UNMENTIONED = (
    f"delete from outbox where id = ? and {IS_QUEUED}",
    f"""
    update outbox set text = '', entities = '[]', phrase = '', buttons = '[]'
    where id = ? and not ({IS_SENDING})
    """,
)
_NAMELESS = (
    "update alerts set taken_user = 0, taken_by = '' where taken_user = :user and taken_user != 0",
    "delete from verdicts where user_id = :user",
    "delete from links where user_id = :user",
    "update web_tokens set user_id = 0 where user_id = :user",
    "update feed_chats set user_id = 0 where user_id = :user",
    "delete from people where user_id = :user",
)
_OWN_SUBSCRIPTIONS = """
    select subscription_id as id from routes r join subscriptions s on s.id = subscription_id
    where chat_id = :chat and declared = 0
    and not exists (select 1 from routes o where o.subscription_id = r.subscription_id
        and o.chat_id != r.chat_id)
"""
_STOP_FEEDS = """
    update feeds set active = 0, lease_until = null
    where declared = 0 and active = 1
    and not exists (select 1 from feed_chats where feed_id = feeds.id)
"""
_EMPTIED = (
    f"""
    update subscriptions set name = '', query = '', feeds = '[]', paused = 0,
        removed_at = coalesce(removed_at, :now)
    where id in ({_OWN_SUBSCRIPTIONS})
    """,
    f"delete from subscription_versions where subscription_id in ({_OWN_SUBSCRIPTIONS})",
    f"delete from forecasts where subscription_id in ({_OWN_SUBSCRIPTIONS})",
    f"""
    delete from outbox_alerts where outbox_id in
        (select id from outbox where chat_id = :chat and {IS_QUEUED})
    """,
    f"delete from outbox where chat_id = :chat and {IS_QUEUED}",
    "delete from feed_chats where chat_id = :chat",
    "delete from pending where chat_id = :chat",
    "delete from stances where chat_id = :chat",
    "delete from claims where chat_id = :chat",
    "delete from web_tokens where chat_id = :chat",
    "delete from links where chat_id = :chat",
    "update chats set acts_for = null where acts_for = :chat",
    f"""
    update chats set name = '', address = -id, topic = 0, allowed = 0, operator = 0,
        paused = '{FORGOTTEN}', grouping = null, settings = '{{}}', quiet_until = null,
        digested_at = null, next_digest_at = null, acts_for = null, entered = '',
        forgotten_at = :now
    where id = :chat
    """,
)
_FAREWELL = """
    insert into chats (name, kind, address, allowed, forgotten_at) values (?, 'telegram', ?, 0, ?)
"""
# What is being sent at this moment is looked at the next time.
_NEXT_FORGOTTEN = f"""
    select id, address = -id as emptied from chats
    where forgotten_at is not null
    and not exists (select 1 from outbox where chat_id = chats.id and {IS_SENDING})
    and (address = -id
        or not exists (select 1 from outbox where chat_id = chats.id and {IS_QUEUED}))
    limit 1
"""
_FORGET_RECORDS = """
    delete from match_records where chat_id = :chat and (entry_id, chat_id, subscription_id) in (
        select entry_id, chat_id, subscription_id from match_records
        where entry_id between :first and :last
    )
"""
# The next part of what hangs on an emptied chat, in this order; each ends at its limit.
_PARTS = tuple(
    f"delete from {table} where ({key}) in "
    f"(select {key} from {table} where chat_id = :chat limit :batch)"
    for table, key in (
        ("outbox_alerts", "outbox_id, chat_id, story_id"),
        ("outbox", "id"),
        ("screens", "id"),
        ("verdicts", "chat_id, story_id, user_id"),
        ("alert_matches", "chat_id, story_id, subscription_id"),
        ("update_records", "id"),
    )
)
_ALERTS = "select story_id, entry_id from alerts where chat_id = :chat limit :batch"
_FORGET_SUBSCRIPTION = (
    "delete from subscription_versions where subscription_id = ?",
    "delete from routes where subscription_id = ?",
    "delete from subscriptions where id = ?",
)
_LAST_PARTS = (
    "delete from routes where chat_id = :chat",
    "delete from chat_numbers where chat_id = :chat",
    "delete from message_references where chat_id = :chat",
    "delete from chats where id = :chat",
)


@dataclass(slots=True)
class RecordsPosition:
    """How far the match records were gone through for a chat."""

    chat_id: int = 0
    entry_id: int = 0


def is_declared(db: Database, address: int) -> bool:
    """Whether feeds.yaml names this person or chat."""
    return bool(db.execute(_IS_DECLARED, {"address": address}).fetchone()["declared"])


def begin(db: Database, address: int, now: datetime, *, farewell: str = "") -> int:
    """Delete what names a person or chat; return how many chats and people there were.

    With `farewell`, the name of a new row by which a last message goes to them; the next clean-up
    deletes it. Does nothing where feeds.yaml names them.
    """
    if is_declared(db, address):
        return 0
    chats = [row["id"] for row in db.execute(_CHATS, [address]).fetchall()]
    moment = put_time(now)
    known = len(chats)
    if address > 0:
        known += db.execute("select count(*) from people where user_id = ?", [address]).fetchone()[
            0
        ]
        _forget_person(db, address)
    for chat in chats:
        for statement in _EMPTIED:
            db.execute(statement, {"chat": chat, "now": moment})
    db.execute(_STOP_FEEDS)
    db.execute(
        "delete from meta where name = ? or (name like ? and value = ?)",
        [f"{MOVED}{address}", f"{MOVED}%", str(address)],
    )
    if chats and farewell:
        db.execute(_FAREWELL, [farewell, address, moment])
    if chats:  # the rest goes soon
        db.execute("delete from meta where name = ?", [MetaName.CLEANED_AT])
    return known


def _forget_person(db: Database, user_id: int) -> None:
    """Delete what names a person in other chats than their own."""
    values = {
        "user": user_id,
        "mention": f'%tg://user?id={user_id}"%',
        "number": f"%({user_id})%",
    }
    screens = [tuple(row) for row in db.execute(_QUESTIONS, values).fetchall()]
    messages = [tuple(row) for row in db.execute(_MENTIONS, values).fetchall()]
    for screen in screens:
        messages += [tuple(row) for row in db.execute(_MESSAGES_OF, screen).fetchall()]
    for statement in _UNMENTIONED:
        db.executemany(statement, messages)
    db.executemany("delete from screens where id = ?", screens)
    web_tokens.forget_person(db, user_id)
    for statement in _NAMELESS:
        db.execute(statement, values)


def go_on(db: Database, position: RecordsPosition, batch: int) -> tuple[int, bool]:
    """Delete the next part of what hangs on forgotten chats.

    Return how many rows, and whether there may be more.
    """
    row = db.execute(_NEXT_FORGOTTEN).fetchone()
    if row is None:
        return 0, False
    chat = row["id"]
    if not row["emptied"]:  # the last message went out; a stranger's row is deleted as others are
        db.execute("delete from outbox where chat_id = ?", [chat])
        db.execute("update chats set forgotten_at = null where id = ?", [chat])
        return 0, True
    values = {"chat": chat, "batch": batch}
    for statement in _PARTS:
        count = db.execute(statement, values).rowcount
        if count:
            return count, True
    alerts = db.execute(_ALERTS, values).fetchall()
    if alerts:
        _forget_alerts(db, chat, alerts)
        return len(alerts), True
    if not _forget_records(db, chat, position):
        return 0, True
    own = [(row["id"],) for row in db.execute(_OWN_SUBSCRIPTIONS, values).fetchall()]
    for statement in _FORGET_SUBSCRIPTION:
        db.executemany(statement, own)
    for statement in _LAST_PARTS:
        db.execute(statement, values)
    return len(own) + 1, True


def _forget_alerts(db: Database, chat: int, alerts: Sequence[Any]) -> None:
    stories = [(chat, row["story_id"]) for row in alerts]
    db.executemany("delete from alerts where chat_id = ? and story_id = ?", stories)
    # A clean-up marked them as what an alert needs; it looks at them again.
    entries = [(row["entry_id"],) for row in alerts]
    db.executemany("update entries set alerted = 0 where id = ? and alerted = 1", entries)


def _forget_records(db: Database, chat: int, position: RecordsPosition) -> bool:
    """Delete the records of a chat among the next entries; return whether those were the last."""
    if position.chat_id != chat:
        position.chat_id, position.entry_id = chat, 0
    last = db.execute("select max(id) as id from entries").fetchone()["id"] or 0
    until = min(position.entry_id + _RECORDS, last)
    db.execute(_FORGET_RECORDS, {"chat": chat, "first": position.entry_id, "last": until})
    position.entry_id = until + 1
    return until >= last


def stored_about(db: Database, text: str) -> list[StoredAbout]:
    """Return the people and chats of this number or name, with how much is stored of each."""
    number = int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
    rows = db.execute(
        f"""
        select address as number from chats where kind = {TELEGRAM} and forgotten_at is null
            and (address = :number or lower(name) = lower(:name))
        union select user_id from people where user_id = :number or lower(name) = lower(:name)
        """,
        {"number": number, "name": text},
    ).fetchall()
    return [_stored_about(db, row["number"]) for row in rows]


def _stored_about(db: Database, address: int) -> StoredAbout:
    chats = db.execute(_CHATS, [address]).fetchall()
    person = db.execute("select name from people where user_id = ?", [address]).fetchone()
    numbers = [row["id"] for row in chats]
    counts = {
        table: db.execute(
            f"select count(*) from {table} where chat_id in ({marks(numbers)})", numbers
        ).fetchone()[0]
        for table in ("routes", "alerts", "outbox", "feed_chats")
    }
    names = [row["name"] for row in chats] + ([person["name"]] if person else [])
    return StoredAbout(
        address,
        next((name for name in names if name), ""),
        is_declared(db, address),
        person is not None,
        len(chats),
        counts["routes"],
        counts["alerts"],
        counts["outbox"],
        counts["feed_chats"],
    )
