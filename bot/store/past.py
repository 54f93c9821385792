"""What stored entries show of the past, for forecasts: stories, and what each feed is known of.

Reads only, on the connection of a search. `readable` is the condition for feeds `f` that the reader
may see.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from bot.model.archive import ArrivalFacts, FeedPast, StoryMember
from bot.model.entries import Silence
from bot.model.stories import Grouping
from bot.store.engines.engine import Database
from bot.store.mappers import get_story_ids, get_time, put_time, sure_time
from bot.store.sql import STORY_COLUMNS, literal, literals, marks
from bot.store.story_publishers import chunks

LONGEST_LAG = 0.25  #: days after its date from which an entry's delay counts as no longer
# Of the first fetch and of archives, whatever has a date is older than newsbell's watching.
_LIVE = f"e.silent not in {literals(Silence.BASELINE, Silence.ARCHIVE)}"
_MEMBERS = """
    select e.id, e.strict_id, e.story_id, e.storyline_id, e.origin, e.confirms, e.title,
        e.published, e.first_seen_at, e.silent, f.url
    from entries e join feeds f on f.id = e.feed_id
    where e.{column} in ({marks}) and {readable} order by e.id
"""
_POLLED = """
    select f.id, f.url, f.name, f.tags, f.baseline_at from feeds f
    where f.active = 1 and f.baseline_at is not null and {readable}
"""
_WATCHED = f"""
    select feed_id, count(*) from entries e indexed by entries_seen
    where first_seen_at >= ? and {_LIVE} group by feed_id
"""
_SHOWN = f"""
    select e.feed_id, e.published from feeds f
    join entries e indexed by entries_seen on e.feed_id = f.id and e.first_seen_at >= :since
    where f.baseline_at >= :since and e.silent = {literal(Silence.BASELINE)}
"""
_HOURS = f"""
    select substr(first_seen_at, 1, 13) as hour, count(*) as entries, count(published) as dated,
        total(min(max(julianday(first_seen_at) - julianday(published), 0), {LONGEST_LAG})) as lag
    from entries e indexed by entries_seen join feeds f on f.id = e.feed_id
    where first_seen_at >= ? and {_LIVE} and {{readable}} group by 1
"""


def members(
    db: Database, readable: str, grouping: Grouping, stories: Collection[int]
) -> list[StoryMember]:
    """Return all entries of these stories, in the order in which they came."""
    column, entries = STORY_COLUMNS[grouping], []
    for numbers in chunks(stories):
        statement = _MEMBERS.format(column=column, marks=marks(numbers), readable=readable)
        entries += [_member(row) for row in db.execute(statement, numbers)]
    return sorted(entries, key=lambda member: member.id)


def feed_pasts(db: Database, readable: str, since: datetime) -> list[FeedPast]:
    """Return what is known of the past of each feed that is polled, since then."""
    moment = put_time(since)
    watched = dict(db.execute(_WATCHED, [moment]).fetchall())
    shown: dict[int, list[datetime | None]] = {}
    for row in db.execute(_SHOWN, {"since": moment}):
        shown.setdefault(row["feed_id"], []).append(get_time(row["published"]))
    return [
        FeedPast(
            row["url"],
            row["name"],
            tuple(json.loads(row["tags"])),
            sure_time(row["baseline_at"]),
            watched.get(row["id"], 0),
            tuple(date for date in shown.get(row["id"], ()) if date),
            sum(date is None for date in shown.get(row["id"], ())),
        )
        for row in db.execute(_POLLED.format(readable=readable)).fetchall()
    ]


def arrivals(db: Database, readable: str, since: datetime) -> ArrivalFacts:
    """Return when entries came since then, those of first fetches aside."""
    moment = put_time(since)
    rows = db.execute(_HOURS.format(readable=readable), [moment]).fetchall()
    dated = sum(row["dated"] for row in rows)
    return ArrivalFacts(
        tuple((sure_time(f"{row['hour']}:00:00+00:00"), row["entries"]) for row in rows),
        timedelta(days=sum(row["lag"] for row in rows) / (dated or 1)),
    )


def _member(row: Any) -> StoryMember:
    return StoryMember(
        id=row["id"],
        story_ids=get_story_ids(row),
        feed=row["url"],
        origin=row["origin"],
        confirms=bool(row["confirms"]),
        title=row["title"],
        published=get_time(row["published"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        silent=Silence(row["silent"]) if row["silent"] else None,
    )
