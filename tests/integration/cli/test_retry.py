"""`newsbell retry`: failing feeds are tried now, by the newsbell that runs or by the next one."""

import asyncio
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import FeedServer, ManualClock, config_text, item, newsbell, query, rss

from bot.cli.main import main
from bot.service.app import App
from bot.service.control import ask, control

HOUR = timedelta(hours=1)


async def command(folder: Path, *arguments: str) -> Result:
    def invoke() -> Result:
        with chdir(folder):
            return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return await asyncio.to_thread(invoke)


def config(server: FeedServer) -> str:
    return config_text(
        [{"url": server.url(f"/{name}"), "name": name, "every": "2h"} for name in ("A", "B", "C")]
    )


async def poll_once(app: App, clock: ManualClock) -> None:
    clock.advance(timedelta(seconds=1))
    await app.poller.run_once()


@pytest.fixture
def failing(server: FeedServer) -> FeedServer:
    """A and B fail, C works."""
    server.put("/A", "", status=404)
    server.put("/B", "", status=404)
    server.put("/C", rss(item("1", "Harbour")))
    return server


@pytest.mark.parametrize(
    ("arguments", "due"),
    [
        ((), {"/A", "/B"}),
        (("--all",), {"/A", "/B", "/C"}),
        (("A",), {"/A"}),
        (("C",), {"/C"}),
        (("127.0.0.1",), {"/A", "/B"}),
        (("127.0.0.1", "--all"), {"/A", "/B", "/C"}),
    ],
)
@pytest.mark.parametrize("runs", [True, False])
async def test_feeds_are_polled_now_by_the_newsbell_that_runs_or_the_next(
    tmp_path: Path,
    failing: FeedServer,
    arguments: tuple[str, ...],
    due: set[str],
    runs: bool,
) -> None:
    text, clock = config(failing), ManualClock(datetime.now(UTC))
    async with newsbell(tmp_path, text, clock=clock) as app:
        await poll_once(app, clock)
        before = len(failing.seen)
        if runs:
            async with control(app.config.beside, app.answer_request):
                result = await command(tmp_path, "retry", *arguments)
            await poll_once(app, clock)
    if not runs:
        result = await command(tmp_path, "retry", *arguments)
        async with newsbell(tmp_path, text, clock=clock) as app:
            await poll_once(app, clock)
    number = len(due)
    said = f"{number} feeds are due now." if number > 1 else "1 feed is due now."
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, said)
    assert {seen.path for seen in failing.seen[before:]} == due


async def test_a_host_that_asked_for_a_pause_is_asked_only_where_it_is_named(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    server.put("/A", "", status=429, headers={"Retry-After": "604800"})
    for name in ("B", "C"):
        server.put(f"/{name}", rss(item("1", "Harbour")))
    async with (
        newsbell(tmp_path, config(server), clock=clock) as app,
        control(app.config.beside, app.answer_request),
    ):
        await poll_once(app, clock)
        await command(tmp_path, "retry")
        await poll_once(app, clock)
        assert [seen.path for seen in server.seen] == ["/A"]
        server.put("/A", rss(item("1", "Harbour")))
        result = await command(tmp_path, "retry", "127.0.0.1")
        assert result.stdout == "1 feed is due now.\n"
        await poll_once(app, clock)
    assert [seen.path for seen in server.seen][:2] == ["/A", "/A"]


async def test_a_name_that_is_none_ends_with_2_and_a_hint(
    tmp_path: Path, failing: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(failing), clock=clock) as app:
        await poll_once(app, clock)
    result = await command(tmp_path, "retry", "127.0.0.2")
    assert result.exit_code == 2
    assert "There is no feed or host '127.0.0.2'; did you mean 127.0.0.1" in result.stderr
    assert "No feed fails" not in result.stdout


async def test_where_nothing_fails_it_says_so(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    for name in ("A", "B", "C"):
        server.put(f"/{name}", rss(item("1", "Harbour")))
    async with newsbell(tmp_path, config(server), clock=clock) as app:
        await poll_once(app, clock)
    result = await command(tmp_path, "retry")
    assert result.stdout == "No feed fails. Add --all to poll those that do not.\n"


async def test_ids_of_feeds_are_never_taken_for_those_of_deliveries(
    tmp_path: Path, failing: FeedServer, clock: ManualClock
) -> None:
    """An older newsbell that runs dropped what it was asked about in words that it did not know."""
    async with newsbell(tmp_path, config(failing), clock=clock) as app:
        await poll_once(app, clock)
        async with control(app.config.beside, app.answer_request):
            asked = await asyncio.to_thread(ask, app.config.beside, "retry feeds", (1, 2))
        assert asked == 2
        assert query(app, "select count(*) from outbox where state = 'dropped'") == [(0,)]
