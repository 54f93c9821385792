"""Backtests count the alerts that a query would have caused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_harness import DAY, HOUR, POST, ArchiveHarness
from query_strategies import index_of, subscription
from support import NOON

from bot.errors import StoreError
from bot.model.chats import Subscription
from bot.query.parser import parse
from bot.search.backtest import backtest
from bot.store.archive import Archive


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    archive = ArchiveHarness(tmp_path)
    yield archive
    archive.end()


# Backtests


def test_a_backtest_counts_one_alert_a_story_by_the_article_that_came_first(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour opens", at=NOON - 3 * DAY)
    harness.put("The harbour has opened", at=NOON - DAY, feed=2, story=story)
    harness.put("Mill burns", at=NOON - HOUR)
    harness.put("Harbour crane", at=NOON - 2 * HOUR)

    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.stories, made.entries, made.share) == (2, 3, 1)
    assert [hit.entry.article.title for hit in made.hits] == ["Harbour crane", "Harbour opens"]
    assert {f"{day:%d}": count for day, count in made.by_day if count} == {"27": 1, "02": 1}


def test_days_without_a_story_are_in_the_chart_and_older_ones_are_not(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour old", at=NOON - 30 * DAY)
    harness.put("Harbour late", at=NOON - 2 * DAY, published=NOON - 20 * DAY)
    harness.put("Harbour new", at=NOON - 2 * DAY, published=NOON - 4 * DAY)

    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.days, made.since, made.stories) == (7, NOON - 7 * DAY, 1)
    assert [f"{day:%d}" for day, _ in made.by_day] == [
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "01",
        "02",
    ]
    assert [count for _, count in made.by_day] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert made.alerts_per_day == pytest.approx(1 / 7)
    assert made.alerts_per_week == pytest.approx(1)
    assert backtest(parse("harbour"), harness.archive, NOON, 60).stories == 3


def test_a_young_database_is_not_counted_as_if_it_were_a_week_old(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", at=NOON - 2 * HOUR)
    harness.put("Harbour two", at=NOON - HOUR)
    young = backtest(parse("harbour"), harness.archive, NOON)
    assert (young.days, young.alerts_per_day, young.alerts_per_week) == (1, 2, 14)

    older = backtest(parse("harbour"), harness.archive, NOON + 2 * DAY)
    assert older.days == pytest.approx(2 + 2 / 24)
    assert older.stories == 2
    assert backtest(parse("harbour"), harness.archive, NOON, 0.1).days == pytest.approx(0.1)


def test_an_empty_database_foretells_nothing_without_a_fault(harness: ArchiveHarness) -> None:
    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.stories, made.entries, made.alerts_per_week, made.hits, made.overlap) == (
        0,
        0,
        0,
        (),
        (),
    )
    assert sum(count for _, count in made.by_day) == 0


def test_no_database_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*: run `newsbell run` first"):
        backtest(parse("harbour"), Archive(tmp_path / "none.db"), NOON)


def test_a_backtest_can_be_held_to_feeds(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1)
    harness.put("Harbour two", "Harbour three", feed=2)

    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("World",)).stories == 2
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("Harbour Wire",)).stories == 1
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=(POST.url, "sport")).stories == 3


def test_stories_that_ring_for_a_subscription_already_are_counted_for_it(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour crane", "Harbour radar", "Mill radar")
    harness.put("Harbour radar of the navy", feed=2)
    index = index_of(
        Subscription(1, "Radar", "radar", (), (1,)),
        Subscription(2, "Post", "harbour", ("World",), (1,)),
        Subscription(3, "Mill", "mill", (), (1,)),
    )

    assert backtest(parse("harbour"), harness.archive, NOON, index=index).overlap == (
        (1, 2),
        (2, 1),
    )


def test_a_story_whose_first_article_rings_for_another_subscription_is_counted_too(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour radar", at=NOON - HOUR)
    harness.put("Harbour of Port Selva", feed=2, story=story)

    made = backtest(
        parse("harbour"), harness.archive, NOON, index=index_of(subscription(1, "radar"))
    )

    assert (made.stories, made.overlap) == (1, ((1, 1),))


def test_a_broad_query_is_judged_by_an_even_share(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.put(*(f"Harbour {number}" for number in range(100)))
    harness.put("Mill")
    for filled in (False, True):
        if filled:
            harness.fill()
        monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 3_000)
        whole = backtest(parse("harbour"), harness.archive, NOON)
        assert (whole.share, whole.stories) == (1, 100)
        monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 25)
        part = backtest(parse("harbour"), harness.archive, NOON)
        assert part.share == pytest.approx(1 / 4 if filled else 1 / 5)
        assert part.stories == pytest.approx(100, abs=5)
        assert part.stories == sum(count for _, count in part.by_day)
        assert len(part.hits) == 20
    assert backtest(parse("mill"), harness.archive, NOON).share == 1, (
        "a query that the search narrows needs no share"
    )
