"""The feeds of a chat in parts, for pages: found by a word, or those in trouble. Reads only.

Names and addresses of all of them are read, which are short, and the state of those that are shown.
"""

from dataclasses import replace
from typing import Any

from bot.model.status import FeedList, FeedQuestion, FeedStatus
from bot.store.engines.engine import Database
from bot.store.mappers import get_feed, get_time
from bot.store.sql import IS_QUEUED, IS_SENDING, marks
from bot.text.fold import fold

# What a chat calls a feed that it added is its own name.
_OWN = """
    select f.id, f.url, f.failures > 0 as failing, f.stopped, f.seconds, f.next_poll_at,
        case when f.declared = 1 then f.name else coalesce(nullif(c.name, ''), f.name) end as name
    from feeds f left join feed_chats c on c.feed_id = f.id and c.chat_id = :chat
    where f.active = 1
    and (cast(:chat as integer) is null or f.declared = 1 or c.chat_id is not null)
"""
_STATES = """
    select feeds.*, (select not_before from hosts where hosts.host = feeds.host) as host_not_before
    from feeds where id in ({marks})
"""
_QUEUED = f"""
    select (select count(*) from outbox where chat_id = :chat and {IS_QUEUED})
        + (select count(*) from outbox where chat_id = :chat and {IS_SENDING})
"""


def feed_list(db: Database, chat_id: int | None, question: FeedQuestion) -> FeedList:
    """Return the feeds that are asked for, failing ones first; None: of all chats."""
    rows = db.execute(_OWN, {"chat": chat_id}).fetchall()
    word = fold(question.word)
    matching = sorted(
        (row for row in rows if _fits(row, question, word)),
        key=lambda row: (not row["failing"], row["name"].casefold(), row["id"]),
    )
    shown = matching[question.skip : question.skip + question.limit]
    numbers = [row["id"] for row in shown]
    names = {row["id"]: row["name"] for row in shown}
    states = {
        row["id"]: replace(feed_status(row), name=names[row["id"]])
        for row in db.execute(_STATES.format(marks=marks(numbers)), numbers).fetchall()
    }
    next_poll = min((row["next_poll_at"] for row in rows), default=None)
    feeds = tuple(states[number] for number in numbers)
    return FeedList(feeds, len(matching), len(rows), get_time(next_poll))


def _fits(row: Any, question: FeedQuestion, word: str) -> bool:
    if question.number is not None:
        return bool(row["id"] == question.number)
    if question.slow_from is not None:
        return bool(row["failing"] or row["stopped"] or row["seconds"] >= question.slow_from)
    return word in fold(f"{row['name']} {row['url']}")


def feed_status(row: Any) -> FeedStatus:
    """Return a feed as the operator sees it; the row has when its host may be asked."""
    feed = get_feed(row)
    state, free_at = feed.state, get_time(row["host_not_before"])
    if free_at and free_at > state.next_poll_at:
        state = replace(state, next_poll_at=free_at)
    return FeedStatus(feed.url, feed.name, feed.every, state, row["stored"], feed.id, row["host"])


def queued(db: Database, chat_id: int) -> int:
    """Return how many deliveries of a chat are queued or being sent."""
    return int(db.execute(_QUEUED, {"chat": chat_id}).fetchone()[0])
