"""Logs through structlog: lines on a terminal, JSON elsewhere, on standard error.

A module gets its logger from `structlog.stdlib.get_logger("newsbell.<part>")` and logs an event in
snake_case with fields: `log.error("commit_failed", error=str(error))`. What an id belongs to is
bound with `structlog.contextvars`, so that every line about it shows it. Secrets never pass.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

import structlog
from structlog.typing import EventDict

from bot.text.redaction import redact

_PARTS = ("newsbell", "py.warnings")
_QUIET = ("httpx", "httpcore", "telegram", "apscheduler", "aiohttp", "asyncio")
_LEVELS = {
    # python-telegram-bot logs a traceback for each answer that is no JSON; ours says it once.
    "telegram": logging.CRITICAL,
    # It names each run that it leaves out while an earlier one goes on, as it is meant to.
    "apscheduler": logging.ERROR,
}
_SHORT = 6  #: characters; a shorter secret is removed where it stands alone, not within words
_SHORTEST = 3  #: characters of a secret: a shorter one is none, and would be all over each line


def keep_secret(secrets: Iterable[str]) -> None:
    """Remove these from every line that is logged from now on, too."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Redacting):
            handler.formatter.add(secrets)


class _Redacting(logging.Formatter):
    """The inner formatter without bot tokens and known secrets, in tracebacks as well."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: tuple[str, ...] = ()
        self._short: re.Pattern[str] | None = None
        self._short_secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Remove these as well, also where they are quoted as JSON or by `repr`."""
        known = set(secrets)
        short = {secret for secret in known if _SHORTEST <= len(secret) < _SHORT}
        spellings = {spelling for secret in known - short for spelling in _spellings(secret)}
        spellings = {spelling for spelling in spellings if len(spelling) >= _SHORT}
        self._short_secrets |= {spelling for secret in short for spelling in _spellings(secret)}
        if self._short_secrets:
            self._short = re.compile("|".join(map(_alone, sorted(self._short_secrets))))
        self._secrets = tuple(sorted({*self._secrets, *spellings}, key=len, reverse=True))

    def format(self, record: logging.LogRecord) -> str:
        text = redact(self._inner.format(record), self._secrets)
        return self._short.sub("[secret]", text) if self._short else text


def _spellings(secret: str) -> Iterator[str]:
    yield from (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1])


def _alone(secret: str) -> str:
    """An expression for the secret where it is no part of a word, nor a number of a JSON line."""
    number = r'(?<!": )' if secret.isdecimal() else ""
    return rf"(?<!\w){number}{re.escape(secret)}(?!\w)"


def _shared(*, as_json: bool = True) -> list[Any]:
    """What every line gets, ours and those of libraries."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True)
        if as_json
        else structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]


def _multi_line_fields_last(_: object, __: str, event: EventDict) -> EventDict:
    """Let the console show fields of several lines below the line, as it does with a stack."""
    blocks = [key for key, value in event.items() if isinstance(value, str) and "\n" in value]
    if blocks and "stack" not in event:
        event["stack"] = "\n".join(event.pop(key) for key in blocks)
    return event


def use_standard_logging(*, as_json: bool = True) -> None:
    """Send structlog's events to the loggers of the standard library, by whose levels they go."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(as_json=as_json),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def set_up(
    *,
    secrets: tuple[str, ...] = (),
    stream: IO[str] | None = None,
    as_json: bool | None = None,
    verbose: bool = False,
) -> None:
    """Send all logs of the process to `stream` (standard error), as JSON if it is no terminal."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if as_json is None else as_json
    use_standard_logging(as_json=as_json)
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [
            _multi_line_fields_last,
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
                pad_event_to=0,
                pad_level=False,
                sort_keys=False,
            ),
        ]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(as_json=as_json),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Redacting(formatter, secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in _PARTS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("aiohttp.server").addFilter(_is_http)
    for name in _QUIET:
        logging.getLogger(name).setLevel(_LEVELS.get(name, logging.WARNING))


def _is_http(record: logging.LogRecord) -> bool:
    """Whether a record is of no nonsense sent to a listener: anybody could fill the log with it."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__module__ != "aiohttp.http_exceptions"
