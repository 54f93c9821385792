"""How a command fails: messages and exit codes; and numbers with their nouns. Reads nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from bot.errors import NewsbellError
from bot.text.redaction import redact


def plural(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun; `plural` where it is not the singular with an s."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


class Fault(click.ClickException):
    """Work that failed: exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the message, without secrets."""
        click.echo(redact(self.format_message()), file=file or sys.stderr)


class Misconfigured(Fault):
    """A faulty file, query or argument: exit code 2."""

    exit_code = 2


class Stopped(Fault):
    """A part of newsbell that failed and cannot go on: exit code 70, EX_SOFTWARE of sysexits.h."""

    exit_code = 70


@contextmanager
def failing() -> Iterator[None]:
    """Raise Fault for an error that a person can mend."""
    try:
        yield
    except NewsbellError as error:
        raise Fault(str(error)) from None
