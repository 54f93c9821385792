"""Say whether a newsbell that runs does its work, for a health check, a monitor, a service manager.

Looks at what others noticed; mends nothing, ends nothing.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bot import __version__
from bot.delivery.deliverer import Deliverer
from bot.feeds.poller import Poller
from bot.i18n.phrase import Phrase, phrase, span_phrase, verbatim
from bot.model.health import Health, Role
from bot.ports import Clock, StoreFiles
from bot.service.loop_lag import LoopLag
from bot.service.measures import Measures
from bot.service.watchdog import PIPELINES, Watchdog

STANDS = 180.0  #: seconds that a pipeline may stand still though something is due
SILENT = timedelta(minutes=10)  #: after which a Telegram that takes or says nothing is a fault


class HealthCheck:
    """Judges one newsbell. Asks no database and no network."""

    def __init__(
        self,
        *,
        watchdog: Watchdog,
        files: StoreFiles,
        poller: Poller,
        deliverer: Deliverer,
        measures: Measures,
        lag: LoopLag,
        clock: Clock,
        asks_telegram: Callable[[], bool],
        role: Role | None = None,
    ) -> None:
        """`asks_telegram`: Telegram is asked for updates all the time, so that it answers."""
        self._role = role
        self._watchdog, self._files = watchdog, files
        self._poller, self._deliverer, self._measures = poller, deliverer, measures
        self._lag, self._clock, self._asks_telegram = lag, clock, asks_telegram
        self._started_at, self._began = clock.now(), clock.monotonic()

    def look(self) -> Health:
        """Return the state of this moment; on the event loop."""
        measures = self._measures
        return Health(
            __version__,
            self._started_at,
            self._clock.monotonic() - self._began,
            self._lag.worst,
            self._files.bytes(),
            tuple(self._reasons()),
            measures.last_poll_at,
            measures.last_sent_at,
            measures.telegram_answered_at,
            self._role,
        )

    def _reasons(self) -> list[Phrase]:
        now = asyncio.get_running_loop().time()
        reasons = [
            phrase(
                "{pipeline} has stood still for {span} although something is due.",
                pipeline=PIPELINES.get(name, verbatim(name)),
                span=span_phrase(timedelta(seconds=seconds)),
            )
            for name, seconds in self._watchdog.still_for(now).items()
            if seconds >= STANDS
        ]
        missing = self._files.missing()
        if missing:
            reasons.append(phrase("{file} was deleted, moved or replaced.", file=missing.name))
        if self._poller.store_error:
            reasons.append(verbatim(str(self._poller.store_error)))
        return reasons + self._telegram()

    def _telegram(self) -> list[Phrase]:
        now, outage = self._clock.now(), self._deliverer.outage
        if self._deliverer.token_refused:
            return [phrase("Telegram refuses the bot's token.")]
        if outage and now - outage.since >= SILENT:
            span, why = span_phrase(now - outage.since), outage.reason
            return [phrase("Telegram has taken no messages for {span}: {why}", span=span, why=why)]
        uptime = self._clock.monotonic() - self._began
        silent_for = timedelta(seconds=self._measures.telegram_silent_for(uptime))
        if self._asks_telegram() and silent_for >= SILENT:
            span = span_phrase(silent_for)
            return [phrase("Telegram has not answered for {span}.", span=span)]
        return []
