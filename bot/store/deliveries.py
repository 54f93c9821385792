"""The deliver corridor's side of the store: who waits, what is claimed, what became of it. Decides nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlite_utils import Database

from bot.model.alerts import AlertView, BundleKind, Confirmation, Priority
from bot.model.delivery import Delivery, DeliveryKind, DeliveryState, Settlement, Waiting
from bot.model.message import File
from bot.model.schedule import ChatSchedule, SchedulePlan
from bot.model.stories import Grouping
from bot.store import schedules
from bot.store.database import Writer
from bot.store.mappers import (
    get_buttons,
    get_chat,
    get_entities,
    get_spans,
    get_time,
    marks,
    put_time,
    sure_time,
)
from bot.store.outbox import notify, queue_edit
from bot.store.stories import LEVELS

LEASE = timedelta(minutes=5)
_MERGED_MOST = 25  # alerts that one message can name
_OPEN = "chats.paused = '' and (chats.not_before is null or chats.not_before <= :now)"
# What waits for a digest is not sent by itself; in quiet hours go answers, what changes silently, and what is breaking. A chat that is
# not let in any more is answered, no more; what waits there comes when it is let in again.
_RIPE = (
    "(outbox.not_before is null or outbox.not_before <= :now) "
    f"and (outbox.priority != {Priority.DIGEST.value} or outbox.form != '' or outbox.kind != 'alert') "
    f"and (chats.quiet_until is null or chats.quiet_until <= :now or outbox.priority <= {Priority.BREAKING.value} "
    "or outbox.kind in ('reply', 'edit', 'notice')) "
    "and (chats.allowed = 1 or outbox.kind in ('reply', 'notice'))"
)
# `exists`, not a condition of the join: for that SQLite would read all chats into a filter before each look.
_TAKES = f"exists (select 1 from chats where id = chat and {_OPEN})"
# The index of what is not queued is used only where that is said in its own words.
_SENDING = "state = 'sending' and state != 'queued'"
_SENT = "state = 'sent' and state != 'queued'"
# The chats with something queued, each found by a step in the index: what waits behind a chat's first delivery costs nothing.
_WAITS = (
    "waits (chat) as (select min(chat_id) from outbox where state = 'queued' union all "
    "select (select min(chat_id) from outbox where state = 'queued' and chat_id > chat) from waits where chat is not null)"
)
_UNPACED = "waits (chat) as (select id from chats where kind = 'terminal')"
ALSO = 8  #: further entries of a story that its message names


class DeliveryTables:
    """Implements `ports.DeliverStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def in_flight(self) -> list[Delivery]:
        """Deliveries that are marked as being sent."""
        return await self._writer.run(
            "read deliveries in flight",
            lambda db: [
                _delivery(db, row)
                for row in db.execute(
                    f"select * from outbox where {_SENDING} order by id"
                ).fetchall()
            ],
        )

    async def waiting(
        self, now: datetime, limit: int, busy: Collection[int], *, unpaced: bool = False
    ) -> list[Waiting]:
        """Chats with something to send, urgent first, then those served longest ago; `unpaced` ones only, which no limit holds for."""

        def work(db: Database) -> list[Waiting]:
            rows = db.execute(
                f"with recursive {_UNPACED if unpaced else _WAITS} "
                "select chat, priority, address, last_sent_at from waits join chats on chats.id = chat join outbox on outbox.id = "
                f"(select id from outbox where chat_id = chat and state = 'queued' and {_RIPE} order by priority, id limit 1) "
                f"where {_TAKES} and chat not in ({','.join(str(int(one)) for one in busy)}) "
                "order by priority, last_sent_at nulls first, outbox.id limit :limit",
                {"now": put_time(now), "limit": limit},
            ).fetchall()
            return [
                Waiting(row["chat"], row["address"], row["priority"], get_time(row["last_sent_at"]))
                for row in rows
            ]

        return await self._writer.run("read who waits", work)

    async def next_wait(self, now: datetime) -> datetime | None:
        """When the next parked chat with something to send may be tried again, or the next edit is due."""

        def work(db: Database) -> datetime | None:
            row = db.execute(
                f"with recursive {_WAITS} select min(at) from ("
                "select (select not_before from chats where id = chat and paused = '' and not_before > :now) as at from waits union all "
                "select (select hours_at from chats where id = chat and hours_at > :now and hours_at < '9') from waits union all "
                "select (select min(outbox.not_before) from outbox where chat_id = chat and state = 'queued' and priority = :edit "
                f"and outbox.not_before > :now) from waits where {_TAKES})",
                {
                    "now": put_time(now),
                    "edit": Priority.EDIT,
                },  # nothing but a change waits for its time
            ).fetchone()
            return get_time(row[0])

        return await self._writer.run("read who waits", work)

    async def schedules_due(self, now: datetime) -> list[ChatSchedule]:
        """Chats whose quiet hours or digests are to be looked at."""
        return await self._writer.run("read the hours of chats", lambda db: schedules.due(db, now))

    async def apply_schedules(self, plans: Sequence[SchedulePlan], now: datetime) -> None:
        """What was decided about them."""
        await self._writer.run("keep the hours of chats", lambda db: schedules.keep(db, plans, now))

    async def recent_sends(self, since: datetime) -> list[tuple[int, datetime]]:
        """Address and time of sends."""

        def work(db: Database) -> list[tuple[int, datetime]]:
            rows = db.execute(
                f"select address, settled_at from outbox join chats on chats.id = chat_id where {_SENT} and settled_at > ?",
                [put_time(since)],
            ).fetchall()
            return [(row["address"], sure_time(row["settled_at"])) for row in rows]

        return await self._writer.run("read recent sends", work)

    async def claim_deliveries(
        self, now: datetime, chat_ids: Sequence[int], merge_from: int
    ) -> list[Delivery]:
        """The next delivery of each chat, marked as being sent; long queues of alerts become one."""

        def work(db: Database) -> list[Delivery]:
            claimed: list[Delivery] = []
            for chat_id in chat_ids:
                row = db.execute(
                    "select outbox.* from outbox join chats on chats.id = chat_id where chat_id = :chat and state = 'queued' "
                    f"and {_RIPE} order by priority, outbox.id limit 1",
                    {"chat": chat_id, "now": put_time(now)},
                ).fetchone()
                if row is None:
                    continue
                if row["kind"] == DeliveryKind.ALERT:
                    _merge(db, row, merge_from, now)
                db.execute(
                    "update outbox set state = 'sending', attempts = attempts + 1, lease_until = ? where id = ?",
                    [put_time(now + LEASE), row["id"]],
                )
                delivery = _delivery(
                    db, db.execute("select * from outbox where id = ?", [row["id"]]).fetchone()
                )
                if delivery.kind is DeliveryKind.EDIT:
                    db.conn.executemany(
                        "update alerts set edited_at = ? where chat_id = ? and story_id = ?",
                        [(put_time(now), chat_id, alert.story_id) for alert in delivery.alerts],
                    )
                claimed.append(delivery)
            return claimed

        return await self._writer.run("claim deliveries", work)

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """What became of deliveries."""

        def work(db: Database) -> None:
            for settlement in settlements:
                _settle(db, settlement, now)

        await self._writer.run("keep what became of deliveries", work)


def _merge(db: Database, head: Any, merge_from: int, now: datetime) -> None:
    """Move the alerts of the next deliveries into the head where the queue has outgrown the chat's budget."""
    if head["doubts"] or head["plain"] or head["form"]:
        return
    rows = db.execute(
        "select outbox.id, (select count(*) from outbox_alerts where outbox_id = outbox.id) as alerts from outbox "
        "join chats on chats.id = chat_id where outbox.chat_id = ? and outbox.kind = 'alert' and state = 'queued' "
        "and priority = ? and doubts = 0 and plain = 0 and form = '' and address != 0 order by outbox.id limit ?",
        [head["chat_id"], head["priority"], _MERGED_MOST],
    ).fetchall()
    sums = list(accumulate(row["alerts"] for row in rows))
    together = [row["id"] for row, alerts in zip(rows, sums, strict=True) if alerts <= _MERGED_MOST]
    if not rows or sums[-1] < merge_from or head["id"] not in together:
        return
    others = [number for number in together if number != head["id"]]
    db.conn.executemany(
        "update outbox_alerts set outbox_id = ? where outbox_id = ?",
        [(head["id"], other) for other in others],
    )
    db.conn.executemany(
        "update outbox set state = 'merged', settled_at = ?, error = ? where id = ?",
        [(put_time(now), f"sent together with {head['id']}", other) for other in others],
    )


def _delivery(db: Database, row: Any) -> Delivery:
    chat = get_chat(db.execute("select * from chats where id = ?", [row["chat_id"]]).fetchone())
    kind = DeliveryKind(row["kind"])
    stories = [
        one["story_id"]
        for one in db.execute(
            "select story_id from outbox_alerts where outbox_id = ?", [row["id"]]
        ).fetchall()
    ]
    message_id, marked, reply_to = None, False, row["reply_to"]
    if kind is DeliveryKind.EDIT:
        marked = _is_repeat(db, chat.id, stories)
        message_id, stories = _edited(db, chat.id, stories)
    if kind is DeliveryKind.AGAIN:
        reply_to, _ = _edited(db, chat.id, stories)
    if row["edits"] is not None:
        message_id = row["edits"] or _of_screen(db, row)
    return Delivery(
        id=row["id"],
        kind=kind,
        chat=chat,
        attempt=row["attempts"],
        doubts=row["doubts"],
        plain=bool(row["plain"]),
        alerts=tuple(_views(db, chat.id, stories)),
        text=row["text"],
        entities=get_entities(row["entities"]),
        message_id=message_id,
        reply_to=reply_to,
        created_at=sure_time(row["created_at"]),
        marked=marked,
        edits=row["edits"] is not None and message_id is not None,
        buttons=get_buttons(row["buttons"]),
        file=File(row["file_name"], row["file"], bool(row["picture"]))
        if row["file"] is not None
        else None,
    )


def _of_screen(db: Database, row: Any) -> int | None:
    """The message that shows the screen."""
    found = db.execute(
        "select message_id from outbox where screen = ? and message_id is not null order by id limit 1",
        [row["screen"]],
    ).fetchone()
    return found["message_id"] if found else None


def _is_repeat(db: Database, chat_id: int, stories: Sequence[int]) -> bool:
    """Whether the message with these alerts is the second copy of one that may have arrived."""
    row = db.execute(
        "select 1 from outbox_alerts a join outbox o on o.id = outbox_id "
        f"where a.chat_id = ? and a.story_id in ({marks(stories)}) and kind = 'alert' and doubts > 0 limit 1",
        [chat_id, *stories],
    ).fetchone()
    return row is not None


def _edited(db: Database, chat_id: int, stories: list[int]) -> tuple[int | None, list[int]]:
    """The message that carries these alerts, and all the alerts it carries."""
    row = db.execute(
        "select message_id from alerts where chat_id = ? and story_id = ?",
        [chat_id, stories[0] if stories else 0],
    ).fetchone()
    if row is None or row["message_id"] is None:
        return None, stories
    together = db.execute(
        "select story_id from alerts where chat_id = ? and message_id = ?",
        [chat_id, row["message_id"]],
    ).fetchall()
    return row["message_id"], [one["story_id"] for one in together]


def _views(db: Database, chat_id: int, stories: Sequence[int]) -> list[AlertView]:
    rows = db.execute(
        "select a.*, e.title, e.link, e.summary, e.source, e.published, e.first_seen_at, e.agency, e.storyline_id, "
        "f.name as feed, f.publisher from alerts a join entries e on e.id = a.entry_id join feeds f on f.id = e.feed_id "
        f"where a.chat_id = ? and a.story_id in ({marks(stories)}) order by a.created_at, a.story_id",
        [chat_id, *stories],
    ).fetchall()
    return [_view(db, row) for row in rows]


def _view(db: Database, row: Any) -> AlertView:
    matches = db.execute(
        "select name, spans, entry_id from alert_matches join subscriptions s on s.id = subscription_id "
        "where chat_id = ? and story_id = ? order by s.id",
        [row["chat_id"], row["story_id"]],
    ).fetchall()
    also, entries, publishers = _story(db, row)
    return AlertView(
        story_id=row["story_id"],
        title=row["title"],
        first_title=row["first_title"],
        link=row["link"],
        summary=row["summary"],
        feed=row["feed"],
        publisher=row["publisher"],
        source=row["source"],
        published=get_time(row["published"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        subscriptions=tuple(dict.fromkeys(match["name"] for match in matches)),
        spans=tuple(
            span
            for match in matches
            if match["entry_id"] == row["entry_id"]
            for span in get_spans(match["spans"])
        ),
        catch_up=bool(row["catch_up"]),
        revision=row["revision"],
        agency=row["agency"],
        also=tuple(also),
        entries=max(entries, 1),
        publishers=max(publishers, 1),
        single=bool(row["single"]),
        followed=bool(row["followed"]),
        storyline_id=row["storyline_id"],
        form=BundleKind(row["form"]),
        taken_by=row["taken_by"],
    )


def _story(db: Database, alert: Any) -> tuple[list[Confirmation], int, int]:
    """The first further entries of an alert's story, how many entries it has in all, and how many independent publishers."""
    column = LEVELS[Grouping(alert["grouping"])]
    story = alert["story_id"] if alert["merged_into"] is None else alert["merged_into"]
    count = db.execute(
        f"select count(*), count(distinct origin) from entries where {column} = ?", [story]
    ).fetchone()
    if count[0] <= 1:
        return [], *count
    rows = db.execute(
        "select e.link, coalesce(nullif(e.source, ''), f.name) as name, e.agency, e.first_seen_at, "
        "coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at from entries e join feeds f on f.id = e.feed_id "
        f"where e.{column} = ? and e.id != ? order by at, e.id limit ?",
        [story, alert["entry_id"], ALSO],
    ).fetchall()
    return [
        Confirmation(row["name"], row["link"], sure_time(row["at"]), row["agency"]) for row in rows
    ], *count


def _settle(db: Database, settlement: Settlement, now: datetime) -> None:
    delivery = settlement.delivery
    moment = put_time(now)
    done = settlement.state is not DeliveryState.QUEUED
    db.execute(
        "update outbox set state = ?, error = ?, doubts = doubts + ?, plain = max(plain, ?), message_id = ?, lease_until = null, "
        "settled_at = ? where id = ?",
        [
            settlement.state,
            settlement.error,
            settlement.doubt,
            settlement.plain,
            settlement.message_id,
            moment if done else None,
            delivery.id,
        ],
    )
    if settlement.state is DeliveryState.SENT:
        _sent(db, settlement, now)
    if settlement.state is DeliveryState.QUEUED and delivery.kind is DeliveryKind.ALERT:
        _drop_changes(db, delivery, now)
    if settlement.park_until:
        _park(db, delivery, settlement.park_until, alone=settlement.notice is not None)
    if settlement.pause:
        db.execute(
            "update chats set paused = ? where kind = ? and address = ?",
            [settlement.pause, delivery.chat.kind, delivery.chat.address],
        )
    if settlement.move_to is not None:
        _move_chat(db, delivery.chat.address, settlement.move_to, now)
    if settlement.notice:
        notify(db, settlement.notice, now)


def _sent(db: Database, settlement: Settlement, now: datetime) -> None:
    delivery = settlement.delivery
    db.execute(
        "update chats set last_sent_at = ?, not_before = null where id = ?",
        [put_time(now), delivery.chat.id],
    )
    if delivery.kind is not DeliveryKind.ALERT:
        return
    shown = {alert.story_id: alert.revision for alert in delivery.alerts}
    # A story may have become another while the message was on its way: the outbox knows which.
    rows = db.execute(
        "select story_id, revision from outbox_alerts join alerts using (chat_id, story_id) where outbox_id = ?",
        [delivery.id],
    ).fetchall()
    for row in rows:
        at = [delivery.chat.id, row["story_id"]]
        db.execute(
            "update alerts set message_id = ? where chat_id = ? and story_id = ?",
            [settlement.message_id, *at],
        )
        if shown.get(row["story_id"]) != row["revision"]:  # it changed while it was on its way
            queue_edit(db, delivery.chat.id, row["story_id"], now)


def _drop_changes(db: Database, delivery: Delivery, now: datetime) -> None:
    """An alert that has to be sent again shows the newest state then: what was to change it is not needed any more."""
    db.execute(
        "update outbox set state = 'dropped', settled_at = ?, error = 'the alert itself is sent again' where state = 'queued' "
        "and kind in ('edit', 'again') and id in (select b.outbox_id from outbox_alerts a join outbox_alerts b using (chat_id, story_id) "
        "where a.outbox_id = ?)",
        [put_time(now), delivery.id],
    )


def _park(db: Database, delivery: Delivery, until: datetime, *, alone: bool) -> None:
    """Telegram's limits are the address's: its topics wait together. What the operator is told of (a closed topic) is the one chat's."""
    db.execute(
        "update chats set not_before = ? where kind = ? and address = ? and (id = ? or (address != 0 and ? and coalesce(not_before, '') < ?))",
        [
            put_time(until),
            delivery.chat.kind,
            delivery.chat.address,
            delivery.chat.id,
            not alone,
            put_time(until),
        ],
    )


def _move_chat(db: Database, old: int, new: int, now: datetime) -> None:
    """A group became a supergroup: every chat, subscription and waiting delivery goes along, in this transaction.

    The numbers of its messages do not: in the supergroup they are other messages'.
    """
    db.execute("insert or replace into meta values (?, ?)", [f"moved:{old}", str(new)])
    rows = db.execute(
        "select id, topic, operator, declared, name from chats where kind = 'telegram' and address = ?",
        [old],
    ).fetchall()
    for row in rows:
        db.execute("update alerts set message_id = null where chat_id = ?", [row["id"]])
        db.execute(
            "update outbox set reply_to = null, edits = min(edits, 0) where chat_id = ? and state = 'queued'",
            [row["id"]],
        )
        db.execute("update outbox set message_id = null where chat_id = ?", [row["id"]])
        there = db.execute(
            "select id from chats where kind = 'telegram' and address = ? and topic = ?",
            [new, row["topic"]],
        ).fetchone()
        if there is None:
            db.execute(
                "update chats set address = ?, not_before = null where id = ?", [new, row["id"]]
            )
            continue
        db.execute(
            "update chats set operator = max(operator, ?), allowed = 1 where id = ?",
            [row["operator"], there["id"]],
        )
        db.execute(
            "insert or ignore into routes select subscription_id, ? from routes where chat_id = ?",
            [there["id"], row["id"]],
        )
        db.execute("delete from routes where chat_id = ?", [row["id"]])
        for table in ("stances", "feed_chats", "links", "screens", "verdicts"):
            db.execute(
                f"update or ignore {table} set chat_id = ? where chat_id = ?",
                [there["id"], row["id"]],
            )
            db.execute(f"delete from {table} where chat_id = ?", [row["id"]])
        db.execute("update chats set acts_for = ? where acts_for = ?", [there["id"], row["id"]])
        db.execute(
            "update chats set grouping = coalesce(chats.grouping, old.grouping), digested_at = old.digested_at, hours_at = '', "
            "settings = case when chats.settings = '{}' then old.settings else chats.settings end "
            "from chats old where old.id = ? and chats.id = ?",
            [row["id"], there["id"]],
        )
        _drop_doubles(db, row["id"], there["id"], now)
        db.execute("pragma defer_foreign_keys = on")
        for table in ("alerts", "alert_matches", "outbox_alerts", "outbox"):
            db.execute(
                f"update or ignore {table} set chat_id = ? where chat_id = ?",
                [there["id"], row["id"]],
            )
        db.execute(
            "update chats set allowed = 0, paused = 'it became a supergroup' where id = ?",
            [row["id"]],
        )


def _drop_doubles(db: Database, old: int, new: int, now: datetime) -> None:
    """What waits in both chats waits in one of them from now on."""
    db.execute(
        "delete from outbox_alerts where chat_id = ? and outbox_id in (select id from outbox where state = 'queued') "
        "and story_id in (select story_id from alerts where chat_id = ?)",
        [old, new],
    )
    db.execute(
        "update outbox set state = 'dropped', settled_at = ?, error = 'the supergroup has it already' where chat_id = ? and state = 'queued' "
        "and kind in ('alert', 'edit') and not exists (select 1 from outbox_alerts where outbox_id = outbox.id)",
        [put_time(now), old],
    )
