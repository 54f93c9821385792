"""Rules for the parts of fields and of NEAR, with messages for the writer. Not the grammar."""

from dataclasses import dataclass

from bot.errors import QueryError
from bot.query.tree import (
    AllOf,
    AnyOf,
    Everything,
    InField,
    Meta,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Regex,
    Symbol,
    Term,
    show,
)
from bot.text.fold import fold, folded_key
from bot.text.language import language_code, scripts_of
from bot.text.stem import OTHERS, SNOWBALL
from bot.text.url import ascii_host

_EXAMPLES = {
    "site": "reuters.com",
    "source": '"Euphrates Post"',
    "author": '"Jane Doe"',
    "category": "politics",
    "tag": "world",
    "lang": "ru",
    "feed": '"BBC World"',
}


def site_value(text: str) -> str:
    """Return the host and path of an address as `site:` compares them."""
    bare = text.lower().partition("://")[2] or text.lower()
    address, slash, path = (
        bare.partition("?")[0].partition("#")[0].removeprefix("www.").rstrip("/").partition("/")
    )
    return f"{ascii_host(address.rpartition('@')[2].partition(':')[0])}{slash}{path}"


def in_text_field(field: str, part: Node, query: str, position: int) -> InField:
    """Return the part of `title:`, `summary:` or `body:` at this position. Raises QueryError."""
    if isinstance(part, Everything):
        raise QueryError(
            query,
            position,
            "{field}:* is every article. Write a word after {field}:, or only * if you mean it.",
            field=field,
        )
    inner = _first(part, (InField, Meta, Everything))
    if inner is not None:
        raise QueryError(
            query,
            position,
            "{field}: cannot contain {part}. Put that outside, joined by AND.",
            field=field,
            part=show(inner),
        )
    return InField(field, part)


def in_meta_field(field: str, part: Node, query: str, position: int) -> Node:
    """Return the part with its words as values of the field at this position. Raises QueryError."""
    match part:
        case AllOf(parts=parts):
            return AllOf(tuple(in_meta_field(field, inner, query, position) for inner in parts))
        case AnyOf(parts=parts):
            return AnyOf(tuple(in_meta_field(field, inner, query, position) for inner in parts))
        case NoneOf(part=inner):
            return NoneOf(in_meta_field(field, inner, query, position))
        case Term(text=text, quoted=quoted, mode=mode) if mode != "exact":
            return Meta(field, _value(field, text, query, position), text, quoted)
        case _:
            raise QueryError(
                query,
                position,
                "{field}: takes plain values, as in {example}, not {part}.",
                field=field,
                example=f"{field}:{_EXAMPLES[field]}",
                part=show(part),
            )


def _value(field: str, text: str, query: str, position: int) -> str:
    match field:
        case "site":
            value = site_value(text)
            if "." not in value.partition("/")[0]:
                raise QueryError(
                    query, position, "site: needs a full host name, as in site:reuters.com."
                )
            return value
        case "lang":
            value = language_code(text)
            if not (scripts_of(value) or value in SNOWBALL or value in OTHERS):
                raise QueryError(
                    query,
                    position,
                    "lang: needs a language code, as in lang:en, lang:ru or lang:ar.",
                )
            return value
        case "tag":
            return fold(text)
        case "feed" if "://" in text:
            return text
        case _:
            return folded_key(text)


@dataclass(frozen=True, slots=True)
class NearSide:
    """What surrounds a side of NEAR."""

    other: str  #: the other side, as text
    operator: str  #: as in `NEAR/3`
    left: bool  #: this is the left side

    def with_part(self, part: Node) -> str:
        """Return the whole NEAR as text, with this part on this side."""
        shown = show(part, inside=True)
        return (
            f"{shown} {self.operator} {self.other}"
            if self.left
            else f"{self.other} {self.operator} {shown}"
        )


def check_near_side(part: Node, side: NearSide, query: str, position: int) -> None:
    """Raise QueryError, with what to write instead, if the part is not allowed in this NEAR."""
    operator = side.operator
    match part:
        case AllOf(parts=parts):
            instead = " AND ".join(f"({side.with_part(inner)})" for inner in parts)
            raise QueryError(
                query,
                position,
                "AND is not allowed inside {operator}. Write {instead}.",
                operator=operator,
                instead=instead,
            )
        case AnyOf(parts=parts):
            for inner in parts:
                check_near_side(inner, side, query, position)
        case NoneOf():
            raise not_within_near(operator, query, position)
        case InField(field=field, part=inner):
            instead = f"{field}:({side.with_part(inner)})"
            raise QueryError(
                query,
                position,
                "Put the field before the whole expression: {instead}.",
                instead=instead,
            )
        case Meta() | Everything() | Regex() | Symbol():
            raise QueryError(
                query,
                position,
                "{operator} joins words, phrases, names and lists, not {part}. Join that with AND.",
                operator=operator,
                part=show(part),
            )


def not_within_near(operator: str, query: str, position: int) -> QueryError:
    """Return the error for NOT within NEAR."""
    return QueryError(
        query,
        position,
        "NOT is not allowed inside {operator}. Put it after the whole "
        "expression, as in (a {operator} b) NOT c.",
        operator=operator,
    )


def _first(node: Node, kinds: tuple[type, ...]) -> Node | None:
    """The first node of one of these types, depth first."""
    if isinstance(node, kinds):
        return node
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            matches = (_first(part, kinds) for part in parts)
            return next((hit for hit in matches if hit is not None), None)
        case NoneOf(part=part) | InField(part=part):
            return _first(part, kinds)
        case Near(left=left, right=right):
            return _first(left, kinds) or _first(right, kinds)
        case Term() | Prefix() | NamedList() | _:
            return None
