"""All by which somebody outside sees that newsbell works, built together and run as parts.

Watchdog, health check, measures, heartbeat, service manager, the listener for a monitor. Each is
a module of its own; here they are only joined. Changes nothing of what newsbell does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.delivery.deliverer import Deliverer
from bot.errors import NewsbellError
from bot.feeds.batch import BatchCommitter
from bot.feeds.poller import Poller
from bot.i18n.phrase import Phrase
from bot.model.database_address import DatabaseAddress
from bot.model.delivery import NoticeKind, notice
from bot.model.gauges import Gauges
from bot.model.health import Role
from bot.model.nodes import Sharing
from bot.ports import Caller, Clock, Store
from bot.service.health import HealthCheck
from bot.service.heartbeat import Heartbeat
from bot.service.live_config import LiveConfig
from bot.service.loop_lag import LoopLag
from bot.service.measures import Measures
from bot.service.service_manager import ServiceManager
from bot.service.supervisor import Part
from bot.service.watchdog import Progress, Watchdog
from bot.service.workers import Workers
from bot.store.read_only import ReadOnlyDatabase

log = structlog.stdlib.get_logger("newsbell.monitor")


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at."""

    live: LiveConfig
    store: Store
    clock: Clock
    poller: Poller
    committer: BatchCommitter
    deliverer: Deliverer
    workers: Workers
    measures: Measures
    caller: Caller
    service_manager: ServiceManager
    role: Role | None = None  #: None where no other newsbell can share the database


class Monitoring:
    """Watches one newsbell, and tells others how it is."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self._database = watched.live.config.database  # what is open, whatever the file says later
        self.lag, self.measures = LoopLag(), watched.measures
        self.watchdog = _watchdog(watched, self.report)
        self.health = HealthCheck(
            watchdog=self.watchdog,
            files=watched.store.files,
            poller=watched.poller,
            deliverer=watched.deliverer,
            measures=watched.measures,
            lag=self.lag,
            clock=watched.clock,
            asks_telegram=self._asks_telegram,
            role=watched.role,
        )
        self.heartbeat = Heartbeat(self._heartbeat_address, watched.caller, self.health.look)
        self.service_manager = watched.service_manager

    async def report(self, text: Phrase) -> None:
        """Tell the operator. Raises StoreError."""
        told = notice(NoticeKind.INTERNAL, text)
        await self.watched.store.admin.notify(told, self.watched.clock.now())
        self.watched.deliverer.wake()

    def parts(self) -> list[Part]:
        """Return what runs as long as newsbell does."""
        parts = [
            Part("the watchdog", self.watchdog.run, essential=True),
            Part("measuring the event loop", self.lag.run),
            Part("the heartbeat", self.heartbeat.run),
            Part("telling the service manager", self._tell_service_manager),
        ]
        listen = self.watched.live.settings.monitor.listen
        if listen:
            # The server and Prometheus' library are for those who have a monitor.
            from bot.service.monitor import Monitor  # noqa: PLC0415

            monitor = Monitor(listen, self.health.look, self.exposition)
            parts.append(Part("answering the monitor", monitor.run))
        return parts

    async def exposition(self) -> bytes:
        """Return everything that is measured, in the format of Prometheus."""
        from bot.service.metrics import Sample, exposition  # noqa: PLC0415 (as above)

        watched, now = self.watched, self.watched.clock.now()
        # By a connection and a thread of its own, so that no poll waits for it.
        gauges = await asyncio.to_thread(self._gauges, now)
        sharing = await asyncio.to_thread(sharing_of, self._database) if watched.role else None
        return exposition(
            Sample(
                now,
                self.health.look(),
                watched.measures,
                gauges,
                watched.workers.reading,
                watched.workers.processes,
                watched.committer.window_size,
                sharing,
            )
        )

    def _gauges(self, now: datetime) -> Gauges | None:
        try:
            return ReadOnlyDatabase(self._database).gauges(now)
        except NewsbellError as error:
            log.warning("gauges_unreadable", error=str(error))
            return None

    async def _tell_service_manager(self) -> None:
        await self.service_manager.run(self.health.look, self.watchdog.moves)

    def _heartbeat_address(self) -> str:
        secret = self.watched.live.settings.heartbeat
        return secret.get_secret_value() if secret else ""

    def _asks_telegram(self) -> bool:
        config = self.watched.live.config
        return config.token is not None and config.settings.telegram.webhook is None


def sharing_of(database: DatabaseAddress) -> Sharing | None:
    """Return the machines that share a database; None where it cannot be read."""
    try:
        return ReadOnlyDatabase(database).sharing()
    except NewsbellError as error:
        log.warning("gauges_unreadable", error=str(error))
        return None


def _watchdog(watched: Watched, report: Callable[[Phrase], Awaitable[None]]) -> Watchdog:
    polls, deliveries, clock = watched.store.polls, watched.store.deliveries, watched.clock
    poller, deliverer = watched.poller, watched.deliverer
    return Watchdog(
        (
            Progress("polling", lambda: poller.steps, lambda: polls.is_overdue(clock.now())),
            Progress(
                "delivery", lambda: deliverer.steps, lambda: deliveries.is_overdue(clock.now())
            ),
        ),
        report,
    )
