"""The last committed document of a feed: its blocks, and the entries that they hold.

Decides nothing; `entry_identity` fills it in.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from struct import Struct

NO_BLOCK = bytes(16)
_RECORD = Struct(">16sQ")  # block hash (zeros for none) and entry id


@dataclass(frozen=True)
class Document:
    """The blocks of the last committed document with the entries they hold.

    Entry 0 is a block that was cut or skipped.
    """

    records: tuple[tuple[bytes, int], ...]

    @classmethod
    def unpack(cls, packed: bytes) -> "Document":
        """From the bytes the store keeps."""
        return _unpacked(packed)

    def pack(self) -> bytes:
        """To the bytes the store keeps."""
        return b"".join(_RECORD.pack(block, entry) for block, entry in self.records)

    @cached_property
    def blocks(self) -> frozenset[bytes]:
        """Hashes of blocks that need no parser."""
        return frozenset(block for block, _ in self.records if block != NO_BLOCK)

    @cached_property
    def entries(self) -> frozenset[int]:
        """Ids of the entries in the document."""
        return frozenset(entry for _, entry in self.records if entry)


@lru_cache(maxsize=256)
def _unpacked(packed: bytes) -> Document:
    """Cached, for a poll asks for the same document several times."""
    return Document(tuple(_RECORD.iter_unpack(packed)))
