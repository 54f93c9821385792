"""Options that are numbers of a range. No command, and no durations such as 30m."""

from math import isfinite
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number of a range; what is no number, or infinite, is out of it.

    `nan` is neither below the least nor above the most, so click would take it.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        number = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
