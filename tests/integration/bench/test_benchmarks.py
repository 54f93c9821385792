"""Every benchmark at its smallest size: the figures are there, and the counts are what was put in.

No figure is judged. Peers that are not installed are skipped. A run takes a third of them, another
each day; `SOAK=1` takes all.
"""

import csv
import http.client
import json
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from postgres_server import required
from sampling import share

from bench.__main__ import BENCHMARKS
from bench.cycle import programs
from bench.entries import load
from bench.queries import MIX, Maker, vocabularies
from bench.runner import started_wire
from bench.stories import Stream
from bench.wire import address
from bot.query.parser import parse

ROOT = Path(__file__).resolve().parents[3]
READER = ROOT / ".venv-reader"


def run(benchmark: str, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Run a benchmark at its smallest size; the rows of its record."""
    path = folder / f"{benchmark}.json"
    command = [sys.executable, "-m", f"bench.{benchmark}", "--size", "small", "--json", str(path)]
    ended = subprocess.run(  # noqa: S603 (our own module)
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert record["size"] == "small"
    assert record["machine"]["cores"] > 0
    rows: list[dict[str, Any]] = record["rows"]
    return rows


def assert_positive(row: dict[str, Any], *names: str) -> None:
    """Assert that these figures are numbers above zero."""
    wrong = {
        name: row.get(name)
        for name in names
        if not isinstance(row.get(name), int | float) or row[name] <= 0
    }
    assert wrong == {}


def assert_polled(rows: list[dict[str, Any]], program: str, feeds: dict[str, int]) -> None:
    """Assert the figures of a program of the cycle; `feeds` by phase."""
    by_phase = {row["phase"]: row for row in rows if row["program"] == program}
    assert {phase: row["feeds"] for phase, row in by_phase.items()} == feeds
    for row in by_phase.values():
        assert_positive(row, "seconds", "cpu", "process_cpu", "rss_mb")
        assert (row["errors"], row["polled_once"], row["not_modified"]) == (0, 1.0, 0.0)
    assert by_phase["cold"]["false"] >= feeds["cold"], "all entries are new"
    assert by_phase["new"]["published"] == by_phase["new"]["reported"] == feeds["new"]
    assert by_phase["new"]["false"] == 0


def check_cycle(tmp_path: Path) -> None:
    """Every feed is polled once, and what is new is reported."""
    rows = run("cycle", tmp_path)
    assert_polled(rows, "newsbell", {"cold": 6, "new": 6})
    assert_polled(rows, "plain", {"cold": 4, "new": 2})
    assert_positive(rows[0], "lag_p99_ms", "lag_max_ms")


@pytest.mark.skipif(not programs(READER)["reader"].python.exists(), reason="reader is absent")
def test_cycle_runs_the_peer_reader(tmp_path: Path) -> None:
    rows = run("cycle", tmp_path, "--programs", "reader")
    assert_polled(rows, "reader", {"cold": 4, "new": 2})


def check_documents(tmp_path: Path) -> None:
    """Every way reads all entries, and newsbell what is new as well."""
    rows = run("documents", tmp_path)
    assert len(rows) == 3
    assert len({row["entries"] for row in rows}) == 1
    for row in rows:
        assert_positive(row, "cold_ms", "entries")
    assert_positive(rows[0], "new_ms")


def check_memory(tmp_path: Path) -> None:
    """It is measured in every state."""
    [row] = run("memory", tmp_path)
    assert (row["feeds"], row["entries"]) == (4, 40)
    assert_positive(row, "open", "after baseline, workers alive", "idle", "after a round of 304s")


def check_start(tmp_path: Path) -> None:
    """Starts and size are measured."""
    rows = run("start", tmp_path)
    assert [row["command"] for row in rows] == ["--help", "check", "status"]
    for row in rows:
        assert_positive(row, "least", "most")
    record = json.loads((tmp_path / "start.json").read_text(encoding="utf-8"))
    assert_positive(record["mib"], "newsbell", "aiohttp")


def check_restart(tmp_path: Path) -> None:
    """A start polls, answers and alerts; a reload is timed."""
    [row] = run("restart", tmp_path)
    assert (row["feeds"], row["entries"]) == (5, 40)
    moments = ("first poll", "first answer", "first alert")
    assert_positive(row["seconds"], *moments)
    assert_positive(row["cpu"], *moments)
    assert_positive(row, "bytes", "memory_mb", "reload_s", "reload_longest_transaction_ms")


def check_bodies(tmp_path: Path) -> None:
    """Texts are matched, packed and searched."""
    [row] = run("bodies", tmp_path)
    assert row["queries"] == 10
    assert_positive(row, "teaser_ms", "text_ms")


def check_articles(tmp_path: Path) -> None:
    """The text of invented pages is found."""
    [row] = run("articles", tmp_path)
    assert (row["set"], row["without"]) == ("invented", 0)
    assert_positive(row, "precision", "recall", "ms")


def check_records(tmp_path: Path) -> None:
    """They are weighed, and timed beside a commit without them."""
    [row] = run("records", tmp_path)
    assert (row["entries"], row["matches"]) == (40, 2)
    assert_positive(row, "commit_us", "with_records_us", "bytes")


def check_percolator(tmp_path: Path) -> None:
    """Every program matches all entries."""
    rows = run("percolator", tmp_path)
    assert [row["program"] for row in rows] == ["newsbell", "words", "regex", "fts5"]
    for row in rows:
        assert (row["queries"], row["entries"], len(row["rates"])) == (100, 20, 1)
        assert_positive(row, "cold", "built")
        assert row["rates"][0] > 0
    newsbell, _, regex, full_text = rows
    assert_positive(newsbell, "terms", "hits_an_entry")
    assert_positive(regex, "hits_an_entry")
    assert_positive(full_text, "hits_an_entry")
    assert set(newsbell["changed"]) == {"add", "alter", "remove", "next match"}
    for change in ("add", "alter", "remove"):
        assert_positive(newsbell["changed"][change], "median", "p99")


def check_names(tmp_path: Path) -> None:
    """They are found among invented places."""
    places: list[dict[str, list[str]]] = [
        {"eng": ["Lindholm", "Lindhólm"], "rus": ["Линдхольм"]},
        {"eng": ["Kestrel Bay", "Kestrel Baye"], "ukr": ["Кестрел Бей"]},
    ]
    lines = (json.dumps({"names": names}) for names in places)
    (tmp_path / "core_places.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pairs = (("Anna Varra", "Varra, Anna", "true"), ("Anna Varra", "Otto Tamsin", "false"))
    with (tmp_path / "opensanctions_cases_dev.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name1", "name2", "is_match"), *pairs])
    rows = run("names", tmp_path, "--data", str(tmp_path))
    assert [row["engine"].split(",")[0] for row in rows] == ["newsbell", *["consonants"] * 3]
    for row in rows:
        # "Lindhólm" folds to "Lindholm", so that place has one spelling of each script
        assert (row["pairs_latin"], row["pairs_across"]) == (2, 6)
    assert_positive(rows[0], "recall_latin", "recall_across")
    record = json.loads((tmp_path / "names.json").read_text(encoding="utf-8"))
    assert (record["places"], record["labelled"]) == (2, {"pairs": 2, "f1": 1.0})
    assert_positive(record["engine"], "compile_us", "find_us", "word_keys_us", "first_name_s")


def check_story_scores(tmp_path: Path) -> None:
    """They are of all rows of a table."""
    path = tmp_path / "handlabelled_2026" / "kagi_2026-02-17.tsv"
    path.parent.mkdir()
    columns = ("id", "source", "published", "title", "summary", "lang", "event", "story")
    rows = [
        (
            str(number),
            f"publisher{number}.example",
            f"2026-02-17T10:0{number}:00+00:00",
            title,
            "",
            "en",
            event,
            event,
        )
        for number, (title, event) in enumerate(
            (
                ("Ferry Ansa runs aground off Kestrel Bay with 80 aboard", "ferry"),
                ("Ferry Ansa aground off Kestrel Bay, 80 aboard", "ferry"),
                ("Dunmore council approves tram line to Lindholm", "tram"),
            )
        )
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([columns, *rows])
    [row] = run("story_scores", tmp_path, "--data", str(tmp_path))
    assert row["entries"] == 3
    assert_positive(row, "precision", "recall", "f1", "bcubed", "saved")


def check_forecasts(tmp_path: Path) -> None:
    """They are compared with what came."""
    rows = run("forecasts", tmp_path)
    assert len(rows) == 2 * 3 * 6, "ages, queries, sets of options"
    assert {row["low"] for row in rows if row["age"] == 2} == {None}, "too early"
    told = [row for row in rows if row["age"] == 24]
    assert all(0 <= row["low"] <= row["middle"] <= row["high"] for row in told)
    assert sum(row["came"] for row in told) > 100
    plain, _, _, strict, loose, _ = (row["came"] for row in told[:6])
    assert strict >= plain >= loose


def check_stories(tmp_path: Path) -> None:
    """They are grouped from the whole stream."""
    [row] = run("stories", tmp_path)
    record = json.loads((tmp_path / "stories.json").read_text(encoding="utf-8"))
    [restored] = record["restored"]
    assert restored["window"] == restored["entries"] == 300
    assert_positive(restored, "restore_s")
    assert (row["entries"], row["placed"]) == (500, 100)
    assert row["window"] + row["aged_out"] == 600
    assert_positive(row, "window", "rate", "p99_ms", "filling_rate", "restore_s", "stories")


def check_engines(tmp_path: Path) -> None:
    """Polls, nodes, sends and growth are measured on both engines, and more is calculated."""
    required()
    rows = run("engines", tmp_path)
    parts = Counter(row["part"] for row in rows)
    assert parts == {
        "polls": 4,
        "nodes": 1,
        "sent": 1,
        "growth": 4,
        "whole poll": 1,
        "window": 1,
    }
    by_part: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_part.setdefault(row["part"], []).append(row)
    for row in by_part["polls"]:
        assert row["polls"] == 10
        assert_positive(row, "claim_ms", "commit_ms")
    [nodes] = by_part["nodes"]
    assert_positive(nodes, "claims_a_second", "polls_a_second", "kept_a_second", "leader_ms")
    for row in by_part["sent"]:
        assert row["unsent"] == 0
        assert_positive(row, "articles", "published_median", "answered_p99")
    for row in by_part["growth"]:
        assert (row["feeds"], row["polled"]) == (1000, 500)
    assert_positive(by_part["whole poll"][0], "cpu_ms", "body_kb")
    assert_positive(by_part["window"][0], "memory_mb", "restore_s")


def check_latency(tmp_path: Path) -> None:
    """It is measured as often as asked."""
    rows = run("latency", tmp_path)
    counts = [(row["from"], row["subscriptions"], row["times"]) for row in rows]
    assert counts[:2] == [("alert", 0, 4), ("alert", 50, 4)]
    assert {count for _, _, count in counts[2:]} == {2}
    assert len(counts) == 9
    for row in rows:
        assert_positive(row, "median_ms", "p95_ms", "max_ms")


def check_chat_load(tmp_path: Path) -> None:
    """Every story is delivered within the limits."""
    rows = run("chat_load", tmp_path)
    parts = {part: [row for row in rows if row["part"] == part] for part in ("fair", "storm")}
    [fair], [storm] = parts["fair"], parts["storm"]
    assert fair["stories"] == fair["arrived"] == fair["calls"] == 3 * 38
    assert_positive(fair, "rate")
    urgent = [row for row in rows if row["part"] == "urgent"]
    assert [row["alerts"] for row in urgent] == [10, 10, 10]
    for row in urgent:
        assert_positive(row, "max_s")
    accounted = storm["arrived"] + storm["listed"] + storm["waiting"]
    assert accounted >= storm["stories"] >= 120
    assert_positive(storm, "calls", "faults", "kinds_of_faults", "virtual_hours")
    real = [row for row in rows if row["part"] == "real"]
    assert_positive(real[0], "calls", "rate")


def check_cluster(tmp_path: Path) -> None:
    """Nothing is lost, and nothing comes twice without a mark."""
    required()  # a PostgreSQL, or this is skipped
    [row] = run("cluster", tmp_path)
    assert (row["lost"], row["unmarked_twice"], row["kept_twice"]) == (0, 0, 0)
    assert_positive(row, "published", "expected", "leaders")


#: In an order in which each third takes as long.
CHECKS = {
    "chat_load": check_chat_load,
    "cycle": check_cycle,
    "documents": check_documents,
    "memory": check_memory,
    "percolator": check_percolator,
    "stories": check_stories,
    "latency": check_latency,
    "start": check_start,
    "restart": check_restart,
    "forecasts": check_forecasts,
    "records": check_records,
    "engines": check_engines,
    "bodies": check_bodies,
    "articles": check_articles,
    "cluster": check_cluster,
    "names": check_names,
    "story_scores": check_story_scores,
}


@pytest.mark.parametrize("benchmark", share(list(CHECKS), 5))
def test_a_benchmark_gives_its_figures(benchmark: str, tmp_path: Path) -> None:
    CHECKS[benchmark](tmp_path)


def test_every_benchmark_is_checked() -> None:
    assert CHECKS.keys() == BENCHMARKS.keys()


def test_the_wire_counts_what_it_serves_and_answers_304_to_known_validators() -> None:
    with started_wire(2, None) as (wire, about):
        wire.post("/control/phase", {"label": "test", "modes": ["validators", "new"]})

        def get(feed: int, **headers: str) -> http.client.HTTPResponse:
            host, _, path = address(feed, wire.port).removeprefix("http://").partition("/")
            connection = http.client.HTTPConnection(host, timeout=10)
            connection.request("GET", f"/{path}", headers=headers)
            response = connection.getresponse()
            body = response.read()
            connection.close()
            assert (marker in body) is (feed == 1)
            return response

        marker = wire.truth()["1"].encode()
        etag = get(0).headers["ETag"]
        assert get(0, **{"If-None-Match": etag}).status == 304
        assert get(1).status == 200
        assert wire.counts() == [[2, 1, 1, 0], [1, 0, 0, 0]]
    assert_positive(about, "served_kb", "gzip_kb", "port")


def test_queries_are_of_the_kinds_they_should_be_and_can_be_parsed() -> None:
    entries, _ = load(None, 3)
    known = vocabularies(f"{entry.title}\n{entry.summary}" for entry in entries)
    queries = Maker(known, 1).queries(60)
    assert Counter(query.kind for query in queries) == {
        kind: 2 * count for kind, count in MIX.items()
    }
    assert len({query.text for query in queries}) == 60
    for query in queries:
        parse(query.text)
    assert queries == Maker(known, 1).queries(60)


def test_the_invented_stream_is_the_same_each_time() -> None:
    first, second = (list(islice(Stream(100).entries(), 50)) for _ in range(2))
    assert first == second
    assert len({report.id for report in first}) == 50
