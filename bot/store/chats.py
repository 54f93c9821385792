"""What the store knows of people and their chats: who they are, what they subscribed to, which screens stand open. Decides nothing."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.model.alerts import AlertedStory, Stance
from bot.model.chat_events import HandledUpdate, OwnFeed, Person, Reply, Role, Screen
from bot.model.chats import Chat, Subscription, TokenPurpose
from bot.store import chat_writes
from bot.store.chat_writes import token_hash
from bot.store.database import Writer
from bot.store.mappers import get_alert_options, get_chat, put_time

ANSWER_WITHIN = timedelta(hours=1)  #: how long a screen waits for what a person is to write
_ROLES = {
    "declared": Role.OWNER,
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "user": Role.USER,
    "blocked": Role.BLOCKED,
}


class ChatTables:
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
            row = db.execute(
                "select * from chats where kind = 'telegram' and address = ? and topic = ?",
                [address, topic],
            ).fetchone()
            return get_chat(row) if row else None

        return await self._writer.run("read a chat", work)

    async def has_admin(self) -> bool:
        """Whether anyone is the operator."""
        return await self._writer.run(
            "read people",
            lambda db: (
                db.execute(
                    "select 1 from people where role in ('declared', 'owner', 'admin') limit 1"
                ).fetchone()
                is not None
            ),
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
                    Subscription(
                        row["id"],
                        row["name"],
                        row["query"],
                        tuple(json.loads(row["feeds"])),
                        (chat_id,),
                        declared=bool(row["declared"]),
                        options=get_alert_options(row),
                        paused=bool(row["paused"]),
                    ),
                    bool(row["declared"]),
                )
                for row in rows
            ]

        return await self._writer.run("read subscriptions", work)

    async def alert_of(self, chat_id: int, message_id: int) -> AlertedStory | None:
        """The story that a message of the chat tells of, or told of first; of several, the first."""

        def work(db: Database) -> AlertedStory | None:
            row = db.execute(
                "select l.entry_id, l.taken_by, l.taken_user, e.storyline_id, e.title, "
                "(select stance from stances s where s.chat_id = l.chat_id "
                "and s.storyline_id = e.storyline_id) as stance from alerts l join entries e on e.id = l.entry_id "
                "where l.chat_id = :chat and (l.message_id = :message or exists "
                "(select 1 from outbox_alerts a join outbox o on o.id = a.outbox_id "
                "where a.chat_id = l.chat_id and a.story_id = l.story_id and o.message_id = :message)) "
                "order by l.created_at, l.story_id limit 1",
                {"chat": chat_id, "message": message_id},
            ).fetchone()
            if row is None:
                return None
            stance = Stance(row["stance"]) if row["stance"] else None
            return AlertedStory(
                row["entry_id"],
                row["storyline_id"],
                row["title"],
                stance,
                row["taken_by"],
                row["taken_user"],
            )

        return await self._writer.run("read an alert", work)

    async def pending_query(self, chat_id: int, now: datetime) -> str:
        """The query that the chat was asked to confirm; empty where there is none, or it is too old."""

        def work(db: Database) -> str:
            row = db.execute(
                "select query from pending where chat_id = ? and expires_at > ?",
                [chat_id, put_time(now)],
            ).fetchone()
            return row["query"] if row else ""

        return await self._writer.run("read what waits for a word", work)

    async def make_claim(self, token: str, expires_at: datetime) -> None:
        """Remember the one claim token that is good."""

        def work(db: Database) -> None:
            db.execute("delete from claims where purpose = 'claim'")
            db.execute(
                "insert into claims (token_hash, expires_at) values (?, ?)",
                [token_hash(token), put_time(expires_at)],
            )

        await self._writer.run("keep the claim", work)

    async def last_update(self) -> int:
        """The number of the last answered update; 0 for none."""

        def work(db: Database) -> int:
            row = db.execute("select value from meta where name = 'last_update'").fetchone()
            return int(row["value"]) if row else 0

        return await self._writer.run("read the last update", work)

    async def answer(self, handled: HandledUpdate, now: datetime) -> bool:
        """Keep changes, reply and the update's number together; False where this update was answered before."""
        return await self._writer.run("answer", lambda db: chat_writes.keep(db, handled, now))

    async def chat(self, number: int) -> Chat | None:
        """A chat by its number."""

        def work(db: Database) -> Chat | None:
            row = db.execute("select * from chats where id = ?", [number]).fetchone()
            return get_chat(row) if row else None

        return await self._writer.run("read a chat", work)

    async def person(self, user_id: int) -> Person:
        """Who this is to newsbell."""

        def work(db: Database) -> Person:
            row = db.execute(
                "select role, name from people where user_id = ?", [user_id]
            ).fetchone()
            return (
                Person(user_id, _ROLES.get(row["role"], Role.STRANGER), row["name"])
                if row
                else Person(user_id)
            )

        return await self._writer.run("read people", work)

    async def people(self) -> list[Person]:
        """All who are known, operators first."""

        def work(db: Database) -> list[Person]:
            rows = db.execute(
                "select user_id, role, name from people where role != 'former' order by since"
            ).fetchall()
            known = [
                Person(row["user_id"], _ROLES.get(row["role"], Role.STRANGER), row["name"])
                for row in rows
            ]
            return sorted(known, key=lambda one: list(Role).index(one.role))

        return await self._writer.run("read people", work)

    async def access_requests(self) -> list[Chat]:
        """Chats that wrote to the bot and are not let in, the newest first; at most twenty."""

        def work(db: Database) -> list[Chat]:
            rows = db.execute(
                "select * from chats where allowed = 0 and kind = 'telegram' and declared = 0 and paused = '' and not exists "
                "(select 1 from people where user_id = address and role = 'blocked') order by id desc limit 20"
            ).fetchall()
            return [get_chat(row) for row in rows]

        return await self._writer.run("read chats", work)

    async def linked_channels(self, user_id: int) -> list[Chat]:
        """The channels that a person linked."""

        def work(db: Database) -> list[Chat]:
            rows = db.execute(
                "select c.* from links join chats c on c.id = chat_id where user_id = ? order by name",
                [user_id],
            ).fetchall()
            return [get_chat(row) for row in rows]

        return await self._writer.run("read channels", work)

    async def removed_subscription(self, chat_id: int, number: int) -> Subscription | None:
        """A subscription that the chat gave up."""

        def work(db: Database) -> Subscription | None:
            row = db.execute(
                "select s.* from subscriptions s join routes on subscription_id = s.id "
                "where chat_id = ? and s.id = ? and removed_at is not null",
                [chat_id, number],
            ).fetchone()
            return (
                Subscription(
                    row["id"],
                    row["name"],
                    row["query"],
                    tuple(json.loads(row["feeds"])),
                    (chat_id,),
                )
                if row
                else None
            )

        return await self._writer.run("read subscriptions", work)

    async def feeds_of(self, chat_id: int) -> list[OwnFeed]:
        """The feeds that a chat's subscriptions look at: those of the file, and those that the chat added."""

        def work(db: Database) -> list[OwnFeed]:
            rows = db.execute(
                "select f.id, url, name, tags, declared, chat_id from feeds f left join feed_chats on feed_id = f.id and chat_id = ? "
                "where active = 1 and (declared = 1 or chat_id is not null) order by name collate nocase, f.id",
                [chat_id],
            ).fetchall()
            return [
                OwnFeed(
                    row["id"],
                    row["url"],
                    row["name"],
                    tuple(json.loads(row["tags"])),
                    bool(row["declared"]),
                    row["chat_id"] is not None,
                )
                for row in rows
            ]

        return await self._writer.run("read feeds", work)

    async def new_hosts(self, user_id: int, since: datetime) -> int:
        """How many hosts the person had watched since then that nobody had before."""

        def work(db: Database) -> int:
            return int(
                db.execute(
                    "select count(distinct host) from feed_chats join feeds f on f.id = feed_id "
                    "where user_id = ? and at > ? and f.created_at > ?",
                    [user_id, put_time(since), put_time(since)],
                ).fetchone()[0]
            )

        return await self._writer.run("read feeds", work)

    async def screen(self, chat_id: int, number: int) -> Screen | None:
        """What a message with buttons shows at present."""

        def work(db: Database) -> Screen | None:
            row = db.execute(
                "select * from screens where id = ? and chat_id = ?", [number, chat_id]
            ).fetchone()
            return _screen(row) if row else None

        return await self._writer.run("read a screen", work)

    async def expecting(
        self, chat_id: int, user_id: int, now: datetime, reply_to: int | None = None
    ) -> Screen | None:
        """The newest screen that waits for something this person is to write; with `reply_to`, only where that message is a reply of ours."""

        def work(db: Database) -> Screen | None:
            row = db.execute(
                "select * from screens where chat_id = ? and user_id = ? and expects != '' and touched_at > ? "
                "and (? is null or exists (select 1 from outbox where outbox.chat_id = screens.chat_id and message_id = ? and kind = 'reply')) "
                "order by touched_at desc, id desc limit 1",
                [chat_id, user_id, put_time(now - ANSWER_WITHIN), reply_to, reply_to],
            ).fetchone()
            return _screen(row) if row else None

        return await self._writer.run("read a screen", work)

    async def token(
        self, token: str, now: datetime
    ) -> tuple[TokenPurpose, Mapping[str, Any]] | None:
        """What a link with this word does: its purpose and values; None where it is unknown, used or too old."""

        def work(db: Database) -> tuple[TokenPurpose, Mapping[str, Any]] | None:
            row = db.execute(
                "select purpose, state from claims where token_hash = ? and used_at is null and expires_at > ?",
                [token_hash(token), put_time(now)],
            ).fetchone()
            return (TokenPurpose(row["purpose"]), json.loads(row["state"])) if row else None

        return await self._writer.run("read a link", work)

    async def finish(
        self, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
    ) -> None:
        """What was worked on for a screen is done: its changes are kept, and its message changes."""
        await self._writer.run(
            "finish a screen",
            lambda db: chat_writes.finish(db, chat_id, user_id, screen, reply, now),
        )

    async def busy_screens(self) -> list[tuple[int, int, Screen]]:
        """Chat, person and screen of what was being worked on when newsbell stopped."""

        def work(db: Database) -> list[tuple[int, int, Screen]]:
            rows = db.execute(
                "select * from screens where json_extract(state, '$.busy') is not null"
            ).fetchall()
            return [(row["chat_id"], row["user_id"], _screen(row)) for row in rows]

        return await self._writer.run("read screens", work)

    async def ratings(self, chat_id: int, since: datetime) -> Mapping[int, tuple[int, int]]:
        """By subscription: how many of its alerts pleased somebody, and how many did not."""

        def work(db: Database) -> Mapping[int, tuple[int, int]]:
            rows = db.execute(
                "select subscription_id, sum(verdict > 0) as good, sum(verdict < 0) as bad from verdicts v "
                "join alert_matches using (chat_id, story_id) where chat_id = ? and at > ? group by subscription_id",
                [chat_id, put_time(since)],
            ).fetchall()
            return {row["subscription_id"]: (row["good"], row["bad"]) for row in rows}

        return await self._writer.run("read verdicts", work)


def _screen(row: Any) -> Screen:
    return Screen(row["name"], json.loads(row["state"]), row["expects"], row["id"])
