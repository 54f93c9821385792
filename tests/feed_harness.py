"""A newsbell that watches invented feeds, poll by poll. Not assertions."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll

from bot.model.alerts import AlertView
from bot.model.delivery import DeliveryKind
from bot.model.feeds import FeedState
from bot.service.app import App

LONG_AGO = NOON - timedelta(days=5)  #: a date that no first fetch shows any more
PAUSE = timedelta(minutes=10)


def archive(count: int, *, first: int = 0) -> list[str]:
    """Items about the harbour, a day apart, the newest five days old."""
    return [
        item(f"old-{n}", f"Harbour chronicle, part {_word(n)}", at=LONG_AGO - timedelta(days=n))
        for n in range(first, first + count)
    ]


def _word(number: int) -> str:
    """A number as letters, so that titles differ by a word."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


@dataclass(slots=True)
class FeedHarness:
    """A running newsbell with one subscription for `harbour`, its feed server and its clock."""

    app: App
    server: FeedServer
    clock: ManualClock
    terminal: Recorder
    path: str = "/feed.xml"

    async def publish(
        self,
        body: str | bytes,
        *,
        path: str = "",
        after: timedelta = PAUSE,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Put the body there, let time pass, poll; the headlines of the alerts that this led to."""
        self.server.put(path or self.path, body, status=status, headers=headers)
        return await self.poll(after=after)

    async def poll(self, *, after: timedelta = PAUSE) -> list[str]:
        """Let time pass and poll; the headlines of the alerts that this led to."""
        before = len(self.alert_titles)
        self.clock.advance(after)
        await poll(self.app)
        return self.alert_titles[before:]

    @property
    def alert_titles(self) -> list[str]:
        """Headlines of all alerts so far."""
        return self.terminal.titles()

    @property
    def edits(self) -> list[str]:
        """Headlines of all edits so far."""
        return self.terminal.titles(DeliveryKind.EDIT)

    @property
    def notices(self) -> list[str]:
        """All notices so far."""
        return self.terminal.texts(DeliveryKind.NOTICE)

    @property
    def alerts(self) -> list[AlertView]:
        """All alerts so far as the channel saw them."""
        return [
            alert
            for delivery, _ in self.terminal.sent
            if delivery.kind is DeliveryKind.ALERT
            for alert in delivery.alerts
        ]

    async def state(self, path: str = "") -> FeedState:
        """What newsbell remembers of the feed at this path."""
        status = await self.app.store.admin.status()
        return next(feed.state for feed in status.feeds if feed.url.endswith(path or self.path))

    async def entries(self, path: str = "") -> int:
        """How many entries of the feed at this path are kept."""
        status = await self.app.store.admin.status()
        return next(feed.entries for feed in status.feeds if feed.url.endswith(path or self.path))


@asynccontextmanager
async def watching(
    folder: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    *paths: str,
    query: str = "harbour",
    **settings: Any,
) -> AsyncIterator[FeedHarness]:
    """A newsbell that watches these paths of the server (by default one)."""
    chosen = paths or ("/feed.xml",)
    config = config_text([server.url(path) for path in chosen], query, **settings)
    async with newsbell(folder, config, clock=clock, terminal=terminal) as app:
        yield FeedHarness(app, server, clock, terminal, chosen[0])
