"""What happened to an entry: its alerts, revisions, and what was decided about it. Reads only."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.model.alerts import Fate
from bot.model.archive import (
    AlertFact,
    EntryFacts,
    EntryRecord,
    KnownSubscription,
    StoredEntry,
    UncountedEntry,
    UpdateFact,
)
from bot.model.delivery import DeliveryState, Wait
from bot.model.entries import Silence
from bot.model.stories import Grouping
from bot.model.updates import ChangeKind, UpdateFate
from bot.store import meta, page_facts, subscription_versions
from bot.store.engines.engine import Database
from bot.store.mappers import (
    get_alert_options,
    get_article,
    get_story_ids,
    get_time,
    sure_time,
)
from bot.store.meta import MetaName
from bot.store.sql import (
    ALERT,
    MUTE,
    SECOND_ALERT,
    STORY_COLUMNS,
    confirms,
    literal,
    marks,
)
from bot.store.story_publishers import count_publishers
from bot.store.waiting import read_waits

# Alerts of the entry's story at the level of the alert, its own, and those that it joined when it
# came. That of this entry, and the last delivery of each, come last.
_OF_ENTRY = f"""
        select chat_id, story_id from alerts a
        where coalesce(a.merged_into, a.story_id) in (:strict, :story, :storyline)
            and a.merged_into is null
            and coalesce(a.merged_into, a.story_id) = case a.grouping
                when {literal(Grouping.STRICT)} then :strict
                when {literal(Grouping.LOOSE)} then :storyline
                else :story end
        union
        select chat_id, story_id from alerts where entry_id = :entry and update_form = ''
        union
        select a.chat_id, a.story_id from match_records r
            join alerts a on a.entry_id = r.leader and a.chat_id = r.chat_id
            where r.entry_id = :entry and r.leader != 0 and a.update_form = ''
"""
# The replies that tell what became of the entry.
_REPLIES = """
        select chat_id, reply from update_records where entry_id = :entry and reply is not null
"""
_UPDATES = "select * from update_records where entry_id = ? order by id"
_ALERTS = f"""
    with chosen (chat_id, story_id) as ({{chosen}})
    select a.chat_id, a.story_id, a.entry_id, a.created_at, a.message_id, a.held, a.due_at,
        a.note_of, a.followed, a.grouping, a.merged_into,
        o.id as delivery, o.state, o.error, o.settled_at, e.title,
        (select json_group_array(json_array(subscription_id, m.entry_id)) from alert_matches m
            where m.chat_id = a.chat_id and m.story_id = a.story_id) as matched,
        exists (select 1 from stances t where t.chat_id = a.chat_id and stance = {MUTE}
            and t.storyline_id = e.storyline_id) as muted,
        (select max(s.settled_at) from outbox_alerts x join outbox s on s.id = x.outbox_id
            where x.chat_id = a.chat_id and x.story_id = a.story_id
            and s.kind = {SECOND_ALERT} and s.state = {literal(DeliveryState.SENT)}) as again_at
    from chosen join alerts a on a.chat_id = chosen.chat_id and a.story_id = chosen.story_id
    left join entries e on e.id = a.entry_id
    left join outbox_alerts oa on oa.chat_id = a.chat_id and oa.story_id = a.story_id
    left join outbox o on o.id = oa.outbox_id and o.kind = {ALERT}
    order by a.chat_id, a.entry_id = :entry, a.story_id, o.id
"""
_REMOVED = """
    select id, name, removed_at from subscriptions
    where id in ({marks}) and removed_at is not null
"""
# In the order in which they came; of each publisher the first one that confirms the story counts.
_STORY = """
    select e.id, e.title, e.origin, ({confirms}) as confirms, coalesce(
        nullif(e.agency, ''), nullif(e.source, ''), f.name) as counts_for
    from entries e join feeds f on f.id = e.feed_id
    where e.{column} = :story and (f.private = 0
        or exists (select 1 from feed_chats where feed_id = f.id and chat_id = :chat))
    order by e.id limit 200
"""
_UNCOUNTED = 10  # articles of a story that an explanation names
_KNOWN = """
    select s.*, (
        select json_group_array(chat_id) from routes join chats c on c.id = chat_id
        where subscription_id = s.id and c.allowed = 1
    ) as chats
    from subscriptions s where removed_at is null and (cast(:chat as integer) is null or exists (
        select 1 from routes where subscription_id = s.id and chat_id = :chat
    )) order by s.id
"""


def facts_of(db: Database, row: Any, now: datetime) -> EntryFacts:
    """Return an entry, of whose columns and feed `row` is, and what happened to it."""
    return EntryFacts(
        stored_entry(row),
        tuple(_alerts(db, row, _OF_ENTRY, now).values()),
        _revisions(db, row["id"]),
        _records(db, row["id"]),
        row["id"] > meta.read_number(db, MetaName.RECORDED_AFTER),
        get_story_ids(row),
        page_facts.fact_of(db, row["id"]),
        get_time(row["withdrawn_at"]),
        _updates(db, row, now),
    )


def stored_entry(row: Any) -> StoredEntry:
    """Return an entry as queries look at it."""
    return StoredEntry(
        id=row["id"],
        story_id=row["story_id"],
        article=get_article(row),
        published=get_time(row["published"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        silent=Silence(row["silent"]) if row["silent"] else None,
        strict_id=row["strict_id"],
        storyline_id=row["storyline_id"],
    )


def known_subscriptions(db: Database, chat_id: int | None = None) -> list[KnownSubscription]:
    """Return the subscriptions that are not removed, with how they read before.

    Those of a chat alone, where one is given.
    """
    rows = db.execute(_KNOWN, {"chat": chat_id}).fetchall()
    versions = subscription_versions.versions_of(db, [row["id"] for row in rows])
    return [
        KnownSubscription(
            row["id"],
            row["name"],
            row["query"],
            tuple(json.loads(row["feeds"])),
            tuple(sorted(json.loads(row["chats"]))),
            bool(row["paused"]),
            sure_time(row["created_at"]),
            get_alert_options(row),
            versions.get(row["id"], ()),
        )
        for row in rows
    ]


def _records(db: Database, entry_id: int) -> tuple[EntryRecord, ...]:
    rows = db.execute("select * from match_records where entry_id = ?", [entry_id]).fetchall()
    return tuple(
        EntryRecord(row["chat_id"], row["subscription_id"], Fate(row["fate"]), row["leader"])
        for row in rows
    )


def _revisions(db: Database, entry_id: int) -> tuple[tuple[datetime, str], ...]:
    """When an entry's words changed, each with the headline before."""
    rows = db.execute("select at, title from revisions where entry_id = ?", [entry_id]).fetchall()
    return tuple((sure_time(row["at"]), row["title"]) for row in rows)


def _updates(db: Database, entry: Any, now: datetime) -> tuple[UpdateFact, ...]:
    """The changes of an entry that had alerted, and how its chats heard of each."""
    rows = db.execute(_UPDATES, [entry["id"]]).fetchall()
    replies = _alerts(db, entry, _REPLIES, now) if rows else {}
    return tuple(
        UpdateFact(
            row["chat_id"],
            ChangeKind(row["kind"]),
            sure_time(row["at"]),
            UpdateFate(row["fate"]),
            replies.get((row["chat_id"], row["reply"])),
        )
        for row in rows
    )


def _alerts(
    db: Database, entry: Any, chosen: str, now: datetime
) -> Mapping[tuple[int, int], AlertFact]:
    """Chosen alerts that concern an entry, each with its last delivery; its own come last."""
    values = {
        "entry": entry["id"],
        "strict": entry["strict_id"],
        "story": entry["story_id"],
        "storyline": entry["storyline_id"],
    }
    latest: dict[tuple[int, int], Any] = {}
    for row in db.execute(_ALERTS.format(chosen=chosen), values).fetchall():
        key = row["chat_id"], row["story_id"]
        if row["state"] is not None or key not in latest:
            latest[key] = row
    rows = list(latest.values())
    waits = read_waits(db, [row["delivery"] for row in rows if row["delivery"]], now)
    named = {number for row in rows for number, _ in json.loads(row["matched"])}
    removed = _removed(db, sorted(named))
    return {
        key: _alert(db, row, waits.get(row["delivery"]), removed) for key, row in latest.items()
    }


def _removed(db: Database, numbers: Sequence[int]) -> Mapping[int, tuple[str, datetime]]:
    rows = db.execute(_REMOVED.format(marks=marks(numbers)), numbers).fetchall()
    return {row["id"]: (row["name"], sure_time(row["removed_at"])) for row in rows}


def _alert(
    db: Database, row: Any, wait: Wait | None, removed: Mapping[int, tuple[str, datetime]]
) -> AlertFact:
    matches = dict(json.loads(row["matched"]))
    chat, grouping = row["chat_id"], Grouping(row["grouping"])
    story = row["story_id"] if row["merged_into"] is None else row["merged_into"]
    pending = bool(row["held"])
    return AlertFact(
        chat_id=chat,
        entry_id=row["entry_id"],
        title=row["title"] or "",
        created_at=sure_time(row["created_at"]),
        state=DeliveryState(row["state"]) if row["state"] else None,
        error=row["error"] or "",
        settled_at=get_time(row["settled_at"]),
        arrived=row["message_id"] is not None,
        matches=matches,
        message_id=row["message_id"],
        wait=wait,
        pending=pending,
        due_at=get_time(row["due_at"]),
        note=row["note_of"] is not None,
        followed=bool(row["followed"]),
        publishers=count_publishers(db, chat, grouping, story) if pending else 1,
        uncounted=_uncounted(db, chat, grouping, story) if pending else (),
        again_at=get_time(row["again_at"]),
        muted=bool(row["muted"]),
        removed={number: removed[number] for number in matches if number in removed},
    )


def _uncounted(
    db: Database, chat: int, grouping: Grouping, story: int
) -> tuple[UncountedEntry, ...]:
    statement = _STORY.format(column=STORY_COLUMNS[grouping], confirms=confirms(grouping, "e."))
    counted: set[str] = set()
    uncounted: list[UncountedEntry] = []
    for row in db.execute(statement, {"story": story, "chat": chat}).fetchall():
        if not row["confirms"]:
            uncounted.append(UncountedEntry(row["id"], row["title"]))
        elif row["origin"] in counted:
            uncounted.append(UncountedEntry(row["id"], row["title"], row["counts_for"]))
        else:
            counted.add(row["origin"])
    return tuple(uncounted[:_UNCOUNTED])
