"""What a figure is to reach, and whether it does: the table that a benchmark prints below its own.

Where a figure was not measured, its aim is not shown. Measures nothing and asserts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = "| aim | figure | |\n|---|---:|---|"


@dataclass(frozen=True)
class Aim:
    """A figure and its limit, in one unit."""

    what: str
    unit: str
    limit: float
    figure: float | None  #: None where it was not measured
    at_least: bool = False  #: the limit is the least, not the most

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its limit."""
        assert self.figure is not None
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    @property
    def row(self) -> str:
        """The line of the table."""
        assert self.figure is not None
        bound = "at least" if self.at_least else "at most"
        ratio = self.limit / self.figure if self.at_least else self.figure / self.limit
        verdict = "met" if self.is_met else f"missed by a factor of {ratio:.2f}"
        return (
            f"| {self.what}: {bound} {_number(self.limit)} {self.unit} "
            f"| {_number(self.figure)} | {verdict} |"
        )


def table(aims: Iterable[Aim]) -> str:
    """Return the aims that were measured as Markdown; empty if there are none."""
    rows = [aim.row for aim in aims if aim.figure is not None]
    return "\n".join([_HEAD, *rows]) if rows else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
