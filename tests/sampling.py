"""How much of the long enumerations a run takes: a share that changes with the seed, or all.

The seed is the day unless `SEED` names one; `SOAK=1` takes all. Not assertions.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

Item = TypeVar("Item")

SOAK = os.environ.get("SOAK", "0") not in {"", "0"}
#: Set in the environment so that all processes of a run have the same, also at midnight.
SEED = int(os.environ.setdefault("SEED", f"{datetime.now(UTC):%Y%m%d}"))
MENTION = f"SEED={SEED} SOAK={SOAK:d}"  #: what repeats the run


def share(items: Sequence[Item], parts: int) -> list[Item]:
    """Return every `parts`-th item; `parts` seeds in a row, or days of a month, see all."""
    return list(items) if SOAK else list(items[SEED % parts :: parts])


def amount(usual: int, soak: int) -> int:
    """Return how often something drawn by chance is done."""
    return soak if SOAK else usual


def examples(soak: int) -> int:
    """Return the number of examples that hypothesis draws: a fifth, other ones with each seed."""
    return soak if SOAK else max(soak // 5, 10)
