"""The operator's side of the store: status, the outbox by hand, and deleting what is obsolete."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.model.clock import ClockStep
from bot.model.delivery import DeliveryState, NoticeIntent, OutboxRow
from bot.model.retention import DEFAULT, Retention, RetentionState
from bot.model.status import Status
from bot.store import cleanup, clock_moments, forget, kept_retention, meta, outbox
from bot.store.engines.engine import Database, Writer
from bot.store.forget import RecordsPosition
from bot.store.mappers import get_time, put_time
from bot.store.meta import MetaName
from bot.store.overview import read_clock_seen, read_outbox, read_status
from bot.store.unsent_alerts import release_ready

RECENT_ENTRIES = timedelta(days=6)  #: a newsbell that ran until now had new entries since then
_CLEANUP_PAUSE = 0.01  # seconds between two parts of a clean-up, so that polls get their turn
_UNREAD_FEEDS = """
    select count(*) as number from feeds
    where active = 1 and next_poll_at <= ? and baseline_at is null
"""
_CLOCK_SET = f"select value from meta where name = '{MetaName.CLOCK_SET}'"
_SEEN_BETWEEN = "select 1 from entries where first_seen_at between ? and ? limit 1"


class AdminTables:
    """Implements `ports.AdminStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def status(self, *, brief: bool = False) -> Status:
        """Return the state; in brief, only chats with waiting deliveries, and no counts.

        A chat that is not allowed is in it while deliveries wait for it.
        """
        return await self._writer.run("read the status", lambda db: read_status(db, brief=brief))

    async def unread_feeds(self, now: datetime) -> int:
        """Return how many feeds are due of which nothing was ever read."""
        rows = await self._writer.fetch("count new feeds", _UNREAD_FEEDS, [put_time(now)])
        return int(rows[0]["number"])

    async def outbox(
        self, now: datetime, states: Collection[DeliveryState] | None = None
    ) -> list[OutboxRow]:
        """Return deliveries in these states (default: all unfinished), oldest first."""
        return await self._writer.run("read the outbox", lambda db: read_outbox(db, now, states))

    async def retry(self, ids: Sequence[int]) -> int:
        """Queue failed deliveries again (all undelivered ones for no `ids`); return how many."""
        return await self._writer.run("queue again", lambda db: outbox.retry(db, ids))

    async def drop(self, ids: Sequence[int], now: datetime) -> int:
        """Give up deliveries (all dead ones where `ids` is empty); return how many."""
        return await self._writer.run("drop", lambda db: outbox.drop_by_hand(db, ids, now))

    async def notify(self, notice: NoticeIntent, now: datetime) -> None:
        """Queue a notice to the operator; the same words once a day at most."""
        await self._writer.run("queue a notice", lambda db: outbox.notify(db, notice, now))

    async def clock_seen(self) -> datetime | None:
        """Return the last time that newsbell is known to have run; None before the first."""
        return await self._writer.run("read the time", read_clock_seen)

    async def clock_set_at(self) -> datetime | None:
        """Return when the clock was last found to have been set; None for never."""
        rows = await self._writer.fetch("read the time", _CLOCK_SET)
        return get_time(rows[0][0]) if rows else None

    async def is_clock_behind(self, step: ClockStep) -> bool:
        """Whether the clock was set back to a time that was right long ago.

        Otherwise it was ahead: entries lead up to now, and none came in the time between.
        """
        before = step.before
        span = (before - step.now) / 3
        between = [put_time(step.now + span), put_time(before - span)]
        now = [put_time(step.now - RECENT_ENTRIES), put_time(step.now)]

        def work(db: Database) -> bool:
            return bool(
                db.execute(_SEEN_BETWEEN, between).fetchone()
                or not db.execute(_SEEN_BETWEEN, now).fetchone()
            )

        return await self._writer.run("compare the clock", work)

    async def note_time(self, now: datetime) -> None:
        """Keep that newsbell runs at this time."""
        await self._writer.run(
            "keep the time", lambda db: meta.write(db, MetaName.CLOCK_SEEN, put_time(now))
        )

    async def correct_moments(
        self, step: ClockStep, notice: NoticeIntent | None = None, *, is_set: bool = False
    ) -> int:
        """Correct stored moments where the clock was set; return how many waited too long.

        `is_set` keeps that it was, so that nothing is deleted for its age for a while.
        """

        def work(db: Database) -> int:
            count = clock_moments.correct(db, step)
            if step.span:  # by the wrong clock a mute was over, or a story too old to come back
                rows = db.execute("select id from chats where allowed = 1").fetchall()
                release_ready(db, [row["id"] for row in rows], step.now)
            meta.write(db, MetaName.CLOCK_SEEN, put_time(step.now))
            if is_set:
                meta.write(db, MetaName.CLOCK_SET, put_time(step.now))
            if notice:
                outbox.notify(db, notice, step.now)
            return count

        return await self._writer.run("correct the stored times", work)

    async def prune(self, now: datetime, retention: Retention = DEFAULT) -> int:
        """Delete what is obsolete, in small transactions; return how many rows were deleted."""
        run = cleanup.Run(now, retention)
        count = 0
        for step in cleanup.STEPS:
            again = True
            while again:
                part = await self._writer.run("forget what is old", partial(_part, step, run))
                count, again = count + part.deleted, part.again
                if again:
                    await asyncio.sleep(_CLEANUP_PAUSE)
        await self._writer.run(
            "forget what is old", lambda db: meta.write(db, MetaName.CLEANED_AT, put_time(now))
        )
        return count

    async def forget(self, address: int, now: datetime) -> int:
        """Delete all that names a person or chat; return how many there were, 0 for none.

        Nothing happens where feeds.yaml names them.
        """
        count = await self._writer.run("forget somebody", lambda db: forget.begin(db, address, now))
        position, again = RecordsPosition(), count > 0
        while again:
            _, again = await self._writer.run(
                "forget somebody", lambda db: forget.go_on(db, position, cleanup.BATCH)
            )
            await asyncio.sleep(_CLEANUP_PAUSE)
        return count

    async def retention(self) -> RetentionState:
        """Return what clean-ups keep to."""
        return await self._writer.run("read the retention", kept_retention.read)

    async def keep_retention(
        self, state: RetentionState, now: datetime, notice: NoticeIntent | None = None
    ) -> None:
        """Keep what clean-ups keep to, and queue a notice about it."""

        def work(db: Database) -> None:
            kept_retention.write(db, state)
            if notice:
                outbox.notify(db, notice, now)

        await self._writer.run("keep the retention", work)

    async def checked_at(self) -> datetime | None:
        """Return when all of the database was last checked."""
        text = await self._writer.run(
            "read the last check", lambda db: meta.read(db, MetaName.CHECKED_AT)
        )
        return get_time(text)

    async def note_check(self, now: datetime) -> None:
        """Keep that all of the database was checked."""
        await self._writer.run(
            "keep the check", lambda db: meta.write(db, MetaName.CHECKED_AT, put_time(now))
        )

    async def cleaned_at(self) -> datetime | None:
        """Return when `prune` last went through to its end."""
        text = await self._writer.run(
            "read the last clean-up", lambda db: meta.read(db, MetaName.CLEANED_AT)
        )
        return get_time(text)


def _part(step: cleanup.Step, run: cleanup.Run, db: Database) -> cleanup.Progress:
    return step(db, run)
