"""Stories in the store: what is known of them, merging them, and alerts that wait for publishers. Decides nothing about entries.

Which of two alerts survives a merge can be told only here, where it is known what has been sent: the one that the chat has seen, else the
one that waits to be sent, else the one that is held; of two seen ones both stay in the chat.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.model.alerts import PRIORITIES, KnownAlert, Stance, StoryState
from bot.model.chats import Urgency
from bot.model.entries import PlacedEntry
from bot.model.poll import AffectedStories
from bot.model.stories import Grouping, Merge, Report, StoryIds
from bot.store.mappers import get_list, get_story_ids, get_time, marks, put_time, sure_time
from bot.store.outbox import queue_alert, queue_edit
from bot.stories.assign import report_of

LEVELS = {Grouping.STRICT: "strict_id", Grouping.NORMAL: "story_id", Grouping.LOOSE: "storyline_id"}
QUIET = timedelta(
    hours=48
)  #: a storyline without entries for so long is neither followed nor muted any more
_CHUNK = 400  # values of one `in (...)`


def _chunks(values: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(set(values))
    return (ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK))


def state_of(db: Database, touched: AffectedStories, now: datetime) -> StoryState:
    """Alerts, origins and stances of these stories."""
    origins: dict[tuple[Grouping, int], frozenset[str]] = {}
    for level, column in LEVELS.items():
        for some in _chunks(story_ids.at(level) for story_ids in touched.story_ids):
            rows = db.execute(
                f"select {column}, json_group_array(distinct origin) from entries where {column} in ({marks(some)}) group by 1",
                some,
            )
            origins.update(
                {(level, row[0]): frozenset(get_list(row[1])) for row in rows.fetchall()}
            )
    stances: dict[int, dict[int, Stance]] = {}
    for some in _chunks(story_ids.storyline for story_ids in touched.story_ids):
        where = f"storyline_id in ({marks(some)}) and moved_at > ? and chat_id in (select id from chats where allowed = 1)"
        for row in db.execute(
            f"select * from stances where {where}", [*some, put_time(now - QUIET)]
        ).fetchall():
            stances.setdefault(row["storyline_id"], {})[row["chat_id"]] = Stance(row["stance"])
    originals: dict[int, str] = {}
    for some in _chunks(touched.originals):
        originals.update(
            db.execute(
                f"select id, origin from entries where id in ({marks(some)})", some
            ).fetchall()
        )
    numbers = {story_ids.at(level) for story_ids in touched.story_ids for level in Grouping}
    return StoryState(tuple(_alerts(db, numbers)), origins, stances, originals)


def _alerts(db: Database, stories: Collection[int]) -> Iterable[KnownAlert]:
    for some in _chunks(stories):
        rows = db.execute(
            "select a.*, json_group_array(subscription_id) as subscriptions, message_id is null and exists (select 1 from outbox_alerts x "
            "join outbox o on o.id = x.outbox_id where x.chat_id = a.chat_id and x.story_id = a.story_id and kind = 'alert' "
            "and state in ('unknown', 'dead')) as lost from alerts a left join alert_matches using (chat_id, story_id) "
            f"where coalesce(merged_into, story_id) in ({marks(some)}) group by chat_id, story_id",
            some,
        )
        for row in rows.fetchall():
            yield KnownAlert(
                row["chat_id"],
                row["story_id"],
                row["entry_id"],
                frozenset(get_list(row["subscriptions"])) - {None},
                Grouping(row["grouping"]),
                bool(row["held"]),
                bool(row["again"]),
                bool(row["lost"]),
                row["merged_into"] is not None,
            )


def window(db: Database, since: datetime, after: int, most: int) -> list[tuple[Report, StoryIds]]:
    """Entries with their stories, in order of id; with the words that they came with, which is what they were grouped by."""
    rows = db.execute(
        "select e.id, e.feed_id, e.strict_id, e.story_id, e.storyline_id, e.language, e.house, e.link, e.link_key, "
        "e.published, e.first_seen_at, "
        "coalesce((select title from revisions r where r.entry_id = e.id order by at limit 1), e.title) as title, "
        "coalesce((select summary from revisions r where r.entry_id = e.id order by at limit 1), e.summary) as summary "
        "from entries e where e.id > ? and e.first_seen_at >= ? order by e.id limit ?",
        [after, put_time(since), most],
    ).fetchall()
    return [
        (
            report_of(
                row["id"],
                (row["title"], row["summary"], row["language"]),
                publisher_group=row["house"],
                feed=row["feed_id"],
                link=(row["link"], row["link_key"]),
                published=get_time(row["published"]),
                seen=sure_time(row["first_seen_at"]),
            ),
            get_story_ids(row),
        )
        for row in rows
    ]


def keep_joins(db: Database, entries: Sequence[PlacedEntry], now: datetime) -> None:
    """Why the entries belong to their stories; and that their storylines go on."""
    db.conn.executemany(
        "insert or replace into joins values (?, ?, ?, ?)",
        [
            (one.entry.id, pair.other, pair.score, pair.reason)
            for one in entries
            for pair in one.placement.pairs
        ],
    )
    for some in _chunks(one.story_ids.storyline for one in entries):
        where = f"storyline_id in ({marks(some)}) and moved_at > ?"  # what has ended stays so
        db.execute(
            f"update stances set moved_at = ? where {where}",
            [put_time(now), *some, put_time(now - QUIET)],
        )


def merge(db: Database, merges: Iterable[Merge], now: datetime) -> None:
    """Take stories together, with their alerts, so that none is lost and none rings twice."""
    for one in merges:
        column = LEVELS[one.grouping]
        db.execute(f"update entries set {column} = ? where {column} = ?", [one.kept, one.gone])
        db.execute(
            "insert or replace into merges values (?, ?, ?, ?)",
            [one.grouping.value, one.gone, one.kept, put_time(now)],
        )
        if one.grouping is Grouping.LOOSE:
            db.execute(
                "delete from stances where storyline_id in (?, ?) and moved_at <= ?",
                [one.gone, one.kept, put_time(now - QUIET)],
            )
            db.execute(
                "update or ignore stances set storyline_id = ? where storyline_id = ?",
                [one.kept, one.gone],
            )
            db.execute("delete from stances where storyline_id = ?", [one.gone])
        db.execute(
            "update alerts set merged_into = ? where merged_into = ? and grouping = ?",
            [one.kept, one.gone, one.grouping.value],
        )
        rows = db.execute(
            "select * from alerts where story_id = ? and grouping = ? and merged_into is null",
            [one.gone, one.grouping.value],
        ).fetchall()
        for row in rows:
            _merge_alert(db, row, one.kept, now)


def _merge_alert(db: Database, gone: Any, kept: int, now: datetime) -> None:
    chat, number = gone["chat_id"], gone["story_id"]
    other = db.execute(
        "select * from alerts where chat_id = ? and story_id = ?", [chat, kept]
    ).fetchone()
    if other is None:
        _rename(db, chat, number, kept)
        return
    ranks = _rank(db, gone), _rank(db, other)
    loser, winner = (number, kept) if ranks[0] <= ranks[1] else (kept, number)
    stays = min(ranks) == _LOST or ranks == (_SEEN, _SEEN)
    if not stays:
        _absorb(db, chat, loser, winner, now)
    if winner != kept:
        _rename(db, chat, kept, _ASIDE)
        _rename(db, chat, winner, kept)
        _rename(db, chat, _ASIDE, number)
    if stays:
        db.execute(
            "update alerts set merged_into = ? where chat_id = ? and story_id = ?",
            [kept, chat, number],
        )
    elif max(ranks) == _SEEN:
        db.execute(
            "update alerts set revision = revision + 1 where chat_id = ? and story_id = ?",
            [chat, kept],
        )
        queue_edit(db, chat, kept, now)


_LOST, _PENDING, _QUEUED, _SEEN = range(4)
_ASIDE = -1  # a number that no story has


def _rank(db: Database, alert: Any) -> int:
    if alert["held"]:
        return _PENDING
    if alert["message_id"] is not None:
        return _SEEN
    states = {
        row["state"]
        for row in db.execute(
            "select state from outbox_alerts a join outbox o on o.id = outbox_id where a.chat_id = ? and story_id = ? and kind = 'alert'",
            [alert["chat_id"], alert["story_id"]],
        ).fetchall()
    }
    if "queued" in states:
        return _QUEUED
    return _LOST if states & {"unknown", "dead"} else _SEEN


def _absorb(db: Database, chat: int, loser: int, winner: int, now: datetime) -> None:
    """An alert that nobody has seen gives what it was to tell to another."""
    db.execute(
        "insert or ignore into alert_matches select chat_id, ?, subscription_id, entry_id, spans from alert_matches "
        "where chat_id = ? and story_id = ?",
        [winner, chat, loser],
    )
    db.execute("delete from alert_matches where chat_id = ? and story_id = ?", [chat, loser])
    db.execute(
        "update alerts set due_at = (select min(due_at) from alerts where chat_id = :chat and story_id in (:winner, :loser)) "
        "where chat_id = :chat and story_id = :winner and held = 1",
        {"chat": chat, "winner": winner, "loser": loser},
    )
    numbers = [
        row[0]
        for row in db.execute(
            "select outbox_id from outbox_alerts where chat_id = ? and story_id = ?", [chat, loser]
        ).fetchall()
    ]
    urgent = f"select min(priority) from outbox where kind = 'alert' and id in ({marks(numbers)})"
    db.execute(  # the more urgent of the two is the urgency of both
        f"update outbox set priority = min(priority, coalesce(({urgent}), priority)) where kind = 'alert' and state = 'queued' "
        "and id in (select outbox_id from outbox_alerts where chat_id = ? and story_id = ?)",
        [*numbers, chat, winner],
    )
    db.execute("delete from outbox_alerts where chat_id = ? and story_id = ?", [chat, loser])
    db.execute(
        f"update outbox set state = 'dropped', settled_at = ?, error = 'its story became part of another' where id in ({marks(numbers)}) "
        "and state = 'queued' and not exists (select 1 from outbox_alerts where outbox_id = outbox.id)",
        [put_time(now), *numbers],
    )
    db.execute("delete from alerts where chat_id = ? and story_id = ?", [chat, loser])


def _rename(db: Database, chat: int, old: int, new: int) -> None:
    db.execute("pragma defer_foreign_keys = on")
    for table in ("alerts", "alert_matches", "outbox_alerts"):
        db.execute(
            f"update {table} set story_id = ? where chat_id = ? and story_id = ?", [new, chat, old]
        )


def release_pending(db: Database, now: datetime) -> int:
    """Send the alerts that waited for publishers as long as they were to; but none that is muted or that no subscription wants any more."""
    rows = db.execute(
        "select chat_id, story_id, (select group_concat(distinct urgency) from alert_matches m join subscriptions s on s.id = m.subscription_id "
        "join routes r on r.subscription_id = s.id and r.chat_id = m.chat_id join chats c on c.id = r.chat_id and c.allowed = 1 "
        "where m.chat_id = a.chat_id and m.story_id = a.story_id and removed_at is null and or_after is not null and not exists "
        "(select 1 from stances t join entries e using (storyline_id) where e.id = a.entry_id and t.chat_id = a.chat_id and stance = 'mute' "
        "and moved_at > :quiet)) as urgencies from alerts a where held = 1 and due_at <= :now",
        {"now": put_time(now), "quiet": put_time(now - QUIET)},
    ).fetchall()
    sent = 0
    for row in rows:
        at = [row["chat_id"], row["story_id"]]
        if row["urgencies"] is None:
            db.execute("update alerts set due_at = null where chat_id = ? and story_id = ?", at)
            continue
        db.execute(
            "update alerts set held = 0, due_at = null, single = 1 where chat_id = ? and story_id = ?",
            at,
        )
        queue_alert(
            db,
            row["chat_id"],
            [row["story_id"]],
            min(PRIORITIES[Urgency(one)] for one in row["urgencies"].split(",")),
            now,
        )
        sent += 1
    return sent


def set_stance(
    db: Database, chat_id: int, storyline: int, stance: Stance | None, now: datetime
) -> None:
    """What a chat wants of a storyline from now on, wherever that went meanwhile. A mute holds for what waits to be sent as well."""
    while row := db.execute(
        "select kept from merges where grouping = 'loose' and gone = ?", [storyline]
    ).fetchone():
        storyline = row["kept"]
    if stance is None:
        db.execute(
            "delete from stances where chat_id = ? and storyline_id = ?", [chat_id, storyline]
        )
        return
    moment = put_time(now)
    db.execute(
        "insert or replace into stances values (?, ?, ?, ?, ?)",
        [chat_id, storyline, stance.value, moment, moment],
    )
    if stance is Stance.MUTE:
        _hold_back(db, chat_id, storyline, now)


def _hold_back(db: Database, chat_id: int, storyline: int, now: datetime) -> None:
    """Take the storyline out of the alerts and second rings that wait."""
    rows = db.execute(
        "select outbox_id, x.story_id from outbox_alerts x join outbox o on o.id = outbox_id join alerts a using (chat_id, story_id) "
        "join entries e on e.id = a.entry_id where x.chat_id = ? and o.state = 'queued' and o.kind in ('alert', 'again') and e.storyline_id = ?",
        [chat_id, storyline],
    ).fetchall()
    for row in rows:
        db.execute(
            "delete from outbox_alerts where outbox_id = ? and story_id = ?",
            [row["outbox_id"], row["story_id"]],
        )
        db.execute(
            "update outbox set state = 'dropped', settled_at = ?, error = 'the chat muted its storyline' where id = ? "
            "and not exists (select 1 from outbox_alerts where outbox_id = outbox.id)",
            [put_time(now), row["outbox_id"]],
        )
