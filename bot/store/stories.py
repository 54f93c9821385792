"""Stories in the store: reading them, merging them, stances, and alerts that wait for publishers.

Decides nothing about entries. Which of two alerts survives a merge can only be decided here, where
it is known what was sent: the alert that the chat has seen, else the one that is queued, else the
one that is pending. Of two seen alerts both stay in the chat.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.alerts.readiness import waited_priority
from bot.model.alerts import KnownAlert, Stance, StoryState
from bot.model.entries import PlacedEntry
from bot.model.poll import AffectedStories
from bot.model.stories import Grouping, Merge, Report, StoredFeatures, StoryIds
from bot.store.alert_merges import merge_alerts
from bot.store.engines.engine import Database
from bot.store.mappers import get_list, get_story_ids, get_time, put_time, sure_time
from bot.store.outbox import queue_alert
from bot.store.sql import (
    ALERT,
    IS_QUEUED,
    IS_UNDELIVERED,
    MUTE,
    SECOND_ALERT,
    STORY_COLUMNS,
    marks,
    put,
)
from bot.store.story_publishers import chunks, origins_of
from bot.store.unsent_alerts import QUIET, read_claims, reconsider
from bot.stories.assign import report_of
from bot.stories.packed_features import VERSION

_STANCES = """
    select * from stances where storyline_id in ({marks}) and moved_at > ?
    and chat_id in (select id from chats where allowed = 1)
"""
_ALERTS = f"""
    select a.*, json_group_array(subscription_id) as subscriptions,
        message_id is null and exists (
            select 1 from outbox_alerts x join outbox o on o.id = x.outbox_id
            where x.chat_id = a.chat_id and x.story_id = a.story_id
            and kind = {ALERT} and {IS_UNDELIVERED}
        ) as undelivered
    from alerts a left join alert_matches using (chat_id, story_id)
    where coalesce(merged_into, story_id) in ({{marks}}) group by chat_id, story_id
"""
# Entries of the span, and those that came later while the clock was wrong: ids tell the order then.
_WINDOW = """
    select e.id, e.feed_id, e.strict_id, e.story_id, e.storyline_id, e.house, f.packed,
        first_seen_at between :since and :until as in_span
    from entries e left join features f on f.entry_id = e.id and f.version = :version
    where e.id > coalesce(nullif(:after, 0), (
        select min(id) from entries where first_seen_at between :since and :until
    ) - 1) order by e.id limit :limit
"""
# The words that entries came with are those that they were grouped by.
_WORDS = """
    select e.id, e.feed_id, e.language, e.house, e.link,
        coalesce(nullif(e.quoted_key, x''), e.link_key) as link_key,
        e.published, e.first_seen_at,
        coalesce(nullif(e.core, ''),
            (select title from revisions r where r.entry_id = e.id order by at limit 1),
            e.title) as title,
        coalesce((select summary from revisions r where r.entry_id = e.id order by at limit 1),
            e.summary) as summary
    from entries e where e.id in ({marks})
"""
_MERGES = "select gone, kept from merges where grouping = ? and gone >= ?"
_OLD_FEATURES = """
    delete from features where entry_id in (
        select entry_id from features where entry_id <= (
            select id from entries indexed by entries_seen where first_seen_at < :before
            order by first_seen_at desc limit 1
        ) order by entry_id limit :batch
    )
"""
# No alert where the chat muted the storyline, or no subscription wants it any more.
_PENDING_DUE = f"""
    select chat_id, story_id, (
        select json_group_array(
            json_array(first_seen_at, urgency, publishers, or_after, ring_again_at))
        from alert_matches m join entries x on x.id = m.entry_id
        join subscriptions s on s.id = m.subscription_id
        join routes r on r.subscription_id = s.id and r.chat_id = m.chat_id
        join chats c on c.id = r.chat_id and c.allowed = 1
        where m.chat_id = a.chat_id and m.story_id = a.story_id
        and removed_at is null and s.paused = 0 and or_after is not null
        and not exists (
            select 1 from stances t join entries e using (storyline_id)
            where e.id = a.entry_id and t.chat_id = a.chat_id and stance = {MUTE}
            and moved_at > :quiet
        )
    ) as claims
    from alerts a where held = 1 and due_at <= :now
"""
# What waits because the chat followed the storyline, and not for its words alone.
_END_FOLLOWING = f"""
    update alerts set followed = 0 where chat_id = :chat and story_id in (
        select a.story_id from outbox o indexed by outbox_queue
        join outbox_alerts b on b.outbox_id = o.id
        join alerts a on a.chat_id = b.chat_id and a.story_id = b.story_id
        join entries e on e.id = a.entry_id
        where o.chat_id = :chat and o.{IS_QUEUED} and o.kind in ({ALERT}, {SECOND_ALERT})
        and a.message_id is null and e.storyline_id = :storyline
    )
"""


def state_of(db: Database, affected: AffectedStories, now: datetime) -> StoryState:
    """Return alerts, origins and stances of these stories."""
    origins = origins_of(db, affected)
    stances: dict[int, dict[int, Stance]] = {}
    for numbers in chunks(story_ids.storyline for story_ids in affected.story_ids):
        statement = _STANCES.format(marks=marks(numbers))
        for row in db.execute(statement, [*numbers, put_time(now - QUIET)]).fetchall():
            stances.setdefault(row["storyline_id"], {})[row["chat_id"]] = Stance(row["stance"])
    originals: dict[int, str] = {}
    for numbers in chunks(affected.originals):
        statement = f"select id, origin from entries where id in ({marks(numbers)})"
        originals.update(db.execute(statement, numbers).fetchall())
    story_ids = {ids.at(level) for ids in affected.story_ids for level in Grouping}
    return StoryState(tuple(_alerts(db, story_ids)), origins, stances, originals)


def _alerts(db: Database, stories: Collection[int]) -> Iterable[KnownAlert]:
    for numbers in chunks(stories):
        rows = db.execute(_ALERTS.format(marks=marks(numbers)), numbers).fetchall()
        for row in rows:
            yield KnownAlert(
                row["chat_id"],
                row["story_id"],
                row["entry_id"],
                frozenset(get_list(row["subscriptions"])) - {None},
                Grouping(row["grouping"]),
                bool(row["held"]),
                bool(row["again"]),
                bool(row["undelivered"]),
                row["merged_into"] is not None,
                row["note_of"] is not None,
            )


def insert_features(db: Database, entries: Iterable[PlacedEntry]) -> None:
    """Keep what grouping made of new entries."""
    db.executemany(
        put("features", "entry_id", "version, packed"),
        [(placed.entry.id, VERSION, placed.features) for placed in entries if placed.features],
    )


def forget_features(db: Database, before: datetime, limit: int) -> int:
    """Delete features of entries that came before all of the window; return of how many."""
    return db.execute(_OLD_FEATURES, {"before": put_time(before), "batch": limit}).rowcount


def window(
    db: Database, since: datetime, until: datetime, after: int, limit: int
) -> list[tuple[Report | StoredFeatures, StoryIds]]:
    """Return entries as grouping looks at them, with their stories, in order of id."""
    values = {"since": put_time(since), "until": put_time(until), "version": VERSION}
    rows = db.execute(_WINDOW, {**values, "after": after, "limit": limit}).fetchall()
    reports: dict[int, Report] = {}
    for numbers in chunks(row["id"] for row in rows if not (row["packed"] and row["in_span"])):
        for row in db.execute(_WORDS.format(marks=marks(numbers)), numbers).fetchall():
            reports[row["id"]] = _report(row, since, until)
    return [
        (
            reports.get(row["id"])
            or StoredFeatures(row["id"], row["house"], row["feed_id"], row["packed"]),
            get_story_ids(row),
        )
        for row in rows
    ]


def merges_from(db: Database, first: int) -> list[Merge]:
    """Return the merges of stories and storylines with this number or a higher one."""
    return [
        Merge(grouping, row["gone"], row["kept"])
        for grouping in (Grouping.NORMAL, Grouping.LOOSE)
        for row in db.execute(_MERGES, [grouping, first]).fetchall()
    ]


def _report(row: Any, since: datetime, until: datetime) -> Report:
    """A time outside the span is that of a wrong clock: the entry came last."""
    seen = sure_time(row["first_seen_at"])
    return report_of(
        row["id"],
        (row["title"], row["summary"], row["language"]),
        publisher_group=row["house"],
        feed=row["feed_id"],
        link=(row["link"], row["link_key"]),
        published=get_time(row["published"]),
        seen=seen if since <= seen <= until else until,
    )


def keep_joins(db: Database, entries: Sequence[PlacedEntry], now: datetime) -> None:
    """Keep why the entries belong to their stories, and that their storylines go on."""
    db.executemany(
        put("joins", "entry_id, other_id", "score, reason"),
        [
            (placed.entry.id, pair.other, pair.score, pair.reason)
            for placed in entries
            for pair in placed.placement.pairs
        ],
    )
    # A stance that has ended stays ended.
    for numbers in chunks(placed.story_ids.storyline for placed in entries):
        db.execute(
            "update stances set moved_at = ? "
            f"where storyline_id in ({marks(numbers)}) and moved_at > ?",
            [put_time(now), *numbers, put_time(now - QUIET)],
        )


def merge(db: Database, merges: Iterable[Merge], now: datetime) -> None:
    """Merge stories and their alerts, so that no alert is lost and none is sent twice."""
    for merged in merges:
        column = STORY_COLUMNS[merged.grouping]
        target, gone = merged.kept, merged.gone
        db.execute(f"update entries set {column} = ? where {column} = ?", [target, gone])
        db.execute(
            put("merges", "grouping, gone", "kept, at"),
            [merged.grouping, gone, target, put_time(now)],
        )
        db.execute("update entries set confirms = 1 where id = ?", [gone])  # as it did as the first
        if merged.grouping is Grouping.LOOSE:
            _merge_stances(db, gone, target, now)
        merge_alerts(db, merged, now)


def _merge_stances(db: Database, gone: int, target: int, now: datetime) -> None:
    db.execute(
        "delete from stances where storyline_id in (?, ?) and moved_at <= ?",
        [gone, target, put_time(now - QUIET)],
    )
    db.execute(
        "update stances set storyline_id = ? where storyline_id = ? and not exists ("
        "select 1 from stances own where own.storyline_id = ? and own.chat_id = stances.chat_id)",
        [target, gone, target],
    )
    db.execute("delete from stances where storyline_id = ?", [gone])


def release_pending(db: Database, now: datetime) -> int:
    """Queue the alerts whose wait for further publishers is over; return how many."""
    values = {"now": put_time(now), "quiet": put_time(now - QUIET)}
    queued = 0
    for row in db.execute(_PENDING_DUE, values).fetchall():
        chat_id, story_id = row["chat_id"], row["story_id"]
        priority = waited_priority(read_claims(row["claims"]), now)
        if priority is None:
            db.execute(
                "update alerts set due_at = null where chat_id = ? and story_id = ?",
                [chat_id, story_id],
            )
            continue
        db.execute(
            "update alerts set held = 0, due_at = null, single = 1 "
            "where chat_id = ? and story_id = ?",
            [chat_id, story_id],
        )
        queue_alert(db, chat_id, [story_id], priority, now)
        queued += 1
    return queued


def set_stance(
    db: Database, chat_id: int, storyline: int, stance: Stance | None, now: datetime
) -> None:
    """Keep a chat's stance on a storyline, or on the one that it was merged into.

    A mute takes back what waits; what it took back waits again when the mute is undone.
    """
    while row := db.execute(
        "select kept from merges where grouping = ? and gone = ?", [Grouping.LOOSE, storyline]
    ).fetchone():
        storyline = row["kept"]
    if stance is None:
        db.execute(
            "delete from stances where chat_id = ? and storyline_id = ?", [chat_id, storyline]
        )
    else:
        moment = put_time(now)
        db.execute(
            put("stances", "chat_id, storyline_id", "stance, since, moved_at"),
            [chat_id, storyline, stance, moment, moment],
        )
    if stance is not Stance.FOLLOW:
        db.execute(_END_FOLLOWING, {"chat": chat_id, "storyline": storyline})
    reconsider(db, [chat_id], now)
