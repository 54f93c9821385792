"""The tree of a query. Frozen values with no behaviour beyond printing themselves back as a query."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """Folded words that must follow one another; a single word is a term of one."""

    words: tuple[str, ...]
    text: str  #: as written, without quotes
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class NamedList:
    """`@name`: any of the spellings the configuration gives."""

    name: str
    spellings: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part must match."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part must match."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The part must not match."""

    part: "Node"


Node = Term | NamedList | AllOf | AnyOf | NoneOf


def show(node: Node, *, inside: bool = False) -> str:
    """The query that reads back as this tree."""
    match node:
        case Term(text=text, quoted=quoted):
            return f'"{text}"' if quoted else text
        case NamedList(name=name):
            return f"@{name}"
        case NoneOf(part=part):
            return f"NOT {show(part, inside=True)}"
        case AllOf(parts=parts):
            text = " AND ".join(show(part, inside=True) for part in parts)
        case AnyOf(parts=parts):
            text = " OR ".join(show(part, inside=True) for part in parts)
    return f"({text})" if inside else text
