"""Find the `<item>` and `<entry>` blocks of a document in its bytes: only new ones need a parser.

Knows no XML beyond that. Linear in the size of any document. CDATA sections and comments are
skipped. If the structure is unusual (nested or unclosed blocks, prefixed names) there are no
blocks, and the whole document goes to the parser.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

_UTF8 = "utf-8"
_MARK = re.compile(rb"<(?:!\[CDATA\[|!--|(/?)(item|entry)(?=[\s/>]))")


def block_hash(block: bytes, charset: str = _UTF8) -> bytes:
    """Return the BLAKE2b-128 digest of a block that is read in this charset.

    A charset may be a guess. A block that is known in one is not known in another, so a later
    reading of the same bytes replaces what was made of them. ASCII reads alike in all but HZ.
    """
    is_usual = charset == _UTF8 or (block.isascii() and charset != "hz")
    return blake2b(
        block, digest_size=16, person=b"" if is_usual else charset.encode()[:16]
    ).digest()


@dataclass(frozen=True, slots=True)
class Block:
    """The range of an entry in a document."""

    start: int
    end: int
    hash: bytes


def scan(body: bytes, charset: str = _UTF8) -> tuple[Block, ...]:
    """Return the blocks of a document in order; empty if there are none or they are unusual."""
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
            blocks.append(Block(start, end + 1, block_hash(body[start : end + 1], charset)))
            start, position = -1, end + 1
    return tuple(blocks) if start < 0 else ()


def prune(body: bytes, blocks: tuple[Block, ...], positions: frozenset[int]) -> bytes:
    """Return the document with only the blocks at these positions, its head and its tail."""
    parts = [body[: blocks[0].start]]
    parts += [
        body[block.start : block.end]
        for position, block in enumerate(blocks)
        if position in positions
    ]
    parts.append(body[blocks[-1].end :])
    return b"".join(parts)
