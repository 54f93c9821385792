"""The judging of tables (`python -m bench.evaluate`), run as its users run it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def evaluate(command: str, source: Path) -> tuple[int, str, str, list[dict[str, str]]]:
    """Exit code, standard output, standard error, and the rows that were written."""
    target = source.with_suffix(".out.tsv")
    ended = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-m", "bench.evaluate", command, str(source), str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    rows: list[dict[str, str]] = []
    if ended.returncode == 0:
        with target.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    return ended.returncode, ended.stdout, ended.stderr, rows


def table(folder: Path, *rows: tuple[str, ...]) -> Path:
    path = folder / "in.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    return path


def test_queries_are_matched_row_by_row_and_scored(tmp_path: Path) -> None:
    source = table(
        tmp_path,
        ("id", "query", "title", "summary", "lang", "expected"),
        ("a", "harbour fire", "Fires in Kestrel harbour", "", "en", "1"),
        ("b", '"night market"', 'The "night\nmarket" of Dunmore', "", "en-GB", "1"),
        ("c", "ferry NOT plan", "A ferry", "The plan\tis off.", "en", "1"),
        ("d", "пожар", "Пожары у реки Тамсин утихли", "", "", "1"),
        ("e", "harbour AND", "Harbour", "", "en", "0"),
        ("f", "tram", "Trams return to Lindholm", "", "en"),
    )
    code, out, _, rows = evaluate("queries", source)
    assert code == 0
    assert list(rows[0]) == [
        "id",
        "query",
        "title",
        "summary",
        "lang",
        "expected",
        "match",
        "spans",
        "error",
    ]
    assert [(row["id"], row["match"]) for row in rows] == [
        ("a", "1"),
        ("b", "1"),
        ("c", "0"),
        ("d", "1"),
        ("e", "0"),
        ("f", "1"),
    ]
    assert sorted(json.loads(rows[0]["spans"])) == [["title", 0, 5], ["title", 17, 24]]
    assert rows[1]["title"] == 'The "night\nmarket" of Dunmore'
    assert [bool(row["error"]) for row in rows] == [False, False, False, False, True, False]
    assert "6 rows, 1 with an error" in out
    assert "5 scored: 3 found, 1 missed, 0 found wrongly, 1 rightly not found" in out
    assert "accuracy 0.8000, precision 1.0000, recall 0.7500, F1 0.8571" in out


def test_columns_that_are_missing_are_empty_and_a_given_match_is_the_truth(tmp_path: Path) -> None:
    code, out, _, rows = evaluate(
        "queries",
        table(
            tmp_path,
            ("match", "query", "title"),
            ("true", "flood", "Flood at Port Ilse"),
            ("no", "flood"),
        ),
    )
    assert code == 0
    assert [(row["given_match"], row["match"]) for row in rows] == [("true", "1"), ("no", "0")]
    assert "accuracy 1.0000" in out


def test_names_are_looked_for_in_texts(tmp_path: Path) -> None:
    source = table(
        tmp_path,
        ("name", "text", "label"),
        ("Deir ez-Zor", "Grain convoy leaves Deir ez-Zor at dawn", "1"),
        ("Deir ez-Zor", "Grain convoy leaves Lindholm at dawn", "0"),
        ("--", "Grain convoy", "0"),
    )
    code, out, _, rows = evaluate("names", source)
    assert code == 0
    assert list(rows[0]) == ["name", "text", "label", "match"]
    assert [row["match"] for row in rows] == ["1", "0", "0"]
    assert "3 rows, 1 with an error" in out
    assert "F1 1.0000" in out


def test_bytes_that_are_not_utf_8_come_out_as_they_went_in(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_bytes(b"query\ttitle\nferry\t\xff ferry \xc3\n")
    code, _, _, _ = evaluate("queries", source)
    assert code == 0
    assert (tmp_path / "in.out.tsv").read_bytes() == (
        b'query\ttitle\tmatch\tspans\terror\nferry\t\xff ferry \xc3\t1\t"[[""title"", 2, 7]]"\t\n'
    )


def test_a_table_that_cannot_be_read_is_named_with_line_and_column(tmp_path: Path) -> None:
    code, _, reply, _ = evaluate("queries", table(tmp_path, ("title",), ("Flood",)))
    assert (code, reply) == (
        2,
        (
            f"{tmp_path}/in.tsv:1: the column query is missing; "
            "the first line has title, with tabs between\n"
        ),
    )
    code, _, reply, _ = evaluate(
        "queries",
        table(tmp_path, ("query", "title"), ("flood", "two\nlines"), ("flood", "Flood", "more")),
    )
    assert (code, reply) == (2, f"{tmp_path}/in.tsv:4:3: 3 fields, but there are 2 columns\n")
    code, _, reply, _ = evaluate("names", tmp_path / "nothing.tsv")
    assert (code, reply) == (2, f"{tmp_path}/nothing.tsv: No such file or directory\n")


def test_a_label_that_is_not_understood_is_not_scored_and_said_once(tmp_path: Path) -> None:
    source = table(
        tmp_path,
        ("query", "title", "label"),
        ("flood", "Flood", "perhaps"),
        ("flood", "Flood", "who knows"),
        ("flood", "Flood", "1"),
    )
    code, out, reply, _ = evaluate("queries", source)
    assert code == 0
    assert (
        reply == f"{source}:2:3 (label): 'perhaps' is neither 1 nor 0: such rows are not scored\n"
    )
    assert "1 scored" in out
