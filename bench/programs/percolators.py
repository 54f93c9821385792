"""Programs that match entries against many standing queries; each is built with all of them.

newsbell's own index, one compiled regex per query, SQLite's FTS5 the other way round, and a
dictionary of bare words as the baseline. The peers do not fold, stem, transliterate or explain, and
find nothing in Chinese but what their word boundaries allow. Measures nothing.
"""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.entries import Entry
    from bench.queries import Query, Tree
    from bot.model.entries import Article

_HAN = re.compile(r"[\u3400-\u9fff]")


class Percolator(Protocol):
    """A program to be measured."""

    #: how many entries it takes at a time
    batch: int

    def match(self, entries: list[Entry]) -> int:
        """Return how many pairs of an entry and a query match."""
        ...


class Newsbell:
    """The index of newsbell, from the raw title and summary to the spans that matched."""

    batch = 1

    def __init__(
        self, queries: list[Query], stored: list[Entry], languages: frozenset[str]
    ) -> None:
        """Count the words of stored entries and add every query, as newsbell does at its start."""
        from bot.query.index import Index  # noqa: PLC0415 (the peers' processes stay free of it)

        self.index = Index(names={}, languages=languages)
        self.index.prime(_article(entry) for entry in stored)
        for number, query in enumerate(queries, 1):
            self.set(number, query.text)

    def set(self, number: int, text: str) -> None:
        """Add a subscription, or give it another query."""
        from bot.model.chats import Subscription  # noqa: PLC0415

        self.index.set(Subscription(number, "", text, (), (1,)))

    def match(self, entries: list[Entry]) -> int:
        """Match one entry; a new article, so that nothing of an earlier round is cached in it."""
        return len(self.index.match(_article(entries[0])))


def _article(entry: Entry) -> Article:
    from bot.model.entries import Article  # noqa: PLC0415

    return Article(entry.title, entry.summary, entry.language)


class RegexLoop:
    """The first idea: search for the expressions of every query in every entry."""

    batch = 1

    def __init__(self, queries: list[Query]) -> None:
        """Compile every expression once."""
        self._tests = [_compiled(query.tree) for query in queries]

    def match(self, entries: list[Entry]) -> int:
        """Match one entry."""
        text = f"{entries[0].title}\n{entries[0].summary}"
        return sum(test(text) for test in self._tests)


def _compiled(tree: Tree) -> Callable[[str], bool]:
    """Return a test of texts. AND searches for each part; an OR of plain parts is an expression."""
    kind, *parts = tree
    if kind == "not":
        inner = _compiled(parts[0])
        return lambda text: not inner(text)
    if kind == "and" or (
        kind == "or"
        and not all(part[0] in {"word", "phrase", "prefix", "name", "near"} for part in parts)
    ):
        tests = [_compiled(part) for part in parts]
        every = all if kind == "and" else any
        return lambda text: every(test(text) for test in tests)
    search = re.compile(_expression(tree), re.IGNORECASE).search
    return lambda text: search(text) is not None


def _expression(tree: Tree) -> str:
    kind, *parts = tree
    if kind == "or":
        return "|".join(f"(?:{_expression(part)})" for part in parts)
    if kind == "near":
        left, right = (_expression(part) for part in parts[1:])
        between = rf"\W+(?:\w+\W+){{0,{parts[0]}}}?"
        return f"{left}{between}{right}|{right}{between}{left}"
    text = r"\s+".join(map(re.escape, parts[0].split()))
    edge = "" if _HAN.search(parts[0]) else r"\b"
    return rf"{edge}{text}\w*" if kind == "prefix" else f"{edge}{text}{edge}"


class Fts5:
    """Puts twenty entries into a full-text table in memory and runs every query over it."""

    batch = 20

    def __init__(self, queries: list[Query]) -> None:
        """Write every query as FTS5 reads it."""
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._queries = [(_full_text(query.tree),) for query in queries]

    def match(self, entries: list[Entry]) -> int:
        """Match a batch."""
        self._db.execute("CREATE VIRTUAL TABLE entries USING fts5(title, summary)")
        try:
            self._db.executemany(
                "INSERT INTO entries VALUES (?, ?)",
                [(entry.title, entry.summary) for entry in entries],
            )
            select = "SELECT rowid FROM entries WHERE entries MATCH ?"
            return sum(len(self._db.execute(select, query).fetchall()) for query in self._queries)
        finally:
            self._db.execute("DROP TABLE entries")


def _full_text(tree: Tree) -> str:
    kind, *parts = tree
    match kind:
        case "word" | "phrase" | "name":
            return f'"{parts[0]}"'
        case "prefix":
            return f'"{parts[0]}"*'
        case "near":
            return f"NEAR({_full_text(parts[1])} {_full_text(parts[2])}, {parts[0]})"
        case "or":
            return f"({' OR '.join(map(_full_text, parts))})"
        case "and":
            required = " AND ".join(_full_text(part) for part in parts if part[0] != "not")
            excluded = (f" NOT {_full_text(part[1])}" for part in parts if part[0] == "not")
            return f"(({required}){''.join(excluded)})"
    raise ValueError(kind)


class BareWords:
    """A dictionary of words, and a look-up of each word of the entry: the least one can do."""

    batch = 1

    def __init__(self, words: list[str]) -> None:
        """Number the words."""
        self._numbers = {word: number for number, word in enumerate(words)}
        self._cut = re.compile(r"\w+").findall

    def match(self, entries: list[Entry]) -> int:
        """Match one entry."""
        numbers = self._numbers
        return len(
            {
                numbers[word]
                for word in self._cut(f"{entries[0].title} {entries[0].summary}".lower())
                if word in numbers
            }
        )


def build(name: str, data: Any, size: int) -> Percolator:
    """Return the program with its first `size` queries or words."""
    queries: list[Query] = data.queries[:size]
    match name:
        case "newsbell":
            return Newsbell(
                queries,
                data.stored,
                frozenset(entry.language for entry in data.entries if entry.language),
            )
        case "regex":
            return RegexLoop(queries)
        case "fts5":
            return Fts5(queries)
        case "words":
            return BareWords(data.words[:size])
    raise ValueError(name)
