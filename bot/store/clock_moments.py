"""Stored moments that a changed clock would make wrong: what waits, and what is measured from.

A wait ends as long after the change as it would have ended without it, and never later than could
have been asked for; so a clock that was ahead stops nothing once it is right. What happened stays
as it was stored, except where a decision measures the time since then.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.alerts.options import LONGEST_WAIT as LONGEST_ALERT_WAIT
from bot.feeds import poll_schedule
from bot.model.clock import ClockStep
from bot.store.chat_changes import CONFIRM_WITHIN
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
    where: str = "1"  # rows that wait, in the words of their index


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
    ("feeds", "last_poll_at", "1"),
    ("feeds", "last_ok_at", "1"),
    ("feeds", "failing_since", "1"),
    ("feeds", "full_at", "1"),
    ("feeds", "news_at", "1"),
    ("feeds", "rhythm_at", "1"),
    ("hosts", "since", "1"),
    ("hosts", "asked_at", "1"),
    ("stances", "moved_at", "1"),
    ("screens", "touched_at", "1"),
    ("feed_chats", "at", "1"),
    ("outbox", "doubted_at", IS_QUEUED),
)
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
        _define(db, "happened", step.happened_at)
        for table, column, where in _SINCE:
            db.execute(
                f"update {table} set {column} = happened({column}) where {where} and {column} > ''"
            )
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
    db.conn.executemany("update feeds set next_poll_at = ? where id = ?", changes)
    return count


def _correct_wait(db: Database, wait: _Wait, step: ClockStep) -> int:
    _define(db, "waited", lambda moment: step.waited_until(moment, wait.longest))
    edge = min(step.now, step.before)  # what had ended before has ended now
    ahead = db.execute(
        f"select count(*) from {wait.table} where {wait.where} and {wait.column} > ?",
        [put_time(step.now + wait.longest + _DOUBT)],
    ).fetchone()[0]
    corrected = db.execute(
        f"update {wait.table} set {wait.column} = waited({wait.column}) "
        f"where {wait.where} and {wait.column} > ? and {wait.column} != waited({wait.column})",
        [put_time(edge)],
    ).rowcount
    return corrected if step.span else int(ahead)


def _define(db: Database, name: str, change: Callable[[datetime], datetime]) -> None:
    """Let SQL call a function of a moment."""
    connection: sqlite3.Connection = db.conn

    def changed(text: str) -> str | None:
        return put_time(change(sure_time(text)))

    connection.create_function(name, 1, changed)
