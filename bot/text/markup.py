"""Tell markup from text that names elements: "XSS via <script> tag", `List<a>`. Not a parser.

Formats allow HTML where writers put plain text, so whether `<b>` is meant or named shows only in
what stands around it: markup comes in pairs, has attributes or touches the words that it marks.
"""

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

_TAG = (
    r"<(?:!doctype|\?xml)\b[^<>]*>"
    r"|<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?P<rest>(?=[\s/>])[^<>]*)>"
)
_MARK = re.compile(rf"<!--.*?-->|{_TAG}", re.IGNORECASE | re.DOTALL)
_TAG_ONLY = re.compile(_TAG, re.IGNORECASE)
_COMMENT = re.compile(r"^(?:\s*<!--[^<>]{0,200}-->)+")
_MOST_COMMENTS = 2000  # characters of comments before the first tag
_AROUND = 80  # characters on either side of a tag that are looked at
_SCRIPTED = re.compile(r"\bon[a-z]+\s*=|javascript:", re.IGNORECASE)
_WORD = re.compile(r"[\w\"'“„«‘(]")
_CODE = re.compile(r"[;(){}=]")
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big blink cite code data del dfn em font i ins kbd label mark nobr "
    "q s samp small span strike strong sub sup time tt u var".split()
)
_BLOCK = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset "
    "figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup html legend li main menu nav ol p "
    "picture pre section summary table tbody td tfoot th thead tr ul".split()
)
#: What stands inside these is no text: if one is taken for markup, all of it is lost.
RAW = frozenset(
    "button form head iframe math noscript object script select style svg template textarea "
    "title audio video canvas map".split()
)
_VOID = frozenset("br hr img input embed source track col wbr area base link meta param".split())
_BREAKS = frozenset("br wbr".split())
_KNOWN = _INLINE | _BLOCK | RAW | _VOID
#: Their end tags may be left out.
_OPEN_ENDED = frozenset("p li dd dt td th tr tbody".split())
_QUOTES = "`'\"“„«‘(["
_SENTENCE_ENDS = ".!?:;…)]”\"'»。！？>"


class TextType(StrEnum):
    """What a format says of a value."""

    TEXT = "text"  #: no markup: what looks like it is text
    HTML = "html"  #: HTML, as source
    XHTML = "xhtml"  #: elements that XML told from text
    UNSURE = "unsure"  #: text, though many put HTML there: a headline


def has_markup(value: str) -> bool:
    """Whether the value has a comment or a tag, meant or named."""
    return any(_marks(value))


def begins_with_markup(value: str) -> bool:
    """Whether the value begins with a tag, and has its end."""
    mark = _TAG_ONLY.match(_COMMENT.sub("", value[:_MOST_COMMENTS]).lstrip())
    name = (mark["name"] or "").lower() if mark else ""
    return name in _INLINE | _BLOCK and f"</{name}>" in value.lower()


def escape_named(value: str, kind: TextType) -> str:
    """Return the value with the tags that are text escaped, and without tags that close nothing.

    What is left of `<` is markup.
    """
    marks = list(_marks(value))
    names = [(mark["name"] or "").lower() for mark in marks]
    partners = _partners(marks, names)
    starts = Counter(
        name for name, mark in zip(names, marks, strict=True) if name and not mark["close"]
    )
    several = _OPEN_ENDED.intersection(name for name, count in starts.items() if count > 1)
    parts: list[str] = []
    position = 0
    for number, (name, mark) in enumerate(zip(names, marks, strict=True)):
        parts.append(value[position : mark.start()].replace("<", "&lt;"))
        position = mark.end()
        partner = partners.get(number)
        if not name or _is_meant(value, name, mark, partner, kind, several):
            # The open end of an element without text would swallow all that follows.
            is_open = name in RAW and partner is None
            parts.append(" " if is_open else mark.group())
        else:
            parts.append(mark.group().replace("<", "&lt;"))
    parts.append(value[position:].replace("<", "&lt;"))
    return "".join(parts)


def _marks(value: str) -> Iterator[re.Match[str]]:
    """Comments and tags. Behind the last end of a comment none is looked for: it takes long."""
    end = value.rfind("-->") + 3 if "-->" in value else 0
    yield from _MARK.finditer(value, 0, end)
    yield from _TAG_ONLY.finditer(value, end)


def _partners(marks: list[re.Match[str]], names: list[str]) -> dict[int, re.Match[str]]:
    """The tags that have a counterpart, by number, with it."""
    partners: dict[int, re.Match[str]] = {}
    opened: dict[str, list[int]] = {}
    for number, (name, mark) in enumerate(zip(names, marks, strict=True)):
        if not name or mark["rest"].endswith("/"):
            continue
        waiting = opened.setdefault(name, [])
        if not mark["close"]:
            waiting.append(number)
        elif waiting:
            start = waiting.pop()
            partners[start], partners[number] = mark, marks[start]
    return partners


def _is_meant(
    value: str,
    name: str,
    mark: re.Match[str],
    partner: re.Match[str] | None,
    kind: TextType,
    several: frozenset[str],
) -> bool:
    """Whether a tag is markup; `several` are the names of tags that may stay open, and recur."""
    has_attributes = "=" in mark["rest"] or (partner is not None and "=" in partner["rest"])
    if kind is not TextType.HTML and _SCRIPTED.search(mark["rest"]):
        return _is_stuck_in(value, mark, partner or mark)  # or an attack that a headline tells of
    if name in _BREAKS:
        return True
    if name in RAW:
        if kind is not TextType.HTML:
            return partner is not None and _is_stuck_in(value, mark, partner)
        if mark["close"] and partner is None:
            return _touches_its_words(value, mark, kind)
        return has_attributes or (partner is not None and _is_code(value, name, mark, partner))
    if name in _VOID:
        is_empty = "/" in mark["rest"] or partner is not None
        return has_attributes or is_empty or (name == "hr" and kind is TextType.HTML)
    if name not in _KNOWN:
        return kind is TextType.HTML and (has_attributes or ":" in name or partner is not None)
    if has_attributes or partner is not None or (kind is TextType.HTML and name in several):
        return True
    return _touches_its_words(value, mark, kind)


def _is_code(value: str, name: str, mark: re.Match[str], partner: re.Match[str]) -> bool:
    """Whether what stands between two tags is none of `<script> and </script>`."""
    start, end = sorted((mark, partner), key=lambda tag: tag.start())
    inside = value[start.end() : end.start()]
    return name not in {"script", "style"} or not inside.strip() or bool(_CODE.search(inside))


def _is_stuck_in(value: str, mark: re.Match[str], partner: re.Match[str]) -> bool:
    """Whether an element touches a word around it, as one that a program put there does."""
    start, end = sorted((mark, partner), key=lambda tag: tag.start())
    return value[: start.start()][-1:].isalnum() or value[end.end() :][:1].isalnum()


def _touches_its_words(value: str, mark: re.Match[str], kind: TextType) -> bool:
    """Whether a tag without counterpart and attributes stands as markup does."""
    name, close = mark["name"].lower(), bool(mark["close"])
    before = value[max(0, mark.start() - _AROUND) : mark.start()]
    after = value[mark.end() : mark.end() + _AROUND]
    follows, precedes = bool(before[-1:].strip()), bool(after[:1].strip())
    if name in _INLINE:
        return follows and not precedes if close else not follows and bool(_WORD.match(after))
    if not before.strip() or not after.strip():
        return kind is TextType.HTML or follows or precedes
    if follows and precedes:
        return before[-1] not in _QUOTES
    return kind is TextType.HTML and (
        "\n" in before[-1] + after[0] or before.rstrip()[-1] in _SENTENCE_ENDS
    )
