"""`newsbell plan` says what a changed feeds.yaml would do, and changes nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from postgres_server import address_of
from support import FeedServer, ManualClock, changes, config_text, item, newsbell, poll, rss

from bot.cli.main import main
from bot.store.read_only import ReadOnlyDatabase


def plan(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, ["plan", "-c", str(folder / "feeds.yaml"), *arguments], catch_exceptions=False
    )


def changed(folder: Path, change: dict[str, Any]) -> str:
    """Another file, with some keys of the first rank replaced; its name."""
    data = json.loads((folder / "feeds.yaml").read_text("utf-8")) | change
    (folder / "new.yaml").write_text(json.dumps(data), encoding="utf-8")
    return str(folder / "new.yaml")


@pytest.fixture
async def folder(tmp_path: Path, server: FeedServer) -> Path:
    """A newsbell that saw an article on the harbour and one on a mill."""
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=1))
    old = item("1", "Old news", at=clock.now() - timedelta(days=2))
    feed = {"url": server.url("/a"), "name": "Wire", "every": "1m"}
    async with newsbell(tmp_path, config_text([feed]), clock=clock) as app:
        server.put("/a", rss(old))
        await poll(app)
        clock.advance(timedelta(minutes=10))
        new = [
            item(*text, at=clock.now())
            for text in (("2", "The harbour opens"), ("3", "A mill burns"))
        ]
        server.put("/a", rss(*new, old))
        await poll(app)
    return tmp_path


async def test_nothing_changes_by_the_file_that_is_in_force(folder: Path) -> None:
    result = plan(folder)

    assert (result.exit_code, result.stdout) == (0, "Nothing would change.\n")


async def test_what_changes_is_told_with_the_alerts_that_it_leads_to(folder: Path) -> None:
    change = {
        "settings": {
            "network": {"allow": ["127.0.0.0/8"]},
            "timezone": "Europe/Kyiv",
            "stories": "loose",
        },
        "feeds": [{"url": "https://b.example/", "name": "Second"}],
        "chats": {"here": {"terminal": True}, "desk": {"telegram": 5}},
        "subscriptions": [
            {"name": "All", "query": "harbour OR mill", "to": ["here"]},
            {"name": "More", "query": "lighthouse", "to": ["desk"]},
        ],
    }
    before = ReadOnlyDatabase(address_of(folder / "newsbell.db")).status()
    people = plan(folder, changed(folder, change))
    record = json.loads(plan(folder, changed(folder, change), "--json").stdout)

    assert people.exit_code == 0
    for line in (
        "~ settings.timezone changes; it takes effect now.",
        "~ settings.stories changes; it takes effect now.",
        "- feed Wire is polled no more; its articles stay stored.",
        "+ feed Second is polled; what it holds at its first poll does not alert.",
        "+ chat desk can get alerts.",
        "~ subscription All: query.",
        "+ subscription More alerts for what comes from then on.",
        "All would have sent 2 alerts instead of 1 in the last week.",
        "  + A mill burns",
        "More would have sent 0 alerts in the last week.",
    ):
        assert line in people.stdout.splitlines()
    assert "  + The harbour opens" not in people.stdout
    assert record["subscriptions"]["changed"] == {"All": ["query"]}
    assert record["backtests"]["All"]["after"]["alerts"] == 2
    assert ReadOnlyDatabase(address_of(folder / "newsbell.db")).status() == before


async def test_a_list_that_changes_changes_what_its_subscriptions_match(folder: Path) -> None:
    name = changed(
        folder,
        {
            "names": {"port": ["mill"]},
            "subscriptions": [{"name": "All", "query": "harbour OR @port", "to": ["here"]}],
        },
    )
    result = plan(folder, name)
    assert "instead of 1" in result.stdout, result.stderr


async def test_a_file_with_mistakes_or_one_that_lost_most_is_told(folder: Path) -> None:
    mistaken = plan(folder, changed(folder, {"feeds": [5]}))
    lost = plan(folder, changed(folder, {"feeds": [], "subscriptions": []}))

    assert (mistaken.exit_code, mistaken.stdout) == (2, "")
    assert "new.yaml:1:" in mistaken.stderr
    assert "- subscription All alerts no more, and what waits for it is not sent." in lost.stdout
    assert "waits half a minute before it takes it." in lost.stdout


def test_before_the_first_run_two_files_are_compared(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text(["https://a.example/"]), encoding="utf-8")
    alone = plan(tmp_path)
    other = plan(tmp_path, changed(tmp_path, {"feeds": []}))

    assert alone.exit_code == 2
    assert "nothing to compare it with" in alone.stderr
    assert "- feed a.example is polled no more" in other.stdout


async def test_a_shorter_retention_says_what_it_deletes(folder: Path) -> None:
    with changes(address_of(folder / "newsbell.db")) as connection:
        left = (datetime.now(UTC) - timedelta(days=20)).isoformat()
        connection.execute(
            "update entries set absent_since = ? where title = 'A mill burns'", [left]
        )

    longer = changed(folder, {"settings": {"retention": {"articles": "365d"}}})
    result = plan(folder, longer)
    assert "~ settings.retention.articles changes; it takes effect now." in result.stdout
    assert "for good" not in result.stdout

    shorter = changed(folder, {"settings": {"retention": {"articles": "7d"}}})
    assert (
        "  A day after newsbell took it in, it deletes for good 1 article that alerted nobody."
        in plan(folder, shorter).stdout
    )
    none = changed(folder, {"settings": {"retention": {"removed": "7d"}}})
    assert "  Nothing stored is older than that." in plan(folder, none).stdout
