"""A feed that stopped to publish is named once, until it publishes again."""

import json
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from feed_harness import watching
from support import FeedServer, ManualClock, Recorder, execute, item, rss

from bot.cli.main import main
from bot.model.delivery import DeliveryKind

DAY = timedelta(days=1)


async def test_it_is_named_once_and_again_only_after_it_published(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    def notices() -> list[str]:
        texts = terminal.texts(DeliveryKind.NOTICE)
        return [text for text in texts if "has published nothing for" in text]

    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("a0", "An old matter")))
        began = clock.now()
        execute(
            harness.app,
            "update feeds set pauses = 3000, longest_pause = 21600, rhythm_at = ?",
            (began - 30 * DAY).isoformat(timespec="microseconds"),
        )
        for _ in range(4):
            clock.advance(timedelta(hours=6))
            await harness.poll()
        (text,) = notices()
        assert "for 18 hours; its longest pause so far was about 6 hours" in text
        state = await harness.state()
        assert state.stopped
        status = CliRunner().invoke(main, ["status", "--json", "-c", str(tmp_path / "feeds.yaml")])
        (feed,) = json.loads(status.stdout)["feeds"]
        assert (feed["silent"], feed["last_news"]) == (True, began.isoformat())

        late = item("a1", "Harbour closed", at=clock.now() - timedelta(minutes=4))
        await harness.publish(rss(late))
        state = await harness.state()
        assert (state.stopped, state.news_at) == (False, clock.now())
        assert state.delay == 840
        assert len(notices()) == 1
