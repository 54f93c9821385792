"""Groups the rows of a table with the live window, as newsbell would have, and scores the groups.

    python -m bench.story_scores [--data FOLDER]

Prints the figures on the real data where they are present. Knows nothing of how grouping decides;
asserts nothing.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import json
import lzma
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.chat_scores import ChatScores, Seen
from bench.command_line import DATA, parse, write_record
from bot.model.stories import Grouping, Report
from bot.stories.assign import Merges
from bot.stories.features import Features, extract_features
from bot.stories.postings import Member
from bot.stories.similarity import DocumentFrequencies, Similarity
from bot.stories.window import SPAN, Window
from bot.text.clean import summary as clean_summary
from bot.text.clean import title as clean_title
from bot.text.language import language_code, language_of
from bot.text.url import canonical, names_page

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

Row = dict[str, str]
Group = TypeVar("Group")

_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)  # for tables without time
_PUBLISHERS = ("source", "publisher", "hostname")
#: pair F1 of plain streaming TF-IDF on the stories of each table
BASELINES = {
    "handlabelled_2026/kagi_2026-02-17.tsv": 0.667,
    "handlabelled_2026/lede_2026-08-12.tsv": None,
    "handlabelled_2026/lede_2026-08-16.tsv": 0.876,
    "uci2014/dev.tsv": 0.719,
}


@dataclass(frozen=True)
class Scores:
    """How well groups agree with the labels."""

    #: of pairs of entries in a group
    precision: float
    recall: float
    f1: float
    #: F1 of B-cubed, entry by entry
    bcubed: float
    #: share of the entries that need no alert of their own
    saved: float

    @classmethod
    def of(cls, groups: Sequence[Hashable], labels: Sequence[Hashable]) -> Scores:
        """Score the groups of entries against their labels, in the same order."""
        both = Counter(zip(groups, labels, strict=True))
        sizes, label_sizes = Counter(groups), Counter(labels)
        hits, joined, labelled = _pairs(both), _pairs(sizes), _pairs(label_sizes)
        count = len(groups) or 1
        precise = sum(number * number / sizes[group] for (group, _), number in both.items()) / count
        complete = (
            sum(number * number / label_sizes[group] for (_, group), number in both.items()) / count
        )
        return cls(
            precision=hits / joined if joined else 1.0,
            recall=hits / labelled if labelled else 1.0,
            f1=2 * hits / (joined + labelled) if joined + labelled else 1.0,
            bcubed=2 * precise * complete / ((precise + complete) or 1),
            saved=1 - len(sizes) / count,
        )

    def line(self) -> str:
        """Return the scores in a line."""
        return (
            f"pair precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}; "
            f"BCubed F1 {self.bcubed:.3f}; false merges {1 - self.precision:.1%} of pairs; "
            f"alerts saved {self.saved:.1%}"
        )


def _pairs(groups: Counter[Group]) -> int:
    return sum(count * (count - 1) // 2 for count in groups.values())


def report_of(number: int, row: Row, *, timeless: bool) -> Report:
    """Return a row as grouping gets it, as if it were an entry of a feed.

    Raises: ValueError for a time that cannot be read.
    """
    title, summary = clean_title(row.get("title", "")), clean_summary(row.get("summary", ""))
    link = row.get("url", "")
    key = (
        hashlib.blake2b(canonical(link).encode("utf-8", "replace"), digest_size=16).digest()
        if names_page(link)
        else b""
    )
    at = _ALWAYS if timeless else datetime.fromisoformat(row["published"])
    return Report(
        id=number,
        title=title,
        summary=summary,
        language=language_code(row.get("lang", "")) or language_of(f"{title} {summary}", ""),
        publisher=next((row[name] for name in _PUBLISHERS if row.get(name)), "?"),
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        link=key,
    )


class Stream:
    """Rows that went through a window, in order of their time, and their stories."""

    def __init__(
        self, rows: Sequence[Row], *, timeless: bool = False, before: Sequence[Report] = ()
    ) -> None:
        """Group the rows by time; `timeless` or without times, in the order of the table.

        `before` is what the window took in earlier, in order of time.
        """
        timeless = timeless or not all(row.get("published") for row in rows)
        reports = [report_of(number, row, timeless=timeless) for number, row in enumerate(rows, 1)]
        reports.sort(key=lambda report: report.at)
        window = Window()
        for number, report in enumerate(before, -len(before)):
            window.add(dataclasses.replace(report, id=number))
        self.rows = [rows[report.id - 1] for report in reports]  #: in the order of grouping
        # Ids grow with arrival, as those of the store do.
        self.placements = [
            window.add(dataclasses.replace(report, id=number))
            for number, report in enumerate(reports, 1)
        ]
        merges = Merges.of(merge for placement in self.placements for merge in placement.merges)
        self.story_ids = [merges.resolve(placement.story_ids) for placement in self.placements]
        #: for each the index of its row in the table
        self.order = [report.id - 1 for report in reports]

    def named(self, index: int, grouping: Grouping) -> str:
        """Return the story of an entry: the id column of its first entry."""
        number = self.story_ids[index].at(grouping)
        return self.rows[number - 1].get("id") or str(self.order[number - 1])

    def chat_scores(self, grouping: Grouping) -> ChatScores:
        """Return what a chat with this level would have felt."""
        return ChatScores.of(
            [
                Seen(
                    self.rows[index],
                    self.story_ids[index].at(grouping),
                    self.fate(index, grouping),
                )
                for index in self.scored()
            ]
        )

    def fate(self, index: int, grouping: Grouping = Grouping.NORMAL) -> str:
        """Return what a chat saw when an entry came: alert, note or edit."""
        placement = self.placements[index]
        if placement.story_ids.at(grouping) == placement.id:
            return "alert"
        return "note" if placement.development else "edit"

    def scored(self) -> list[int]:
        """Return the entries that count: labelled, and not ambiguous."""
        return [
            index
            for index, row in enumerate(self.rows)
            if (row.get("event") or row.get("story"))
            and row.get("ambiguous", "0").strip() in {"", "0"}
        ]

    def lines(self) -> list[str]:
        """Return the lines to print: the scores of every level; without labels, alerts saved."""
        scored = self.scored()
        lines: list[str] = []
        for grouping in Grouping:
            groups = [ids.at(grouping) for ids in self.story_ids]
            if not scored:
                saved = 1 - len(set(groups)) / (len(groups) or 1)
                lines.append(f"{grouping}: {len(set(groups))} stories, alerts saved {saved:.1%}")
                continue
            labels = [
                self.rows[index].get("event") or self.rows[index]["story"] for index in scored
            ]
            scores = Scores.of([groups[index] for index in scored], labels)
            lines.append(f"{grouping}: {scores.line()}")
        if scored and all(self.rows[index].get("story") for index in scored):
            storylines = [self.story_ids[index].storyline for index in scored]
            scores = Scores.of(storylines, [self.rows[index]["story"] for index in scored])
            lines.append(f"loose, against the column story: {scores.line()}")
            wrong, joins = self.strays(scored)
            lines.append(
                f"{wrong} of {joins} joins into a story of another storyline "
                f"({wrong / (joins or 1):.1%})"
            )
        return lines

    def strays(self, indices: Iterable[int]) -> tuple[int, int]:
        """Return how many entries joined a story of other storylines only, and any story."""
        lines: defaultdict[int, set[str]] = defaultdict(set)
        wrong = joins = 0
        for index in indices:
            line, story = self.rows[index]["story"], self.placements[index].story_ids.story
            if lines[story]:
                joins += 1
                wrong += line not in lines[story]
            lines[story].add(line)
        return wrong, joins


Pair = tuple[Report, Report, bool]


@dataclass(frozen=True)
class PairScores:
    """How well the similarity of two entries tells pairs of a story from other pairs."""

    pairs: int
    #: similarity from which a pair counts as a story, with the best F1
    threshold: float
    precision: float
    recall: float
    f1: float
    #: how often a pair of a story is more similar than another pair; independent of their shares
    auc: float

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> PairScores:
        """Score the pairs, with the document frequencies of this set."""
        scored = _similarities(pairs)
        same_count = sum(same for _, same in scored)
        hits, best = 0, (0.0, 0.0, 0.0, 0.0)
        for rank, (similarity, same) in enumerate(scored, 1):
            hits += same
            f1 = 2 * hits / (rank + same_count)
            if f1 > best[3] and (rank == len(scored) or scored[rank][0] < similarity):
                best = (similarity, hits / rank, hits / same_count, f1)
        above, ordered = 0, 0.0
        for _, level in groupby(scored, key=itemgetter(0)):
            labels = [same for _, same in level]
            ordered += (len(labels) - sum(labels)) * (above + sum(labels) / 2)
            above += sum(labels)
        auc = ordered / ((same_count * (len(scored) - same_count)) or 1)
        return cls(len(scored), *best, auc)

    def line(self) -> str:
        """Return the scores in a line."""
        return (
            f"{self.pairs} pairs, precision {self.precision:.3f}, recall {self.recall:.3f}, "
            f"F1 {self.f1:.3f} at its best ({self.threshold:.2f}), AUC {self.auc:.3f}"
        )


def _similarities(pairs: Iterable[Pair]) -> list[tuple[float, bool]]:
    """Return similarity and label of each pair, the most similar first."""
    extracted = [
        (extract_features(first), extract_features(second), same) for first, second, same in pairs
    ]
    frequencies = DocumentFrequencies()
    counted: dict[tuple[str, tuple[str, ...]], Member] = {}
    for first, second, _ in extracted:
        for entry in (first, second):
            if (entry.language, entry.terms) not in counted:
                counted[entry.language, entry.terms] = frequencies.add(entry)

    def member_of(entry: Features) -> Member:
        terms = counted[entry.language, entry.terms].terms
        return Member(entry, terms)

    members = ([member_of(entry) for entry in (first, second)] for first, second, _ in extracted)
    scored = (
        (Similarity.of(first, frequencies).to(second), same)
        for (first, second), (_, _, same) in zip(members, extracted, strict=True)
    )
    return sorted(scored, reverse=True)


def _pair_sets(data: Path) -> Iterator[tuple[str, list[Pair]]]:
    for path in sorted((data / "tgcontest_pairs").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        yield (
            path.stem,
            [
                (*_reports(row, "INPUT:", "_title", "_text"), row["GOLDEN:quality"] == "OK")
                for row in rows
                if row["GOLDEN:quality"] in {"OK", "BAD"}
            ],
        )
    for path in sorted((data / "ru_news_pairs").glob("*.tsv.xz")):
        with lzma.open(path, "rt", encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text, delimiter="\t"))
        yield (
            f"{path.name.partition('.')[0]}, slugs of three words",
            [
                (*_reports(row, "", "_slug", ""), row["quality"] == "OK")
                for row in rows
                if len(row["first_slug"].split()) > 2 < len(row["second_slug"].split())
            ],
        )


def _reports(row: Row, prefix: str, title: str, text: str) -> tuple[Report, Report]:
    language = language_of(row[f"{prefix}first{title}"], "") or "ru"
    first, second = (
        Report(
            number,
            row[f"{prefix}{name}{title}"],
            row[f"{prefix}{name}{text}"] if text else "",
            language,
            name,
            _ALWAYS,
        )
        for number, name in enumerate(("first", "second"), 1)
    )
    return first, second


def measure(data: Path, tables: Sequence[str], *, pairs: bool) -> Iterator[dict[str, Any]]:
    """Yield the figures of each table, then of each set of pairs; print them on the way."""
    for name in tables:
        path = data / name
        if not path.exists():
            print(f"{path} is absent: skipped")
            continue
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        stream = Stream(rows, timeless=name.startswith("uci"))
        baseline = f" (baseline {BASELINES[name]:.3f})" if BASELINES.get(name) else ""
        print(f"{name}{baseline}, {len(rows)} entries")
        print(*(f"    {line}" for line in stream.lines()), sep="\n", flush=True)
        yield from _felt(name, rows, data)
        scored = stream.scored()
        labels = [
            stream.rows[index].get("event") or stream.rows[index]["story"] for index in scored
        ]
        groups = [stream.story_ids[index].story for index in scored]
        yield {"table": name, "entries": len(rows), **asdict(Scores.of(groups, labels))}
    for name, listed in _pair_sets(data) if pairs else ():
        scores = PairScores.of(listed)
        print(f"{name}: {scores.line()}", flush=True)
        yield {"table": name, **asdict(scores)}


def _felt(name: str, rows: Sequence[Row], data: Path) -> Iterator[dict[str, Any]]:
    """Yield and print what a chat of each level would have felt, from an empty and a full window.

    Full windows are those of the stream that a labelled window was cut from.
    """
    if not rows or "kind" not in rows[0]:
        return
    starts = {"cold": Stream(rows)}
    if before := list(_before(rows, data)):
        starts["warm"] = Stream(rows, before=before)
    for start, stream in starts.items():
        for grouping in Grouping:
            scores = stream.chat_scores(grouping)
            print(f"    {start}, {grouping}: {scores.line()}", flush=True)
            yield {"table": name, "start": start, "level": grouping.value, **asdict(scores)}


def _before(rows: Sequence[Row], data: Path) -> Iterator[Report]:
    """Yield the articles of the stream that came within a window's span before the rows."""
    path = data / "lede_stream_2026" / "articles_dev.jsonl.xz"
    if not path.exists():
        return
    first = min(datetime.fromisoformat(row["published"]) for row in rows)
    since = first - SPAN
    with lzma.open(path, "rt", encoding="utf-8") as file:
        articles = [json.loads(line) for line in file]
    earlier = [
        report_of(
            0,
            {
                "source": article["outlet"],
                "published": article["published"],
                "title": article["titles"][0],
                "summary": article["summary"] or "",
                "url": article["url"],
            },
            timeless=False,
        )
        for article in articles
        if article["published"] and since <= datetime.fromisoformat(article["published"]) < first
    ]
    yield from sorted(earlier, key=lambda report: report.at)


def _print_sums(figures: Iterable[dict[str, Any]]) -> None:
    """Print the sums over all windows."""
    names = [field.name for field in dataclasses.fields(ChatScores)]
    sums: defaultdict[tuple[str, str], ChatScores] = defaultdict(ChatScores)
    for row in figures:
        if "start" in row:
            counts = ChatScores(**{name: row[name] for name in names})
            sums[row["start"], row["level"]] += counts
    for (start, level), scores in sums.items():
        print(f"all windows, {start}, {level}: {scores.line()}")


def main() -> None:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description="stories on labelled news")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of labelled news")
    parser.add_argument("--tables", default=",".join(BASELINES), help="tables, with commas")
    parser.add_argument("--no-pairs", dest="pairs", action="store_false", help="tables alone")
    options = parse(parser, {"tables": next(iter(BASELINES)), "pairs": False})
    csv.field_size_limit(1 << 30)
    rows = list(measure(options.data, options.tables.split(","), pairs=options.pairs))
    _print_sums(rows)
    write_record(options, rows)


if __name__ == "__main__":
    main()
