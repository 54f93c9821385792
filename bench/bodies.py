"""What the text of articles costs beside headline and summary: to match it, and to keep it.

    python -m bench.bodies [--sizes 100,1000,10000] [--entries 300]

Entries of which the feed carries a text are matched with and without it, all of them once before
they are timed. The bytes are those of the packed text and of its terms in the search. The time is
that of the processor; Python looks for garbage as seldom as in a running newsbell. Asserts nothing.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import corpus
from bench.command_line import DATA, describe_machine, parse, write_record
from bench.entries import REAL, documents
from bench.queries import Maker, vocabularies
from bot.model.chats import Subscription
from bot.model.entries import Article, ParsedDocument
from bot.parse.read import read_document
from bot.query.index import Index
from bot.query.prefilter import search_text
from bot.query.words import ArticleWords
from bot.service.garbage import settle
from bot.store.bodies import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEED = 20261129
_TEASER = 400  # code points of a summary beside a text


def articles(data: Path | None, most: int) -> tuple[list[Article], int, int]:
    """Return articles with a text, and of how many documents most have one, of how many."""
    archives = [path for name in REAL if data and (path := data / name).exists()]
    bodies = documents(archives) if archives else map(corpus.invent, range(20))
    found: list[Article] = []
    carry = read = 0
    for body in bodies:
        document = read_document(body, "", "https://news.example/", frozenset(), datetime.now(UTC))
        if not isinstance(document, ParsedDocument) or not document.entries:
            continue
        own = [
            Article(entry.title, entry.summary[:_TEASER], entry.language, body=text)
            for entry in document.entries
            # Invented entries have no text beside their summary.
            if (text := entry.body if archives else entry.summary)
        ]
        read, carry = read + 1, carry + (2 * len(own) > len(document.entries))
        found += own
    step = max(1, len(found) // most)
    return found[::step][:most], carry, read


def matched(index: Index, chosen: Sequence[Article]) -> float:
    """Return the milliseconds of a match, when all words were seen before."""
    for article in chosen:
        index.match(article)
    settle()
    began = time.process_time()
    for article in chosen:
        index.match(article)
    return 1000 * (time.process_time() - began) / len(chosen)


def rows(chosen: Sequence[Article], sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the figures of each number of queries."""
    maker = Maker(vocabularies(f"{item.title}\n{item.summary}" for item in chosen[::4]), _SEED)
    queries = maker.queries(max(sizes))
    teasers = [replace(item, body="") for item in chosen]
    for size in sizes:
        index = Index({}, {item.language for item in chosen})
        for number, query in enumerate(queries[:size], 1):
            index.set(Subscription(number, str(number), query.text, (), (1,)))
        yield {
            "queries": size,
            "teaser_ms": matched(index, teasers),
            "text_ms": matched(index, chosen),
        }


def kept(chosen: Sequence[Article]) -> dict[str, float]:
    """Return the bytes of an article's text, packed and in the search."""
    with closing(sqlite3.connect(":memory:")) as connection:
        sizes = []
        for name, texts in (
            ("teasers", [replace(item, body="") for item in chosen]),
            ("texts", list(chosen)),
        ):
            connection.execute(
                f"create virtual table {name} using fts5 (keys, content='', detail=none, "
                "columnsize=0, tokenize=\"ascii tokenchars '=^~:./-_'\")"
            )
            connection.executemany(
                f"insert into {name} (rowid, keys) values (?, ?)",
                [(place, search_text(ArticleWords(item))) for place, item in enumerate(texts, 1)],
            )
            size = f"select sum(length(block)) from {name}_data"
            sizes.append(connection.execute(size).fetchone()[0])
    return {
        "words": sum(len(item.body.split()) for item in chosen) / len(chosen),
        "packed_bytes": sum(len(pack(item.summary, item.body)) for item in chosen) / len(chosen),
        "search_bytes": (sizes[1] - sizes[0]) / len(chosen),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="the text of articles")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[100, 1000, 10_000],
    )
    parser.add_argument("--entries", type=int, default=300)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real documents")
    options = parse(parser, {"sizes": [10], "entries": 10, "data": None})
    print(f"{describe_machine()}; one core")
    chosen, carry, read = articles(options.data, options.entries)
    facts = kept(chosen)
    print(
        f"{carry} of {read} documents carry texts; {len(chosen)} entries, {facts['words']:.0f} "
        f"words; {facts['packed_bytes']:.0f} bytes packed, {facts['search_bytes']:.0f} in the "
        "search\n\n| queries | headline and summary | with the text |\n|---:|---:|---:|"
    )
    figures = []
    for row in rows(chosen, options.sizes):
        print(f"| {row['queries']:,} | {row['teaser_ms']:.2f} ms | {row['text_ms']:.2f} ms |")
        figures.append(row)
    write_record(options, figures, carry=carry, documents=read, **facts)


if __name__ == "__main__":
    main()
