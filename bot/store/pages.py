"""The pages of articles that are read for their text: which wait, which were read, and why not.

One row an entry, claimed like a feed, so that a kill loses none. The text of a page is not kept:
its terms are, which tell what words it has and not in which order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.model.feeds import FeedDue
from bot.model.pages import (
    PageCommit,
    PageDue,
    PageFailure,
    PageRequest,
    PageState,
)
from bot.store import alert_updates, bodies, poll_writes
from bot.store.engines.engine import Database, Writer
from bot.store.feed_rows import read_feeds
from bot.store.mappers import get_categories, get_known, put_time
from bot.store.page_facts import COUNT_WAITING
from bot.store.page_terms import pack_terms
from bot.store.sql import literal

MOST_WAITING = 2_000  #: pages that wait; further ones are given up at once
TRIES = 3  #: of a page of which nothing was asked yet, or during which newsbell ended
LEASE = timedelta(minutes=5)  #: of a claimed page
PAUSE = timedelta(minutes=10)  #: until a page is tried again
_WAITING = literal(PageState.WAITING)
_ADD = """
    insert into pages (entry_id, link, link_key, state, next_at, at, failure)
    values (?, ?, ?, ?, ?, ?, ?)
    on conflict do nothing
"""
_DUE = f"""
    select p.entry_id, p.link as page, p.link_key as page_key, p.tries, e.*, {bodies.PACKED}
    from pages p join entries e on e.id = p.entry_id
    where p.state = {_WAITING} and p.next_at <= ? order by p.next_at limit ?
"""
_OF_ENTRY = f"""
    select p.entry_id, p.link as page, p.link_key as page_key, p.tries, e.*, {bodies.PACKED}
    from pages p join entries e on e.id = p.entry_id
    where p.state = {_WAITING} and p.entry_id = ?
"""
_CLAIM = "update pages set next_at = ?, tries = tries + 1 where entry_id = ?"
_TRY_AGAIN = f"update pages set next_at = ? where entry_id = ? and state = {_WAITING}"
_SETTLE = f"""
    update pages set state = ?, at = ?, failure = ?, terms = ?
    where entry_id = ? and state = {_WAITING}
"""


class PageTables:
    """Implements `ports.PageStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def claim(self, now: datetime, limit: int) -> list[PageDue]:
        """Claim the next pages that are due."""
        return await self._writer.run("claim pages", lambda db: _claim(db, now, limit))

    async def current(self, due: PageDue) -> PageDue | None:
        """Return a claimed page with its entry as it is now; None where it does not wait."""

        def work(db: Database) -> PageDue | None:
            row = db.execute(_OF_ENTRY, [due.known.id]).fetchone()
            return _due(row, {due.feed.id: due.feed}) if row else None

        return await self._writer.run("read a page", work)

    async def commit(self, commit: PageCommit, now: datetime) -> bool:
        """Keep what came of a page; return whether it was still waiting."""

        def work(db: Database) -> bool:
            failure, terms = commit.failure or "", pack_terms(commit.terms)
            values = [commit.state, put_time(now), failure, terms, commit.entry_id]
            if not db.execute(_SETTLE, values).rowcount:
                return False
            poll_writes.apply_alerts(db, commit, now)
            if commit.withdrawn:
                alert_updates.withdraw(db, commit.entry_id, now)
            alert_updates.tell(db, commit.updates, now)
            if commit.terms:
                poll_writes.search_again(db, commit.entry_id, now)
            return True

        return await self._writer.run("keep what a page brought", work)

    async def try_again(self, entry_id: int, now: datetime) -> None:
        """Let a page of which nothing was asked wait for another try."""
        at = put_time(now + PAUSE)
        await self._writer.run("keep a page", lambda db: db.execute(_TRY_AGAIN, [at, entry_id]))


def add(db: Database, requests: Sequence[PageRequest], now: datetime) -> None:
    """Let pages wait to be read, one for each entry: other feeds may alert other chats of it."""
    if not requests:
        return
    at = put_time(now)
    waiting = db.execute(COUNT_WAITING).fetchone()[0]
    for request in requests:
        is_free = waiting < MOST_WAITING
        state = PageState.WAITING if is_free else PageState.FAILED
        failure = "" if is_free else PageFailure.TOO_MANY
        row = [request.entry_id, request.link, request.link_key, state, at]
        given_up = None if is_free else at
        db.execute(_ADD, [*row, given_up, failure])
        waiting += is_free


def _claim(db: Database, now: datetime, limit: int) -> list[PageDue]:
    rows = db.execute(_DUE, [put_time(now), limit]).fetchall()
    until = put_time(now + LEASE)
    given_up = [row for row in rows if row["tries"] >= TRIES]
    for row in given_up:
        values = [PageState.FAILED, put_time(now), PageFailure.NO_ANSWER, b"", row["entry_id"]]
        db.execute(_SETTLE, values)
    claimed = [row for row in rows if row["tries"] < TRIES]
    db.executemany(_CLAIM, [(until, row["entry_id"]) for row in claimed])
    feeds = {feed.id: feed for feed in read_feeds(db, {row["feed_id"] for row in claimed})}
    return [_due(row, feeds) for row in claimed if row["feed_id"] in feeds]


def _due(row: Any, feeds: Mapping[int, FeedDue]) -> PageDue:
    known = get_known(row)
    return PageDue(
        known=bodies.with_body(known, row["packed"]),
        link=row["page"],
        link_key=row["page_key"],
        feed=feeds[row["feed_id"]],
        language=row["language"],
        author=row["author"],
        source=row["source"],
        categories=get_categories(row["categories"]),
        tries=row["tries"],
    )
