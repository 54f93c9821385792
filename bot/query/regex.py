"""Regular expressions in queries: RE2, which takes time linear in the text, and small ones only.

Not the syntax of queries.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

from bot.errors import QueryError
from bot.query.tree import Regex

LENGTH = 200  #: code points of an expression
MEMORY = 128 * 1024  #: bytes that RE2 may use for one


@lru_cache(maxsize=4096)
def _compiled(source: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.case_sensitive = not ignore_case
    return re2.compile(source, options)


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
    try:
        pattern = _compiled(source, bool(flags))
        if pattern.search("") is not None:
            raise QueryError(
                query,
                position,
                "This expression matches empty text, and so everything. Require at least one "
                "letter.",
            )
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
    for hit in _compiled(node.source, node.ignore_case).finditer(text):
        if hit.end() > hit.start():
            yield hit.start(), hit.end()
