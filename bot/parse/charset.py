"""Decode the bytes of a document to clean UTF-8 without a declaration. Not XML parsing.

The order is: byte order mark, UTF-8, XML declaration, charset of the header, Windows-1252. A wrong
header is common (`text/xml` without a charset means us-ascii by RFC 3023), a wrong declaration less
so. Labels mean what the WHATWG Encoding Standard says. A byte that a charset does not have costs
itself: what is declared decodes the document, with replacements where it has to.
"""

import codecs
import re
import sys
from functools import lru_cache

import webencodings

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The first character of a document without a mark: markup, JSON, or a blank before them.
_WIDE_STARTS = (
    (re.compile(rb"[<{\t\n\r ]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\t\n\r ]"), "utf-32-be"),
    (re.compile(rb"[<{\t\n\r ]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\t\n\r ]"), "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([^"'<>]{1,40})""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,<>]{1,40})""", re.IGNORECASE)
# Characters outside the production Char of XML 1.0 §2.2.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# References that may be illegal: those of three and four decimal digits all are characters.
_REFERENCE = re.compile(r"&#(?:([0-9]{1,2}|[0-9]{5,}|0[0-9]+)|[xX]([0-9a-fA-F]+));")
_MAX_DIGITS = 8  # of a reference, without leading zeros
_BEYOND_TWO_BYTES = re.compile("[\u0800-\U0010ffff]")
# Codecs of Python that are for other uses: no text, or quadratic time.
_NO_CHARSETS = frozenset(
    "punycode idna undefined rawunicodeescape unicodeescape utf7 mbcs oem "
    "base64 bz2 charmap hex quopri rot13 uu zlib".split()
)
_UNICODE = re.compile(r"utf[-_]?(?:8|16|32)")
_DOUBLE_BYTE = frozenset("cp932 euc_jp gb18030 cp949 big5hkscs johab euc_jis_2004".split())
# Charsets of seven bits, and what shows that a document is in one.
_SHIFTS = (("iso2022", b"\x1b"), ("hz", b"~{"))
_NOT_ALNUM = re.compile("[^a-z0-9]")
_PREFIXED = re.compile(r"x?(?:windows|win|cp|ms|ansi|ibm|dos|codepage)(\d{3,5})")
# Labels that neither the standard nor Python has, squeezed: those of PHP, of Java, and the numbers
# of Microsoft's code pages.
_OTHER_LABELS = {
    "sjiswin": "shift_jis",
    "cp943c": "shift_jis",
    "eucjpms": "euc-jp",
    "eucjpwin": "euc-jp",
    "cp51932": "euc-jp",
    "cp20932": "euc-jp",
    "cp50220": "iso-2022-jp",
    "cp50221": "iso-2022-jp",
    "cp50222": "iso-2022-jp",
    "uhc": "euc-kr",
    "cp51949": "euc-kr",
    "cp936": "gbk",
    "cp54936": "gb18030",
    "cp950": "big5",
    "cp20866": "koi8-r",
    "cp21866": "koi8-u",
    "cp10007": "x-mac-cyrillic",
    "cp65001": "utf-8",
    **{f"cp{28590 + part}": f"iso-8859-{part}" for part in (*range(1, 10), 13, 15)},
}
# Python's codecs are narrower than those of the standard.
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "iso2022_jp": "iso2022_jp_ext"}
_LENIENT = "newsbell.lenient"  # the name of the error handler below
# So many sequences of UTF-8 for each stray byte outweigh a declaration: of a charset of two bytes,
# and of another. In the first, every fifth pair is such a sequence by chance.
_MOSTLY_TWO, _MOSTLY_ONE = 8, 3


def _codec(label: str) -> str:
    """Python's codec for a label; empty if it is none of a charset that documents are written in.

    Odd spellings are compared without signs: cp-1251, windows1251, gb-2312.
    """
    return _cached_codec(label.strip().lower())


@lru_cache(maxsize=256)
def _cached_codec(label: str) -> str:
    squeezed = _NOT_ALNUM.sub("", label)
    spellings = [label, squeezed, squeezed[1:], f"iso{squeezed}", _OTHER_LABELS.get(squeezed, "")]
    if prefixed := _PREFIXED.fullmatch(squeezed):
        codepage = f"cp{prefixed.group(1)}"
        spellings += [f"windows{prefixed.group(1)}", _OTHER_LABELS.get(codepage, ""), codepage]
    for spelling in spellings:
        encoding = webencodings.lookup(_squeezed_labels().get(spelling, spelling))
        if encoding and encoding.name not in {"replacement", "x-user-defined"}:
            return _wider(encoding.codec_info.name)
    return next((codec for spelling in spellings if (codec := _pythons(spelling))), "")


@lru_cache(maxsize=1)
def _squeezed_labels() -> dict[str, str]:
    """The labels of the standard without signs."""
    return {_NOT_ALNUM.sub("", label): label for label in webencodings.LABELS}


def _pythons(label: str) -> str:
    """A codec that Python has, such as cp437 or hz; the standard's where that is the same."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    if _NOT_ALNUM.sub("", name) in _NO_CHARSETS:
        return ""
    encoding = webencodings.lookup(name)
    is_same = encoding and encoding.name != "replacement"
    return _wider(encoding.codec_info.name if is_same else name)


def _wider(codec: str) -> str:
    return _WIDER.get(codec, codec)


def _lenient(error: UnicodeError) -> tuple[str, int]:
    """What the standard has for bytes that Python's codec lacks, or U+FFFD for a single one."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, data = error.start, error.object
    pair = data[start : start + 2]
    if error.encoding in {"iso2022_jp_ext", "euc_jp"}:
        text = _japanese(bytes(byte | 0x80 for byte in pair))
    elif error.encoding == "big5hkscs":
        text = _pair(pair, "cp950")
    else:
        text = ""
    if text:
        return text, start + 2
    if error.encoding == "gb18030" and data[start] == 0x80:
        return "€", start + 1
    if error.encoding == "charmap" and data[start] < 0xA0:
        return chr(data[start]), start + 1  # a control character, which is dropped
    return "\ufffd", error.end


def _pair(pair: bytes, codec: str) -> str:
    try:
        text = pair.decode(codec)
    except UnicodeDecodeError:
        return ""
    return text if len(text) == 1 else ""


def _japanese(pair: bytes) -> str:
    """The character of a pair of EUC-JP that cp932 has: rows 13 and 89 to 92 of NEC and IBM."""
    if len(pair) < 2 or not all(0xA1 <= byte <= 0xFE for byte in pair):
        return ""
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead = (row >> 1) + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 + (cell >= 63))
    return _pair(bytes((lead, trail)), "cp932")


codecs.register_error(_LENIENT, _lenient)


def _is_strict(body: bytes, codec: str) -> bool:
    try:
        body.decode(codec)
    except (LookupError, ValueError):
        return False
    return True


def charset_of(body: bytes, content_type: str) -> str:
    """Return Python's codec for a document.

    Valid UTF-8 is UTF-8, whatever is declared, unless a charset of two bytes fits as well.
    """
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec
    for start, codec in _WIDE_STARTS:
        if start.match(body):
            return codec
    declared = _DECLARED.match(body[:400])
    header = _HEADER.search(content_type)
    labels = (declared.group(1).decode("latin-1") if declared else "", header and header.group(1))
    named = [codec for label in labels if label and (codec := _codec(label))]
    # The first bytes of a wide one would have shown it.
    legacy = [codec for codec in named if not _UNICODE.match(codec)]
    for codec in legacy:
        if any(codec.startswith(name) and shift in body for name, shift in _SHIFTS):
            return codec
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _not_utf8(body, legacy)
    is_other = legacy and legacy[0] in _DOUBLE_BYTE and legacy[0] == named[0] and not text.isascii()
    if is_other and not _BEYOND_TWO_BYTES.search(text) and _is_strict(body, legacy[0]):
        return legacy[0]
    return "utf-8"


def _not_utf8(body: bytes, legacy: list[str]) -> str:
    """The codec of a document that is not valid UTF-8; `legacy` are those that it declares."""
    text = body.decode("utf-8", "replace")
    strays = text.count("\ufffd")
    sequences = len(text) - len(text.encode("ascii", "ignore")) - strays
    outweighed = _MOSTLY_TWO if _DOUBLE_BYTE.intersection(legacy) else _MOSTLY_ONE
    if sequences >= strays * (outweighed if legacy else 1):
        return "utf-8"  # with stray bytes, or cut within a character
    if not legacy:
        return "cp1252"
    strict = next((codec for codec in legacy if _is_strict(body, codec)), "")
    return strict or min(legacy, key=lambda codec: _decode(body, codec).count("\ufffd"))


def _decode(body: bytes, codec: str) -> str:
    for mark, name in _BOMS:
        if name == codec and body.startswith(mark):
            body = body[len(mark) :]
    return body.decode(codec, "replace" if _UNICODE.match(codec) else _LENIENT)


def is_wide(body: bytes) -> bool:
    """Whether the byte `<` may not be a tag (UTF-16, UTF-32, ISO-2022): decode before scanning."""
    return (
        b"\x1b" in body
        or any(body.startswith(mark) for mark, codec in _BOMS if codec != "utf-8")
        or any(start.match(body) for start, _ in _WIDE_STARTS)
    )


def to_utf8(body: bytes, content_type: str, charset: str = "") -> bytes:
    """Return the document as UTF-8, without byte order mark, declaration or illegal characters.

    `charset` is what `charset_of` gave for it, where that is known already.
    """
    text = decode(body, content_type, charset)
    text = _DECLARATION.sub("", text, count=1).lstrip()
    text = _ILLEGAL.sub("", text)
    if "&#" in text:
        text = _REFERENCE.sub(_legal_reference, text)
    return text.encode("utf-8")


def decode(body: bytes, content_type: str, charset: str = "") -> str:
    """Return the text of a document as it stands, without what comes before its first sign."""
    return _decode(body, charset or charset_of(body, content_type)).lstrip("\ufeff \t\r\n")


def _legal_reference(reference: re.Match[str]) -> str:
    """The reference; nothing for one to what is no character of XML, or beyond Unicode."""
    decimal, hexadecimal = reference.groups()
    digits = (decimal or hexadecimal).lstrip("0")
    if not digits or len(digits) > _MAX_DIGITS:
        return ""
    point = int(digits, 10 if decimal else 16)
    return reference.group() if point <= sys.maxunicode and not _ILLEGAL.match(chr(point)) else ""
