"""The form of data files of names and words: named sections, read where they lie on the disk.

A file is mapped into memory, so that only what is looked up is read, and all processes share it.
Knows nothing of what is in the sections.
"""

import json
import mmap
import sys
import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

MAGIC = b"newsbell data 1\n"
_LENGTH = 4  # bytes of the length of the table of sections, behind the mark
_ALIGNMENT = 8
_REST_BITS = 32

Code = Literal["H", "I", "Q"]  #: unsigned integers of 2, 4 or 8 bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """Sections by name, and what the file says about itself."""

    about: Mapping[str, Any]  #: what it was made from
    sections: Mapping[str, memoryview]

    def integers(self, name: str, code: Code) -> Sequence[int]:
        """Return the integers of a section."""
        view = self.sections[name].cast(code)
        if sys.byteorder == "little":
            return view
        numbers = array(code, view)
        numbers.byteswap()
        return numbers

    def text(self, name: str) -> str:
        """Return the text of a section that was packed."""
        return zlib.decompress(self.sections[name]).decode()


def open_data(path: Path) -> DataFile:
    """Map a file into memory, for as long as anything of it is in use."""
    with path.open("rb") as stream:
        return parse_data(memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)))


def parse_data(content: bytes | memoryview) -> DataFile:
    """Return the sections of a file's content. Raises ValueError for another form."""
    view = memoryview(content)
    start = len(MAGIC) + _LENGTH
    if view[: len(MAGIC)] != MAGIC:
        raise ValueError("This is no data file of this version of newsbell.")
    end = start + int.from_bytes(view[len(MAGIC) : start], "little")
    table = json.loads(bytes(view[start:end]))
    first = _aligned(end)
    return DataFile(
        table["about"],
        {
            name: view[first + offset : first + offset + length]
            for name, (offset, length) in table["sections"].items()
        },
    )


def data_bytes(about: Mapping[str, Any], sections: Mapping[str, bytes]) -> bytes:
    """Return the content of a file with these sections."""
    places: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, section in sections.items():
        body.extend(bytes(_aligned(len(body)) - len(body)))
        places[name] = len(body), len(section)
        body += section
    table = json.dumps({"about": about, "sections": places}, ensure_ascii=False).encode()
    head = MAGIC + len(table).to_bytes(_LENGTH, "little") + table
    return head + bytes(_aligned(len(head)) - len(head)) + bytes(body)


def integer_bytes(code: Code, numbers: Iterable[int]) -> bytes:
    """Return integers as a section. Raises OverflowError where one is too large."""
    section = array(code, numbers)
    if sys.byteorder != "little":
        section.byteswap()
    return section.tobytes()


def text_bytes(text: str) -> bytes:
    """Return a text as a packed section."""
    return zlib.compress(text.encode(), 9)


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT


@dataclass(frozen=True, slots=True)
class WordIndex:
    """Where words are in a list that is sorted by their hashes; the words are not kept.

    A hash is a bucket and 32 bits more. None of the words has that of another one, and of all
    other words fewer than one in a hundred million has that of one of them.
    """

    starts: Sequence[int]  #: of each bucket in the list, then the end; a power of two, and one
    rests: Sequence[int]  #: the 32 bits behind the number of the bucket, of each word

    def find(self, word: str) -> range:
        """Return the positions of a word."""
        bucket, rest = hash_of(word, (len(self.starts) - 1).bit_length() - 1)
        end = self.starts[bucket + 1]
        first = last = bisect_left(self.rests, rest, self.starts[bucket], end)
        while last < end and self.rests[last] == rest:
            last += 1
        return range(first, last)


def hash_of(word: str, bits: int) -> tuple[int, int]:
    """Return the number of a word's bucket, of so many bits, and 32 bits more."""
    digest = blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest()
    return divmod(int.from_bytes(digest) >> (64 - _REST_BITS - bits), 1 << _REST_BITS)


def index_words(values: Mapping[str, Iterable[int]], bits: int) -> tuple[WordIndex, list[int]]:
    """Return an index of words with 2 ** bits buckets, and the values in its order.

    A word stands there once for each of its values. Raises ValueError where two words have one
    hash.
    """
    words: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for word in values:
        words[hash_of(word, bits)].append(word)
    starts, rests, ordered = [0] * ((1 << bits) + 1), list[int](), list[int]()
    for (bucket, rest), (word, *others) in sorted(words.items()):
        if others:
            raise ValueError(f"{word!r} and {others[0]!r} have one hash; take more buckets")
        own = sorted(values[word])
        starts[bucket + 1] += len(own)
        rests += [rest] * len(own)
        ordered += own
    for bucket in range(1 << bits):
        starts[bucket + 1] += starts[bucket]
    return WordIndex(starts, rests), ordered
