"""`newsbell fetch` and `newsbell send-test`: what a feed gives, what a chat takes; kept nowhere."""

import asyncio
import json
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from botapi import BotApi, Refuse, TooManyRequests
from click.testing import CliRunner, Result
from support import NOON, FeedServer, config_text, item, rss
from telegram_harness import ANN, FORUM, TOPIC, Address, telegram_config

from bot.cli.main import main


async def command(folder: Path, *arguments: str, **environment: str) -> Result:
    def invoke() -> Result:
        with chdir(folder):
            return CliRunner().invoke(
                main,
                arguments,
                env={"NEWSBELL_CONFIG": None, "TELEGRAM_BOT_TOKEN": None, **environment},
                catch_exceptions=False,
            )

    return await asyncio.to_thread(invoke)


async def test_a_feed_is_shown_as_it_is_read_and_nothing_is_stored(
    tmp_path: Path, server: FeedServer
) -> None:
    server.put("/a", rss(item("1", "Radar on Cape Lorne", at=NOON), item("2", "Silo burns")))
    (tmp_path / "feeds.yaml").write_text(
        config_text([{"url": server.url("/a"), "name": "Harbour", "headers": {"X-Key": "sesame"}}]),
        encoding="utf-8",
    )
    people = await command(tmp_path, "fetch", "Harbour", "--limit", "1")
    programs = await command(tmp_path, "fetch", server.url("/a"), "--json")

    assert people.exit_code == programs.exit_code == 0
    assert "2 articles" in people.stdout
    assert "Radar on Cape Lorne\n    https://news.example/1\n" in people.stdout
    assert people.stdout.endswith("… and 1 more (--limit).\n")
    record = json.loads(programs.stdout)
    assert [article["title"] for article in record["articles"]] == [
        "Radar on Cape Lorne",
        "Silo burns",
    ]
    assert server.seen[-1].headers["X-Key"] == "sesame"
    assert [file.name for file in tmp_path.iterdir()] == ["feeds.yaml"]


async def test_a_page_instead_of_a_feed_names_its_feeds(tmp_path: Path, server: FeedServer) -> None:
    server.put(
        "/",
        '<html><head><link rel="alternate" type="application/rss+xml" href="/a" title="All">'
        "</head><body>News</body></html>",
    )
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    people = await command(tmp_path, "fetch", server.url("/"))
    record = json.loads((await command(tmp_path, "fetch", server.url("/"), "--json")).stdout)

    assert people.exit_code == 1
    assert f"  {server.url('/a')}  (All)\n" in people.stdout
    assert record["failure"] == "not_a_feed"
    assert record["feeds"] == [{"url": server.url("/a"), "title": "All"}]


async def test_a_page_without_a_feed_is_tried_with_selectors_until_they_can_be_pasted(
    tmp_path: Path, server: FeedServer
) -> None:
    rows = "".join(
        f'<li class="notice"><h3><a href="/n/{number}">Pier {number} closed again</a></h3></li>'
        for number in range(4)
    )
    server.put("/notices", f"<ul>{rows}</ul>", headers={"Content-Type": "text/html"})
    server.put("/robots.txt", "User-agent: *\nDisallow: /private\n")
    file = tmp_path / "feeds.yaml"
    file.write_text(config_text([]), encoding="utf-8")
    found = await command(tmp_path, "try-page", server.url("/notices"))
    own = await command(tmp_path, "try-page", server.url("/notices"), "--item", "h3")
    missed = await command(tmp_path, "try-page", server.url("/notices"), "--item", "h6")
    forbidden = await command(tmp_path, "try-page", server.url("/private"))
    faulty = await command(tmp_path, "try-page", server.url("/notices"), "--item", "h3[")

    assert (found.exit_code, own.exit_code) == (0, 0)
    assert "# 4 articles, 0 of them with a time:" in found.stdout
    assert yaml.safe_load(found.stdout) == {
        "feeds": [
            {
                "url": server.url("/notices"),
                "page": {"item": "li.notice", "title": "h3", "link": "h3 a"},
            }
        ]
    }
    assert "item: h3" in own.stdout
    assert (missed.exit_code, forbidden.exit_code, faulty.exit_code) == (1, 1, 2)
    assert "h6 finds no articles" in missed.stdout
    assert "robots.txt" in forbidden.stdout
    shown = await command(tmp_path, "fetch", server.url("/notices"))
    assert shown.exit_code == 1
    assert "newsbell try-page" in shown.stdout


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://10.0.0.1/a", "The address is not public"),
        ("https://bob:word@a.example/", "a user name or password"),
        ("ftp://a.example/", "must begin with http:// or https://"),
    ],
)
async def test_what_the_guard_refuses_is_said(tmp_path: Path, address: str, said: str) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    result = await command(tmp_path, "fetch", address)

    assert result.exit_code == 1
    assert said in result.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("@x", "4 to 32 letters a to z, digits and _"),
        ("@deir-ez-zor", "begins with a letter, such as @example_news"),
        ("t.me/x", "4 to 32 letters"),
        ("https://t.me/+AbCdEf", "only members can read this channel"),
    ],
)
@pytest.mark.parametrize("name_of_command", ["fetch", "try-page"])
async def test_what_is_wrong_with_the_name_of_a_channel_is_said(
    tmp_path: Path, name_of_command: str, name: str, said: str
) -> None:
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    result = await command(tmp_path, name_of_command, name)
    assert result.exit_code == 2
    assert (said if name_of_command == "fetch" else "`newsbell fetch` looks at it") in result.output


@pytest.fixture
def folder(tmp_path: Path, api: BotApi) -> Path:
    chats: dict[str, Address] = {"ann": ANN, "topic": (FORUM, TOPIC)}
    (tmp_path / "feeds.yaml").write_text(telegram_config(api, chats), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("chat", ["ann", "topic", str(ANN)])
async def test_a_test_message_goes_through_the_real_channel(
    folder: Path, api: BotApi, chat: str
) -> None:
    result = await command(folder, "send-test", chat, TELEGRAM_BOT_TOKEN=api.token)

    (call,) = [call for call in api.calls if call.method == "sendMessage"]
    assert (result.exit_code, "arrived in" in result.stdout) == (0, True)
    assert call.params["text"] == "A test message of newsbell."
    assert call.params.get("message_thread_id") == (TOPIC if chat == "topic" else None)
    assert not (folder / "newsbell.db").exists()


async def test_what_telegram_refuses_is_said(folder: Path, api: BotApi) -> None:
    api.fault(Refuse(403, "Forbidden: bot was blocked by the user"))
    api.fault(TooManyRequests(60))
    blocked = await command(folder, "send-test", "ann", TELEGRAM_BOT_TOKEN=api.token)
    busy = await command(folder, "send-test", "ann", TELEGRAM_BOT_TOKEN=api.token)

    assert (blocked.exit_code, busy.exit_code) == (1, 1)
    assert blocked.stderr.startswith("Nothing arrived in ann: ")
    assert "blocked" in blocked.stderr
    assert "pause of 1m" in busy.stderr


async def test_a_chat_that_is_not_known_or_cannot_be_reached_is_told(folder: Path) -> None:
    unknown = await command(folder, "send-test", "topik")
    without = await command(folder, "send-test", "ann")
    terminal = await command(folder, "send-test", "here")

    assert (unknown.exit_code, without.exit_code, terminal.exit_code) == (2, 2, 0)
    assert unknown.stderr == "There is no chat 'topik'; did you mean topic?\n"
    assert "set TELEGRAM_BOT_TOKEN" in without.stderr
    assert "A test message of newsbell." in terminal.stdout
