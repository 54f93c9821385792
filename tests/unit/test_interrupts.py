"""Ctrl-C while modules load ends newsbell at once, and is Ctrl-C again afterwards."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WITHIN_A_CLEAN_UP = """
import os, signal
from bot.cli.interrupts import interruptible

class Module:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

with interruptible():
    Module()
"""


def test_no_clean_up_of_the_interpreter_prints_an_interrupt() -> None:
    ended = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", WITHIN_A_CLEAN_UP],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_afterwards_an_interrupt_is_raised_as_before() -> None:
    program = (
        "import signal; from bot.cli.interrupts import interruptible\n"
        "with interruptible(): pass\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    ended = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False
    )

    assert ended.returncode == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
