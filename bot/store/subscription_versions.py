"""How subscriptions read when articles came: a version for each change, whichever way it came.

Every transaction that changes a subscription, its chats or who is allowed ends with `note`.
Entries are numbered in the order in which they came, so a version is told by the last entry before
it: a clock that is set back confuses nobody. Decides nothing.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from bot.model.archive import SubscriptionVersion
from bot.store.engines.engine import Database
from bot.store.mappers import put_time, sure_time
from bot.store.sql import marks

KEPT = 50  #: versions of a subscription, at most

_CURRENT = """
    select s.id, cast(json_object(
        'query', s.query, 'feeds', json(s.feeds), 'paused', s.paused,
        'removed', case when s.removed_at is null then 0 else 1 end, 'chats', json((
            select json_group_array(chat_id) from (
                select chat_id from routes join chats c on c.id = chat_id
                where subscription_id = s.id and c.allowed = 1 order by chat_id
            ) as allowed
        ))) as text) as version
    from subscriptions s where {which}
"""
_NOTE = f"""
    insert into subscription_versions (subscription_id, after_entry, at, version)
    select id, (select coalesce(max(id), 0) from entries), :now, version
    from ({_CURRENT}) as now_in_force
    where version is not (
        select version from subscription_versions v where v.subscription_id = now_in_force.id
        order by v.id desc limit 1
    )
    returning subscription_id
"""
_NOTE_ALL = _NOTE.format(which="true")
_NOTE_CHAT = _NOTE.format(
    which="s.id in (select subscription_id from routes where chat_id = :chat)"
)
_FORGET = """
    delete from subscription_versions where subscription_id = :id and id <= (
        select id from subscription_versions where subscription_id = :id
        order by id desc limit 1 offset :kept
    )
"""
_VERSIONS = """
    select * from subscription_versions where subscription_id in ({marks}) order by id
"""


def note(db: Database, now: datetime, chat_id: int | None = None) -> None:
    """Keep how subscriptions read from now on, where that changed.

    Those of a chat alone, where one is given.
    """
    statement = _NOTE_ALL if chat_id is None else _NOTE_CHAT
    rows = db.execute(statement, {"now": put_time(now), "chat": chat_id}).fetchall()
    db.executemany(_FORGET, [{"id": row["subscription_id"], "kept": KEPT} for row in rows])


def versions_of(
    db: Database, subscriptions: Collection[int]
) -> dict[int, tuple[SubscriptionVersion, ...]]:
    """Return the versions of subscriptions, oldest first."""
    versions: dict[int, list[SubscriptionVersion]] = {}
    numbers = list(subscriptions)
    for row in db.execute(_VERSIONS.format(marks=marks(numbers)), numbers).fetchall():
        versions.setdefault(row["subscription_id"], []).append(_version(row))
    return {number: tuple(items) for number, items in versions.items()}


def _version(row: Any) -> SubscriptionVersion:
    values = json.loads(row["version"])
    return SubscriptionVersion(
        after_entry=row["after_entry"],
        at=sure_time(row["at"]),
        query=values["query"],
        feeds=tuple(values["feeds"]),
        chats=frozenset(values["chats"]),
        paused=bool(values["paused"]),
        removed=bool(values["removed"]),
    )
