"""What may stand in a field and beside NEAR: the rules of a query's parts, as messages for its writer. Not the shape, which is the grammar's."""

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
    Term,
    show,
)
from bot.text.fold import fold, folded_key
from bot.text.language import language_code, scripts_of
from bot.text.stem import OTHERS, SNOWBALL

_EXAMPLES = {
    "site": "reuters.com",
    "source": '"Euphrates Post"',
    "author": '"Jane Doe"',
    "tag": "world",
    "lang": "ru",
    "feed": '"BBC World"',
}


def site_value(text: str) -> str:
    """The host of an address, with its path where there is one, as `site:` compares it."""
    bare = text.lower().partition("://")[2] or text.lower()
    address, slash, path = (
        bare.partition("?")[0].partition("#")[0].removeprefix("www.").rstrip("/").partition("/")
    )
    return f"{address.rpartition('@')[2].partition(':')[0]}{slash}{path}"


def in_text_field(field: str, part: Node, query: str, position: int) -> InField:
    """`title:` or `summary:` at this position of the query, before a part. Raises QueryError."""
    inner = _first(part, (InField, Meta, Everything))
    if inner is not None:
        shown = show(inner)
        raise QueryError(
            query,
            position,
            "{field}: cannot contain {part}. Put that outside, joined by AND.",
            field=field,
            part=shown,
        )
    return InField(field, part)


def in_meta_field(field: str, part: Node, query: str, position: int) -> Node:
    """The part with its words as values of the field, which stands at this position of the query. Raises QueryError."""
    match part:
        case AllOf(parts=parts):
            return AllOf(tuple(in_meta_field(field, one, query, position) for one in parts))
        case AnyOf(parts=parts):
            return AnyOf(tuple(in_meta_field(field, one, query, position) for one in parts))
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
    """Where a part stands."""

    other: str  #: what stands on the other side, as text
    operator: str  #: as in `NEAR/3`
    left: bool  #: the part is on the left side

    def whole(self, part: Node) -> str:
        """The part with what it stands beside, as text."""
        shown = show(part, inside=True)
        return (
            f"{shown} {self.operator} {self.other}"
            if self.left
            else f"{self.other} {self.operator} {shown}"
        )


def check_near_side(part: Node, beside: NearSide, query: str, position: int) -> None:
    """Raises QueryError where a part cannot stand on this side of the NEAR at this position, with what to write instead."""
    operator = beside.operator
    match part:
        case AllOf(parts=parts):
            instead = " AND ".join(f"({beside.whole(one)})" for one in parts)
            raise QueryError(
                query,
                position,
                "AND is not allowed inside {operator}. Write {instead}.",
                operator=operator,
                instead=instead,
            )
        case AnyOf(parts=parts):
            for one in parts:
                check_near_side(one, beside, query, position)
        case NoneOf():
            raise not_within_near(operator, query, position)
        case InField(field=field, part=inner):
            instead = f"{field}:({beside.whole(inner)})"
            raise QueryError(
                query,
                position,
                "Put the field before the whole expression: {instead}.",
                instead=instead,
            )
        case Meta() | Everything() | Regex():
            raise QueryError(
                query,
                position,
                "{operator} joins words, phrases, names and lists, not {part}. Join that with AND.",
                operator=operator,
                part=show(part),
            )


def not_within_near(operator: str, query: str, position: int) -> QueryError:
    """That NOT stands beside NEAR."""
    return QueryError(
        query,
        position,
        "NOT is not allowed inside {operator}. Put it after the whole "
        "expression, as in (a {operator} b) NOT c.",
        operator=operator,
    )


def _first(node: Node, kinds: tuple[type, ...]) -> Node | None:
    """The first part of one of these kinds."""
    if isinstance(node, kinds):
        return node
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return next((found for one in parts if (found := _first(one, kinds)) is not None), None)
        case NoneOf(part=part) | InField(part=part):
            return _first(part, kinds)
        case Near(left=left, right=right):
            return _first(left, kinds) or _first(right, kinds)
        case Term() | Prefix() | NamedList() | _:
            return None
