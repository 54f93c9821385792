"""Mend what keeps a document from being well-formed XML, where that is cheap and certain. Not a loose parser: feedparser has one."""

import re
from html.entities import html5
from pyexpat import ParserCreate
from xml.parsers.expat import ExpatError

_SECTION = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_AMPERSAND = re.compile(
    rb"&(?:(amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?"
)
_AT_END = frozenset(
    {3, 5, 13, 20}
)  # no element found, unclosed token, undefined position at EOF, unclosed CDATA (expat.h XML_Error)


def fault(body: bytes) -> tuple[int, bool] | None:
    """The byte offset of the first fault of a document and whether it is that the end is missing; None where it is well-formed."""
    parser = ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        return parser.ErrorByteIndex, error.code in _AT_END
    return None


def _mend_references(text: bytes) -> bytes:
    def mended(found: re.Match[bytes]) -> bytes:
        if found.group(1):
            return found.group()
        if found.group(2):
            character = html5.get(found.group(2).decode("ascii") + ";")
            if character:
                return "".join(f"&#{ord(one)};" for one in character).encode("ascii")
        return b"&amp;" + found.group()[1:]

    return _AMPERSAND.sub(mended, text)


def mend(body: bytes) -> bytes:
    """Resolve HTML's named entities and escape bare ampersands, outside CDATA sections and comments."""
    parts: list[bytes] = []
    position = 0
    for section in _SECTION.finditer(body):
        parts += [_mend_references(body[position : section.start()]), section.group()]
        position = section.end()
    parts.append(_mend_references(body[position:]))
    return b"".join(parts)
