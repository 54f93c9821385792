r"""Rewrite an expression so that RE2 knows letters, digits and blanks of all scripts.

RE2's \w, \d, \s, \b and [[:alpha:]] know ASCII only. The classes become classes of Unicode, which
RE2 has. It has no word boundary of Unicode: where an expression uses \b, marks are put into the
text at each boundary of a word; \b becomes a mark, and every other character may have marks before
it. So it stays RE2, in time linear in the text. Not compiling, not the syntax of queries.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import regex

MARK = "\x01"  #: no text that was cleaned has one
_MOST_MARKS = 8  # \b of an expression that may be at one place
_WORD, _DIGIT, _SPACE = r"\pL\pN\pM_\x{200C}\x{200D}", r"\p{Nd}", r"\s\pZ\x{85}"
_SHORT = {"w": _WORD, "d": _DIGIT, "s": _SPACE}
_NAMED = {
    "alpha": r"\pL\pM",
    "alnum": r"\pL\pM\pN",
    "digit": _DIGIT,
    "word": _WORD,
    "space": _SPACE,
    "upper": r"\p{Lu}",
    "lower": r"\p{Ll}",
    "punct": r"\pP\pS",
}
_ANY = r"[\x{0}-\x{10FFFF}]"
_TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q.*?(?:\\E|$))
    | (?P<boundary>\\b) | (?P<inside>\\B) | (?P<end>\$|\\z) | (?P<begin>\^|\\A)
    | (?P<atom>\\x\{[0-9A-Fa-f]+\} | \\x[0-9A-Fa-f]{2} | \\[pP]\{\^?\w+\} | \\[pP]\w | \\[0-7]{1,3}
        | \\. | \. | \[\^?\]?(?:\[:\^?\w+:\] | \\[pP]\{\^?\w+\} | \\. | [^\]\\])*\])
    | (?P<syntax>\(\?P?<\w+> | \(\?[a-zA-Z-]*[:)] | [()|] | [*+?]\?? | \{\d+(?:,\d*)?\}\??)
    | (?P<literal>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ITEM = re.compile(
    r"\[:(?P<not>\^?)(?P<named>\w+):\]|\\(?P<short>[wdsWDS])|\\[pP]\{\^?\w+\}|\\.|.", re.DOTALL
)
_WORDS = regex.compile(r"[\p{L}\p{N}\p{M}_\u200c\u200d]+")


class UnsupportedError(ValueError):
    """What cannot be rewritten; the message names it."""


def marks(source: str) -> int:
    r"""Return how many marks a text needs at each boundary: as many as there are \b, at most 8."""
    return min(_MOST_MARKS, sum(kind == "boundary" for kind, _ in _parts(source)))


def rewritten(source: str) -> str:
    """Return the expression for RE2. Raises UnsupportedError."""
    marked = marks(source) > 0
    before = f"{MARK}*" if marked else ""
    result = []
    for kind, text in _parts(source):
        match kind:
            case "boundary":
                result.append(MARK)
            case "inside":
                raise UnsupportedError(r"\B")
            case "end":
                result.append(before + text)
            case "begin" | "syntax":
                result.append(text)
            case "literal":
                result.append(f"(?:{before}{text})" if marked else text)
            case _:
                atom = _atom(text, marked=marked)
                result.append(f"(?:{before}{atom})" if marked else atom)
    return "".join(result)


def _parts(source: str) -> Iterator[tuple[str, str]]:
    for token in _TOKEN.finditer(source):
        kind = str(token.lastgroup)
        if kind == "quoted":
            inner = token.group()[2:].removesuffix("\\E")
            yield from (("literal", re.escape(sign)) for sign in inner)
        else:
            yield kind, token.group()


def _atom(text: str, *, marked: bool) -> str:
    """Return what matches one character as a class of Unicode, which never matches a mark."""
    if text == ".":
        return f"[^\n{MARK}]" if marked else text
    if text[0] == "[":
        return _class(text, marked=marked)
    negated = text[1:2]
    if negated in {"W", "D", "S"}:
        return f"[^{_SHORT[negated.lower()]}{MARK if marked else ''}]"
    if negated in _SHORT:
        return f"[{_SHORT[negated]}]"
    if marked and text[1:2] in {"P", "p"} and (text[1] == "P" or text[2:4] == "{^"):
        positive = f"\\p{text[2:]}" if text[1] == "P" else f"\\p{{{text[4:]}"
        return f"[^{positive}{MARK}]"
    return text


def _class(text: str, *, marked: bool) -> str:
    negated = text.startswith("[^")
    inner = text[2 if negated else 1 : -1]
    first = inner[0] if inner[:1] == "]" else ""
    items = list(_ITEM.finditer(inner[len(first) :]))
    excluded = [item["short"] for item in items if item["short"] in ("W", "D", "S")]
    if excluded:
        if any(item["short"] == sign.lower() for item in items for sign in excluded):
            if negated:
                raise UnsupportedError(text)
            return f"[^{MARK}]" if marked else _ANY
        if len(items) > 1 or first:
            raise UnsupportedError(text)
        kind = _SHORT[excluded[0].lower()]
        return f"[{kind}]" if negated else f"[^{kind}{MARK if marked else ''}]"
    body = first + "".join(map(_item, items))
    return f"[{'^' if negated else ''}{body}{MARK if negated and marked else ''}]"


def _item(item: "re.Match[str]") -> str:
    """Return an item of a class for RE2."""
    if item["short"]:
        return _SHORT[item["short"]]
    if item["named"] in _NAMED:
        if item["not"]:
            raise UnsupportedError(item.group())
        return _NAMED[item["named"]]
    return item.group()


@lru_cache(maxsize=64)
def marked_text(text: str, count: int) -> tuple[str, tuple[int, ...]]:
    """Return the text with marks at each boundary of a word, and where each character was."""
    places = [place for word in _WORDS.finditer(text.replace(MARK, " ")) for place in word.span()]
    pieces: list[str] = []
    positions: list[int] = []
    last = 0
    for place in places:
        pieces += (text[last:place], MARK * count)
        positions += range(last, place)
        positions += [place] * count
        last = place
    pieces.append(text[last:])
    positions += range(last, len(text) + 1)
    return "".join(pieces), tuple(positions)
