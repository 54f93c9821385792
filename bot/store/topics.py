"""Topics of a group, which are allowed with it. Decides nothing else."""

from collections.abc import Collection

from sqlite_utils import Database

from bot.store.sql import TELEGRAM, marks


def allow_topics(db: Database, groups: Collection[int]) -> list[int]:
    """Allow the topics of groups that are allowed (again), as those were; return which."""
    rows = db.execute(
        f"""
            update chats set allowed = 1, hours_at = '', entered = groups.entered
            from (
                select address, entered from chats
                where allowed = 1 and id in ({marks(groups)}) order by declared, id desc
            ) groups
            where kind = {TELEGRAM} and chats.address < 0 and chats.allowed = 0
            and chats.address = groups.address
            returning chats.id
        """,
        list(groups),
    ).fetchall()
    return [row["id"] for row in rows]
