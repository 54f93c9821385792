"""Backtests count the alerts that a query would have caused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from archive_harness import DAY, HOUR, POST, ArchiveHarness
from query_strategies import index_of, subscription
from support import NOON

from bot.errors import StoreError
from bot.model.chats import AlertOptions, Developments, Subscription
from bot.model.entries import Silence
from bot.model.stories import Grouping, StoryIds
from bot.query.parser import parse
from bot.search.backtest import backtest
from bot.search.past_alerts import Terms
from bot.store.archive import Archive
from bot.store.read_only import reader_of


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

    assert (forecast.alerts, forecast.entries, forecast.share) == (2, 3, 1)
    assert [hit.entry.article.title for hit in forecast.hits] == ["Harbour crane", "Harbour opens"]
    assert {f"{day:%d}": count for day, count in forecast.by_day if count} == {"27": 1, "02": 1}


def test_days_without_a_story_are_in_the_chart_and_older_ones_are_not(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour old", at=NOON - 30 * DAY)
    harness.put("Harbour late", at=NOON - 2 * DAY, silent=Silence.ARCHIVE)
    harness.put("Harbour new", at=NOON - 4 * DAY)

    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert (forecast.days, forecast.since, forecast.alerts) == (7, NOON - 7 * DAY, 1)
    assert [f"{day:%d}" for day, _ in forecast.by_day] == "23 24 25 26 27 28 01 02".split()
    assert [count for _, count in forecast.by_day] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert backtest(parse("harbour"), harness.archive, NOON, 60 * DAY).alerts == 2


def test_a_story_that_began_before_the_period_is_not_counted_again(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour opens", at=NOON - 30 * HOUR)
    harness.put("The harbour has opened", at=NOON - HOUR, story=story)

    assert backtest(parse("harbour"), harness.archive, NOON, DAY).alerts == 0
    assert backtest(parse("harbour"), harness.archive, NOON, 2 * DAY).alerts == 1


def test_two_hours_are_too_early_for_a_rate(harness: ArchiveHarness) -> None:
    harness.watched_since = NOON - 2 * HOUR
    harness.put(*(f"Harbour {number}" for number in range(40)), at=NOON - HOUR)

    young = backtest(parse("harbour"), harness.archive, NOON)

    assert (young.expectation, young.alerts, young.is_noisy) == (None, 40, True)
    assert young.since == pytest.approx(NOON - 2 * HOUR, abs=timedelta(minutes=15))


def test_a_rate_is_of_the_hours_that_are_covered(harness: ArchiveHarness) -> None:
    """Forty stories in eight hours are a hundred and twenty a day, not forty."""
    harness.watched_since = NOON - 8 * HOUR
    for number in range(40):
        harness.put(f"Harbour {number}", at=NOON - number * HOUR / 5)

    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert forecast.expectation
    day = forecast.expectation.next_day
    assert day.low < 120 < day.high
    assert 90 < day.middle < 150


def test_what_a_feed_showed_at_first_is_its_past_as_far_as_it_goes(
    harness: ArchiveHarness,
) -> None:
    harness.watched_since = NOON
    for number in range(48):
        at = NOON - number * HOUR / 2
        harness.put(f"Harbour {number}", published=at, silent=Silence.BASELINE)

    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert forecast.since == pytest.approx(NOON - DAY, abs=4 * HOUR)
    assert forecast.expectation
    assert forecast.expectation.next_day.middle == pytest.approx(48, abs=8)


def test_a_first_fetch_without_dates_is_no_past(harness: ArchiveHarness) -> None:
    harness.watched_since = NOON
    harness.put(*(f"Harbour {number}" for number in range(30)), silent=Silence.BASELINE)

    forecast = backtest(parse("harbour"), harness.archive, NOON + HOUR)

    assert (forecast.alerts, forecast.expectation) == (0, None)


def test_publishers_that_are_waited_for_are_counted(harness: ArchiveHarness) -> None:
    [story] = harness.put("Harbour opens", at=NOON - 3 * DAY)
    harness.put("Port opens", at=NOON - 2 * DAY, feed=2, story=story, origin="post")
    harness.put("Harbour crane", at=NOON - DAY)
    two = AlertOptions(publishers=2)

    def alerts(options: AlertOptions) -> dict[str, int]:
        terms = Terms(options=options)
        forecast = backtest(parse("harbour"), harness.archive, NOON, terms=terms)
        return {f"{day:%d}": count for day, count in forecast.by_day if count}

    assert alerts(AlertOptions()) == {"27": 1, "01": 1}
    assert alerts(two) == {"28": 1}, "when the second publisher came, whatever its words"
    assert alerts(replace(two, or_after=HOUR)) == {"27": 1, "01": 1}
    assert alerts(AlertOptions(alert_again_at=2)) == {"27": 1, "28": 1, "01": 1}


def test_levels_and_developments_are_those_of_the_chat(harness: ArchiveHarness) -> None:
    [story] = harness.put("Harbour opens after storm", at=NOON - 3 * DAY)
    harness.put("Harbour closes", at=NOON - 2 * DAY, ids=StoryIds(story + 1, story, story))
    harness.put("Harbour crane", at=NOON - DAY, ids=StoryIds(story + 2, story + 2, story))

    def counts(terms: Terms) -> tuple[int, int]:
        forecast = backtest(parse("harbour"), harness.archive, NOON, terms=terms)
        return forecast.alerts, forecast.notes

    assert counts(Terms(grouping=Grouping.STRICT)) == (3, 0)
    assert counts(Terms()) == (2, 1)
    assert counts(Terms(grouping=Grouping.LOOSE)) == (1, 2)
    assert counts(Terms(developments=Developments.EDIT)) == (2, 0)
    assert counts(Terms(developments=Developments.ALERT)) == (3, 0)


def test_a_backtest_of_an_empty_database_is_empty(harness: ArchiveHarness) -> None:
    forecast = backtest(parse("harbour"), harness.archive, NOON)

    assert (forecast.alerts, forecast.notes, forecast.entries) == (0, 0, 0)
    assert (forecast.hits, forecast.overlap, forecast.expectation) == ((), (), None)
    assert forecast.nothing_stored
    assert sum(count for _, count in forecast.by_day) == 0


def test_a_missing_database_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*: run `newsbell run` first"):
        backtest(parse("harbour"), Archive(reader_of(tmp_path / "none.db")), NOON)


def test_a_backtest_can_be_limited_to_feeds(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1)
    harness.put("Harbour two", "Harbour three", feed=2)

    assert backtest(parse("harbour"), harness.archive, NOON, terms=Terms(("World",))).alerts == 2
    assert (
        backtest(parse("harbour"), harness.archive, NOON, terms=Terms(("Harbour Wire",))).alerts
        == 1
    )
    assert (
        backtest(parse("harbour"), harness.archive, NOON, terms=Terms((POST.url, "sport"))).alerts
        == 3
    )


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

    assert (forecast.alerts, forecast.overlap) == (1, ((1, 1),))


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
        assert (whole.share, whole.alerts) == (1, 100)
        monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 25)
        part = backtest(parse("harbour"), harness.archive, NOON)
        assert part.share == pytest.approx(1 / 4 if filled else 1 / 5)
        assert part.alerts == pytest.approx(100, abs=5)
        assert part.alerts == sum(count for _, count in part.by_day)
        assert len(part.hits) == 20
    assert backtest(parse("mill"), harness.archive, NOON).share == 1, (
        "a query that the search narrows needs no share"
    )
