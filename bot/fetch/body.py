"""Decode the body of a response: a single content coding, within a limit of size. No I/O.

Gzip of zeros grows a thousandfold, so decoding stops at the limit. A body that is gzip without
declaring it, or twice, is decoded once more.
"""

import zlib

from bot.text.clean import label

GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MEMBERS = 64  # of a gzip body; each costs a copy of what follows


class TooLarge(Exception):  # noqa: N818 (caught in this package only)
    """The decoded body is larger than the limit."""


class Undecodable(Exception):  # noqa: N818 (caught in this package only)
    """The body is not in the coding it declares, or in one that was not requested."""


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    """Return the decoded bytes and whether they are complete.

    Gzip may consist of several members (RFC 1952 §2.2).
    """
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
    """Return the decoded body and whether it is complete. Raises TooLarge and Undecodable."""
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
        raise Undecodable(f"content coding {label(coding, 20)}")
    if body.startswith(GZIP):
        body, complete = _inflate(body, _GZIP_WINDOW, limit)
    if len(body) > limit:
        raise TooLarge
    return body, complete
