"""A `newsbell run` as a process on a folder: start, stop, kill, freeze it, and read its costs.

Whatever it does inside is out of sight. Each process is ended by its id. No assertions.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class End:
    """An end of the process that nobody outside asked for."""

    code: int
    after: float  #: seconds since it was started
    last_words: str


@dataclass
class Program:
    """One newsbell, started again and again on the same folder."""

    folder: Path
    environment: dict[str, str]
    command: tuple[str, ...] = ("-m", "bot")
    inside: tuple[str, ...] = ()  #: what it is started with, to run on a machine of its own
    starts: int = 0
    ends: list[End] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _started_at: float = 0.0
    _asked: bool = False

    @property
    def log(self) -> Path:
        """What it wrote, of all its lives."""
        return self.folder / "newsbell.log"

    @property
    def pid(self) -> int:
        """Its process id; 0 where it does not run."""
        process = self._process
        return process.pid if process and process.returncode is None else 0

    async def start(self) -> None:
        """Start it."""
        self.starts += 1
        self._asked, self._started_at = False, time.monotonic()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.inside,
                sys.executable,
                *self.command,
                "run",
                "-c",
                str(self.folder / "feeds.yaml"),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", **self.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """End it with SIGKILL. Its readers end by themselves."""
        await self._end(signal.SIGKILL, 10)

    async def stop(self, within: float = 60) -> int | None:
        """End it with SIGTERM; its exit code, None where it had to be killed."""
        return await self._end(signal.SIGTERM, within)

    async def freeze(self, seconds: float) -> None:
        """Stop it for a while (SIGSTOP)."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                with suppress(ProcessLookupError):  # killed meanwhile
                    os.kill(pid, signal.SIGCONT)

    def send_signal(self, number: int) -> None:
        """Send it a signal, where it runs."""
        if self.pid:
            os.kill(self.pid, number)

    async def watch(self) -> None:
        """Start it again whenever it ends by itself, as an init system does; until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            process = self._process
            if process is None or process.returncode is None or self._asked:
                continue
            words = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            self.ends.append(End(process.returncode, time.monotonic() - self._started_at, words))
            await asyncio.sleep(1)
            if self._process is process:
                await self.start()

    def children(self) -> list[int]:
        """The processes that it started itself."""
        folders = _threads(self.pid) if self.pid else []
        texts = (_text(folder / "children") for folder in folders)
        return [int(pid) for text in texts for pid in text.split()]

    def kill_readers(self, count: int = 1) -> int:
        """End so many of its readers, without order; how many there were to end."""
        readers = [pid for pid in self.children() if "spawn_main" in _command(pid)]
        for pid in readers[:count]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(readers[:count])

    def cpu(self) -> float:
        """Seconds of CPU of this life, its readers' included."""
        return sum(map(_cpu, [self.pid, *self.children()])) if self.pid else 0.0

    def memory(self) -> tuple[float, float]:
        """Resident MB of the process alone, and of its readers together."""
        return _resident(self.pid), sum(map(_resident, self.children()))

    def is_running(self) -> bool:
        """Whether a thread of it or of its readers has something to do at this moment."""
        return any(
            _stat(pid, thread.name)[:1] in (["R"], ["D"])
            for pid in [self.pid, *self.children()]
            for thread in _threads(pid)
        )

    async def _end(self, number: int, within: float) -> int | None:
        self._asked = True
        process = self._process
        if process is None:
            return None
        killed = False
        if process.returncode is None:
            os.kill(process.pid, signal.SIGCONT)
            process.send_signal(number)
        try:
            async with asyncio.timeout(within):
                await process.wait()
        except TimeoutError:
            killed = True
            process.kill()
            await process.wait()
        return None if killed else process.returncode


async def wait_until(condition: Callable[[], bool], within: float) -> bool:
    """Wait for something outside this process; whether it came about within so many seconds."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.2)
    return True


def _threads(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _stat(pid: int, thread: str = "") -> list[str]:
    """The fields of a process or thread after its name: state, parent and so on."""
    text = _text(Path(f"/proc/{pid}", *(("task", thread) if thread else ()), "stat"))
    return text.rpartition(")")[2].split()


def _cpu(pid: int) -> float:
    """User and system time of a process and of the children it has waited for."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _TICKS if fields else 0.0


def _resident(pid: int) -> float:
    rows = (line.split() for line in _text(Path(f"/proc/{pid}/status")).splitlines())
    return next((int(row[1]) / 1024 for row in rows if row and row[0] == "VmRSS:"), 0.0)


def _command(pid: int) -> str:
    return _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def _text(path: Path) -> str:
    """A file of the kernel's; empty where the process has ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
