"""The clocks of a program, moved from outside: `clock_shim.c`, compiled and loaded before libc.

Needs a C compiler; `ClockShim.available` says whether there is one. No assertions.
"""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shim.c")
_LAYOUT = struct.Struct("4q")
_NANOSECONDS = 1_000_000_000


class ClockShim:
    """How far the clocks of the programs that load it are ahead of the machine's, in seconds."""

    def __init__(self, folder: Path, *, leaps: bool = False) -> None:
        """`leaps`: waits for sockets look up when the monotonic clock is moved."""
        self.wall = self.suspended = self.steady = 0.0
        self._leaps = leaps
        self._library = folder / "clock_shim.so"
        self._file = folder / "clock"
        compiler = self.available()
        assert compiler, "there is no C compiler"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SOURCE)]
        subprocess.run([*command, "-ldl"], check=True, timeout=60)  # noqa: S603 (our own)
        self._file.write_bytes(bytes(_LAYOUT.size))
        with self._file.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._write()

    @staticmethod
    def available() -> str | None:
        """The C compiler, if there is one."""
        return shutil.which("cc") or shutil.which("gcc")

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in its environment, and passes on to its children."""
        return {"LD_PRELOAD": str(self._library), "NEWSBELL_TEST_CLOCK": str(self._file)}

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock alone to so many seconds ahead of the machine's, or behind it."""
        self.wall = seconds
        self._write()

    def leap(self, seconds: float, steady: float | None = None) -> None:
        """Move all clocks on; the monotonic one by `steady`, as if suspended for the rest."""
        self.wall += seconds
        self.suspended += seconds
        self.steady += seconds if steady is None else steady
        self._write()

    def _write(self) -> None:
        values = (round(x * _NANOSECONDS) for x in (self.wall, self.suspended, self.steady))
        self._shared[:] = _LAYOUT.pack(*values, self._leaps)
