"""Run what a command does on an event loop, and make of its end an exit code."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import uvloop

from bot.cli.faults import Fault, Stopped
from bot.errors import InternalFailure, NewsbellError


def run_to_end(work: Coroutine[Any, Any, int]) -> None:
    """Run until the work returns its exit code; raises SystemExit where that is not 0."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            code = runner.run(work)
        except asyncio.CancelledError:  # it was stopped while it started
            code = 0
        except InternalFailure as error:
            raise Stopped(str(error)) from None
        except NewsbellError as error:
            raise Fault(str(error)) from None
        except KeyboardInterrupt:
            code = 130
    if code:
        raise SystemExit(code)
