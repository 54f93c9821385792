"""Exclude something from a query: the new text, as short as it can be, and the terms that a query asks for. Not what should be excluded."""

from collections.abc import Iterator
from dataclasses import replace

from bot.errors import QueryError
from bot.query.parser import Names, parse
from bot.query.tree import AllOf, AnyOf, InField, Leaf, Meta, Near, Node, NoneOf, Term, show


def positive_terms(node: Node, *, sign: bool = True) -> Iterator[Leaf]:
    """The terms that are asked for, each by itself, wherever they stand; not those that are excluded."""
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from positive_terms(part, sign=sign)
        case Near(left=left, right=right):
            yield from positive_terms(left, sign=sign)
            yield from positive_terms(right, sign=sign)
        case InField(part=part):
            yield from positive_terms(part, sign=sign)
        case NoneOf(part=part):
            yield from positive_terms(part, sign=not sign)
        case _ if sign:
            yield node


def with_exclusion(query: str, tree: Node, clause: Term | Meta, names: Names) -> str | None:
    """The text of the query without what the clause matches; `tree` is the query's. None where it would be too long, or match nothing.

    The query stays as its writer has it, in parentheses only where NOT would otherwise bind to a part of it: a second exclusion adds no
    further ones.
    """
    text, addition = query.strip(), show(NoneOf(clause))
    bare = isinstance(tree, AnyOf) and text[0] not in "(（"
    for whole in (
        (f"({text}) {addition}",) if bare else (f"{text} {addition}", f"({text}) {addition}")
    ):
        try:
            made = parse(whole, names)
        except QueryError:
            continue
        if _is(made, tree, clause):
            return whole
    return None


def _is(made: Node, tree: Node, clause: Term | Meta) -> bool:
    if not isinstance(made, AllOf) or not isinstance(made.parts[-1], NoneOf):
        return False
    before, last = made.parts[:-1], made.parts[-1].part
    same = (
        isinstance(last, type(clause)) and replace(last, text=clause.text) == clause
    )  # the parser makes some signs plain ones
    return same and (before == (tree,) or (isinstance(tree, AllOf) and before == tree.parts))
