"""Benchmarks: what newsbell costs beside its peers. Not tests: no timing here is ever an assertion.

What stands up a newsbell and a Bot API for tests stands them up here too, so the folder of the tests is importable.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
