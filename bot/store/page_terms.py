"""How the words of a page are kept: as keys, packed, in the order of the alphabet; not its text."""

import zlib

#: the terms of the page of an entry `e`, packed; null where none was read
TERMS = "(select terms from pages where entry_id = e.id) as terms"


def pack_terms(terms: str) -> bytes:
    """Return terms, parted by blanks, as they are kept."""
    return zlib.compress(terms.encode()) if terms else b""


def unpack_terms(packed: bytes | None) -> frozenset[str]:
    """Inverse of `pack_terms`, as a set."""
    return frozenset(zlib.decompress(packed).decode().split(" ")) if packed else frozenset()
