"""The sizes that SQLite plans statements for: those of a newsroom's year, in every database.

SQLite would measure its tables now and then, and choose other plans as they grow: a statement that
was fast for months could read a whole table one day. With fixed statistics a database has the same
plans from its first day on, and a test looks at each of them. Decides nothing else.
"""

from collections.abc import Iterator
from typing import Any

from bot.store.engines.engine import Database

#: rows of a newsroom's year by table: 30 chats with digests, 550 alerts a day
ROWS = {
    "entries": 1_000_000,
    "revisions": 300_000,
    "bodies": 300_000,
    "features": 100_000,
    "pages": 200_000,
    "joins": 600_000,
    "merges": 15_000,
    "alerts": 200_000,
    "alert_matches": 300_000,
    "match_records": 500_000,
    "update_records": 20_000,
    "outbox": 60_000,
    "outbox_alerts": 70_000,
    "searched_again": 100_000,
    "unsearched": 2_000,
    "screens": 20_000,
    "verdicts": 5_000,
    "stances": 500,
    "feeds": 1_000,
    "documents": 1_000,
    "feed_chats": 300,
    "hosts": 20,
    "chats": 40,
    "people": 60,
    "subscriptions": 400,
    "forecasts": 400,
    "subscription_versions": 2_000,
    "routes": 500,
    "chat_numbers": 500,
    "message_references": 2_000,
    "claims": 500,
    "web_tokens": 300,
    "hubs": 100,
    "links": 10,
    "pending": 2,
    "nodes": 5,
    "handed_over": 100,
    "requests": 5,
    "meta": 10,
}
#: how many rows of a table share a value of these columns, where a few of an index are given
SHARED = {
    ("alerts", "chat_id"): 6_667,
    ("alert_matches", "chat_id"): 10_000,
    ("outbox", "chat_id"): 2_000,
    ("outbox_alerts", "chat_id"): 2_300,
    ("entries", "feed_id"): 1_000,
    ("alert_matches", "subscription_id"): 750,
    ("subscription_versions", "subscription_id"): 5,
    ("outbox", "state"): 20_000,
}
#: rows that partial indexes hold; all others hold those of their table
PARTIAL = {
    "outbox_queue": 600,
    "outbox_tried": 20,
    "outbox_expiring": 100,
    "outbox_screen": 8_000,
    "outbox_message": 55_000,
    "alerts_due": 50,
    "alerts_pending": 5_000,
    "alerts_taken": 2_000,
    "alerts_message": 195_000,
    "alerts_merged": 4_000,
    "entries_absent": 250_000,
    "entries_article": 300_000,
    "subscriptions_removed": 10,
    "feeds_stopped": 20,
    "pages_waiting": 200,
    "pages_settled": 199_000,
    "feeds_returned": 1,
    "feeds_leased": 100,
    "feeds_polled": 100,
    "feeds_moved": 10,
    "chats_acting": 3,
    "screens_expecting": 5,
}


def keep(db: Database) -> None:
    """Write the statistics where they are not the same yet, and let SQLite use them."""
    rows = set(_statistics(db))
    known = db.execute("select 1 from sqlite_schema where name = 'sqlite_stat1'").fetchone()
    if known is None:
        db.execute("analyze meta")  # creates the table
    stored = db.execute("select tbl, idx, stat from sqlite_stat1").fetchall()
    if {tuple(row) for row in stored} == rows:
        return
    with db.atomic():
        db.execute("delete from sqlite_stat1")
        db.executemany("insert into sqlite_stat1 values (?, ?, ?)", sorted(rows, key=str))
    db.execute("analyze sqlite_schema")


def _statistics(db: Database) -> Iterator[tuple[str, str | None, str]]:
    """Rows of `sqlite_stat1` for `ROWS`."""
    for table, rows in ROWS.items():
        indexes = db.execute(f"pragma index_list({table})").fetchall()
        if not indexes:
            yield table, None, str(rows)
        for index in indexes:
            name = table if index["origin"] == "pk" else index["name"]
            yield table, name, " ".join(map(str, shares(db, table, index)))


def shares(db: Database, table: str, index: Any) -> list[int]:
    """Return the rows of an index, and how many share its first column, its first two, and so on.

    `index` is a row of `pragma index_list`.
    """
    columns = db.execute(f"pragma index_info({index['name']})").fetchall()
    rows = PARTIAL.get(index["name"], ROWS[table])
    shared = SHARED.get((table, columns[0]["name"]), 2) * rows // ROWS[table]
    first = min(rows, max(1, shared))
    numbers = [rows, first, *(min(2, first) for _ in columns[1:])]
    if index["unique"]:
        numbers[-1] = 1
    return numbers
