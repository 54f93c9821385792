"""The evaluation of story grouping on labelled tables."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.evaluate import TableError, evaluate_stories
from bench.story_scores import Scores

FERRY = (
    (
        "Ferry runs aground off Kestrel Bay with 200 aboard",
        "The Tamsin Star struck a reef near Kestrel Bay on Monday morning, the coast guard said.",
    ),
    (
        "Tamsin Star ferry aground near Kestrel Bay, 200 on board",
        "Coast guard boats are taking passengers off the ferry, which struck a reef on Monday.",
    ),
)
TRAM = (
    "Dunmore council approves the tram line to Old Varra",
    "Councillors voted 31 to 12 for the line after a debate of nine hours.",
)


def test_groups_are_scored_by_pairs_and_by_entries() -> None:
    scores = Scores.of([1, 1, 1, 2], ["a", "a", "b", "b"])
    assert scores.precision == pytest.approx(1 / 3)
    assert scores.recall == pytest.approx(1 / 2)
    assert scores.f1 == pytest.approx(0.4)
    assert scores.saved == pytest.approx(0.5)
    assert Scores.of([], []).f1 == 1


def write_table(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    return path


def test_rows_are_grouped_in_order_of_time_and_written_in_their_own_order(tmp_path: Path) -> None:
    rows = [
        ("late", "B", "2026-05-04T14:00:00+00:00", *FERRY[1], "e1"),
        ("other", "C", "2026-05-04T13:00:00+00:00", *TRAM, "e2"),
    ]
    rows.append(("early", "A", "2026-05-04T12:00:00+00:00", *FERRY[0], "e1"))
    source = write_table(
        tmp_path / "in.tsv", [("id", "source", "published", "title", "summary", "event"), *rows]
    )
    lines = evaluate_stories(source, tmp_path / "out.tsv", timeless=False)
    with (tmp_path / "out.tsv").open(encoding="utf-8", newline="") as file:
        stories = [(row["id"], row["story"]) for row in csv.DictReader(file, delimiter="\t")]
    assert stories == [("late", "early"), ("other", "other"), ("early", "early")]
    assert lines[0] == "3 rows"
    assert "normal: pair precision 1.000, recall 1.000, F1 1.000" in lines[2]


def test_without_labels_and_times_the_share_of_saved_alerts_is_reported(tmp_path: Path) -> None:
    source = write_table(tmp_path / "in.tsv", [("title", "summary"), *FERRY[:2], TRAM])
    assert "normal: 2 stories, alerts saved 33.3%" in evaluate_stories(
        source, tmp_path / "out.tsv", timeless=True
    )


def test_an_invalid_time_is_reported_with_its_line(tmp_path: Path) -> None:
    source = write_table(
        tmp_path / "in.tsv", [("title", "published"), ("Ferry aground", "yesterday")]
    )
    with pytest.raises(TableError, match=r"in.tsv:2:2 \(published\): 'yesterday' is no time"):
        evaluate_stories(source, tmp_path / "out.tsv", timeless=False)
