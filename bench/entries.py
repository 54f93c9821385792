"""The entries that queries are matched against: of real feeds where there are some, else invented.

Read as newsbell reads and stores them: cleaned, cut, with a language each.
Copies nothing into the repository.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench import corpus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: the archives of real feeds in the folder of data
REAL = (
    "real_feeds_kagi200/news.tar.xz",
    "real_feeds_kagi200/blogs_dev.tar.xz",
    "nonlatin_feeds/docs.tar.xz",
)
#: how many documents are invented where the real ones are absent
INVENTED = 100
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Entry:
    """The text of an entry."""

    title: str
    summary: str
    #: primary language code, or empty
    language: str


def load(data: Path | None, invented: int = INVENTED) -> tuple[list[Entry], str]:
    """Return the distinct entries in the order of their documents, and what they are in a line."""
    archives = [path for name in REAL if data and (path := data / name).exists()]
    bodies = (
        documents(archives) if archives else (corpus.invent(number) for number in range(invented))
    )
    entries = list(dict.fromkeys(entry for body in bodies for entry in _entries(body)))
    characters = sum(len(entry.title) + len(entry.summary) for entry in entries) / len(entries)
    origin = (
        "real feeds" if archives else "invented feeds, whose words are few: the figures say little"
    )
    return (
        entries,
        f"{len(entries):,} distinct entries of {origin}, mean {characters:.0f} characters",
    )


def spread(entries: list[Entry], count: int) -> list[Entry]:
    """Return at most `count` entries of all lengths; every beginning of the list is such a sample.

    The order is that of the multiples of the golden ratio modulo 1, which fill the interval evenly
    from the first on.
    """
    count = min(count, len(entries))
    by_length = sorted(entries, key=lambda entry: len(entry.title) + len(entry.summary))
    chosen = [by_length[(2 * place + 1) * len(entries) // (2 * count)] for place in range(count)]
    turns = sorted(range(count), key=lambda turn: turn * _GOLDEN % 1)
    return [entry for _, entry in sorted(zip(turns, chosen, strict=True), key=lambda pair: pair[0])]


def documents(archives: Iterable[Path]) -> Iterator[bytes]:
    """Yield the documents of archives, in the order of their names."""
    for archive in archives:
        with tarfile.open(archive) as tar:
            for member in sorted(
                (member for member in tar if member.isfile()), key=lambda member: member.name
            ):
                if file := tar.extractfile(member):
                    yield file.read()


def _entries(body: bytes) -> Iterator[Entry]:
    # Imported late: the processes of the peers import this module, and nothing of newsbell.
    from bot.model.entries import ParsedDocument  # noqa: PLC0415
    from bot.parse.read import read_document  # noqa: PLC0415
    from bot.text.language import language_of  # noqa: PLC0415

    document = read_document(body, "", "https://news.example/feed", frozenset(), datetime.now(UTC))
    if isinstance(document, ParsedDocument):
        for entry in document.entries:
            yield Entry(
                entry.title,
                entry.summary,
                language_of(f"{entry.title} {entry.summary}", document.language),
            )
