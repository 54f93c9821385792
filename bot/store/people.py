"""What people do in chats, kept: their subscriptions, who may use the bot, which update was answered. Decides nothing."""

import json
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import assert_never

from sqlite_utils import Database

from bot.model.chats import (
    AddSubscription,
    AlertedStory,
    Answered,
    AskFirst,
    Change,
    Chat,
    ClaimBot,
    DeliveryKind,
    RemoveSubscription,
    SetGrouping,
    SetPaused,
    SetStance,
    Stance,
    Subscription,
)
from bot.store.database import Writer
from bot.store.outbox import queue_text
from bot.store.rows import get_chat, get_ringing, put_ringing, put_time
from bot.store.stories import set_stance

_REPEATS = 10_000  # an update so little below the last answered one is a repeat; Telegram may begin anew with lower numbers
ASKED = timedelta(hours=1)  #: how long a chat may take to confirm
_STRANGER_PAUSE = timedelta(minutes=1)  # between two answers to a stranger


def token_hash(token: str) -> bytes:
    """What is kept of a claim token."""
    return blake2b(token.encode(), digest_size=32, person=b"newsbell claim").digest()


class PeopleTables:
    """Implements `ports.PeopleStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def chat_at(self, address: int, topic: int) -> Chat | None:
        """The chat at this address, if any is known. A further topic of a group that is let in is let in with it."""

        def work(db: Database) -> Chat | None:
            db.execute(
                "insert into chats (name, kind, address, topic) select name || ', topic ' || :topic, kind, address, :topic from chats "
                "where kind = 'telegram' and address = :address and allowed = 1 and topic != :topic order by declared desc, id limit 1 "
                "on conflict (kind, address, topic) do update set allowed = 1",
                {"address": address, "topic": topic},
            )
            row = db.execute("select * from chats where kind = 'telegram' and address = ? and topic = ?", [address, topic]).fetchone()
            return get_chat(row) if row else None

        return await self._writer.run("read a chat", work)

    async def is_admin(self, user_id: int) -> bool:
        """Whether the person may do what operators do."""
        return await self._writer.run(
            "read people",
            lambda db: db.execute("select 1 from people where user_id = ? and role in ('declared', 'admin')", [user_id]).fetchone() is not None,
        )

    async def has_admin(self) -> bool:
        """Whether anyone is the operator."""
        return await self._writer.run(
            "read people",
            lambda db: db.execute("select 1 from people where role in ('declared', 'admin') limit 1").fetchone() is not None,
        )

    async def subscriptions_of(self, chat_id: int) -> list[tuple[Subscription, bool]]:
        """The chat's subscriptions, each with whether the configuration file declares it."""

        def work(db: Database) -> list[tuple[Subscription, bool]]:
            rows = db.execute(
                "select s.* from subscriptions s join routes on subscription_id = s.id where chat_id = ? and removed_at is null order by s.id",
                [chat_id],
            ).fetchall()
            return [
                (
                    Subscription(row["id"], row["name"], row["query"], tuple(json.loads(row["feeds"])), (chat_id,), ringing=get_ringing(row)),
                    bool(row["declared"]),
                )
                for row in rows
            ]

        return await self._writer.run("read subscriptions", work)

    async def alert_of(self, chat_id: int, message_id: int) -> AlertedStory | None:
        """The story that a message of the chat tells of, or told of first; of several, the first."""

        def work(db: Database) -> AlertedStory | None:
            row = db.execute(
                "select l.entry_id, e.storyline_id, e.title, (select stance from stances s where s.chat_id = l.chat_id "
                "and s.storyline_id = e.storyline_id) as stance from alerts l join entries e on e.id = l.entry_id "
                "where l.chat_id = :chat and (l.message_id = :message or exists "
                "(select 1 from outbox_alerts a join outbox o on o.id = a.outbox_id "
                "where a.chat_id = l.chat_id and a.story_id = l.story_id and o.message_id = :message)) "
                "order by l.created_at, l.story_id limit 1",
                {"chat": chat_id, "message": message_id},
            ).fetchone()
            if row is None:
                return None
            return AlertedStory(row["entry_id"], row["storyline_id"], row["title"], Stance(row["stance"]) if row["stance"] else None)

        return await self._writer.run("read an alert", work)

    async def asked(self, chat_id: int, now: datetime) -> str:
        """The query that the chat was asked to confirm; empty where there is none, or it is too old."""

        def work(db: Database) -> str:
            row = db.execute("select query from pending where chat_id = ? and expires_at > ?", [chat_id, put_time(now)]).fetchone()
            return row["query"] if row else ""

        return await self._writer.run("read what waits for a word", work)

    async def make_claim(self, token: str, expires_at: datetime) -> None:
        """Remember the one claim token that is good."""

        def work(db: Database) -> None:
            db.execute("delete from claims")
            db.execute("insert into claims (token_hash, expires_at) values (?, ?)", [token_hash(token), put_time(expires_at)])

        await self._writer.run("keep the claim", work)

    async def use_claim(self, token: str, now: datetime) -> bool:
        """Use up the claim token; False where it is wrong, used or too old."""

        def work(db: Database) -> bool:
            used = db.execute(
                "update claims set used_at = :now where token_hash = :hash and used_at is null and expires_at > :now",
                {"now": put_time(now), "hash": token_hash(token)},
            )
            return bool(used.rowcount)

        return await self._writer.run("use the claim", work)

    async def last_update(self) -> int:
        """The number of the last answered update; 0 for none."""

        def work(db: Database) -> int:
            row = db.execute("select value from meta where name = 'last_update'").fetchone()
            return int(row["value"]) if row else 0

        return await self._writer.run("read the last update", work)

    async def answer(self, answered: Answered, now: datetime) -> bool:
        """Keep changes, reply and the update's number together; False where this update was answered before."""

        def work(db: Database) -> bool:
            number = answered.update.update_id
            row = db.execute("select value from meta where name = 'last_update'").fetchone()
            if row and 0 <= int(row["value"]) - number < _REPEATS:
                return False
            db.execute("insert or replace into meta values ('last_update', ?)", [str(number)])
            if answered.reply or answered.changes:
                chat_id = _chat_id(db, answered)
                for change in answered.changes:
                    _apply(db, chat_id, change, answered, now)
                if answered.reply and not _pestered(db, chat_id, now):
                    queue_text(db, chat_id, DeliveryKind.REPLY, answered.reply, now, answered.update.message_id)
            return True

        return await self._writer.run("answer", work)


def _chat_id(db: Database, answered: Answered) -> int:
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


def _apply(db: Database, chat_id: int, change: Change, answered: Answered, now: datetime) -> None:
    match change:
        case AddSubscription(query=query, name=name, ringing=ringing):
            number = db.execute(
                "insert into subscriptions (name, query, created_at, urgency, publishers, or_after, ring_again_at) values (?, ?, ?, ?, ?, ?, ?)",
                [name, query, put_time(now), *put_ringing(ringing)],
            ).lastrowid
            db.execute("insert into routes values (?, ?)", [number, chat_id])
            db.execute("delete from pending where chat_id = ?", [chat_id])
        case AskFirst(query=query):
            db.execute("insert or replace into pending values (?, ?, ?)", [chat_id, query, put_time(now + ASKED)])
        case RemoveSubscription(subscription_id=number):
            db.execute(
                "update subscriptions set removed_at = ? where id = ? and declared = 0 "
                "and id in (select subscription_id from routes where chat_id = ?)",
                [put_time(now), number, chat_id],
            )
        case ClaimBot(user_id=user_id, name=name):
            db.execute("insert or replace into people values (?, 'admin', ?, ?)", [user_id, name, put_time(now)])
            db.execute("update chats set allowed = 1, operator = 1, paused = '' where id = ?", [chat_id])
        case SetPaused(reason=reason):
            db.execute(
                "update chats set paused = ?, not_before = null where kind = 'telegram' and address = ?",
                [reason, answered.update.address],
            )
        case SetStance(storyline_id=number, stance=stance):
            set_stance(db, chat_id, number, stance, now)
        case SetGrouping(grouping=grouping):
            db.execute("update chats set grouping = ? where id = ?", [grouping.value if grouping else None, chat_id])
        case _:
            assert_never(change)
