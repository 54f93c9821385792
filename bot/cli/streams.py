"""Standard output and error whose reader may go away: newsbell itself goes on without it."""

import os
import sys
from typing import IO, Any

from bot.text.output_charset import print_any_text


class Lasting:
    """A stream that drops what its reader no longer takes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        try:
            return self._stream.write(text)
        except OSError:
            _discard(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what waits."""
        try:
            self._stream.flush()
        except OSError:
            _discard(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def accept_any_text() -> None:
    """Let standard output and error take any text, whatever the charset of the locale."""
    print_any_text(sys.stdout, sys.stderr)


def outlast_readers() -> None:
    """Let newsbell go on where the reader of its messages and logs ends, as in `2>&1 | head`."""
    sys.stderr = Lasting(sys.stderr)


def discard_output() -> None:
    """Drop what standard output did not take, so that the end of the process does not fail."""
    try:
        sys.stdout.flush()
    except OSError:
        _discard(sys.stdout)


def _discard(stream: IO[str]) -> None:
    """Lead a stream nowhere; what it holds back cannot fail any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
