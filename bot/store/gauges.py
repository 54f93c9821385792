"""Read the sizes of what is stored, for a monitor: counts only, for a reader of its own.

Deliveries that wait in one chat for like reasons are judged as one (`alerts.waiting` does that),
so that it costs what there are of chats, not of messages.
"""

from datetime import datetime

from bot.model.delivery import DeliveryState, WaitCause
from bot.model.gauges import Backlog, FeedCondition, Gauges
from bot.store import meta
from bot.store.engines.engine import Database
from bot.store.mappers import get_time, put_time, sure_time
from bot.store.meta import MetaName
from bot.store.sql import DEAD, IS_QUEUED, IS_SENDING, UNKNOWN
from bot.store.waiting import read_waits

_FEEDS = f"""
    select case
        when failures > 0 then '{FeedCondition.FAILING}'
        when last_ok_at is null then '{FeedCondition.NEW}'
        when stopped = 1 then '{FeedCondition.SILENT}'
        else '{FeedCondition.OK}'
    end as condition, count(*) as number
    from feeds where active = 1 group by 1
"""
_SUBSCRIPTIONS = "select count(*) from subscriptions where removed_at is null"
_WAITING = f"""
    select min(id) as id, count(*) as number, min(created_at) as oldest
    from outbox where {IS_QUEUED}
    group by chat_id, kind, priority, form, attempts > 0 or error != '',
        coalesce(not_before, '') > ?
"""
_UNDELIVERED = f"""
    select '{DeliveryState.SENDING}' as state, count(*) as number from outbox where {IS_SENDING}
    union all
    select '{DeliveryState.DEAD}', count(*) from outbox
    where state = {DEAD} and state != '{DeliveryState.QUEUED}'
    union all
    select '{DeliveryState.UNKNOWN}', count(*) from outbox
    where state = {UNKNOWN} and state != '{DeliveryState.QUEUED}'
"""


def read_gauges(db: Database, now: datetime) -> Gauges:
    """Read them. One transaction, so that they belong together."""
    with db.atomic():
        feeds = db.execute(_FEEDS).fetchall()
        undelivered = db.execute(_UNDELIVERED).fetchall()
        return Gauges(
            feeds={FeedCondition(row["condition"]): row["number"] for row in feeds},
            waiting=_waiting(db, now),
            undelivered={DeliveryState(row["state"]): row["number"] for row in undelivered},
            subscriptions=db.execute(_SUBSCRIPTIONS).fetchone()[0],
            cleaned_at=get_time(meta.read(db, MetaName.CLEANED_AT)),
        )


def _waiting(db: Database, now: datetime) -> dict[WaitCause, Backlog]:
    groups = db.execute(_WAITING, [put_time(now)]).fetchall()
    waits = read_waits(db, [row["id"] for row in groups], now)
    backlogs: dict[WaitCause, Backlog] = {}
    for row in groups:
        wait = waits.get(row["id"])
        if wait is None:
            continue
        backlog = Backlog(row["number"], sure_time(row["oldest"]))
        before = backlogs.get(wait.cause, Backlog(0, backlog.oldest))
        backlogs[wait.cause] = Backlog(
            before.count + backlog.count, min(before.oldest, backlog.oldest)
        )
    return backlogs
