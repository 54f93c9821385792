"""Draw a chart in a child process that can be killed.

A title is anyone's text, and the libraries that draw it are not in Python: what goes wrong in them
ends the child alone. How many are drawn at a time is up to the caller.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bot.chart.trend import Trend, to_json
from bot.errors import ChartError

LARGEST = 300_000  #: bytes of a picture
_PNG, _SVG = b"\x89PNG\r\n\x1a\n", b"<svg "
#: variables that the child gets; tokens are not among them
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH")
#: as Python, C++, Rust and the loader say it
_NO_MEMORY = re.compile(
    r"MemoryError|bad_alloc|[Mm]emory allocation|allocate memory|failed to map segment"
)
_ROOT = str(Path(__file__).resolve().parents[2])

log = structlog.stdlib.get_logger("newsbell.chart")


@dataclass(frozen=True, slots=True)
class ChartLimits:
    """Bounds of one picture."""

    seconds: float = 20.0
    memory: int = 768 * 1024 * 1024  #: address space of the child


COMMAND = (sys.executable, "-P", "-m", "bot.chart")  #: -P: nothing is imported from where it runs


async def draw_chart(
    trend: Trend,
    *,
    dark: bool,
    svg: bool = False,
    limits: ChartLimits | None = None,
    command: Sequence[str] = COMMAND,
) -> bytes:
    """Return the trend as PNG or SVG; the child has ended when this returns or is cancelled.

    Raises:
        ChartError: the child took too long or too much memory, or returned no picture.
            The message is for people.

    """
    limits = limits or ChartLimits()
    request = json.dumps(
        {
            "dark": dark,
            "memory": limits.memory,
            "seconds": limits.seconds,
            "svg": svg,
            "trend": json.loads(to_json(trend)),
        }
    ).encode()
    try:
        with TemporaryDirectory(prefix="newsbell-chart-", ignore_cleanup_errors=True) as scratch:
            code, out, err = await _run(command, request, scratch, limits.seconds)
    except TimeoutError:
        raise ChartError(
            f"Drawing the chart took longer than {limits.seconds:g} seconds and was stopped."
        ) from None
    except OSError as error:
        raise ChartError(f"The chart could not be drawn: {error.strerror or error}.") from error
    if code or not out.startswith(_SVG if svg else _PNG) or len(out) > LARGEST:
        problem = _last_error(err)
        log.warning("chart_failed", exit_code=code, output_bytes=len(out), error=problem)
        if _NO_MEMORY.search(problem):
            raise ChartError("Drawing the chart took too much memory and was stopped.")
        raise ChartError("The chart could not be drawn; the log says why.")
    return out


def _last_error(err: bytes) -> str:
    """Return the last line of standard error that says something: Rust ends with a note."""
    lines = err.decode(errors="replace").strip().split("\n")
    return next((line for line in reversed(lines) if not line.startswith("note:")), "")[:300]


async def _run(
    command: Sequence[str], request: bytes, scratch: str, seconds: float
) -> tuple[int, bytes, bytes]:
    """Return exit code, standard output, standard error. Raises TimeoutError and OSError."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=scratch,
        env=_environment(scratch),
        # Ctrl-C is for newsbell, which ends the child and whatever that started.
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(request)
        return process.returncode or 0, out, err
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _environment(scratch: str) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "HOME": scratch,
        "PYTHONPATH": os.pathsep.join(filter(None, (_ROOT, passed_on.get("PYTHONPATH")))),
    }
