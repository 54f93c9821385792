"""Reject queries that can only be mistakes: those that match everything, or nothing.

Not the syntax.
"""

from bot.errors import QueryError
from bot.query.implication import contradiction
from bot.query.tree import AllOf, AnyOf, Everything, InField, Meta, Near, Node, NoneOf, Term, show


def validation_error(tree: Node, query: str) -> QueryError | None:
    """Return what is wrong with the query as a whole, None if nothing is. `query` is its text."""
    if matches_nothing(tree):
        return QueryError(
            query,
            0,
            "No article can match this: it requires and excludes the same thing. Remove one of "
            "the two.",
        )
    if not isinstance(tree, Everything) and matches_everything(tree):
        return QueryError(
            query,
            0,
            "This matches every article. Remove the part that causes it, or write only * if you "
            "mean it.",
        )
    if not _requires_content(tree):
        return QueryError(
            query,
            0,
            "This matches every article without a certain word. Write first what you want, then "
            "NOT and what you do not want.",
        )
    return None


def matches_everything(node: Node) -> bool:
    """Whether every article matches."""
    match node:
        case Everything():
            return True
        case NoneOf(part=part):
            return matches_nothing(part)
        case AllOf(parts=parts):
            return all(matches_everything(part) for part in parts)
        case AnyOf(parts=parts):
            positive = {_canonical(part) for part in parts if not isinstance(part, NoneOf)}
            return any(
                matches_everything(part)
                or (isinstance(part, NoneOf) and _canonical(part.part) in positive)
                for part in parts
            )
        case InField(part=part):
            return matches_everything(part)
        case _:
            return False


def matches_nothing(node: Node) -> bool:
    """Whether no article can match, as far as can be told without knowing what words mean."""
    match node:
        case NoneOf(part=part):
            return matches_everything(part)
        case AllOf(parts=parts):
            return any(matches_nothing(part) for part in parts) or _contradicts(
                list(_conjuncts(parts))
            )
        case AnyOf(parts=parts):
            return all(matches_nothing(part) for part in parts)
        case InField(part=part):
            return matches_nothing(part)
        case Near(left=left, right=right):
            return matches_nothing(left) or matches_nothing(right)
        case _:
            return False


def _conjuncts(parts: tuple[Node, ...]) -> list[Node]:
    """The conditions that must all match, with nested conjunctions flattened."""
    return [
        inner
        for part in parts
        for inner in (_conjuncts(part.parts) if isinstance(part, AllOf) else [part])
    ]


def _contradicts(parts: list[Node]) -> bool:
    """Whether the conditions exclude each other."""
    excluded: set[str] = set()
    for part in parts:
        if isinstance(part, NoneOf):
            branches = part.part.parts if isinstance(part.part, AnyOf) else (part.part,)
            excluded.update(_canonical(branch) for branch in branches)
    positive = [part for part in parts if not isinstance(part, NoneOf)]
    if contradiction(tuple(parts), certain=True):
        return True
    languages = {part.value for part in positive if isinstance(part, Meta) and part.field == "lang"}
    if len(languages) > 1:
        return True
    return any(
        all(_canonical(branch) in excluded for branch in part.parts)
        if isinstance(part, AnyOf)
        else _canonical(part) in excluded
        for part in positive
    )


def _canonical(node: Node) -> str:
    """Return a text that is equal for parts that match the same."""
    if isinstance(node, Term):
        return f"{node.mode} {node.units} {node.text if node.mode == 'exact' else ''}"
    if isinstance(node, Meta):
        return f"{node.field}:{node.value}"
    return show(node)


def _requires_content(node: Node) -> bool:
    """Whether an article must contain something to match."""
    match node:
        case NoneOf():
            return False
        case AllOf(parts=parts):
            return any(_requires_content(part) for part in parts)
        case AnyOf(parts=parts):
            return all(_requires_content(part) for part in parts)
        case InField(part=part):
            return _requires_content(part)
        case _:
            return True
