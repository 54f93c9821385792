"""Count what a newsbell does: plain additions where it happens, read by whoever asks.

Knows no library and no format (`metrics` has them), decides nothing.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bot.feeds.poller import PollReport
from bot.model.alerts import BundleKind
from bot.model.delivery import DeliveryKind, DeliveryState, Settlement
from bot.ports import Clock

#: upper ends, in seconds
SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)


class Distribution:
    """How many values fell below each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds  #: upper ends, in seconds
        self.counts = [0] * (len(bounds) + 1)  #: by the bound a value is within; the last: beyond
        self.sum = 0.0  #: of all values, in seconds

    def add(self, seconds: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds


class Measures:
    """What one process counted since its start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.polls: Counter[str] = Counter()  #: by failure; `ok` for none
        self.deliveries: Counter[str] = Counter()  #: tries by the state that they led to
        self.fetch, self.parse = Distribution(SHORT), Distribution(SHORT)
        self.commit = Distribution(SHORT)
        #: of alerts that were sent: from publication and from when the entry was first seen
        self.published_to_sent, self.seen_to_sent = Distribution(LONG), Distribution(LONG)
        self.cleanups = 0  #: that went through
        self.last_poll_at: datetime | None = None
        self.last_sent_at: datetime | None = None
        self.telegram_answered_at: datetime | None = None
        self._telegram_answered = 0.0  # on the monotonic clock

    def polled(self, reports: Iterable[PollReport]) -> None:
        """Count polls that were stored."""
        self.last_poll_at = self._clock.now()
        for report in reports:
            self.polls[report.failure or "ok"] += 1
            if report.answer_seconds:
                self.fetch.add(report.answer_seconds)
            if report.parse_seconds:
                self.parse.add(report.parse_seconds)

    def settled(self, settlement: Settlement) -> None:
        """Count a delivery that was tried.

        Of digests, quiet hours and catch-up no delay is counted: they wait as they should.
        """
        self.deliveries[settlement.state] += 1
        delivery, now = settlement.delivery, self._clock.now()
        if settlement.state is not DeliveryState.SENT:
            return
        self.last_sent_at = now
        if delivery.kind is not DeliveryKind.ALERT:
            return
        for alert in delivery.alerts:
            if alert.catch_up or alert.form is not BundleKind.ALERT:
                continue
            self.seen_to_sent.add(max(0.0, (now - alert.first_seen_at).total_seconds()))
            if alert.published:
                self.published_to_sent.add(max(0.0, (now - alert.published).total_seconds()))

    def telegram_answered(self) -> None:
        """Note that Telegram answered."""
        self.telegram_answered_at = self._clock.now()
        self._telegram_answered = self._clock.monotonic()

    def telegram_silent_for(self, uptime: float) -> float:
        """Return the seconds since Telegram's last answer, or since the start."""
        if self.telegram_answered_at is None:
            return uptime
        return self._clock.monotonic() - self._telegram_answered
