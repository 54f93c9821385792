"""The command line as its users meet it: arguments, an exit code, standard output and error.

`run` and `demo` are processes. Commands that only read or ask are run in this one: to start a
process takes a hundred times as long, and `__main__` is the same for all.
"""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sampling import share
from support import FeedServer, config_text, item, rss

from bot.cli.main import main
from bot.cli.schema import schema_text
from bot.service.control import socket_path

OLD = datetime.now(UTC) - timedelta(days=3)
TOKEN = "123456:" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r"


@dataclass(frozen=True, slots=True)
class Result:
    """A command that ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def without_own(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what newsbell reads of it."""
    own = ("TELEGRAM", "NEWSBELL", "FORCE_COLOR")
    return {name: value for name, value in environment.items() if not name.startswith(own)}


async def start(folder: Path, *arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=folder,
        env={**without_own(os.environ), "COLUMNS": "200", **environment},
        stdout=PIPE,
        stderr=PIPE,
    )


async def end(process: Process) -> Result:
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return Result(process.returncode or 0, out.decode(errors="replace"), err.decode())


async def newsbell(folder: Path, *arguments: str, **environment: str) -> Result:
    """Run a process until it ends."""
    return await end(await start(folder, *arguments, **environment))


async def command(folder: Path, *arguments: str, **environment: str) -> Result:
    """Run a command in this process, on a thread, since most have an event loop of their own."""

    def invoke() -> Result:
        unset = {name: None for name in os.environ if name not in without_own(os.environ)}
        with chdir(folder):
            result = CliRunner().invoke(
                main,
                arguments,
                env={**unset, "COLUMNS": "200", **environment},
                catch_exceptions=False,
                prog_name="newsbell",
            )
        return Result(result.exit_code, result.stdout, result.stderr)

    return await asyncio.to_thread(invoke)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Process]:
    """`newsbell run`, ready to be asked; ended by SIGTERM."""
    process = await start(folder, "run")
    try:
        await until(socket_path(folder / "newsbell.db").exists)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await end(process)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where newsbell is run: the package is found, the files are its own."""
    (tmp_path / "bot").symlink_to(Path(__file__).resolve().parents[2] / "bot")
    return tmp_path


def written(folder: Path, *feeds: str, query: str = "harbour", **settings: Any) -> None:
    (folder / "feeds.yaml").write_text(config_text(feeds, query, **settings), encoding="utf-8")


def outbox(folder: Path, *rows: tuple[int, str]) -> None:
    """Put deliveries into the database of a newsbell that does not run."""
    with sqlite3.connect(folder / "newsbell.db") as db:
        db.executemany(
            "insert into outbox (id, chat_id, kind, priority, state, text, created_at) "
            "values (?, 1, 'notice', 40, ?, 'A word', ?)",
            [(number, state, "2026-03-02T12:00:00.000000+00:00") for number, state in rows],
        )
    db.close()


def states(folder: Path) -> dict[int, str]:
    with sqlite3.connect(folder / "newsbell.db") as db:
        states_of = dict(db.execute("select id, state from outbox").fetchall())
    db.close()
    return states_of


async def test_once_prints_each_story_once_as_one_json_line_and_logs_to_standard_error(
    folder: Path, server: FeedServer
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    written(folder, server.url("/a"))
    first = await newsbell(folder, "run", "--once", "--json")
    assert (first.code, first.out) == (0, "")
    assert "Watching 1 feed, 1 subscription. Alerts appear here." in first.err

    server.put(
        "/a",
        rss(item("2", "The harbour opens", text="At last."), item("1", "Old harbour news", at=OLD)),
    )
    second = await newsbell(folder, "run", "--once", "--json")
    (line,) = second.lines()
    assert second.code == 0
    assert {
        name: line[name] for name in ("type", "chat", "title", "link", "subscriptions", "matches")
    } == {
        "type": "alert",
        "chat": "here",
        "title": "The harbour opens",
        "link": "https://news.example/2",
        "subscriptions": ["All"],
        "matches": [["title", 4, 11, "harbour"]],
    }
    third = await newsbell(folder, "run", "--once", "--json")
    assert (third.code, third.out) == (0, "")


@pytest.mark.parametrize("charset", share(["ascii", "koi8-r", "iso-8859-1"], 3))
async def test_an_output_without_unicode_gets_every_alert_in_the_signs_that_it_has(
    folder: Path, server: FeedServer, charset: str
) -> None:
    title = "Порт Выборг: harbour “closed” – 鼎"
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    written(folder, server.url("/a"), stories="strict")
    await newsbell(folder, "run", "--once")
    server.put("/a", rss(item("2", title), item("1", "Old harbour news", at=OLD)))
    printed = await newsbell(folder, "run", "--once", PYTHONIOENCODING=charset)
    assert printed.code == 0
    assert "Traceback" not in printed.err
    assert 'harbour "closed" - Ding' in printed.out.replace("--", "-")
    title = "Маяк “Сочи” sold, harbour office says"
    server.put("/a", rss(item("3", title)))
    (line,) = (await newsbell(folder, "run", "--once", "--json", PYTHONIOENCODING=charset)).lines()
    assert line["title"] == title, "escapes lose nothing"
    status = await newsbell(folder, "status", PYTHONIOENCODING=charset)
    assert (status.code, status.err) == (0, "")
    (found,) = (
        await newsbell(folder, "search", "office", "--json", PYTHONIOENCODING=charset)
    ).lines()
    assert found["title"] == title


async def test_once_fails_when_every_feed_failed_and_says_that_there_is_no_network(
    folder: Path,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        written(folder, f"http://127.0.0.1:{port}/a", f"http://127.0.0.1:{port}/b")
        result = await newsbell(folder, "run", "--once", "--json")
    assert result.code == 1
    assert "No feed can be reached: there seems to be no network" in result.err
    assert all(line["type"] == "notice" for line in result.lines())


async def test_a_faulty_file_ends_with_2_and_every_mistake_on_standard_error(folder: Path) -> None:
    (folder / "feeds.yaml").write_text("feeds: [5]\nsetings: {}\n", encoding="utf-8")
    for result in (
        await newsbell(folder, "run", "--once", "--json"),
        await command(folder, "check"),
    ):
        assert (result.code, result.out) == (2, "")
        assert "feeds.yaml:1:9 feeds[0]: " in result.err
        assert "feeds.yaml:2:1 setings: unknown key; did you mean settings?" in result.err
        assert "2 mistakes in feeds.yaml." in result.err
        assert "Traceback" not in result.err


async def test_with_a_faulty_file_a_single_run_and_the_readers_use_the_last_good_one(
    folder: Path, server: FeedServer
) -> None:
    """All but `check`, which judges the file."""
    server.put("/a", rss(item("1", "Old harbour")))
    written(folder, server.url("/a"))
    assert (await newsbell(folder, "run", "--once")).code == 0
    (folder / "feeds.yaml").write_text("feeds: [5]\n", encoding="utf-8")
    result = await newsbell(folder, "run", "--once", "--json")
    assert result.code == 0
    assert '"type": "notice"' in result.out
    assert "feeds.yaml:1:9 feeds[0]: " in result.out
    assert "feeds.yaml has 1 mistake and is not in force" in result.err
    result = await command(folder, "status", "--json")
    state = json.loads(result.out)["config"]
    assert state["mistakes"][0].startswith("feeds.yaml:1:9 feeds[0]: ")
    assert state["in_force_since"]
    for arguments in (["outbox"], ["search", "harbour"], ["export"]):
        result = await command(folder, *arguments)
        assert (result.code, "is not in force" in result.err) == (0, True)
    assert (await command(folder, "check")).code == 2


async def test_wrong_usage_ends_with_2(folder: Path) -> None:
    result = await command(folder, "run", "--twice")
    assert (result.code, result.out) == (2, "")
    assert "Usage: " in result.err


async def test_check_warns_of_what_may_be_a_mistake(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "chats: {here: {terminal: true}}\nfeeds: ['http://a.example/']\n"
        "subscriptions: [{name: a, query: 'radar and sonar', to: here}]\n",
        encoding="utf-8",
    )
    result = await command(folder, "check", "other.yaml")
    assert result.code == 0
    assert "other.yaml:3:34 subscriptions[0].query: “and” is a word here" in result.out
    assert "Words are inflected in" not in result.out


async def test_check_finds_feeds_that_every_poll_would_refuse(folder: Path) -> None:
    (folder / "feeds.yaml").write_text(
        "feeds:\n- https://bob:sesame@a.example/f\n- http://192.168.1.5/f\n- http://localhost/f\n"
        "- https://a.example:8443/f\n- {url: 'http://[::1]/f'}\n- https://fine.example/f\n",
        encoding="utf-8",
    )
    result = await command(folder, "check")
    record = json.loads((await command(folder, "check", "--json")).out)

    assert (result.code, result.out) == (2, "")
    places = [line.partition(" ")[0] for line in result.err.splitlines()[:5]]
    assert places == [
        f"feeds.yaml:{line}:{column}" for line, column in ((2, 3), (3, 3), (4, 3), (5, 3), (6, 9))
    ]
    assert "5 mistakes in feeds.yaml." in result.err
    assert [item["line"] for item in record["mistakes"]] == [2, 3, 4, 5, 6]
    assert record["valid"] is False
    (folder / "feeds.yaml").write_text(
        "settings: {network: {allow: [127.0.0.0/8], ports: [8443]}}\n"
        "feeds: ['http://localhost/f', 'https://a.example:8443/f']\n",
        encoding="utf-8",
    )
    record = json.loads((await command(folder, "check", "--json")).out)
    assert (record["valid"], record["feeds"]) == (True, 2)


async def test_check_warns_of_settings_that_are_hardly_meant(folder: Path) -> None:
    (folder / "feeds.yaml").write_text(
        f"settings:\n  database: below/x.db\n  contact: bob at example\n"
        f"  telegram: {{token: '{TOKEN}'}}\n",
        encoding="utf-8",
    )
    result = await command(folder, "check")

    assert result.code == 0
    assert "There is no folder below for the database" in result.out
    assert "feeds.yaml:3:12 settings.contact: site owners cannot reach this" in result.out
    assert "feeds.yaml:4:21 settings.telegram.token: the token itself" in result.out
    assert TOKEN not in result.out


async def test_check_lists_the_languages_of_inflection_where_a_query_is_of_another(
    folder: Path,
) -> None:
    (folder / "other.yaml").write_text(
        "chats: {here: {terminal: true}}\nfeeds: ['http://a.example/']\n"
        "subscriptions: [{name: a, query: 'raķete', to: here}]\n",
        encoding="utf-8",
    )
    result = await command(folder, "check", "other.yaml")
    assert (result.code, "(lv) are not inflected: raķete" in result.out) == (0, True)
    assert "Words are inflected in these languages: ar, ca, cs," in result.out


async def test_check_says_what_a_good_file_holds_and_what_it_still_needs(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        "chats: {desk: {telegram: 5}}\nfeeds: ['http://a.example/']\n", encoding="utf-8"
    )
    result = await command(folder, "check", "other.yaml")
    assert result.code == 0
    assert "other.yaml is valid: 1 feed, 1 chat, 0 subscriptions." in result.out
    assert "TELEGRAM_BOT_TOKEN" in result.out
    missing = await command(folder, "check")
    named = await command(folder, "status", NEWSBELL_CONFIG="other.yaml")
    assert missing.code == 2
    assert "There is no feeds.yaml" in missing.err
    assert named.code == 1
    assert "There is no database at newsbell.db yet: run `newsbell run` first." in named.err


async def test_status_tells_people_and_programs_how_each_feed_is(
    folder: Path, server: FeedServer
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD), item("2", "Other", at=OLD)))
    written(folder, server.url("/a"), server.url("/missing"))
    once = await newsbell(folder, "run", "--once")
    assert once.code == 0
    assert "Read 1 feed; 1 could not be read (`newsbell status` says why)." in once.err
    people = await command(folder, "status")
    programs = await command(folder, "status", "--json")
    assert (people.code, programs.code, people.err, programs.err) == (0, 0, "", "")
    assert "nothing at this address (404)" in people.out
    assert "✓ 2 articles, checked " in people.out
    assert "2 feeds, 1 subscription. Deliveries: " in people.out
    report = json.loads(programs.out)
    good, bad = sorted(report["feeds"], key=lambda feed: feed["url"])
    assert (good["entries"], good["failures"], good["failure"]) == (2, 0, None)
    assert (bad["entries"], bad["failures"], bad["failure"]) == (0, 1, "not_found")
    assert good["next_poll"] > good["last_poll"]
    assert [chat["name"] for chat in report["chats"]] == ["here"]
    assert report["subscriptions"] == 1


async def test_the_outbox_is_listed_retried_and_dropped_by_hand(
    folder: Path, server: FeedServer
) -> None:
    written(folder)
    await newsbell(folder, "run", "--once")
    outbox(folder, (1, "dead"), (2, "dead"), (3, "unknown"), (4, "sent"), (5, "dead"))
    listed = await command(folder, "outbox")
    everything = await command(folder, "outbox", "list", "--all")
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [
        ["1", "dead"],
        ["2", "dead"],
        ["3", "unknown"],
        ["5", "dead"],
    ]
    assert ["4", "sent"] in [line.split()[:2] for line in everything.out.splitlines()]

    retried = await command(folder, "outbox", "retry", "1", "3", "4")
    assert retried.out == "2 deliveries are queued again.\n"
    dropped = await command(folder, "outbox", "drop")
    assert dropped.out == "2 deliveries are dropped.\n"
    assert states(folder) == {1: "queued", 2: "dropped", 3: "queued", 4: "sent", 5: "dropped"}
    outbox(folder, *((number, "dead") for number in range(100, 301)))
    assert (await command(folder, "outbox")).out.splitlines()[-1] == "… and 3 more."
    assert (await command(folder, "outbox", "drop")).out == "201 deliveries are dropped.\n"
    unknown = await command(folder, "outbox", "retry", "99")
    none_dead = await command(folder, "outbox", "drop")
    assert unknown.out == ("No undelivered message has number 99. `newsbell outbox` lists them.\n")
    assert none_dead.out == "No delivery is dead.\n"


async def test_a_newsbell_that_runs_is_asked_refuses_a_second_one_and_ends_on_sigterm(
    folder: Path, server: FeedServer
) -> None:
    server.put("/a", rss(item("1", "Old harbour news", at=OLD)))
    written(folder, server.url("/a"))
    await newsbell(folder, "run", "--once")
    outbox(folder, (1, "dead"), (2, "dead"))
    async with running(folder) as process:
        assert socket_path(folder / "newsbell.db").stat().st_mode & 0o777 == 0o600
        second = await newsbell(folder, "run", "--once")
        status = await command(folder, "status", "--json")
        dropped = await command(folder, "outbox", "drop", "2")
        retried = await command(folder, "outbox", "retry", "1")
        assert second.code == 1
        assert (
            second.err
            == f"Another newsbell (process {process.pid}) is using newsbell.db; stop it first.\n"
        )
        assert [feed["entries"] for feed in json.loads(status.out)["feeds"]] == [1]
        assert dropped.out == "1 delivery is dropped.\n"
        assert retried.out == "1 delivery is queued again.\n"
        await until(lambda: states(folder)[1] == "sent")
        process.send_signal(signal.SIGTERM)
        result = await end(process)
    assert result.code == 0
    assert "A word" in result.out
    assert "Traceback" not in result.err
    assert not socket_path(folder / "newsbell.db").exists()
    assert not (folder / "newsbell.db-wal").exists()
    assert states(folder) == {1: "sent", 2: "dropped"}


async def test_no_secret_reaches_the_screen(folder: Path, server: FeedServer) -> None:
    server.put("/a", "no", status=401)
    feed = json.dumps(
        {
            "url": server.url("/a?key=hush-hush-hush"),
            "headers": {"Authorization": "Bearer sesame-sesame"},
        }
    )
    (folder / "feeds.yaml").write_text(
        f"settings: {{network: {{allow: [127.0.0.0/8]}}, telegram: {{api: '{server.base}'}}}}\n"
        f"chats: {{here: {{terminal: true}}}}\nfeeds: [{feed}]\n"
    )
    result = await newsbell(folder, "run", "--once", "--verbose", TELEGRAM_BOT_TOKEN=TOKEN)
    output = result.out + result.err
    assert TOKEN not in output
    assert "sesame" not in output
    assert server.seen[-1].headers["Authorization"] == "Bearer sesame-sesame"


async def test_the_demo_plays_and_ends_by_itself(folder: Path) -> None:
    result = await newsbell(folder, "demo", "--seconds", "6")
    assert result.code == 0
    assert "● " in result.out
    assert "76 hours: " in result.out
    assert "Traceback" not in result.err


async def test_the_schema_is_printed(folder: Path) -> None:
    assert (await command(folder, "schema")).out == schema_text()
