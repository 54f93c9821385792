"""A feed's lease: of two polls of a feed, only the later claim is kept."""

import asyncio
from copy import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    config_text,
    item,
    newsbell,
    poll,
    rss,
    sqlite,
    stored,
)

from bot.feeds.poller import Poller
from bot.model.feeds import FeedDue, FeedState
from bot.model.poll import FeedCommit, HostShare
from bot.ports import Store
from bot.service.app import App
from bot.store.stores import SqliteStore

LEASE = timedelta(minutes=3)
OLD = item("1", "Old harbour news", at=NOON - timedelta(days=3))
TABLES = "feeds documents entries alerts outbox"


def as_port(store: SqliteStore) -> Store:
    """The type checker holds the store against its port here."""
    return store


async def contents(app: App) -> dict[str, list[tuple[Any, ...]]]:
    async def rows(table: str) -> list[tuple[Any, ...]]:
        statement = f"select * from {table} order by 1, 2"  # noqa: S608 (our own names)
        return await stored(app)._writer.run(
            "look", lambda db: [tuple(row) for row in db.execute(statement).fetchall()]
        )

    return {table: await rows(table) for table in TABLES.split()}


async def claim(app: App) -> FeedDue:
    (feed,) = await app.store.polls.claim_feeds(app.clock.now(), 10, LEASE)
    return feed


def brought(feed: FeedDue, etag: str) -> FeedCommit:
    state = FeedState(next_poll_at=NOON + timedelta(days=1), etag=etag)
    return FeedCommit(feed.id, state, lease=feed.lease)


async def test_a_commit_after_the_feed_was_claimed_again_changes_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    config = config_text(["http://127.0.0.1:9/a"])
    async with newsbell(tmp_path, config, clock=clock) as app:
        polls = as_port(sqlite(app)).polls
        slow = await claim(app)
        assert await polls.claim_feeds(clock.now(), 10, LEASE) == []
        clock.advance(LEASE)
        assert await polls.claim_feeds(clock.now(), 10, LEASE, {slow.id}) == []
        quick = await claim(app)
        assert quick.lease != slow.lease

        before = await contents(app)
        assert await polls.commit([brought(slow, "slow")], clock.now()) == {slow.id}
        assert await contents(app) == before
        assert await polls.commit([brought(quick, "quick")], clock.now()) == frozenset()
        after = await contents(app)
        assert after != before
        assert await polls.commit([brought(slow, "slow")], clock.now()) == {slow.id}
        assert await contents(app) == after


async def test_a_commit_after_the_lease_ran_out_is_kept_where_nobody_claimed_the_feed_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config_text(["http://127.0.0.1:9/a"]), clock=clock) as app:
        feed = await claim(app)
        clock.advance(2 * LEASE)
        assert await app.store.polls.commit([brought(feed, "late")], clock.now()) == frozenset()


async def test_a_commit_without_a_claim_is_refused_while_a_poll_has_the_feed(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config_text(["http://127.0.0.1:9/a"]), clock=clock) as app:
        feed = await claim(app)
        unclaimed = FeedCommit(feed.id, FeedState(next_poll_at=NOON))
        assert await app.store.polls.commit([unclaimed], clock.now()) == {feed.id}
        assert await app.store.polls.commit([brought(feed, "1")], clock.now()) == frozenset()
        assert await app.store.polls.commit([unclaimed], clock.now()) == frozenset()


async def test_a_claim_looks_beyond_the_feeds_of_a_host_that_has_its_share(
    tmp_path: Path, clock: ManualClock
) -> None:
    urls = [f"http://127.0.0.1:9/{number}" for number in range(600)]
    config = config_text([*urls, "http://127.0.0.2:9/other"])
    async with newsbell(tmp_path, config, clock=clock) as app:
        claimed = await app.store.polls.claim_feeds(clock.now(), 10, LEASE, (), HostShare({}, 2))
    assert [feed.url for feed in claimed] == [*urls[:2], "http://127.0.0.2:9/other"]


def second_poller(app: App) -> Poller:
    """A poller on the same database that shares nothing else with the first one."""
    committer = copy(app.monitoring.watched.committer)
    committer._window = None
    reader, spacing = app.poller._reader, app.live.spacing
    return Poller(app.store.polls, app.clock, reader, committer, lambda _: None, spacing)


async def test_of_two_pollers_the_one_that_answers_after_its_lease_ran_out_changes_nothing(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.put("/a", rss(OLD))
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        asked, answer = asyncio.Event(), asyncio.Event()

        async def respond(_: web.Request) -> web.Response:
            if asked.is_set():
                return web.Response(text=rss(item("2", "The harbour opens"), OLD))
            asked.set()
            await answer.wait()
            return web.Response(text=rss(item("3", "The harbour is to open"), OLD))

        server.handle("/a", respond)
        await app.store.polls.make_due(clock.now())
        slow = asyncio.create_task(app.poller.run_once())
        await asked.wait()
        clock.advance(LEASE)
        await second_poller(app).run_once()
        before = await contents(app)
        answer.set()
        await slow
        assert await contents(app) == before
        assert "poll_superseded" in caplog.text
        await app.deliverer.run_once(timedelta(0))
    assert terminal.titles() == ["The harbour opens"]


async def test_a_poll_that_lost_its_feed_does_not_take_others_of_its_batch_with_it(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another poller claims one of two feeds, and keeps it, before this poller commits."""
    server.put("/a", rss(OLD))
    server.put("/b", rss(OLD))
    feeds = [server.url("/a"), server.url("/b")]
    async with newsbell(tmp_path, config_text(feeds), clock=clock, terminal=terminal) as app:
        await poll(app)
        clock.advance(timedelta(hours=1))
        server.put("/a", rss(item("2", "The harbour opens"), OLD))
        server.put("/b", rss(item("3", "The harbour burns"), OLD))
        await app.store.polls.make_due(clock.now())
        slower = app.store.polls
        commit = slower.commit
        taken: list[FeedDue] = []

        async def late(
            commits: Any, now: Any, merges: Any = (), handed: Any = ()
        ) -> frozenset[int]:
            if not taken:
                clock.advance(2 * LEASE)
                taken.extend(await slower.claim_feeds(clock.now(), 1, LEASE))
                state = FeedState(next_poll_at=clock.now(), baseline_at=NOON, etag="quick")
                quick = FeedCommit(taken[0].id, state, lease=taken[0].lease)
                assert await commit([quick], clock.now()) == frozenset()
            return await commit(commits, now, merges, handed)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(slower, "commit", late)
            await app.poller.run_once()
        await app.deliverer.run_once(timedelta(0))
        taken_first = taken[0].url == server.url("/a")
        assert terminal.titles() == ["The harbour burns" if taken_first else "The harbour opens"]
        assert "poll_superseded" in caplog.text
        assert any(
            row[0] == taken[0].id and "quick" in row for row in (await contents(app))["feeds"]
        )

        await poll(app)
        assert sorted(terminal.titles()) == ["The harbour burns", "The harbour opens"]
