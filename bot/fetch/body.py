"""Bytes on the wire to the bytes of a document: one content coding, within a limit. No network here.

Gzip of zeros grows a thousandfold, so decoding runs against a cap. A body that is gzip without saying so, or twice, is opened once more.
"""

import zlib

GZIP = b"\x1f\x8b"


class TooLarge(Exception):  # noqa: N818 (caught in this folder only)
    """The decoded body is larger than the limit."""


class Undecodable(Exception):  # noqa: N818 (caught in this folder only)
    """The body is not in the coding it claims, or in one that was not asked for."""


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    decoder = zlib.decompressobj(window)
    try:
        out = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise Undecodable(str(error)) from error
    if len(out) > limit:
        raise TooLarge
    return out, decoder.eof


def decode(body: bytes, coding: str, limit: int) -> tuple[bytes, bool]:
    """The decoded body and whether its end is there.

    Raises TooLarge and Undecodable.
    """
    complete = True
    coding = coding.strip().lower()
    if coding in {"gzip", "x-gzip"} and body.startswith(GZIP):
        body, complete = _inflate(body, 31, limit)
    elif coding == "deflate" and body:
        try:
            body, complete = _inflate(body, 15, limit)
        except Undecodable:
            body, complete = _inflate(body, -15, limit)
    elif coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise Undecodable(f"content coding {coding[:20]}")
    if body.startswith(GZIP):
        body, complete = _inflate(body, 31, limit)
    if len(body) > limit:
        raise TooLarge
    return body, complete
