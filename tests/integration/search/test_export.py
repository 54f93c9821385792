"""Exported subscriptions of chats load from feeds.yaml as the same subscriptions."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support import stored
from telegram_harness import ANN, FORUM, TOPIC, TRAM, OpenHarness, ask

from bot.cli.main import main
from bot.config.load import Config, load
from bot.model.archive import ChatFact
from bot.model.chats import AlertOptions, ChatKind, ChatSettings, Subscription, Updates, Urgency
from bot.search.export import export_config

FEEDS = {"feeds": ["https://harbour.example/rss.xml"]}


def read(folder: Path, exported: Mapping[str, Any]) -> Config:
    """What a feeds.yaml with this part holds."""
    path = folder / "exported.yaml"
    path.write_text(
        yaml.safe_dump(
            {**FEEDS, **exported, "feeds": [*FEEDS["feeds"], *exported.get("feeds", [])]},
            allow_unicode=True,
        ),
        encoding="utf-8",
    )
    return load(path, {})


async def test_subscriptions_of_a_chat_are_printed_in_the_form_of_the_file(
    opened: OpenHarness, tmp_path: Path
) -> None:
    async with opened(TRAM) as harness:
        await ask(
            harness,
            '/subscribe publishers:2 or_after:90s urgency:breaking harbour AND "long radar"',
        )
        await ask(harness, "/subscribe harbour", chat=FORUM, topic=TOPIC)
        folder = harness.app.config.path
        result = CliRunner().invoke(main, ["export", "-c", str(folder)])
        assert result.exit_code == 0
        declared = read(
            tmp_path,
            {
                **yaml.safe_load(result.output),
                "chats": {
                    **json.loads(folder.read_text())["chats"],
                    **yaml.safe_load(result.output).get("chats", {}),
                },
            },
        ).declared
        rows = {(row.query, row.options) for row in declared.subscriptions}
        assert (
            'harbour AND "long radar"',
            AlertOptions(Urgency.BREAKING, 2, timedelta(seconds=90)),
        ) in rows
        only = CliRunner().invoke(main, ["export", "-c", str(folder), "--chat", str(ANN)])
        assert [row["query"] for row in yaml.safe_load(only.output)["subscriptions"]] == [
            'harbour AND "long radar"'
        ]
        assert (
            "There is no chat 'nobody'"
            in CliRunner().invoke(main, ["export", "-c", str(folder), "--chat", "nobody"]).output
        )


async def test_without_subscriptions_of_chats_it_says_so(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        result = CliRunner().invoke(main, ["export", "-c", str(harness.app.config.path)])
        assert (result.exit_code, "No subscriptions were made in chats." in result.output) == (
            0,
            True,
        )


OPTIONS = st.builds(
    AlertOptions,
    st.sampled_from(Urgency),
    st.integers(2, 50),
    st.none() | st.integers(1, 259_200).map(lambda seconds: timedelta(seconds=seconds)),
    updates=st.none() | st.sampled_from(Updates),
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abc '\"#:é", min_size=1, max_size=8).filter(str.strip), OPTIONS),
        min_size=1,
        max_size=6,
    )
)
def test_any_exported_subscription_loads_as_the_same_subscription(
    tmp_path_factory: Any, subscribed: list[tuple[str, AlertOptions]]
) -> None:
    chats = {
        1: ChatFact("Ann", ChatKind.TELEGRAM, 7, 0, declared=False),
        2: ChatFact("Ann", ChatKind.TELEGRAM, -10, 5, declared=False),
    }
    subscriptions = [
        Subscription(number, name, "harbour", (), (1, 2), options=options)
        for number, (name, options) in enumerate(subscribed)
    ]
    declared = read(tmp_path_factory.mktemp("export"), export_config(subscriptions, chats)).declared
    assert [row.options for row in declared.subscriptions] == [options for _, options in subscribed]
    assert {(chat.address, chat.topic) for chat in declared.chats} == {(7, 0), (-10, 5)}
    assert all(len(row.to) == 2 for row in declared.subscriptions)


def test_what_a_chat_chose_loads_as_the_same_choice(tmp_path: Path) -> None:
    for choice in Updates:
        chosen = ChatSettings(updates=choice)
        fact = ChatFact("Ann", ChatKind.TELEGRAM, 7, 0, False, chosen, chosen)
        subscription = Subscription(1, "Tram", "tram", (), (1,))
        [chat] = read(tmp_path, export_config([subscription], {1: fact})).declared.chats
        assert chat.settings.updates is choice


def test_export_writes_the_new_name_of_a_key() -> None:
    chats = {1: ChatFact("here", ChatKind.TERMINAL, 0, 0, declared=True)}
    options = AlertOptions(alert_again_at=4)
    subscription = Subscription(1, "Tram", "tram", (), (1,), options=options)
    (row,) = export_config([subscription], chats)["subscriptions"]

    assert row["alert_again_at"] == 4
    assert "ring_again_at" not in row


async def test_settings_and_feeds_of_chats_missing_in_the_file_are_exported(
    opened: OpenHarness, tmp_path: Path
) -> None:
    async with opened(TRAM) as harness:
        await ask(harness, "/subscribe harbour", chat=FORUM, topic=TOPIC)
        await stored(harness.app)._writer.run(
            "look",
            lambda db: db.execute(
                "update chats set declared = 0, allowed = 1 where topic = ?", [TOPIC]
            ),
        )
        settings = (
            '{"language": "uk", "zone": "Europe/Kyiv", "quiet": [1410, 405], "digest_at": [450, '
            '1140], "digest_from": 5}'
        )
        await stored(harness.app)._writer.run(
            "set",
            lambda db: db.execute(
                "update chats set settings = ? where topic = ?", [settings, TOPIC]
            ),
        )
        feed = [
            "https://coast.example/rss",
            "Coast",
            "Coast",
            '["sea"]',
            "2026",
            "coast.example",
            "2099",
        ]
        insertion = (
            "insert into feeds "
            "(url, name, publisher, tags, created_at, host, next_poll_at, declared) "
            "values (?, ?, ?, ?, ?, ?, ?, 0)"
        )
        await stored(harness.app)._writer.run(
            "add",
            lambda db: db.execute(insertion, feed),
        )
        added = (
            "insert into feed_chats (feed_id, chat_id, user_id, at, tags) "
            "select f.id, c.id, 7, '2026', f.tags from chats c, feeds f where "
            "c.topic = ? and f.declared = 0"
        )
        await stored(harness.app)._writer.run("add", lambda db: db.execute(added, [TOPIC]))
        result = CliRunner().invoke(main, ["export", "-c", str(harness.app.config.path)])
    exported = yaml.safe_load(result.output)
    [chat] = exported["chats"].values()
    assert chat == {
        "telegram": FORUM,
        "topic": TOPIC,
        "language": "uk",
        "timezone": "Europe/Kyiv",
        "quiet": "23:30-06:45",
        "digest": ["07:30", "19:00"],
        "digest_from": 5,
    }
    assert exported["feeds"] == [
        {"url": "https://coast.example/rss", "name": "Coast", "tags": ["sea"]}
    ]
    assert read(tmp_path, exported).declared.chats[0].settings.quiet == (1410, 405)
