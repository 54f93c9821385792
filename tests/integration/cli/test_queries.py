"""search, backtest, explain, names and tests of `check` over a database of a real newsbell."""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from query_strategies import NAMES, QUERIES, QUICK, articles, parse_or_assume
from sampling import examples
from support import (
    FeedServer,
    ManualClock,
    Recorder,
    item,
    known_subscription,
    newsbell,
    poll,
    rss,
    stored,
)

from bot.cli.main import main
from bot.errors import QueryError
from bot.model.archive import AlertFact, EntryFacts, FeedFact, StoredEntry
from bot.model.delivery import ChatClosed, DeliveryState, NotSent, Refused, Sent, Undecided
from bot.model.entries import Article
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.words import ArticleWords
from bot.search.account import ParsedSubscription, accounts_of
from bot.search.explain import (
    explain_article,
    explain_entry,
    explain_unknown,
)
from bot.service.app import App

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD = item("old", "Old harbour news", at=NOW - 3 * DAY)


@pytest.fixture
def clock() -> ManualClock:
    """Stands at the time at which the commands look back."""
    return ManualClock(datetime.now(UTC))


def config(
    server: FeedServer, *paths: str, subscriptions: Sequence[dict[str, Any]] = (), **parts: Any
) -> str:
    """A feeds.yaml with these feeds, named as their paths, and a terminal."""
    feeds = [
        {"url": server.url(path), "name": path.strip("/").title(), "tags": [path.strip("/")]}
        for path in paths
    ]
    default = [{"name": "All", "query": "harbour", "to": ["here"]}]
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, **parts.pop("settings", {})},
            "chats": {"here": {"terminal": True}},
            "feeds": feeds,
            "subscriptions": list(subscriptions or default),
            **parts,
        }
    )


def rule(name: str, query: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "query": query, "to": ["here"], **more}


def asked(folder: Path, command: str, *arguments: str) -> Result:
    """What the command line says."""
    return CliRunner().invoke(
        main, [command, "-c", str(folder / "feeds.yaml"), *arguments], catch_exceptions=False
    )


def told(folder: Path, command: str, *arguments: str) -> str:
    """What it says where all is well, in one line."""
    result = asked(folder, command, *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return " ".join(result.stdout.split())


async def shown(made: App, server: FeedServer, path: str, *items: str) -> None:
    """Let the feed show these, and let newsbell look ten minutes later."""
    server.put(path, rss(*items))
    made.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
    await poll(made)


def just(guid: str, title: str, **more: Any) -> str:
    """An item of the last hour."""
    return item(guid, title, **{"at": NOW - HOUR, **more})


# Search


async def test_search_shows_what_was_stored_newest_first_and_as_json(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a", "/b"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await shown(
            made,
            server,
            "/a",
            just("1", "The harbour opens", text="Cranes and a harbour light."),
            OLD,
        )
        await shown(made, server, "/b", just("2", "A mill burns", at=NOW - DAY))
        result = asked(tmp_path, "search", "harbour", "--json")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert (result.exit_code, [line["title"] for line in lines]) == (
            0,
            ["The harbour opens", "Old harbour news"],
        )
        assert set(lines[0]) == {
            "title", "link", "summary", "body", "feed", "publisher", "source", "language",
            "published",
            "first_seen", "story", "matches",
        }  # fmt: skip
        assert lines[0]["matches"] == [["title", 4, 11, "harbour"], ["summary", 13, 20, "harbour"]]
        assert (lines[0]["feed"], lines[0]["language"]) == ("A", "en")

        people = told(tmp_path, "search", "harbour")
        assert people.index("The harbour opens") < people.index("Old harbour news")
        assert "Cranes and a harbour light." in people
        assert "https://news.example/1" in people
        assert told(tmp_path, "search", "harbour", "--limit", "1").count("news.example") == 1
        assert told(tmp_path, "search", "*", "--feeds", "b").count("news.example") == 1
        assert (
            told(tmp_path, "search", "*", "--feeds", "a", "--feeds", "B").count("news.example") == 3
        )
        assert told(tmp_path, "search", "radar") == "No stored article matches."
        assert asked(tmp_path, "search", "radar", "--json").stdout == ""


@pytest.mark.own_engine("about a file that is not there yet")
@pytest.mark.parametrize(
    "command",
    [
        ("search", "harbour"),
        ("backtest", "harbour"),
        ("explain", "harbour"),
        ("explain", "--last", "3"),
    ],
)
def test_without_a_database_a_command_ends_with_1_and_says_what_to_do(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n")

    result = asked(tmp_path, *command)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no database at" in result.stderr
    assert "run `newsbell run` first" in result.stderr


@pytest.mark.parametrize("command", ["search", "backtest"])
def test_a_bad_query_ends_with_2_and_a_caret(tmp_path: Path, command: str) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n")

    result = asked(tmp_path, command, "harbour AND (port OR")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("\n\nharbour AND (port OR\n            ^\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain",),
        ("explain", "x", "--last", "2"),
        ("explain", "--last", "0"),
        ("search",),
        ("backtest", "x", "--days", "91"),
        ("names",),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n")

    assert asked(tmp_path, *arguments).exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        "http://[half",
        "http://a:port/x",
        "https://",
        "http://harbour.example:99999/",
        "://",
        "x://y",
    ],
)
async def test_an_odd_address_is_explained_without_a_fault(
    tmp_path: Path, server: FeedServer, clock: ManualClock, text: str
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock):
        assert "No stored article was found" in told(tmp_path, "explain", text)


@pytest.mark.parametrize("text", ["caf\udce9 harbour", "http://harbour.example/caf\udce9"])
async def test_an_argument_in_another_encoding_ends_no_command_with_a_traceback(
    tmp_path: Path, server: FeedServer, clock: ManualClock, text: str
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        for command in ("explain", "search", "backtest", "names"):
            assert asked(tmp_path, command, text).exit_code in {0, 1, 2}


# Backtest


@pytest.fixture
async def watched(tmp_path: Path, server: FeedServer) -> AsyncIterator[App]:
    """A newsbell that has watched two feeds for eight hours."""
    rules = [rule("Cranes", "crane"), rule("Ports", "harbour", feeds=["b"])]
    clock = ManualClock(NOW - 8 * HOUR)
    async with newsbell(
        tmp_path, config(server, "/a", "/b", subscriptions=rules), clock=clock
    ) as made:
        await shown(made, server, "/a", just("0", "Mill"))
        await shown(made, server, "/b", just("0", "Mill"))
        clock.advance(6 * HOUR)
        yield made


async def test_backtest_shows_the_alerts_that_a_query_would_have_sent(
    tmp_path: Path, server: FeedServer, watched: App
) -> None:
    await shown(
        watched,
        server,
        "/a",
        just("1", "Harbour crane"),
        just("2", "Harbour radar"),
        just("3", "Mill"),
    )
    await shown(watched, server, "/b", just("1", "Harbour crane"), just("4", "A harbour light"))

    reply = told(tmp_path, "backtest", "harbour")
    assert reply.startswith("3 alerts since ")
    assert "Alerts to expect: " in reply
    assert "1 story is already in “Cranes”." in reply
    assert "2 stories are already in “Ports”." in reply
    assert reply.count("news.example") == 3
    assert told(tmp_path, "backtest", "harbour", "--feeds", "b").startswith("2 alerts since ")
    assert told(tmp_path, "backtest", "zeppelin").startswith("0 alerts since ")


async def test_backtest_takes_options_and_a_chat(
    tmp_path: Path, server: FeedServer, watched: App
) -> None:
    await shown(watched, server, "/a", just("1", "Harbour crane"), just("2", "Harbour radar"))
    await shown(watched, server, "/b", just("1", "Harbour crane"))

    assert told(tmp_path, "backtest", "harbour", "--chat", "here").startswith("2 alerts since ")
    assert told(tmp_path, "backtest", "publishers:2 harbour").startswith("0 alerts since ")
    assert asked(tmp_path, "backtest", "publishers:x harbour").exit_code == 2
    unknown = asked(tmp_path, "backtest", "harbour", "--chat", "there")
    assert (unknown.exit_code, unknown.stderr.strip()) == (
        2,
        "There is no chat 'there'. Chats: here.",
    )


async def test_backtest_of_a_broad_query_says_that_it_estimates(
    tmp_path: Path, server: FeedServer, watched: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 10)
    titles = (f"Harbour {word} {word}" for word in _apart(40))
    items = (just(str(number), title) for number, title in enumerate(titles, 1))

    await shown(watched, server, "/a", *items)

    reply = told(tmp_path, "backtest", "harbour")
    assert reply.startswith("About 4")
    assert "The query is broad: these are estimates from every 5th story." in reply


def _apart(count: int) -> list[str]:
    """Words that make stories of their own."""
    return [hashlib.sha256(bytes([number])).hexdigest()[:10] for number in range(count)]


async def test_an_empty_database_is_no_fault(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock):
        reply = told(tmp_path, "backtest", "harbour")
        assert "No articles stored yet" in reply or reply.startswith("0 alerts since ")
        assert told(tmp_path, "search", "harbour") == "No stored article matches."
        assert told(tmp_path, "explain", "harbour") != ""
        assert "none" in told(tmp_path, "names", "Zelensky")
        assert asked(tmp_path, "explain", "--last", "5").exit_code == 0


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
async def test_the_chart_counts_a_story_on_its_day_in_the_zone_of_the_settings(
    tmp_path: Path, server: FeedServer, clock: ManualClock, zone: str
) -> None:
    """`search` shows the same time; a chart with another day would contradict it."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    at = (NOW - DAY).replace(hour=12, minute=0)
    clock = ManualClock(at - DAY)
    async with newsbell(
        tmp_path, config(server, "/a", settings={"timezone": zone}), clock=clock
    ) as made:
        await shown(made, server, "/a", item("0", "Mill", at=NOW - 3 * DAY))
        clock.advance(DAY - timedelta(minutes=15))
        await shown(made, server, "/a", item("1", "Harbour opens", at=at))
        lines = asked(tmp_path, "backtest", "harbour").stdout.splitlines()
    counted = [line.split()[:2] for line in lines if line.endswith("▇ 1")]
    assert counted == [f"{at.astimezone(ZoneInfo(zone)):%a %d}".split()]


# Explain: every stage


async def test_an_address_that_no_feed_has_shown_names_the_feeds_that_could_have(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a", "/b"), clock=clock) as made:
        server.put("/b", "gone", status=404)
        await shown(made, server, "/a", OLD)
        reply = told(tmp_path, "explain", server.url("/story/1"))
        assert reply.startswith("No stored article was found under this address. A: last fetch at ")
        assert "; next fetch at " in reply
        assert "B could not be read at the last fetch" in reply
        assert "it fails" not in reply.partition("B could")[0]
        other = told(tmp_path, "explain", "https://mill.example/1")
        assert (
            other == "No stored article was found under this address. "
            "No watched feed has an address at mill.example. Add one to feeds.yaml."
        )


async def test_of_two_feeds_with_one_address_the_first_is_said_to_have_had_it(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a", "/b"), clock=clock) as made:
        await shown(made, server, "/a", just("1", "Harbour crane"))
        clock.advance(timedelta(minutes=20))
        await shown(made, server, "/b", just("1", "Harbour crane"))
        reply = told(tmp_path, "explain", "https://m.news.example/1?share=1")
        assert reply.count("First seen in ") == 1
        assert "First seen in A at " in reply
        assert "Seen in B at " in reply
        assert "; the same address was first seen in A, at " in reply
        storyline = told(tmp_path, "story", "news.example/1")
        assert "Only A, B so far; they count as one publisher." in storyline


async def test_a_feed_that_was_never_looked_at_is_not_said_to_lack_an_article(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock):
        reply = told(tmp_path, "explain", server.url("/story/1"))
        assert "A has not been fetched yet" in reply
        assert "did not hold it" not in reply


def test_a_site_under_a_public_suffix_is_not_taken_for_another() -> None:
    feed = FeedFact("Lantern", "https://lantern.co.uk/rss.xml", NOW, NOW, "")

    assert "No watched feed has an address at harbour.co.uk." in explain_unknown(
        "https://harbour.co.uk/1", [feed], str
    )
    assert "Lantern: last" in explain_unknown("https://www.lantern.co.uk/1", [feed], str)
    assert "Lantern: last" in explain_unknown("https://news.lantern.co.uk/1", [feed], str)


async def test_an_article_is_known_by_link_guid_or_headline_and_says_so(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        guid = item(
            "https://news.example/guid/7/",
            "Harbour by guid",
            link="https://short.example/7",
            at=NOW - HOUR,
        )
        await shown(made, server, "/a", just("1", "The harbour opens"), guid, OLD)
        by_link = told(tmp_path, "explain", "http://www.news.example/1?utm_source=x#top")
        assert "The harbour opens https://news.example/1 First seen in A at" in by_link
        assert "recognised" not in by_link
        assert "recognised by its guid" in told(tmp_path, "explain", "https://news.example/guid/7")
        assert "First seen in A at" in told(tmp_path, "explain", "https://short.example/7")
        by_title = told(tmp_path, "explain", "the", "HARBOUR", "opens!")
        assert "recognised by its headline" in by_title
        assert "✓ All Matched: harbour (“harbour”). here: sent at" in by_title


async def test_a_retitled_article_tells_its_headline_before(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        await shown(made, server, "/a", just("1", "The harbour closes"), OLD)
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert reply.startswith("The harbour closes ")
        assert "Text changed at" in reply
        assert "before: “The harbour opens”." in reply
        assert "here: sent at" in reply


async def test_an_article_that_alerted_and_then_lost_its_words_is_still_explained_as_alerted(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock, terminal=terminal) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        await shown(made, server, "/a", just("1", "The mill closes"), OLD)
        assert terminal.titles() == ["The harbour opens"]
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert (
            "here: alerted before the article or the query changed; sent at"
            in reply.partition("All")[2]
        )


async def test_an_article_that_could_not_alert_says_why(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock, terminal=terminal) as made:
        await shown(
            made,
            server,
            "/a",
            OLD,
            *(item(f"b{n}", f"Harbour base {n}", at=NOW - (4 + n) * DAY) for n in range(12)),
        )
        baseline = told(tmp_path, "explain", "https://news.example/old")
        assert "no alert, because it was already in the feed on the first fetch" in baseline
        flood = [
            item(f"f{number}", f"Harbour archive {number}", at=NOW - (30 + number) * DAY)
            for number in range(40)
        ]
        fresh = [
            item(f"g{number}", f"{word} by the harbour", at=NOW - HOUR)
            for number, word in enumerate(["Cranes", "A mill", "Bakers"])
        ]
        fresh.append(item("quiet", "Nothing of note", at=NOW - HOUR))
        await shown(made, server, "/a", OLD, *flood, *fresh)
        assert "here: sent at" in told(tmp_path, "explain", "https://news.example/g1")
        quiet = told(tmp_path, "explain", "https://news.example/quiet")
        assert "archive" not in quiet.partition("https://")[2]
        assert "No alert was possible" not in quiet
        reply = told(tmp_path, "explain", "https://news.example/f3")
        assert "no alert, because it looked like an old article of the feed's archive" in reply
        assert len(terminal.titles()) == len(fresh) - 1


async def test_an_article_of_an_archive_says_so(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await stored(made)._writer.run(
            "age", lambda db: db.execute("update entries set silent = 'archive'")
        )
        reply = told(tmp_path, "explain", "https://news.example/old")
        assert "no alert, because it looked like an old article of the feed's archive" in reply


async def test_feeds_terms_and_exclusions_that_stood_in_the_way_are_named(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    rules = [
        rule("Elsewhere", "harbour", feeds=["b"]),
        rule("Missing", "harbour AND radar"),
        rule("Excluded", "harbour NOT (football OR crane)"),
        rule("Inflected", "crane"),
        rule("Both", "radar NOT football"),
    ]
    async with newsbell(
        tmp_path, config(server, "/a", "/b", subscriptions=rules), clock=clock
    ) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "Harbour cranes"), OLD)
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert (
            "✗ Elsewhere Limited to b; A is not one of them. Matched: harbour (“Harbour”)." in reply
        )
        assert "✗ Missing Missing: radar. Found: harbour." in reply
        assert (
            "✗ Excluded Excluded by NOT crane (“cranes”, same stem: crane). Found: harbour."
            in reply
        )
        assert "✓ Inflected Matched: crane (“cranes”, same stem: crane). here: sent at" in reply
        assert "✗ Both Missing: radar." in reply
        assert told(tmp_path, "explain", "-s", "Missing", "https://news.example/1").count("✗") == 1
        assert "✓ Inflected" in told(
            tmp_path, "explain", "-s", "crane", "https://news.example/1"
        ), "a chat's own has its query for a name"
        alone = told(tmp_path, "explain", "-s", "Missing", "https://news.example/1")
        assert "follows the storyline" not in alone
        wrong = asked(tmp_path, "explain", "-s", "Mising", "https://news.example/1")
        assert (wrong.exit_code, wrong.stdout) == (2, "")
        assert (
            "There is no subscription 'Mising'. Subscriptions: Elsewhere, Missing, " in wrong.stderr
        )


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ([], "here: sent at "),
        (
            [NotSent("the wire is down", HOUR)],
            "here: waiting for another try (the wire is down); next try at",
        ),
        (
            [Refused("bad words"), Refused("bad words")],
            "here: the message was refused (bad words).",
        ),
        (
            [Undecided("cut off")] * 40,
            (
                "here: the connection broke before the reply, "
                "so the message may or may not have arrived"
            ),
        ),
        ([ChatClosed("thrown out.", probe=False)], "here: waiting, because the chat is paused"),
    ],
    ids=["sent", "queued", "dead", "unknown", "paused"],
)
async def test_what_became_of_the_message_is_said(
    tmp_path: Path, server: FeedServer, clock: ManualClock, outcomes: list[Any], sentence: str
) -> None:
    terminal = Recorder(outcomes)
    async with newsbell(tmp_path, config(server, "/a"), clock=clock, terminal=terminal) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        for _ in outcomes[1:]:
            clock.advance(timedelta(minutes=10))
            await made.deliverer.run_once(timedelta(0))
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert sentence in reply
        if isinstance((outcomes or [Sent(1)])[0], ChatClosed):
            assert "the chat is paused: " in reply


async def test_a_refused_alert_is_not_shown_as_sent(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    terminal = Recorder([Refused("bad words"), Refused("bad words")])
    async with newsbell(tmp_path, config(server, "/a"), clock=clock, terminal=terminal) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        assert [
            row.state for row in await made.store.admin.outbox(clock.now()) if row.kind == "alert"
        ] == ["dead"]
        assert "refused (bad words)" in told(tmp_path, "explain", "--last", "1")


async def test_what_was_dropped_or_forgotten_is_said(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    terminal = Recorder([NotSent("the wire is down", HOUR)])
    async with newsbell(tmp_path, config(server, "/a"), clock=clock, terminal=terminal) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        [row] = [row for row in await made.store.admin.outbox(clock.now()) if row.kind == "alert"]
        assert await made.store.admin.drop((row.id,), clock.now()) == 1
        assert "here: the message was dropped by hand." in told(
            tmp_path, "explain", "https://news.example/1"
        )
        await made.store.admin.prune(clock.now() + 40 * DAY)
        assert "what happened to the message is no longer stored" in told(
            tmp_path, "explain", "https://news.example/1"
        )


async def test_a_sent_message_is_still_called_sent_when_its_delivery_is_forgotten(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        await made.store.admin.prune(clock.now() + 40 * DAY)
        assert "here: sent." in told(tmp_path, "explain", "https://news.example/1")


async def test_a_story_already_alerted_through_another_article_says_which(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a", "/b"), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/b", item("x", "Old mill", at=NOW - 3 * DAY))
        link = "https://mill.example/story"
        await shown(made, server, "/a", just("1", "The harbour opens", link=link), OLD)
        await shown(made, server, "/b", just("2", "Harbour open again", link=link))
        reply = told(tmp_path, "explain", "Harbour open again")
        assert "here: it belongs to the story of “The harbour opens” (sent at" in reply
        both = told(tmp_path, "explain", link)
        assert both.count("✓ All") == 2
        assert both.index("The harbour opens") < both.index("Harbour open again")


async def test_a_subscription_that_came_later_does_not_claim_the_alert_of_another(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    first, later = rule("First", "harbour"), rule("Later", "opens")
    async with newsbell(tmp_path, config(server, "/a", subscriptions=[first]), clock=clock) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        (tmp_path / "feeds.yaml").write_text(config(server, "/a", subscriptions=[first, later]))
        await made.reload()
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert (
            "✓ Later Matched: opens (“opens”). here: alerted for another subscription, sent at"
            in reply
        )
        line = told(tmp_path, "explain", "--last", "1")
        assert "alerted: First " in f"{line} ", line
        assert "alerted: First, Later" not in line


async def test_a_subscription_that_did_not_stand_when_the_article_came_says_so(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(
        tmp_path, config(server, "/a", subscriptions=[rule("Radar", "radar")]), clock=clock
    ) as made:
        await shown(made, server, "/a", OLD)
        await shown(made, server, "/a", just("1", "The harbour opens"), OLD)
        (tmp_path / "feeds.yaml").write_text(
            config(server, "/a", subscriptions=[rule("Radar", "harbour")])
        )
        await made.reload()
        reply = told(tmp_path, "explain", "https://news.example/1")
        assert "here: no alert, because the query was “radar” then (Missing: radar)." in reply


async def test_a_text_that_is_not_stored_is_judged_as_if_it_came_now(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    rules = [rule("English", "missile"), rule("Русский", "ракета"), rule("None", "mill")]
    async with newsbell(tmp_path, config(server, "/a", subscriptions=rules), clock=clock):
        reply = told(tmp_path, "explain", "Missiles", "over the port")
        assert reply.startswith("No stored article was found with this headline. If it came now:")
        assert "✓ English Matched: missile (“Missiles”, same stem: missil)." in reply
        assert "✗ None Missing: mill." in reply
        assert "✓ Русский" in told(tmp_path, "explain", "Удар ракетами по порту")


async def test_the_newest_articles_are_told_in_a_few_lines_each(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    rules = [rule("Port", "harbour"), rule("Mill", "mill", feeds=["b"])]
    async with newsbell(
        tmp_path, config(server, "/a", "/b", subscriptions=rules), clock=clock
    ) as made:
        await shown(made, server, "/a", OLD)
        await shown(
            made, server, "/a", just("1", "The harbour opens"), just("2", "A mill burns"), OLD
        )
        reply = asked(tmp_path, "explain", "--last", "3").stdout.splitlines()
        assert [line for line in reply if not line.startswith(" ")] == [
            line for line in reply if line[2:3] == ":" or line[:1].isdigit()
        ]
        assert "    alerted: Port" in reply
        assert "    no match in 2 subscriptions" in reply
        assert any(line.startswith("    Port: ") and "first fetch" in line for line in reply), (
            "the oldest matches and sent no alert"
        )
        line = told(tmp_path, "explain", "--last", "1", "-s", "Mill")
        assert "Mill: Limited to b; A is not one of them." in line or "Mill: Missing: mill." in line


async def test_a_subscription_that_cannot_be_read_any_more_is_not_passed_over_in_silence(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    """A chat's own query with a list that feeds.yaml lost while newsbell did not run."""
    async with newsbell(
        tmp_path, config(server, "/a", names={"weapons": ["missile"]}), clock=clock
    ) as made:
        await shown(made, server, "/a", OLD)

        def subscribe(db: Any) -> None:
            db.execute(
                "insert into subscriptions (id, name, query, created_at) "
                "values (9, '@weapons', '@weapons', '2026-03-02')"
            )
            db.execute("insert into routes values (9, 1)")

        await stored(made)._writer.run("subscribe", subscribe)
    (tmp_path / "feeds.yaml").write_text(config(server, "/a"))
    for arguments in (
        ("Old harbour news",),
        ("-s", "@weapons", "Old harbour news"),
        ("A text of its own",),
    ):
        reply = told(tmp_path, "explain", *arguments)
        assert "@weapons" in reply
        assert "cannot be read" in reply or "there is no list" in reply.lower()
        assert "There are no subscriptions yet" not in reply
    assert asked(tmp_path, "backtest", "harbour").exit_code == 0


# Explain never contradicts the matcher


def facts(article: Article, *alerts: AlertFact) -> EntryFacts:
    return EntryFacts(StoredEntry(1, 1, article, NOW, NOW, None), alerts, ())


@given(
    st.lists(QUERIES, min_size=1, max_size=4),
    articles(),
    st.sampled_from([(), ("sport",), ("Harbour Wire",)]),
)
@settings(QUICK, max_examples=examples(30))
def test_an_explanation_never_contradicts_the_matcher(
    queries: list[str], article: Article, feeds: tuple[str, ...]
) -> None:
    held = [
        ParsedSubscription(
            known_subscription(number, f"S{number}", query, feeds), parse_or_assume(query)
        )
        for number, query in enumerate(queries)
    ]
    words = ArticleWords(article)

    told_of_text = explain_article(article, held)
    entry_facts = facts(article)
    accounts = accounts_of(entry_facts, held, parse)
    told_of_entry = explain_entry(entry_facts, held, accounts, {1: "here"}, lambda moment: "then")

    for parsed, text, entry in zip(held, told_of_text, told_of_entry, strict=True):
        assert parsed.tree is not None
        matches = match(parsed.tree, words) is not None
        looked_at = not feeds or not article.selectors.isdisjoint(feeds)
        assert (text.matches, text.alerted) == (matches, False)
        assert (entry.matches, entry.alerted) == (matches and looked_at, False)
        assert ("no alert" in entry.text) == entry.matches
        assert not any(
            category(character) == "Cc" for reason in (text, entry) for character in reason.text
        )


@pytest.mark.parametrize("odd", ["\x1b[31m", "\x07", "\x9b1m", "\u2028"], ids=ascii)
def test_what_is_said_of_a_persons_query_holds_no_control_characters(odd: str) -> None:
    """People in chats write queries; the operator's terminal shows what is said of them."""
    reply = []
    for query in (
        '"radar {}mast"',
        'author:"jane {}roe"',
        "/radar {}mast/",
        "radar{} AND mill",
        '~"jane {}roe"',
    ):
        with suppress(QueryError):
            held = [
                ParsedSubscription(
                    known_subscription(1, "S", query), parse(query.format(odd), NAMES)
                )
            ]
            reply += [
                reason.text for reason in explain_article(Article("Harbour", language="en"), held)
            ]

    assert [
        text for text in reply if any(category(character) in {"Cc", "Zl"} for character in text)
    ] == []


@pytest.mark.parametrize("odd", ["\x1b[31m", "\x07", "\r\n", "\x9b1m"], ids=ascii)
def test_what_is_said_of_a_text_or_an_error_holds_no_control_characters(odd: str) -> None:
    held = [
        ParsedSubscription(known_subscription(1, "S", "q"), parse(query, NAMES))
        for query in ("radar", "/(?s)Radar.*300/", "* NOT /(?s)a.*b/")
    ]
    reply = [
        reason.text
        for reason in explain_article(Article(f"Radar{odd}S-300 a{odd}b", language="en"), held)
    ]
    alert = AlertFact(
        1,
        1,
        "T",
        NOW,
        DeliveryState.DEAD,
        f"bad{odd}",
        NOW,
        arrived=False,
        matches={1: 1},
    )
    entry_facts = facts(Article("Radar", language="en"), alert)
    accounts = accounts_of(entry_facts, held, parse)
    reply += [
        reason.text for reason in explain_entry(entry_facts, held, accounts, {1: "here"}, str)
    ]
    reply.append(
        explain_unknown(
            f"https://wire.example/{odd}",
            [FeedFact("W", "https://other.example/", NOW, NOW, "")],
            str,
        )
    )

    assert [text for text in reply if any(category(character) == "Cc" for character in text)] == []


# Names


async def test_names_shows_spellings_other_names_and_what_stands_in_the_articles(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    async with newsbell(tmp_path, config(server, "/a"), clock=clock) as made:
        await shown(
            made,
            server,
            "/a",
            just("1", "Zelenskyy in Port Selva"),
            just("2", "Zelenskyy speaks"),
            just("3", "Зеленський у порту"),
        )
        reply = told(tmp_path, "names", "Zelensky")
        assert reply.startswith("Spellings it accepts, among others ")
        assert "In stored articles Zelenskyy (2), Зеленський (1)" in reply
        assert "Other names of the same place" in told(tmp_path, "names", "Kharkiv")
        listed = asked(tmp_path, "names", "--list", "Deir", "ez-Zor")
        assert (
            listed.stdout.startswith('names:\n  deir-ez-zor:\n  - ~"Deir ez-Zor"')
            or '~"Deir ez-Zor"' in listed.stdout
        )
        (tmp_path / "listed.yaml").write_text(listed.stdout)
        assert CliRunner().invoke(main, ["check", str(tmp_path / "listed.yaml")]).exit_code == 0


@pytest.mark.parametrize("name", ["Київ", "St. Petersburg", "Côte d'Ivoire", "東京"])
def test_a_list_that_names_prints_is_one_that_feeds_yaml_takes(tmp_path: Path, name: str) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n")
    listed = asked(tmp_path, "names", "--list", name)
    assert listed.exit_code == 0
    (tmp_path / "listed.yaml").write_text(listed.stdout)

    checked = CliRunner().invoke(main, ["check", str(tmp_path / "listed.yaml")])

    assert (checked.exit_code, checked.stderr) == (0, "")


def test_names_works_without_a_database_and_refuses_what_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n")

    assert told(tmp_path, "names", "Zelensky").endswith("In stored articles none")
    for text in ('"', "***", "!"):
        result = asked(tmp_path, "names", text)
        assert result.exit_code == 2
        assert "^" in result.stderr


# The tests of a file


def checked(folder: Path, text: str) -> Result:
    (folder / "feeds.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["check", str(folder / "feeds.yaml")], catch_exceptions=False)


HEAD = "chats: {here: {terminal: true}}\nfeeds: ['https://harbour.example/rss.xml']\n"
TESTED = (
    HEAD
    + """names:
  weapons: [missile, '"air defence"', rocket*, =WHO, '~Kharkiv', "Deir ez-Zor"]
subscriptions:
  - name: Weapons
    query: "@weapons NOT football"
    to: here
    tests:
      match: ["Missiles seen", "Air-defence units", "Rocketry fair", "The WHO warns",
              "Удар по Харькову", "Aid for Deir Ezzor"]
      ignore: ["Who warns whom", "Air defences of old", "Missiles of football", "Football"]
  - name: Языки
    query: "ракета OR ממשלה OR 地震 OR الحكومة"
    to: here
    tests:
      match: ["Удар ракетами", "הודעת הממשלה", "東部で地震が発生", "بيان حكومة جديدة"]
"""
)


def test_tests_that_pass_are_counted(tmp_path: Path) -> None:
    result = checked(tmp_path, TESTED)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 subscriptions, 14 tests passed." in result.stdout


def test_a_test_that_fails_is_told_with_its_place_and_the_reason(tmp_path: Path) -> None:
    faulty = TESTED.replace('"Rocketry fair"', '"Quiet seas"').replace(
        'ignore: ["Who warns whom"', 'ignore: ["The WHO warns"'
    )
    result = checked(tmp_path, faulty.replace("Удар ракетами", "Тихое море"))

    lines = faulty.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    first, other, third, _, total = result.stderr.rstrip("\n").split("\n")
    row = next(number for number, line in enumerate(lines, 1) if "Quiet seas" in line)
    column = lines[row - 1].index('"Quiet') + 1
    assert first.startswith(
        f"{tmp_path}/feeds.yaml:{row}:{column} subscriptions[0].tests.match[2]: "
    )
    assert first.endswith("“Quiet seas” should match Weapons. Missing: @weapons.")
    assert (
        "subscriptions[0].tests.ignore[0]: “The WHO warns” should not match Weapons. "
        "Matched: @weapons (“WHO”, in the list @weapons)." in other
    )
    assert "“Тихое море” should match Языки. No match." in third or "Missing: ракета" in third
    assert total.endswith("feeds.yaml failed.")
    assert total.startswith("3 of 14 tests")


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("[Missile]", "subscriptions[0].tests: expected keys with values"),
        ("{match: 5}", "subscriptions[0].tests.match: expected a list"),
        ("{match: Missile}", "subscriptions[0].tests.match: expected a list"),
        ("{match: [2026]}", "subscriptions[0].tests.match[0]: expected text; put it in quotes"),
        ("{match: ['']}", "subscriptions[0].tests.match[0]: must not be empty"),
        (
            "{matches: [a]}",
            "subscriptions[0].tests.matches: unknown key; did you mean match?",
        ),
    ],
)
def test_tests_of_a_wrong_shape_are_mistakes_with_a_place(
    tmp_path: Path, tests: str, message: str
) -> None:
    result = checked(
        tmp_path,
        f"{HEAD}subscriptions:\n  - {{name: A, query: harbour, to: here, tests: {tests}}}\n",
    )

    assert result.exit_code == 2
    assert re.search(rf"feeds\.yaml:4:\d+ {re.escape(message)}", result.stderr)
    assert "1 mistake in" in result.stderr


def test_no_tests_and_empty_ones_are_fine_and_a_running_newsbell_does_not_fail_by_them(
    tmp_path: Path,
) -> None:
    from bot.config.load import load  # noqa: PLC0415

    result = checked(
        tmp_path, f"{HEAD}subscriptions:\n  - {{name: A, query: harbour, to: here, tests: {{}}}}\n"
    )
    assert "1 subscription." in result.stdout

    (tmp_path / "feeds.yaml").write_text(
        f"{HEAD}subscriptions:\n"
        "  - {name: A, query: harbour, to: here, tests: {match: [mill]}}\n"
    )
    assert len(load(tmp_path / "feeds.yaml", {}).tests) == 1
