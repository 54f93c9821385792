"""`newsbell` as it is, but that each step of the store's thread writes down how long it took.

A program: run it as `python -m bot`. Steps go to the file in NEWSBELL_TEST_STEPS, a JSON line each:
what was done, milliseconds, and milliseconds of CPU. Short ones are left out. Searches for garbage,
which stop all threads, are written down beside them.
"""

import concurrent.futures.thread
import gc
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from outside.heap import COLLECTOR, report_at_signal

from bot.cli.main import main

SHORT_MS = 2.0
_submit = ThreadPoolExecutor.submit


def _doing(work: Callable[..., Any]) -> str:
    """What a transaction is for, as `Writer.run` was told."""
    names = work.__code__.co_freevars if hasattr(work, "__code__") else ()
    cells = getattr(work, "__closure__", None) or ()
    values = {name: cell.cell_contents for name, cell in zip(names, cells, strict=True)}
    return str(values.get("doing", getattr(work, "__name__", "?")))


def _submit_timed(
    pool: ThreadPoolExecutor, work: Callable[..., Any], /, *values: Any, **named: Any
) -> Future[Any]:
    if not str(getattr(pool, "_thread_name_prefix", "")).startswith("store"):
        return _submit(pool, work, *values, **named)

    def timed() -> Any:
        began, cpu = time.clock_gettime(time.CLOCK_MONOTONIC_RAW), time.thread_time()
        try:
            return work(*values, **named)
        finally:
            _note(_doing(work), began, cpu)

    return _submit(pool, timed)


def _note(name: str, began: float, cpu: float) -> None:
    took = (time.clock_gettime(time.CLOCK_MONOTONIC_RAW) - began) * 1000
    used = (time.thread_time() - cpu) * 1000
    if took > SHORT_MS:
        steps.write(json.dumps([name, round(took, 1), round(used, 1)]) + "\n")


def _watch_collector() -> None:
    """Write down how long searches for garbage take."""
    start = [0.0, 0.0]

    def note(phase: str, _details: dict[str, int]) -> None:
        if phase == "start":
            start[:] = time.clock_gettime(time.CLOCK_MONOTONIC_RAW), time.thread_time()
        else:
            _note(COLLECTOR, *start)

    gc.callbacks.append(note)


if __name__ == "__main__":
    path = Path(os.environ["NEWSBELL_TEST_STEPS"])
    report_at_signal(path.with_name("heap"))
    _watch_collector()
    with path.open("a", encoding="utf-8", buffering=1) as steps:
        vars(concurrent.futures.thread)["ThreadPoolExecutor"].submit = _submit_timed
        main()
