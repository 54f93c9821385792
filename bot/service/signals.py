"""What signals ask of a running newsbell: stop in order, read feeds.yaml again, or nothing."""

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType

import structlog

STOPPING = (signal.SIGINT, signal.SIGTERM)
#: end a process that says nothing about them; they ask nothing of newsbell
UNUSED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)

log = structlog.stdlib.get_logger("newsbell.signals")


def hold_signals() -> None:
    """Let no signal but those that stop end the process before `handle_signals` is called."""
    for number in (signal.SIGHUP, *UNUSED):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _nothing)


def stop_while_starting() -> None:
    """Have SIGINT and SIGTERM end the running task, until `handle_signals` is called.

    What is open by then is closed. Within a running loop.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in STOPPING:
        if task:
            loop.add_signal_handler(number, task.cancel)


def handle_signals(stop: Callable[[], None], reload: Callable[[], None]) -> None:
    """Handle signals on the running loop.

    SIGINT and SIGTERM stop, and a second one of the same kind ends the process at once. SIGHUP
    reloads; where it says that the terminal closed in which newsbell runs, it stops as SIGTERM.
    """
    loop = asyncio.get_running_loop()
    # Started with nohup, newsbell goes on without its terminal.
    in_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def stop_once(number: int) -> None:
        stop()
        loop.remove_signal_handler(number)

    def hang_up() -> None:
        if in_terminal and not _has_terminal():
            stop()
        else:
            log.info("reload_asked", signal="SIGHUP")
            reload()

    def ignore(name: str) -> None:
        log.warning("signal_ignored", signal=name)

    for number in STOPPING:
        loop.add_signal_handler(number, stop_once, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    for number in UNUSED:
        loop.add_signal_handler(number, ignore, number.name)


def _has_terminal() -> bool:
    """Whether the process has a terminal that is still open."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.isatty(terminal)
    finally:
        os.close(terminal)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; other than an ignored signal, this is not passed on to child processes."""
