"""Read the structure of any query by the grammar (grammar.lark), with lark, and say what is wrong.

Not the terms: whoever reads hands in what builds them.
"""

import re
from functools import cache
from pathlib import Path
from typing import Protocol

from lark import (
    Lark,
    Transformer,
    UnexpectedCharacters,
    UnexpectedEOF,
    UnexpectedInput,
    UnexpectedToken,
    v_args,
)
from lark import Token as LarkToken
from lark.exceptions import VisitError

from bot.errors import QueryError
from bot.query import fields, plain_structure
from bot.query.plain_structure import Token
from bot.query.tree import Node

OPERATOR = re.compile(r"(?:AND|OR|NOT|O?NEAR(?:/\d*)?|&&|\|\|)$")


class Builder(plain_structure.Builder, Protocol):
    """Builds the parts of a tree, those that plain queries do not have as well."""

    def regex(self, token: Token) -> Node:
        """Return an expression, given with its slashes."""
        ...

    def everything(self, token: Token) -> Node:
        """Return a star that stands alone."""
        ...

    def address(self, token: Token) -> Node:
        """Return a field with an address."""
        ...


def read(query: str, text: str, builder: Builder) -> Node:
    """Return the tree of a query; `text` is the query without typographic signs.

    Raises QueryError, and RecursionError where it nests too deeply.
    """
    try:
        return _Parts(builder).transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise _structure_error(query, text, error) from None
    except VisitError as error:
        raise _term_error(query, error) from None


@cache
def _grammar() -> Lark:
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", maybe_placeholders=False)


def _token(token: LarkToken) -> Token:
    return Token(str(token), token.start_pos or 0)


@v_args(inline=True)
class _Parts(Transformer[LarkToken, Node]):
    """Hands the parts of lark's tree to the builder, from the bottom up."""

    def __init__(self, builder: Builder) -> None:
        super().__init__()
        self._builder = builder

    def word(self, token: LarkToken) -> Node:
        return self._builder.word(_token(token))

    def phrase(self, token: LarkToken) -> Node:
        return self._builder.phrase(_token(token))

    def exact_phrase(self, token: LarkToken) -> Node:
        return self._builder.exact_phrase(_token(token))

    def name_phrase(self, token: LarkToken) -> Node:
        return self._builder.name_phrase(_token(token))

    def everything(self, token: LarkToken) -> Node:
        return self._builder.everything(_token(token))

    def regex(self, token: LarkToken) -> Node:
        return self._builder.regex(_token(token))

    def named_list(self, token: LarkToken) -> Node:
        return self._builder.named_list(_token(token))

    def address(self, token: LarkToken) -> Node:
        return self._builder.address(_token(token))

    def in_field(self, field: LarkToken, part: Node) -> Node:
        return self._builder.in_field([_token(field), part])

    def near(self, left: Node, operator: LarkToken, right: Node) -> Node:
        return self._builder.near([left, _token(operator), right])

    def none_of(self, part: Node) -> Node:
        return self._builder.none_of([part])

    def all_of(self, *parts: Node) -> Node:
        return self._builder.all_of(list(parts))

    def any_of(self, *parts: Node) -> Node:
        return self._builder.any_of(list(parts))


def _term_error(query: str, error: VisitError) -> QueryError:
    """What a term raised, as an error of the query; the position is that of the term.

    Raises RecursionError where that was it.
    """
    cause = error.orig_exc
    if isinstance(cause, QueryError):
        return cause
    if isinstance(cause, RecursionError):
        raise cause
    tokens_of = getattr(error.obj, "children", [error.obj])
    token = next((part for part in tokens_of if isinstance(part, LarkToken)), None)
    return QueryError(
        query,
        (token.start_pos or 0) if token is not None else 0,
        "“{sign}” means nothing here. Put text that contains it in quotes.",
        sign=str(token)[:50] if token is not None else query[:50],
    )


def _structure_error(query: str, text: str, error: UnexpectedInput) -> QueryError:
    """Explain an error of the grammar."""
    if isinstance(error, UnexpectedEOF) or (
        isinstance(error, UnexpectedToken) and error.token.type == "$END"
    ):
        last = text.rsplit(maxsplit=1)[-1]
        last = next((sign for sign in ("&&", "||") if last.endswith(sign)), last)
        return _unfinished(query, text.rstrip().rfind(last), last)
    # The annotation of lark lacks None.
    position = error.pos_in_stream or 0  # type: ignore[redundant-expr]
    if isinstance(error, UnexpectedCharacters):
        sign = text[position]
        return QueryError(
            query,
            position,
            "“{sign}” means nothing here. Put text that contains it in quotes.",
            sign=sign,
        )
    unexpected = (
        str(error.token) if isinstance(error, UnexpectedToken) else text[position : position + 1]
    )
    preceding = text[:position].rstrip().rpartition(" ")[2]
    field = re.search(r"([A-Za-z_]+):$", preceding)
    if field and re.fullmatch(r"[-!]|NOT", unexpected):
        return QueryError(
            query,
            position,
            "Put {sign} before the field: {sign}{field}:….",
            sign="-" if unexpected != "!" else "!",
            field=field[1],
        )
    if re.fullmatch(r"[-!]|NOT", unexpected) and re.fullmatch(r"O?NEAR/\d+", preceding):
        return fields.not_within_near(preceding, query, position)
    if unexpected == ")":
        before = text[:position].rstrip()
        last = before.rsplit(maxsplit=1)[-1].lstrip("(") if before else ""
        if OPERATOR.match(last):
            return _unfinished(query, before.rfind(last), last)
        return QueryError(query, position, "A word is missing before this parenthesis.")
    return QueryError(
        query,
        position,
        "“{word}” needs a word before it. Remove it, or put it in quotes to search for it.",
        word=unexpected,
    )


def _unfinished(query: str, position: int, word: str) -> QueryError:
    return QueryError(
        query,
        position,
        "Nothing follows “{word}”. Write what should, or remove it.",
        word=word,
    )
