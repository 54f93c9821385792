"""Old items, empty feeds, first fetches, and the same story in several feeds."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from feed_harness import LONG_AGO, FeedHarness, archive, watching
from support import NOON, FeedServer, ManualClock, Recorder, execute, item, query, rss

from bot.text.clean import headline

ZOO = "https://zoo.example/"


@pytest.fixture
async def harness(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> AsyncIterator[FeedHarness]:
    async with watching(tmp_path, server, clock, terminal) as app:
        yield app


# 15, 16, 17, 18. Old items return, slide, move, get other dates.


async def test_old_items_that_return_send_no_alert(harness: FeedHarness) -> None:
    everything = archive(12)
    await harness.publish(rss(*everything))
    for shown in (everything[:4], everything[6:], everything[3:8], everything[::-1]):
        assert await harness.publish(rss(*shown)) == []


async def test_a_match_far_behind_in_a_long_headline_alerts_once_however_much_of_it_was_kept(
    harness: FeedHarness,
) -> None:
    """A post has all its text there; earlier versions kept 300 characters of it."""
    await harness.publish(rss(*archive(3)))
    post = "Many words " * 60 + "and the harbour " + "burns " * 60
    [title] = await harness.publish(rss(item("", post, link=f"{ZOO}post"), *archive(3)))
    assert title == post.strip()
    execute(harness.app, "update entries set title = ? where title = ?", headline(title), title)
    again = item("", f"{post}again", link=f"{ZOO}post")
    assert await harness.publish(rss(again, *archive(3))) == []
    entries = query(harness.app, "select title from entries where link like '%/post'")
    assert entries == [(f"{post}again",)]


async def test_an_older_item_that_slides_back_sends_no_alert(harness: FeedHarness) -> None:
    everything = [item("top", "Harbour top story"), *archive(11)]
    await harness.publish(rss(*archive(11)))
    assert await harness.publish(rss(*everything[:10])) == ["Harbour top story"]
    assert await harness.publish(rss(*everything[1:11])) == []
    assert await harness.publish(rss(*everything[:10])) == []


async def test_an_older_item_never_seen_that_slides_in_does_not_pass_for_a_flood(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(5)))
    await harness.publish(rss(*archive(4), *archive(1, first=5)))
    assert harness.notices == []


async def test_a_new_item_is_alerted_at_any_position(harness: FeedHarness) -> None:
    old = archive(6)
    await harness.publish(rss(*old))
    assert await harness.publish(rss(*old, item("last", "Harbour at the end"))) == [
        "Harbour at the end"
    ]
    middle = [*old[:3], item("mid", "Harbour in the middle"), *old[3:]]
    assert await harness.publish(rss(*middle)) == ["Harbour in the middle"]
    assert await harness.publish(rss(*reversed(middle))) == []


async def test_dates_rewritten_for_all_send_no_alert(harness: FeedHarness) -> None:
    names = "abcdefghijklmnop"
    for day in range(4):
        document = rss(
            *(item(f"g{n}", f"Harbour tale {n}", at=LONG_AGO + timedelta(days=day)) for n in names)
        )
        assert await harness.publish(document) == []
    undated_ids = rss(
        *(
            item(None, f"Harbour tale {n}", link=f"https://news.example/g{n}", at=NOON)
            for n in names
        )
    )
    assert await harness.publish(undated_ids) == []


# 19. Our memory is longer than the feed's window.


async def test_what_stands_in_the_feed_is_never_forgotten(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(5)))
    for _ in range(7):
        await harness.publish(rss(*archive(5), head=" "), after=timedelta(days=30))
        await harness.app.store.admin.prune(harness.clock.now())
    assert await harness.entries() == 5
    assert harness.alert_titles == []


async def test_what_left_the_feed_is_known_for_90_days(harness: FeedHarness) -> None:
    await harness.publish(rss(*archive(5)))
    await harness.publish(rss(*archive(2)))
    harness.clock.advance(timedelta(days=89))
    await harness.app.store.admin.prune(harness.clock.now())
    assert await harness.entries() == 5
    assert await harness.publish(rss(*archive(5))) == []
    await harness.publish(rss(*archive(2)))
    harness.clock.advance(timedelta(days=91))
    await harness.app.store.admin.prune(harness.clock.now())
    assert await harness.entries() == 2


# 20. An empty feed.


async def test_a_feed_that_is_empty_for_a_while_sends_no_alert_when_it_comes_back(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(8)))
    assert await harness.publish(rss()) == []
    state = await harness.state()
    assert (state.failure, state.empties) == (None, 1)
    assert harness.notices == []
    assert await harness.publish(rss(*archive(8))) == []
    assert (await harness.state()).empties == 0


async def test_a_feed_that_stays_empty_is_reported_to_the_operator_once(
    harness: FeedHarness,
) -> None:
    await harness.publish(rss(*archive(8)))
    for turn in range(5):
        await harness.publish(rss(head=" " * turn))
    assert len(harness.notices) == 1
    assert "empty 3 times" in harness.notices[0]


async def test_a_feed_that_was_always_empty_is_no_trouble_and_its_first_item_is_alerted(
    harness: FeedHarness,
) -> None:
    for turn in range(4):
        await harness.publish(rss(head=" " * turn))
    assert harness.notices == []
    assert await harness.publish(rss(item("1", "First harbour story"))) == ["First harbour story"]


# 21. A busy feed with a short window.


async def test_a_window_without_any_known_item_is_counted_as_a_gap_and_alerted(
    harness: FeedHarness,
) -> None:
    await harness.publish(
        rss(
            *(
                item(f"a{n}", f"Talk of the town {n}", at=NOON - timedelta(hours=n))
                for n in range(5)
            )
        )
    )
    await harness.publish(
        rss(
            *(
                item(f"b{n}", f"Harbour note {n} {n * n}", at=NOON + timedelta(minutes=n))
                for n in range(5)
            )
        )
    )
    assert len(harness.alert_titles) == 5
    assert (await harness.state()).gaps == 1


async def test_a_feed_that_publishes_often_is_looked_at_more_often(harness: FeedHarness) -> None:
    busy = rss(*(item(f"b{n}", f"Note {n}", at=NOON - timedelta(minutes=3 * n)) for n in range(20)))
    await harness.publish(busy, after=timedelta(0))
    assert (await harness.state()).interval == timedelta(minutes=5)


# 22. The first fetch.


async def test_a_feed_that_is_added_later_begins_silently(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a.xml", rss(*archive(3)))
    async with watching(tmp_path, server, clock, terminal, "/a.xml") as harness:
        await harness.poll()
    server.put("/b.xml", rss(*archive(30, first=40)))
    async with watching(tmp_path, server, clock, terminal, "/a.xml", "/b.xml") as harness:
        assert await harness.poll() == []
        assert await harness.entries("/b.xml") == 30
        assert await harness.publish(
            rss(item("new", "Harbour new"), *archive(30, first=40)), path="/b.xml"
        ) == ["Harbour new"]


async def test_a_terminal_catches_up_on_the_last_day_of_a_new_feed(harness: FeedHarness) -> None:
    recent, older = (
        item("r", "Harbour this morning", at=NOON - timedelta(hours=5)),
        item("o", "Harbour last week", at=LONG_AGO),
    )
    undated = item("u", "Harbour some day", at=None)
    assert await harness.publish(rss(recent, older, undated)) == ["Harbour this morning"]
    assert harness.alerts[0].catch_up


# 14. One story in several feeds.


async def test_one_link_in_two_feeds_is_alerted_once(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal, "/a.xml", "/b.xml") as harness:
        server.put("/a.xml", rss(item("1", "Old", at=LONG_AGO)))
        await harness.publish(rss(item("2", "Older", at=LONG_AGO)), path="/b.xml")
        assert await harness.publish(
            rss(item("a", "Harbour fire", link=f"{ZOO}fire")), path="/a.xml"
        ) == ["Harbour fire"]
        assert (
            await harness.publish(
                rss(item("b", "Fire in harbour", link=f"{ZOO}fire?utm_source=b")), path="/b.xml"
            )
            == []
        )


async def test_one_guid_in_two_feeds_hides_nothing(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal, "/a.xml", "/b.xml") as harness:
        server.put("/a.xml", rss(item("old", "Old", at=LONG_AGO)))
        await harness.publish(rss(item("old", "Older", link=f"{ZOO}o", at=LONG_AGO)), path="/b.xml")
        server.put("/a.xml", rss(item("1", "Harbour fire", link=f"{ZOO}fire")))
        titles = await harness.publish(
            rss(item("1", "Harbour strike", link="https://other.example/strike")), path="/b.xml"
        )
        assert sorted(titles) == ["Harbour fire", "Harbour strike"]


async def test_articles_that_all_link_to_one_page_are_stories_of_their_own(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    page = f"{ZOO}alerts"
    async with watching(tmp_path, server, clock, terminal, "/a.xml", "/b.xml") as harness:
        server.put(
            "/a.xml",
            rss(
                item("0", "Old", link=page, at=LONG_AGO),
                item("00", "Older", link=page, at=LONG_AGO),
            ),
        )
        await harness.publish(rss(item("0", "Old", link=ZOO, at=LONG_AGO)), path="/b.xml")
        many = [item(f"a{n}", f"Harbour {n}", link=page) for n in ("fire", "flood", "strike")]
        assert len(await harness.publish(rss(*many), path="/a.xml")) == 3
        assert await harness.publish(rss(item("b", "Harbour opens", link=page)), path="/b.xml") == [
            "Harbour opens"
        ]
        home = [item(f"h{n}", f"Harbour {n}", link=ZOO) for n in ("parade", "concert")]
        assert len(await harness.publish(rss(*home), path="/b.xml")) == 2
