"""Cut a document into its `<item>` and `<entry>` blocks by bytes, so that only new ones need a parser. Knows no XML beyond that.

Linear in the size of the document whatever it holds. CDATA sections and comments are stepped over; where the shape is odd
(nested or unclosed blocks, prefixed names) there are no blocks, and the whole document goes to the parser.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

_MARK = re.compile(rb"<(?:!\[CDATA\[|!--|(/?)(item|entry)(?=[\s/>]))")


def block_hash(block: bytes) -> bytes:
    """BLAKE2b-128 of a block."""
    return blake2b(block, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Block:
    """One entry's stretch of a document."""

    start: int
    end: int
    hash: bytes


def scan(body: bytes) -> tuple[Block, ...]:
    """The blocks of a document in order; empty where there are none or the shape is odd."""
    blocks: list[Block] = []
    start, name, position = -1, b"", 0
    while mark := _MARK.search(body, position):
        position = mark.end()
        if mark.group(2) is None:
            closing = b"-->" if mark.group().endswith(b"--") else b"]]>"
            position = body.find(closing, position)
            if position < 0:
                return ()
        elif not mark.group(1):
            if start >= 0:
                return ()
            start, name = mark.start(), mark.group(2)
        else:
            end = body.find(b">", position)
            if start < 0 or mark.group(2) != name or end < 0:
                return ()
            blocks.append(Block(start, end + 1, block_hash(body[start : end + 1])))
            start, position = -1, end + 1
    return tuple(blocks) if start < 0 else ()


def prune(body: bytes, blocks: tuple[Block, ...], kept: frozenset[int]) -> bytes:
    """The document with only the blocks at these positions; what stands before the first and after the last block stays."""
    parts = [body[: blocks[0].start]]
    parts += [
        body[block.start : block.end] for position, block in enumerate(blocks) if position in kept
    ]
    parts.append(body[blocks[-1].end :])
    return b"".join(parts)
