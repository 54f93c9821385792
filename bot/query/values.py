"""What may stand in a field and beside NEAR: the rules of a query's parts, as messages for its writer. Not the shape, which is the grammar's."""

from bot.query.tree import AllOf, AnyOf, Everything, InField, Meta, NamedList, Near, Node, NoneOf, Prefix, Regex, Term, show
from bot.text.fold import fold, key
from bot.text.language import code, scripts_of
from bot.text.stem import OTHERS, SNOWBALL

_EXAMPLES = {"site": "reuters.com", "source": '"Euphrates Post"', "author": '"Jane Doe"', "tag": "world", "lang": "ru", "feed": '"BBC World"'}


def host(text: str) -> str:
    """The host of an address, with its path where there is one, as `site:` compares it."""
    bare = text.lower().partition("://")[2] or text.lower()
    address, slash, path = bare.partition("?")[0].partition("#")[0].removeprefix("www.").rstrip("/").partition("/")
    return f"{address.rpartition('@')[2].partition(':')[0]}{slash}{path}"


def in_text(field: str, part: Node) -> InField:
    """`title:` or `summary:` before a part. Raises ValueError with a message."""
    inner = _first(part, (InField, Meta, Everything))
    if inner is not None:
        raise ValueError(f"{field}: cannot hold {show(inner)}: put that outside, joined by AND.")
    return InField(field, part)


def in_meta(field: str, part: Node) -> Node:
    """The part with its words as values of the field. Raises ValueError with a message."""
    match part:
        case AllOf(parts=parts):
            return AllOf(tuple(in_meta(field, one) for one in parts))
        case AnyOf(parts=parts):
            return AnyOf(tuple(in_meta(field, one) for one in parts))
        case NoneOf(part=inner):
            return NoneOf(in_meta(field, inner))
        case Term(text=text, quoted=quoted, mode=mode) if mode != "exact":
            return Meta(field, _value(field, text), text, quoted)
        case _:
            raise ValueError(f"{field}: takes plain values, as in {field}:{_EXAMPLES[field]}, not {show(part)}.")


def _value(field: str, text: str) -> str:
    match field:
        case "site":
            value = host(text)
            if "." not in value.partition("/")[0]:
                raise ValueError("site: takes a whole host, as in site:reuters.com.")
            return value
        case "lang":
            value = code(text)
            if not (scripts_of(value) or value in SNOWBALL or value in OTHERS):
                raise ValueError("lang: takes a language code, as in lang:en, lang:ru or lang:ar.")
            return value
        case "tag":
            return fold(text)
        case "feed" if "://" in text:
            return text
        case _:
            return key(text)


def not_for_near(part: Node, other: str, operator: str, *, left: bool) -> str:
    """Why a part cannot stand on this side of NEAR, and what to write instead; empty where it can."""

    def beside(one: Node) -> str:
        shown = show(one, inside=True)
        return f"{shown} {operator} {other}" if left else f"{other} {operator} {shown}"

    match part:
        case AllOf(parts=parts):
            return f"AND cannot stand within {operator}: write {' AND '.join(f'({beside(one)})' for one in parts)}."
        case AnyOf(parts=parts):
            return next((problem for one in parts if (problem := not_for_near(one, other, operator, left=left))), "")
        case NoneOf():
            return f"NOT cannot stand within {operator}: put it after the whole, as in (a {operator} b) NOT c."
        case InField(field=field, part=inner):
            return f"Put the field before the whole: {field}:({beside(inner)})."
        case Meta() | Everything() | Regex():
            return f"{operator} joins words, phrases, names and lists, not {show(part)}: join that with AND."
        case _:
            return ""


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
