"""The errors of newsbell, from one root.

Outcomes of a poll or a send are values and not here.

NewsbellError
├─ ConfigError      every mistake of a file, each with its line and column
├─ QueryError       the query, a position, what was expected there
├─ AddressError     a URL that newsbell will not fetch, and why
├─ OpmlError        a document that is no usable OPML, and why
├─ StoreError       the database, its cause chained
│  ├─ StoreBusy     another newsbell holds it
│  ├─ StoreLost     another newsbell took it over
│  ├─ StoreAway     its server ended the connection: what was asked for may be kept or not
│  ├─ StoreFull     the disk is full
│  └─ StoreTimeout  a search that took longer than it may
├─ ChartError       a picture that could not be drawn; the message is for people
├─ ActionRefused    a person asked for what cannot be done; the message is for them
└─ InternalFailure  a part of newsbell failed and cannot go on; the process ends
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from unicodedata import category, east_asian_width

# What would break a line, a terminal or an encoder.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EXCERPT = 400  # characters of a query that are shown where it is wrong


def _columns(character: str) -> int:
    """The columns of a character in a fixed-width font."""
    if category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1


def _with_caret(text: str, position: int) -> str:
    return f"{text}\n{' ' * sum(map(_columns, text[:position]))}^"


class NewsbellError(Exception):
    """Something that a person can correct."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a configuration file."""

    line: int  #: 1-based
    column: int  #: 1-based
    path: str  #: the key, as in `subscriptions[2].query`
    message: str  #: what is wrong and what was expected; may hold further lines (a caret)

    def at(self, file: str) -> str:
        """Return the mistake as editors understand it: `file:line:column path: message`."""
        return f"{file}:{self.line}:{self.column} {self.path}: {self.message}"


class ConfigError(NewsbellError):
    """A configuration file that cannot be used."""

    def __init__(self, file: str, mistakes: tuple[Mistake, ...]) -> None:
        self.file = file
        self.mistakes = mistakes
        super().__init__("\n".join(mistake.at(file) for mistake in mistakes))


class QueryError(NewsbellError):
    """A query that cannot be read."""

    def __init__(self, query: str, position: int, text: str, **values: object) -> None:
        self.query = query
        self.position = position  # 0-based, in code points
        self._text, self._values = text, values
        self.message = _BREAKS.sub(" ", text.format(**values) if values else text)
        super().__init__(self.message)

    def translated(self, gettext: Callable[..., str]) -> str:
        """Return the message in another language; `gettext` takes the text and its values."""
        return _BREAKS.sub(" ", gettext(self._text, **self._values))

    def caret(self) -> str:
        """Return the query with a caret under the position, two lines, for a fixed-width font."""
        return _with_caret(_BREAKS.sub(" ", self.query), self.position)

    def excerpt(self) -> str:
        """Return the same of what stands around the position, where the query is long."""
        query = _BREAKS.sub(" ", self.query)
        if len(query) <= _EXCERPT:
            return self.caret()
        start = max(0, self.position - _EXCERPT // 2)
        before, after = "…" if start else "", "…" if start + _EXCERPT < len(query) else ""
        piece = f"{before}{query[start : start + _EXCERPT]}{after}"
        return _with_caret(piece, len(before) + self.position - start)

    def within(self, query: str, position: int) -> "QueryError":
        """Return the same error of the query that this one is a cleaned form of."""
        return QueryError(query, position, self._text, **self._values)


class AddressError(NewsbellError):
    """A URL that newsbell will not fetch. The message never tells what is inside the network."""

    def __init__(self, message: str, failure: str = "") -> None:
        super().__init__(message)
        self.failure = failure  # value of a `model.feeds.Failure`, which a chat's language names


class OpmlError(NewsbellError, ValueError):
    """A document that is not a usable OPML file; the message is for people."""

    def __init__(self, text: str, **values: object) -> None:
        self._text, self._values = text, values
        super().__init__(text.format(**values) if values else text)

    def translated(self, gettext: Callable[..., str]) -> str:
        """The message in another language: `gettext` takes the text with its values by name."""
        return gettext(self._text, **self._values)


class StoreError(NewsbellError):
    """The database could not do what was asked; nothing of the transaction was kept."""


class StoreBusy(StoreError):  # noqa: N818 (a state, as its message says)
    """Another newsbell is using this database."""


class StoreLost(StoreError):  # noqa: N818 (a state, as its message says)
    """Another newsbell took the database over: this one has to start anew."""


class StoreAway(StoreError):  # noqa: N818 (a state, as its message says)
    """The server cannot be reached, or ended the connection; perhaps it kept what was asked for."""


class StoreFull(StoreError):  # noqa: N818 (a state, as its message says)
    """The disk of the database is full."""


class StoreTimeout(StoreError):  # noqa: N818 (a state, as its message says)
    """A search of the database took longer than it may."""


class ChartError(NewsbellError):
    """A picture that could not be drawn; the message says why, for people."""


class ActionRefused(NewsbellError):  # noqa: N818 (a refusal, not a fault)
    """What a person asked for cannot be done; the message says why and what to do."""


class InternalFailure(NewsbellError):  # noqa: N818 (a failure, as its message says)
    """A part of newsbell failed and cannot go on: the process ends, to be started again."""
