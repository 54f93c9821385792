"""Commands that print data print it for programs too, and an unknown feed is no empty answer."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support import FeedServer, ManualClock, config_text, item, newsbell, poll, rss

from bot.cli.main import main


def asked(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["-c", str(folder / "feeds.yaml"), *arguments], catch_exceptions=False
    )


def lines(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    result = asked(folder, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
async def folder(tmp_path: Path, server: FeedServer) -> Path:
    """A newsbell that saw two articles, one of which is new and alerted."""
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=1))
    old = item("1", "Old harbour in Kyiv", at=clock.now() - timedelta(days=2))
    feed = {"url": server.url("/a"), "name": "Wire", "tags": ["ports"], "every": "1m"}
    async with newsbell(tmp_path, config_text([feed]), clock=clock) as app:
        server.put("/a", rss(old))
        await poll(app)
        clock.advance(timedelta(minutes=10))
        server.put("/a", rss(item("2", "The harbour opens", at=clock.now()), old))
        await poll(app)
    return tmp_path


async def test_a_backtest_the_outbox_and_names_as_json(folder: Path) -> None:
    (forecast,) = lines(folder, "backtest", "harbour", "--json")
    (delivery,) = lines(folder, "outbox", "list", "--all", "--json")
    (names,) = lines(folder, "names", "Kiev", "--json")

    assert (forecast["articles"], forecast["alerts"]) == (1, 1)
    assert forecast["newest"][0]["title"] == "The harbour opens"
    assert {"alerts", "by_day", "expected", "overlap", "share", "since"} <= forecast.keys()
    assert (delivery["state"], delivery["chat"], delivery["title"]) == (
        "sent",
        "here",
        "The harbour opens",
    )
    assert lines(folder, "outbox", "--json") == []
    assert names["stored"] == {"Kyiv": 1}
    assert "Kiev" in names["spellings"]


@pytest.mark.parametrize("command", ["search", "backtest"])
async def test_an_unknown_feed_is_a_mistake(folder: Path, command: str) -> None:
    slip = asked(folder, command, "harbour", "--feeds", "port")
    known = asked(folder, command, "harbour", "--feeds", "ports", "--feeds", "Wire")

    assert (slip.exit_code, slip.stdout) == (2, "")
    assert slip.stderr == ("There is no tag, name or URL of a feed 'port'; did you mean ports?\n")
    assert known.exit_code == 0
