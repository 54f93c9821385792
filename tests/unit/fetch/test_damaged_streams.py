"""What decompresses bodies reads and refuses what zlib of Python does, also where it is damaged."""

import random
import zlib
from typing import Any

import pytest
from sampling import SEED
from zlib_ng import zlib_ng


def read(library: Any, body: bytes, window: int, limit: int) -> tuple[bytes, bytes, bool] | None:
    """What comes of a stream, what is behind it, and whether it is whole; None for an error."""
    decoder = library.decompressobj(window)
    try:
        return decoder.decompress(body, limit), decoder.unused_data, decoder.eof
    except library.error:
        return None


def damaged(chance: random.Random, body: bytes) -> bytes:
    """The stream, one bit of it turned, cut off, or with something behind it."""
    match chance.randrange(4):
        case 0:
            return body
        case 1:
            place = chance.randrange(len(body))
            turned = body[place] ^ 1 << chance.randrange(8)
            return body[:place] + bytes([turned]) + body[place + 1 :]
        case 2:
            return body[: chance.randrange(len(body))]
        case _:
            return body + chance.randbytes(chance.randrange(40))


@pytest.mark.parametrize("window", [31, 15, -15])
def test_streams_are_read_and_refused_alike(window: int) -> None:
    chance = random.Random(SEED)
    refused = 0
    for _ in range(1500):
        text = bytes(chance.choices(b"<item>harbour\n", k=chance.randrange(4000)))
        packer = zlib.compressobj(chance.randrange(1, 10), zlib.DEFLATED, window)
        body = damaged(chance, packer.compress(text) + packer.flush())
        limit = chance.choice((1, 100, 100_000))
        expected = read(zlib, body, window, limit)
        assert read(zlib_ng, body, window, limit) == expected
        refused += expected is None
    assert refused > 20
