"""Write what polls brought: entries, revisions, alerts and the states of feeds.

Runs within the transaction of `PollTables.commit`. Decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

from bot.model.alerts import AlertGrowth, AlertIntent, AlertRevision, MatchRecord, Priority
from bot.model.entries import PlacedEntry, Revision
from bot.model.pages import PageCommit
from bot.model.poll import FeedCommit
from bot.store import alert_updates, bodies
from bot.store.engines.engine import Database
from bot.store.mappers import (
    PACE_COLUMNS,
    STATE_COLUMNS,
    put_categories,
    put_pace,
    put_spans,
    put_state,
    put_time,
)
from bot.store.outbox import (
    EDIT_GAP,
    FLIP_GAP,
    look_at_waits,
    notify,
    queue_alert,
    queue_edit,
    queue_pages,
    queue_second_alert,
)
from bot.store.sql import ALERT, IS_QUEUED, marks, put
from bot.store.unsent_alerts import reconsider_alert
from bot.text.url import host_and_port

WAKE = timedelta(seconds=1)  #: until feeds are tried whose host works again
LATER_REVISIONS = 4  #: earlier words of an entry that are kept, beside the first

_ENTRY_COLUMNS = """
    id feed_id strict_id story_id storyline_id house origin agency guid_key link_key title_key
    article_key guid link title summary author source published updated first_seen_at silent
    language confirms core quoted_key categories
""".split()
# Prepared once: the `insert_all` of sqlite-utils makes a new statement for each number of rows,
# which takes longer than the rows.
_INSERT_ENTRY = (
    f"insert into entries ({', '.join(_ENTRY_COLUMNS)}) values ({marks(_ENTRY_COLUMNS)})"
)
_UPDATE_FEED = (
    "update feeds set lease_until = null, host = :host, "
    + ", ".join(f"{name} = :{name}" for name in STATE_COLUMNS)
    + ", stored = stored + :new where id = :id and (:lease = 0 or lease = :lease)"
)
_UPDATE_DOCUMENT = """
    insert into documents values (?, ?)
    on conflict (feed_id) do update set records = excluded.records
"""
# Polls that take long to read are stored after later ones of their host.
_PUT_PACE = f"""
    insert into hosts (host, {", ".join(PACE_COLUMNS)})
    values (:host, {", ".join(f":{name}" for name in PACE_COLUMNS)})
    on conflict (host) do update
    set {", ".join(f"{name} = excluded.{name}" for name in PACE_COLUMNS)}
    where excluded.asked_at >= coalesce(hosts.asked_at, '')
"""
# A moment later, so that a single run does not ask for the same feed twice.
_WAKE_SIBLINGS = """
    update feeds set next_poll_at = ?
    where host = (select host from feeds where id = ?) and active = 1
        and failures > 0 and failure in ({marks}) and next_poll_at > ?
"""
_REVISE_ENTRY = """
    update entries set title = ?, summary = ?, link = ?, guid_key = ?, link_key = ?, title_key = ?,
        article_key = ?, updated = ?, language = ?, categories = ?
    where id = ?
"""
# Stories are grouped by the first words and links, people are shown the last ones.
_THIN_REVISIONS = """
    delete from revisions where entry_id = ?
    and at > (select min(at) from revisions where entry_id = ?)
    and at < (select at from revisions where entry_id = ? order by at desc limit 1 offset ?)
"""
_INSERT_ALERT = """
    insert into alerts (chat_id, story_id, entry_id, first_title, catch_up, created_at,
        grouping, held, due_at, followed, note_of)
    select :chat, :story, id, title, :catch_up, :now, :grouping, :pending, :due, :followed, :note_of
    from entries where id = :entry
    on conflict do nothing
"""
_INSERT_MATCH = """
    insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans, snippet)
    values (?, ?, ?, ?, ?, ?)
    on conflict (chat_id, story_id, subscription_id)
    do update set spans = excluded.spans, snippet = excluded.snippet
        where alert_matches.entry_id = excluded.entry_id
"""
_INSERT_RECORD = """
    insert into match_records (entry_id, chat_id, subscription_id, fate, leader)
    values (?, ?, ?, ?, ?)
    on conflict (entry_id, chat_id, subscription_id)
    do update set fate = excluded.fate, leader = excluded.leader
"""
_ALL_IN_FORCE = """
    select not exists (
        select 1 from alert_matches m where chat_id = ? and story_id = ? and not exists (
            select 1 from subscriptions s join routes r on r.subscription_id = s.id
            where s.id = m.subscription_id and r.chat_id = m.chat_id
            and removed_at is null and s.paused = 0
        )
    )
"""
_DUE_SOONER = """
    update alerts set due_at = min(coalesce(due_at, :due), :due)
    where chat_id = :chat and story_id = :story and held = 1
"""
_RAISE_PRIORITY = f"""
    update outbox set priority = :priority
    where priority > :priority and kind = {ALERT} and form = '' and {IS_QUEUED}
    and id in (select outbox_id from outbox_alerts where chat_id = :chat and story_id = :story)
"""


def insert_entries(db: Database, entries: Sequence[PlacedEntry]) -> None:
    """Write new entries."""
    listed = [placed.entry for placed in entries]
    db.executemany(_INSERT_ENTRY, [_entry_row(placed) for placed in entries])
    bodies.insert(db, [(entry.id, entry.summary, entry.body) for entry in listed])


def _entry_row(placed: PlacedEntry) -> tuple[Any, ...]:
    """The values of `_ENTRY_COLUMNS`, in that order."""
    entry, story_ids, keys = placed.entry, placed.story_ids, placed.entry.keys
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
        placed.placement.confirms,
        entry.core,
        keys.quoted,
        put_categories(entry.categories),
    )


def apply(db: Database, commit: FeedCommit, now: datetime) -> None:
    """Write all of a poll but its new entries and the state of its feed."""
    for revision in commit.revisions:
        _revise_entry(db, revision, now)
    db.executemany(
        "update entries set absent_since = ? where id = ?",
        [(put_time(now), number) for number in commit.absent],
    )
    db.executemany(
        "update entries set absent_since = null where id = ?",
        [(number,) for number in commit.returned],
    )
    apply_alerts(db, commit, now)
    for number in commit.withdrawn:
        alert_updates.withdraw(db, number, now)
    alert_updates.tell(db, commit.updates, now)
    for notice in commit.notices:
        notify(db, notice, now)
    if commit.host:
        host, pace = commit.host
        db.execute(_PUT_PACE, {"host": host, **put_pace(pace, now)})
    if commit.given_back:
        db.execute(
            f"update feeds set lease_until = null where id in ({marks(commit.given_back)})",
            commit.given_back,
        )
    if commit.wakes:
        at = put_time(now + WAKE)
        statement = _WAKE_SIBLINGS.format(marks=marks(commit.wakes))
        db.execute(statement, [at, commit.feed_id, *sorted(commit.wakes), at])


def apply_alerts(db: Database, commit: FeedCommit | PageCommit, now: datetime) -> None:
    """Write what was decided about alerts."""
    insert_alerts(db, commit.alerts, now)
    insert_records(db, commit.records)
    for alert_revision in commit.alert_revisions:
        _revise_alert(db, alert_revision, now)
    for growth in commit.growths:
        _grow_alert(db, growth, now)


def search_again(db: Database, entry_id: int, now: datetime) -> None:
    """Let the search learn that an entry has other words."""
    db.execute(
        put("unsearched", "entry_id", "at"),
        [entry_id, put_time(now)],
    )


def _revise_entry(db: Database, revision: Revision, now: datetime) -> None:
    known, keys = revision.known, revision.keys
    if revision.is_reworded:
        db.execute(
            "insert into revisions (entry_id, at, title, summary) values (?, ?, ?, ?) "
            "on conflict do nothing",
            [known.id, put_time(now), known.title, known.summary],
        )
        db.execute(_THIN_REVISIONS, [known.id, known.id, known.id, LATER_REVISIONS - 1])
    bodies.replace(db, known.id, revision.summary, revision.body)
    db.execute(
        _REVISE_ENTRY,
        [
            revision.title,
            revision.summary,
            revision.link,
            *(keys.guid, keys.link, keys.title, keys.article),
            put_time(revision.updated),
            revision.language,
            put_categories(revision.categories),
            known.id,
        ],
    )
    search_again(db, known.id, now)


def insert_alerts(db: Database, alerts: Iterable[AlertIntent], now: datetime) -> int:
    """Insert and queue new alerts; return how many the chats did not have."""
    collapsed: dict[int, list[int]] = {}
    inserted: list[AlertIntent] = []
    for alert in alerts:
        values = {
            "chat": alert.chat_id,
            "story": alert.story_id,
            "catch_up": alert.catch_up,
            "now": put_time(now),
            "grouping": alert.grouping,
            "pending": alert.pending,
            "due": put_time(alert.due_at),
            "followed": alert.followed,
            "entry": alert.entry_id,
            "note_of": alert.note_of or None,
        }
        if not db.execute(_INSERT_ALERT, values).rowcount:
            continue
        inserted.append(alert)
        _insert_matches(db, alert)
        if alert.pending:
            continue
        if alert.collapse:
            collapsed.setdefault(alert.chat_id, []).append(alert.story_id)
        else:
            queue_alert(db, alert.chat_id, [alert.story_id], alert.priority, now)
    for chat_id, stories in collapsed.items():
        queue_pages(db, chat_id, stories, now)
    for alert in inserted:
        _reconsider(db, alert.chat_id, alert.story_id, now)
    return len(inserted)


def insert_records(db: Database, records: Iterable[MatchRecord]) -> None:
    """Write what was decided about matches; of the same match, the last decision holds."""
    db.executemany(_INSERT_RECORD, [astuple(record) for record in records])


def _reconsider(db: Database, chat: int, story: int, now: datetime) -> None:
    """Withdraw an alert whose subscriptions changed after it was decided about."""
    if db.execute(_ALL_IN_FORCE, [chat, story]).fetchone()[0]:
        return
    reconsider_alert(db, chat, story, now)


def _insert_matches(db: Database, alert: AlertIntent | AlertRevision) -> None:
    for match in alert.matches:
        spans = put_spans(match.spans)
        db.execute(
            _INSERT_MATCH,
            [
                alert.chat_id,
                alert.story_id,
                match.subscription_id,
                alert.entry_id,
                spans,
                match.snippet,
            ],
        )


def _revise_alert(db: Database, revision: AlertRevision, now: datetime) -> None:
    chat, story = revision.chat_id, revision.story_id
    db.execute(
        "update alert_matches set spans = '[]', snippet = '' "
        "where chat_id = ? and story_id = ? and entry_id = ?",
        [chat, story, revision.entry_id],
    )
    _insert_matches(db, revision)
    if revision.due_at:
        due = put_time(revision.due_at)
        db.execute(_DUE_SOONER, {"due": due, "chat": chat, "story": story})
    db.execute(
        "update alerts set revision = revision + 1 where chat_id = ? and story_id = ?",
        [chat, story],
    )
    _raise_priority(db, chat, story, revision.priority)
    if not _is_pending(db, chat, story):
        look_at_waits(db, chat, [story])
        queue_edit(db, chat, story, now, gap=FLIP_GAP if revision.flips else EDIT_GAP)


def _grow_alert(db: Database, growth: AlertGrowth, now: datetime) -> None:
    chat, story = growth.chat_id, growth.story_id
    db.execute(
        "update alerts set revision = revision + 1, again = max(again, ?) "
        "where chat_id = ? and story_id = ?",
        [growth.again, chat, story],
    )
    if growth.grouping is not None:
        db.execute(
            "update alerts set grouping = ? where chat_id = ? and story_id = ?",
            [growth.grouping, chat, story],
        )
    if growth.release is not None:
        released = db.execute(
            "update alerts set held = 0, due_at = null "
            "where chat_id = ? and story_id = ? and held = 1",
            [chat, story],
        )
        if released.rowcount:
            queue_alert(db, chat, [story], growth.release, now)
            _reconsider(db, chat, story, now)
    if _is_pending(db, chat, story):
        return
    _raise_priority(db, chat, story, growth.priority)
    queue_edit(db, chat, story, now)
    if growth.again:
        queue_second_alert(db, chat, story, Priority.NORMAL, now)
        _reconsider(db, chat, story, now)


def _raise_priority(db: Database, chat: int, story: int, priority: Priority) -> None:
    """Let a queued alert go out with at least this priority."""
    if priority is not Priority.NOTICE:
        db.execute(_RAISE_PRIORITY, {"priority": priority, "chat": chat, "story": story})


def _is_pending(db: Database, chat: int, story: int) -> bool:
    row = db.execute(
        "select held from alerts where chat_id = ? and story_id = ?", [chat, story]
    ).fetchone()
    return bool(row and row["held"])


def update_feeds(db: Database, commits: Sequence[FeedCommit]) -> bool:
    """Write the states and documents of feeds, and end their leases.

    Return whether all were still those of the claims: where several write, another one may claim
    a feed at any moment.
    """
    urls: dict[int, str] = dict(
        db.execute(
            f"select id, url from feeds where id in ({marks(commits)})",
            [commit.feed_id for commit in commits],
        ).fetchall()
    )
    rows: list[dict[str, Any]] = []
    for commit in commits:
        address = commit.state.adopted_url or urls.get(commit.feed_id, "")
        rows.append(
            {
                **put_state(commit.state),
                "id": commit.feed_id,
                "host": host_and_port(address),
                "new": len(commit.new),
                "lease": commit.lease,
            }
        )
    count = db.executemany(_UPDATE_FEED, rows)
    documents = [
        (commit.feed_id, commit.state.document) for commit in commits if commit.document_changed
    ]
    db.executemany(_UPDATE_DOCUMENT, documents)
    return count == len(rows)
