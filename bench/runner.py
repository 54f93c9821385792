"""Starts the wire and the programs, each on its core, and compares their reports with the wire's.

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

from bench.command_line import ROOT
from bench.figures import Run
from bench.wire import address

if TYPE_CHECKING:
    from collections.abc import Iterator

#: seconds after which a program is ended
PATIENCE = 900

_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
_MARKER = re.compile(r"zq[a-z0-9]+k\d{5}")


class ProgramError(Exception):
    """A program failed or did not end; the message says how."""


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
    #: the tree that it imports from
    root: Path = ROOT


def _cores() -> tuple[int, int]:
    """Return the core of the wire and that of the programs; they are the same if there is one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def _environment(root: Path) -> dict[str, str]:
    """Return a small environment, without proxies, for a program of a tree.

    Small, because requests goes through all of it for every URL, which would count for its users.
    """
    variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return {**variables, "PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}


def _start(
    command: list[str], core: int, stdout: int, stderr: int | None, root: Path = ROOT
) -> subprocess.Popen[str]:
    """Start a process on a core: it inherits ours, which is changed for that moment."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(
            command, cwd=root, env=_environment(root), text=True, stdout=stdout, stderr=stderr
        )
    finally:
        os.sched_setaffinity(0, before)


class Wire:
    """The control side of the running server."""

    def __init__(self, port: int) -> None:
        """Remember where it listens."""
        self.port = port

    def post(self, path: str, content: object = None) -> None:
        """Send a control request."""
        self._ask("POST", path, json.dumps(content))

    def counts(self) -> list[list[int]]:
        """Return the counts of each feed."""
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
def started_wire(feeds: int, data: Path | None) -> Iterator[tuple[Wire, dict[str, Any]]]:
    """Start the server; yield its control side and its description; end it."""
    command = [sys.executable, "-m", "bench.wire", "--feeds", str(feeds)]
    if data is not None:
        command += ["--data", str(data)]
    server = _start(command, _cores()[0], stdout=subprocess.PIPE, stderr=None)
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            sys.exit("the wire did not start")
        about = json.loads(line)
        yield Wire(about["port"]), about
    finally:
        server.terminate()
        server.communicate()


class Bench:
    """Runs programs against one wire."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        """Put the states of the programs below the folder."""
        self._wire = wire
        self._folder = folder
        self._truth: dict[int, str] = {}

    def begin(self, label: str, modes: list[str]) -> None:
        """Set the wire to a phase."""
        self._wire.post("/control/phase", {"label": label, "modes": modes})
        self._truth = {int(k): marker for k, marker in self._wire.truth().items()}

    def run(self, program: Program, phase: str, number: int, feeds: int) -> Run:
        """Run a program over the first feeds: from nothing in the cold phase, else from its state.

        Raises: ProgramError.
        """
        cold = self._folder / f"{program.name}-cold"
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
                shutil.copytree(cold, state)
            self._wire.post("/control/reset")
            process_cpu = _run_process(
                program, ["--urls", str(urls), "--state", str(state), "--out", str(out)]
            )
            report = json.loads(out.read_text(encoding="utf-8"))
            if phase == "cold":
                shutil.copytree(state, cold, dirs_exist_ok=True)
        return Run(
            program=program.name,
            phase=phase,
            round=number,
            feeds=feeds,
            seconds=report["seconds"],
            cpu=report["cpu"],
            process_cpu=process_cpu,
            rss_mb=report["rss_mb"],
            errors=report.get("errors", 0),
            lag_p99_ms=report.get("lag_p99_ms"),
            lag_max_ms=report.get("lag_max_ms"),
            **self._requests(feeds),
            **self._new_entries(report["new"], feeds),
        )

    def _requests(self, feeds: int) -> dict[str, Any]:
        """Return what the wire counted in the last run."""
        counts = self._wire.counts()
        requests, _, unchanged, packed = (sum(column) for column in zip(*counts, strict=True))
        return {
            "not_modified": unchanged / max(1, requests),
            "gzipped": packed / max(1, requests - unchanged),
            "polled_once": sum(polls == 1 for polls, *_ in counts[:feeds]) / feeds,
        }

    def _new_entries(self, new: list[str], feeds: int) -> dict[str, Any]:
        """Compare the entries reported as new with the items published."""
        published = {marker for k, marker in self._truth.items() if k < feeds}
        reported = {match.group() for title in new if (match := _MARKER.search(title))}
        hits = len(published & reported)
        return {"published": len(published), "reported": hits, "false": len(new) - hits}


def _run_process(program: Program, arguments: list[str]) -> float:
    """Run the program to its end; return the processor time of it and its children in seconds.

    Raises: ProgramError.
    """
    threads = ["--workers", str(program.workers)] if program.workers > 1 else []
    command = [str(program.python), str(program.script), *arguments, *threads]
    before = _children_cpu()
    process = _start(
        command, _cores()[1], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, root=program.root
    )
    try:
        errors = process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise ProgramError(f"no end after {PATIENCE} s") from error
    if process.returncode:
        raise ProgramError(f"exit {process.returncode}: {errors.strip().rpartition(chr(10))[2]}")
    return _children_cpu() - before


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
