"""Entries that change at every poll: a counter is no change, other words are."""

from datetime import timedelta
from pathlib import Path

from feed_harness import watching
from support import FeedServer, ManualClock, Recorder, item, rss, stored


async def test_a_counter_in_a_summary_is_no_change_of_the_entry(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        for views in range(5):
            text = f"A ship. Seen {views * 371} times, {views} comments"
            await harness.publish(rss(item("new", "Harbour opens", text=text)))

        async def titles(table: str) -> int:
            statement = f"select 1 from {table}"  # noqa: S608 (our own names)
            return len(await stored(harness.app)._writer.fetch("look", statement))

        assert await titles("revisions") == 0
        assert await titles("unsearched") == 0
        assert harness.edits == []
        await harness.publish(rss(item("new", "Harbour opens", text="A boat. Seen 3 times")))
        assert await titles("revisions") == 1


async def test_a_number_in_a_headline_is_a_change(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        await harness.publish(rss(item("new", "Harbour blast kills 5")))
        await harness.publish(rss(item("new", "Harbour blast kills 12")))
        assert harness.edits == ["Harbour blast kills 12"]


async def test_how_long_ago_something_was_is_no_change(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        for ago, comments in [("just now", "no comments"), ("59 minutes ago", "1 comment")]:
            new = item("new", f"Harbour opens ({comments})", text=f"Posted {ago}, {comments}")
            await harness.publish(rss(new))
        assert len(harness.alert_titles) == 1
        assert harness.edits == []


async def test_an_item_without_id_and_link_that_counts_is_alerted_once(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        for comments in ("no comments", "1 comment", "12 comments"):
            text = f"A ship is in | {comments} | 3 hours ago"
            await harness.publish(rss(item(None, "Harbour opens", link="", text=text)))
        assert len(harness.alert_titles) == 1


async def test_a_headline_that_flips_is_edited_at_once_and_then_once_an_hour(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        titles = ["Harbour shut by storm", "Storm shuts the harbour of Tarvos"]
        await harness.publish(rss(item("new", titles[0])))
        for turn in range(1, 25):  # four hours
            await harness.publish(rss(item("new", titles[turn % 2])))
        assert harness.edits[0] == titles[1]
        assert 2 <= len(harness.edits) <= 5
        await harness.publish(rss(item("new", "Harbour of Tarvos opens again")))
        assert harness.edits[-1] == "Harbour of Tarvos opens again"


async def test_the_words_where_a_headline_stops_flipping_are_shown_in_the_end(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("old", "Mill news")))
        first, second = "Harbour shut by storm", "Storm shuts the harbour of Tarvos"
        for title in (first, second, first):
            await harness.publish(rss(item("new", title)))
        assert harness.edits == [second]
        await harness.poll(after=timedelta(minutes=61))
        assert harness.edits == [second, first]
