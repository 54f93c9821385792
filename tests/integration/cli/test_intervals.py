"""What `check` and `status` say of the intervals of feeds."""

import json
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support import FeedServer, ManualClock, config_text, item, newsbell, poll, rss

from bot.cli.main import main

HEAD = "<ttl>60</ttl>"


def command(folder: Path, *arguments: str) -> Result:
    with chdir(folder):
        return CliRunner().invoke(main, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)


def feed(server: FeedServer, path: str, every: str | None = None) -> dict[str, str]:
    return {"url": server.url(path), "name": path[1:], **({"every": every} if every else {})}


@pytest.fixture
async def folder(tmp_path: Path, server: FeedServer, clock: ManualClock) -> Path:
    """A newsbell that has polled three feeds once: hints with `every`, without, and none."""
    server.put("/Harbour", rss(item("1", "Old"), head=HEAD))
    server.put("/Lantern", rss(item("1", "Old")), headers={"Cache-Control": "max-age=86400"})
    server.put("/Mill", rss(item("1", "Old"), head="<ttl>180</ttl>"))
    feeds = [feed(server, "/Harbour", "2m"), feed(server, "/Lantern", "2m"), feed(server, "/Mill")]
    async with newsbell(tmp_path, config_text(feeds), clock=clock) as app:
        await poll(app)
    return tmp_path


HARBOUR = "the feed asks for 1h (ttl or update period); every: 2m wins"
LANTERN = "the server asks for 1d (Cache-Control or Expires); every: 2m wins"


async def test_status_says_what_the_hint_of_a_publisher_would_have_done(folder: Path) -> None:
    shown = command(folder, "status").stdout
    assert HARBOUR in shown
    assert LANTERN in shown
    assert shown.count("wins") == 2
    feeds = json.loads(command(folder, "status", "--json").stdout)["feeds"]
    told = {feed["name"]: (feed["interval"], feed["reason"], feed["hint"]) for feed in feeds}
    assert told == {
        "Harbour": (120, "every", HARBOUR),
        "Lantern": (120, "every", LANTERN),
        "Mill": (10800, "the feed's ttl or update period", ""),
    }


async def test_check_says_what_every_overrules_also_where_it_is_new(
    folder: Path, server: FeedServer
) -> None:
    feeds = [feed(server, "/Harbour", "2h"), feed(server, "/Lantern"), feed(server, "/Mill", "5m")]
    (folder / "feeds.yaml").write_text(config_text(feeds))
    said = command(folder, "check").stdout
    assert "Mill: the feed asks for 3h (ttl or update period); every: 5m wins." in said
    assert said.count("wins") == 1


async def test_check_needs_no_database_and_reads_none_of_an_earlier_version(
    folder: Path, tmp_path: Path
) -> None:
    config = (folder / "feeds.yaml").read_text()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "feeds.yaml").write_text(config)
    result = command(tmp_path / "new", "check")
    assert (result.exit_code, "wins" in result.stdout) == (0, False)
    (tmp_path / "new" / "newsbell.db").write_bytes(b"")
    assert command(tmp_path / "new", "check").exit_code == 0
