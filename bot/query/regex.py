"""Regular expressions of people: only RE2, which takes time linear in the text, and only of a size that costs little. Not the query's syntax."""

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
    """The expression that stands at this position of a query. Raises QueryError."""
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
                "This expression matches empty text, and so everything. Require at "
                "least one letter.",
            )
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _unread(str(error), query, position) from None
    except re2.error as error:
        reason = (
            error.args[0].decode()
            if error.args and isinstance(error.args[0], bytes)
            else str(error)
        )
        raise _unread(reason, query, position) from None
    return Regex(source, bool(flags))


def _unread(reason: str, query: str, position: int) -> QueryError:
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
            "RE2 cannot read this expression: {reason}. RE2 allows at most "
            "1000 repetitions in total.",
            reason=reason,
        )
    return QueryError(query, position, "RE2 cannot read this expression: {reason}.", reason=reason)


def end_of_regex(text: str, start: int) -> int:
    """Where the expression that begins at `start` ends; just after `start` where it never does."""
    at = start + 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] == "/" and at > start + 1:
            return at + 1
        at += 1
    return start + 1


def find_spans(node: Regex, text: str) -> Iterator[tuple[int, int]]:
    """Where the expression matches in a text, in code points, not overlapping."""
    for found in _compiled(node.source, node.ignore_case).finditer(text):
        if found.end() > found.start():
            yield found.start(), found.end()
