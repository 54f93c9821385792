"""Warnings and bulletins: many items of one page, under one headline."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from feed_harness import FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, item, rss

PAGE = "https://weather.example/warnings"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal, query="warning") as app:
        await app.publish(rss(*archive(3)))
        yield app


def warning(
    guid: str | None,
    text: str = "",
    *,
    at: datetime | None = NOON,
    title: str = "Frost warning in force",
    link: str = PAGE,
) -> str:
    return item(guid, title, link=link, text=text, at=at)


async def test_warnings_of_one_page_and_headline_are_entries_of_their_own(
    harness: FeedHarness,
) -> None:
    areas = [
        warning("w1", "For Tarvos"),
        warning("w2", "For Lorne"),
        warning("w3", "For Port Selva"),
    ]
    before = await harness.entries()
    await harness.publish(rss(*areas, *archive(3)))
    assert await harness.entries() == before + 3
    await harness.publish(rss(*areas, *archive(3), head=" "))
    assert await harness.entries() == before + 3


async def test_each_area_is_found_by_its_name(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal, query="lorne") as harness:
        await harness.publish(rss(*archive(3)))
        areas = [warning(f"w{n}", f"For {area}") for n, area in enumerate(["Tarvos", "Lorne"])]
        assert len(await harness.publish(rss(*areas, *archive(3)))) == 1


@pytest.mark.parametrize("stays", [True, False])
async def test_the_next_bulletin_alerts_whether_or_not_the_last_one_stays(
    harness: FeedHarness, *, stays: bool
) -> None:
    shown: list[str] = []
    for day in range(4):
        text = f"Night {'abcd'[day]}: frost in the valleys of {['Tarvos', 'Lorne'][day % 2]}"
        bulletin = warning(f"b{day}", text, at=harness.clock.now() + DAY - HOUR)
        shown = [bulletin, *shown] if stays else [bulletin]
        assert len(await harness.publish(rss(*shown, *archive(3)), after=DAY)) == 1
    assert harness.edits == []


async def test_bulletins_that_all_change_at_once_are_new(harness: FeedHarness) -> None:
    """New guids under known headlines were taken for those of another build."""

    def bulletins(day: int) -> list[str]:
        return [
            warning(
                f"{area}-{day}",
                f"{area}: the {'first second third'.split()[day]} night is cold",
                at=NOON + day * DAY,
                title=f"Frost warning for {area}",
                link=f"{PAGE}/{area}",
            )
            for area in ("tarvos", "lorne", "selva", "oster")
        ]

    for day in range(3):
        before = await harness.entries()
        assert await harness.publish(rss(*bulletins(day)), after=DAY)
        assert await harness.entries() == before + 4


@pytest.mark.parametrize("at", [NOON, None])
async def test_a_guid_that_alone_is_new_is_no_other_item(
    harness: FeedHarness, at: datetime | None
) -> None:
    for turn in range(3):
        told = await harness.publish(rss(warning(f"w{turn}", "For Lorne", at=at), *archive(3)))
        assert len(told) == (turn == 0)


async def test_guids_and_dates_made_at_each_fetch_are_no_other_item(harness: FeedHarness) -> None:
    for turn in range(4):
        at = harness.clock.now() + timedelta(minutes=10)
        shown = rss(warning(f"fetch-{turn}", "For Lorne", at=at))
        assert len(await harness.publish(shown)) == (turn == 0)


async def test_versions_counted_behind_the_link_are_edits(harness: FeedHarness) -> None:
    link = "https://zoo.example/articles/frost"
    for version in range(3):
        guid, text = f"{link}#{version}", f"Version {'abc'[version]} of the text"
        entry = warning(guid, text, at=NOON + version * HOUR, link=link)
        told = await harness.publish(rss(entry, *archive(3)), after=HOUR)
        assert len(told) == (version == 0)
    assert len(harness.edits) == 2


async def test_two_items_without_guids_differ_by_date_and_text_together(
    harness: FeedHarness,
) -> None:
    first = warning(None, "For Lorne", at=NOON - HOUR)
    await harness.publish(rss(first, *archive(3)))
    before = await harness.entries()
    await harness.publish(rss(warning(None, "For Tarvos", at=NOON), first, *archive(3)))
    assert await harness.entries() == before + 1
    reworded = warning(None, "For Lorne and its valleys", at=NOON - HOUR)
    await harness.publish(rss(reworded, *archive(3)))
    assert await harness.entries() == before + 1


async def test_the_next_bulletin_of_a_page_under_another_headline_alerts(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(warning("b1", "Cold in the valleys", at=NOON - DAY)))
    storm = warning("b2", "Gusts at sea", at=NOON, title="Storm warning, small craft stay ashore")
    assert len(await harness.publish(rss(storm), after=DAY)) == 1
