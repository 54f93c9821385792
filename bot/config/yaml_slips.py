"""What is wrong with a text that is not YAML, and what to write instead. Reads no file.

PyYAML says where it gave up and in its own words; what people do wrong is mostly a query without
quotes around the whole of it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from bot.errors import QueryError

#: characters that YAML has a use for at the start of a value
_SIGNS = frozenset("@`%*&!|>[{]}#,?-:")
#: keys whose values hold no secret, and are shown
_SHOWN = frozenset({"query", "name", "publisher", "tags", "to", "match", "ignore", ""})
_SECRET = re.compile(r"://|header|token|proxy|secret|authori[sz]ation", re.IGNORECASE)
_QUOTE = "'"
_BEHIND = "the text goes on behind a closing quote"
_BEFORE, _WIDTH = 50, 76  # columns of a line that are shown, before a place and in all
_VALUE = re.compile(
    r"""(?P<start>\s*(?:-\s+)*(?:["']?(?P<key>[\w.-]+)["']?\s*:\s+|(?<=-\s)))(?P<value>\S.*)"""
)
_FLOW_QUERY = re.compile(
    r"(?P<start>.*[{,]\s*(?P<key>query)\s*:\s+)(?P<value>.*?)(?=,\s*\w+:\s|\s*\}\s*$)"
)
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?P<rest>.*)""")
#: a whole list, keys with values in braces, a text that begins with a hyphen, a block of text
_FINE = re.compile(r"\[.*\]|\{.*\}|-\w.*|[|>][+-]?")
_KEY_WITHOUT_SPACE = re.compile(r"\s*(?:-\s+)?[\w-]+:\S")


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong, and where: line and column from 1."""

    line: int
    column: int
    message: str


def slip(error: yaml.YAMLError, text: str) -> Slip:
    """Return what is wrong with a text of which PyYAML says this error."""
    lines = text.split("\n")
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # a character that YAML does not allow
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position)
        return Slip(line + 1, position - text.rfind("\n", 0, position), _plain(error))
    context = getattr(error, "context_mark", None)
    places = [(mark.line, mark.column)]
    problem = getattr(error, "problem", None) or ""
    if context and context.line != mark.line and problem.startswith(("expected ','", "could not")):
        places.append((context.line, context.column))
    found = (
        _indentation(lines, mark.line)
        or _open_quote(problem, context, lines)
        or next(_unquoted(lines, places), None)
        or _key(problem, context, lines)
    )
    return found or Slip(mark.line + 1, mark.column + 1, _plain(error))


def _plain(error: yaml.YAMLError) -> str:
    """Return PyYAML's words, with what to do where that is plain."""
    detail = (
        (getattr(error, "problem", None) or "").removeprefix("but ")
        or getattr(error, "reason", None)
        or str(error)
    )
    if "block mapping start" in detail or "block sequence start" in detail:
        detail = "the line begins in another column than those that it belongs with; align it"
    elif "cannot start any token" in detail:
        detail += "; put single quotes around the text that begins with it"
    elif "'<scalar>'" in detail:
        detail = "text goes on behind a quote or bracket; put single quotes around the whole of it"
    return f"is not valid YAML here: {detail}"


def _indentation(lines: Sequence[str], number: int) -> Slip | None:
    """Find what indents a line and is no space, here or in the line before."""
    for index in (number, number - 1):
        line = lines[index] if 0 <= index < len(lines) else ""
        start = line[: len(line) - len(line.lstrip())]
        for sign, name in (("\t", "a tab"), ("\u00a0", "a no-break space")):
            if sign in start:
                message = f"is not valid YAML here: {name} indents this line; use spaces"
                return Slip(index + 1, start.index(sign) + 1, message)
    return None


def _open_quote(problem: str, context: yaml.Mark | None, lines: Sequence[str]) -> Slip | None:
    if context is None or problem != "found unexpected end of stream":
        return None
    message = "is not valid YAML here: this quote is never closed"
    return _shown(message, lines[context.line], context.line, context.column)


def _unquoted(lines: Sequence[str], places: Sequence[tuple[int, int]]) -> Iterator[Slip]:
    """Find values that need quotes around the whole of them."""
    for number, column in places:
        line = lines[number] if number < len(lines) else ""
        found = _FLOW_QUERY.match(line) or _VALUE.match(line)
        why = _reason(found["value"]) if found else ""
        if found and why:
            hidden = (found["key"] or "") not in _SHOWN or _SECRET.search(line)
            remedy = "" if hidden else f": {_in_quotes(found['value'].rstrip(), why)}"
            message = (
                f"is not valid YAML here: {why}. Put single quotes around the whole value{remedy}"
            )
            at = column if (number, column) == places[0] else found.start("value")
            yield _shown(message, line, number, at, found["key"] or "")


def _in_quotes(value: str, why: str) -> str:
    """Return a value as it has to be written."""
    inner = value[1:-1]
    if value[0] == value[-1] == "'" and inner.count("'") % 2:  # an apostrophe within
        return f"'{inner.replace(_QUOTE, _QUOTE * 2)}'"
    if why == _BEHIND:
        value = re.sub(r"'([^']*)'", r'"\1"', value)
    return f"'{value.replace(_QUOTE, _QUOTE * 2)}'"


def _reason(value: str) -> str:
    """Return why a value has to be put into quotes; empty if it need not."""
    quoted = _QUOTED.match(value)
    if quoted:
        return _BEHIND if quoted["rest"] and not quoted["rest"].startswith("#") else ""
    if _FINE.fullmatch(value.rstrip()):
        return ""
    if value[0] in _SIGNS:
        return f"YAML has a use of its own for {value[0]} at the start of a value"
    if re.search(r":(?:\s|$)", value):
        return "YAML takes a colon before a space for the end of a key"
    return ""


def _key(problem: str, context: yaml.Mark | None, lines: Sequence[str]) -> Slip | None:
    if context is None or problem != "could not find expected ':'":
        return None
    line = lines[context.line]
    missing = (
        "a space behind the colon"
        if _KEY_WITHOUT_SPACE.match(line)
        else ("a colon and a space behind the key")
    )
    message = f"is not valid YAML here: {missing} is missing"
    return Slip(context.line + 1, context.column + 1, message)


def _shown(message: str, line: str, number: int, column: int, key: str | None = None) -> Slip:
    """Return a slip with the line and a caret below it, where the line holds no secret."""
    if key is None:
        found = _VALUE.match(line)
        key = (found["key"] or "") if found else "?"
    if key in _SHOWN and not _SECRET.search(line):
        start = max(0, column - _BEFORE)
        piece = line[start : start + _WIDTH].rstrip()
        caret = QueryError(piece, min(column - start, len(piece)), "").caret()
        message += "".join(f"\n    {part}" for part in caret.splitlines())
    return Slip(number + 1, column + 1, message)
