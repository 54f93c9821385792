"""Stored moments that a changed clock would make wrong: what waits, and what is measured from.

A wait ends as long after the change as it would have ended without it, and never later than could
have been asked for; so a clock that was ahead stops nothing once it is right. What happened stays
as it was stored, except where a decision measures the time since then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.options import LONGEST_WAIT as LONGEST_ALERT_WAIT
from bot.feeds import poll_schedule
from bot.model.clock import ClockStep
from bot.store.chat_changes import CONFIRM_WITHIN
from bot.store.engines.engine import Database
from bot.store.mappers import put_time, sure_time
from bot.store.sql import IS_QUEUED

FEED_LEASE = timedelta(minutes=3)
LONGEST_RETRY = timedelta(days=1)  #: what a chat, or a delivery in it, can have to wait
_DOUBT = timedelta(days=1)  # by which a wait has to be too long to say that the clock was ahead
_UNLIMITED = timedelta(days=40_000)  # links without an end


@dataclass(frozen=True, slots=True)
class _Wait:
    """A column with the end of a wait."""

    table: str
    column: str
    longest: timedelta
    where: str = "true"  # rows that wait, in the words of their index


_WAITS = (
    _Wait("feeds", "lease_until", FEED_LEASE),
    _Wait("hosts", "not_before", poll_schedule.LONGEST_WAIT),
    _Wait("chats", "not_before", LONGEST_RETRY),
    _Wait("outbox", "not_before", LONGEST_RETRY, IS_QUEUED),
    _Wait("alerts", "due_at", LONGEST_ALERT_WAIT, "held = 1"),
    _Wait("pending", "expires_at", CONFIRM_WITHIN),
    _Wait("claims", "expires_at", _UNLIMITED),
    _Wait("web_tokens", "expires_at", _UNLIMITED),
)
#: columns from which the time until now is measured
_SINCE = (
    ("feeds", "last_poll_at", "true"),
    ("feeds", "last_ok_at", "true"),
    ("feeds", "failing_since", "true"),
    ("feeds", "full_at", "true"),
    ("feeds", "news_at", "true"),
    ("feeds", "rhythm_at", "true"),
    ("hosts", "since", "true"),
    ("hosts", "asked_at", "true"),
    ("stances", "moved_at", "true"),
    ("screens", "touched_at", "true"),
    ("feed_chats", "at", "true"),
    ("outbox", "doubted_at", IS_QUEUED),
)
#: the primary keys of these tables
_KEYS = {
    "feeds": "id",
    "hosts": "host",
    "chats": "id",
    "outbox": "id",
    "alerts": "chat_id, story_id",
    "pending": "chat_id",
    "claims": "token_hash",
    "web_tokens": "token_hash",
    "stances": "chat_id, storyline_id",
    "screens": "id",
    "feed_chats": "feed_id, chat_id",
}
_OWN_REASONS = (
    "",
    poll_schedule.EVERY,
    poll_schedule.AS_PUBLISHED,
)  # nobody asked for the interval
_NEXT_POLLS = """
    select id, next_poll_at, interval, reason, failures from feeds
    where active = 1 and next_poll_at > ?
"""


def correct(db: Database, step: ClockStep) -> int:
    """Correct the stored moments; return how many waits would have lasted too long.

    With a step of no span, only waits that are longer than could have been asked for, of which
    those count that were longer by more than a day: another version may have planned the others.
    """
    count = _correct_polls(db, step) + sum(_correct_wait(db, wait, step) for wait in _WAITS)
    if step.span:
        for table, column, where in _SINCE:
            _change(db, (table, column, f"{where} and {column} > ''"), [], step.happened_at)
        # Quiet hours and digests are times of the day, and are decided anew.
        db.execute("update chats set hours_at = ''")
    return count


def _correct_polls(db: Database, step: ClockStep) -> int:
    """A feed is polled as planned; at once where the clock was set back, for what was missed."""
    rows = db.execute(_NEXT_POLLS, [put_time(min(step.now, step.before))]).fetchall()
    changes: list[tuple[str | None, int]] = []
    count = 0
    for row in rows:
        longest = poll_schedule.longest_wait(timedelta(seconds=row["interval"]), row["reason"])
        if step.span < timedelta(0) and not row["failures"] and row["reason"] in _OWN_REASONS:
            longest = timedelta(0)
        planned = sure_time(row["next_poll_at"])
        moment = put_time(step.waited_until(planned, longest))
        if moment == row["next_poll_at"]:
            continue
        is_ahead = not step.span and planned > step.now + longest + _DOUBT and row["interval"] > 0
        count += is_ahead or bool(step.span)
        # Where a clock that was ahead planned it, nobody knows for when.
        changes.append((put_time(step.now) if is_ahead else moment, row["id"]))
    db.executemany("update feeds set next_poll_at = ? where id = ?", changes)
    return count


def _correct_wait(db: Database, wait: _Wait, step: ClockStep) -> int:
    edge = min(step.now, step.before)  # what had ended before has ended now
    ahead = db.execute(
        f"select count(*) from {wait.table} where {wait.where} and {wait.column} > ?",
        [put_time(step.now + wait.longest + _DOUBT)],
    ).fetchone()[0]
    waiting = f"{wait.where} and {wait.column} > ?"
    corrected = _change(
        db,
        (wait.table, wait.column, waiting),
        [put_time(edge)],
        lambda moment: step.waited_until(moment, wait.longest),
    )
    return corrected if step.span else int(ahead)


def _change(
    db: Database,
    of: tuple[str, str, str],
    values: list[Any],
    change: Callable[[datetime], datetime],
) -> int:
    """Change the moments of a column, where a condition with `values` holds; return how many.

    `of`: the table, the column, the condition.
    """
    table, column, where = of
    keys = _KEYS[table]
    rows = db.execute(f"select {column}, {keys} from {table} where {where}", values).fetchall()
    changed = [(put_time(change(sure_time(row[0]))), row) for row in rows]
    changes = [(moment, *tuple(row)[1:]) for moment, row in changed if moment != row[0]]
    same = " and ".join(f"{key} = ?" for key in keys.split(", "))
    db.executemany(f"update {table} set {column} = ? where {same}", changes)
    return len(changes)
