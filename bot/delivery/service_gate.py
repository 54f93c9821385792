"""Decide what goes out while the service takes nothing: one probe at a time, and no more.

A 5xx, an answer that nobody can read, or none at all concerns every chat alike. So the first one
closes the gate for all of them, and one send at a time finds out whether it still holds: at once,
then 2, 4, 8 ... and at most 30 seconds after the start of the last one. Takes `now`; sends nothing.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model.clock import ClockStep
from bot.model.delivery import Outage, SendOutcome, ServiceDown, Undecided, Waiting

FIRST_PROBE = timedelta(seconds=2)  #: after the first probe that failed; then twice as long
LONGEST_PROBE = timedelta(seconds=30)  #: from the start of a probe to the next, at most


class ServiceGate:
    """Whether the service takes messages, as far as its answers show."""

    def __init__(self, outage: Outage | None = None, now: datetime | None = None) -> None:
        """`outage`: one that an earlier process had noticed."""
        self.outage = outage
        self.confirmed = outage is not None  #: a probe failed as well: not a single bad answer
        self._next_at = now
        self._failures = 0
        self._probe: int | None = None  # the chat that is being tried
        self._begun: datetime | None = None
        self._tries: Counter[int] = Counter()  # failures of this outage, by chat

    @property
    def next_probe_at(self) -> datetime | None:
        """When the next probe is due, in an outage that is confirmed."""
        return self._next_at if self.confirmed else None

    def allowed_at(self, now: datetime) -> datetime | None:
        """When something may be sent: `now` for at once, None while a probe is under way."""
        if self.outage is None:
            return now
        if self._probe is not None:
            return None
        # A clock that was set back must not keep the gate closed.
        return min(max(self._next_at or now, now), now + LONGEST_PROBE)

    def pick(self, chats: list[Waiting]) -> Waiting:
        """The chat to try: that which failed least often, so that no message is repeated most."""
        return min(chats, key=lambda chat: self._tries[chat.chat_id])

    def begin(self, chat_id: int, now: datetime) -> None:
        """A send to the chat starts."""
        if self.outage is not None and self._probe is None:
            self._probe, self._begun = chat_id, now

    def release(self, chat_id: int, now: datetime) -> None:
        """The send was over before the service was asked."""
        if self._probe == chat_id:
            self._probe, self._next_at = None, now

    def end(self, chat_id: int, outcome: SendOutcome, now: datetime) -> None:
        """A send was answered or given up."""
        is_probe = self._probe == chat_id
        if not isinstance(outcome, ServiceDown | Undecided):
            self._open()
            return
        if outcome.fault is None:  # newsbell's own fault: it says nothing about the service
            self.release(chat_id, now)
            return
        self._tries[chat_id] += 1
        if self.outage is None:
            self.outage, self._next_at = Outage(outcome.fault, outcome.reason, now), now
            return
        if is_probe:
            self._failures += 1
            wait = min(FIRST_PROBE * (1 << min(self._failures - 1, 8)), LONGEST_PROBE)
            self._next_at = max(now, (self._begun or now) + wait)
            self._probe, self.confirmed = None, True
            self.outage = replace(self.outage, fault=outcome.fault, reason=outcome.reason)

    def clock_set(self, step: ClockStep) -> None:
        """Move all remembered times with the clock, which somebody set."""
        if self.outage:
            self.outage = replace(self.outage, since=step.happened_at(self.outage.since))
        if self._begun:
            self._begun = step.happened_at(self._begun)
        if self._next_at:
            self._next_at = step.waited_until(self._next_at, longest=LONGEST_PROBE)

    def _open(self) -> None:
        self.outage, self.confirmed, self._failures = None, False, 0
        self._probe = self._next_at = None
        self._tries.clear()
