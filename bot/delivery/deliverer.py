"""Take what waits in the outbox to the chats.

    quiet_hours.plan | store.waiting | rate_limits | store.claim_deliveries
    render | channel.send | policy.settle | store.settle

Calls the ports and the deciders in this order; decides nothing itself and knows no feed. A
delivery is marked as being sent before the call goes out, and its outcome is stored before the
chat's next delivery is looked at.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from bot.alerts import quiet_hours
from bot.delivery import policy
from bot.delivery.chat_faults import ChatFaults
from bot.delivery.chat_pace import ChatPace
from bot.delivery.choice import MAX_IN_FLIGHT, WAITING_READ, Choice
from bot.delivery.fault_report import FaultReport
from bot.delivery.rate_limits import GROUP_SPAN, OVERALL_SPAN, RateLimiter
from bot.delivery.render import render
from bot.delivery.service_gate import ServiceGate
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.chats import Chat, ChatKind
from bot.model.clock import ClockStep
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    DropReason,
    MessageLost,
    NotSent,
    Outage,
    Refused,
    SendOutcome,
    Sent,
    ServiceFault,
    Settlement,
    Unchanged,
    Undecided,
)
from bot.model.message import Message
from bot.model.nodes import GONE
from bot.model.schedule import ChatSchedule
from bot.ports import Channel, Clock, DeliveryStore, ServiceCheck

MERGE_FROM = 20  #: alerts waiting in a chat that become one message
STORE_PAUSE = timedelta(seconds=5)  #: before delivery goes on after the database failed
LONGEST_PAUSE = timedelta(seconds=30)  #: between two looks at the outbox when nothing wakes it
CLAIM_TRIES = 5  #: of a message that cannot be read, before it is put aside
CHANNEL_RETRY = timedelta(minutes=10)  #: between two tries in a chat that no channel leads to
#: after a claim, in which its send may begin: later another node may have taken the lead, which
#: counts what was claimed as what may have arrived
CLAIM_HOLDS = GONE - timedelta(seconds=2)
_LATE = NotSent("it was claimed too long ago, while newsbell or its database stood still")

log = structlog.stdlib.get_logger("newsbell.deliverer")


async def _no_page(_: Delivery) -> str:
    return ""


class Deliverer:
    """The pipeline from the outbox to the chats."""

    def __init__(
        self,
        store: DeliveryStore,
        channels: Mapping[ChatKind, Channel],
        clock: Clock,
        translator: Callable[[Chat], Translator],
        settled: Callable[[Settlement], None],
        story_page: Callable[[Delivery], Awaitable[str]] = _no_page,
        *,
        is_shared: bool = False,
    ) -> None:
        """`story_page` returns the address of a page about the story of an alert, or nothing.

        `is_shared`: other nodes may take the lead meanwhile.
        """
        self._story_page, self._is_shared = story_page, is_shared
        self._store, self._channels, self._clock = store, channels, clock
        self._translator, self._settled = translator, settled
        self._limits, self._pace, self._gate = RateLimiter(), ChatPace(), ServiceGate()
        self._outage: Outage | None = None  # as it was stored
        self._faults, self._schedule_faults = ChatFaults(), ChatFaults()
        self._failures = 0  # of looks at the outbox in a row, for no reason that we know
        self._report = FaultReport(store, clock)
        self._busy: dict[int, int] = {}  # chats that are being sent to, with their addresses
        self._wake = asyncio.Event()
        self._stopping = False
        self._unanswered = False  # a claim, which the database may have kept nevertheless
        self.steps = 0  #: deliveries settled and pauses taken, for the watchdog

    @property
    def is_busy(self) -> bool:
        """Whether a send is under way."""
        return bool(self._busy)

    @property
    def has_outage(self) -> bool:
        """Whether the service takes nothing, as far as its last answers show."""
        return self._gate.outage is not None

    @property
    def outage(self) -> Outage | None:
        """Since when and why the service takes nothing, where a second try showed it, too."""
        return self._gate.outage if self._gate.confirmed else None

    @property
    def token_refused(self) -> bool:
        """Whether the service refuses the bot's token, as its last answers were."""
        return self.outage is not None and self.outage.fault is ServiceFault.REFUSED

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def clock_set(self, step: ClockStep) -> None:
        """Go on where the wall clock was set."""
        self._limits.clock_set(step)
        self._pace.clock_set(step)
        self._gate.clock_set(step)
        self.wake()

    def stop(self) -> None:
        """Begin no further send."""
        self._stopping = True
        self._wake.set()

    async def recover(self) -> int:
        """Settle the deliveries that a process which is gone had begun; how many."""
        now = self._clock.now()
        self._limits = RateLimiter(await self._store.recent_sends(now - GROUP_SPAN, now))
        self._outage = await self._store.outage()
        self._gate = ServiceGate(self._outage, now)
        fault = self._outage.fault if self._outage else None
        stopped = Undecided("newsbell stopped while this was being sent", fault)
        probe_at = self._gate.next_probe_at
        try:
            begun = await self._store.in_flight()
            settlements = [policy.settle(item, stopped, now, probe_at) for item in begun]
            await self._store.settle(settlements, now)
        except StoreError:
            raise
        except Exception as error:  # a single row must not keep newsbell from starting
            await self._report.tell("taking up what had been begun", error)
            return await self._store.requeue_in_flight(stopped.reason, now)
        return len(begun)

    async def run(self) -> None:
        """Deliver until `stop`; then finish what is under way."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                await self._pause(await self._begin_sends(group))

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

    def deliver(
        self, delivery: Delivery, claimed_at: float | None = None
    ) -> Coroutine[None, None, None]:
        """Begin a claimed delivery; what is returned sends and settles it.

        Its chat counts as busy from this call on. `claimed_at` is of the monotonic clock, before
        the claim; None for now.
        """
        since = self._clock.monotonic() if claimed_at is None else claimed_at
        self._busy[delivery.chat.id] = delivery.chat.address
        try:
            self._limits.begin(delivery.chat.address, self._clock.now())
            self._pace.begin(delivery.chat.kind, delivery.chat.id, self._clock.now())
            if delivery.chat.address:
                self._gate.begin(delivery.chat.id, self._clock.now())
        except Exception as error:  # it was not sent; what is claimed has to be settled
            return self._send_and_settle(delivery, since, error)
        return self._send_and_settle(delivery, since)

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
        now = self._clock.now()
        try:
            await self._take_back()
            await self._apply_schedules(now)
            chats, next_at = await self._choose(now)
            if chats:
                await self._claim(chats, now, group)
            # Where the next look is that near, what is parked need not be asked for.
            near = next_at is not None and next_at <= now + OVERALL_SPAN
            parked_until = None if near else await self._store.next_wait(now)
        except StoreError as error:
            self.steps += 1
            log.error("claim_failed", error=str(error), retry_after=STORE_PAUSE.total_seconds())
            return STORE_PAUSE
        except Exception as error:  # this loop must survive: what is under way goes on
            self.steps += 1
            self._failures += 1
            await self._report.tell("looking at the outbox", error)
            return policy.backoff(self._failures)
        self._failures = 0
        faults = (self._faults.next_at(now), self._schedule_faults.next_at(now))
        moments = [moment for moment in (next_at, parked_until, *faults) if moment]
        return max(min(moments) - self._clock.now(), timedelta(0)) if moments else None

    async def _take_back(self) -> None:
        """Let what was claimed without an answer be claimed again: of it nothing was sent."""
        if self._unanswered:
            await self._store.take_back(self._busy)
            self._unanswered = False

    async def _apply_schedules(self, now: datetime) -> None:
        """Quiet hours begin and end; digests come due."""
        plans = []
        for schedule in await self._due_schedules(now):
            try:
                zone = self._translator(schedule.chat).zone
                plans.append(quiet_hours.plan(schedule, zone, now))
            except Exception as error:  # an odd time zone or setting concerns its chat alone
                await self._schedule_failed(schedule.chat.id, error, now)
        if not plans:
            return
        try:
            await self._store.apply_schedules(plans, now)
            self._schedule_faults.works([plan.chat_id for plan in plans])
        except StoreError:
            raise
        except Exception as unexpected:  # one of them: each by itself
            await self._report.tell("keeping quiet hours and digests", unexpected)
            for plan in plans:
                try:
                    await self._store.apply_schedules([plan], now)
                except StoreError:
                    raise
                except Exception as error:
                    await self._schedule_failed(plan.chat_id, error, now)

    async def _due_schedules(self, now: datetime) -> list[ChatSchedule]:
        """The chats whose quiet hours or digests are due, without those that cannot be read."""
        waiting = self._schedule_faults.waiting(now)
        try:
            return await self._store.schedules_due(now, waiting)
        except StoreError:
            raise
        except Exception as unexpected:  # one of them: each by itself
            await self._report.tell("reading quiet hours and digests", unexpected)
            due: list[ChatSchedule] = []
            for chat_id in await self._store.chats_due(now, waiting):
                try:
                    due += await self._store.schedules_due(now, only=chat_id)
                except StoreError:
                    raise
                except Exception as error:
                    await self._schedule_failed(chat_id, error, now)
            return due

    async def _schedule_failed(self, chat_id: int, error: Exception, now: datetime) -> None:
        self._schedule_faults.failed(chat_id, now)
        await self._report.tell("planning quiet hours and digests", error, chat_id)

    async def _choose(self, now: datetime) -> tuple[list[int], datetime | None]:
        """Chats to send to now, and when the next of the others may be sent to.

        The store is asked for more until all places are filled: chats that have to wait keep no
        chat behind them waiting. While the limit of all is reached, or the service takes nothing,
        the store is asked only for chats that it does not concern: among thousands the others
        would cost too much.
        """
        if len(self._busy) >= MAX_IN_FLIGHT:
            return [], None
        choice = Choice(self._limits, self._pace, self._gate, self._busy, now)
        seen = set(self._busy) | self._faults.waiting(now)
        overall_at, service_at = self._limits.overall_allowed_at(now), self._gate.allowed_at(now)
        for moment in (overall_at, service_at):
            if moment and moment > now:
                choice.wait_until(moment)
        unpaced = overall_at > now or service_at is None or service_at > now
        limit = WAITING_READ
        while True:
            chats = await self._store.waiting(now, limit, seen, unpaced=unpaced)
            for chat in chats:
                choice.consider(chat)
            seen.update(chat.chat_id for chat in chats)
            # Where the overall limit is reached, no chat behind these could be sent to.
            if choice.is_full() or len(chats) < limit or choice.exhausts_overall_limit():
                return choice.chosen(), choice.next_at
            limit *= 2

    async def _claim(self, chats: list[int], now: datetime, group: asyncio.TaskGroup) -> None:
        """Claim the next delivery of each chat, and begin to send it."""
        try:
            await self._begin(chats, now, group)
        except StoreError:
            raise
        except Exception as unexpected:  # one of them: each by itself
            await self._report.tell("reading messages", unexpected)
            for chat_id in chats:
                await self._claim_alone(chat_id, now, group)

    async def _begin(self, chats: list[int], now: datetime, group: asyncio.TaskGroup) -> None:
        began = self._clock.monotonic()
        try:
            claimed = await self._store.claim_deliveries(now, chats, MERGE_FROM)
        except StoreError:
            self._unanswered = True
            raise
        for delivery in claimed:
            group.create_task(self.deliver(delivery, began))
        self._faults.works(chats)

    async def _claim_alone(self, chat_id: int, now: datetime, group: asyncio.TaskGroup) -> None:
        """Claim for one chat. What cannot be read time and again is put aside, for a person."""
        try:
            await self._begin([chat_id], now, group)
        except StoreError:
            raise
        except Exception as error:
            count = self._faults.failed(chat_id, now)
            await self._report.tell("reading a message", error, chat_id)
            if count >= CLAIM_TRIES:
                reason = f"newsbell itself failed to read this ({type(error).__name__})"
                await self._store.put_aside(chat_id, reason, now)

    async def _send_and_settle(
        self, delivery: Delivery, since: float, error: Exception | None = None
    ) -> None:
        """Send and settle a delivery, unless it could not even begin because of this error."""
        with bound_contextvars(delivery_id=delivery.id, chat_id=delivery.chat.id):
            try:
                if error is None:
                    await self._store_settlement(await self._attempt(delivery, since))
                    return
                await self._store_settlement(await self._failed(delivery, error, doubt=False))
            except Exception as unexpected:  # the others must go on
                await self._store_settlement(await self._failed(delivery, unexpected, doubt=True))
            finally:
                self.steps += 1
                self._busy.pop(delivery.chat.id, None)
                self._wake.set()

    async def _failed(self, delivery: Delivery, error: Exception, *, doubt: bool) -> Settlement:
        """What to store where newsbell itself failed."""
        await self._report.tell("delivering a message", error, delivery.chat.id)
        reason = f"newsbell itself failed to deliver this ({type(error).__name__})"
        return policy.failed(delivery, reason, self._clock.now(), doubt=doubt)

    async def _attempt(self, delivery: Delivery, since: float) -> Settlement:
        """Send, and decide what becomes of it."""
        message = await self._message(delivery)
        if not isinstance(message, Message):
            return await self._settlement(delivery, message, None)
        channel = self._channels[delivery.chat.kind]
        down = await self._service_down(channel, delivery)
        if down:
            return await self._settlement(delivery, down, message)
        waited = self._clock.monotonic() - since
        if self._is_shared and waited > CLAIM_HOLDS.total_seconds():
            return await self._settlement(delivery, _LATE, None)
        outcome = await self._call(channel, delivery, message)
        return await self._settlement(delivery, outcome, message)

    async def _message(self, delivery: Delivery) -> Message | SendOutcome:
        """What to send; an outcome where there is nothing, or no way."""
        chat = delivery.chat
        if chat.kind not in self._channels:
            reason = f"no way to {chat.kind} at present: is its token set?"
            return NotSent(reason, CHANNEL_RETRY)
        if delivery.kind is DeliveryKind.EDIT and delivery.message_id is None:
            return MessageLost("the message to change was never sent")
        if delivery.changes_message and not delivery.abilities.edits:
            return MessageLost(DropReason.NO_EDITS)
        try:
            page = await self._story_page(delivery)
            message = render(delivery, self._clock.now(), self._translator(chat), page)
            is_shown = delivery.kind is DeliveryKind.EDIT and delivery.shown == message.digest
            return Unchanged() if is_shown else message
        except Exception as error:  # our own mistake in one message must not stop the others
            await self._report.tell("writing a message", error, chat.id)
            return Refused("newsbell itself failed to write this message; its log says how")

    async def _service_down(self, channel: Channel, delivery: Delivery) -> SendOutcome | None:
        """While the service takes nothing, ask it first what leaves no message in doubt."""
        try:
            if delivery.chat.address and self._gate.outage and isinstance(channel, ServiceCheck):
                return await channel.check()
        except Exception as error:
            await self._report.tell("asking the service", error, delivery.chat.id)
        return None

    async def _call(self, channel: Channel, delivery: Delivery, message: Message) -> SendOutcome:
        """Send."""
        try:
            return await channel.send(delivery, message)
        except Exception as error:  # the call may have gone out
            await self._report.tell("sending a message", error, delivery.chat.id)
            return Undecided("newsbell itself failed while this was being sent; its log says how")

    async def _settlement(
        self, delivery: Delivery, outcome: SendOutcome, sent: Message | None
    ) -> Settlement:
        """Decide what becomes of a delivery; no answer of a service may end the deliverer.

        `sent`: what the service was given; None where it was not asked.
        """
        chat, now = delivery.chat, self._clock.now()
        try:
            if sent and chat.address:
                self._gate.end(chat.id, outcome, now)
            else:
                self._gate.release(chat.id, now)
        except Exception as error:
            await self._report.tell("keeping the state of the service", error, chat.id)
        try:
            probe_at, digest = self._gate.next_probe_at, sent.digest if sent else b""
            settlement = policy.settle(delivery, outcome, now, probe_at, digest=digest)
        except Exception as error:
            settlement = await self._failed(delivery, error, doubt=isinstance(outcome, Undecided))
            if isinstance(outcome, Sent):
                settlement = Settlement(delivery, DeliveryState.SENT, message_id=outcome.message_id)
        try:
            self._limits.end(chat.address, now, outcome, settlement.retry_at)
        except Exception as error:
            await self._report.tell("counting a message", error, chat.id)
        return settlement

    async def _store_settlement(self, settlement: Settlement) -> None:
        """Store an outcome, and say what follows from it.

        It must not be lost: the chat waits until the database takes it.
        """
        chat, failures = settlement.delivery.chat, 0
        while True:
            try:
                await self._store.settle([settlement], self._clock.now())
                break
            except StoreError as error:
                pause = STORE_PAUSE.total_seconds()
                log.error("settle_failed", error=str(error), retry_after=pause)
                await asyncio.sleep(pause)
            except Exception as error:  # what came with the state may be what cannot be stored
                await self._report.tell("keeping an outcome", error, chat.id)
                await asyncio.sleep(failures and policy.backoff(failures).total_seconds())
                failures += 1
                settlement = policy.essence(settlement)
        log.debug("delivery_settled", state=settlement.state)
        try:
            if settlement.state is DeliveryState.UNKNOWN:
                log.error("delivery_undecided", error=settlement.error)
            if chat.address:
                await self._keep_outage()
            self._settled(settlement)
        except Exception as error:  # all of it is stored
            await self._report.tell("saying what became of a message", error, chat.id)

    async def _keep_outage(self) -> None:
        """Store, log and tell what changed about the service."""
        outage = self.outage
        before = self._outage
        if (outage and outage.fault) == (before and before.fault):
            return
        now, self._outage = self._clock.now(), outage
        notice = None
        if outage:
            log.warning("service_unavailable", fault=outage.fault, reason=outage.reason)
        elif before:
            seconds = (now - before.since).total_seconds()
            log.warning("service_available", fault=before.fault, seconds=round(seconds))
            notice = policy.outage_notice(before, now)
        try:
            await self._store.keep_outage(outage, notice, now)
        except StoreError as error:
            log.error("settle_failed", error=str(error))
            self._outage = before  # with the next outcome
