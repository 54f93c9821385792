"""A database that cannot keep the time is told of now and then, not each second."""

from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs
from support import FeedServer, ManualClock, Recorder, config_text, execute, newsbell

from bot.service.clock_watch import NOTED

_REFUSALS = "create trigger no_time_{0} before {0} on meta begin select raise(abort, 'full'); end;"


async def test_what_fails_each_minute_is_logged_each_minute(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    feeds = [{"url": server.url("/feed.xml"), "name": "Harbour"}]
    async with newsbell(tmp_path, config_text(feeds), clock=clock, terminal=terminal) as app:
        for change in ("insert", "update"):
            execute(app, _REFUSALS.format(change))
        with capture_logs() as logged:
            for _second in range(5 * int(NOTED)):
                clock.advance(timedelta(seconds=1))
                await app.jobs.compare_clocks()
    failures = [entry for entry in logged if entry["event"] == "clock_correction_failed"]
    assert 4 <= len(failures) <= 5
