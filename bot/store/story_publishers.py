"""Whom the entries of stories count for, as each chat sees it. Reads only.

What a feed brought that other chats added is nothing that a chat sees, and its publisher none that
it counts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.model.alerts import StoryOrigin
from bot.model.poll import AffectedStories
from bot.model.stories import Grouping
from bot.store.engines.engine import Database
from bot.store.sql import STORY_COLUMNS, confirms, marks

_CHUNK = 400  # values of one `in (...)`

# `private` is the feed, where only the chats that added it see its entries.
_ORIGINS = """
    select e.{column} as story, e.origin, case when f.private = 1 then f.id end as private
    from entries e join feeds f on f.id = e.feed_id
    where e.{column} in ({marks}) and ({confirms}) group by 1, 2, 3
"""
_READERS = "select feed_id, chat_id from feed_chats where feed_id in ({marks})"
_COUNT = """
    select count(distinct e.origin) from entries e join feeds f on f.id = e.feed_id
    where e.{column} = :story and ({confirms}) and (f.private = 0
        or exists (select 1 from feed_chats where feed_id = f.id and chat_id = :chat))
"""


def chunks(values: Iterable[int]) -> Iterable[list[int]]:
    """Return the values in order, in lists that a statement takes."""
    ordered = sorted(set(values))
    return (ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK))


def count_publishers(db: Database, chat_id: int, grouping: Grouping, story: int) -> int:
    """Return how many independent publishers of a story a chat counts."""
    statement = _COUNT.format(column=STORY_COLUMNS[grouping], confirms=confirms(grouping, "e."))
    return int(db.execute(statement, {"story": story, "chat": chat_id}).fetchone()[0])


def origins_of(
    db: Database, affected: AffectedStories
) -> Mapping[tuple[Grouping, int], frozenset[StoryOrigin]]:
    """Return whom the entries of these stories count for, by level and story."""
    rows: list[tuple[Grouping, Any]] = []
    for level, column in STORY_COLUMNS.items():
        for numbers in chunks(story_ids.at(level) for story_ids in affected.story_ids):
            statement = _ORIGINS.format(
                column=column, marks=marks(numbers), confirms=confirms(level, "e.")
            )
            rows += ((level, row) for row in db.execute(statement, numbers).fetchall())
    readers: dict[int, set[int]] = {row["private"]: set() for _, row in rows if row["private"]}
    for feeds in chunks(readers):
        for row in db.execute(_READERS.format(marks=marks(feeds)), feeds).fetchall():
            readers[row["feed_id"]].add(row["chat_id"])
    chats = {feed: frozenset(numbers) for feed, numbers in readers.items()}
    origins: dict[tuple[Grouping, int], set[StoryOrigin]] = {}
    for level, row in rows:
        origin = StoryOrigin(row["origin"], chats.get(row["private"]))
        origins.setdefault((level, row["story"]), set()).add(origin)
    return {story: frozenset(items) for story, items in origins.items()}
