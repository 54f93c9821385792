"""Decode the bytes of a document to clean UTF-8 without a declaration. Not XML parsing.

The order is: byte order mark, XML declaration, UTF-8, charset of the header, Windows-1252. A wrong
header is common (`text/xml` without a charset means us-ascii by RFC 3023), a wrong declaration less
so. A declared charset that decodes any bytes is tried after UTF-8: its text hardly ever happens to
be valid UTF-8.
"""

import codecs
import re
import sys

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF_STARTS = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# Single-byte charsets, which decode any bytes.
_SINGLE_BYTE = re.compile(
    r"(?:x-)?(?:iso-?8859|windows-?125|cp125|latin|l1|koi8|mac)", re.IGNORECASE
)
_WIDE = re.compile(r"u(?:tf|cs|nicode)?[-_]?(?:16|32|2|4)", re.IGNORECASE)
_HEADER = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# Characters outside the production Char of XML 1.0 §2.2.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_REFERENCE = re.compile(r"&#(?:([0-9]+)|[xX]([0-9a-fA-F]+));")
_MAX_DIGITS = 8  # of a reference, without leading zeros
# Codecs of Python that are for other uses: no text, or quadratic time.
_NO_CHARSETS = frozenset(
    "punycode idna undefined raw-unicode-escape unicode-escape utf-7 mbcs oem "
    "base64 bz2 hex quopri rot-13 uu zlib".split()
)
# The charsets that these labels mean in practice (WHATWG Encoding §4.2).
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ks_c_5601-1987": "cp949",
}


def _codec(name: str) -> str:
    """The codec of a label; empty if it is none of a charset that documents are written in."""
    name = _SUPERSETS.get(name.lower(), name)
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return "" if known in _NO_CHARSETS else name


def _try(body: bytes, name: str) -> str | None:
    codec = _codec(name)
    if not codec or _WIDE.match(name):
        return None  # the first bytes of a wide one would have shown it
    try:
        return body.decode(codec)
    except (LookupError, UnicodeError, ValueError):
        return None


def _decode(body: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for start, name in _UTF_STARTS:
        if body.startswith(start):
            return body.decode(name, "replace")
    declared = _DECLARED.match(body[:400])
    header = _HEADER.search(content_type)
    names = [declared.group(1).decode("ascii")] if declared else []
    names.insert(0 if names and _SINGLE_BYTE.match(names[0]) else len(names), "utf-8")
    if header:
        names.append(header.group(1))
    for name in names:
        text = _try(body, name)
        if text is not None:
            return text
    # A stray byte in a document of UTF-8 must not turn every other letter into noise.
    text = body.decode("utf-8", "replace")
    if (
        text.count("\ufffd") <= max(2, len(text) // 1000)
        and not text.replace("\ufffd", "").isascii()
    ):
        return text
    name = _SUPERSETS.get(names[0].lower(), "cp1252")
    return body.decode("cp1252" if name == "utf-8" else name, "replace")


def is_wide(body: bytes) -> bool:
    """Whether the byte `<` may not be a tag (UTF-16, UTF-32, ISO-2022): decode before scanning."""
    return (
        b"\x1b" in body
        or body.startswith(_BOMS[0][0])
        or any(body.startswith(start) for start, _ in (*_BOMS[1:2], *_BOMS[3:], *_UTF_STARTS))
    )


def to_utf8(body: bytes, content_type: str) -> bytes:
    """Return the document as UTF-8, without byte order mark, declaration or illegal characters."""
    text = _decode(body, content_type).lstrip("\ufeff \t\r\n")
    text = _DECLARATION.sub("", text, count=1).lstrip()
    text = _ILLEGAL.sub("", text)
    if "&#" in text:
        text = _REFERENCE.sub(_legal_reference, text)
    return text.encode("utf-8")


def _legal_reference(reference: re.Match[str]) -> str:
    """The reference; nothing for one to what is no character of XML, or beyond Unicode."""
    decimal, hexadecimal = reference.groups()
    digits = (decimal or hexadecimal).lstrip("0")
    if not digits or len(digits) > _MAX_DIGITS:
        return ""
    point = int(digits, 10 if decimal else 16)
    return reference.group() if point <= sys.maxunicode and not _ILLEGAL.match(chr(point)) else ""
