"""Whatever a feed answers, the others go on: hostile documents and headers through everything.

The real fetcher, poller, parser, store, stories, renderer, deliverer and Telegram channel, with
loopback servers at both ends. Few examples here, with another seed each day; many in
`make soak PART=fuzz`.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from botapi import BotApi
from hostile import WORD, Answer, answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling import amount
from support import (
    FeedServer,
    ManualClock,
    Recorder,
    execute,
    feed_server,
    invented_words,
    item,
    newsbell,
    poll,
    query,
    rss,
)
from telegram_harness import ANN, telegram_config

from bot.model.feeds import Failure
from bot.service.app import App

HOSTILE = 3  #: feeds with a hostile answer in each example


class Fuzzed:
    """A newsbell with hostile feeds beside a good one."""

    def __init__(self, app: App, clock: ManualClock, server: FeedServer, api: BotApi) -> None:
        self.app, self.clock, self.server, self.api = app, clock, server, api
        self.answers: list[bytes] = [b""] * HOSTILE
        self._round = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer with exactly the bytes that the example has for this path."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].strip(b"/")  # a redirect may lead to any
            number = int(path) if path.isdigit() else 0
            writer.write(self.answers[number % HOSTILE])
            await writer.drain()
        writer.close()

    async def survives(self, answers: list[Answer]) -> None:
        """Poll these answers beside a new article of the good feed, whose alert must arrive."""
        self.answers = [answer.whole for answer in answers]
        self._round += 1
        title = f"Harbour {invented_words(str(self._round))}"
        self.server.put("/good", rss(item(f"good-{self._round}", title, at=self.clock.now())))
        execute(self.app, "delete from hosts")
        execute(self.app, "update chats set not_before = null")
        self.clock.advance(timedelta(hours=1))
        await poll(self.app)
        for _ in range(20):
            if title in self.sent():
                break
            self.clock.advance(timedelta(seconds=61))
            await self.app.deliverer.run_once(timedelta(0))
        assert title in self.sent()
        await self._check_state()

    def sent(self) -> str:
        """All texts that the Bot API took."""
        calls = self.api.calls
        return "\n".join(str(call.params.get("text", "")) for call in calls[-200:])

    async def _check_state(self) -> None:
        for feed in (await self.app.store.admin.status()).feeds:
            assert feed.state.failure is not Failure.INTERNAL, feed.state.failure_text
        dead = query(self.app, "select error from outbox where state in ('dead', 'unknown')")
        assert dead == []
        for row in query(self.app, "select title, summary, guid, link, author from entries"):
            for text in row:
                text.encode()
                assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in text)


@asynccontextmanager
async def fuzzed(folder: Path) -> AsyncIterator[Fuzzed]:
    """A newsbell with a Telegram chat, a good feed and HOSTILE hostile ones."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(feed_server())
        api = await stack.enter_async_context(BotApi())
        api.add_private(ANN)
        harness: list[Fuzzed] = []
        raw = await asyncio.start_server(
            lambda *streams: harness[0].serve(*streams),  # noqa: PLW0108 (it is made below)
            "127.0.0.9",
            0,
        )
        await stack.enter_async_context(raw)
        port = raw.sockets[0].getsockname()[1]
        feeds = [server.url("/good"), *(f"http://127.0.0.9:{port}/{n}" for n in range(HOSTILE))]
        subscriptions = [{"name": "All", "query": WORD, "to": ["ann"]}]
        config = json.loads(telegram_config(api, {"ann": ANN}, feeds, subscriptions=subscriptions))
        config["feeds"] = [{"url": url, "name": f"Feed {n}"} for n, url in enumerate(feeds)]
        clock = ManualClock()
        app = await stack.enter_async_context(
            newsbell(
                folder,
                json.dumps(config),
                clock=clock,
                terminal=Recorder(),
                environment={"TELEGRAM_BOT_TOKEN": api.token},
            )
        )
        harness.append(Fuzzed(app, clock, server, api))
        server.put("/good", rss(item("good-0", "An old chronicle")))
        await poll(app)
        yield harness[0]


@pytest.fixture
def run() -> Iterator[tuple[asyncio.Runner, Fuzzed]]:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner, runner.run(stack.enter_async_context(fuzzed(Path(folder))))
        finally:
            runner.run(stack.aclose())


def test_whatever_a_feed_answers_the_others_alert(
    run: tuple[asyncio.Runner, Fuzzed], caplog: pytest.LogCaptureFixture
) -> None:
    runner, harness = run

    @settings(
        max_examples=amount(12, 3000),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(answers(), min_size=HOSTILE, max_size=HOSTILE))
    def check(drawn: list[Answer]) -> None:
        caplog.clear()
        runner.run(harness.survives(drawn))
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert errors == []

    check()
