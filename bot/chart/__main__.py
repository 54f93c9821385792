"""The child that draws one chart: `{"dark": ..., "memory": ..., "seconds": ..., "trend": {...}}` on standard input, PNG on standard output."""

import json
import math
import resource
import sys

from bot.chart.trend import from_json


def bound(memory: int, seconds: float) -> None:
    """What escapes the parent's clock, or outlives the parent, ends by the kernel's."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (1024 * 1024, 1024 * 1024)
    )  # bytes; matplotlib's list of fonts has 30 KB


def main() -> None:
    """Read, draw, write."""
    given = json.loads(sys.stdin.buffer.read())
    bound(given["memory"], given["seconds"])
    from bot.chart.picture import draw  # noqa: PLC0415 (matplotlib has to come after the bounds)

    sys.stdout.buffer.write(draw(from_json(json.dumps(given["trend"])), dark=given["dark"]))


if __name__ == "__main__":
    main()
