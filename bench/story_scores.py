"""Groups the rows of a table with the live window, as a newsbell that had seen them come in would have, and scores the outcome.

Also the figures on the real data beside the repository, where they lie there. Knows nothing of how grouping decides; asserts nothing.

    python -m bench.story_scores
"""

from __future__ import annotations

import csv
import hashlib
import lzma
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.model.stories import Grouping, Placement, Report
from bot.stories.assign import Merges
from bot.stories.features import extract_features
from bot.stories.similarity import DocumentFrequencies, Similarity
from bot.stories.window import Window
from bot.text.clean import summary as clean_summary
from bot.text.clean import title as clean_title
from bot.text.language import language_code, language_of
from bot.text.url import canonical, names_page

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

Row = dict[str, str]
Group = TypeVar("Group")

#: where the real data lies, seen from the repository root
REAL = Path("../shared/data")
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)  # for tables without time
_HOUSES = ("source", "publisher", "hostname")
#: pair F1 of plain streaming TF-IDF on the stories of each table
FLOORS = {
    "handlabelled_2026/kagi_2026-02-17.tsv": 0.667,
    "handlabelled_2026/lede_2026-08-16.tsv": 0.876,
    "uci2014/dev.tsv": 0.719,
}


@dataclass(frozen=True)
class Scores:
    """How well groups agree with those that are right."""

    #: of pairs in one group
    precision: float
    recall: float
    f1: float
    #: F1 of B-cubed, entry by entry
    bcubed: float
    #: share of the entries that need no alert of their own
    saved: float

    @classmethod
    def of(cls, found: Sequence[Hashable], right: Sequence[Hashable]) -> Scores:
        """Score the groups of the same entries; what is not to be scored is left out before."""
        both = Counter(zip(found, right, strict=True))
        ours, theirs = Counter(found), Counter(right)
        hits, said, wanted = _pairs(both), _pairs(ours), _pairs(theirs)
        count = len(found) or 1
        precise = sum(number * number / ours[group] for (group, _), number in both.items()) / count
        complete = (
            sum(number * number / theirs[group] for (_, group), number in both.items()) / count
        )
        return cls(
            precision=hits / said if said else 1.0,
            recall=hits / wanted if wanted else 1.0,
            f1=2 * hits / (said + wanted) if said + wanted else 1.0,
            bcubed=2 * precise * complete / ((precise + complete) or 1),
            saved=1 - len(ours) / count,
        )

    def line(self) -> str:
        """Say it in one line."""
        return (
            f"pair precision {self.precision:.3f}, recall {self.recall:.3f}, F1 {self.f1:.3f}; "
            f"BCubed F1 {self.bcubed:.3f}; false merges {1 - self.precision:.1%} of pairs; alerts saved {self.saved:.1%}"
        )


def _pairs(groups: Counter[Group]) -> int:
    return sum(count * (count - 1) // 2 for count in groups.values())


def report_of(number: int, row: Row, *, timeless: bool) -> Report:
    """A row as grouping looks at it, publisher and link made as for an entry of a feed. Raises ValueError for a time that is none."""
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
        publisher=next((row[name] for name in _HOUSES if row.get(name)), "?"),
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        link=key,
    )


class Stream:
    """Rows that went through a window, in order of their time, and what became of them."""

    def __init__(self, rows: Sequence[Row], *, timeless: bool = False) -> None:
        """Group the rows; without a column `published`, or if told so, all have one time and come in the order of the table."""
        timeless = timeless or not all(row.get("published") for row in rows)
        reports = [report_of(number, row, timeless=timeless) for number, row in enumerate(rows, 1)]
        reports.sort(key=lambda report: report.at)
        window = Window()
        self.rows = [rows[report.id - 1] for report in reports]  #: in the order of grouping
        # Ids grow with arrival, as those of the store do.
        self.placements = [
            window.add(
                Report(
                    number, one.title, one.summary, one.language, one.publisher, one.at, one.link
                )
            )
            for number, one in enumerate(reports, 1)
        ]
        merges = Merges.of(merge for placement in self.placements for merge in placement.merges)
        self.places = [
            merges.resolve(placement.story_ids) for placement in self.placements
        ]  #: likewise
        self.order = [
            report.id - 1 for report in reports
        ]  #: to each the place of its row in the table

    def named(self, index: int, grouping: Grouping) -> str:
        """The story of an entry by the id column of its first entry."""
        number = self.places[index].at(grouping)
        return self.rows[number - 1].get("id") or str(self.order[number - 1])

    def scored(self) -> list[int]:
        """The entries that count: labelled, and not ambiguous."""
        return [
            index
            for index, row in enumerate(self.rows)
            if (row.get("event") or row.get("story"))
            and row.get("ambiguous", "0").strip() in {"", "0"}
        ]

    def lines(self) -> list[str]:
        """What is printed: the scores of every level, the alerts saved where there are no labels."""
        kept = self.scored()
        found: list[str] = []
        for grouping in Grouping:
            groups = [place.at(grouping) for place in self.places]
            if not kept:
                saved = 1 - len(set(groups)) / (len(groups) or 1)
                found.append(f"{grouping}: {len(set(groups))} stories, alerts saved {saved:.1%}")
                continue
            right = [self.rows[index].get("event") or self.rows[index]["story"] for index in kept]
            found.append(
                f"{grouping}: {Scores.of([groups[index] for index in kept], right).line()}"
            )
        if kept and all(self.rows[index].get("story") for index in kept):
            lines = [self.places[index].storyline for index in kept]
            found.append(
                f"loose, against the column story: {Scores.of(lines, [self.rows[index]['story'] for index in kept]).line()}"
            )
            wrong, joins = self.strays(kept)
            found.append(
                f"{wrong} of {joins} joins into a story of another storyline ({wrong / (joins or 1):.1%})"
            )
        return found

    def strays(self, kept: Iterable[int]) -> tuple[int, int]:
        """How many joined a story none of whose entries belongs to their storyline, and how many joined any."""
        lines: defaultdict[int, set[str]] = defaultdict(set)
        wrong = joins = 0
        for index in kept:
            line, story = self.rows[index]["story"], self._joined(self.placements[index])
            if lines[story]:
                joins += 1
                wrong += line not in lines[story]
            lines[story].add(line)
        return wrong, joins

    @staticmethod
    def _joined(placement: Placement) -> int:
        return placement.story_ids.story


def pairs_best(
    pairs: Iterable[tuple[Report, Report, bool]],
) -> tuple[float, float, float, float, float]:
    """Threshold, precision, recall and F1 of the likeness of two entries alone, words as rare as in this set; the best of all thresholds.

    And how often a pair of one story is more alike than a pair that is not, which does not depend on how many there are of each.
    """
    made = [(extract_features(one), extract_features(other), same) for one, other, same in pairs]
    frequencies = DocumentFrequencies()
    seen: set[tuple[str, ...]] = set()
    for one, other, _ in made:
        for entry in (one, other):
            if entry.terms not in seen:
                seen.add(entry.terms)
                frequencies.add(entry)
    scored = sorted(
        ((Similarity.of(one, frequencies).to(other), same) for one, other, same in made),
        reverse=True,
    )
    wanted = sum(same for _, same in scored)
    hits, best = 0, (0.0, 0.0, 0.0, 0.0)
    for said, (score, same) in enumerate(scored, 1):
        hits += same
        f1 = 2 * hits / (said + wanted)
        if f1 > best[3] and (said == len(scored) or scored[said][0] < score):
            best = (score, hits / said, hits / wanted, f1)
    above, ranked = 0, 0.0
    for _, level in groupby(scored, key=itemgetter(0)):
        sames = [same for _, same in level]
        ranked += (len(sames) - sum(sames)) * (above + sum(sames) / 2)
        above += sum(sames)
    return (*best, ranked / ((wanted * (len(scored) - wanted)) or 1))


def _pair_sets(root: Path) -> Iterable[tuple[str, list[tuple[Report, Report, bool]]]]:
    for path in sorted((root / "tgcontest_pairs").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                row
                for row in csv.DictReader(file, delimiter="\t")
                if row["GOLDEN:quality"] in {"OK", "BAD"}
            ]
        yield (
            path.stem,
            [
                (*_two(row, "INPUT:", "_title", "_text"), row["GOLDEN:quality"] == "OK")
                for row in rows
            ],
        )
    for path in sorted((root / "ru_news_pairs").glob("*.tsv.xz")):
        with lzma.open(path, "rt", encoding="utf-8", newline="") as text:
            rows = [
                row
                for row in csv.DictReader(text, delimiter="\t")
                if len(row["first_slug"].split()) > 2 < len(row["second_slug"].split())
            ]
        yield (
            f"{path.name.partition('.')[0]}, slugs of three words",
            [(*_two(row, "", "_slug", ""), row["quality"] == "OK") for row in rows],
        )


def _two(row: Row, prefix: str, title: str, text: str) -> tuple[Report, Report]:
    language = language_of(row[f"{prefix}first{title}"], "") or "ru"
    first, second = (
        Report(
            number,
            row[f"{prefix}{one}{title}"],
            row[f"{prefix}{one}{text}"] if text else "",
            language,
            one,
            _ALWAYS,
        )
        for number, one in enumerate(("first", "second"), 1)
    )
    return first, second


def real_figures(root: Path) -> list[str]:
    """What is reached on the real data, beside the floors; a message where they are absent."""
    folder = root / REAL
    if not folder.exists():
        return [f"{folder} is absent: nothing to measure story grouping on"]
    found: list[str] = []
    for name, floor in FLOORS.items():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            stream = Stream(
                list(csv.DictReader(file, delimiter="\t")), timeless=name.startswith("uci")
            )
        found += [
            f"{name} (floor {floor:.3f}), {len(stream.rows)} entries",
            *(f"    {line}" for line in stream.lines()),
        ]
    for name, pairs in _pair_sets(folder):
        threshold, precision, recall, f1, ranked = pairs_best(pairs)
        said = f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f} at its best ({threshold:.2f}), AUC {ranked:.3f}"
        found.append(f"{name}: {len(pairs)} pairs, {said}")
    return found


if __name__ == "__main__":
    csv.field_size_limit(1 << 30)
    print("\n".join(real_figures(Path(__file__).resolve().parent.parent)))
