"""The nodes that share a database, and the polls that they hand over to the one that decides.

Signs of life are by the clock of the database's server, so that no machine's clock matters.
Decides nothing.
"""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.model.nodes import GONE, HandedOver, News, Node, NodeState, Sharing, host_of
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import put_time, sure_time
from bot.store.sql import marks, put

_FORGOTTEN = timedelta(days=1)  # after which a node that is gone is not named any more
# What every version writes, whoever made the tables: these columns stay as they are.
_SIGN = put("nodes", "name", "leads, version, started_at, beat")
_BEAT = put("nodes", "name", "leads, version, started_at, beat, digest, ahead")
_ONLY_LEADER = "update nodes set leads = 0 where leads != 0 and name != ?"
_FORGET = "delete from nodes where beat < ?"
_GONE_BEFORE = "select name from nodes where beat < ? and started_at < ?"
_NODES = "select * from nodes order by leads desc, name"
# What a node claimed that is gone, or that this one claimed before it started.
_RELEASE = """
    update feeds set lease_until = null
    where lease_until is not null and node not in (select name from nodes where beat >= :since)
"""
_BRING = "insert into handed_over (node, feed_id, packed, brought_at) values (?, ?, ?, ?)"
_BACKLOG = "select count(*) from handed_over"
_HOLD = """
    update feeds set lease_until = :until where lease_until is not null and node = :node
    and id in (select cast(value as integer) from json_each(:feeds))
"""
_BROUGHT = "select id, feed_id, packed from handed_over where id > ? order by id limit ?"
# Where nobody else has claimed them since.
_GIVE_BACK = """
    update feeds set lease_until = null where lease_until is not null and id in (
        select feed_id from handed_over brought
        where brought.id in ({marks}) and brought.node = feeds.node
    )
"""
_WAITING = "select count(*) as number, min(brought_at) as first from handed_over"


class NodeTables:
    """Implements `ports.NodeStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def beat(
        self, node: Node, *, leads: bool, now: Callable[[], datetime] | None = None
    ) -> NodeState:
        """Give a sign of life, by tables of this version; return what the database knows then.

        `now` is the clock of the node, by which it is compared with that of the server.
        """

        def work(db: Database) -> NodeState:
            own = now().timestamp() if now else None
            seconds = db.seconds()
            ahead = None if own is None else own - seconds
            start = put_time(node.started_at)
            db.execute(_BEAT, [node.name, leads, node.version, start, seconds, node.digest, ahead])
            if leads:
                db.execute(_ONLY_LEADER, [node.name])
            db.execute(_FORGET, [seconds - _FORGOTTEN.total_seconds()])
            _forget_former(db, node, seconds - GONE.total_seconds())
            return NodeState(node, leads, timedelta(0), ahead)

        return await self._writer.run("give a sign of life", work)

    async def sign(self, node: Node) -> None:
        """Give a sign of life of a node that waits, by tables of another version."""

        def work(db: Database) -> None:
            start = put_time(node.started_at)
            db.execute(_SIGN, [node.name, False, node.version, start, db.seconds()])

        await self._writer.run("give a sign of life", work)

    async def leave(self, name: str) -> None:
        """Take a node out that ends."""

        def work(db: Database) -> None:
            db.execute("delete from nodes where name = ?", [name])
            db.execute(
                "update feeds set lease_until = null where node = ? and lease_until is not null",
                [name],
            )

        await self._writer.run("leave", work)

    async def nodes(self) -> list[NodeState]:
        """Return the nodes that gave a sign of life within a day, who leads first."""
        return await self._writer.run("read the nodes", read_nodes)

    async def release_of_gone(self) -> int:
        """Free the feeds that nodes claimed which are gone; return how many."""

        def work(db: Database) -> int:
            return db.execute(_RELEASE, {"since": db.seconds() - GONE.total_seconds()}).rowcount

        return await self._writer.run("free feeds of nodes that are gone", work)

    async def hand_over(
        self, node: str, polls: Sequence[HandedOver], until: datetime | None = None
    ) -> int:
        """Keep polls for whoever decides what they mean; return how many wait now.

        Their feeds stay claimed `until` then: a poll that waits is not made again.
        """

        def work(db: Database) -> int:
            now, feeds = db.seconds(), json.dumps([poll.feed_id for poll in polls])
            db.executemany(_BRING, [(node, poll.feed_id, poll.packed, now) for poll in polls])
            if until is not None:
                db.execute(_HOLD, {"until": put_time(until), "node": node, "feeds": feeds})
            db.tell(News.POLLS)
            return int(db.execute(_BACKLOG).fetchone()[0])

        return await self._writer.run("hand polls over", work)

    async def backlog(self) -> int:
        """Return how many polls wait for whoever decides what they mean."""
        rows = await self._writer.fetch("count polls that wait", _BACKLOG)
        return int(rows[0][0])

    async def handed_over(self, after: int, limit: int) -> list[HandedOver]:
        """Return polls that wait, in the order in which they came, behind the one of this id."""
        rows = await self._writer.fetch("take polls over", _BROUGHT, [after, limit])
        return [HandedOver(row["feed_id"], bytes(row["packed"]), row["id"]) for row in rows]

    async def tell(self, what: str) -> None:
        """Tell all nodes that listen; `News` says of what."""
        await self._writer.run("tell other nodes", lambda db: db.tell(what))

    async def listen(self, told: Callable[[str], None]) -> None:
        """Call `told` with the `News` of other nodes, until cancelled; with "" when it begins."""
        await self._writer.listen(told)

    async def give_back(self, ids: Collection[int]) -> None:
        """Take polls out that another version made, and let their feeds be polled again."""

        def work(db: Database) -> None:
            db.execute(_GIVE_BACK.format(marks=marks(ids)), list(ids))
            take(db, ids)

        await self._writer.run("give feeds back", work)

    async def drop(self, ids: Collection[int]) -> None:
        """Take polls out that mean nothing any more."""
        await self._writer.run("drop polls", lambda db: take(db, ids))


def _forget_former(db: Database, node: Node, since: float) -> None:
    """Forget nodes that are gone and in whose place this one was started."""
    host = host_of(node.name)
    gone = db.execute(_GONE_BEFORE, [since, put_time(node.started_at)]).fetchall() if host else ()
    for row in gone:
        if host_of(row["name"]) == host:
            db.execute("delete from nodes where name = ?", [row["name"]])


def take(db: Database, ids: Collection[int]) -> None:
    """Take polls out, in the transaction that keeps what they mean."""
    if ids:
        db.execute(f"delete from handed_over where id in ({marks(ids)})", list(ids))


def read_nodes(db: Database) -> list[NodeState]:
    """Return the nodes that gave a sign of life within a day, who leads first.

    By the tables of any version.
    """
    now = db.seconds()
    return [_state(row, now) for row in db.execute(_NODES).fetchall()]


def _state(row: Any, now: float) -> NodeState:
    names = row.keys()
    digest = str(row["digest"]) if "digest" in names else ""
    return NodeState(
        Node(row["name"], row["version"], sure_time(row["started_at"]), digest),
        bool(row["leads"]),
        timedelta(seconds=max(0.0, now - row["beat"])),
        row["ahead"] if "ahead" in names else None,
    )


def read_sharing(db: Database) -> Sharing:
    """Return the nodes, and what waits between them."""
    row = db.execute(_WAITING).fetchone()
    first = row["first"]  # of an earlier version it is not known
    oldest = timedelta(seconds=max(0.0, db.seconds() - first)) if first else timedelta(0)
    return Sharing(tuple(read_nodes(db)), row["number"], oldest)
