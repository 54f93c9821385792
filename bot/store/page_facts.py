"""What became of the pages of articles: how many wait, were read, failed. Reads only."""

from datetime import datetime

from bot.model.pages import PageCounts, PageFact, PageFailure, PageState
from bot.store.engines.engine import Database
from bot.store.mappers import get_time, put_time
from bot.store.sql import literal

COUNT_WAITING = f"select count(*) from pages where state = {literal(PageState.WAITING)}"
_SETTLED = "select failure, count(*) as number from pages where at > ? group by failure"
_FACT = "select state, at, failure from pages where entry_id = ?"


def counts(db: Database, since: datetime) -> PageCounts:
    """Return how many pages wait, and what became of those since then."""
    waiting = db.execute(COUNT_WAITING).fetchone()[0]
    rows = db.execute(_SETTLED, [put_time(since)]).fetchall()
    failed = {PageFailure(row["failure"]): row["number"] for row in rows if row["failure"]}
    return PageCounts(waiting, sum(row["number"] for row in rows if not row["failure"]), failed)


def fact_of(db: Database, entry_id: int) -> PageFact | None:
    """Return what became of the page of an entry; None where none was asked for."""
    row = db.execute(_FACT, [entry_id]).fetchone()
    if row is None:
        return None
    failure = PageFailure(row["failure"]) if row["failure"] else None
    return PageFact(PageState(row["state"]), get_time(row["at"]), failure)
