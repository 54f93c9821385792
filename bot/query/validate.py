"""Whether a query can be meant: one that matches everything, nothing, or whatever lacks a word is a slip. Not its syntax."""

from bot.errors import QueryError
from bot.query.tree import AllOf, AnyOf, Everything, InField, Meta, Near, Node, NoneOf, Term, show


def validation_error(tree: Node, query: str) -> QueryError | None:
    """What is wrong with the query as a whole, and what to do; None where nothing is. `query` is its text."""
    if matches_nothing(tree):
        return QueryError(
            query,
            0,
            "No article can match this: it requires and excludes the same "
            "thing. Remove one of the two.",
        )
    if not isinstance(tree, Everything) and matches_everything(tree):
        return QueryError(
            query,
            0,
            "This matches every article. Remove the part that causes it, or "
            "write only * if you mean it.",
        )
    if not _demands(tree):
        return QueryError(
            query,
            0,
            "This matches every article without a certain word. Write first "
            "what you want, then NOT and what you do not want.",
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
            wanted = {_meaning(part) for part in parts if not isinstance(part, NoneOf)}
            return any(
                matches_everything(part)
                or (isinstance(part, NoneOf) and _meaning(part.part) in wanted)
                for part in parts
            )
        case InField(part=part):
            return matches_everything(part)
        case _:
            return False


def matches_nothing(node: Node) -> bool:
    """Whether no article can match, as far as the words alone tell."""
    match node:
        case NoneOf(part=part):
            return matches_everything(part)
        case AllOf(parts=parts):
            return any(matches_nothing(part) for part in parts) or _contradict(list(_flat(parts)))
        case AnyOf(parts=parts):
            return all(matches_nothing(part) for part in parts)
        case InField(part=part):
            return matches_nothing(part)
        case Near(left=left, right=right):
            return matches_nothing(left) or matches_nothing(right)
        case _:
            return False


def _flat(parts: tuple[Node, ...]) -> list[Node]:
    """The conditions that must all hold."""
    return [
        inner
        for part in parts
        for inner in (_flat(part.parts) if isinstance(part, AllOf) else [part])
    ]


def _contradict(parts: list[Node]) -> bool:
    excluded: set[str] = set()
    for part in parts:
        if isinstance(part, NoneOf):
            branches = part.part.parts if isinstance(part.part, AnyOf) else (part.part,)
            excluded.update(_meaning(branch) for branch in branches)
    wanted = [part for part in parts if not isinstance(part, NoneOf)]
    languages = {part.value for part in wanted if isinstance(part, Meta) and part.field == "lang"}
    if len(languages) > 1:
        return True
    return any(
        all(_meaning(branch) in excluded for branch in part.parts)
        if isinstance(part, AnyOf)
        else _meaning(part) in excluded
        for part in wanted
    )


def _meaning(node: Node) -> str:
    """Equal for parts that match the same."""
    if isinstance(node, Term):
        return f"{node.mode} {node.units} {node.text if node.mode == 'exact' else ''}"
    if isinstance(node, Meta):
        return f"{node.field}:{node.value}"
    return show(node)


def _demands(node: Node) -> bool:
    """Whether an article must hold something to match."""
    match node:
        case NoneOf():
            return False
        case AllOf(parts=parts):
            return any(_demands(part) for part in parts)
        case AnyOf(parts=parts):
            return all(_demands(part) for part in parts)
        case InField(part=part):
            return _demands(part)
        case _:
            return True
