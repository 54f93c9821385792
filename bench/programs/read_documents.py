"""Read documents in one of several ways, and print what that took of a processor.

    python read_documents.py FILE WAY

FILE is a pickle of pairs: a document, and the same with one new item. It runs with any commit of
newsbell on its path. Ways: `newsbell`; `by_feedparser`, newsbell without its quick reader; and
`feedparser`, which does nothing with what it finds.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://news.example/feed"
KIND = "application/xml"


def cold_reader(way: str) -> Callable[[bytes], int]:
    """Return a function that reads a document and returns how many entries it has."""
    if way == "feedparser":
        import feedparser  # noqa: PLC0415 (what is measured)

        return lambda body: len(feedparser.parse(BytesIO(body)).entries)
    from bot.parse.read import read_document  # noqa: PLC0415 (of the commit on the path)

    if way == "by_feedparser":
        from bot.parse import extract  # noqa: PLC0415 (of this commit alone)

        extract.read_plain = lambda _: None  # type: ignore[assignment, attr-defined]  # never plain

    def read(body: bytes) -> int:
        document: Any = read_document(body, KIND, URL, frozenset(), datetime.now(UTC))
        return len(document.entries)

    return read


def new_reader(pairs: list[tuple[bytes, bytes]]) -> Callable[[int], int]:
    """Return a function that reads what is new of the document with this number."""
    from bot.parse.read import cut_known_blocks, read_document  # noqa: PLC0415 (as above)

    now = datetime.now(UTC)
    known = [
        frozenset(document.blocks)
        for body, _ in pairs
        if (document := cut_known_blocks(body, KIND, frozenset()))
    ]

    def read(number: int) -> int:
        new: Any = cut_known_blocks(pairs[number][1], KIND, known[number])
        document: Any = read_document(new.body, KIND, URL, frozenset(), now, charset=new.charset)
        return len(document.entries)

    return read


def milliseconds(read: Callable[[Any], int], items: list[Any]) -> tuple[float, float]:
    """Return what an item takes, once all is loaded, and how many entries it has."""
    entries = sum(map(read, items))
    start = time.process_time()
    for item in items:
        read(item)
    return 1000 * (time.process_time() - start) / len(items), entries / len(items)


def main() -> None:
    """Read, and print."""
    path, way = sys.argv[1:]
    pairs: list[tuple[bytes, bytes]] = pickle.loads(Path(path).read_bytes())
    cold, entries = milliseconds(cold_reader(way), [body for body, _ in pairs])
    figures = {"cold_ms": cold, "entries": entries, "new_ms": 0.0}
    if way != "feedparser":
        with suppress(ImportError):  # an older commit cuts elsewhere
            figures["new_ms"], _ = milliseconds(new_reader(pairs), list(range(len(pairs))))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
