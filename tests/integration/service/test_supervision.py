"""What a part of newsbell raises stays with that part and is said; what cannot go on ends it."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from feed_harness import watching
from structlog.typing import EventDict
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, rss

import bot.service.app
import bot.service.supervisor
from bot.errors import InternalFailure, StoreError
from bot.i18n.phrase import Phrase
from bot.model.delivery import DeliveryKind
from bot.model.entries import ParsedDocument
from bot.model.feeds import Failure
from bot.service.clock import SystemClock
from bot.service.jobs import Jobs
from bot.service.supervisor import Part, Supervisor
from bot.service.watchdog import GIVES_UP, STANDS_STILL, Progress, Watchdog
from bot.service.workers import WorkerLimits, Workers


class Surprise(Exception):  # noqa: N818 (nobody's error)
    """What nobody thought of."""


def failing_on(monkeypatch: pytest.MonkeyPatch, target: str, mark: str) -> None:
    """Let a function of the poll pipeline raise where this mark is in an argument."""
    module, _, name = target.rpartition(".")
    owner: Any = __import__(module, fromlist=[name])
    whole = getattr(owner, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        if any(mark in repr(argument) for argument in args):
            raise Surprise
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, name, broken)


# Polling


@pytest.mark.parametrize(
    ("stage", "mark"),
    [
        ("bot.feeds.host_turns.host_and_port", "/bad.xml"),
        ("bot.feeds.batch.lookup_for", "by the bad feed"),
        ("bot.feeds.batch.decide_poll", "by the bad feed"),
        ("bot.feeds.batch.affected_stories", "by the bad feed"),
        ("bot.alerts.decide.article", "by the bad feed"),
        ("bot.store.poll_writes.put_state", "bad-etag"),
    ],
)
async def test_a_fault_in_any_stage_of_a_poll_costs_one_feed_alone(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    mark: str,
) -> None:
    async with watching(tmp_path, server, clock, terminal, "/good.xml", "/bad.xml") as harness:
        server.put("/bad.xml", rss(item("b0", "An old matter")))
        await harness.publish(rss(item("g0", "An old matter, told")))
        failing_on(monkeypatch, stage, mark)
        server.put(
            "/bad.xml",
            rss(item("b1", "Harbour closed by the bad feed", at=clock.now())),
            headers={"ETag": '"bad-etag"'},
        )
        news = rss(item("g1", "Harbour opened by the good feed", at=clock.now()))

        assert await harness.publish(news) == ["Harbour opened by the good feed"]
        state = await harness.state("/bad.xml")
        assert state.failure is Failure.INTERNAL
        assert [notice for notice in harness.notices if "/bad.xml" in notice]


async def test_a_feed_whose_fault_is_gone_alerts_at_its_next_poll(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("a0", "An old matter")))
        news = rss(item("a1", "Harbour closed", at=clock.now()))
        with monkeypatch.context() as patch:
            failing_on(patch, "bot.feeds.batch.decide_poll", "Harbour closed")
            assert await harness.publish(news) == []
        assert await harness.publish(news) == ["Harbour closed"]


async def test_a_feed_of_which_not_even_the_failure_can_be_kept_is_left_alone_for_a_while(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watching(tmp_path, server, clock, terminal, "/good.xml", "/bad.xml") as harness:
        server.put("/bad.xml", rss(item("b0", "An old matter")))
        await harness.publish(rss(item("g0", "An old matter, told")))
        failing_on(monkeypatch, "bot.feeds.poll_result.failed", "/bad.xml")
        failing_on(monkeypatch, "bot.feeds.batch.decide_poll", "/bad.xml")
        seen = len(server.seen)
        news = rss(item("g1", "Harbour opened", at=clock.now()))

        assert await harness.publish(news) == ["Harbour opened"]
        assert await harness.poll() == []
        paths = [request.path for request in server.seen[seen:]]
        assert paths.count("/bad.xml") == 1


# The supervisor


async def test_a_helper_that_fails_is_started_again_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.service.supervisor, "FIRST_PAUSE", 0.001)
    stopped, starts, reports = asyncio.Event(), 0, list[str]()

    async def helper() -> None:
        nonlocal starts
        starts += 1
        if starts == 3:
            stopped.set()
            await asyncio.sleep(60)
        raise Surprise

    async def report(text: Phrase) -> None:
        reports.append(str(text))
        raise StoreError("the database is away")

    await Supervisor(report).run([Part("a helper", helper)], stopped)

    assert starts == 3
    assert len(reports) == 2
    assert "a helper (Surprise)" in reports[0]


async def test_a_helper_that_ends_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.service.supervisor, "FIRST_PAUSE", 0.001)
    stopped, starts = asyncio.Event(), 0

    async def helper() -> None:
        nonlocal starts
        starts += 1
        if starts == 2:
            stopped.set()

    async def report(_: Phrase) -> None:
        raise AssertionError

    await Supervisor(report).run([Part("a helper", helper)], stopped)

    assert starts == 2


@pytest.mark.parametrize("ends", ["raises", "returns"])
async def test_a_pipeline_that_ends_ends_newsbell_with_a_sentence(ends: str) -> None:
    async def pipeline() -> None:
        if ends == "raises":
            raise Surprise

    async def other() -> None:
        await asyncio.sleep(60)

    async def report(_: Phrase) -> None:
        raise AssertionError

    parts = [Part("polling", pipeline, essential=True), Part("other", other)]
    with pytest.raises(InternalFailure, match=r"^Polling .* start newsbell again|^Polling ended"):
        await Supervisor(report).run(parts, asyncio.Event())


async def test_a_pipeline_finishes_what_is_under_way_after_a_stop() -> None:
    stopped, finished = asyncio.Event(), False

    async def pipeline() -> None:
        nonlocal finished
        asyncio.get_running_loop().call_later(0.01, stopped.set)
        await stopped.wait()
        await asyncio.sleep(0.01)
        finished = True

    async def report(_: Phrase) -> None:
        raise AssertionError

    parts = [Part("polling", pipeline, essential=True, finishes=True)]
    await Supervisor(report).run(parts, stopped)

    assert finished


@pytest.mark.parametrize("job", ["hurry", "rest_workers", "fill_search", "release_pending"])
async def test_a_job_that_fails_stops_neither_polls_nor_alerts(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    job: str,
) -> None:
    def broken(*_: Any) -> None:
        raise Surprise

    monkeypatch.setattr(Jobs, job, broken)
    server.put("/feed.xml", rss(item("a0", "An old matter")))
    config = config_text([{"url": server.url("/feed.xml"), "every": "1s"}])
    async with newsbell(tmp_path, config, clock=SystemClock(), terminal=terminal) as app:
        running = asyncio.create_task(app.run())
        async with asyncio.timeout(20):
            while not server.seen:
                await asyncio.sleep(0.01)
            now = datetime.now(UTC)
            server.put("/feed.xml", rss(item("a1", "Harbour closed", at=now)))
            while "Harbour closed" not in terminal.titles():
                await asyncio.sleep(0.01)
            while not any("Surprise" in text for text in terminal.texts(DeliveryKind.NOTICE)):
                await asyncio.sleep(0.01)
        app.stop()
        await running


async def test_a_stop_waits_shortly_for_a_feed_that_never_answers_and_takes_it_up_next_time(
    tmp_path: Path,
    server: FeedServer,
    terminal: Recorder,
    events: list[EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bot.service.app, "SOON", 0.05)
    monkeypatch.setattr(bot.service.app, "POLL_PATIENCE", 0.1)
    is_closed = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        await is_closed.wait()
        return web.Response(status=404)

    config = config_text(
        [{"url": server.url("/feed.xml"), "every": "1s"}], limits={"deadline": "2m"}
    )
    server.put("/feed.xml", rss(item("a0", "An old matter")))
    async with newsbell(tmp_path, config, clock=SystemClock(), terminal=terminal) as app:
        await app.poller.run_once()
        server.handle("/feed.xml", hang)
        running = asyncio.create_task(app.run())
        async with asyncio.timeout(20):
            while len(server.seen) < 2:
                await asyncio.sleep(0.01)
            app.stop()
            await running
    assert [entry["effect"] for entry in events if entry["event"] == "stopping"] == [
        "feeds under way are waited for, 0 seconds at most"
    ]
    is_closed.set()
    now = datetime.now(UTC)
    server.put("/feed.xml", rss(item("a1", "Harbour closed", at=now), item("a0", "An old matter")))
    async with newsbell(tmp_path, config, clock=SystemClock(), terminal=terminal) as app:
        running = asyncio.create_task(app.run())
        async with asyncio.timeout(20):
            while "Harbour closed" not in terminal.titles():
                await asyncio.sleep(0.01)
        app.stop()
        await running


# The watchdog


class Pipeline:
    """A pipeline that a test moves."""

    def __init__(self) -> None:
        self.steps, self.due, self.broken = 0, True, False

    async def is_due(self) -> bool:
        if self.broken:
            raise StoreError("the database is away")
        return self.due


def watched(pipeline: Pipeline, reports: list[str]) -> Watchdog:
    async def report(text: Phrase) -> None:
        reports.append(str(text))

    progress = Progress("polling", lambda: pipeline.steps, pipeline.is_due)
    return Watchdog((progress,), report)


async def test_a_pipeline_that_stands_still_is_said_once_and_then_ends_newsbell() -> None:
    pipeline, reports = Pipeline(), list[str]()
    watchdog = watched(pipeline, reports)
    for at in (0.0, STANDS_STILL - 1, STANDS_STILL, STANDS_STILL + 30):
        await watchdog.look(at)

    assert len(reports) == 1
    assert reports[0].startswith("Polling has stood still for 10 minutes")
    with pytest.raises(InternalFailure, match="stood still for 30 minutes"):
        await watchdog.look(GIVES_UP)


@pytest.mark.parametrize("reason", ["moves", "nothing is due", "the database is away"])
async def test_a_pipeline_that_moves_or_has_nothing_to_do_does_not_stand_still(
    reason: str,
) -> None:
    pipeline, reports = Pipeline(), list[str]()
    watchdog = watched(pipeline, reports)
    pipeline.due = reason != "nothing is due"
    pipeline.broken = reason == "the database is away"
    for minute in range(100):
        pipeline.steps += reason == "moves"
        await watchdog.look(60.0 * minute)

    assert reports == []


async def test_what_is_due_is_overdue_two_minutes_later(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("a0", "An old matter")))
        polls, deliveries = harness.app.store.polls, harness.app.store.deliveries
        state = await harness.state()

        assert not await polls.is_overdue(state.next_poll_at)
        assert await polls.is_overdue(state.next_poll_at.replace(year=2027))
        assert not await deliveries.is_overdue(NOON.replace(year=2027))


# The readers


async def read(workers: Workers) -> Any:
    body = rss(item("a1", "Harbour closed")).encode()
    return await workers.parse(
        body, "application/rss+xml", "http://127.0.0.1/feed", frozenset(), NOON, False
    )


def children() -> set[int]:
    """Processes that this one started: the readers, and what watches over them."""
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return {int(number) for number in path.read_text().split()}


def readers() -> set[int]:
    """The readers that this process started, whichever of its threads did."""
    folders = Path(f"/proc/{os.getpid()}/task").iterdir()
    numbers = {int(n) for folder in folders for n in (folder / "children").read_text().split()}
    return {n for n in numbers if b"spawn_main" in Path(f"/proc/{n}/cmdline").read_bytes()}


async def test_readers_that_are_killed_cost_nothing() -> None:
    workers = Workers(WorkerLimits(workers=2))
    before = children()
    try:
        assert isinstance(await read(workers), ParsedDocument)
        for _ in range(3):
            for number in children() - before:
                if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes():
                    os.kill(number, signal.SIGKILL)
            results = await asyncio.gather(*(read(workers) for _ in range(4)))

            assert [type(result) for result in results] == [ParsedDocument] * 4
    finally:
        workers.close()


async def test_a_pool_that_lost_a_reader_leaves_none_behind() -> None:
    others = readers()  # of a pool that tests share
    workers = Workers(WorkerLimits(workers=2))
    try:
        await read(workers)
        former = readers() - others
        os.kill(min(former), signal.SIGKILL)
        while min(former) in readers():
            await asyncio.sleep(0.01)
        async with asyncio.timeout(30):
            while readers() & former:
                assert isinstance(await read(workers), ParsedDocument)
                await asyncio.sleep(0.1)
    finally:
        workers.close()


async def test_a_document_that_ends_two_readers_is_its_feeds_failure() -> None:
    workers = Workers(WorkerLimits(workers=1))
    try:
        outcome = await workers._scheduled(_end)

        assert outcome.failure is Failure.HOSTILE  # type: ignore[union-attr]  # it is a failure
        assert isinstance(await read(workers), ParsedDocument)
    finally:
        workers.close()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
