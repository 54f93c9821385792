"""Messages as events of the log, where no terminal shows them. Knows none of them."""

import io

import structlog

log = structlog.stdlib.get_logger("newsbell.run")


class LogLines(io.TextIOBase):
    """A stream each of whose lines becomes an event of the log, as `said`."""

    def __init__(self) -> None:
        self._rest = ""

    def writable(self) -> bool:
        """Return that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that are complete now."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                log.info("said", text=line.strip())
        return len(text)
