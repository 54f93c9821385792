"""Bring what the configuration file declares into the store.

What it no longer declares is set aside and never deleted, so that history stays.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.desired_config import ConfigText, DesiredConfig
from bot.model.feeds import DeclaredFeed
from bot.store import kept_config, meta, subscription_versions
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import get_alert_options, put_alert_options, put_settings, put_time
from bot.store.sql import (
    BLOCKED,
    CAME_OPENLY,
    CLAIM,
    DECLARED,
    FORMER,
    TELEGRAM,
    Entered,
    literal,
    marks,
)
from bot.store.topics import allow_topics
from bot.store.unsent_alerts import reconsider
from bot.text.url import host_and_port

NAMED = 20  #: names of one kind of change that are told
_DECLARED_FEEDS = """
    select url, name, publisher, tags, every, text from feeds where active = 1 and declared = 1
"""
# Of two that moved to one address, the first known is taken.
_MOVED_FEEDS = """
    select * from feeds where adopted_url is not null and url != adopted_url order by id desc
"""
# A shorter interval must not wait for the end of a longer one; a feed that comes back is due.
_PUT_FEED = """
    insert into feeds (url, name, publisher, tags, every, text, created_at, host, next_poll_at)
    values (:url, :name, :publisher, :tags, :every, :text, :now, :host, :now)
    on conflict (url) do update set
        name = excluded.name, publisher = excluded.publisher, tags = excluded.tags,
        every = excluded.every, text = excluded.text, active = 1, declared = 1, private = 0,
        next_poll_at = case
            when feeds.active = 0 or coalesce(feeds.every, 0) != coalesce(excluded.every, 0)
            then min(feeds.next_poll_at, excluded.next_poll_at) else feeds.next_poll_at end
"""
# What chats added themselves stays polled for those chats.
_REMOVE_FEED = """
    update feeds set declared = 0, lease_until = null,
        active = case when exists (select 1 from feed_chats where feed_id = feeds.id)
            then 1 else 0 end,
        private = case when exists (select 1 from feed_chats where feed_id = feeds.id)
            then 1 else 0 end
    where url = ?
"""
_PUT_CHAT = """
    insert into chats
        (name, kind, address, topic, declared, declared_grouping, declared_settings)
    values (?, ?, ?, ?, 1, ?, ?)
    on conflict (kind, address, topic) do update set
        name = excluded.name, declared = 1, allowed = 1, hours_at = '',
        declared_grouping = excluded.declared_grouping,
        declared_settings = excluded.declared_settings
    returning id
"""
# A chat that the file no longer names keeps its own subscriptions, but is not allowed by the file.
_REMOVE_CHAT = """
    update chats set declared = 0, allowed = operator, declared_grouping = null,
        declared_settings = '{}', hours_at = ''
    where id = ?
"""
# What the file says of a group holds for its topics, unless it names them.
_DECLARE_TOPICS = f"""
    update chats set
        declared_grouping = groups.declared_grouping,
        declared_settings = coalesce(groups.declared_settings, '{{}}')
    from chats topics left join chats groups
        on groups.kind = topics.kind and groups.address = topics.address and groups.topic = 0
        and groups.declared = 1
    where topics.id = chats.id and chats.kind = {TELEGRAM} and chats.address < 0
    and chats.topic != 0 and chats.declared = 0
"""
# Chats choose feeds by name, too: a new name is the same feed.
_CHOSEN = """
    select id, feeds from subscriptions s
    where declared = 0 and exists (select 1 from json_each(s.feeds) where value = ?)
"""
# Topics that were allowed with their group leave with it; groups and channels that people allowed
# are not the file's.
_REMOVE_TOPICS = f"""
    update chats set allowed = 0 where kind = {TELEGRAM} and address < 0 and declared = 0
    and address = (select address from chats where id = ?)
    and address not in (select address from chats where declared = 1)
"""
# The chat of a former admin is allowed only where the file names it under `chats:`.
_REMOVE_ADMINS = f"""
    update chats set operator = 0, allowed = declared where kind = {TELEGRAM}
    and address in (select user_id from people where role = {FORMER})
    and address not in ({{marks}})
"""
_PUT_ADMIN = f"""
    insert into people values (?, {DECLARED}, 'admin', ?)
    on conflict (user_id) do update set role = {DECLARED}
"""
_PUT_ADMIN_CHAT = f"""
    insert into chats (name, kind, address, operator) values ('operator', {TELEGRAM}, ?, 1)
    on conflict (kind, address, topic) do update set operator = 1, allowed = 1
"""
_FORGET_WHO_CAME_OPENLY = f"update people set role = {FORMER} where role = {CAME_OPENLY}"
_SHUT_OUT = f"""
    update chats set allowed = 0
    where entered = {literal(Entered.OPENLY)} and allowed = 1 and declared = 0 and operator = 0
"""
_ADMIT_OPENLY = f"""
    update chats set allowed = 1 where entered = {literal(Entered.OPENLY)} and allowed = 0
    and address not in (select user_id from people where role = {BLOCKED})
"""
_DROP_CLAIM = f"delete from claims where purpose = {CLAIM} and used_at is null"
_INSERT_SUBSCRIPTION = """
    insert into subscriptions
        (name, query, feeds, declared, created_at, urgency, publishers, or_after, ring_again_at,
        developments, updates)
    values (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)
    returning id
"""
_UPDATE_SUBSCRIPTION = """
    update subscriptions set name = ?, query = ?, feeds = ?, urgency = ?, publishers = ?,
        or_after = ?, ring_again_at = ?, developments = ?, updates = ?, removed_at = null
    where id = ?
"""


class ConfigTables:
    """Implements `ports.ConfigStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def sync(
        self, declared: DesiredConfig, now: datetime, source: ConfigText | None = None
    ) -> list[str]:
        """Make the store hold what is declared, in one transaction; return the changes in words.

        `source` is the text that declares it, kept as that of the last good configuration.
        """

        def work(db: Database) -> list[str]:
            allowed = _allowed_chats(db)
            changes = _sync_feeds(db, declared.feeds, now)
            chats, chat_changes = _sync_chats(db, declared.chats)
            changes += chat_changes
            _sync_admins(db, declared.admins, now)
            changes += _sync_access(db, is_open=declared.open)
            allow_topics(db, sorted(_allowed_chats(db) - allowed))
            db.execute("update chats set hours_at = ''")  # the file's time zone may be another
            changes += _sync_subscriptions(db, declared.subscriptions, chats, now)
            reconsider(db, _allowed_chats(db) - allowed, now)
            subscription_versions.note(db, now)
            if source:
                kept_config.keep(db, source, now)
            return changes

        return await self._writer.run("take in the configuration", work)


def _allowed_chats(db: Database) -> set[int]:
    rows = db.execute("select id from chats where allowed = 1").fetchall()
    return {row["id"] for row in rows}


def _in_words(
    what: str, added: Iterable[str], removed: Iterable[str], changed: Iterable[str] = ()
) -> list[str]:
    return [
        f"{what} {verb}: {_some(names)}"
        for verb, names in (
            ("added", sorted(added)),
            ("removed", sorted(removed)),
            ("changed", sorted(changed)),
        )
        if names
    ]


def _some(names: Sequence[str]) -> str:
    """The names, or the first of many: a file may have ten thousand new feeds."""
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _sync_feeds(db: Database, feeds: Sequence[DeclaredFeed], now: datetime) -> list[str]:
    urls = {feed.url for feed in feeds}
    before = {row["url"]: row for row in db.execute(_DECLARED_FEEDS).fetchall()}
    changed = []
    written: dict[tuple[str, ...], str] = {}  # tags, as they are stored
    renamed: dict[str, str] = {}
    moved = {row["adopted_url"]: row for row in db.execute(_MOVED_FEEDS).fetchall()}
    for feed in feeds:
        if feed.url in moved:
            _take_over_moved(db, feed, moved[feed.url], urls, before)
        stored = before.get(feed.url)
        if stored and (feed.name, feed.publisher, feed.every, feed.text) == (
            stored["name"],
            stored["publisher"],
            None if stored["every"] is None else timedelta(seconds=stored["every"]),
            stored["text"],
        ):  # as nearly all are: ten thousand must not hold up the store
            tags = written.get(feed.tags)
            if tags is None:
                tags = written[feed.tags] = json.dumps(feed.tags)
            if tags == stored["tags"]:
                continue
        if stored:
            changed.append(feed.name)
            renamed[stored["name"]] = feed.name
        db.execute(_PUT_FEED, _feed_row(feed, now))
    removed = [url for url in before if url not in urls]
    db.executemany(_REMOVE_FEED, [(url,) for url in removed])
    selectors = {selector for feed in feeds for selector in (feed.name, *feed.tags)}
    _rename_chosen(
        db, {old: new for old, new in renamed.items() if old != new and old not in selectors}
    )
    return _in_words(
        "feeds",
        [feed.name for feed in feeds if feed.url not in before],
        [before[url]["name"] for url in removed],
        changed,
    )


def _rename_chosen(db: Database, names: Mapping[str, str]) -> None:
    """Let subscriptions of chats go on with the feeds that they chose by their former names."""
    for old, new in names.items():
        for row in db.execute(_CHOSEN, [old]).fetchall():
            chosen = [new if selector == old else selector for selector in json.loads(row["feeds"])]
            db.execute(
                "update subscriptions set feeds = ? where id = ?", [json.dumps(chosen), row["id"]]
            )


def _feed_row(feed: DeclaredFeed, now: datetime) -> dict[str, Any]:
    return {
        "url": feed.url,
        "name": feed.name,
        "publisher": feed.publisher,
        "tags": json.dumps(feed.tags),
        "every": feed.every.total_seconds() if feed.every else None,
        "text": feed.text,
        "now": put_time(now),
        "host": host_and_port(feed.url),
    }


def _take_over_moved(
    db: Database, feed: DeclaredFeed, moved: Any, urls: set[str], before: dict[str, Any]
) -> None:
    """Let a feed keep what is known, if the file now has the address that it moved to."""
    if feed.url in before or moved["url"] in urls:
        return
    db.execute(
        "update feeds set url = ?, adopted_url = null, active = 1 where id = ?",
        [feed.url, moved["id"]],
    )
    before[feed.url] = before.pop(moved["url"], None) or moved


def _sync_chats(db: Database, chats: Sequence[DeclaredChat]) -> tuple[dict[str, int], list[str]]:
    """Return the ids of the declared chats by name, and the changes in words."""
    moves = meta.moves(db)
    before: dict[int, str] = dict(
        db.execute("select id, name from chats where declared = 1").fetchall()
    )
    ids: dict[str, int] = {}
    for chat in chats:
        values = [
            chat.name,
            chat.kind,
            meta.moved_to(moves, chat.address),
            chat.topic if chat.kind is ChatKind.TELEGRAM else _number_of(db, chat),
            chat.grouping,
            put_settings(chat.settings),
        ]
        ids[chat.name] = db.execute(_PUT_CHAT, values).fetchone()["id"]
    removed = [number for number in before if number not in ids.values()]
    db.executemany(_REMOVE_CHAT, [(number,) for number in removed])
    db.executemany(_REMOVE_TOPICS, [(number,) for number in removed])
    db.execute(_DECLARE_TOPICS)
    added = [name for name, number in ids.items() if number not in before]
    return ids, _in_words("chats", added, [before[number] for number in removed])


def _number_of(db: Database, chat: DeclaredChat) -> int:
    """Return the number in place of a topic of a chat outside Telegram, which its name tells.

    Its address is not stored: it may be a secret.
    """
    row = db.execute(
        "select topic from chats where kind = ? and name = ?", [chat.kind, chat.name]
    ).fetchone()
    if row is None:
        row = db.execute(
            "select coalesce(max(topic), -1) + 1 from chats where kind = ?", [chat.kind]
        ).fetchone()
    return int(row[0])


def _sync_admins(db: Database, admins: Sequence[int], now: datetime) -> None:
    db.execute(f"update people set role = {FORMER} where role = {DECLARED}")
    db.execute(_REMOVE_ADMINS.format(marks=marks(admins)), list(admins))
    if admins:
        db.execute(_DROP_CLAIM)
    for admin in admins:
        db.execute(_PUT_ADMIN, [admin, put_time(now)])
        db.execute(_PUT_ADMIN_CHAT, [admin])


def _sync_access(db: Database, *, is_open: bool) -> list[str]:
    """Shut out, or let in again, the chats that came by themselves while everyone might."""
    if not is_open:
        db.execute(_FORGET_WHO_CAME_OPENLY)
    rows = db.execute(_ADMIT_OPENLY if is_open else _SHUT_OUT).rowcount
    verb = "admitted again" if is_open else "shut out"
    return [f"chats {verb}, because access changed: {rows}"] if rows else []


def _sync_subscriptions(
    db: Database,
    subscriptions: Sequence[DeclaredSubscription],
    chats: dict[str, int],
    now: datetime,
) -> list[str]:
    rows = db.execute(
        "select * from subscriptions where declared = 1 and removed_at is null"
    ).fetchall()
    before = {row["name"]: row for row in rows}
    known = _follow_renames(subscriptions, before)
    if len(known) < len(subscriptions):
        known |= _returning(db, subscriptions, known)
    changed: list[str] = []
    concerned: dict[int, set[int]] = {}  # chats by subscription
    for subscription in subscriptions:
        stored = known.get(subscription.name)
        number, differs = _put_subscription(db, subscription, stored, now)
        to = {chats[name] for name in subscription.to}
        rerouted = _put_routes(db, number, to)
        if stored is not None and (differs or to != rerouted):
            concerned[number] = to | rerouted
            if subscription.name in before:
                changed.append(subscription.name)
    names = {subscription.name for subscription in subscriptions}
    kept = {row["id"] for row in known.values()}
    for row in rows:
        if row["id"] not in kept:
            db.execute(
                "update subscriptions set removed_at = ? where id = ?", [put_time(now), row["id"]]
            )
            concerned[row["id"]] = _routes(db, row["id"])
    for number, chat_ids in concerned.items():
        reconsider(db, chat_ids, now, [number])
    added = names - before.keys()
    return _in_words("subscriptions", added, before.keys() - names, changed)


def _follow_renames(
    subscriptions: Sequence[DeclaredSubscription], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the stored rows by the names of the file, which may call one otherwise now.

    What waits for a subscription goes on waiting when only its name has changed.
    """
    names = {subscription.name for subscription in subscriptions}
    known = {name: row for name, row in before.items() if name in names}
    gone = [row for name, row in before.items() if name not in names]
    for subscription in subscriptions:
        feeds = json.dumps(subscription.feeds)
        same = [row for row in gone if (row["query"], row["feeds"]) == (subscription.query, feeds)]
        if subscription.name not in known and same:
            known[subscription.name] = same[0]
            gone.remove(same[0])
    return known


def _returning(
    db: Database, subscriptions: Sequence[DeclaredSubscription], known: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the rows of subscriptions that the file names again as it once did, by name."""
    rows = db.execute(
        "select * from subscriptions where declared = 1 and removed_at is not null "
        "order by removed_at, id"
    ).fetchall()
    removed = {(row["name"], row["query"], row["feeds"]): row for row in rows}
    keys = {
        subscription.name: (subscription.name, subscription.query, json.dumps(subscription.feeds))
        for subscription in subscriptions
        if subscription.name not in known
    }
    return {name: removed[key] for name, key in keys.items() if key in removed}


def _put_subscription(
    db: Database, subscription: DeclaredSubscription, stored: Any, now: datetime
) -> tuple[int, bool]:
    """Return the subscription's id, and whether it was stored with other values."""
    feeds, options = json.dumps(subscription.feeds), put_alert_options(subscription.options)
    if stored is None:
        values = [subscription.name, subscription.query, feeds, put_time(now), *options]
        return int(db.execute(_INSERT_SUBSCRIPTION, values).fetchall()[0]["id"]), False
    before = stored["name"], stored["query"], stored["feeds"], get_alert_options(stored)
    declared = subscription.name, subscription.query, feeds, subscription.options
    differs = before != declared or stored["removed_at"] is not None
    if differs:
        values = [subscription.name, subscription.query, feeds, *options, stored["id"]]
        db.execute(_UPDATE_SUBSCRIPTION, values)
    return int(stored["id"]), differs


def _routes(db: Database, number: int) -> set[int]:
    rows = db.execute("select chat_id from routes where subscription_id = ?", [number]).fetchall()
    return {row["chat_id"] for row in rows}


def _put_routes(db: Database, number: int, chats: set[int]) -> set[int]:
    """Write the chats of a subscription; return those that it had."""
    before = _routes(db, number)
    if before == chats:
        return before
    db.execute("delete from routes where subscription_id = ?", [number])
    db.executemany("insert into routes values (?, ?)", [(number, chat) for chat in sorted(chats)])
    return before
