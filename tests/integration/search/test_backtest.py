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

    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert (forecast.stories, forecast.entries, forecast.share) == (2, 3, 1)
    assert [hit.entry.article.title for hit in forecast.hits] == ["Harbour crane", "Harbour opens"]
    assert {f"{day:%d}": count for day, count in forecast.by_day if count} == {"27": 1, "02": 1}


def test_days_without_a_story_are_in_the_chart_and_older_ones_are_not(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour old", at=NOON - 30 * DAY)
    harness.put("Harbour late", at=NOON - 2 * DAY, published=NOON - 20 * DAY)
    harness.put("Harbour new", at=NOON - 2 * DAY, published=NOON - 4 * DAY)

    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert (forecast.days, forecast.since, forecast.stories) == (7, NOON - 7 * DAY, 1)
    assert [f"{day:%d}" for day, _ in forecast.by_day] == [
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "01",
        "02",
    ]
    assert [count for _, count in forecast.by_day] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert forecast.alerts_per_day == pytest.approx(1 / 7)
    assert forecast.alerts_per_week == pytest.approx(1)
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


def test_a_backtest_of_an_empty_database_is_empty(harness: ArchiveHarness) -> None:
    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert (
        forecast.stories,
        forecast.entries,
        forecast.alerts_per_week,
        forecast.hits,
        forecast.overlap,
    ) == (
        0,
        0,
        0,
        (),
        (),
    )
    assert sum(count for _, count in forecast.by_day) == 0


def test_a_missing_database_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*: run `newsbell run` first"):
        backtest(parse("harbour"), Archive(tmp_path / "none.db"), NOON)


def test_a_backtest_can_be_limited_to_feeds(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1)
    harness.put("Harbour two", "Harbour three", feed=2)

    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("World",)).stories == 2
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("Harbour Wire",)).stories == 1
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=(POST.url, "sport")).stories == 3


def test_stories_of_other_subscriptions_are_counted_as_overlap(
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


def test_a_story_whose_first_article_matches_another_subscription_is_overlap(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour radar", at=NOON - HOUR)
    harness.put("Harbour of Port Selva", feed=2, story=story)

    forecast = backtest(
        parse("harbour"), harness.archive, NOON, index=index_of(subscription(1, "radar"))
    )

    assert (forecast.stories, forecast.overlap) == (1, ((1, 1),))


def test_a_broad_query_is_judged_by_an_even_sample(
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
