"""Starts the wire and the programs, each on its core, and holds what a program said against what the wire saw.

Knows nothing of phases or rounds, and prints nothing.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import Run
from bench.wire import address

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
#: seconds after which a program is given up
PATIENCE = 900

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
_MARKER = re.compile(r"zq[a-z0-9]+k\d{5}")


class ProgramError(Exception):
    """A program ended badly, or not at all; its message says how."""


@dataclass(frozen=True)
class Program:
    """One program under test."""

    name: str
    #: the interpreter of its environment
    python: Path
    script: Path
    #: its number of threads, where it has them
    workers: int
    #: what to do when it is not there
    remedy: str


def _cores() -> tuple[int, int]:
    """Return the core of the wire and that of the programs; the same one where there is but one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _environment() -> dict[str, str]:
    """Return a small environment: no proxies, for all is loopback.

    Small, because requests walks through all of it for every URL, and so would the figures of its users.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


def _start(command: list[str], core: int, stdout: int, stderr: int | None) -> subprocess.Popen[str]:
    """Start a process on a core: it inherits ours, which we change for the moment of its birth."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(
            command, cwd=ROOT, env=_environment(), text=True, stdout=stdout, stderr=stderr
        )
    finally:
        os.sched_setaffinity(0, before)


class Wire:
    """The control side of the running server."""

    def __init__(self, port: int) -> None:
        """Know where it listens."""
        self.port = port

    def post(self, path: str, content: object = None) -> None:
        """Send a control request."""
        self._ask("POST", path, json.dumps(content))

    def counts(self) -> list[list[int]]:
        """Return what was asked of each feed."""
        counts: list[list[int]] = json.loads(self._ask("GET", "/control/counts"))
        return counts

    def truth(self) -> dict[str, str]:
        """Return the marker of the new item of each feed that has one."""
        markers: dict[str, str] = json.loads(self._ask("GET", "/control/truth"))
        return markers

    def _ask(self, method: str, path: str, content: str = "") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, content)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def started_wire(feeds: int) -> Iterator[tuple[Wire, dict[str, Any]]]:
    """Start the server; give its control side and what it says of itself; end it."""
    command = [sys.executable, "-m", "bench.wire", "--feeds", str(feeds), "--root", str(ROOT)]
    server = _start(command, _cores()[0], stdout=subprocess.PIPE, stderr=None)
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            sys.exit("the wire did not start")
        about = json.loads(line)
        yield Wire(about["port"]), about
    finally:
        server.terminate()
        server.wait()


class Bench:
    """Runs programs against one wire."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        """Keep the states below the folder."""
        self._wire = wire
        self._folder = folder
        self._truth: dict[int, str] = {}

    def begin(self, label: str, modes: list[str]) -> None:
        """Set the wire for a phase."""
        self._wire.post("/control/phase", {"label": label, "modes": modes})
        self._truth = {int(k): marker for k, marker in self._wire.truth().items()}

    def run(self, program: Program, phase: str, turn: int, feeds: int) -> Run:
        """Run one program over the first feeds, from nothing in the cold phase, else from what cold left.

        Raises: ProgramError.
        """
        kept = self._folder / f"{program.name}-cold"
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            state, out, urls = (
                Path(scratch) / "state",
                Path(scratch) / "out.json",
                Path(scratch) / "urls",
            )
            urls.write_text(
                "\n".join(address(k, self._wire.port) for k in range(feeds)), encoding="utf-8"
            )
            if phase != "cold":
                shutil.copytree(kept, state)
            self._wire.post("/control/reset")
            process_cpu = _ran(
                program, ["--urls", str(urls), "--state", str(state), "--out", str(out)]
            )
            told = json.loads(out.read_text(encoding="utf-8"))
            if phase == "cold":
                shutil.copytree(state, kept, dirs_exist_ok=True)
        return Run(
            program=program.name,
            phase=phase,
            round=turn,
            feeds=feeds,
            seconds=told["seconds"],
            cpu=told["cpu"],
            process_cpu=process_cpu,
            rss_mb=told["rss_mb"],
            errors=told.get("errors", 0),
            lag_p99_ms=told.get("lag_p99_ms"),
            lag_max_ms=told.get("lag_max_ms"),
            **self._seen(feeds),
            **self._found(told["new"], feeds),
        )

    def _seen(self, feeds: int) -> dict[str, Any]:
        """Return what the wire saw of the last run."""
        counts = self._wire.counts()
        requests, _, unchanged, packed = (sum(column) for column in zip(*counts, strict=True))
        return {
            "not_modified": unchanged / max(1, requests),
            "gzipped": packed / max(1, requests - unchanged),
            "asked_once": sum(asked == 1 for asked, *_ in counts[:feeds]) / feeds,
        }

    def _found(self, new: list[str], feeds: int) -> dict[str, Any]:
        """Hold the entries reported as new against the items published."""
        right = {marker for k, marker in self._truth.items() if k < feeds}
        reported = {match.group() for title in new if (match := _MARKER.search(title))}
        found = len(right & reported)
        return {"right": len(right), "found": found, "false": len(new) - found}


def _ran(program: Program, arguments: list[str]) -> float:
    """Run the program to its end; return the processor time the kernel gave it and the children it waited for.

    Raises: ProgramError.
    """
    threads = ["--workers", str(program.workers)] if program.workers > 1 else []
    command = [str(program.python), str(program.script), *arguments, *threads]
    before = _children_cpu()
    process = _start(command, _cores()[1], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        errors = process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired as late:
        process.kill()
        process.communicate()
        how = f"no end after {PATIENCE} s"
        raise ProgramError(how) from late
    if process.returncode:
        how = f"exit {process.returncode}: {errors.strip().rpartition(chr(10))[2]}"
        raise ProgramError(how)
    return _children_cpu() - before


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
