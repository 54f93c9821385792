"""Regular expressions in queries: RE2, which takes time linear in the text, and small ones only.

Not the syntax of queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from unicodedata import normalize

import re2

from bot.errors import QueryError
from bot.query.regex_rewrite import MARK, UnsupportedError, marked_text, marks, rewritten
from bot.query.tree import Regex

LENGTH = 200  #: code points of an expression
MEMORY = 128 * 1024  #: bytes that RE2 may use for one as it is written
_UNICODE_MEMORY = 8 * MEMORY  # for the same with classes of Unicode, which are many times larger


@dataclass(frozen=True, slots=True)
class _Compiled:
    """An expression with classes of Unicode."""

    pattern: Any
    marks: int  #: marks that a text needs at each boundary of a word; 0 for none

    def matches_empty_text(self) -> bool:
        return any(self.pattern.search(text) is not None for text in ("", MARK * self.marks))


def _re2(source: str, *, ignore_case: bool, memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    options.case_sensitive = not ignore_case
    return re2.compile(source, options)


@lru_cache(maxsize=4096)
def _compiled(source: str, ignore_case: bool) -> _Compiled:
    pattern = _re2(rewritten(source), ignore_case=ignore_case, memory=_UNICODE_MEMORY)
    return _Compiled(pattern, marks(source))


def parse_regex(source: str, flags: str, query: str, position: int) -> Regex:
    """Return the expression at this position of a query. Raises QueryError."""
    if set(flags) - {"i"}:
        raise QueryError(
            query,
            position,
            "“{flags}” is not a flag. The only flag is /…/i, which ignores case.",
            flags=flags,
        )
    if len(source) > LENGTH:
        raise QueryError(
            query,
            position,
            "An expression can have at most {most} characters; this one has {number}.",
            most=LENGTH,
            number=len(source),
        )
    source = normalize("NFC", source)
    try:
        _re2(source, ignore_case=bool(flags), memory=MEMORY)  # its own limits and messages
        if _compiled(source, bool(flags)).matches_empty_text():
            raise QueryError(
                query,
                position,
                "This expression matches empty text, and so everything. Require at least one "
                "letter.",
            )
    except UnsupportedError as error:
        raise QueryError(
            query,
            position,
            "{part} does not work here. Write what you mean as letters or as a class such as "
            "[^a-z].",
            part=error,
        ) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _syntax_error(str(error), query, position) from None
    except re2.error as error:
        reason = (
            error.args[0].decode()
            if error.args and isinstance(error.args[0], bytes)
            else str(error)
        )
        raise _syntax_error(reason, query, position) from None
    return Regex(source, bool(flags))


def _syntax_error(reason: str, query: str, position: int) -> QueryError:
    if "too large" in reason:
        size = MEMORY // 1024
        return QueryError(
            query,
            position,
            "This expression is too large for RE2 ({size} KB). Use fewer or smaller repetitions.",
            size=size,
        )
    if "repetition size" in reason:
        return QueryError(
            query,
            position,
            "RE2 cannot read this expression: {reason}. RE2 allows at most 1000 repetitions in "
            "total.",
            reason=reason,
        )
    return QueryError(query, position, "RE2 cannot read this expression: {reason}.", reason=reason)


def end_of_regex(text: str, start: int) -> int:
    """Return the end of the expression that begins at `start`; `start + 1` if it is not closed."""
    position = start + 1
    while position < len(text) and text[position] != "\n":
        if text[position] == "\\":
            position += 1
        elif text[position] == "/" and position > start + 1:
            return position + 1
        position += 1
    return start + 1


def find_spans(node: Regex, text: str) -> Iterator[tuple[int, int]]:
    """Yield the non-overlapping, non-empty matches in a text, in code points."""
    compiled = _compiled(node.source, node.ignore_case)
    if not compiled.marks:
        for hit in compiled.pattern.finditer(text):
            if hit.end() > hit.start():
                yield hit.start(), hit.end()
        return
    marked, positions = marked_text(text, compiled.marks)
    for hit in compiled.pattern.finditer(marked):
        start, end = positions[hit.start()], positions[hit.end()]
        if end > start:
            yield start, end
