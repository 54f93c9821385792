"""Take what waits in the outbox to the chats.

    quiet_hours.plan | store.waiting | rate_limits | store.claim_deliveries
    render | channel.send | policy.settle | store.settle

Calls the ports and the deciders in this order; decides nothing itself and knows no feed. A
delivery is marked as being sent before the call goes out, and its outcome is stored before the
chat's next delivery is looked at.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from bot.alerts import quiet_hours
from bot.delivery import policy
from bot.delivery.rate_limits import GROUP_SPAN, OVERALL_SPAN, RateLimiter
from bot.delivery.render import render
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.alerts import Priority
from bot.model.chats import Chat, ChatKind
from bot.model.clock import ClockStep
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    MessageLost,
    NotSent,
    Refused,
    SendOutcome,
    Settlement,
    Undecided,
    Waiting,
)
from bot.ports import Channel, Clock, DeliveryStore

MAX_IN_FLIGHT = 30  #: sends under way at once
WAITING_READ = 200  #: waiting chats read at a time
MERGE_FROM = 20  #: alerts waiting in a chat that become one message
STORE_PAUSE = timedelta(seconds=5)  #: before delivery goes on after the database failed
LONGEST_PAUSE = timedelta(seconds=30)  #: between two looks at the outbox when nothing wakes it
CHANNEL_RETRY = timedelta(minutes=10)  #: between two tries in a chat that no channel leads to

log = structlog.stdlib.get_logger("newsbell.deliverer")


class Deliverer:
    """The pipeline from the outbox to the chats."""

    def __init__(
        self,
        store: DeliveryStore,
        channels: Mapping[ChatKind, Channel],
        clock: Clock,
        translator: Callable[[Chat], Translator],
        settled: Callable[[Settlement], None],
    ) -> None:
        self._store, self._channels, self._clock = store, channels, clock
        self._translator, self._settled = translator, settled
        self._limits = RateLimiter()
        self._busy: dict[int, int] = {}  # chats that are being sent to, with their addresses
        self._wake = asyncio.Event()
        self._stopping = False
        self.steps = 0  #: deliveries settled and pauses taken, for the watchdog

    @property
    def is_busy(self) -> bool:
        """Whether a send is under way."""
        return bool(self._busy)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def clock_set(self, step: ClockStep) -> None:
        """Go on where the wall clock was set."""
        self._limits.clock_set(step)
        self.wake()

    def stop(self) -> None:
        """Begin no further send."""
        self._stopping = True
        self._wake.set()

    async def recover(self) -> int:
        """Settle the deliveries that a process which is gone had begun; how many."""
        now = self._clock.now()
        self._limits = RateLimiter(await self._store.recent_sends(now - GROUP_SPAN, now))
        begun = await self._store.in_flight()
        stopped = Undecided("newsbell stopped while this was being sent")
        await self._store.settle([policy.settle(item, stopped, now) for item in begun], now)
        return len(begun)

    async def run(self) -> None:
        """Deliver until `stop`; then finish what is under way."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                pause = await self._begin_sends(group)
                await self._pause(pause)

    async def run_once(self, patience: timedelta) -> None:
        """Deliver until nothing is left that may go out within `patience`."""
        until = self._clock.now() + patience
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                pause = await self._begin_sends(group)
                if not self._busy and (pause is None or self._clock.now() + pause > until):
                    break
                await self._pause(pause)

    def deliver(self, delivery: Delivery) -> Coroutine[None, None, None]:
        """Begin a claimed delivery; what is returned sends and settles it.

        Its chat counts as busy from this call on.
        """
        self._busy[delivery.chat.id] = delivery.chat.address
        self._limits.begin(delivery.chat.address, self._clock.now())
        return self._send_and_settle(delivery)

    async def _pause(self, pause: timedelta | None) -> None:
        """Wait until the pause is over on our clock, or something wakes the pipeline."""
        waker = asyncio.ensure_future(self._wake.wait())
        span = LONGEST_PAUSE if pause is None else min(pause, LONGEST_PAUSE)
        sleeper = asyncio.ensure_future(self._clock.sleep(span))
        try:
            await asyncio.wait({waker, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waker.cancel()
            sleeper.cancel()

    async def _begin_sends(self, group: asyncio.TaskGroup) -> timedelta | None:
        """Begin every send that may go out now; how long until the next may, None for never."""
        try:
            now = self._clock.now()
            await self._apply_schedules(now)
            chats, next_at = await self._choose(now)
            if chats:
                for delivery in await self._store.claim_deliveries(now, chats, MERGE_FROM):
                    group.create_task(self.deliver(delivery))
            # Where the next look is that near, what is parked need not be asked for.
            near = next_at is not None and next_at <= now + OVERALL_SPAN
            parked_until = None if near else await self._store.next_wait(now)
        except StoreError as error:
            self.steps += 1
            log.error("claim_failed", error=str(error), retry_after=STORE_PAUSE.total_seconds())
            return STORE_PAUSE
        moments = [moment for moment in (next_at, parked_until) if moment]
        return max(min(moments) - self._clock.now(), timedelta(0)) if moments else None

    async def _apply_schedules(self, now: datetime) -> None:
        """Quiet hours begin and end; digests come due."""
        due = await self._store.schedules_due(now)
        if due:
            plans = [
                quiet_hours.plan(schedule, self._translator(schedule.chat).zone, now)
                for schedule in due
            ]
            await self._store.apply_schedules(plans, now)

    async def _choose(self, now: datetime) -> tuple[list[int], datetime | None]:
        """Chats to send to now, and when the next of the others may be sent to.

        The store is asked for more until all places are filled: chats that have to wait keep no
        chat behind them waiting. While the limit of all is reached, the store is asked only for
        chats that it does not concern: among thousands the others would cost too much.
        """
        if len(self._busy) >= MAX_IN_FLIGHT:
            return [], None
        choice = _Choice(self._limits, self._busy, now)
        seen = set(self._busy)
        overall_at = self._limits.overall_allowed_at(now)
        if overall_at > now:
            choice.wait_until(overall_at)
        limit = WAITING_READ
        while True:
            chats = await self._store.waiting(now, limit, seen, unpaced=overall_at > now)
            for chat in chats:
                choice.consider(chat)
            seen.update(chat.chat_id for chat in chats)
            # Where the overall limit is reached, no chat behind these could be sent to.
            if choice.is_full() or len(chats) < limit or choice.exhausts_overall_limit():
                return choice.chats, choice.next_at
            limit *= 2

    async def _send_and_settle(self, delivery: Delivery) -> None:
        with bound_contextvars(delivery_id=delivery.id, chat_id=delivery.chat.id):
            outcome = await self._send(delivery)
            now = self._clock.now()
            settlement = policy.settle(delivery, outcome, now)
            self._limits.end(delivery.chat.address, now, outcome, settlement.retry_at)
            await self._store_settlement(settlement, now)
            log.debug("delivery_settled", state=settlement.state)
        self._busy.pop(delivery.chat.id, None)
        self._settled(settlement)
        self.steps += 1
        self._wake.set()

    async def _send(self, delivery: Delivery) -> SendOutcome:
        channel = self._channels.get(delivery.chat.kind)
        if channel is None:
            reason = f"no way to {delivery.chat.kind} at present: is its token set?"
            return NotSent(reason, CHANNEL_RETRY)
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

    async def _store_settlement(self, settlement: Settlement, now: datetime) -> None:
        """Store an outcome. It must not be lost: the chat waits until the database takes it."""
        while True:
            try:
                await self._store.settle([settlement], now)
            except StoreError as error:
                pause = STORE_PAUSE.total_seconds()
                log.error("settle_failed", error=str(error), retry_after=pause)
                await asyncio.sleep(pause)
            else:
                return


class _Choice:
    """Chats that may be sent to at one moment, as they are gathered."""

    def __init__(self, limits: RateLimiter, busy: Mapping[int, int], now: datetime) -> None:
        self.chats: list[int] = []
        self.next_at: datetime | None = None
        self._limits, self._now = limits, now
        self._free = MAX_IN_FLIGHT - len(busy)
        self._addresses = {address for address in busy.values() if address}
        self._limited = 0  # chosen chats that the limits concern

    def is_full(self) -> bool:
        """Whether all places are filled."""
        return len(self.chats) >= self._free

    def consider(self, chat: Waiting) -> None:
        """Choose the chat if there is a place, its address is free and the limits allow it."""
        if self.is_full() or chat.address in self._addresses:
            return
        urgent = chat.priority <= Priority.BREAKING
        at = self._limits.allowed_at(chat.address, self._now, self._limited, urgent=urgent)
        if at > self._now:
            self.wait_until(at)
            return
        self.chats.append(chat.chat_id)
        if chat.address:
            self._addresses.add(chat.address)
            self._limited += 1

    def wait_until(self, at: datetime) -> None:
        """A chat that has to wait may be sent to then."""
        self.next_at = min(at, self.next_at or at)

    def exhausts_overall_limit(self) -> bool:
        """Whether the limit of all is reached for a moment, with what is chosen."""
        at = self._limits.overall_allowed_at(self._now, self._limited)
        if self._now < at <= self._now + OVERALL_SPAN:
            self.wait_until(at)
            return True
        return False
