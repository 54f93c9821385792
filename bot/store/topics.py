"""Topics of a group: which are allowed with it, which are tried again."""

from collections.abc import Collection

from bot.model.chat_events import ChatUpdate
from bot.model.chats import ChatKind
from bot.model.delivery import NO_TOPIC
from bot.store.engines.engine import Database
from bot.store.sql import IS_QUEUED, TELEGRAM, marks


def allow_topics(db: Database, groups: Collection[int]) -> list[int]:
    """Allow the topics of groups that are allowed (again), as those were; return which."""
    rows = db.execute(
        f"""
            update chats set allowed = 1, hours_at = '', entered = groups.entered
            from (
                select address, entered, row_number() over (
                    partition by address order by declared desc, id
                ) as place from chats where allowed = 1 and id in ({marks(groups)})
            ) groups
            where kind = {TELEGRAM} and chats.address < 0 and chats.allowed = 0
            and chats.address = groups.address and groups.place = 1
            returning chats.id
        """,
        list(groups),
    ).fetchall()
    return [row["id"] for row in rows]


def let_in(db: Database, address: int) -> None:
    """Send to the topics of a group again: the bot was let in, or was given rights.

    The group itself may be no chat of newsbell.
    """
    db.execute(
        f"update chats set paused = '', not_before = null where kind = {TELEGRAM} "
        "and address = ? and (paused != '' or not_before is not null)",
        [address],
    )


def try_again(db: Database, update: ChatUpdate) -> None:
    """Try again what waits because its topic was closed: somebody opened it, or writes there."""
    db.execute(
        "update chats set not_before = null where kind = ? and address = ? and topic = ? "
        "and not_before is not null and id in "
        f"(select chat_id from outbox where {IS_QUEUED} and error = ?)",
        [ChatKind.TELEGRAM, update.address, update.topic, NO_TOPIC.reason],
    )
