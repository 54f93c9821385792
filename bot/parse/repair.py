"""Repair documents that are not well-formed XML, if that is cheap and certain. Not a parser."""

import re
from html.entities import html5
from pyexpat import ParserCreate
from xml.parsers.expat import ExpatError

_SECTION = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_AMPERSAND = re.compile(
    rb"&(?:(amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?"
)
# No element found, unclosed token, undefined position at EOF, unclosed CDATA (expat.h, XML_Error).
_AT_END = frozenset({3, 5, 13, 20})


def fault(body: bytes) -> tuple[int, bool] | None:
    """Return offset of the first error and whether the end is missing; None if well-formed."""
    parser = ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(body, True)
    except ExpatError as error:
        return parser.ErrorByteIndex, error.code in _AT_END
    except (LookupError, ValueError):  # a declared charset that Python knows not, or not as text
        return 0, False
    return None


def _mend_references(text: bytes) -> bytes:
    def replacement(reference: re.Match[bytes]) -> bytes:
        if reference.group(1):
            return reference.group()
        if reference.group(2):
            characters = html5.get(reference.group(2).decode("ascii") + ";")
            if characters:
                return "".join(f"&#{ord(character)};" for character in characters).encode("ascii")
        return b"&amp;" + reference.group()[1:]

    return _AMPERSAND.sub(replacement, text)


def mend(body: bytes) -> bytes:
    """Resolve named entities of HTML and escape bare ampersands, except in CDATA and comments."""
    parts: list[bytes] = []
    position = 0
    for section in _SECTION.finditer(body):
        parts += [_mend_references(body[position : section.start()]), section.group()]
        position = section.end()
    parts.append(_mend_references(body[position:]))
    return b"".join(parts)
