"""What the command lines of all benchmarks share: a small size, and a record of the figures.

Measures nothing, and knows no benchmark.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
#: where real documents, names and labelled news are, if they are on this machine
DATA = ROOT.parent / "shared" / "data"


def parse(parser: argparse.ArgumentParser, small: Mapping[str, Any]) -> argparse.Namespace:
    """Add `--size` and `--json`, and parse; with `--size small`, these are the defaults."""
    parser.add_argument(
        "--size", choices=("full", "small"), default="full", help="small: a few seconds, no figures"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    if parser.parse_known_args()[0].size == "small":
        parser.set_defaults(**small)
    return parser.parse_args()


def machine() -> dict[str, str | int]:
    """Return the machine the figures are of."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        cpu = next(models, cpu)
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def describe_machine() -> str:
    """Return the machine in a line."""
    return "{cpu}, {cores} cores, Python {python}".format(**machine())


def write_record(
    options: argparse.Namespace, rows: Sequence[Mapping[str, Any]], **facts: Any
) -> None:
    """Write the figures where `--json` says, a row each, with the machine and further facts."""
    if options.json is None:
        return
    options.json.parent.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine(), "size": options.size, **facts, "rows": list(rows)}
    options.json.write_text(json.dumps(record, indent=1, default=str), encoding="utf-8")
