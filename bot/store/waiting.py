"""Read why queued deliveries wait. Decides nothing (`alerts.waiting` does), changes nothing."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from bot.alerts.waiting import wait_of
from bot.model.alerts import BundleKind, Priority
from bot.model.delivery import DeliveryKind, Outage, Wait, WaitFacts
from bot.store.engines.engine import Database
from bot.store.mappers import get_time
from bot.store.outages import read_outage
from bot.store.sql import IS_QUEUED

_FACTS = f"""
    select outbox.*, chats.address, chats.allowed, chats.paused, chats.quiet_until,
        chats.next_digest_at, chats.not_before as chat_not_before
    from outbox join chats on chats.id = chat_id
    where outbox.id in (select cast(value as integer) from json_each(?)) and {IS_QUEUED}
"""


def read_waits(db: Database, deliveries: Collection[int], now: datetime) -> dict[int, Wait]:
    """Return why each of these deliveries waits; those that are not queued are left out."""
    outage = read_outage(db)
    rows = db.execute(_FACTS, [json.dumps(list(deliveries))]).fetchall()
    return {row["id"]: wait_of(_facts(row, outage), now) for row in rows}


def _facts(row: Any, outage: Outage | None) -> WaitFacts:
    return WaitFacts(
        kind=DeliveryKind(row["kind"]),
        priority=Priority(row["priority"]),
        form=BundleKind(row["form"]),
        attempts=row["attempts"],
        error=row["error"],
        not_before=get_time(row["not_before"]),
        is_allowed=bool(row["allowed"]),
        paused=row["paused"],
        chat_not_before=get_time(row["chat_not_before"]),
        quiet_until=get_time(row["quiet_until"]),
        next_digest_at=get_time(row["next_digest_at"]),
        outage=outage if row["address"] else None,  # terminals need no service
    )
