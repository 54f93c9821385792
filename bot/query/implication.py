"""Tell where a condition of a query implies another, so that excluding that one leaves nothing.

Only what the words themselves show: as certain in every language, or as usual where words are
inflected. Not matching.
"""

from collections.abc import Iterator

from bot.query.tree import AllOf, AnyOf, InField, Near, Node, NoneOf, Prefix, Term
from bot.text.fold import fold
from bot.text.stem import query_stems


def contradiction(parts: tuple[Node, ...], *, certain: bool) -> tuple[Node, Node] | None:
    """Return a required part and an excluded one that it implies; None if there are none."""
    excluded = [branch for part in parts for branch in _excluded(part)]
    if not excluded:
        return None
    for part in parts:
        if isinstance(part, NoneOf):
            continue
        for branch in excluded:
            if _implies(part, branch, certain=certain):
                return part, branch
    return None


def conjunctions(node: Node) -> Iterator[tuple[Node, ...]]:
    """Yield the parts of each AND, those of an AND within it included."""
    match node:
        case AllOf(parts=parts):
            flat = tuple(_flat(parts))
            yield flat
            for part in flat:
                yield from conjunctions(part)
        case AnyOf(parts=parts):
            for part in parts:
                yield from conjunctions(part)
        case InField(part=part):
            yield from conjunctions(part)
        case _:
            return


def _flat(parts: tuple[Node, ...]) -> Iterator[Node]:
    for part in parts:
        if isinstance(part, AllOf):
            yield from _flat(part.parts)
        else:
            yield part


def _excluded(part: Node) -> Iterator[Node]:
    if isinstance(part, NoneOf):
        yield from part.part.parts if isinstance(part.part, AnyOf) else (part.part,)


def _implies(part: Node, other: Node, *, certain: bool) -> bool:
    """Whether every article that matches `part` matches `other`."""
    match part:
        case AllOf(parts=parts):
            return any(_implies(inner, other, certain=certain) for inner in parts)
        case AnyOf(parts=parts):
            return all(_implies(inner, other, certain=certain) for inner in parts)
        case Near(left=left, right=right):
            return any(_implies(inner, other, certain=certain) for inner in (left, right))
        case InField(field=field, part=inner):
            if isinstance(other, InField):
                same = field == other.field
                return same and _implies(inner, other.part, certain=certain)
            return _implies(inner, other, certain=certain)
        case Term() | Prefix() if isinstance(other, Term | Prefix) and not other.signs:
            return _words_imply(part, other, certain=certain)
        case _:
            return False


def _words_imply(part: Term | Prefix, other: Term | Prefix, *, certain: bool) -> bool:
    written, inflected = _words(part)
    match other:
        case Prefix(head=(), start=start):
            words = written if certain else (*written, *inflected)
            if isinstance(part, Prefix) and not part.head:
                words = (*words, part.start)
            return any(fold(word).startswith(start) for word in words)
        case Term(units=(str() as word,), mode="inflected"):
            return fold(word) in written or (
                not certain
                and any(
                    set(query_stems(form, "")) <= set(query_stems(word, "")) for form in inflected
                )
            )
        case Term(units=(str() as word,), mode="folded"):
            return word in written
        case _:
            return False


def _words(part: Term | Prefix) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words that an article must have as they are, and those that it may have inflected."""
    if isinstance(part, Prefix):
        return (), ()
    words = tuple(unit for unit in part.units if isinstance(unit, str))
    return ((), words) if part.mode == "inflected" else (words, ())
