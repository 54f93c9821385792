"""Feeds that publish much, whatever they say of when."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from feed_harness import LONG_AGO, FeedHarness, archive, watching
from support import FeedServer, ManualClock, Recorder, invented_words, item, rss

from bot.model.delivery import DeliveryKind

HALF_HOUR = timedelta(minutes=30)
PER_POLL = 15
POLLS = 8

Spelling = Callable[[datetime], str]


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal) as app:
        yield app


def messages(harness: FeedHarness) -> list[int]:
    """How many stories each message told of."""
    return [
        len(delivery.alerts)
        for delivery, _ in harness.terminal.sent
        if delivery.kind is DeliveryKind.ALERT
    ]


def headline(poll: int, number: int) -> str:
    return f"Harbour {invented_words(f'{poll}/{number}')}"


@pytest.mark.parametrize(
    "spelling",
    [
        lambda at: "",
        lambda at: f"<pubDate>{at:%Y/%m/%d %H:%M:%S}</pubDate>",
        lambda at: f"<pubDate>{at:%d.%m.%Y %H:%M}</pubDate>",
        lambda at: f"<pubDate>{at.timestamp():.0f}</pubDate>",
        lambda at: f"<pubDate>{at + timedelta(days=30):%a, %d %b %Y %H:%M:%S} +0000</pubDate>",
        lambda at: "<pubDate>soon</pubDate>",
        lambda at: "<pubDate>Fri, 01 May 2009 00:00:00 +0000</pubDate>",
    ],
)
async def test_of_a_busy_feed_all_but_the_first_flood_alert_one_by_one(
    harness: FeedHarness, spelling: Spelling
) -> None:
    for poll in range(POLLS + 1):
        at = harness.clock.now()
        items = [
            item(f"{poll}-{n}", headline(poll, n), at=None, extra=spelling(at))
            for n in range(PER_POLL)
        ]
        await harness.publish(rss(*items), after=HALF_HOUR)
    told = messages(harness)
    assert sum(told) >= (POLLS - 1) * PER_POLL
    assert sum(count > 1 for count in told) <= 1
    assert len(harness.notices) <= 2


async def test_of_a_busy_json_feed_with_dates_of_rss_all_alert(harness: FeedHarness) -> None:
    for poll in range(POLLS + 1):
        at = harness.clock.now() + HALF_HOUR
        items = [
            {
                "id": f"{poll}-{n}",
                "url": f"https://zoo.example/{poll}-{n}",
                "title": headline(poll, n),
                "date_published": f"{at:%a, %d %b %Y %H:%M:%S} +0000",
            }
            for n in range(PER_POLL)
        ]
        document = {"version": "https://jsonfeed.org/version/1.1", "title": "Z", "items": items}
        await harness.publish(
            json.dumps(document),
            after=HALF_HOUR,
            headers={"Content-Type": "application/feed+json"},
        )
    assert sum(messages(harness)) >= (POLLS - 1) * PER_POLL


async def test_the_first_flood_without_dates_is_told_in_pages_that_name_all_of_it(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*(item(f"o{n}", headline(0, n), at=None) for n in range(5))))
    items = [item(f"n{n}", headline(1, n), at=None) for n in range(60)]
    titles = await harness.publish(rss(*items))
    assert len(set(titles)) == 60
    assert max(messages(harness)) <= 25
    assert len(harness.notices) == 1
    assert "come together" in harness.notices[0]


async def test_an_archive_without_dates_below_what_is_known_sends_no_alert(
    harness: FeedHarness,
) -> None:
    known = [item(f"o{n}", headline(0, n), at=None) for n in range(10)]
    await harness.publish(rss(*known))
    older = [item(f"older-{n}", headline(1, n), at=None) for n in range(40)]
    news = item("news", "Harbour news")
    assert await harness.publish(rss(news, *known, *older)) == ["Harbour news"]
    assert "40 of them look like its archive and send no alert." in harness.notices[0]
    assert "The other one is sent if it matches a subscription." in harness.notices[0]


async def test_a_busy_feed_that_shows_its_archive_sends_no_alert_of_it(
    harness: FeedHarness,
) -> None:
    for poll in range(4):
        at = harness.clock.now()
        items = [item(f"{poll}-{n}", headline(poll, n), at=at) for n in range(20)]
        await harness.publish(rss(*items, *archive(5)), after=HALF_HOUR)
    assert len(harness.alert_titles) == 80  # a terminal shows the first ones, too
    older = [
        item(f"older-{n}", headline(9, n), at=LONG_AGO - timedelta(days=30 + n)) for n in range(50)
    ]
    assert await harness.publish(rss(*items, *archive(5), *older), after=HALF_HOUR) == []


@pytest.mark.parametrize("dated", [True, False])
async def test_of_more_news_than_is_read_at_once_the_rest_alerts_with_the_next_poll(
    harness: FeedHarness, *, dated: bool
) -> None:
    await harness.publish(rss(*archive(5)), headers={"ETag": '"1"'})
    at = harness.clock.now() if dated else None
    news = [item(f"n{n}", f"{headline(1, n)} {headline(2, n)}", at=at) for n in range(700)]
    document = rss(*news, *archive(5))
    told = await harness.publish(document, headers={"ETag": '"2"'})
    assert await harness.entries() == 505
    told += await harness.publish(document, headers={"ETag": '"2"'})
    assert await harness.entries() == 705
    assert len(told) > 600  # a few are one story
    assert await harness.publish(document, headers={"ETag": '"2"'}) == []
    assert (await harness.state()).etag == '"2"'


async def test_of_an_archive_that_is_not_read_at_once_the_rest_is_never_read(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(5)))
    older = [item(f"o{n}", headline(3, n), at=LONG_AGO - timedelta(days=9 + n)) for n in range(900)]
    for turn in range(3):
        news = item(f"news-{turn}", f"Harbour news {'abc'[turn]}", at=harness.clock.now())
        told = await harness.publish(rss(news, *archive(5), *older))
        assert told == [f"Harbour news {'abc'[turn]}"]
    assert await harness.entries() < 520


async def test_a_long_document_that_is_written_otherwise_brings_nothing_new(
    harness: FeedHarness,
) -> None:
    items = [item(f"n{n}", headline(1, n), at=None, text=f"Part {n}") for n in range(900)]
    await harness.publish(rss(*items))
    for turn in range(3):
        written = [text.replace("</item>", f"<!-- {turn} --></item>") for text in items]
        assert await harness.publish(rss(*written)) == []
    assert await harness.entries() == 500
