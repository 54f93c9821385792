"""After a start, polls without news do not wait until the window of stories is read."""

import asyncio
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support import FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss

from bot.errors import StoreError
from bot.feeds.poller import PollReport
from bot.model.stories import Report, StoredFeatures, StoryIds
from bot.service.app import App
from bot.stories import developments

Page = list[tuple[Report | StoredFeatures, StoryIds]]
HARBOUR = "Harbour of Dunmore opens after the storm"


class Gate:
    """Holds reads of the window up until it is opened; knows the new entries of each commit."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.changed = asyncio.Event(), asyncio.Event()
        self.committed: list[int] = []
        self.error: StoreError | None = None
        read, committed = app.store.polls.window, app.poller._committed

        async def window(since: datetime, until: datetime, after: int, limit: int) -> Page:
            await self.opened.wait()
            if self.error:
                error, self.error = self.error, None
                raise error
            return await read(since, until, after, limit)

        def noted(reports: list[PollReport]) -> None:
            committed(reports)
            self.committed += [len(report.commit.new) for report in reports]
            self.changed.set()

        monkeypatch.setattr(app.store.polls, "window", window)
        monkeypatch.setattr(app.poller, "_committed", noted)

    async def until(self, count: int) -> None:
        """Wait until so many polls are committed."""
        while len(self.committed) < count:
            self.changed.clear()
            await self.changed.wait()


@pytest.mark.parametrize("fails", [False, True])
async def test_polls_without_news_are_committed_while_the_window_is_read(
    *,
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,
) -> None:
    paths = ["/same", "/news"]
    config = config_text([server.url(path) for path in paths])
    for path in paths:
        server.put(path, rss(item(f"old{path}", f"{HARBOUR}, {path[1:]} report")))
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        await poll(app)
    server.put("/news", rss(item("new", f"{HARBOUR}, captains report")))
    clock.advance(timedelta(hours=2))
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        gate = Gate(app, monkeypatch)
        gate.error = StoreError("the disk is away") if fails else None
        polling = asyncio.create_task(app.poller.run_once())
        await asyncio.wait_for(gate.until(1), 20)
        assert gate.committed == [0]
        gate.opened.set()
        await asyncio.wait_for(gate.until(2), 20)
        await polling
        assert gate.committed == [0, 1]
        assert app.poller._committer.is_restored
        stories = await app.store.polls.window(clock.now() - timedelta(days=1), clock.now(), 0, 10)
    assert len(stories) == 3
    assert stories[-1][1].storyline < stories[-1][0].id, "what was restored is compared with"


async def test_expressions_of_a_further_language_are_made_beside_the_loop(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[set[str], bool]] = []
    prepare = developments.prepare

    def noted(languages: Iterable[str]) -> None:
        made.append((set(languages), threading.current_thread() is threading.main_thread()))
        prepare(made[-1][0])

    monkeypatch.setattr(developments, "prepare", noted)
    german = "Der Hafen von Dunmore ist nach dem schweren Sturm wieder geöffnet worden"
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        for titles in ([HARBOUR], [HARBOUR, f"{HARBOUR} again"], [HARBOUR, german]):
            server.put("/a", rss(*(item(title, title) for title in titles)))
            clock.advance(timedelta(hours=1))
            await poll(app)
    assert [languages for languages, _ in made] == [set(), {"en"}, {"en", "de"}]
    assert not any(on_loop for _, on_loop in made)
