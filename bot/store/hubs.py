"""What is agreed with hubs that tell of news of feeds. Decides nothing, asks nobody."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model.hubs import HubLink, HubSubscription
from bot.store.engines.engine import Database, Row, Writer
from bot.store.mappers import get_time, put_time

AGAIN = timedelta(seconds=5)  #: between two polls that a hub leads to
_NOTE = """
    insert into hubs (feed_id, hub, topic, next_at) values (?, ?, ?, ?)
    on conflict (feed_id) do update set hub = excluded.hub, topic = excluded.topic,
        next_at = excluded.next_at, until = null, tries = 0
    where hubs.hub != excluded.hub or hubs.topic != excluded.topic
"""
_DUE = """
    select hubs.* from hubs join feeds on feeds.id = feed_id
    where next_at <= ? and active = 1 order by next_at limit ?
"""
_ASKED = "update hubs set tries = tries + 1, next_at = ? where feed_id = ?"
_AGREED = "update hubs set tries = 0, until = ?, next_at = ? where feed_id = ?"
_OF_FEED = "select * from hubs where feed_id = ?"
_TOLD = """
    update feeds set next_poll_at = :now where id = :feed and active = 1 and lease_until is null
    and next_poll_at > :now and coalesce(last_poll_at, '') < :before
"""


class HubTables:
    """Implements `ports.HubStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def note(self, links: Mapping[int, HubLink], now: datetime) -> None:
        """Keep which hubs feeds name now; with another one everything begins anew."""
        moment = put_time(now)

        def work(db: Database) -> None:
            db.executemany(
                _NOTE,
                [(feed_id, link.hub, link.topic, moment) for feed_id, link in links.items()],
            )

        await self._writer.run("keep hubs", work)

    async def due(self, now: datetime, limit: int) -> list[HubSubscription]:
        """Return with which hubs to agree now, or again."""
        rows = await self._writer.fetch("read hubs", _DUE, [put_time(now), limit])
        return [_subscription(row) for row in rows]

    async def asked(self, feed_id: int, next_at: datetime) -> None:
        """Keep that a hub was asked, and when it is asked again unless it agrees."""
        values = [put_time(next_at), feed_id]
        await self._writer.run("keep a hub", lambda db: db.execute(_ASKED, values))

    async def subscription(self, feed_id: int) -> HubSubscription | None:
        """Return what is agreed with a feed's hub, or wanted; None where nothing is."""
        rows = await self._writer.fetch("read a hub", _OF_FEED, [feed_id])
        return _subscription(rows[0]) if rows else None

    async def agreed(self, feed_id: int, until: datetime, next_at: datetime) -> None:
        """Keep until when a hub tells of news, and when to agree again."""
        values = [put_time(until), put_time(next_at), feed_id]
        await self._writer.run("keep a hub", lambda db: db.execute(_AGREED, values))

    async def told(self, feed_id: int, now: datetime) -> bool:
        """Make the feed due now; False where it was told of moments ago, or is not polled."""
        values = {"now": put_time(now), "feed": feed_id, "before": put_time(now - AGAIN)}

        def work(db: Database) -> int:
            return int(db.execute(_TOLD, values).rowcount)

        return bool(await self._writer.run("make a feed due", work))


def _subscription(row: Row) -> HubSubscription:
    link = HubLink(row["hub"], row["topic"])
    return HubSubscription(row["feed_id"], link, row["tries"], get_time(row["until"]))
