"""Bytes on the wire to the bytes of a document: one content coding, within a limit. No network here.

Gzip of zeros grows a thousandfold, so decoding runs against a cap. A body that is gzip without saying so, or twice, is opened once more.
"""

import zlib

GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MEMBERS = 64  # of one gzip body; each costs a copy of what follows


class TooLarge(Exception):  # noqa: N818 (caught in this folder only)
    """The decoded body is larger than the limit."""


class Undecodable(Exception):  # noqa: N818 (caught in this folder only)
    """The body is not in the coding it claims, or in one that was not asked for."""


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    """The decoded bytes and whether their end is there. Gzip may come in several members, one after the other (RFC 1952 §2.2)."""
    parts: list[bytes] = []
    size, complete = 0, False
    while not parts or (complete and window == _GZIP_WINDOW and body.startswith(GZIP)):
        decoder = zlib.decompressobj(window)
        try:
            parts.append(decoder.decompress(body, limit + 1 - size))
        except zlib.error as error:
            raise Undecodable(str(error)) from error
        size += len(parts[-1])
        if size > limit:
            raise TooLarge
        body, complete = decoder.unused_data, decoder.eof
        if len(parts) > _MEMBERS:
            raise Undecodable("too many parts")
    return b"".join(parts), complete


def decode(body: bytes, coding: str, limit: int) -> tuple[bytes, bool]:
    """The decoded body and whether its end is there.

    Raises TooLarge and Undecodable.
    """
    complete = True
    coding = coding.strip().lower()
    if coding in {"gzip", "x-gzip"} and body.startswith(GZIP):
        body, complete = _inflate(body, _GZIP_WINDOW, limit)
    elif coding == "deflate" and body:
        try:
            body, complete = _inflate(body, 15, limit)
        except Undecodable:
            body, complete = _inflate(body, -15, limit)
    elif coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise Undecodable(f"content coding {coding[:20]}")
    if body.startswith(GZIP):
        body, complete = _inflate(body, _GZIP_WINDOW, limit)
    if len(body) > limit:
        raise TooLarge
    return body, complete
