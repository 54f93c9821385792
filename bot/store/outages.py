"""Since when the service takes nothing, as one value of the database."""

import json

from bot.model.delivery import Outage, ServiceFault
from bot.store import meta
from bot.store.engines.engine import Database
from bot.store.mappers import put_time, sure_time


def read_outage(db: Database) -> Outage | None:
    """Return the outage; None where there is none, or what was kept cannot be read."""
    try:
        values = json.loads(meta.read(db, meta.MetaName.OUTAGE) or "null")
        if values is None:
            return None
        return Outage(
            ServiceFault(values["fault"]), str(values["reason"]), sure_time(values["since"])
        )
    except (ValueError, TypeError, KeyError):
        return None


def write_outage(db: Database, outage: Outage | None) -> None:
    """Keep the outage, or that there is none."""
    values = None
    if outage:
        values = {
            "fault": outage.fault,
            "reason": outage.reason,
            "since": put_time(outage.since),
        }
    meta.write(db, meta.MetaName.OUTAGE, json.dumps(values))
