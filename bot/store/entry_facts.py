"""What happened to an entry: its revisions, and the alerts of its story. Reads only."""

import json
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.model.archive import AlertFact
from bot.model.delivery import DeliveryState
from bot.model.stories import Grouping
from bot.store.mappers import get_time, sure_time
from bot.store.sql import ALERT, literal, marks

# An alert of the entry's story at the level of the alert. Of an alert that was superseded by
# another, only where it was this entry's; that of this entry, and its last delivery, come last.
_ALERTS = f"""
    select a.chat_id, a.entry_id, a.created_at, a.message_id, a.held, a.due_at,
        a.note_of,
        o.state, o.error, o.settled_at,
        (select json_group_array(subscription_id) from alert_matches m
            where m.chat_id = a.chat_id and m.story_id = a.story_id) as matched
    from alerts a
    left join outbox_alerts oa on oa.chat_id = a.chat_id and oa.story_id = a.story_id
    left join outbox o on o.id = oa.outbox_id and o.kind = {ALERT}
    where coalesce(a.merged_into, a.story_id) in (:strict, :story, :storyline)
        and (a.entry_id = :entry or a.merged_into is null)
        and coalesce(a.merged_into, a.story_id) = case a.grouping
            when {literal(Grouping.STRICT)} then :strict
            when {literal(Grouping.LOOSE)} then :storyline
            else :story end
    order by a.chat_id, a.entry_id = :entry, o.id
"""


def alerts_of(db: Database, entry: Any) -> tuple[AlertFact, ...]:
    """Return the alert of an entry's story in each chat."""
    values = {
        "entry": entry["id"],
        "strict": entry["strict_id"],
        "story": entry["story_id"],
        "storyline": entry["storyline_id"],
    }
    rows = db.execute(_ALERTS, values).fetchall()
    entries = sorted({row["entry_id"] for row in rows})
    titles: dict[int, str] = dict(
        db.execute(
            f"select id, title from entries where id in ({marks(entries)})", entries
        ).fetchall()
    )
    latest: dict[int, AlertFact] = {}
    for row in rows:
        if row["state"] is not None or row["chat_id"] not in latest:
            latest[row["chat_id"]] = _alert(row, titles.get(row["entry_id"], ""))
    return tuple(latest.values())


def _alert(row: Any, title: str) -> AlertFact:
    return AlertFact(
        chat_id=row["chat_id"],
        entry_id=row["entry_id"],
        title=title,
        created_at=sure_time(row["created_at"]),
        state=DeliveryState(row["state"]) if row["state"] else None,
        error=row["error"] or "",
        settled_at=get_time(row["settled_at"]),
        arrived=row["message_id"] is not None,
        subscriptions=frozenset(json.loads(row["matched"])),
        pending=bool(row["held"]),
        due_at=get_time(row["due_at"]),
        note=row["note_of"] is not None,
    )


def revisions_of(db: Database, entry_id: int) -> tuple[tuple[datetime, str], ...]:
    """Return when an entry's words changed, each with the headline before."""
    rows = db.execute("select at, title from revisions where entry_id = ?", [entry_id]).fetchall()
    return tuple((sure_time(row["at"]), row["title"]) for row in rows)
