"""The store's side of polling: due feeds, known entries, and the transaction that keeps a poll.

Decides nothing.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any

from bot.model.alerts import AlertIntent, MatchRecord, StoryState, UnsentMatch
from bot.model.chats import Developments, Subscription, Updates
from bot.model.entries import Article, PlacedEntry
from bot.model.feeds import Failure, FeedDue
from bot.model.poll import ANY_SHARE, AffectedStories, FeedCommit, HostShare, KnownEntries, Lookup
from bot.model.stories import Grouping, Merge, Report, StoredFeatures, StoryIds
from bot.store import bodies, meta, nodes, pages, poll_writes, stories, unsent_alerts
from bot.store.engines.engine import Database, Writer
from bot.store.feed_rows import DUE_FEEDS, read_feeds
from bot.store.known_entries import known_entries
from bot.store.mappers import (
    ALL_SUBSCRIPTIONS,
    SUBSCRIPTIONS_OF_CHAT,
    get_feed,
    get_placed,
    get_subscription,
    put_time,
)
from bot.store.meta import MetaName
from bot.store.sql import OVERDUE, marks

#: after a node polled a host, before another one does
SPACED = timedelta(seconds=2)
_CLAIMING = 1  # claims come one after another
_REMATCHED = 5000  # entries that are matched again at most

_ENTRIES_SINCE = f"""
    select e.*, {bodies.PACKED} from entries e
    where first_seen_at >= ? order by +id desc limit ?
"""
_FIRST_LOOK = 500  # feeds that are looked at for a claim, where enough of them may be polled
_FURTHER_LOOK = 5000  # and of each look after that
_DUE = """
    select id, host, next_poll_at, coalesce(hosts.interval, 0) as host_interval
    from feeds left join hosts using (host)
    where active = 1 and next_poll_at <= :now and (next_poll_at, id) > (:at, :after)
        and (lease_until is null or lease_until <= :now)
        and (not_before is null or not_before <= :now)
"""
# A host is asked by one node at a time, and not at once by another after that. Two questions, each
# with an index: together they would read all feeds of a host, for each of them.
_HOST_IS_FREE = """
        and not exists (
            select 1 from feeds o where o.host = feeds.host and o.active = 1
            and o.lease_until > :now and o.node != :node
        )
        and not exists (
            select 1 from feeds o where o.host = feeds.host and o.active = 1
            and o.last_poll_at > :since and o.node != '' and o.node != :node
        )
"""
_IN_ORDER = " order by next_poll_at, id limit {}"
_OVERDUE = """
    select 1 from feeds left join hosts using (host)
    where active = 1 and next_poll_at <= :now
        and (lease_until is null or lease_until <= :now)
        and (not_before is null or not_before <= :now)
    limit 1
"""
_RETRY_FEEDS = """
    update feeds set next_poll_at = min(next_poll_at, :now)
    where active = 1 and id in (select cast(value as integer) from json_each(:ids))
"""
_ASK_HOSTS = """
    update hosts set not_before = :now where not_before > :now
    and host in (
        select host from feeds where id in (select cast(value as integer) from json_each(:ids)))
"""
_MAKE_DUE = "update feeds set next_poll_at = :now where active = 1 and next_poll_at > :now"
_LEASE = "update feeds set lease_until = :until, lease = lease + 1, node = :node where id = :id"
_TAKE_BACK = """
    update feeds set lease_until = null where lease_until is not null and node = :node
    and id not in (select cast(value as integer) from json_each(:claimed))
"""
_LEASES = """
    select id, lease, lease_until from feeds
    where id in (select cast(value as integer) from json_each(?))
"""
_HURRY = """
    update feeds set next_poll_at = ?
    where active = 1 and next_poll_at > ? and failure in ({marks})
    and (
        select avg(case when failure in ({marks}) then 1.0 else 0.0 end) from feeds
        where active = 1
    ) >= ?
"""
# Ids that the search index has passed are not used again, even where those entries are deleted.
_NEXT_ID = """
    select max(
        coalesce((select max(id) from entries), 0),
        coalesce((select max(story_id) from entries), 0), ?
    ) + 1
"""
_GROUPINGS = """
    select id, coalesce(declared_grouping, grouping) as grouping from chats
    where coalesce(declared_grouping, grouping) is not null
"""


_CHOSEN = """
    select id, coalesce(
        json_extract(declared_settings, :choice), json_extract(settings, :choice)
    ) as chosen
    from chats where declared_settings != '{}' or settings != '{}'
"""


class PollTables:
    """Implements `ports.PollStore`."""

    def __init__(self, writer: Writer, node: str = "") -> None:
        """`node`: who claims, where several share the database."""
        self._writer, self._node = writer, node
        self._next_id = 0
        self._known_languages: frozenset[str] = frozenset()

    async def claim_feeds(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
        in_flight: Collection[int] = (),
        share: HostShare = ANY_SHARE,
    ) -> list[FeedDue]:
        """Lease feeds that are due and whose host is not parked; `in_flight` are left out.

        Each comes with a new lease token, which ends earlier claims of the feed. A host gets no
        more than its share.
        """
        until = put_time(now + lease)

        def work(db: Database) -> list[FeedDue]:
            values = {"now": put_time(now), "node": self._node, "since": put_time(now - SPACED)}
            if self._node:
                db.in_turn(_CLAIMING)
            statement = _DUE + _HOST_IS_FREE if self._node else _DUE
            ids = _chosen(_due(db, statement, values), limit, frozenset(in_flight), share)
            rows = db.execute(DUE_FEEDS, [json.dumps(ids)]).fetchall() if ids else []
            db.executemany(
                _LEASE, [{"until": until, "id": row["id"], "node": self._node} for row in rows]
            )
            return [replace(get_feed(row), lease=row["lease"] + 1) for row in rows]

        return await self._writer.run("claim feeds", work)

    async def is_overdue(self, now: datetime) -> bool:
        """Whether a feed could have been polled `OVERDUE` ago."""
        values = {"now": put_time(now - OVERDUE)}
        return bool(await self._writer.fetch("look for overdue feeds", _OVERDUE, values))

    async def release_feeds(self, ids: Collection[int] | None = None) -> None:
        """Give up the leases of these feeds.

        Without ids, all of them: at start-up they belong to a process that has ended.
        """

        def work(db: Database) -> None:
            statement = "update feeds set lease_until = null where lease_until is not null"
            if ids is None:
                db.execute(statement)
            else:
                db.execute(f"{statement} and id in ({marks(ids)})", list(ids))

        await self._writer.run("release feeds", work)

    async def take_back(self, claimed: Collection[int]) -> int:
        """Free what this node claimed without knowing it; return how many feeds.

        `claimed` are those that it knows of.
        """
        values = {"node": self._node, "claimed": json.dumps(sorted(claimed))}
        return await self._writer.run(
            "take claims back", lambda db: db.execute(_TAKE_BACK, values).rowcount
        )

    async def make_due(self, now: datetime) -> None:
        """Make every feed due whose host is not parked, as `--once` does.

        What has been due for longer keeps its place before the others.
        """

        def work(db: Database) -> None:
            db.execute(_MAKE_DUE, {"now": put_time(now)})

        await self._writer.run("make feeds due", work)

    async def retry_feeds(
        self, ids: Collection[int], now: datetime, *, ask_hosts: bool = False
    ) -> int:
        """Make these feeds due; with `ask_hosts` also where their host asked for a pause."""
        values = {"ids": json.dumps(sorted(ids)), "now": put_time(now)}

        def work(db: Database) -> int:
            if ask_hosts:
                db.execute(_ASK_HOSTS, values)
            return int(db.execute(_RETRY_FEEDS, values).rowcount)

        return await self._writer.run("make feeds due", work)

    async def hurry(self, failures: Collection[Failure], now: datetime, share: float) -> int:
        """Make feeds due that failed like this, if at least `share` of all did; return how many."""
        statement = _HURRY.format(marks=marks(failures))
        values = [put_time(now), put_time(now), *failures, *failures, share]
        return await self._writer.run(
            "make feeds due", lambda db: db.execute(statement, values).rowcount
        )

    async def lookup(self, lookups: Sequence[Lookup]) -> dict[int, KnownEntries]:
        """Return known entries by feed id. The ids handed out never overlap."""

        def work(db: Database) -> dict[int, KnownEntries]:
            if not self._next_id:
                searched = meta.read_number(db, MetaName.SEARCHED)
                self._next_id = db.execute(_NEXT_ID, [searched]).fetchone()[0]
            known = known_entries(db, lookups)
            answers: dict[int, KnownEntries] = {}
            for lookup in lookups:
                answers[lookup.feed_id] = KnownEntries(known[lookup.feed_id], self._next_id)
                self._next_id += len(lookup.keys)
            return answers

        return await self._writer.run("look up entries", work)

    async def window(
        self, since: datetime, until: datetime, after: int, limit: int
    ) -> list[tuple[Report | StoredFeatures, StoryIds]]:
        """Return entries seen in this span with their stories, by id, starting behind `after`."""
        return await self._writer.run(
            "read stories", lambda db: stories.window(db, since, until, after, limit)
        )

    async def merges(self, first: int) -> list[Merge]:
        """Return the merges of stories and storylines with this number or a higher one."""
        return await self._writer.run("read stories", lambda db: stories.merges_from(db, first))

    async def stories(self, affected: AffectedStories, now: datetime) -> StoryState:
        """Return alerts, origins and stances of these stories."""
        return await self._writer.run(
            "read stories", lambda db: stories.state_of(db, affected, now)
        )

    async def release_pending(self, now: datetime) -> int:
        """Queue the alerts whose wait for further publishers is over; return how many."""
        return await self._writer.run(
            "send alerts that waited", lambda db: stories.release_pending(db, now)
        )

    async def unsent_matches(
        self, subscriptions: Collection[int], now: datetime
    ) -> list[UnsentMatch]:
        """Return what these subscriptions want of the alerts that nobody has seen."""
        return await self._writer.run(
            "read what waits", lambda db: unsent_alerts.unsent_matches(db, subscriptions, now)
        )

    async def withdraw_matches(self, matches: Sequence[UnsentMatch], now: datetime) -> None:
        """Let subscriptions no longer want these alerts; what nobody wants is not sent."""
        await self._writer.run(
            "withdraw alerts", lambda db: unsent_alerts.withdraw_matches(db, matches, now)
        )

    async def entries_since(self, since: datetime) -> list[tuple[FeedDue, list[PlacedEntry]]]:
        """Return the entries seen since then by feed, in order of id; the newest where many."""

        def work(db: Database) -> list[tuple[FeedDue, list[PlacedEntry]]]:
            rows = db.execute(_ENTRIES_SINCE, [put_time(since), _REMATCHED]).fetchall()
            placed: dict[int, list[PlacedEntry]] = {}
            for row in sorted(rows, key=lambda row: int(row["id"])):
                placed.setdefault(row["feed_id"], []).append(get_placed(row))
            return [(feed, placed[feed.id]) for feed in read_feeds(db, placed)]

        return await self._writer.run("read new entries", work)

    async def insert_alerts(
        self, alerts: Sequence[AlertIntent], records: Sequence[MatchRecord], now: datetime
    ) -> int:
        """Keep and queue alerts of stored entries; return how many the chats did not have.

        `records` are what was decided about the matches of these entries.
        """

        def work(db: Database) -> int:
            poll_writes.insert_records(db, records)
            return poll_writes.insert_alerts(db, alerts, now)

        return await self._writer.run("keep alerts", work)

    async def groupings(self) -> dict[int, Grouping]:
        """Return the chats that chose a grouping of their own."""
        rows = await self._writer.fetch("read chats", _GROUPINGS)
        return {row["id"]: Grouping(row["grouping"]) for row in rows}

    async def developments(self) -> dict[int, Developments]:
        """Return how chats that chose it hear of developments."""
        rows = await self._writer.fetch("read chats", _CHOSEN, {"choice": "$.developments"})
        return {row["id"]: Developments(row["chosen"]) for row in rows if row["chosen"]}

    async def updates(self) -> dict[int, Updates]:
        """Return how chats that chose it hear of changes of what they were alerted of."""
        rows = await self._writer.fetch("read chats", _CHOSEN, {"choice": "$.updates"})
        return {row["id"]: Updates(row["chosen"]) for row in rows if row["chosen"]}

    async def commit(
        self,
        commits: Sequence[FeedCommit],
        now: datetime,
        merges: Sequence[Merge] = (),
        taken: Collection[int] = (),
    ) -> frozenset[int]:
        """Keep what several polls brought, in one transaction.

        Return the feeds that another poll claimed meanwhile; if there are any, nothing was kept.
        """
        languages = _languages_of(commits)

        def work(db: Database) -> frozenset[int]:
            superseded = _superseded(db, commits)
            if superseded:
                return superseded
            nodes.take(db, taken)
            stories.merge(db, merges, now)
            placed = [entry for commit in commits for entry in commit.new]
            poll_writes.insert_entries(db, placed)
            stories.insert_features(db, placed)
            stories.keep_joins(db, placed, now)
            for commit in commits:
                poll_writes.apply(db, commit, now)
                pages.add(db, commit.pages, now)
            if not poll_writes.update_feeds(db, commits):
                gone = frozenset(commit.feed_id for commit in commits)
                raise _Overtaken(_superseded(db, commits) or gone)
            if languages - self._known_languages:
                known = sorted(languages | _languages(db))
                meta.write(db, MetaName.LANGUAGES, json.dumps(known))
            return superseded

        try:
            superseded = await self._writer.run("keep what the feeds brought", work)
        except _Overtaken as overtaken:
            return overtaken.feeds
        if not superseded:
            self._known_languages |= languages
        return superseded

    async def languages(self) -> frozenset[str]:
        """Return the languages of all entries that were ever kept."""
        return await self._writer.run("read languages", _languages)

    async def recent(self, limit: int) -> list[Article]:
        """Return the newest entries, headline and language only."""
        rows = await self._writer.fetch(
            "read entries", "select title, language from entries order by id desc limit ?", [limit]
        )
        return [Article(row["title"], language=row["language"]) for row in rows]

    async def subscriptions(self, chat_id: int | None = None) -> list[Subscription]:
        """Return the subscriptions in force, or those of one chat; each with all its chats."""
        if chat_id is None:
            rows = await self._writer.fetch("read subscriptions", ALL_SUBSCRIPTIONS)
        else:
            rows = await self._writer.fetch("read subscriptions", SUBSCRIPTIONS_OF_CHAT, [chat_id])
        return [get_subscription(row) for row in rows]


class _Overtaken(Exception):  # noqa: N818 (no mistake: somebody else was quicker)
    """Feeds were claimed while what their polls brought was written: none of it is kept."""

    def __init__(self, feeds: frozenset[int]) -> None:
        super().__init__(feeds)
        self.feeds = feeds


def _due(db: Database, statement: str, values: dict[str, Any]) -> Iterator[Any]:
    """Yield what is due in its order, in several looks: a server sends all that was asked for."""
    last = {"at": "", "after": 0}
    for most in chain([_FIRST_LOOK], repeat(_FURTHER_LOOK)):
        count = 0
        for row in db.execute(statement + _IN_ORDER.format(most), {**values, **last}):
            count += 1
            yield row
            last = {"at": row["next_poll_at"], "after": row["id"]}
        if count < most:
            return


def _chosen(
    due: Iterable[Any], limit: int, in_flight: Collection[int], share: HostShare
) -> list[int]:
    """The first `limit` feeds of those that are due, without those that their host is spared."""
    chosen: list[int] = []
    by_host: Counter[str] = Counter()
    for row in due:
        if len(chosen) >= limit:
            break
        number, host = row["id"], row["host"]
        most = min(share.of(host), 1) if row["host_interval"] else share.of(host)
        if number in in_flight or by_host[host] >= most:
            continue
        by_host[host] += 1
        chosen.append(number)
    return chosen


def _superseded(db: Database, commits: Sequence[FeedCommit]) -> frozenset[int]:
    """The feeds whose lease token is no longer that of the poll."""
    leases = {commit.feed_id: commit.lease for commit in commits}
    # A feed that nobody claimed (lease 0 of the commit) must not be claimed now.
    return frozenset(
        row["id"]
        for row in db.execute(_LEASES, [json.dumps(sorted(leases))]).fetchall()
        if row["lease"] != leases[row["id"]] and (leases[row["id"]] or row["lease_until"])
    )


def _languages(db: Database) -> frozenset[str]:
    return frozenset(json.loads(meta.read(db, MetaName.LANGUAGES) or "[]"))


def _languages_of(commits: Sequence[FeedCommit]) -> frozenset[str]:
    new = {placed.entry.language for commit in commits for placed in commit.new}
    return frozenset(new | {entry.language for commit in commits for entry in commit.revisions})
