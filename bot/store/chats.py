"""What the store knows of people and their chats: roles, subscriptions, feeds, open screens.

Decides nothing; what updates change is in `chat_writes`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.model.alerts import AlertedStory, Stance
from bot.model.chat_events import (
    AssignStory,
    HandledUpdate,
    OwnFeed,
    Person,
    Reply,
    Role,
    Screen,
    SetStance,
)
from bot.model.chats import Chat, ChatKind, ForecastResult, Subscription, TokenPurpose
from bot.model.feeds import FeedText
from bot.store import chat_writes, forget, meta
from bot.store.chat_changes import Origin, apply, token_hash
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import get_alert_options, get_chat, put_time
from bot.store.meta import MetaName
from bot.store.screens import get_screen
from bot.store.sql import (
    BLOCKED,
    CLAIM,
    FORMER,
    INVITE,
    OPERATORS,
    REPLY,
    TELEGRAM,
    StoredRole,
)
from bot.stories.window import SPAN

INPUT_WITHIN = timedelta(minutes=15)  #: how long a screen expects input

_ROLES = {
    StoredRole.DECLARED: Role.OWNER,
    StoredRole.OWNER: Role.OWNER,
    StoredRole.ADMIN: Role.ADMIN,
    StoredRole.USER: Role.USER,
    StoredRole.OPEN: Role.USER,
    StoredRole.BLOCKED: Role.BLOCKED,
    StoredRole.FORMER: Role.STRANGER,
}

# A further topic of a group that is allowed is allowed with it.
_ADD_TOPIC = f"""
    insert into chats
        (name, kind, address, topic, entered, declared_grouping, declared_settings)
    select name || ', topic ' || :topic, kind, address, :topic, entered,
        case when topic = 0 then declared_grouping end,
        case when topic = 0 then declared_settings else '{{}}' end
    from chats
    where kind = {TELEGRAM} and address = :address and allowed = 1 and topic != :topic
    order by declared desc, id limit 1
    on conflict (kind, address, topic) do update set allowed = 1, entered = excluded.entered
"""
_HAS_OPERATOR = f"select 1 from people where role in {OPERATORS} limit 1"
_PEOPLE = f"select user_id, role, name from people where role != {FORMER} order by since"
_SUBSCRIPTIONS_OF = """
    select s.*, number from subscriptions s join routes r on r.subscription_id = s.id
    join chat_numbers n on n.chat_id = r.chat_id and n.subscription_id = s.id
    where r.chat_id = ? and removed_at is null order by number, s.id
"""
_REMOVED_SUBSCRIPTION = """
    select s.*, number from subscriptions s join routes r on r.subscription_id = s.id
    join chat_numbers n on n.chat_id = r.chat_id and n.subscription_id = s.id
    where r.chat_id = ? and s.id = ? and removed_at is not null
"""
# The message itself, or an earlier message of the alert.
_ALERT_OF = """
    select l.entry_id, l.taken_by, l.taken_user, e.storyline_id, e.title, (
        select stance from stances s where s.chat_id = l.chat_id
        and s.storyline_id = e.storyline_id
    ) as stance
    from alerts l join entries e on e.id = l.entry_id
    where l.chat_id = :chat and l.story_id in (
        select story_id from alerts where chat_id = :chat and message_id = :message
        union
        select a.story_id from outbox o join outbox_alerts a on a.outbox_id = o.id
        where o.chat_id = :chat and o.message_id = :message
    )
    order by l.created_at, l.story_id limit 1
"""
_ALERT_OF_STORY = """
    select other.message_id from alerts own
    join alerts other on other.chat_id = own.chat_id
        and other.story_id = coalesce(own.merged_into, own.story_id)
    where own.chat_id = :chat and own.story_id = :story and other.message_id is not null
"""
_ACCESS_REQUESTS = f"""
    select * from chats
    where allowed = 0 and kind = {TELEGRAM} and declared = 0 and paused = '' and not exists
        (select 1 from people where user_id = address and role = {BLOCKED})
    order by id desc limit 20
"""
_OPERATOR_CHATS = f"""
    select * from chats where kind = {TELEGRAM} and address > 0 and allowed = 1 and paused = ''
    and exists (select 1 from people where user_id = address and role in {OPERATORS})
    order by id
"""
_LINKED_CHANNELS = """
    select c.* from links join chats c on c.id = chat_id where user_id = ? order by name
"""
_FEEDS_OF = """
    select f.id, url, declared, chat_id, text,
        case when declared = 1 then f.name else coalesce(nullif(c.name, ''), f.name) end as name,
        case when declared = 1 then f.tags else c.tags end as tags
    from feeds f
    left join feed_chats c on feed_id = f.id and chat_id = ?
    where active = 1 and (declared = 1 or chat_id is not null)
    order by lower(
        case when declared = 1 then f.name else coalesce(nullif(c.name, ''), f.name) end), f.id
"""
_NEW_HOSTS = """
    select count(distinct host) from feed_chats join feeds f on f.id = feed_id
    where user_id = ? and at > ? and f.created_at > ?
"""
_EXPECTING = f"""
    select * from screens
    where chat_id = :chat and user_id = :user and expects != '' and touched_at > :since
    and (cast(:reply_to as integer) is null or exists (
        select 1 from outbox where outbox.chat_id = screens.chat_id
        and message_id = :reply_to and kind = {REPLY}
    ))
    order by touched_at desc, id desc limit 1
"""
# Administrators who write as the group or channel are nobody: the message says which screen.
_EXPECTING_AT = """
    select * from screens s
    where chat_id = :chat and expects != '' and touched_at > :since and exists (
        select 1 from outbox o where o.chat_id = s.chat_id and o.screen = s.id
        and (o.message_id = :message or o.edits = :message)
    )
    order by touched_at desc, id desc limit 1
"""
# A message with several alerts stands for none of them.
_RECENT_ALERTS = """
    select message_id, title from alerts a join entries e on e.id = a.entry_id
    where a.chat_id = :chat and message_id is not null and note_of is null
    and not exists (
        select 1 from alerts o where o.chat_id = a.chat_id and o.message_id = a.message_id
        and o.story_id != a.story_id and o.note_of is null
    )
    order by a.story_id desc limit :limit
"""
# A link is good no longer than what it came from: the claim until there is an operator, an
# invitation while who made it operates, a shared subscription while its chat is admitted.
_VALID_CLAIM = f"""
    select purpose, state from claims
    where token_hash = ? and used_at is null and expires_at > ?
    and case purpose
        when {CLAIM} then not exists (select 1 from people where role in {OPERATORS})
        when {INVITE} then exists (
            select 1 from chats join people on user_id = address
            where chats.id = claims.chat_id and kind = {TELEGRAM} and role in {OPERATORS})
        else exists (select 1 from chats where chats.id = claims.chat_id and allowed = 1)
    end
"""
_RATINGS = """
    select subscription_id, count(*) filter (where verdict > 0) as good,
        count(*) filter (where verdict < 0) as bad from verdicts v
    cross join alert_matches m on m.chat_id = v.chat_id and m.story_id = v.story_id
    where v.chat_id = ? and at > ?
    group by subscription_id
"""


_FORECASTS = """
    select subscription_id, low, high from forecasts join routes using (subscription_id)
    where chat_id = ? and at <= ?
"""
# Stories have the ids of their first entries, and are open for three days.
_CAME = """
    select m.subscription_id, count(*) as came from alerts a
    join alert_matches m on m.chat_id = a.chat_id and m.story_id = a.story_id
    where a.chat_id = :chat and a.created_at > :since and a.held = 0 and a.note_of is null
    and a.story_id >= (
        select coalesce(min(id), 0) from entries indexed by entries_seen
        where first_seen_at >= :opened
    )
    group by m.subscription_id
"""


class ChatTables:
    """Implements `ports.ChatStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def chat_at(self, address: int, topic: int) -> Chat | None:
        """Return the chat at this address, if any is known."""

        def work(db: Database) -> Chat | None:
            db.execute(_ADD_TOPIC, {"address": address, "topic": topic})
            row = db.execute(
                "select * from chats where kind = ? and address = ? and topic = ?",
                [ChatKind.TELEGRAM, address, topic],
            ).fetchone()
            return get_chat(row) if row else None

        return await self._writer.run("read a chat", work)

    async def chat(self, number: int) -> Chat | None:
        """Return a chat by its number."""
        rows = await self._writer.fetch("read a chat", "select * from chats where id = ?", [number])
        return get_chat(rows[0]) if rows else None

    async def person(self, user_id: int) -> Person:
        """Return what is known of a person; a stranger where nothing is."""
        rows = await self._writer.fetch(
            "read people", "select user_id, role, name from people where user_id = ?", [user_id]
        )
        return _person(rows[0]) if rows else Person(user_id)

    async def people(self) -> list[Person]:
        """Return everybody who is known, operators first."""
        ranks = {role: rank for rank, role in enumerate(Role)}
        people = [_person(row) for row in await self._writer.fetch("read people", _PEOPLE)]
        return sorted(people, key=lambda person: ranks[person.role])

    async def is_declared(self, address: int) -> bool:
        """Return whether feeds.yaml names a person or chat."""
        return await self._writer.run("read people", lambda db: forget.is_declared(db, address))

    async def has_admin(self) -> bool:
        """Return whether anyone is an operator."""
        return bool(await self._writer.fetch("read people", _HAS_OPERATOR))

    async def access_requests(self) -> list[Chat]:
        """Return chats that wrote to the bot and are not allowed, the newest first; at most 20."""
        rows = await self._writer.fetch("read chats", _ACCESS_REQUESTS)
        return [get_chat(row) for row in rows]

    async def operator_chats(self) -> list[Chat]:
        """Return the private chats of operators that get notices."""
        rows = await self._writer.fetch("read chats", _OPERATOR_CHATS)
        return [get_chat(row) for row in rows]

    async def linked_channels(self, user_id: int) -> list[Chat]:
        """Return the channels that a person linked."""
        rows = await self._writer.fetch("read channels", _LINKED_CHANNELS, [user_id])
        return [get_chat(row) for row in rows]

    async def subscriptions_of(self, chat_id: int) -> list[tuple[Subscription, bool]]:
        """Return the chat's subscriptions, each with whether the configuration declares it."""
        rows = await self._writer.fetch("read subscriptions", _SUBSCRIPTIONS_OF, [chat_id])
        return [(_subscription(row, chat_id), bool(row["declared"])) for row in rows]

    async def removed_subscription(self, chat_id: int, number: int) -> Subscription | None:
        """Return a subscription that the chat removed."""
        rows = await self._writer.fetch(
            "read subscriptions", _REMOVED_SUBSCRIPTION, [chat_id, number]
        )
        return _subscription(rows[0], chat_id) if rows else None

    async def feeds_of(self, chat_id: int) -> list[OwnFeed]:
        """Return the feeds of the file, and those that the chat added."""
        rows = await self._writer.fetch("read feeds", _FEEDS_OF, [chat_id])
        return [
            OwnFeed(
                row["id"],
                row["url"],
                row["name"],
                tuple(json.loads(row["tags"])),
                bool(row["declared"]),
                row["chat_id"] is not None,
                FeedText(row["text"]),
            )
            for row in rows
        ]

    async def new_hosts(self, user_id: int, since: datetime) -> int:
        """Return how many hosts that nobody had before the person added since then."""
        moment = put_time(since)
        rows = await self._writer.fetch("read feeds", _NEW_HOSTS, [user_id, moment, moment])
        return int(rows[0][0])

    async def alert_of(self, chat_id: int, message_id: int) -> AlertedStory | None:
        """Return the story of an alert's message; the first where the message has several."""
        rows = await self._writer.fetch(
            "read an alert", _ALERT_OF, {"chat": chat_id, "message": message_id}
        )
        if not rows:
            return None
        row = rows[0]
        return AlertedStory(
            row["entry_id"],
            row["storyline_id"],
            row["title"],
            Stance(row["stance"]) if row["stance"] else None,
            row["taken_by"],
            row["taken_user"],
        )

    async def alert_of_story(self, chat_id: int, story_id: int) -> AlertedStory | None:
        """Return the alert of a story, whatever it became part of; None where there is none."""
        rows = await self._writer.fetch(
            "read an alert", _ALERT_OF_STORY, {"chat": chat_id, "story": story_id}
        )
        if not rows:
            return None
        alert = await self.alert_of(chat_id, rows[0]["message_id"])
        return alert and replace(alert, message_id=rows[0]["message_id"])

    async def change_story(
        self, chat_id: int, change: SetStance | AssignStory, now: datetime
    ) -> None:
        """Apply what somebody decided about a story for a chat that has no buttons."""
        origin = Origin(chat_id, chat_id, now)
        await self._writer.run("change a story", lambda db: apply(db, change, origin))

    async def pending_query(self, chat_id: int, now: datetime) -> str:
        """Return the query that the chat has still to confirm; empty for none."""
        rows = await self._writer.fetch(
            "read what waits for a word",
            "select query from pending where chat_id = ? and expires_at > ?",
            [chat_id, put_time(now)],
        )
        return rows[0]["query"] if rows else ""

    async def screen(self, chat_id: int, number: int) -> Screen | None:
        """Return the state of a message with buttons."""
        rows = await self._writer.fetch(
            "read a screen", "select * from screens where id = ? and chat_id = ?", [number, chat_id]
        )
        return get_screen(rows[0]) if rows else None

    async def expecting(
        self, chat_id: int, user_id: int, now: datetime, reply_to: int | None = None
    ) -> Screen | None:
        """Return the newest screen that expects input of this person.

        With `reply_to`, only where that message is a reply of the bot.
        """
        since = put_time(now - INPUT_WITHIN)
        values = {"chat": chat_id, "user": user_id, "since": since, "reply_to": reply_to}
        rows = await self._writer.fetch("read a screen", _EXPECTING, values)
        return get_screen(rows[0]) if rows else None

    async def expecting_at(self, chat_id: int, message_id: int, now: datetime) -> Screen | None:
        """Return the screen of this message, whoever opened it, where it expects input."""
        since = put_time(now - INPUT_WITHIN)
        values = {"chat": chat_id, "message": message_id, "since": since}
        rows = await self._writer.fetch("read a screen", _EXPECTING_AT, values)
        return get_screen(rows[0]) if rows else None

    async def recent_alerts(self, chat_id: int, limit: int) -> list[tuple[int, str]]:
        """Return message and headline of the newest alerts that have a message of their own."""
        values = {"chat": chat_id, "limit": limit}
        rows = await self._writer.fetch("read alerts", _RECENT_ALERTS, values)
        return [(row["message_id"], row["title"]) for row in rows]

    async def busy_screens(self) -> list[tuple[int, int, Screen]]:
        """Return chat, person and screen of tasks that newsbell had not finished when it ended."""
        rows = await self._writer.fetch(
            "read screens",
            "select * from screens where json_extract(state, '$.busy') is not null",
        )
        return [(row["chat_id"], row["user_id"], get_screen(row)) for row in rows]

    async def token(
        self, token: str, now: datetime
    ) -> tuple[TokenPurpose, Mapping[str, Any]] | None:
        """Return purpose and values of a link; None where it is unknown, used or expired."""
        rows = await self._writer.fetch(
            "read a link", _VALID_CLAIM, [token_hash(token), put_time(now)]
        )
        if not rows:
            return None
        return TokenPurpose(rows[0]["purpose"]), json.loads(rows[0]["state"])

    async def make_claim(self, token: str, expires_at: datetime) -> None:
        """Store the claim token; earlier ones become invalid."""

        def work(db: Database) -> None:
            db.execute(f"delete from claims where purpose = {CLAIM}")
            db.execute(
                "insert into claims (token_hash, expires_at) values (?, ?)",
                [token_hash(token), put_time(expires_at)],
            )

        await self._writer.run("keep the claim", work)

    async def forecast_results(self, chat_id: int, since: datetime) -> Mapping[int, ForecastResult]:
        """Return by subscription what was forecast before then, and what came since."""
        moment = put_time(since)
        values = {"chat": chat_id, "since": moment, "opened": put_time(since - SPAN)}

        def work(db: Database) -> dict[int, ForecastResult]:
            forecasts = db.execute(_FORECASTS, [chat_id, moment]).fetchall()
            came = dict(db.execute(_CAME, values).fetchall()) if forecasts else {}
            return {
                row["subscription_id"]: ForecastResult(
                    row["low"], row["high"], came.get(row["subscription_id"], 0)
                )
                for row in forecasts
            }

        return await self._writer.run("compare forecasts", work)

    async def ratings(self, chat_id: int, since: datetime) -> Mapping[int, tuple[int, int]]:
        """Return by subscription how many ratings of its alerts were good, and how many bad."""
        rows = await self._writer.fetch("read verdicts", _RATINGS, [chat_id, put_time(since)])
        return {row["subscription_id"]: (row["good"], row["bad"]) for row in rows}

    async def last_update(self) -> int:
        """Return the number of the last handled update; 0 for none."""
        return await self._writer.run(
            "read the last update", lambda db: meta.read_number(db, MetaName.LAST_UPDATE)
        )

    async def answer(self, handled: HandledUpdate, now: datetime) -> bool:
        """Keep changes, reply and number of an update together; False where it was known."""
        return await self._writer.run("answer", lambda db: chat_writes.keep(db, handled, now))

    async def finish_work(self, handled: HandledUpdate, screen: Screen, now: datetime) -> None:
        """Keep what a postponed update led to, and forget the screen that stood for it."""
        await self._writer.run(
            "finish what took long", lambda db: chat_writes.finish_work(db, handled, screen, now)
        )

    async def finish(
        self, chat_id: int, user_id: int, screen: Screen, reply: Reply, now: datetime
    ) -> None:
        """Keep the result of a screen's task: its changes, and what its message shows now."""
        await self._writer.run(
            "finish a screen",
            lambda db: chat_writes.finish(db, chat_id, user_id, screen, reply, now),
        )


def _person(row: Any) -> Person:
    role = StoredRole(row["role"])
    return Person(row["user_id"], _ROLES[role], row["name"], openly=role is StoredRole.OPEN)


def _subscription(row: Any, chat_id: int) -> Subscription:
    return Subscription(
        row["id"],
        row["name"],
        row["query"],
        tuple(json.loads(row["feeds"])),
        (chat_id,),
        declared=bool(row["declared"]),
        options=get_alert_options(row),
        paused=bool(row["paused"]),
        number=row["number"],
    )
