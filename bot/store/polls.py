"""The ingest corridor's side of the store: due feeds, known entries, and the one transaction that keeps a poll. Decides nothing."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.model.alerts import AlertGrowth, AlertIntent, AlertRevision, Priority, StoryState
from bot.model.chats import Subscription
from bot.model.entries import Article, KnownEntry, PlacedEntry, Revision
from bot.model.feeds import FeedDue
from bot.model.poll import AffectedStories, FeedCommit, KnownEntries, Lookup
from bot.model.stories import Grouping, Merge, Report, StoryIds
from bot.store import stories
from bot.store.database import Writer
from bot.store.mappers import (
    STATE_COLUMNS,
    SUBSCRIPTIONS,
    get_feed,
    get_known,
    get_subscription,
    marks,
    put_spans,
    put_state,
    put_time,
)
from bot.store.outbox import notify, queue_alert, queue_edit, queue_second_alert
from bot.text.url import host_and_port

_UPDATE_FEED = (
    "update feeds set lease_until = null, host = :host, "
    + ", ".join(f"{name} = :{name}" for name in STATE_COLUMNS)
    + " where id = :id"
)
# The chats of a feed that the file declares are not read: its alerts may go to all.
_DUE = (
    "select feeds.*, records, case when declared then '' else "
    "(select json_group_array(chat_id) from feed_chats where feed_id = feeds.id) end as chats "
    "from feeds left join documents on feed_id = id left join hosts using (host) where active = 1 "
    "and next_poll_at <= :now and (lease_until is null or lease_until <= :now) "
    "and (not_before is null or not_before <= :now) "
    "and id not in (select value from json_each(:in_flight)) "
    "order by next_poll_at limit :limit"
)
_LEASE = "update feeds set lease_until = :until, lease = lease + 1 where id = :id"
# A feed that nobody claimed (lease 0 of the commit) must not be claimed now.
_LOST = (
    "select id from feeds where id = :feed_id "
    "and lease != :lease and not (:lease = 0 and lease_until is null)"
)
# One prepared statement: sqlite-utils' insert_all writes a new one for each number of rows, which cost more than the rows.
_INSERT_ENTRY = (
    "insert into entries (id, feed_id, strict_id, story_id, storyline_id, house, origin, agency, "
    "guid_key, link_key, title_key, article_key, guid, link, title, summary, author, source, "
    "published, updated, first_seen_at, silent, language) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CHUNK = 400  # values of one `in (...)`


class PollTables:
    """Implements `ports.IngestStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._next_id = 0
        self._known_languages: frozenset[str] = frozenset()

    async def claim_feeds(
        self, now: datetime, limit: int, lease: timedelta, in_flight: Collection[int] = ()
    ) -> list[FeedDue]:
        """Lease feeds that are due and whose host is not parked; `in_flight` are left out."""

        def work(db: Database) -> list[FeedDue]:
            values = {
                "now": put_time(now),
                "until": put_time(now + lease),
                "limit": limit,
                "in_flight": json.dumps(sorted(in_flight)),
            }
            rows = db.execute(_DUE, values).fetchall()
            db.conn.executemany(_LEASE, [{**values, "id": row["id"]} for row in rows])
            return [replace(get_feed(row), lease=row["lease"] + 1) for row in rows]

        return await self._writer.run("claim feeds", work)

    async def release_feeds(self) -> None:
        """Give up all leases: at start-up they are of a process that is gone."""
        await self._writer.run(
            "release feeds",
            lambda db: db.execute(
                "update feeds set lease_until = null where lease_until is not null"
            ),
        )

    async def make_due(self, now: datetime) -> None:
        """Make every feed due that no host parks, as `--once` does."""
        await self._writer.run(
            "make feeds due",
            lambda db: db.execute(
                "update feeds set next_poll_at = ? where active = 1", [put_time(now)]
            ),
        )

    async def hurry(self, failures: Collection[str], now: datetime, share: float) -> int:
        """Make feeds due that failed for these reasons, where at least that share of all feeds did; how many."""

        def work(db: Database) -> int:
            reasons = marks(failures)
            done = db.execute(
                f"update feeds set next_poll_at = ? where active = 1 and next_poll_at > ? and failure in ({reasons}) "
                f"and (select avg(coalesce(failure in ({reasons}), 0)) from feeds where active = 1) >= ?",
                [put_time(now), put_time(now), *failures, *failures, share],
            )
            return done.rowcount

        return await self._writer.run("make feeds due", work)

    async def lookup(self, lookups: Sequence[Lookup]) -> dict[int, KnownEntries]:
        """Known entries by feed id. Ids given out never overlap."""

        def work(db: Database) -> dict[int, KnownEntries]:
            if not self._next_id:
                # What the search has passed is not used again, even where those entries are forgotten.
                self._next_id = db.execute(
                    "select max(coalesce(max(id), 0), coalesce(max(story_id), 0), "
                    "coalesce((select cast(value as integer) from meta where name = 'searched'), 0)) + 1 from entries"
                ).fetchone()[0]
            answers: dict[int, KnownEntries] = {}
            for one in lookups:
                answers[one.feed_id] = _known(db, one, self._next_id)
                self._next_id += len(one.keys)
            return answers

        return await self._writer.run("look up entries", work)

    async def window(self, since: datetime, after: int, most: int) -> list[tuple[Report, StoryIds]]:
        """Entries seen since then with their stories, by id from the one behind `after`."""
        return await self._writer.run(
            "read stories", lambda db: stories.window(db, since, after, most)
        )

    async def stories(self, touched: AffectedStories, now: datetime) -> StoryState:
        """Alerts, origins and stances of these stories."""
        return await self._writer.run("read stories", lambda db: stories.state_of(db, touched, now))

    async def release_pending(self, now: datetime) -> int:
        """Send the alerts that waited for publishers as long as they were to; how many."""
        return await self._writer.run(
            "send alerts that waited", lambda db: stories.release_pending(db, now)
        )

    async def groupings(self) -> dict[int, Grouping]:
        """The chats that chose a level of stories of their own."""
        rows = await self._writer.run(
            "read chats",
            lambda db: db.execute(
                "select id, coalesce(declared_grouping, grouping) as grouping from chats where coalesce(declared_grouping, grouping) is not null"
            ).fetchall(),
        )
        return {row["id"]: Grouping(row["grouping"]) for row in rows}

    async def commit(
        self, commits: Sequence[FeedCommit], now: datetime, merges: Sequence[Merge] = ()
    ) -> frozenset[int]:
        """Keep merges, entries, alerts, validators and next polls of several feeds.

        Return the feeds that another poll claimed meanwhile; if there are any, nothing was kept.
        """

        def work(db: Database) -> frozenset[int]:
            lost = _lost(db, commits)
            if lost:
                return lost
            moment = put_time(now)
            stories.merge(db, merges, now)
            placed = [one for commit in commits for one in commit.new]
            db.conn.executemany(_INSERT_ENTRY, [_entry_row(one) for one in placed])
            stories.keep_joins(db, placed, now)
            for commit in commits:
                _keep_revisions(db, commit.revisions, now)
                if commit.absent:
                    db.conn.executemany(
                        "update entries set absent_since = ? where id = ?",
                        [(moment, one) for one in commit.absent],
                    )
                if commit.returned:
                    db.conn.executemany(
                        "update entries set absent_since = null where id = ?",
                        [(one,) for one in commit.returned],
                    )
                _keep_alerts(db, commit.alerts, now)
                for revision in commit.alert_revisions:
                    _keep_alert_revision(db, revision, now)
                for growth in commit.growths:
                    _keep_growth(db, growth, now)
                for notice in commit.notices:
                    notify(db, notice, now)
                if commit.park_host:
                    host, until = commit.park_host
                    db.execute(
                        "insert into hosts values (?, ?) on conflict (host) do update set not_before = max(not_before, excluded.not_before)",
                        [host, put_time(until)],
                    )
            _keep_states(db, commits)
            if met - self._known_languages:
                db.execute(
                    "insert or replace into meta values ('languages', ?)",
                    [json.dumps(sorted(met | _languages(db)))],
                )
            return lost

        met = _met(commits)
        lost = await self._writer.run("keep what the feeds brought", work)
        if not lost:
            self._known_languages |= met
        return lost

    async def languages(self) -> frozenset[str]:
        """The languages of the entries that were ever kept."""
        return await self._writer.run("read languages", _languages)

    async def recent(self, most: int) -> list[Article]:
        """The newest entries, headline and language only."""

        def work(db: Database) -> list[Article]:
            rows = db.execute(
                "select title, language from entries order by id desc limit ?", [most]
            ).fetchall()
            return [Article(row["title"], language=row["language"]) for row in rows]

        return await self._writer.run("read entries", work)

    async def subscriptions(self, chat_id: int | None = None) -> list[Subscription]:
        """All subscriptions in force, or those that ring one chat; each with all the chats it rings."""

        def work(db: Database) -> list[Subscription]:
            of_chat = (
                "and s.id in (select subscription_id from routes where chat_id = ?) "
                if chat_id is not None
                else ""
            )
            rows = db.execute(
                SUBSCRIPTIONS.format(where=of_chat), [] if chat_id is None else [chat_id]
            ).fetchall()
            return [get_subscription(row) for row in rows]

        return await self._writer.run("read subscriptions", work)


def _lost(db: Database, commits: Sequence[FeedCommit]) -> frozenset[int]:
    """The feeds whose lease token is no longer that of the poll."""
    return frozenset(
        row["id"]
        for commit in commits
        for row in db.execute(_LOST, {"feed_id": commit.feed_id, "lease": commit.lease}).fetchall()
    )


def _languages(db: Database) -> frozenset[str]:
    row = db.execute("select value from meta where name = 'languages'").fetchone()
    return frozenset(json.loads(row[0])) if row else frozenset()


def _met(commits: Sequence[FeedCommit]) -> frozenset[str]:
    """The languages of these commits."""
    new = {one.entry.language for commit in commits for one in commit.new}
    return frozenset(new | {entry.language for commit in commits for entry in commit.revisions})


def _select(db: Database, where: str, values: Sequence[Any], first: Sequence[Any]) -> list[Any]:
    """Entries in chunks. The condition `!= x''` lets SQLite see that its partial indexes serve."""
    rows: list[Any] = []
    for at in range(0, len(values), _CHUNK):
        some = values[at : at + _CHUNK]
        rows += db.execute(
            f"select * from entries where {where} ({marks(some)})", [*first, *some]
        ).fetchall()
    return rows


def _known(db: Database, one: Lookup, next_id: int) -> KnownEntries:
    own: dict[int, KnownEntry] = {}
    by_column = {
        "guid_key": {key.guid for key in one.keys} - {b""},
        "title_key": {key.title for key in one.keys},
        "article_key": {key.article for key in one.keys} - {b""},
        "link_key": {key.link for key in one.keys} - {b""},
    }
    for column, values in by_column.items():
        for row in _select(
            db, f"feed_id = ? and {column} != x'' and {column} in", sorted(values), [one.feed_id]
        ):
            own[row["id"]] = get_known(row)
    for row in _select(db, "id in", one.entry_ids, []) if one.keys else []:
        own[row["id"]] = get_known(row)
    return KnownEntries(tuple(own[number] for number in sorted(own)), next_id)


def _entry_row(placed: PlacedEntry) -> tuple[Any, ...]:
    """The values of `_INSERT_ENTRY`, in its order."""
    entry, story_ids = placed.entry, placed.story_ids
    keys = entry.keys
    return (
        entry.id,
        entry.feed_id,
        story_ids.strict,
        story_ids.story,
        story_ids.storyline,
        placed.publisher_group,
        placed.origin,
        placed.agency,
        keys.guid,
        keys.link,
        keys.title,
        keys.article,
        entry.guid,
        entry.link,
        entry.title,
        entry.summary,
        entry.author,
        entry.source,
        put_time(entry.published),
        put_time(entry.updated),
        put_time(entry.first_seen_at),
        entry.silent or "",
        entry.language,
    )


def _keep_revisions(db: Database, revisions: Iterable[Revision], now: datetime) -> None:
    for revision in revisions:
        known = revision.known
        db.execute(
            "insert or ignore into revisions (entry_id, at, title, summary) values (?, ?, ?, ?)",
            [known.id, put_time(now), known.title, known.summary],
        )
        db.execute(
            "update entries set title = ?, summary = ?, link = ?, guid_key = ?, link_key = ?, title_key = ?, article_key = ?, updated = ?, "
            "language = ? where id = ?",
            [
                revision.title,
                revision.summary,
                revision.link,
                *astuple(revision.keys),
                put_time(revision.updated),
                revision.language,
                known.id,
            ],
        )
        db.execute("insert or ignore into unsearched values (?)", [known.id])


def _keep_alerts(db: Database, alerts: Iterable[AlertIntent], now: datetime) -> None:
    collapsed: dict[int, list[AlertIntent]] = {}
    for alert in alerts:
        db.execute(
            "insert or ignore into alerts (chat_id, story_id, entry_id, first_title, catch_up, created_at, grouping, held, due_at, followed) "
            "select :chat, :story, id, title, :catch_up, :now, :grouping, :held, :due, :followed from entries where id = :entry",
            {
                "chat": alert.chat_id,
                "story": alert.story_id,
                "catch_up": alert.catch_up,
                "now": put_time(now),
                "grouping": alert.grouping.value,
                "held": alert.pending,
                "due": put_time(alert.due_at),
                "followed": alert.followed,
                "entry": alert.entry_id,
            },
        )
        if db.execute("select changes()").fetchone()[0]:
            _keep_matches(db, alert)
            if alert.pending:
                continue
            if alert.collapse:
                collapsed.setdefault(alert.chat_id, []).append(alert)
            else:
                queue_alert(db, alert.chat_id, [alert.story_id], alert.priority, now)
    for chat, together in collapsed.items():
        queue_alert(db, chat, [alert.story_id for alert in together], Priority.NORMAL, now)


def _keep_matches(db: Database, alert: AlertIntent | AlertRevision) -> None:
    for match in alert.matches:
        db.execute(
            "insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans) values (?, ?, ?, ?, ?) "
            "on conflict do update set spans = excluded.spans where entry_id = excluded.entry_id",
            [
                alert.chat_id,
                alert.story_id,
                match.subscription_id,
                alert.entry_id,
                put_spans(match.spans),
            ],
        )


def _keep_alert_revision(db: Database, revision: AlertRevision, now: datetime) -> None:
    at = [revision.chat_id, revision.story_id]
    db.execute(
        "update alert_matches set spans = '[]' where chat_id = ? and story_id = ? and entry_id = ?",
        [*at, revision.entry_id],
    )
    _keep_matches(db, revision)
    if revision.due_at:
        db.execute(
            "update alerts set due_at = min(coalesce(due_at, :due), :due) where chat_id = :chat and story_id = :story and held = 1",
            {
                "due": put_time(revision.due_at),
                "chat": revision.chat_id,
                "story": revision.story_id,
            },
        )
    db.execute("update alerts set revision = revision + 1 where chat_id = ? and story_id = ?", at)
    _hurry(db, revision.chat_id, revision.story_id, revision.priority)
    if not _is_pending(db, revision.chat_id, revision.story_id):
        queue_edit(db, revision.chat_id, revision.story_id, now)


def _hurry(db: Database, chat_id: int, story_id: int, priority: Priority) -> None:
    """What waits for less than this priority waits no longer than that demands."""
    if priority is not Priority.NOTICE:
        db.execute(
            "update outbox set priority = ? where priority > ? and kind = 'alert' and form = '' and state = 'queued' and id in "
            "(select outbox_id from outbox_alerts where chat_id = ? and story_id = ?)",
            [priority, priority, chat_id, story_id],
        )


def _is_pending(db: Database, chat_id: int, story_id: int) -> bool:
    row = db.execute(
        "select held from alerts where chat_id = ? and story_id = ?", [chat_id, story_id]
    ).fetchone()
    return bool(row and row["held"])


def _keep_growth(db: Database, growth: AlertGrowth, now: datetime) -> None:
    chat, story = growth.chat_id, growth.story_id
    db.execute(
        "update alerts set revision = revision + 1, again = max(again, ?) where chat_id = ? and story_id = ?",
        [growth.again, chat, story],
    )
    if growth.grouping is not None:
        db.execute(
            "update alerts set grouping = ? where chat_id = ? and story_id = ?",
            [growth.grouping.value, chat, story],
        )
    if growth.release is not None:
        done = db.execute(
            "update alerts set held = 0, due_at = null where chat_id = ? and story_id = ? and held = 1",
            [chat, story],
        )
        if done.rowcount:
            queue_alert(db, chat, [story], growth.release, now)
    if _is_pending(db, chat, story):
        return
    _hurry(db, chat, story, growth.priority)
    queue_edit(db, chat, story, now)
    if growth.again:
        queue_second_alert(db, chat, story, Priority.NORMAL, now)


def _keep_states(db: Database, commits: Sequence[FeedCommit]) -> None:
    rows: list[dict[str, Any]] = []
    for commit in commits:
        row = put_state(commit.state)
        row["id"] = commit.feed_id
        rows.append(row)
    urls = dict(
        db.execute(
            f"select id, url from feeds where id in ({marks(commits)})",
            [commit.feed_id for commit in commits],
        ).fetchall()
    )
    for row in rows:
        row["host"] = host_and_port(row["adopted_url"] or urls.get(row["id"], ""))
    db.conn.executemany(_UPDATE_FEED, rows)
    documents = [
        (commit.feed_id, commit.state.document) for commit in commits if commit.document_changed
    ]
    if documents:
        db.conn.executemany(
            "insert into documents values (?, ?) on conflict (feed_id) do update set records = excluded.records",
            documents,
        )
