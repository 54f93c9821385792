"""The figures of the pages: put there by the benchmarks themselves, never by hand.

A block stands between two comments with the benchmark's name; what is around it is written by
people. It names the commit, the command, the machine and what else that had to do. Measures
nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime

from bench.command_line import ROOT, describe_machine

PAGE = ROOT / "docs" / "benchmarks.md"
#: of benchmarks that have another one
PAGES = {"engines": ROOT / "docs" / "capacity.md"}
_BEGIN, _END = "<!-- {name}: written by the bench -->", "<!-- {name}: end -->"


class NotCommitted(Exception):  # noqa: N818 (a state, as its message says)
    """The tree has changes, so that its figures would be of no commit."""


def commit() -> str:
    """Return the short hash of the commit that is measured. Raises NotCommitted."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "bot", "bench", "lock")
    if changed:
        raise NotCommitted(f"Commit first; these files have changes:\n{changed}")
    return _git("rev-parse", "--short=7", "HEAD")


def block(name: str, command: str, figures: str, at: str, load: float) -> str:
    """Return what stands in the page: where the figures come from, and the figures."""
    day = datetime.now(UTC).date()
    return (
        f"{_BEGIN.format(name=name)}\n"
        f"`{command}`, at {at}, on {day}: {describe_machine()}, load {load:.1f} when it began.\n\n"
        f"{figures.strip()}\n"
        f"{_END.format(name=name)}"
    )


def put(page: str, name: str, title: str, text: str) -> str:
    """Return the page with a block in place of the former one, or behind a title at its end."""
    former = re.compile(
        re.escape(_BEGIN.format(name=name)) + ".*?" + re.escape(_END.format(name=name)), re.DOTALL
    )
    if former.search(page):
        return former.sub(lambda _: text, page)
    return f"{page.rstrip()}\n\n## {title}\n\n{text}\n"


def publish(name: str, title: str, text: str) -> None:
    """Write a block into its page."""
    page = PAGES.get(name, PAGE)
    page.write_text(put(page.read_text("utf-8"), name, title, text), encoding="utf-8")


def load() -> float:
    """Return how many processes wanted to run, of the last minute."""
    return os.getloadavg()[0]


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
