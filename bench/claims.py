"""`make soak PART=claims`: what issue 13 claims of the real program, one claim after another.

    python -m bench.claims [CLAIM ...] [--scale 1.0] [--folder F]

`--scale 0.1` makes the trouble a tenth as long or as frequent. Exit code 1 where one does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from outside.claims import CLAIMS


def main() -> int:
    """Run them; 1 where one does not hold."""
    parser = argparse.ArgumentParser(description="claims, each on the real program")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    parser.add_argument("--scale", type=float, default=1.0, help="how long, how often")
    parser.add_argument("--folder", type=Path, help="keep databases and logs there")
    options = parser.parse_args()
    # what is killed breaks off its requests, and there are many
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    held = True
    for name in options.claims or CLAIMS:
        with tempfile.TemporaryDirectory(prefix="claims-") as temporary:
            folder = (options.folder or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            result = asyncio.run(CLAIMS[name](folder, options.scale))
        held &= result.holds
        print(f"{name:12} {'holds' if result.holds else 'DOES NOT HOLD'}: {result}", flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
