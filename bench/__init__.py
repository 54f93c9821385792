"""Benchmarks: what newsbell costs, beside its peers. Not tests: no figure is ever an assertion.

The harnesses of the tests run newsbell and the Bot API here too, so their folder is importable.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
