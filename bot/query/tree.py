"""The tree of a query: frozen values without behaviour, and how to print them as a query."""

from dataclasses import dataclass
from typing import Literal, assert_never

from bot.names.pattern import NamePattern
from bot.query.signs import Signs

#: a word as folded, or the words of a compound that hyphens or apostrophes join
Unit = str | tuple[str, ...]
Mode = Literal["inflected", "folded", "exact"]
TEXT_FIELDS = ("title", "summary", "body")
META_FIELDS = ("site", "source", "author", "category", "tag", "lang", "feed")


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must follow one another, or a single word."""

    units: tuple[Unit, ...]
    text: str  #: as written, without quotes and signs
    mode: Mode = "inflected"
    quoted: bool = False
    signs: Signs | None = None  #: those that it asks for


@dataclass(frozen=True, slots=True)
class Symbol:
    """Signs without words, such as an emoji, as written."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words that begin with `start`; the words of `head`, joined by hyphens, come before it."""

    head: tuple[str, ...]
    start: str
    text: str  #: as written, without the star
    signs: Signs | None = None  #: those that it asks for


@dataclass(frozen=True, slots=True)
class Name:
    """A name in any usual spelling and script."""

    pattern: NamePattern
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 expression over the text as written."""

    source: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Everything:
    """`*`: any article."""


@dataclass(frozen=True, slots=True)
class NamedList:
    """`@name`: any of the items that the configuration lists."""

    name: str
    items: tuple["Term | Prefix | Name", ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two sub-expressions with at most `distance` words between them."""

    left: "Node"
    right: "Node"
    distance: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class InField:
    """The part must match within the title, the summary or the body."""

    field: str
    part: "Node"


@dataclass(frozen=True, slots=True)
class Meta:
    """A condition on the metadata of an article."""

    field: str
    value: str  #: folded, as compared
    text: str  #: as written
    quoted: bool = False


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


Leaf = Term | Symbol | Prefix | Name | Regex | Everything | NamedList | Meta
Node = Leaf | Near | InField | AllOf | AnyOf | NoneOf


def show(node: Node, *, inside: bool = False) -> str:
    """Return the query that parses to this tree, in parentheses if `inside` another needs them."""
    match node:
        case NoneOf(part=part):
            return f"NOT {show(part, inside=True)}"
        case InField(field=field, part=part):
            return f"{field}:{show(part, inside=True)}"
        case AllOf(parts=parts):
            text = " AND ".join(show(part, inside=True) for part in parts)
        case AnyOf(parts=parts):
            text = " OR ".join(show(part, inside=True) for part in parts)
        case Near(left=left, right=right, distance=distance, ordered=ordered):
            operator = f"{'ONEAR' if ordered else 'NEAR'}/{distance}"
            text = f"{show(left, inside=True)} {operator} {show(right, inside=True)}"
        case _:
            return show_leaf(node)
    return f"({text})" if inside else text


def show_leaf(leaf: Leaf) -> str:
    """Return a single condition as it is written in a query."""
    match leaf:
        case Term(text=text, mode=mode, quoted=quoted):
            sign = "=" if mode == "exact" else ""
            return f'{sign}"{text}"' if quoted else f"{sign}{text}"
        case Symbol(text=text, quoted=quoted):
            return f'"{text}"' if quoted else text
        case Prefix(text=text):
            return f"{text}*"
        case Name(text=text, quoted=quoted):
            return f'~"{text}"' if quoted else f"~{text}"
        case Regex(source=source, ignore_case=ignore_case):
            return f"/{source}/{'i' if ignore_case else ''}"
        case Everything():
            return "*"
        case NamedList(name=name):
            return f"@{name}"
        case Meta(field=field, text=text, quoted=quoted):
            return f'{field}:"{text}"' if quoted else f"{field}:{text}"
        case _:
            assert_never(leaf)
