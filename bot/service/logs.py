"""Logs through structlog: lines for people on a terminal, JSON with fields elsewhere, on standard error. Tokens never pass."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import IO, Any

import structlog

_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}")
_PARTS = ("newsbell", "py.warnings")
_QUIET = ("httpx", "httpcore", "telegram", "apscheduler", "aiohttp", "asyncio", "watchfiles")


def keep_secret(secrets: Iterable[str]) -> None:
    """Remove these from every line that is logged from now on, too."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Redacting):
            handler.formatter.know(secrets)


class _Redacting(logging.Formatter):
    """Formats as the inner formatter does, tracebacks included, and removes what looks like a bot token or is a known secret."""

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: tuple[str, ...] = ()
        self.know(secrets)

    def know(self, secrets: Iterable[str]) -> None:
        """Remove these as well."""
        self._secrets = tuple({*self._secrets, *(secret for secret in secrets if len(secret) >= 6)})

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record), self._secrets)


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without tokens and secrets."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return _TOKEN.sub("[token]", text)


def _extra(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    record = event.get("_record")
    for name in ("feed", "delivery", "chat", "failure", "count"):
        value = getattr(record, name, None)
        if value is not None:
            event[name] = value
    return event


def set_up(
    *,
    secrets: tuple[str, ...] = (),
    stream: IO[str] | None = None,
    as_json: bool | None = None,
    verbose: bool = False,
) -> None:
    """Send all logs of the process to `stream` (standard error), as JSON where that is no terminal."""
    stream = stream or sys.stderr
    as_json = not stream.isatty() if as_json is None else as_json
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True)
        if as_json
        else structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
            pad_event_to=0,
            pad_level=False,
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            _extra,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([structlog.processors.format_exc_info] if as_json else []),
            last,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Redacting(formatter, secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in _PARTS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING if name != "telegram" else logging.ERROR)
