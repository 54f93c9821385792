"""Entries that change at every poll: a counter is no change, other words are."""

from pathlib import Path

from feed_harness import watching
from support import FeedServer, ManualClock, Recorder, item, rss, sqlite


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
            return len(await sqlite(harness.app)._writer.fetch("look", statement))

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
