"""Choose the chats to send to now: free places, free addresses, limits, and the service's gate.

Takes `now`; no I/O.
"""

from collections.abc import Mapping
from datetime import datetime

from bot.delivery.chat_pace import ChatPace
from bot.delivery.rate_limits import OVERALL_SPAN, RateLimiter
from bot.delivery.service_gate import ServiceGate
from bot.model.alerts import Priority
from bot.model.delivery import Waiting

MAX_IN_FLIGHT = 30  #: sends under way at once
WAITING_READ = 200  #: waiting chats read at a time


class Choice:
    """Chats that may be sent to at one moment, as they are gathered."""

    def __init__(
        self,
        limits: RateLimiter,
        pace: ChatPace,
        gate: ServiceGate,
        busy: Mapping[int, int],
        now: datetime,
    ) -> None:
        self.next_at: datetime | None = None
        self._chats: list[int] = []
        self._candidates: list[Waiting] = []  # for the probe, where the service takes nothing
        self._limits, self._pace, self._gate, self._now = limits, pace, gate, now
        self._free = MAX_IN_FLIGHT - len(busy)
        self._addresses = {address for address in busy.values() if address}
        self._limited = 0  # chosen chats that the limits concern

    def is_full(self) -> bool:
        """Whether all places are filled, or there is enough to choose a probe from."""
        return len(self._chats) >= self._free or len(self._candidates) >= WAITING_READ

    def chosen(self) -> list[int]:
        """The chats to send to; while the service takes nothing, one at most that it concerns."""
        if not self._candidates:
            return self._chats
        return [*self._chats, self._gate.pick(self._candidates).chat_id]

    def consider(self, chat: Waiting) -> None:
        """Choose the chat if there is a place, its address is free and the limits allow it."""
        if self.is_full() or chat.address in self._addresses:
            return
        urgent = chat.priority <= Priority.BREAKING
        at = max(
            self._limits.allowed_at(chat.address, self._now, self._limited, urgent=urgent),
            self._pace.allowed_at(chat.kind, chat.chat_id, self._now),
        )
        if at > self._now:
            self.wait_until(at)
            return
        if chat.address and self._gate.outage:
            self._candidates.append(chat)
            return
        self._chats.append(chat.chat_id)
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
