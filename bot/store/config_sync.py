"""Bring what the configuration file declares into the store. What it no longer declares is set aside, never deleted: history stays."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlite_utils import Database

from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.desired_config import DesiredConfig
from bot.model.feeds import DeclaredFeed
from bot.store.database import Writer
from bot.store.mappers import get_alert_options, marks, put_alert_options, put_settings, put_time
from bot.text.url import host_and_port


class ConfigTables:
    """The store's side of configuration."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def sync(self, declared: DesiredConfig, now: datetime) -> list[str]:
        """Make the store hold what is declared, in one transaction; the changes in words."""

        def work(db: Database) -> list[str]:
            changes = _feeds(db, declared.feeds, now)
            chats, reply = _chats(db, declared.chats)
            changes += reply
            _admins(db, declared.admins, now)
            db.execute("update chats set hours_at = ''")  # the file's time zone may be another
            return changes + _subscriptions(db, declared.subscriptions, chats, now)

        return await self._writer.run("take in the configuration", work)


def _said(
    what: str, added: Iterable[str], removed: Iterable[str], changed: Iterable[str] = ()
) -> list[str]:
    return [
        f"{what} {verb}: {', '.join(names)}"
        for verb, names in (
            ("added", sorted(added)),
            ("removed", sorted(removed)),
            ("changed", sorted(changed)),
        )
        if names
    ]


def _feeds(db: Database, feeds: Sequence[DeclaredFeed], now: datetime) -> list[str]:
    had = {
        row["url"]: row
        for row in db.execute(
            "select url, name, publisher, tags, every from feeds where active = 1 and declared = 1"
        ).fetchall()
    }
    changed = []
    for feed in feeds:
        # Who takes over the address that a feed was found to have moved to means the same feed: it keeps what is known.
        moved = db.execute(
            "select id, url from feeds where adopted_url = ? and url != ?", [feed.url, feed.url]
        ).fetchone()
        if (
            moved
            and not any(feed.url == url for url in had)
            and not any(other.url == moved["url"] for other in feeds)
        ):
            db.execute(
                "update feeds set url = ?, adopted_url = null, active = 1 where id = ?",
                [feed.url, moved["id"]],
            )
            had[feed.url] = (
                had.pop(moved["url"], None)
                or db.execute("select * from feeds where id = ?", [moved["id"]]).fetchone()
            )
        every = feed.every.total_seconds() if feed.every else None
        tags = json.dumps(feed.tags)
        before = had.get(feed.url)
        if before and (before["name"], before["publisher"], before["tags"], before["every"]) == (
            feed.name,
            feed.publisher,
            tags,
            every,
        ):
            continue
        if before:
            changed.append(feed.name)
        # A shorter interval must not wait for the end of a longer one; a feed that comes back is looked at at once.
        db.execute(
            "insert into feeds (url, name, publisher, tags, every, created_at, host, next_poll_at) values (?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (url) do update set name = excluded.name, publisher = excluded.publisher, tags = excluded.tags, "
            "every = excluded.every, active = 1, declared = 1, next_poll_at = "
            "case when active = 0 or coalesce(every, 0) != coalesce(excluded.every, 0) "
            "then min(next_poll_at, excluded.next_poll_at) else next_poll_at end",
            [
                feed.url,
                feed.name,
                feed.publisher,
                tags,
                every,
                put_time(now),
                host_and_port(feed.url),
                put_time(now),
            ],
        )
    urls = {feed.url for feed in feeds}
    removed = [url for url in had if url not in urls]
    # What chats of their own added stays watched for those.
    db.conn.executemany(
        "update feeds set declared = 0, active = exists (select 1 from feed_chats where feed_id = feeds.id), lease_until = null where url = ?",
        [(url,) for url in removed],
    )
    names = {url: row["name"] for url, row in had.items()}
    return _said(
        "feeds",
        [feed.name for feed in feeds if feed.url not in had],
        [names[url] for url in removed],
        changed,
    )


def _chats(db: Database, chats: Sequence[DeclaredChat]) -> tuple[dict[str, int], list[str]]:
    moved = {
        int(row["name"][6:]): int(row["value"])
        for row in db.execute("select * from meta where name like 'moved:%'").fetchall()
    }
    had = {
        row["id"]: row["name"]
        for row in db.execute("select id, name from chats where declared = 1").fetchall()
    }
    ids: dict[str, int] = {}
    for chat in chats:
        address, topic = moved.get(chat.address, chat.address), chat.topic
        if chat.kind is ChatKind.TERMINAL:
            topic = _terminal_number(db, chat.name)
        ids[chat.name] = db.execute(
            "insert into chats (name, kind, address, topic, declared, declared_grouping, declared_settings) values (?, ?, ?, ?, 1, ?, ?) "
            "on conflict (kind, address, topic) do update set name = excluded.name, declared = 1, allowed = 1, hours_at = '', "
            "declared_grouping = excluded.declared_grouping, declared_settings = excluded.declared_settings returning id",
            [
                chat.name,
                chat.kind,
                address,
                topic,
                chat.grouping.value if chat.grouping else None,
                put_settings(chat.settings),
            ],
        ).fetchone()["id"]
    gone = [number for number in had if number not in ids.values()]
    # A chat that the file no longer names keeps its own subscriptions, but it is no longer let in by the file.
    db.conn.executemany(
        "update chats set declared = 0, allowed = operator, declared_grouping = null, declared_settings = '{}', hours_at = '' where id = ?",
        [(number,) for number in gone],
    )
    # Topics that were let in with their group leave with it; groups and channels that people let in are none of the file's.
    db.conn.executemany(
        "update chats set allowed = 0 where kind = 'telegram' and address < 0 and declared = 0 "
        "and address = (select address from chats where id = ?) and address not in (select address from chats where declared = 1)",
        [(number,) for number in gone],
    )
    added = [name for name, number in ids.items() if number not in had]
    return ids, _said("chats", added, [had[number] for number in gone])


def _terminal_number(db: Database, name: str) -> int:
    """Each terminal of the file is a chat of its own, told apart by a number in place of a topic."""
    row = db.execute(
        "select topic from chats where kind = 'terminal' and name = ?", [name]
    ).fetchone()
    if row is None:
        row = db.execute(
            "select coalesce(max(topic), -1) + 1 from chats where kind = 'terminal'"
        ).fetchone()
    return int(row[0])


def _admins(db: Database, admins: Sequence[int], now: datetime) -> None:
    """Who the file calls admin is one; who it no longer does is not, and their chat is let in only where `chats:` names it."""
    db.execute("update people set role = 'former' where role = 'declared'")
    db.execute(
        "update chats set operator = 0, allowed = declared where kind = 'telegram' and "
        f"address in (select user_id from people where role = 'former') and address not in ({marks(admins)})",
        list(admins),
    )
    for admin in admins:
        db.execute(
            "insert into people values (?, 'declared', 'admin', ?) on conflict (user_id) do update set role = 'declared'",
            [admin, put_time(now)],
        )
        db.execute(
            "insert into chats (name, kind, address, operator) values ('operator', 'telegram', ?, 1) "
            "on conflict (kind, address, topic) do update set operator = 1, allowed = 1",
            [admin],
        )


def _subscriptions(
    db: Database,
    subscriptions: Sequence[DeclaredSubscription],
    chats: dict[str, int],
    now: datetime,
) -> list[str]:
    had = {
        row["name"]: row
        for row in db.execute(
            "select * from subscriptions where declared = 1 and removed_at is null"
        ).fetchall()
    }
    added, changed = [], []
    number: int | None
    for one in subscriptions:
        feeds = json.dumps(one.feeds)
        before = had.get(one.name)
        if before is None:
            number = db.execute(
                "insert into subscriptions (name, query, feeds, declared, created_at, urgency, publishers, or_after, ring_again_at) "
                "values (?, ?, ?, 1, ?, ?, ?, ?, ?)",
                [one.name, one.query, feeds, put_time(now), *put_alert_options(one.options)],
            ).lastrowid
            added.append(one.name)
        else:
            number = int(before["id"])
            if (before["query"], before["feeds"], get_alert_options(before)) != (
                one.query,
                feeds,
                one.options,
            ):
                db.execute(
                    "update subscriptions set query = ?, feeds = ?, urgency = ?, publishers = ?, or_after = ?, ring_again_at = ? where id = ?",
                    [one.query, feeds, *put_alert_options(one.options), number],
                )
                changed.append(one.name)
        routes = {chats[name] for name in one.to}
        had_routes = {
            row["chat_id"]
            for row in db.execute(
                "select chat_id from routes where subscription_id = ?", [number]
            ).fetchall()
        }
        if before is not None and routes != had_routes and one.name not in changed:
            changed.append(one.name)
        db.execute("delete from routes where subscription_id = ?", [number])
        db.conn.executemany(
            "insert into routes values (?, ?)", [(number, chat) for chat in sorted(routes)]
        )
    names = {one.name for one in subscriptions}
    removed = [name for name in had if name not in names]
    db.conn.executemany(
        "update subscriptions set removed_at = ? where id = ?",
        [(put_time(now), had[name]["id"]) for name in removed],
    )
    return _said("subscriptions", added, removed, changed)
