"""Several newsbells on one PostgreSQL: who leads, what the others may do, what is handed over."""

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from postgres_server import PostgresServer
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, poll, rss

from bot.config.load import Config, load
from bot.errors import StoreBusy, StoreError, StoreLost
from bot.feeds import handover
from bot.feeds.handover import ForeignPoll, HandoverCommitter, Intake, pack, unpack
from bot.feeds.poll_result import PollResponse
from bot.model.database_address import PostgresAddress
from bot.model.entries import Article, Match
from bot.model.feeds import Failure, FeedDue, FeedState, Fetched, FetchFailed, Freshness
from bot.model.nodes import GONE, HandedOver, Node
from bot.model.poll import FeedCommit
from bot.query.index import Index
from bot.service import following
from bot.service.app import App
from bot.service.build import Wiring, open_app
from bot.service.followed_subscriptions import FollowedSubscriptions
from bot.service.membership import Membership, Signs
from bot.service.standby import until_turn
from bot.service.subscriptions import LiveSubscriptions
from bot.store import polls
from bot.store.engines import postgres as engine
from bot.store.engines.engine import Database
from bot.store.mappers import put_time
from bot.store.polls import PollTables
from bot.store.stores import PostgresStore

_NAMES = count(1)
FEED = FeedDue(1, "https://wire.example/rss", "Wire", "Wire", (), None, FeedState(NOON))
LEASE = timedelta(minutes=3)
HARBOUR = "Harbour of Dunmore opens after the storm"


@pytest.fixture
def address(postgres: PostgresServer) -> PostgresAddress:
    return postgres.database(f"nodes{next(_NAMES)}")


@asynccontextmanager
async def opened(
    folder: Path,
    address: PostgresAddress,
    feeds: list[str],
    clock: ManualClock,
    terminal: Recorder | None = None,
) -> AsyncIterator[App]:
    """A newsbell that leads, as the node `a`."""
    path = folder / "feeds.yaml"
    path.write_text(config_text(feeds), encoding="utf-8")
    config = replace(load(path, {}), database=address)
    wiring = Wiring(clock=clock, terminal=terminal or Recorder(), node="a")
    async with open_app(config, wiring) as app:
        await app.store.nodes.beat(Node("a", "1", NOON), leads=True)
        yield app


def load_of(folder: Path) -> Config:
    folder.joinpath("a").mkdir(exist_ok=True)
    (folder / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    return load(folder / "feeds.yaml", {})


def intake(app: App) -> Intake:
    return Intake(app.store.nodes, app.monitoring.watched.committer, lambda _: None, "1")


def committer_of(
    store: PostgresStore, clock: ManualClock, index: Index | None = None
) -> HandoverCommitter:
    """What the node `b` does with its polls."""
    return HandoverCommitter(
        store.nodes, store.polls, clock, Random(1), index=index or Index({}), node="b", version="1"
    )


async def poll_elsewhere(
    app: App, address: PostgresAddress, clock: ManualClock, index: Index | None = None
) -> PollResponse:
    """Poll the only feed as another node does, and hand it over."""
    async with PostgresStore(address, "b", leads=False) as other:
        await other.polls.make_due(clock.now())
        [feed] = await other.polls.claim_feeds(clock.now(), 1, LEASE)
        response = await app.poller._reader.read(feed, lambda _: 0.0)
        assert await committer_of(other, clock, index).commit([response]) == []
    return response


async def poll_without_news(
    app: App, address: PostgresAddress, clock: ManualClock
) -> list[FeedCommit]:
    """Poll the only feed as another node does; return what that kept itself."""
    async with PostgresStore(address, "b", leads=False) as other:
        await other.polls.make_due(clock.now())
        [feed] = await other.polls.claim_feeds(clock.now(), 1, LEASE)
        response = await app.poller._reader.read(feed, lambda _: 0.0)
        return await committer_of(other, clock).commit([response])


async def test_one_leads_and_another_can_only_join(address: PostgresAddress) -> None:
    async with PostgresStore(address, "a"):
        with pytest.raises(StoreBusy):
            async with PostgresStore(address, "b"):
                pass
        async with PostgresStore(address, "b", leads=False) as other:
            assert await other.has_leader()
    async with PostgresStore(address, "b", leads=False) as other:
        assert not await other.has_leader()


async def test_who_was_ended_while_another_began_to_lead_writes_nothing_more(
    address: PostgresAddress,
) -> None:
    async with AsyncExitStack() as stack:
        former = await stack.enter_async_context(PostgresStore(address, "a"))
        other = await stack.enter_async_context(PostgresStore(address, "b", leads=False))
        assert await other.end_leader()
        await stack.enter_async_context(PostgresStore(address, "b"))

        with pytest.raises(StoreError, match="connection"):
            await former.nodes.nodes()
        for _ in range(3):
            with pytest.raises(StoreLost):
                await former.nodes.nodes()


async def test_who_was_ended_goes_on_where_nobody_led_meanwhile(address: PostgresAddress) -> None:
    async with (
        PostgresStore(address, "a") as store,
        PostgresStore(address, "b", leads=False) as other,
    ):
        assert await other.end_leader()
        with pytest.raises(StoreError, match="connection"):
            await store.nodes.beat(Node("a", "1", NOON), leads=True)

        await store.nodes.beat(Node("a", "1", NOON), leads=True)

        assert [state.node.name for state in await store.nodes.nodes()] == ["a"]


async def test_who_led_between_is_known_although_it_has_ended(address: PostgresAddress) -> None:
    async with (
        PostgresStore(address, "a") as former,
        PostgresStore(address, "b", leads=False) as other,
    ):
        assert await other.end_leader()
        async with PostgresStore(address, "b"):
            pass
        with pytest.raises(StoreError, match="connection"):
            await former.nodes.nodes()
        with pytest.raises(StoreLost):
            await former.nodes.nodes()


async def test_a_host_is_claimed_by_one_node_at_a_time(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    feeds = [f"https://wire.example/{number}" for number in range(4)]
    feeds += [f"https://post{number}.example/rss" for number in range(4)]
    async with (
        opened(tmp_path, address, feeds, clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        own = await app.store.polls.claim_feeds(clock.now(), 1, LEASE)
        theirs = await other.polls.claim_feeds(clock.now(), 100, LEASE)

        assert [feed.url for feed in own] == [feeds[0]]
        assert sorted(feed.url for feed in theirs) == sorted(feeds[4:])
        assert len(await app.store.polls.claim_feeds(clock.now(), 100, LEASE)) == 3


async def test_what_a_node_claimed_that_is_gone_is_free(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with (
        opened(tmp_path, address, ["https://wire.example/rss"], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        await other.nodes.beat(Node("b", "1", NOON), leads=False)
        assert len(await other.polls.claim_feeds(clock.now(), 9, LEASE)) == 1
        assert await app.store.nodes.release_of_gone() == 0
        with engine.connected(address) as connection:
            connection.execute("update nodes set beat = beat - %s", [GONE.total_seconds() + 1])

        assert await app.store.nodes.release_of_gone() == 1
        clock.advance(timedelta(seconds=10))
        assert len(await app.store.polls.claim_feeds(clock.now(), 9, LEASE)) == 1


async def test_what_another_node_polled_alerts_once(
    tmp_path: Path,
    address: PostgresAddress,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
) -> None:
    server.put("/rss", rss(item("1", "Old news", at=NOON)))
    async with opened(tmp_path, address, [server.url("/rss")], clock, terminal) as app:
        await poll_elsewhere(app, address, clock)
        await intake(app).take_in()
        clock.advance(timedelta(hours=1))
        server.put("/rss", rss(item("2", "The harbour opens", at=clock.now())))
        response = await poll_elsewhere(app, address, clock)

        assert await intake(app).take_in() == 1
        assert await intake(app).take_in() == 0
        await app.store.nodes.hand_over("b", [HandedOver(1, pack(response, "1"))])
        assert await intake(app).take_in() == 1  # its claim is over: it means nothing
        await app.deliverer.run_once(timedelta(0))

    assert terminal.titles() == ["The harbour opens"]


async def test_a_node_keeps_a_poll_without_news_itself(
    tmp_path: Path, address: PostgresAddress, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/rss", rss(item("1", "Old news", at=NOON)))
    async with opened(tmp_path, address, [server.url("/rss")], clock) as app:
        await poll_elsewhere(app, address, clock)
        await intake(app).take_in()
        clock.advance(timedelta(hours=1))

        [commit] = await poll_without_news(app, address, clock)

        assert await app.store.nodes.handed_over(0, 9) == []
        assert commit.state.next_poll_at > clock.now()
        assert await app.store.polls.claim_feeds(clock.now(), 9, LEASE) == []
        clock.advance(commit.state.next_poll_at - clock.now())
        [feed] = await app.store.polls.claim_feeds(clock.now(), 9, LEASE)
        assert feed.state == commit.state


async def test_a_node_keeps_nothing_of_a_feed_that_was_claimed_again(
    tmp_path: Path,
    address: PostgresAddress,
    server: FeedServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put("/rss", rss(item("1", "Old news", at=NOON)))
    async with (
        opened(tmp_path, address, [server.url("/rss")], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        await poll_elsewhere(app, address, clock)
        await intake(app).take_in()
        await other.polls.make_due(clock.now())
        [feed] = await other.polls.claim_feeds(clock.now(), 1, LEASE)
        response = await app.poller._reader.read(feed, lambda _: 0.0)
        with engine.connected(address) as connection:

            def claimed_after_the_look(*_: object) -> frozenset[int]:
                connection.execute("update feeds set lease = lease + 1")
                return frozenset()

            monkeypatch.setattr(polls, "_superseded", claimed_after_the_look)
            assert await committer_of(other, clock).commit([response]) == []
            [row] = connection.execute("select lease_until, next_poll_at from feeds").fetchall()

        assert row["lease_until"] is not None
        assert row["next_poll_at"] <= put_time(clock.now())


async def test_a_node_that_stops_in_a_transaction_keeps_nobody_out(
    tmp_path: Path,
    address: PostgresAddress,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "HANGING", timedelta(milliseconds=300))
    stopped, claimed = threading.Event(), threading.Event()

    def stop(db: Database) -> None:
        db.in_turn(polls._CLAIMING)
        stopped.set()
        claimed.wait(60)

    async with (
        opened(tmp_path, address, ["https://wire.example/rss"], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        hanging = asyncio.create_task(other._writer.run("hang", stop))
        await asyncio.to_thread(stopped.wait)

        assert len(await app.store.polls.claim_feeds(clock.now(), 9, LEASE)) == 1

        claimed.set()
        with pytest.raises(StoreError, match="connection"):
            await hanging


async def test_who_leads_hears_of_polls_and_listens_again_after_its_connection_ended(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    looks = asyncio.Queue[None]()

    class Noted(Intake):
        def wake(self) -> None:
            looks.put_nowait(None)

    async with (
        opened(tmp_path, address, ["https://wire.example/rss"], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        taking = Noted(app.store.nodes, app.monitoring.watched.committer, lambda _: None, "1")
        signs = Signs(app.store.nodes, Node("a", "1", NOON), clock)
        membership = Membership(app.store.nodes, app.store.requests, signs, taking)
        listening = asyncio.create_task(membership.listen())
        await looks.get()  # that it listens now

        await other.nodes.hand_over("b", [HandedOver(1, b"poll")])
        await asyncio.wait_for(looks.get(), 30)

        with engine.connected(address) as connection:
            ended = connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'a listens'"
            ).fetchall()
        assert len(ended) == 1
        await asyncio.wait_for(looks.get(), 30)  # it looks for what it did not hear
        await other.nodes.hand_over("b", [HandedOver(1, b"poll")])
        await asyncio.wait_for(looks.get(), 30)
        listening.cancel()


async def test_what_a_node_found_to_match_is_not_looked_for_again(
    tmp_path: Path,
    address: PostgresAddress,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put("/rss", rss(item("1", "Old news", at=NOON)))
    async with opened(tmp_path, address, [server.url("/rss")], clock, terminal) as app:
        await poll_elsewhere(app, address, clock)
        await intake(app).take_in()
        clock.advance(timedelta(hours=1))
        asked: list[str] = []
        match = Index.match

        def noted(index: Index, words: Article) -> list[Match]:
            asked.append(words.title)
            return match(index, words)

        monkeypatch.setattr(Index, "match", noted)
        for title, knows in (("The harbour opens", True), ("The harbour closes", False)):
            server.put("/rss", rss(item(title, title, at=clock.now())))
            index = app.subscriptions.index if knows else Index({})
            await poll_elsewhere(app, address, clock, index)
            assert asked.pop() == title
            await intake(app).take_in()
            assert asked == ([] if knows else [title])
        await app.deliverer.run_once(timedelta(0))

    assert terminal.titles() == ["The harbour opens", "The harbour closes"]


async def test_a_node_that_waits_has_the_subscriptions_of_the_one_that_leads(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with (
        opened(tmp_path, address, ["https://wire.example/rss"], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        index = Index({})
        live = app.live
        subscriptions = LiveSubscriptions(other, index, live, clock, leads=False)
        following = asyncio.create_task(FollowedSubscriptions(other.nodes, subscriptions).run())
        leading = app.subscriptions

        async def until_same() -> None:
            while index.digest != leading.index.digest:
                await asyncio.sleep(0.01)

        await asyncio.wait_for(until_same(), 30)
        assert len(index) == len(leading.index) > 0
        with engine.connected(address) as connection:
            connection.execute("update subscriptions set query = 'harbour AND Dunmore'")
        await leading.refresh()
        await asyncio.wait_for(until_same(), 30)

        assert [item.query for item in index.subscriptions()] == ["harbour AND Dunmore"]
        following.cancel()


async def test_who_polls_waits_where_the_one_that_leads_is_behind(
    tmp_path: Path,
    address: PostgresAddress,
    server: FeedServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handover, "MOST_WAITING", 0)
    monkeypatch.setattr(handover, "BEHIND", timedelta(milliseconds=10))
    server.put("/rss", rss(item("1", "Old news", at=NOON)))
    async with (
        opened(tmp_path, address, [server.url("/rss")], clock) as app,
        PostgresStore(address, "b", leads=False) as other,
    ):
        [feed] = await other.polls.claim_feeds(clock.now(), 1, LEASE)
        response = await app.poller._reader.read(feed, lambda _: 0.0)
        handing = asyncio.create_task(committer_of(other, clock).commit([response]))
        while not await app.store.nodes.backlog():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not handing.done()
        clock.advance(2 * LEASE)  # it is claimed as long as it waits
        assert await app.store.polls.claim_feeds(clock.now(), 9, LEASE) == []

        assert await intake(app).take_in() == 1

        assert await asyncio.wait_for(handing, 30) == []


async def test_of_two_transactions_that_wait_for_each_other_both_are_kept(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    feeds = ["https://wire.example/rss", "https://post.example/rss"]
    both = threading.Barrier(2)

    def crossed(first: int, second: int) -> Callable[[Database], None]:
        tries = count()

        def work(db: Database) -> None:
            statement = "update feeds set stored = stored + 1 where id = ?"
            db.execute(statement, [first])
            if not next(tries):
                both.wait(30)
            db.execute(statement, [second])

        return work

    async with (
        opened(tmp_path, address, feeds, clock),
        PostgresStore(address, "b", leads=False) as node,
        PostgresStore(address, "c", leads=False) as other,
    ):
        await asyncio.gather(
            node._writer.run("count", crossed(1, 2)),
            other._writer.run("count", crossed(2, 1)),
        )
        with engine.connected(address) as connection:
            rows = connection.execute("select stored from feeds").fetchall()
    assert [row["stored"] for row in rows] == [2, 2]


async def test_bytes_that_are_no_poll_of_this_version_are_dropped(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    async with opened(tmp_path, address, ["https://wire.example/rss"], clock) as app:
        [feed] = await app.store.polls.claim_feeds(clock.now(), 1, LEASE)
        poll = PollResponse(feed, FetchFailed(Failure.TIMEOUT, "late"))
        foreign = [b"", b"no pickle", pack(poll, "0"), pickle.dumps(("1", Path("x")))]
        await app.store.nodes.hand_over("b", [HandedOver(feed.id, item) for item in foreign])

        assert await intake(app).take_in() == len(foreign)
        assert await app.store.nodes.handed_over(0, 9) == []


def test_a_poll_comes_back_as_it_was_but_for_its_body() -> None:
    fetched = Fetched(b"<rss/>", FEED.url, "text/xml", None, None, Freshness())
    back = unpack(pack(PollResponse(FEED, fetched), "1"), "1")

    assert back.feed == FEED
    assert back.answer == Fetched(b"", FEED.url, "text/xml", None, None, Freshness())
    with pytest.raises(ForeignPoll):
        unpack(pack(PollResponse(FEED, fetched), "1"), "2")


def test_a_pickle_cannot_make_anything_but_a_poll() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, ("1",)

    with pytest.raises(ForeignPoll):
        unpack(pickle.dumps(("1", Evil())), "1")


async def test_a_node_that_waits_leads_when_the_leader_ends(
    tmp_path: Path, address: PostgresAddress, clock: ManualClock
) -> None:
    config = replace(load_of(tmp_path), database=address)
    waiting = asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(opened(tmp_path / "a", address, [], clock))
        wiring = Wiring(clock=clock, node="b")
        turn = asyncio.create_task(until_turn(config, wiring, address, waiting.set))
        await waiting.wait()
        await asyncio.sleep(0.5)
        assert not turn.done()
        await stack.aclose()
        await asyncio.wait_for(turn, 30)
    async with open_app(config, wiring):
        pass


async def test_who_takes_over_goes_on_with_the_stories_that_it_followed(
    tmp_path: Path,
    address: PostgresAddress,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "FOLLOW", timedelta(milliseconds=20))
    paths = ["/a", "/b", "/c"]
    urls = [server.url(path) for path in paths]
    for path in paths:
        server.put(path, rss(item("0", f"Old news of {path[1:]}", at=NOON)))
    config = replace(load_of(tmp_path), database=address)
    wiring = Wiring(clock=clock, terminal=terminal, node="b")
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(opened(tmp_path / "a", address, urls, clock))
        await poll(app)
        turn = asyncio.create_task(until_turn(config, wiring, address, lambda: None))
        for path in paths[:2]:
            clock.advance(timedelta(minutes=90))
            server.put(path, rss(item("1", f"{HARBOUR}, {path[1:]} says", at=clock.now())))
            await poll(app)
        await stack.aclose()
        took = await asyncio.wait_for(turn, 30)
        assert took is not None
        wiring.followed = took.followed
    assert wiring.followed is not None
    assert wiring.followed.window is not None
    index = wiring.followed.index
    assert len(index) == 1  # compiled while another one led
    read: list[int] = []
    window = PollTables.window

    async def noted(self: PollTables, *args: Any) -> Any:
        rows = await window(self, *args)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(PollTables, "window", noted)
    file = tmp_path / "feeds.yaml"
    file.write_text(config_text(urls), encoding="utf-8")
    async with open_app(replace(load(file, {}), database=address), wiring) as app:
        clock.advance(timedelta(minutes=90))
        server.put("/c", rss(item("1", f"{HARBOUR}, a third says", at=clock.now())))
        await poll(app)
        assert app.subscriptions.index is index
        stories = await app.store.polls.window(NOON, clock.now(), 0, 99)

    assert sum(read[:-1]) < 5  # all but what came last was read before
    assert len({ids.story for entry, ids in stories if entry.id > 3}) == 1
