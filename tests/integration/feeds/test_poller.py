"""A poll from the fetch to what is stored of it.

Validators with their entries or not at all, one request at a time to a host, waits that outlive a
restart.
"""

import asyncio
import gzip
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiohttp import web
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    break_at,
    config_text,
    execute,
    feed_server,
    item,
    mend,
    newsbell,
    poll,
    rss,
)

from bot.feeds import poller
from bot.feeds.host_turns import HostTurns
from bot.feeds.poll_result import PollResponse
from bot.fetch.body import decode
from bot.model.delivery import DeliveryKind
from bot.model.feeds import FeedState
from bot.model.poll import FeedCommit
from bot.service.app import App

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
OLD = item("1", "Old harbour news", at=NOON - 3 * DAY)


def asked(server: FeedServer) -> list[tuple[str | None, str | None]]:
    return [
        (seen.headers.get("If-None-Match"), seen.headers.get("If-Modified-Since"))
        for seen in server.seen
    ]


async def state_of(app: App, index: int = 0) -> FeedState:
    feeds = sorted((await app.store.admin.status()).feeds, key=lambda feed: feed.url)
    return feeds[index].state


async def sql(app: App, statement: str) -> None:
    execute(app, statement)


async def test_each_validator_follows_its_own_header(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    """The body stays the same; a validator that a server stops sending is not sent to it again."""
    current: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=rss(OLD).encode(), headers=current)

    server.handle("/a", answer)
    config = config_text([server.url("/a")])
    async with newsbell(tmp_path, config, clock=clock) as app:
        for headers in (
            {"ETag": '"1"', "Last-Modified": "one"},
            {"ETag": '"2"', "Last-Modified": "one"},
            {"ETag": '"2"', "Last-Modified": "two"},
            {"Last-Modified": "two"},
            {"ETag": 'W/"ü"'},
            {},
        ):
            current.clear()
            current.update(headers)
            await poll(app)
    async with newsbell(tmp_path, config, clock=clock) as app:
        await poll(app)
    assert asked(server) == [
        (None, None),
        ('"1"', "one"),
        ('"2"', "one"),
        ('"2"', "two"),
        (None, "two"),
        ('W/"ü"', None),
        (None, None),
    ]


async def test_a_304_changes_only_the_validators_it_brings(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(OLD), headers={"ETag": '"1"', "Last-Modified": "one"})
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        for headers in ({"ETag": '"2"'}, {"Last-Modified": "two"}, {}):
            server.put("/a", "", status=304, headers=headers)
            await poll(app)
        await poll(app)
    assert asked(server)[1:] == [('"1"', "one"), ('"2"', "one"), ('"2"', "two"), ('"2"', "two")]


async def test_validators_are_kept_through_a_failure(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(OLD), headers={"ETag": '"1"'})
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        server.put("/a", "", status=500, headers={"ETag": '"error"'})
        await poll(app)
        await poll(app)
    assert [etag for etag, _ in asked(server)] == [None, '"1"', '"1"']


@pytest.mark.parametrize("status", [400, 412])
async def test_a_server_that_refuses_conditions_is_asked_without_them(
    tmp_path: Path, server: FeedServer, clock: ManualClock, status: int
) -> None:
    server.put("/a", rss(OLD), headers={"ETag": '"1"'})
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        server.put("/a", "", status=status)
        await poll(app)
        server.put("/a", rss(OLD))
        await poll(app)
        assert (await state_of(app)).failures == 0
    assert [etag for etag, _ in asked(server)] == [None, '"1"', None]


async def test_no_validators_are_kept_of_a_truncated_document_and_the_rest_comes_with_the_next_poll(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    server.put("/a", rss(OLD))
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        whole = rss(item("3", "Harbour three"), item("2", "Harbour two"), OLD).encode()

        async def cut_short(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(
                headers={"ETag": '"whole"', "Content-Length": str(len(whole))}
            )
            await answer.prepare(request)
            await answer.write(whole[: whole.index(b"Harbour two")])
            assert request.transport
            request.transport.close()
            return answer

        server.handle("/a", cut_short)
        await poll(app)
        server.put("/a", whole, headers={"ETag": '"whole"'})
        await poll(app)
        await poll(app)
    assert [etag for etag, _ in asked(server)] == [None, None, None, '"whole"']
    assert sorted(terminal.titles()) == ["Harbour three", "Harbour two"]


async def test_nothing_is_kept_when_the_transaction_fails_and_the_feed_is_fetched_again_as_before(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=50))
    server.put("/a", rss(OLD), headers={"ETag": '"1"'})
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        await poll(app)
        before = await state_of(app)
        server.put("/a", rss(item("2", "The harbour opens"), OLD), headers={"ETag": '"2"'})
        await break_at(app, "insert on outbox")
        clock.advance(HOUR)
        await poll(app)
        after = await state_of(app)
        assert (after.etag, after.body_hash, after.last_poll_at) == (
            before.etag,
            before.body_hash,
            before.last_poll_at,
        )
        assert terminal.titles() == []

        await mend(app, "insert on outbox")
        clock.advance(poller.LEASE)
        await poll(app)
        await poll(app)
    assert [etag for etag, _ in asked(server)] == [None, '"1"', '"1"', '"2"']
    assert terminal.titles() == ["The harbour opens"]


async def test_a_compressed_feed_is_decompressed_again_only_when_it_changed_or_was_not_kept(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=50))
    read: list[int] = []

    def noted(raw: bytes, coding: str, limit: int) -> tuple[bytes, bool]:
        read.append(len(raw))
        return decode(raw, coding, limit)

    def publish(*items: str) -> None:
        body = gzip.compress(rss(*items).encode())
        server.put("/a", body, headers={"Content-Encoding": "gzip"})

    monkeypatch.setattr("bot.fetch.client.decode", noted)
    publish(OLD)
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        for _ in range(3):
            await poll(app)
        assert len(read) == 1

        publish(item("2", "The harbour opens"), OLD)
        await break_at(app, "insert on outbox")
        clock.advance(HOUR)
        await poll(app)
        await mend(app, "insert on outbox")
        clock.advance(poller.LEASE)
        await poll(app)
        await poll(app)
    assert len(read) == 3
    assert terminal.titles() == ["The harbour opens"]


async def test_one_fetch_in_eight_days_is_unconditional(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    """Some servers say 304 for ever."""
    server.put("/a", rss(OLD), headers={"ETag": '"1"'})
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        for _ in range(18):
            await poll(app)
            clock.advance(DAY)
    assert [number for number, (etag, _) in enumerate(asked(server)) if etag is None] == [0, 8, 16]


async def test_two_feeds_of_one_host_are_never_asked_at_once_and_other_hosts_do_not_wait(
    tmp_path: Path,
) -> None:
    async with feed_server("127.0.0.2") as first, feed_server("127.0.0.3") as second:
        running = {"one": 0, "other": 0}
        highest = {"one": 0, "other": 0}
        both = asyncio.Event()

        def slow(name: str) -> Any:
            async def answer(request: web.Request) -> web.Response:
                running[name] += 1
                highest[name] = max(highest[name], running[name])
                if all(running.values()):
                    both.set()
                async with asyncio.timeout(10):
                    await both.wait()
                await asyncio.sleep(0.01)
                running[name] -= 1
                return web.Response(body=rss(OLD).encode())

            return answer

        feeds = []
        for number in range(4):
            first.handle(f"/{number}", slow("one"))
            second.handle(f"/{number}", slow("other"))
            feeds += [first.url(f"/{number}"), second.url(f"/{number}")]
        async with newsbell(tmp_path, config_text(feeds)) as app:
            await poll(app)
        assert highest == {"one": 1, "other": 1}
        assert both.is_set()
        assert (len(first.seen), len(second.seen)) == (4, 4)


async def test_requests_to_one_host_are_spaced(tmp_path: Path, server: FeedServer) -> None:
    for number in range(4):
        server.put(f"/{number}", rss(OLD))
    async with newsbell(
        tmp_path, config_text([server.url(f"/{number}") for number in range(4)])
    ) as app:
        app.poller.turns.spacing = lambda host: timedelta(seconds=0.1)
        await poll(app)
    moments = [seen.at for seen in server.seen]
    assert all(later - earlier > 0.09 for earlier, later in pairwise(moments))


async def test_public_hosts_are_spaced_and_the_operators_own_are_not(tmp_path: Path) -> None:
    async with newsbell(
        tmp_path, config_text([], network={"allow": ["127.0.0.0/8", "fd00::/8"], "spacing": "3s"})
    ) as app:
        for host in (
            "feeds.example",
            "feeds.example:8080",
            "93.184.216.34",
            "10.0.0.1:80",
            "[2606:4700::1]:80",
            "localhost",
        ):
            assert app.live.spacing(host) == timedelta(seconds=3)
        for host in ("127.0.0.1", "127.0.0.1:8080", "[fd00::1]", "[fd00::1]:8080"):
            assert app.live.spacing(host) == timedelta(0)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_parks_the_host_with_all_its_feeds_through_a_restart(
    tmp_path: Path, server: FeedServer, clock: ManualClock, status: int, form: str
) -> None:
    async with feed_server("127.0.0.2") as second:
        headers = {
            "Date": "Mon, 02 Mar 2026 12:00:00 GMT",
            "Retry-After": "7200" if form == "seconds" else "Mon, 02 Mar 2026 14:00:00 GMT",
        }
        server.put("/a", "", status=status, headers=headers)
        server.put("/b", rss(OLD))
        second.put("/c", rss(OLD))
        config = config_text([server.url("/a"), server.url("/b"), second.url("/c")])
        async with newsbell(tmp_path, config, clock=clock) as app:
            await sql(app, "update feeds set next_poll_at = '2030' where url not like '%/a'")
            await app.poller.run_once()
            assert [seen.path for seen in server.seen] == ["/a"]
            await poll(app)
            assert ([seen.path for seen in server.seen], len(second.seen)) == (["/a"], 1)
            (host,) = (await app.store.admin.status()).hosts
            assert host.not_before == NOON + 2 * HOUR
        clock.advance(2 * HOUR - MINUTE)
        async with newsbell(tmp_path, config, clock=clock) as app:
            await poll(app)
            assert [seen.path for seen in server.seen] == ["/a"]
            clock.advance(2 * MINUTE)
            await poll(app)
            assert [seen.path for seen in server.seen] == ["/a", "/a"]
            clock.advance(2 * HOUR + MINUTE)  # refused twice, it lets the other go first
            await poll(app)
            assert [seen.path for seen in server.seen] == ["/a", "/a", "/b", "/a"][
                : len(server.seen)
            ]
            assert server.seen[2].path == "/b"


async def test_a_challenge_page_served_as_a_feed_is_reported_as_one(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put(
        "/a",
        "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>",
        headers={"Content-Type": "text/html"},
    )
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        assert (await state_of(app)).failure == "blocked"


async def moved_after(app: App, clock: ManualClock, spans: list[timedelta]) -> str | None:
    for span in spans:
        await poll(app)
        clock.advance(span)
    await poll(app)
    return (await state_of(app)).adopted_url


def redirect(server: FeedServer, path: str, target: str, status: int = 301) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": target})

    server.handle(path, answer)


@pytest.mark.parametrize(
    ("spans", "adopted"),
    [
        ([HOUR] * 10, False),
        ([25 * HOUR], False),
        ([12 * HOUR, 12 * HOUR], True),
        ([HOUR, 23 * HOUR], True),
        ([HOUR, 22 * HOUR], False),
    ],
)
async def test_a_permanent_redirect_is_adopted_after_three_polls_over_a_day(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    spans: list[timedelta],
    adopted: bool,
) -> None:
    redirect(server, "/a", "/b")
    server.put("/b", rss(OLD))
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        assert await moved_after(app, clock, spans) == (server.url("/b") if adopted else None)
        assert len(terminal.texts(DeliveryKind.NOTICE)) == adopted
        before = len(server.seen)
        await poll(app)
        assert [seen.path for seen in server.seen[before:]] == (["/b"] if adopted else ["/a", "/b"])


async def test_a_redirect_that_stops_begins_its_count_anew(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    redirect(server, "/a", "/b")
    server.put("/b", rss(OLD))
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await moved_after(app, clock, [12 * HOUR])
        server.put("/a", rss(OLD))
        await poll(app)
        redirect(server, "/a", "/b")
        assert await moved_after(app, clock, [6 * HOUR, 6 * HOUR, 6 * HOUR]) is None


async def test_an_adopted_address_that_fails_three_times_is_given_back(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    redirect(server, "/a", "/b")
    server.put("/b", rss(OLD), headers={"ETag": '"b"'})
    async with newsbell(
        tmp_path, config_text([server.url("/a")]), clock=clock, terminal=terminal
    ) as app:
        assert await moved_after(app, clock, [12 * HOUR, 12 * HOUR])
        server.put("/b", "", status=404)
        server.put("/a", rss(item("2", "The harbour opens"), OLD))
        for expected in ("/b", "/b", "/b", "/a"):
            await poll(app)
            assert server.seen[-1].path == expected
            clock.advance(HOUR)
        assert server.seen[-1].headers.get("If-None-Match") is None
        state = await state_of(app)
        assert (state.adopted_url, state.failures) == (None, 0)
    assert terminal.titles() == ["The harbour opens"]


async def test_a_feed_with_credentials_never_moves_to_another_origin(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with feed_server("127.0.0.2") as second:
        redirect(server, "/a", second.url("/b"))
        second.put("/b", rss(OLD))
        feed = {"url": server.url("/a"), "headers": {"Authorization": "Bearer sesame"}}
        async with newsbell(tmp_path, config_text([feed]), clock=clock) as app:
            assert await moved_after(app, clock, [12 * HOUR] * 5) is None
        assert all(seen.headers.get("Authorization") == "Bearer sesame" for seen in server.seen)
        assert not any("Authorization" in seen.headers for seen in second.seen)


async def test_what_is_due_is_what_the_clock_says(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/a", rss(OLD))
    async with newsbell(
        tmp_path, config_text([{"url": server.url("/a"), "every": "10m"}]), clock=clock
    ) as app:
        moments: list[datetime] = []
        for _ in range(60):
            before = len(server.seen)
            await app.poller.run_once()
            moments += [clock.now()] * (len(server.seen) - before)
            clock.advance(MINUTE)
    spans = [later - earlier for earlier, later in pairwise(moments)]
    assert moments[0] == NOON
    assert all(10 * MINUTE <= span <= 12 * MINUTE for span in spans)
    assert len(spans) >= 4


async def test_no_further_feeds_are_claimed_while_too_many_polls_are_not_kept(
    tmp_path: Path, server: FeedServer, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "MOST_UNCOMMITTED", 0)
    for path in ("/a", "/b"):
        server.put(path, rss(OLD))
    config = config_text([server.url(path) for path in ("/a", "/b")])
    async with newsbell(tmp_path, config, clock=clock) as app:
        execute(app, "update feeds set next_poll_at = '2999' where url like '%/b'")
        free, commit = asyncio.Event(), app.poller._committer.commit

        async def held(responses: Sequence[PollResponse]) -> list[FeedCommit]:
            await free.wait()
            return await commit(responses)

        monkeypatch.setattr(app.poller._committer, "commit", held)
        polling = asyncio.create_task(app.poller.run())
        while not app.poller._uncommitted:
            await asyncio.sleep(0.01)
        await app.store.polls.make_due(clock.now())
        for _ in range(5):
            app.poller.tick()
            await asyncio.sleep(0.02)
        assert [seen.path for seen in server.seen] == ["/a"]

        free.set()
        while len(server.seen) < 2:
            await asyncio.sleep(0.01)
        app.poller.stop()
        await polling


def test_a_pause_that_is_over_at_once_does_not_end_polling(tmp_path: Path) -> None:
    """With uvloop, the handle of a call within half a millisecond has no time."""

    async def polled() -> int:
        async with feed_server() as server:
            for number in range(40):
                server.put(f"/{number}", rss(OLD))
            urls = [server.url(f"/{number}") for number in range(40)]
            async with newsbell(tmp_path, config_text(urls)) as app:
                app.poller.turns = HostTurns(lambda _: timedelta(microseconds=200))
                await poll(app)
                status = await app.store.admin.status()
        return sum(feed.state.baseline_at is not None for feed in status.feeds)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(polled()) == 40
