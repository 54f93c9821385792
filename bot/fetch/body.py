"""Decode the body of a response within a limit of size, whatever coding its label names. No I/O.

What the bytes are counts, not what they are called: labels such as `aws-chunked`, `none` or
`gzip, gzip` stand on plain documents and on documents that are compressed once.
Gzip of zeros grows a thousandfold, so decoding stops at the limit.
zlib-ng takes half the time of Python's zlib, and reads and refuses the same.
"""

import re

from zlib_ng import zlib_ng

from bot.text.clean import label

GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MEMBERS = 64  # of a gzip body; each costs a copy of what follows
_LAYERS = 2  # of compression, one inside the other
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?[\x00\s]*(?:<[?!A-Za-z]|[\[{]\s*[\"{\[\]}])")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_DEFLATE = frozenset({"deflate", "x-deflate", "zlib"})
# What says nothing about a compression, and what is decoded by its first bytes.
_HARMLESS = frozenset({"", "identity", "none", "gzip", "x-gzip", "aws-chunked", "utf-8", "utf8"})


class TooLarge(Exception):  # noqa: N818 (caught in this package only)
    """The decoded body is larger than the limit."""


class Undecodable(Exception):  # noqa: N818 (caught in this package only)
    """The body is compressed in a way that cannot be undone; says why in a clause."""


def decode(body: bytes, coding: str, limit: int) -> tuple[bytes, bool]:
    """Return the decoded body and whether it is complete. Raises TooLarge and Undecodable."""
    complete = True
    codings = [part.partition(";")[0].strip().lower() for part in coding.split(",")]
    for _ in range(_LAYERS):
        if body.startswith(GZIP):
            body, complete = _inflate(body, _GZIP_WINDOW, limit)
        elif not is_plain(body) and body and _DEFLATE.intersection(codings):
            body, complete = _deflated(body, limit)
            codings = [name for name in codings if name not in _DEFLATE]
    if len(body) > limit:
        raise TooLarge
    if body and not is_plain(body):
        for name in codings:
            if name not in _HARMLESS:
                raise Undecodable(f"it is in the coding {label(name, 20)}, which was not asked for")
    return body, complete


def is_plain(body: bytes) -> bool:
    """Whether a body begins as XML, HTML or JSON does."""
    return body.startswith(_UTF_16_MARKS) or _PLAIN.match(body[:1000]) is not None


def _deflated(body: bytes, limit: int) -> tuple[bytes, bool]:
    """Inflate what zlib wrapped, as the label means, or did not, as some servers do."""
    try:
        return _inflate(body, 15, limit)
    except Undecodable:
        return _inflate(body, -15, limit)


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    """Return the decoded bytes and whether they are complete.

    Gzip may consist of several members (RFC 1952 §2.2).
    """
    parts: list[bytes] = []
    size, complete = 0, False
    while not parts or (complete and window == _GZIP_WINDOW and body.startswith(GZIP)):
        decoder = zlib_ng.decompressobj(window)
        try:
            parts.append(decoder.decompress(body, limit + 1 - size))
        except zlib_ng.error:  # type: ignore[misc]  # its types call the class an instance
            raise Undecodable("its compressed data is damaged") from None
        size += len(parts[-1])
        if size > limit:
            raise TooLarge
        body, complete = decoder.unused_data, decoder.eof
        if len(parts) > _MEMBERS:
            raise Undecodable("it has too many compressed parts")
    return b"".join(parts), complete
