"""Read the structure of plain queries, without lark, in a quarter of its time.

Words, phrases, names, lists, fields, AND, OR, NOT, NEAR and parentheses: nearly all that people
write. The grammar (grammar.lark) is the reference, and reads everything else, mistakes as well.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from bot.query.tree import Node

# Blanks are those of the grammar. Digits behind a blank may be the rest of a number.
_BLANKS = r"[ \t\f\r\n]"
_TOKEN = re.compile(
    rf"{_BLANKS}*(?:"
    rf"(?P<operator>(?:AND|OR|NOT)(?={_BLANKS}|[()]|$))"
    rf"|(?P<near>O?NEAR/[0-9]+(?={_BLANKS}|[()]|$))"
    rf"|(?P<word>\w+\*?(?={_BLANKS}|[()]|$))"
    rf"|(?P<signed>[=~]?\w[\w.'’-]*(?={_BLANKS}|[()]|$))"
    rf"|(?P<list>@[\w.-]+(?={_BLANKS}|[()]|$))"
    r'|(?P<name_phrase>~"[^"]*")|(?P<exact_phrase>="[^"]*")|(?P<phrase>"[^"]*")'
    r'|(?P<field>[A-Za-z_]+:(?=[\w=~@("]))'
    r'|(?P<minus>-(?=[\w=~@("]))'
    r"|(?P<sign>[()])"
    rf"|(?P<end>$))"
)
_MAYBE_NUMBER = re.compile(r"[0-9] [0-9]")
_RESERVED = frozenset(("NEAR", "ONEAR"))
_NEGATIONS = (("operator", "NOT"), ("minus", "-"))
_DEPTH = 10  # parentheses and NOT within one another


class Token(NamedTuple):
    """A part of a query that is more than structure."""

    text: str
    position: int  #: in the query


class Builder(Protocol):
    """Builds the parts of a tree."""

    def plain_word(self, text: str, position: int) -> Node:
        """Return a word without signs, with a star behind it or not."""
        ...

    def phrase(self, token: Token) -> Node:
        """Return a phrase, given with its quotes."""
        ...

    def word(self, token: Token) -> Node:
        """Return a word with whatever signs, such as a name."""
        ...

    def name_phrase(self, token: Token) -> Node:
        """Return a name, given with its sign and quotes."""
        ...

    def exact_phrase(self, token: Token) -> Node:
        """Return a phrase as it is written, given with its sign and quotes."""
        ...

    def named_list(self, token: Token) -> Node:
        """Return a list, given with its sign."""
        ...

    def in_field(self, parts: list[Token | Node]) -> Node:
        """Return a field, given with its colon, and what it holds."""
        ...

    def near(self, parts: list[Token | Node]) -> Node:
        """Return a NEAR of two sides, given with the operator between them."""
        ...

    def all_of(self, parts: list[Node]) -> Node:
        """Return parts that are all required, or a single one."""
        ...

    def any_of(self, parts: list[Node]) -> Node:
        """Return alternatives, or a single one."""
        ...

    def none_of(self, parts: list[Node]) -> Node:
        """Return what is excluded."""
        ...


class _Part(NamedTuple):
    kind: str
    text: str
    position: int


class NotPlainError(Exception):
    """The grammar has to read the query."""


def read(text: str, builder: Builder) -> Node:
    """Return the tree of a plain query. Raises NotPlainError for any other, and for mistakes."""
    if _MAYBE_NUMBER.search(text):
        raise NotPlainError
    reader = _Reader(_parts(text), builder)
    tree = reader.disjunction(0)
    if reader.ahead.kind != "end":
        raise NotPlainError
    return tree


def _parts(text: str) -> Iterator[_Part]:
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotPlainError
        kind = match.lastgroup or ""
        yield _Part(kind, match[kind], match.start(kind))
        position = match.end()


class _Reader:
    """Reads from left to right, a part ahead."""

    def __init__(self, parts: Iterator[_Part], builder: Builder) -> None:
        self._parts, self._builder = parts, builder
        self._builds: dict[str, Callable[[Token], Node]] = {
            "phrase": builder.phrase,
            "exact_phrase": builder.exact_phrase,
            "name_phrase": builder.name_phrase,
            "signed": builder.word,
            "list": builder.named_list,
        }
        self.ahead = next(parts)

    def _next(self) -> _Part:
        part, self.ahead = self.ahead, next(self._parts)
        return part

    def disjunction(self, depth: int) -> Node:
        parts = [self._conjunction(depth)]
        while self.ahead.text == "OR" and self.ahead.kind == "operator":
            self._next()
            parts.append(self._conjunction(depth))
        return self._builder.any_of(parts)

    def _conjunction(self, depth: int) -> Node:
        parts = [self._negation(depth)]
        while True:
            kind, text, _ = self.ahead
            if kind == "operator" and text == "AND":
                self._next()
            elif kind in {"end", "near"} or text == ")" or (kind, text) == ("operator", "OR"):
                return self._builder.all_of(parts)
            parts.append(self._negation(depth))

    def _negation(self, depth: int) -> Node:
        if self.ahead[:2] in _NEGATIONS and depth < _DEPTH:
            self._next()
            return self._builder.none_of([self._negation(depth + 1)])
        left = self._atom(depth)
        while self.ahead.kind == "near":
            _, text, position = self._next()
            left = self._builder.near([left, Token(text, position), self._atom(depth)])
        return left

    def _atom(self, depth: int) -> Node:
        kind, text, position = self.ahead
        if kind == "sign" and text == "(" and depth < _DEPTH:
            self._next()
            inside = self.disjunction(depth + 1)
            if self._next().text != ")":
                raise NotPlainError
            return inside
        if kind == "word" and text not in _RESERVED:
            self._next()
            return self._builder.plain_word(text, position)
        if kind == "field" and depth < _DEPTH:
            self._next()
            return self._builder.in_field([Token(text, position), self._atom(depth + 1)])
        build = self._builds.get(kind)
        if build is None:
            raise NotPlainError
        self._next()
        return build(Token(text, position))
