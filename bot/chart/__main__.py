"""The child process that draws a chart: JSON on standard input, PNG or SVG on standard output.

The input is `{"dark": bool, "memory": bytes, "seconds": number, "svg": bool, "trend": {...}}`.
"""

import json
import math
import resource
import sys

from bot.chart.trend import from_json


def bound(memory: int, seconds: float) -> None:
    """Set the kernel's limits, for what escapes the parent's time limit or outlives it."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Python may write byte code.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, 1024 * 1024))


def main() -> None:
    """Read, draw, write."""
    request = json.loads(sys.stdin.buffer.read())
    bound(request["memory"], request["seconds"])
    from bot.chart import picture  # noqa: PLC0415 (after the bounds)

    draw = picture.draw_svg if request.get("svg") else picture.draw
    sys.stdout.buffer.write(draw(from_json(json.dumps(request["trend"])), dark=request["dark"]))


if __name__ == "__main__":
    main()
