"""What a start of the command line costs, and what newsbell takes on the disk.

    python -m bench.start [--rounds 5]

Starts each command as a process of its own and takes the CPU time that the kernel counted, which
depends less than the clock's on what else the machine does. The disk's share is that of the
libraries that lock/run.txt names, without pip and setuptools, and of newsbell with its data.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from bench.aims import Aim, table
from bench.command_line import ROOT, describe_machine, parse, write_record
from bot.store.stores import SqliteStore

#: the arguments of each command
COMMANDS = {
    "--help": ("--help",),
    "check": ("check", "feeds.yaml"),
    "status": ("status", "--config", "feeds.yaml"),
}
_INSTALLERS = {"pip", "setuptools"}
_LARGEST = 8  # libraries that the table names


def cpu_seconds(folder: Path, arguments: tuple[str, ...]) -> float:
    """Return user and system time of one start; byte code is read from and kept in the folder.

    Installers compile it; in an environment that keeps none, a start would compile all modules.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def make_database(path: Path) -> None:
    """Make an empty database, which `status` reads."""
    async with SqliteStore(path):
        pass


def on_disk(path: Path) -> int:
    """Return the bytes that a file takes with its byte code, in whole blocks."""
    cached = path.parent.joinpath("__pycache__").glob(f"{path.stem}.cpython-*.pyc")
    parts = [path, *(cached if path.suffix == ".py" else ())]
    return sum(512 * part.stat().st_blocks for part in parts if part.is_file())


def sizes() -> dict[str, float]:
    """Return the MiB of each library of the lock, and of newsbell."""
    lock = (ROOT / "lock" / "run.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)) - _INSTALLERS
    found: dict[str, float] = {}
    for name in names:
        try:
            listed = files(name) or []
        except PackageNotFoundError:  # it is for another version of Python
            continue
        paths = {Path(str(file.locate())) for file in listed if file.suffix != ".pyc"}
        found[name] = sum(map(on_disk, paths)) / 2**20
    own = (path for path in (ROOT / "bot").rglob("*") if path.suffix != ".pyc")
    found["newsbell"] = sum(map(on_disk, own)) / 2**20
    return found


def commit() -> str:
    """Return the commit that is measured; empty outside of a repository."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description="starts of newsbell, and its size")
    parser.add_argument("--rounds", type=int, default=5, help="starts of each command")
    options = parse(parser, {"rounds": 1})
    print(f"{describe_machine()}, commit {commit()}\n")
    print("| command, shipped feeds.yaml | CPU, least | CPU, most |\n|---|---:|---:|")
    rows: list[dict[str, str | float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "feeds.yaml", folder)
        asyncio.run(make_database(folder / "newsbell.db"))
        for title, arguments in COMMANDS.items():
            cpu_seconds(folder, arguments)  # compiles what it imports
            seconds = [cpu_seconds(folder, arguments) for _ in range(options.rounds)]
            print(f"| {title} | {min(seconds):.2f} s | {max(seconds):.2f} s |", flush=True)
            rows.append({"command": title, "least": min(seconds), "most": max(seconds)})
    found = sizes()
    largest = sorted(found, key=found.__getitem__, reverse=True)[:_LARGEST]
    named = ", ".join(f"{part} {found[part]:.0f}" for part in largest)
    print(f"\nInstalled: {sum(found.values()):.0f} MiB; the largest parts: {named}")
    limits = {"--help": 0.2, "check": 0.5, "status": 0.5}
    least = {row["command"]: row["least"] for row in rows}
    aims = [Aim(f"{name}, CPU", "s", limit, float(least[name])) for name, limit in limits.items()]
    print(f"\n{table([*aims, Aim('installed', 'MiB', 260.0, sum(found.values()))])}")
    write_record(options, rows, commit=commit(), mib=found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
