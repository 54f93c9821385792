"""The upkeep of the full-text index, whose steps do not grow with it, and what a search reads."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from archive_harness import DAY, HOUR, ArchiveHarness
from support import NOON, ManualClock, Recorder, newsbell

from bot.model.entries import Article
from bot.store import search_index
from bot.store.archive import Archive
from bot.store.engines import sqlite as engine
from bot.store.engines.engine import Database
from bot.store.read_only import reader_of

pytestmark = pytest.mark.own_engine("about the pages of FTS5")

PAGE = 4096


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    archive = ArchiveHarness(tmp_path)
    yield archive
    archive.end()


def headlines(chance: Random, count: int) -> list[str]:
    """Headlines of many words, each of them in few headlines."""
    return [
        f"Harbour {' '.join(f'w{chance.randrange(20_000)}' for _ in range(60))}"
        for _ in range(count)
    ]


def written(harness: ArchiveHarness, step: Callable[[Database], Any]) -> tuple[Any, int]:
    """What a step of the store returns, and how many pages of the database it changed."""
    log = harness.path.with_name("newsbell.db-wal")
    harness.run(harness.store.files.checkpoint())
    result = harness.run(harness.store._writer.run("step", step))
    return result, log.stat().st_size // PAGE


def merge_all(harness: ArchiveHarness) -> None:
    while harness.run(harness.store.search.merge()):
        pass


def test_no_step_of_the_search_grows_with_the_index(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "MERGED_PAGES", 4)
    chance = Random(1)
    fills, merges = [], []
    for _ in range(120):
        harness.put(*headlines(chance, 5))
        fills.append(written(harness, lambda db: search_index._fill(db, NOON))[1])
        again = True
        while again:
            again, rows = written(harness, search_index._merge)
            merges.append(rows)

    [(pages,)] = harness.rows("select count(*) from search_data")
    assert pages > 100
    assert max(fills) < 40, "five entries, their pages, and what is counted"
    assert max(merges) < 40
    assert len(harness.titles("harbour")) == 600


def test_a_batch_is_as_large_as_its_text_allows(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH_TEXT", 100)
    lengths = (40, 50, 11, 300, 30, 30, 30)
    numbers = harness.put(*("x" * length for length in lengths))
    counts = [harness.run(harness.store.search.fill(NOON)) for _ in range(6)]
    assert counts == [2, 1, 1, 3, 0, 0]

    for number in numbers[:3]:
        harness.revise(number, Article("y" * 60, language="en"))
    later = NOON + HOUR
    assert [harness.run(harness.store.search.fill(later)) for _ in range(4)] == [1, 1, 1, 0]


def test_a_merge_under_way_is_taken_up_after_a_restart_and_hides_nothing(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "MERGED_PAGES", 2)
    chance = Random(2)
    for _ in range(30):
        harness.put(*headlines(chance, 5))
        harness.fill(1)
    assert harness.run(harness.store.search.merge())
    harness.close()
    harness.open()

    assert len(harness.titles("harbour")) == 150
    merge_all(harness)
    assert len(harness.titles("harbour")) == 150
    harness.rows("insert into search (search) values ('integrity-check')")


@pytest.fixture
def renewed(harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch) -> ArchiveHarness:
    """An index of which most was obsolete, just renewed: twenty entries are left."""
    monkeypatch.setattr(search_index, "DISCARDED_PAGES", 5)
    numbers = harness.put(*headlines(Random(3), 220))
    harness.fill()
    harness.forget(*numbers[:200])
    assert harness.run(harness.store.search.renew())
    return harness


def test_a_renewed_index_is_whole_and_leaves_what_it_was_to_be_deleted_in_steps(
    renewed: ArchiveHarness,
) -> None:
    renewed.rows("insert into search (search) values ('integrity-check')")
    assert renewed.rows("pragma integrity_check") == [("ok",)]
    assert renewed.rows("select count(*) from search where search match '\"=harbour\"'") == [(0,)]
    [(pages,)] = renewed.rows("select count(*) from search_waste")
    assert pages > 20

    left = []
    while renewed.run(renewed.store.search.discard()):
        left += renewed.rows("select count(*) from search_waste")
    assert left == [(number,) for number in range(pages - 5, 0, -5)]
    assert renewed.rows("select count(*) from search_waste") == [(0,)]


def test_a_renewed_index_is_filled_while_the_former_is_deleted(renewed: ArchiveHarness) -> None:
    assert renewed.run(renewed.store.search.discard())
    assert len(renewed.titles("harbour")) == 20
    renewed.close()
    renewed.open()

    assert renewed.fill() == 20
    merge_all(renewed)
    renewed.rows("insert into search (search) values ('integrity-check')")
    while renewed.run(renewed.store.search.discard()):
        assert len(renewed.titles("harbour")) == 20


def test_no_renewal_begins_before_the_former_index_is_deleted(renewed: ArchiveHarness) -> None:
    numbers = renewed.put(*headlines(Random(4), 210))
    renewed.fill()
    renewed.forget(*numbers)
    assert not renewed.run(renewed.store.search.renew())

    while renewed.run(renewed.store.search.discard()):
        pass
    assert renewed.run(renewed.store.search.renew())
    assert len(renewed.titles("harbour")) == 20


def test_a_reader_sees_the_index_as_it_was_before_a_renewal_or_as_it_is_after_it(
    harness: ArchiveHarness,
) -> None:
    found = "select count(*) from search where search match '\"=harbour\"'"
    numbers = harness.put(*headlines(Random(5), 220))
    harness.fill()
    harness.forget(*numbers[:200])
    with closing(sqlite3.connect(harness.path, isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute(found).fetchone() == (220,)
        assert harness.run(harness.store.search.renew())
        harness.fill()

        assert reader.execute(found).fetchone() == (220,)
        reader.execute("commit")
        assert reader.execute(found).fetchone() == (20,)


async def test_a_clean_up_deletes_all_of_a_former_index(tmp_path: Path) -> None:
    async with newsbell(tmp_path, "feeds: []\n", clock=ManualClock(), terminal=Recorder()) as app:
        fetch = app.store.polls._writer.fetch  # type: ignore[attr-defined]  # of the real store
        await fetch(
            "prepare",
            "insert into search_waste with recursive n (i) as "
            "(select 1 union all select i + 1 from n where i < 1200) select i, x'00' from n",
        )
        await app.jobs.prune()
        [row] = await fetch("look", "select count(*) from search_waste")
        assert row[0] == 0


def steps_of_a_search(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch, query: str
) -> tuple[int, int]:
    """How many entries a search of the last day looks at, and how many steps SQLite takes."""
    steps = 0

    def count(*_: Any) -> bool:
        nonlocal steps
        steps += 1
        return False

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_STEPS", 1)
        patch.setattr(engine.Reader, "_is_late", count)
        patch.setattr(Archive, "_is_late", count)
        archive = Archive(reader_of(harness.path), until=1.0)
        entries = list(archive.entries(query, NOON - DAY))
    return len(entries), steps


@pytest.mark.parametrize("state", ["indexed", "not indexed", "changed"])
def test_a_search_of_a_period_reads_nothing_of_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    steps = []
    for count in (20, 500):
        folder = tmp_path / str(count)
        folder.mkdir()
        harness = ArchiveHarness(folder)
        old = harness.put(*(f"Harbour {number}" for number in range(count)), at=NOON - 3 * DAY)
        harness.put("Harbour today", at=NOON)
        if state != "not indexed":
            harness.fill()
            merge_all(harness)
        if state == "changed":
            for number in old:
                harness.rows("insert into unsearched values (?, '')", number)
        found, taken = steps_of_a_search(harness, monkeypatch, '"=harbour"')
        harness.end()
        assert found == 1
        steps.append(taken)

    assert steps[1] < steps[0] + 240, "not half a step for each of the 480 more"


def test_keys_of_another_version_are_made_anew_once_the_former_index_is_deleted(
    renewed: ArchiveHarness,
) -> None:
    renewed.fill()
    renewed.rows("insert or replace into meta values ('search_keys', '0')")
    assert renewed.run(renewed.store.search.fill(NOON)) == 0
    assert len(renewed.titles("harbour")) == 20

    counts = [renewed.run(renewed.store.search.fill(NOON)) for _ in range(50)]
    assert sum(counts) == 20
    assert renewed.rows("select count(*) from search where search match '\"=harbour\"'") == [(20,)]
