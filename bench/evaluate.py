"""Judges rows of any table with newsbell's own matching, and scores the verdicts against labels.

    python -m bench.evaluate queries IN.tsv OUT.tsv   columns query, title, summary, lang
    python -m bench.evaluate names IN.tsv OUT.tsv     columns name, text, lang
    python -m bench.evaluate stories IN.tsv OUT.tsv   columns id, source, published, title,
                                                      summary, url, lang

The tables are UTF-8 with a line of column names, tabs between the fields and `"` around fields that
have a tab, a quote or a line break (Python's csv module, tab, QUOTE_MINIMAL). Further columns are
copied; a field that a row lacks is empty, and an empty `lang` is detected. The output has the
columns of the input and those of the verdict. Where the input has a column `expected`, `label` or
`match` with 1 or 0 (true, yes ...), accuracy, precision, recall and F1 are printed; an input column
with the name of a column of the verdict is written as `given_...`. One row at a time: the tables
may be larger than memory. Exit code 2 for a table that cannot be read.

`stories` sorts the rows by `published` and groups them as one stream; a table without times, or
`--timeless`, is taken in its order, all rows at the same time. Only `title` is required. The output
has `id`, `strict`, `story` and `storyline` in the order of the input; a story has the id of its
first entry. `fate` is what a chat with default settings saw when the article came: alert, note or
edit. Where the input has `event` (and `story` for the storyline), the groups are scored;
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
from bot.names.context import text_of
from bot.names.find import find_in
from bot.names.pattern import NamePattern, compile_name
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.text.language import language_code, language_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

Row = dict[str, str]

#: columns with a label; the first that is there counts
LABELS = ("expected", "label", "match")
_RIGHT = frozenset("1 true t yes y match same positive pos".split())
_WRONG = frozenset("0 false f no n different negative neg".split())
#: Bytes that are not UTF-8 are read as lone surrogates and written as they were; for matching, a
#: sign that is no letter replaces them.
_SURROGATE = re.compile("[\ud800-\udfff]")


class TableError(Exception):
    """A table that cannot be read; the message names file, line and column."""


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
    """Counts verdicts against labels."""

    rows: int = 0
    errors: int = 0
    counts: dict[tuple[bool, bool], int] = field(default_factory=dict)

    def add(self, truth: bool | None, verdict: Row) -> None:
        """Count a row; None where it has no label."""
        self.rows += 1
        self.errors += bool(verdict.get("error"))
        if truth is not None:
            pair = (truth, verdict["match"] == "1")
            self.counts[pair] = self.counts.get(pair, 0) + 1

    def lines(self) -> list[str]:
        """Return the lines to print at the end."""
        lines = [f"{self.rows} rows" + (f", {self.errors} with an error" if self.errors else "")]
        if scored := sum(self.counts.values()):
            right, missed, wrong, rest = (
                self.counts.get(pair, 0)
                for pair in ((True, True), (True, False), (False, True), (False, False))
            )
            shares = {
                "accuracy": (right + rest, scored),
                "precision": (right, right + wrong),
                "recall": (right, right + missed),
                "F1": (2 * right, 2 * right + wrong + missed),
            }
            lines.append(
                f"{scored} scored: {right} found, {missed} missed, "
                f"{wrong} found wrongly, {rest} rightly not found"
            )
            lines.append(
                ", ".join(
                    f"{name} {part / whole:.4f}" if whole else f"{name} -"
                    for name, (part, whole) in shares.items()
                )
            )
        return lines


@lru_cache(maxsize=1024)
def _query(query: str) -> Node | str:
    """Return the tree of a query, or what is wrong with it; tables repeat their queries."""
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
    ranges = [[span.field, span.start, span.end] for span in spans or ()]
    return {"match": str(int(spans is not None)), "spans": json.dumps(ranges), "error": ""}


@lru_cache(maxsize=1024)
def _name(name: str) -> NamePattern | str:
    """Return a compiled name, or what is wrong with it."""
    try:
        return compile_name(name)
    except ValueError as error:
        return str(error)


def judge_name(row: Row) -> Row:
    """Look for one name in one text; a name without a letter is an error, and not found."""
    pattern = _name(row["name"])
    if isinstance(pattern, str):
        return {"match": "0", "error": pattern}
    language = language_code(row.get("lang", "")) or language_of(row["text"], "")
    return {"match": str(int(bool(find_in(pattern, text_of(row["text"], language)))))}


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
    """Judge every row of a table into another. Raises TableError."""
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
            score.add(table.label(row), verdict)
            writer.writerow([*row.values(), *(verdict[name] for name in task.added)])
    return score


def evaluate_stories(source: Path, target: Path, *, timeless: bool) -> list[str]:
    """Group the rows of a table into another; the lines to print. Raises TableError."""
    rows: list[Row] = []
    with _Table(source, ("title",)) as table:
        for row in table.rows():
            if not timeless and row.get("published"):
                table.check_time(row["published"])
            rows.append({name: _SURROGATE.sub("\ufffd", value) for name, value in row.items()})
    stream = Stream(rows, timeless=timeless)
    indices = sorted(zip(stream.order, range(len(rows)), strict=True))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", "story", "strict", "storyline", "fate"])
        for row_number, index in indices:
            levels = (
                stream.named(index, grouping)
                for grouping in (Grouping.NORMAL, Grouping.STRICT, Grouping.LOOSE)
            )
            number = rows[row_number].get("id") or str(row_number)
            writer.writerow([number, *levels, stream.fate(index)])
    return [f"{len(rows)} rows", *stream.lines()]


class _Table:
    """Reads a table row by row, and knows its line."""

    def __init__(self, path: Path, needed: tuple[str, ...]) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(self._file, delimiter="\t", strict=True)
        self._line = 1  # of the row's begin: a quoted field may have several
        self._warned = False
        self.columns = self._next() or []
        for name in needed:
            if name not in self.columns:
                present = ", ".join(self.columns) or "nothing"
                raise TableError(
                    f"{path}:1: the column {name} is missing; "
                    f"the first line has {present}, with tabs between"
                )
        for number, name in enumerate(self.columns, 1):
            if name in self.columns[: number - 1]:
                raise TableError(f"{path}:1:{number}: a second column {name}")
        self._label = next((name for name in LABELS if name in self.columns), "")

    def __enter__(self) -> Self:
        """Return the open table."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; add the row to an unexpected error."""
        self._file.close()
        if error is not None:
            error.add_note(f"at {self.location()}")

    def location(self, column: str = "") -> str:
        """Return file and line, and number and name of the column if one is options."""
        line = f"{self._path}:{self._line}"
        return f"{line}:{self.columns.index(column) + 1} ({column})" if column else line

    def rows(self) -> Iterator[Row]:
        """Yield every row, with a field for each column."""
        while (fields := self._next()) is not None:
            if len(fields) > len(self.columns):
                raise TableError(
                    f"{self.location()}:{len(self.columns) + 1}: {len(fields)} fields, "
                    f"but there are {len(self.columns)} columns"
                )
            if fields:
                yield dict(
                    zip(
                        self.columns, fields + [""] * (len(self.columns) - len(fields)), strict=True
                    )
                )

    def label(self, row: Row) -> bool | None:
        """Return the label of a row; None where it has none, or one that is not understood."""
        word = row[self._label].strip().lower() if self._label else ""
        if word and word not in _RIGHT | _WRONG and not self._warned:
            self._warned = True
            print(
                f"{self.location(self._label)}: {word!r} is neither 1 nor 0: "
                "such rows are not scored",
                file=sys.stderr,
            )
        return True if word in _RIGHT else False if word in _WRONG else None

    def check_time(self, text: str) -> None:
        """Raise TableError where a time cannot be read."""
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise TableError(
                f"{self.location('published')}: {text!r} is no time; "
                "write it as 2026-03-01T06:40:00+00:00"
            ) from None

    def _next(self) -> list[str] | None:
        self._line = self._reader.line_num + 1
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise TableError(f"{self.location()}: {error}") from error


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
    options = parser.parse_args()
    csv.field_size_limit(1 << 30)
    if (
        options.target.exists()
        and options.source.exists()
        and options.target.samefile(options.source)
    ):
        parser.error(f"{options.target} is the input: name another file for the output")
    try:
        if options.command == "stories":
            lines = evaluate_stories(options.source, options.target, timeless=options.timeless)
        else:
            lines = evaluate(TASKS[options.command], options.source, options.target).lines()
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
