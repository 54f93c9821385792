"""Requests of other machines to the one that leads: asked, taken, answered. Knows none of them.

A request is taken before it is done, in a transaction of its own: so it is done once or not at all,
and where who took it ends meanwhile, that is said. Times are by the clock of the server.
"""

from bot.model.nodes import Asked, News
from bot.store.engines.engine import Database, Writer

_WITHIN = 10.0  # seconds after which nobody waits for a request any more
_KEPT = 60.0  # seconds for which an answer waits to be read
_ASK = "insert into requests (node, asked, asked_at) values (?, ?, ?) returning id"
_NEXT = "select id, node, asked from requests where begun = 0 and asked_at > ? order by id limit 1"
_FORGET = "delete from requests where asked_at < ?"


class RequestTables:
    """Implements `ports.RequestStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def ask(self, node: str, asked: str) -> int:
        """Keep a request for the one that leads, and tell it; return its number."""

        def work(db: Database) -> int:
            row = db.execute(_ASK, [node, asked, db.seconds()]).fetchone()
            db.tell(News.REQUESTS)
            return int(row["id"])

        return await self._writer.run("ask the one that leads", work)

    async def answer_to(self, number: int) -> str | None:
        """Return the answer to a request, which is forgotten then; None where there is none yet."""

        def work(db: Database) -> str | None:
            row = db.execute("select answer from requests where id = ?", [number]).fetchone()
            if row is None or row["answer"] is None:
                return None
            db.execute("delete from requests where id = ?", [number])
            return str(row["answer"])

        return await self._writer.run("read an answer", work)

    async def withdraw(self, number: int) -> bool:
        """Take a request back; False where somebody has taken it."""
        return await self._writer.run(
            "withdraw a request",
            lambda db: bool(
                db.execute("delete from requests where id = ? and begun = 0", [number]).rowcount
            ),
        )

    async def take(self) -> Asked | None:
        """Take the next request that somebody waits for; None where there is none."""

        def work(db: Database) -> Asked | None:
            now = db.seconds()
            db.execute(_FORGET, [now - _KEPT])
            row = db.execute(_NEXT, [now - _WITHIN]).fetchone()
            if row is None:
                return None
            taken = db.execute(
                "update requests set begun = 1 where id = ? and begun = 0", [row["id"]]
            )
            return Asked(row["id"], row["node"], row["asked"]) if taken.rowcount else None

        return await self._writer.run("take a request", work)

    async def answer(self, number: int, text: str) -> None:
        """Keep the answer to a request."""
        await self._writer.run(
            "answer a request",
            lambda db: db.execute("update requests set answer = ? where id = ?", [text, number]),
        )

    async def answer_undecided(self, text: str) -> int:
        """Answer requests that were taken by who ended meanwhile; return how many."""
        return await self._writer.run(
            "answer requests of before",
            lambda db: (
                db.execute(
                    "update requests set answer = ? where begun = 1 and answer is null", [text]
                ).rowcount
            ),
        )
