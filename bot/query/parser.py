"""Read a query: text to tree, with errors that point at the character and say what to do. Not matching."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from bot.errors import QueryError
from bot.query.tree import AllOf, AnyOf, NamedList, Node, NoneOf, Term
from bot.text.fold import words

LENGTH = 1_000  #: code points of a query
TERMS = 200  #: words, phrases and lists of a query
DEPTH = 30  #: parentheses within parentheses

# One for one, so that positions hold.
_TYPOGRAPHIC = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "＂": '"', "（": "(", "）": ")", "−": "-", "–": "-", "＠": "@"})

# Forms that other query languages have: read as plain words they would mean something else than their writer thinks.
_LATER = (
    (re.compile(r"\w+\*$"), "Beginnings of words (word*)"),
    (re.compile(r"(?:title|summary|site|source|author|tag|lang|feed):"), "Fields (title:)"),
    (re.compile(r"O?NEAR/\d"), "NEAR/n"),
    (re.compile(r"=\w"), "Exact case (=Word)"),
    (re.compile(r"~"), "Names in any spelling (~)"),
    (re.compile(r"/.+/i?$"), "Expressions (/.../)"),
    (re.compile(r"(?:&&|\|\||\*)$"), "The signs &&, || and *"),
)

Names = Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", maybe_placeholders=False, propagate_positions=True)


class _Grower(Transformer[Token, Node]):
    """Builds the tree bottom up."""

    def __init__(self, query: str, names: Names) -> None:
        super().__init__()
        self._query = query
        self._names = names
        self._terms = 0

    def _term(self, text: str, position: int, *, quoted: bool) -> Term:
        self._terms += 1
        if self._terms > TERMS:
            raise QueryError(self._query, position, f"A query has at most {TERMS} words; make two subscriptions of this one.")
        folded = tuple(word.folded for word in words(text))
        if not folded:
            what = "These quotes hold no word" if quoted else f"“{text}” holds no letter or digit"
            raise QueryError(self._query, position, f"{what}: write a word, or remove it.")
        return Term(folded, text, quoted)

    @v_args(inline=True)
    def word(self, token: Token) -> Term:
        position = token.start_pos or 0
        for shape, what in _LATER:
            if shape.match(str(token)):
                raise QueryError(self._query, position, f"{what} this version does not know: write the words, or put the text in quotes.")
        return self._term(str(token), position, quoted=False)

    @v_args(inline=True)
    def phrase(self, token: Token) -> Term:
        return self._term(str(token)[1:-1].strip(), token.start_pos or 0, quoted=True)

    @v_args(inline=True)
    def named_list(self, token: Token) -> NamedList:
        name = str(token)[1:]
        position = token.start_pos or 0
        spellings = self._names.get(name)
        if spellings is None:
            near = get_close_matches(name, self._names, n=1)
            hint = f"Did you mean @{near[0]}?" if near else "Lists are made under `names:` in feeds.yaml."
            raise QueryError(self._query, position, f"There is no list @{name}. {hint}")
        return NamedList(name, tuple(self._term(spelling, position, quoted=True) for spelling in spellings))

    def none_of(self, parts: list[Node]) -> Node:
        return NoneOf(parts[-1])

    def all_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def any_of(self, parts: list[Node]) -> Node:
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def parse(query: str, names: Names | None = None) -> Node:
    """Read a query.

    Raises QueryError with the position of the first mistake.
    """
    if len(query) > LENGTH:
        raise QueryError(query, LENGTH, f"A query has at most {LENGTH} characters; this one has {len(query)}.")
    text = query.translate(_TYPOGRAPHIC)
    if not text.strip():
        raise QueryError(query, 0, 'The query is empty: write a word, or a "phrase".')
    _check_brackets(query, text)
    try:
        tree = _Grower(query, names or {}).transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise _explained(query, text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from None
        raise
    if not _demands(tree):
        raise QueryError(query, 0, "This matches every article that lacks a word: say first what you want, then NOT what you do not.")
    return tree


def _check_brackets(query: str, text: str) -> None:
    opened: list[int] = []
    quote = -1
    for position, character in enumerate(text):
        if character == '"':
            quote = -1 if quote >= 0 else position
        elif quote < 0 and character == "(":
            opened.append(position)
            if len(opened) > DEPTH:
                raise QueryError(query, position, f"Parentheses nest at most {DEPTH} deep.")
        elif quote < 0 and character == ")":
            if not opened:
                raise QueryError(query, position, "This parenthesis closes nothing: remove it, or open one before.")
            opened.pop()
    if quote >= 0:
        raise QueryError(query, quote, 'This quote is not closed: add a " after the last word of the phrase.')
    if opened:
        raise QueryError(query, opened[-1], "This parenthesis is not closed: add a ) where it should end.")


def _explained(query: str, text: str, error: UnexpectedInput) -> QueryError:
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        last = text.rsplit(maxsplit=1)[-1]
        return QueryError(query, text.rstrip().rfind(last), f"“{last}” stands at the end: write what should follow it, or remove it.")
    position = error.pos_in_stream or 0  # type: ignore[redundant-expr]  # lark's annotation leaves out None
    if isinstance(error, UnexpectedCharacters):
        return QueryError(query, position, f"“{text[position]}” has no meaning here: put text that holds it in quotes.")
    found = str(error.token) if isinstance(error, UnexpectedToken) else text[position : position + 1]
    if found == ")":
        return QueryError(query, position, "A word is missing before this parenthesis.")
    return QueryError(query, position, f"“{found}” needs a word before it: remove it, or write the word in quotes to search for it.")


def _demands(node: Node) -> bool:
    """Whether an article must hold something to match."""
    match node:
        case NoneOf():
            return False
        case AllOf(parts=parts):
            return any(_demands(part) for part in parts)
        case AnyOf(parts=parts):
            return all(_demands(part) for part in parts)
        case _:
            return True
