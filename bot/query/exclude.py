"""Add an exclusion to the text of a query, and list the terms that a query asks for.

Not the choice of what to exclude.
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.errors import QueryError
from bot.query.parser import Names, parse
from bot.query.tree import AllOf, AnyOf, InField, Leaf, Meta, Near, Node, NoneOf, Term, show


def positive_terms(node: Node, *, sign: bool = True) -> Iterator[Leaf]:
    """Yield every term that is asked for, wherever it stands; not those that are excluded."""
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
    """Return the query, whose tree is `tree`, with `NOT clause` appended.

    None if that would be too long or match nothing. The query keeps its wording; it is put in
    parentheses only if NOT would otherwise bind to a part of it, so that a second exclusion adds
    none.
    """
    text, addition = query.strip(), show(NoneOf(clause))
    bare = isinstance(tree, AnyOf) and text[0] not in "(（"
    candidates = (
        (f"({text}) {addition}",) if bare else (f"{text} {addition}", f"({text}) {addition}")
    )
    for candidate in candidates:
        try:
            new_tree = parse(candidate, names)
        except QueryError:
            continue
        if _is_exclusion_of(new_tree, tree, clause):
            return candidate
    return None


def _is_exclusion_of(new_tree: Node, tree: Node, clause: Term | Meta) -> bool:
    """Whether a tree is exactly `tree AND NOT clause`."""
    if not isinstance(new_tree, AllOf) or not isinstance(new_tree.parts[-1], NoneOf):
        return False
    before, last = new_tree.parts[:-1], new_tree.parts[-1].part
    # The parser replaces typographic signs, so that the written text may differ.
    same = isinstance(last, type(clause)) and replace(last, text=clause.text) == clause
    return same and (before == (tree,) or (isinstance(tree, AllOf) and before == tree.parts))
