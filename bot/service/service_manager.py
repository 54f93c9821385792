"""Tell the service manager that newsbell is ready, alive, reloading or stopping (sd_notify(3)).

One datagram a message to the socket of NOTIFY_SOCKET; without one nothing is told. That newsbell
is alive is told only while work moves: a manager that misses it ends the process and starts it
again. Judges nothing itself.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from bot.model.health import Health, Role

STATUS_EVERY = 30.0  #: seconds between two messages at most
_LENGTH = 400  # characters of the status line


class ServiceManager:
    """What newsbell tells whoever started it."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        """`address` is that of a datagram socket, empty for nobody.

        `watchdog`: seconds within which it has to hear that newsbell is alive; 0 for never.
        """
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog if address else 0.0
        self._status = ""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], process: int) -> "ServiceManager":
        """Return the manager that started this process, by its number."""
        watchdog = 0.0
        if environment.get("WATCHDOG_PID") in {None, "", str(process)}:
            with suppress(ValueError):
                watchdog = max(0, int(environment.get("WATCHDOG_USEC", "0"))) / 1_000_000
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog)

    @property
    def every(self) -> float:
        """Seconds between two messages: half of what may pass between them (sd_notify(3))."""
        return min(STATUS_EVERY, self._watchdog / 2) if self._watchdog else STATUS_EVERY

    def ready(self) -> None:
        """All of newsbell runs."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Newsbell ends by itself."""
        self._tell("STOPPING=1", "STATUS=Finishing what is under way.")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """The configuration is read again while this lasts."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self._tell("READY=1")

    async def run(self, look: Callable[[], Health], moves: Callable[[float], bool]) -> None:
        """Tell how newsbell is until cancelled; `moves` says of the loop's time whether work does.

        Without a manager it waits.
        """
        loop = asyncio.get_running_loop()
        while self._address:
            self.tell_health(look(), is_alive=moves(loop.time()))
            await asyncio.sleep(self.every)
        await asyncio.Event().wait()

    def tell_health(self, health: Health, *, is_alive: bool) -> None:
        """Tell what newsbell does, and that it is alive if it is."""
        lines = ["WATCHDOG=1"] if is_alive and self._watchdog else []
        status = f"STATUS={status_line(health)}"
        if status != self._status:
            lines.append(status)
            self._status = status
        if lines:
            self._tell(*lines)

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A manager that is gone or busy hears the next message.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)
            connection.sendto("\n".join(lines).encode(), self._address)


def status_line(health: Health) -> str:
    """Return what `systemctl status` shows: why newsbell does not work, or what it did last."""
    if not health.healthy:
        return " ".join(" ".join(map(str, health.reasons)).split())[:_LENGTH]
    if health.role in {Role.POLLS, Role.WAITS}:
        text = " ".join(["Waits for its turn to lead.", *health.notes])
        return text[:_LENGTH]
    done = [("polled", health.last_poll_at), ("sent", health.last_sent_at)]
    parts = [f"{what} at {at:%H:%M} UTC" for what, at in done if at]
    return f"Works; last {', '.join(parts)}." if parts else "Works; nothing polled yet."
