"""Hosts that limit requests: whose turn it is, how often they are asked, and what that costs.

Days pass on a clock that is moved by hand; the server, the database and the poller are real.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sampling import SOAK, share
from support import NOON, FeedServer, ManualClock, config_text, execute, item, newsbell, query, rss

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NAMES = [f"r{number}" for number in range(10)]


@dataclass
class LimitedHost:
    """Feeds of a host that lets one request pass in a while, and refuses the others."""

    server: FeedServer
    clock: ManualClock
    names: list[str] = field(default_factory=lambda: list(NAMES))
    limit: timedelta = MINUTE
    status: int = 429
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: list[tuple[datetime, str, bool]] = field(default_factory=list)
    let_in_at: datetime | None = None

    def __post_init__(self) -> None:
        for name in self.names:
            self.server.handle(f"/{name}", self._handler(name))

    def _handler(self, name: str) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            now = self.clock.now()
            good = self.let_in_at is None or now - self.let_in_at >= self.limit
            self.answers.append((now, name, good))
            if not good:
                return web.Response(status=self.status, headers=dict(self.headers))
            self.let_in_at = now
            title = f"Harbour {name} {len(self.answers)}"
            return web.Response(text=rss(item(f"{name}-{len(self.answers)}", title, at=now)))

        return answer

    def config(self, every: str | None = "5m", **settings: Any) -> str:
        feeds = [
            {
                "url": self.server.url(f"/{name}"),
                "name": name,
                **({"every": every} if every else {}),
            }
            for name in self.names
        ]
        return config_text(feeds, **settings)

    def reads(self, name: str) -> list[datetime]:
        return [at for at, each, good in self.answers if each == name and good]

    @property
    def refused(self) -> int:
        return sum(not good for _, _, good in self.answers)

    @property
    def refused_in_a_row(self) -> bool:
        return any(
            not first and not second for (_, _, first), (_, _, second) in pairwise(self.answers)
        )

    def longest_gap(self, name: str) -> timedelta:
        moments = [NOON, *self.reads(name), self.clock.now()]
        return max(later - earlier for earlier, later in pairwise(moments))

    def figures(self) -> str:
        reads = [len(self.reads(name)) for name in self.names]
        gaps = [self.longest_gap(name) for name in self.names]
        return (
            f"good polls of a feed {min(reads)} to {max(reads)}, all {sum(reads)}; "
            f"refused {self.refused}; longest gap {max(gaps)}"
        )


REFUSALS = [
    pytest.param(429, {}, id="429"),
    pytest.param(429, {"Retry-After": "30"}, id="429 that asks for too little"),
    pytest.param(429, {"Retry-After": "60"}, id="429 that asks for enough"),
    pytest.param(403, {}, id="403"),
]


DAYS = [
    pytest.param(*refusal.values, tick, id=f"{refusal.id}, {tick}")
    for tick in (60, 20)
    for refusal in REFUSALS
]


@pytest.mark.parametrize(("status", "headers", "tick"), share(DAYS, 2))
async def test_a_day_of_ten_feeds_on_a_host_with_one_request_a_minute(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    status: int,
    headers: dict[str, str],
    tick: int,
) -> None:
    """Each feed is read at least every twelve minutes, and no two refusals follow each other."""
    host = LimitedHost(server, clock, status=status, headers=headers)
    hours = 24 if SOAK else 3
    async with newsbell(tmp_path, host.config(), clock=clock) as app:
        for _ in range(hours * 3600 // tick):
            clock.advance(timedelta(seconds=tick))
            await app.poller.run_once()
        feeds = (await app.store.admin.status()).feeds
    print(f"{status} {headers}, {hours} h by {tick} s: {host.figures()}")  # noqa: T201
    assert max(host.longest_gap(name) for name in NAMES) <= 12 * MINUTE
    assert not host.refused_in_a_row
    assert all(feed.state.interval <= 10 * MINUTE for feed in feeds)


@pytest.mark.parametrize(("status", "headers"), REFUSALS if SOAK else REFUSALS[:1])
async def test_single_runs_read_all_feeds_of_a_limited_host_in_turn(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    status: int,
    headers: dict[str, str],
) -> None:
    """`run --once` every minute, each time another newsbell; for half a day in the soak."""
    host = LimitedHost(server, clock, status=status, headers=headers)
    for _ in range(12 * 60 if SOAK else 40):
        clock.advance(MINUTE)
        async with newsbell(tmp_path, host.config(), clock=clock) as app:
            before = len(host.answers)
            await app.run_once()
        assert all(good for _, _, good in host.answers[before:-1])  # a refusal ends the run
    print(f"--once, {status} {headers}: {host.figures()}")  # noqa: T201
    reads = [len(host.reads(name)) for name in NAMES]
    assert max(reads) - min(reads) <= 2
    assert max(host.longest_gap(name) for name in NAMES) <= 12 * MINUTE


async def test_a_refusal_ends_the_round_of_its_host_and_its_feeds_are_free_at_once(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    host = LimitedHost(server, clock)
    async with newsbell(tmp_path, host.config(), clock=clock) as app:
        await app.poller.run_once()
        assert [good for _, _, good in host.answers] == [True, False]
        assert query(app, "select count(*) from feeds where lease_until is not null") == [(0,)]
        clock.advance(MINUTE)
        await app.poller.run_once()
    assert [name for _, name, good in host.answers if good] == ["r0", "r1"]


async def test_a_refusal_of_its_host_delays_no_feed_and_is_told(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    host = LimitedHost(server, clock, limit=timedelta(days=400))
    async with newsbell(tmp_path, host.config("1m"), clock=clock) as app:
        for _ in range(300):
            await app.poller.run_once()
            clock.advance(MINUTE)
        status = await app.store.admin.status()
        refused = [feed for feed in status.feeds if feed.state.failure == "slow_down"]
        assert refused
        assert {feed.state.failures for feed in refused} == {1}
        waiting = query(
            app, "select count(*) from feeds where next_poll_at < ?", clock.now().isoformat()
        )
        assert waiting == [(10,)]  # all of them wait for their host, and for nothing else
        host.limit = MINUTE
        clock.advance(HOUR)
        for _ in range(12):
            await app.poller.run_once()
            clock.advance(MINUTE)
    assert all(host.reads(name) for name in NAMES)


async def test_a_feed_that_is_forbidden_alone_does_not_hold_up_the_others_of_its_host(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    for name in NAMES:
        server.put(f"/{name}", rss(item("1", "Harbour", at=NOON)))
    server.put("/r3", "", status=403)
    feeds = [{"url": server.url(f"/{name}"), "every": "5m", "name": name} for name in NAMES]
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        for _ in range(60):
            await app.poller.run_once()
            clock.advance(MINUTE)
        feeds_now = {feed.name: feed.state for feed in (await app.store.admin.status()).feeds}
    assert feeds_now["r3"].failure == "blocked"
    asked = [seen.path for seen in server.seen]
    assert asked.count("/r3") <= 8
    assert min(asked.count(f"/{name}") for name in NAMES if name != "r3") >= 8


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "3600"}])
@pytest.mark.parametrize("status", [429, 503])
async def test_a_feed_that_is_refused_alone_does_not_hold_up_the_others_of_its_host_for_long(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    status: int,
    headers: dict[str, str],
) -> None:
    for name in NAMES:
        server.put(f"/{name}", rss(item("1", "Harbour", at=NOON)))
    server.put("/r0", "", status=status, headers=headers)
    feeds = [{"url": server.url(f"/{name}"), "every": "5m", "name": name} for name in NAMES]
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        for _ in range(6 * 60):
            await app.poller.run_once()
            clock.advance(MINUTE)
        before = len(server.seen)
        for _ in range(60):
            await app.poller.run_once()
            clock.advance(MINUTE)
    asked = [seen.path for seen in server.seen[before:]]
    assert min(asked.count(f"/{name}") for name in NAMES if name != "r0") >= 5
    assert asked.count("/r0") <= 5


async def test_a_host_that_forbids_everything_is_asked_ever_more_seldom(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    for name in NAMES:
        server.put(f"/{name}", rss(item("1", "Harbour", at=NOON)))
    feeds = [{"url": server.url(f"/{name}"), "every": "1m", "name": name} for name in NAMES]
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        for _ in range(5):
            await app.poller.run_once()
            clock.advance(MINUTE)
        for name in NAMES:
            server.put(f"/{name}", "", status=403)
        before = len(server.seen)
        for _ in range(12 * 60):
            await app.poller.run_once()
            clock.advance(MINUTE)
        refusals = len(server.seen) - before
        for name in NAMES:
            server.put(f"/{name}", rss(item("2", "Harbour opens", at=NOON)))
        before = len(server.seen)
        for _ in range(75):
            await app.poller.run_once()
            clock.advance(MINUTE)
    print(f"12 h of 403 to ten feeds: {refusals} requests")  # noqa: T201
    assert refusals <= 40
    assert {seen.path for seen in server.seen[before:]} == {f"/{name}" for name in NAMES}


@pytest.mark.parametrize("form", ["seconds", "moment", "date"])
async def test_a_pause_that_a_host_asks_for_in_any_form_ends_its_round(
    tmp_path: Path, server: FeedServer, clock: ManualClock, form: str
) -> None:
    until = NOON + 20 * MINUTE
    value = {
        "seconds": "1200",
        "moment": str(int(until.timestamp())),
        "date": f"{until:%a, %d %b %Y %H:%M:%S} GMT",
    }[form]
    headers = {"Retry-After": value, "Date": "Mon, 02 Mar 2026 12:00:00 GMT"}
    for name in NAMES:
        server.put(f"/{name}", "", status=503, headers=headers)
    feeds = [{"url": server.url(f"/{name}"), "every": "1m", "name": name} for name in NAMES]
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        for _ in range(20):
            await app.poller.run_once()
            clock.advance(MINUTE)
        assert len(server.seen) == 1
        await app.poller.run_once()
    assert len(server.seen) == 2


async def test_a_hiccup_is_forgotten_within_the_hour_where_many_feeds_need_the_host(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    names = [f"f{number}" for number in range(60)]
    host = LimitedHost(server, clock, names=names, limit=timedelta(0))
    async with newsbell(tmp_path, host.config(), clock=clock) as app:
        await app.poller.run_once()
        host.limit = timedelta(days=1)
        clock.advance(6 * MINUTE)
        await app.poller.run_once()
        assert host.refused == 1
        host.limit = timedelta(0)
        began = len(host.answers)
        for _ in range(60 * 12):
            clock.advance(timedelta(seconds=5))
            await app.poller.run_once()
        (told,) = (await app.store.admin.status()).hosts
    assert told.interval == timedelta(0)
    assert {name for _, name, _ in host.answers[began:]} == set(names)


async def test_a_learned_interval_outlives_a_restart(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    host = LimitedHost(server, clock)
    for _ in range(5):
        clock.advance(MINUTE)
        async with newsbell(tmp_path, host.config(), clock=clock) as app:
            await app.poller.run_once()
    assert host.refused == 1


async def test_hosts_of_feeds_yaml_are_asked_as_often_as_it_says(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    host = LimitedHost(server, clock)
    config = host.config().replace(
        '"feeds":', '"hosts": {"127.0.*": {"requests_a_minute": 1}}, "feeds":', 1
    )
    async with newsbell(tmp_path, config, clock=clock) as app:
        for _ in range(6 * 60):
            clock.advance(timedelta(seconds=20))
            await app.poller.run_once()
    print(f"requests_a_minute: 1, 2 h: {host.figures()}")  # noqa: T201
    assert host.refused == 0
    assert max(host.longest_gap(name) for name in NAMES) <= 12 * MINUTE


async def test_one_feed_that_works_again_wakes_the_others_of_its_host(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    paths = [f"/{name}" for name in NAMES]
    for path in (*paths, "/gone"):
        server.put(path, "", status=500)
    server.put("/gone", "", status=404)
    feeds = [{"url": server.url(path), "every": "2h"} for path in (*paths[1:], "/gone")]
    feeds.append({"url": server.url(paths[0]), "every": "1m"})
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        for _ in range(90):
            await app.poller.run_once()
            clock.advance(MINUTE)
        for path in paths:
            server.put(path, rss(item("1", "Harbour", at=NOON)))
        execute(app, "update feeds set next_poll_at = ? where url not like '%/r0'", LATER)
        execute(app, "update feeds set next_poll_at = ? where url like '%/r0'", EARLIER)
        before = len(server.seen)
        await app.poller.run_once()
        assert [seen.path for seen in server.seen[before:]] == ["/r0"]
        clock.advance(timedelta(seconds=2))
        await app.poller.run_once()
        failing = [
            feed.url for feed in (await app.store.admin.status()).feeds if feed.state.failures
        ]
    assert {seen.path for seen in server.seen[before:]} == set(paths)
    assert failing == [server.url("/gone")]


EARLIER, LATER = "2026-03-02T12:00:00.000000+00:00", "2026-03-03T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("every", "down", "within"),
    [("1m", 9 * HOUR, 5 * MINUTE), (None, 12 * HOUR, HOUR), ("30m", 9 * HOUR, HOUR)],
)
async def test_after_an_outage_of_hours_the_feeds_of_a_host_are_looked_at_soon(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    every: str | None,
    down: timedelta,
    within: timedelta,
) -> None:
    host = LimitedHost(server, clock, limit=timedelta(0))
    async with newsbell(tmp_path, host.config(every), clock=clock) as app:

        async def run_until(end: datetime) -> None:
            while clock.now() < end:
                clock.advance(MINUTE)
                await app.poller.run_once()

        await run_until(NOON + HOUR)
        host.limit, host.status = timedelta(days=400), 502
        back = NOON + HOUR + down
        await run_until(back)
        host.limit = timedelta(0)
        await run_until(back + within + 2 * MINUTE)
    delays = [min(at for at in host.reads(name) if at > back) - back for name in NAMES]
    print(f"every {every}, down {down}: read after {min(delays)} to {max(delays)}")  # noqa: T201
    assert max(delays) <= within
