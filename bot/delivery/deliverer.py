"""Take what waits in the outbox to the chats.

    hours.plan | store.waiting | pace | store.claim_deliveries | render | channel.send | outcomes.settle | store.settle

Calls the ports and the deciders in this order; decides nothing itself and knows no feed. A delivery is marked as being sent before the
call goes out, and what became of it is kept before the chat's next one is looked at.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from bot.alerts import quiet_hours
from bot.delivery import policy
from bot.delivery.rate_limits import GROUP_SPAN, OVERALL_SPAN, Pace
from bot.delivery.render import render
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.alerts import Priority
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    MessageLost,
    NotSent,
    Refused,
    SendOutcome,
    ServiceDown,
    Settlement,
    Undecided,
)
from bot.ports import Channel, Clock, DeliveryStore

MAX_IN_FLIGHT = 30
LOOK = 200  #: waiting chats read at a time
MERGE_FROM = 20  #: alerts waiting in one chat that become one message
STORE_PAUSE = timedelta(seconds=5)
LONGEST_LOOK = timedelta(
    seconds=30
)  #: between two looks at the outbox when nothing wakes the corridor

log = structlog.stdlib.get_logger("newsbell.deliverer")


class Deliverer:
    """The deliver corridor."""

    def __init__(
        self,
        store: DeliveryStore,
        channels: Mapping[ChatKind, Channel],
        clock: Clock,
        translator: Callable[[Chat], Translator],
        settled: Callable[[Settlement], None],
    ) -> None:
        self._store, self._channels, self._clock, self._translator, self._settled = (
            store,
            channels,
            clock,
            translator,
            settled,
        )
        self._pace = Pace()
        self._busy: dict[int, int] = {}  # chat to address
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Begin no further send."""
        self._stopping = True
        self._wake.set()

    async def recover(self) -> int:
        """Decide about the deliveries that a process which is gone had begun; how many."""
        now = self._clock.now()
        self._pace = Pace(await self._store.recent_sends(now - GROUP_SPAN))
        left = await self._store.in_flight()
        stopped = Undecided("newsbell stopped while this was being sent")
        await self._store.settle([policy.settle(delivery, stopped, now) for delivery in left], now)
        return len(left)

    async def run(self) -> None:
        """Deliver until `stop`; then let what is under way come to its end."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                pause = await self._begin(group)
                await self._pause(pause)

    async def run_once(self, patience: timedelta) -> None:
        """Deliver until nothing is left that may go out within `patience`."""
        until = self._clock.now() + patience
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                pause = await self._begin(group)
                if not self._busy and (pause is None or self._clock.now() + pause > until):
                    break
                await self._pause(pause)

    async def _pause(self, pause: timedelta | None) -> None:
        """Until the pause is over on our clock, or something wakes the corridor."""
        waker = asyncio.ensure_future(self._wake.wait())
        sleeper = asyncio.ensure_future(
            self._clock.sleep(LONGEST_LOOK if pause is None else min(pause, LONGEST_LOOK))
        )
        try:
            await asyncio.wait({waker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
            sleeper.cancel()

    async def _begin(self, group: asyncio.TaskGroup) -> timedelta | None:
        """Begin every send that may go out now; how long until the next may, None where nothing waits."""
        try:
            now = self._clock.now()
            await self._apply_schedules(now)
            chosen, next_at = await self._choose(now)
            if chosen:
                for delivery in await self._store.claim_deliveries(now, chosen, MERGE_FROM):
                    self._busy[delivery.chat.id] = delivery.chat.address
                    self._pace.begin(delivery.chat.address, self._clock.now())
                    group.create_task(self._deliver(delivery))
            near = (
                next_at is not None and next_at <= now + OVERALL_SPAN
            )  # so soon is looked again that what is parked need not be asked for
            parked_until = None if near else await self._store.next_wait(now)
        except StoreError as error:
            log.error("claim_failed", error=str(error), retry_after=STORE_PAUSE.total_seconds())
            return STORE_PAUSE
        moments = [moment for moment in (next_at, parked_until) if moment]
        return max(min(moments) - self._clock.now(), timedelta(0)) if moments else None

    async def _apply_schedules(self, now: datetime) -> None:
        """Quiet hours begin and end; digests come due."""
        due = await self._store.schedules_due(now)
        if due:
            await self._store.apply_schedules(
                [quiet_hours.plan(one, self._translator(one.chat).zone, now) for one in due], now
            )

    async def _choose(self, now: datetime) -> tuple[list[int], datetime | None]:
        """Chats to send to now, and when the next of the others may be sent to.

        The store is asked for more until the places are filled: those who must wait their turn keep nobody behind them waiting.
        While the limit of all is reached, only those are asked for whom it does not concern: among thousands that would cost too much.
        """
        chosen: list[int] = []
        if len(self._busy) >= MAX_IN_FLIGHT:
            return chosen, None
        looked_at = set(self._busy)
        taken = {address for address in self._busy.values() if address}
        open_at = self._pace.open_at(now)
        next_at = open_at if open_at > now else None
        paced, look = 0, LOOK
        while True:
            waiting = await self._store.waiting(now, look, looked_at, unpaced=open_at > now)
            for one in waiting:
                if len(chosen) + len(self._busy) >= MAX_IN_FLIGHT:
                    return chosen, next_at
                if one.address in taken:
                    continue
                at = self._pace.allowed_at(
                    one.address, now, paced, urgent=one.priority <= Priority.BREAKING
                )
                if at > now:
                    next_at = min(at, next_at or at)
                    continue
                chosen.append(one.chat_id)
                if one.address:
                    taken.add(one.address)
                    paced += 1
            looked_at.update(one.chat_id for one in waiting)
            if len(waiting) < look:
                return chosen, next_at
            full_until = self._pace.open_at(now, paced)
            if (
                now < full_until <= now + OVERALL_SPAN
            ):  # the limit of all is reached for a moment: reading on would find nobody
                return chosen, min(full_until, next_at or full_until)
            look *= 2

    async def _deliver(self, delivery: Delivery) -> None:
        with bound_contextvars(delivery_id=delivery.id, chat_id=delivery.chat.id):
            await self._send_and_settle(delivery)

    async def _send_and_settle(self, delivery: Delivery) -> None:
        outcome = await self._send(delivery)
        now = self._clock.now()
        self._pace.end(delivery.chat.address, now)
        settlement = policy.settle(delivery, outcome, now)
        if isinstance(outcome, NotSent) and outcome.flood and settlement.park_until:
            self._pace.flooded(delivery.chat.address, now, settlement.park_until)
        if isinstance(outcome, ServiceDown) and settlement.park_until:
            self._pace.close(settlement.park_until)
        while True:
            try:
                await self._store.settle([settlement], now)
                break
            except StoreError as error:
                # The outcome is known and must not be lost: the chat waits until the database takes it.
                log.error(
                    "settle_failed", error=str(error), retry_after=STORE_PAUSE.total_seconds()
                )
                await asyncio.sleep(STORE_PAUSE.total_seconds())
        log.debug("delivery_settled", state=settlement.state)
        self._busy.pop(delivery.chat.id, None)
        self._settled(settlement)
        self._wake.set()

    async def _send(self, delivery: Delivery) -> SendOutcome:
        channel = self._channels.get(delivery.chat.kind)
        if channel is None:
            return NotSent(
                f"no way to {delivery.chat.kind} at present: is its token set?",
                timedelta(minutes=10),
            )
        if delivery.kind is DeliveryKind.EDIT and delivery.message_id is None:
            return MessageLost("the message to change was never sent")
        try:
            message = render(delivery, self._clock.now(), self._translator(delivery.chat))
        except Exception:  # a message that trips over our own mistake must not stop the others
            log.exception("render_failed")
            return Refused("newsbell itself failed to write this message; its log says how")
        try:
            return await channel.send(delivery, message)
        except Exception:  # as above; the call may have gone out
            log.exception("send_failed")
            return Undecided("newsbell itself failed while this was being sent; its log says how")
