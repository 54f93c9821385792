"""Judges rows of any table with newsbell's own matching, and scores the verdicts where the table says what is right.

    python -m bench.evaluate queries IN.tsv OUT.tsv     columns query, title, summary, lang
    python -m bench.evaluate names IN.tsv OUT.tsv       columns name, text
    python -m bench.evaluate stories IN.tsv OUT.tsv     columns id, source, published, title, summary, url, lang

The tables are UTF-8 with a line of column names, tabs between the fields and `"` around those that hold a tab, a quote or a line break
(Python's csv module, tab, QUOTE_MINIMAL). Further columns are carried along; a field that a row lacks is empty. The output has the
columns of the input and those of the verdict. Where the input has a column `expected`, `label` or `match` with 1 or 0 (true, yes ...),
accuracy, precision, recall and F1 are printed; an input column named as one of the verdict is written as `given_...`.
One row at a time: the tables may be larger than memory. Exit code 2 for a table that cannot be read.

`stories` is of another kind: it sorts the rows by `published` and groups them as one stream; a table without times, or `--timeless`, is taken
as it comes, all at one moment. Only `title` is needed. The output has `id`, `strict`, `story` and `storyline`, each story called by the id of
its first entry, in the order of the input. Where the input has `event` (and `story` for the storyline), the groups are scored;
rows with 1 in `ambiguous` are grouped and not scored.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.story_scores import Stream
from bot.errors import QueryError
from bot.model.entries import Article
from bot.model.stories import Grouping
from bot.names.find import find
from bot.names.pattern import NamePattern, compile_name
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.text.fold import words
from bot.text.language import language_code, language_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

Row = dict[str, str]

#: columns that say what is right, the first that is there counts
TRUTH = ("expected", "label", "match")
_RIGHT = frozenset("1 true t yes y match same positive pos".split())
_WRONG = frozenset("0 false f no n different negative neg".split())
#: bytes that are not UTF-8 come in as lone surrogates and go out as they were; the engine sees a sign that is no letter in their place
_SURROGATE = re.compile("[\ud800-\udfff]")


class TableError(Exception):
    """A table that cannot be read; the message names the file, the line and the column."""


@dataclass(frozen=True)
class Task:
    """One subcommand."""

    #: columns that the input has to have
    needed: tuple[str, ...]
    #: columns of the verdict; the first is `match`, 0 or 1
    added: tuple[str, ...]
    #: from a row to the columns of the verdict
    judge: Callable[[Row], Row]
    about: str


@dataclass
class Score:
    """Counts verdicts against what is right."""

    rows: int = 0
    errors: int = 0
    counts: dict[tuple[bool, bool], int] = field(default_factory=dict)

    def add(self, truth: bool | None, verdict: Row) -> None:
        """Count a row; None where nothing says what is right."""
        self.rows += 1
        self.errors += bool(verdict.get("error"))
        if truth is not None:
            place = (truth, verdict["match"] == "1")
            self.counts[place] = self.counts.get(place, 0) + 1

    def lines(self) -> list[str]:
        """Return what is printed at the end."""
        found = [f"{self.rows} rows" + (f", {self.errors} with an error" if self.errors else "")]
        if scored := sum(self.counts.values()):
            right, missed, wrong, rest = (
                self.counts.get(place, 0)
                for place in ((True, True), (True, False), (False, True), (False, False))
            )
            shares = {
                "accuracy": (right + rest, scored),
                "precision": (right, right + wrong),
                "recall": (right, right + missed),
                "F1": (2 * right, 2 * right + wrong + missed),
            }
            found.append(
                f"{scored} scored: {right} found, {missed} missed, {wrong} found wrongly, {rest} rightly not found"
            )
            found.append(
                ", ".join(
                    f"{name} {part / whole:.4f}" if whole else f"{name} -"
                    for name, (part, whole) in shares.items()
                )
            )
        return found


@lru_cache(maxsize=1024)
def _query(query: str) -> Node | str:
    """The tree of a query, or what is wrong with it; tables repeat their queries."""
    try:
        return parse(query)
    except QueryError as error:
        return error.message


def judge_query(row: Row) -> Row:
    """Match one query with one article."""
    node = _query(row["query"])
    if isinstance(node, str):
        return {"match": "0", "spans": "[]", "error": node}
    title, summary = row.get("title", ""), row.get("summary", "")
    language = language_code(row.get("lang", "")) or language_of(f"{title} {summary}", "")
    spans = match(node, ArticleWords(Article(title, summary, language)))
    places = [[span.field, span.start, span.end] for span in spans or ()]
    return {"match": str(int(spans is not None)), "spans": json.dumps(places), "error": ""}


@lru_cache(maxsize=1024)
def _name(name: str) -> NamePattern | str:
    """A compiled name, or what is wrong with it."""
    try:
        return compile_name(name)
    except ValueError as error:
        return str(error)


def judge_name(row: Row) -> Row:
    """Look for one name in one text. That a name has no letter is counted, and the name is not found."""
    pattern = _name(row["name"])
    if isinstance(pattern, str):
        return {"match": "0", "error": pattern}
    found = find(pattern, [word.folded for word in words(row["text"])])
    return {"match": str(int(bool(found)))}


TASKS = {
    "queries": Task(
        ("query",),
        ("match", "spans", "error"),
        judge_query,
        "match each row's query with its title and summary",
    ),
    "names": Task(("name", "text"), ("match",), judge_name, "look for each row's name in its text"),
}


def evaluate(task: Task, source: Path, target: Path) -> Score:
    """Judge every row of one table into another. Raises TableError."""
    score = Score()
    with (
        _Table(source, task.needed) as table,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(
            [
                *(f"given_{name}" if name in task.added else name for name in table.columns),
                *task.added,
            ]
        )
        for row in table.rows():
            verdict = task.judge(
                {name: _SURROGATE.sub("\ufffd", value) for name, value in row.items()}
            )
            score.add(table.truth(row), verdict)
            writer.writerow([*row.values(), *(verdict[name] for name in task.added)])
    return score


def evaluate_stories(source: Path, target: Path, *, timeless: bool) -> list[str]:
    """Group the rows of one table as a stream into another; what is printed. Raises TableError."""
    rows: list[Row] = []
    with _Table(source, ("title",)) as table:
        for row in table.rows():
            if not timeless and row.get("published"):
                table.instant(row["published"])
            rows.append({name: _SURROGATE.sub("\ufffd", value) for name, value in row.items()})
    stream = Stream(rows, timeless=timeless)
    written = sorted(zip(stream.order, range(len(rows)), strict=True))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", "story", "strict", "storyline"])
        for place, index in written:
            levels = (
                stream.named(index, grouping)
                for grouping in (Grouping.NORMAL, Grouping.STRICT, Grouping.LOOSE)
            )
            writer.writerow([rows[place].get("id") or str(place), *levels])
    return [f"{len(rows)} rows", *stream.lines()]


class _Table:
    """A table that is read row by row and knows where it is."""

    def __init__(self, path: Path, needed: tuple[str, ...]) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(self._file, delimiter="\t", strict=True)
        self._line = 1  # where the row begins: a quoted field may go over several
        self._warned = False
        self.columns = self._next() or []
        for name in needed:
            if name not in self.columns:
                there = ", ".join(self.columns) or "nothing"
                raise TableError(
                    f"{path}:1: the column {name} is missing; the first line has {there}, with tabs between"
                )
        for number, name in enumerate(self.columns, 1):
            if name in self.columns[: number - 1]:
                raise TableError(f"{path}:1:{number}: a second column {name}")
        self._truth = next((name for name in TRUTH if name in self.columns), "")

    def __enter__(self) -> Self:
        """Nothing: it is open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; a fault of ours says at which row it was."""
        self._file.close()
        if error is not None:
            error.add_note(f"at {self.place()}")

    def place(self, column: str = "") -> str:
        """Where the reader is: file and line, and the number and name of the column if one is meant."""
        where = f"{self._path}:{self._line}"
        return f"{where}:{self.columns.index(column) + 1} ({column})" if column else where

    def rows(self) -> Iterator[Row]:
        """Every row, with a field for each column."""
        while (fields := self._next()) is not None:
            if len(fields) > len(self.columns):
                raise TableError(
                    f"{self.place()}:{len(self.columns) + 1}: {len(fields)} fields, but there are {len(self.columns)} columns"
                )
            if fields:
                yield dict(
                    zip(
                        self.columns, fields + [""] * (len(self.columns) - len(fields)), strict=True
                    )
                )

    def truth(self, row: Row) -> bool | None:
        """What the row says is right; None where it says nothing, or what is not understood."""
        said = row[self._truth].strip().lower() if self._truth else ""
        if said and said not in _RIGHT | _WRONG and not self._warned:
            self._warned = True
            print(
                f"{self.place(self._truth)}: {said!r} is neither 1 nor 0: such rows are not scored",
                file=sys.stderr,
            )
        return True if said in _RIGHT else False if said in _WRONG else None

    def instant(self, said: str) -> None:
        """Raise TableError where a time cannot be read."""
        try:
            datetime.fromisoformat(said)
        except ValueError:
            raise TableError(
                f"{self.place('published')}: {said!r} is no time; write it as 2026-03-01T06:40:00+00:00"
            ) from None

    def _next(self) -> list[str] | None:
        self._line = self._reader.line_num + 1
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise TableError(f"{self.place()}: {error}") from error


def main() -> int:
    """Read the command line and evaluate."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.evaluate",
        description="judge the rows of a table with newsbell's own matching",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, task in TASKS.items():
        command = commands.add_parser(name, help=task.about)
        command.add_argument("source", type=Path, metavar="IN.tsv")
        command.add_argument("target", type=Path, metavar="OUT.tsv")
    stories = commands.add_parser("stories", help="group the rows, as a stream, into stories")
    stories.add_argument("source", type=Path, metavar="IN.tsv")
    stories.add_argument("target", type=Path, metavar="OUT.tsv")
    stories.add_argument(
        "--timeless",
        action="store_true",
        help="take the rows as they come, all at one moment, whatever `published` says",
    )
    given = parser.parse_args()
    csv.field_size_limit(1 << 30)
    if given.target.exists() and given.source.exists() and given.target.samefile(given.source):
        parser.error(f"{given.target} is the input: name another file for the output")
    try:
        if given.command == "stories":
            lines = evaluate_stories(given.source, given.target, timeless=given.timeless)
        else:
            lines = evaluate(TASKS[given.command], given.source, given.target).lines()
    except TableError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
