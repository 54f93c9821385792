"""What feeds.yaml says of sources that are no feeds."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.load import Config, load
from bot.errors import ConfigError
from bot.model.sources import PageSource

CHANNEL = "https://t.me/s/euphrates_post"


def read(folder: Path, text: str) -> Config:
    path = folder / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})


def mistakes(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        read(folder, text)
    return str(raised.value)


def test_a_channel_has_its_kept_address_and_is_a_publisher_of_its_own(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
feeds:
  - t.me/Euphrates_Post
  - {url: "@coast_radio", name: Coast Radio, tags: [coast]}
chats: {here: {terminal: true}}
subscriptions:
  - {name: A, query: harbour, feeds: ["https://t.me/euphrates_post/7", coast], to: [here]}
  - {name: B, query: harbour, feeds: ["@euphrates_post", "@coast_radio"], to: [here]}
""",
    )
    first, second = config.declared.feeds

    assert (first.url, first.name, first.publisher) == (
        CHANNEL,
        "@euphrates_post",
        "@euphrates_post",
    )
    assert (second.name, second.publisher) == ("Coast Radio", "@coast_radio")
    assert [declared.feeds for declared in config.declared.subscriptions] == [
        (CHANNEL, "coast"),
        ("@euphrates_post", "https://t.me/s/coast_radio"),
    ]
    assert config.hosts["t.me"] == timedelta(seconds=1)


def test_the_site_of_telegram_may_be_asked_as_often_as_the_file_says(tmp_path: Path) -> None:
    config = read(tmp_path, "hosts: {t.me: {spacing: 3s}}")

    assert config.hosts["t.me"] == timedelta(seconds=3)


def test_a_page_has_selectors_and_a_route_the_address_of_the_instance(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
settings: {rsshub: "https://hub.example/base/"}
feeds:
  - {url: https://port.example/notices, page: {item: li.notice, title: h3}}
  - rsshub://herald/world?limit=5
  - {url: rsshub://telegram/channel/Euphrates_Post, tags: [coast]}
chats: {here: {terminal: true}}
subscriptions:
  - {name: A, query: harbour, feeds: ["rsshub://herald/world?limit=5"], to: [here]}
""",
    )
    page, route, channel = config.declared.feeds

    assert page.page == PageSource("li.notice", "h3")
    assert (route.url, route.name, route.publisher) == (
        "https://hub.example/base/herald/world?limit=5",
        "herald/world",
        "herald",
    )
    assert channel.publisher == "@euphrates_post"
    assert config.declared.subscriptions[0].feeds == (route.url,)


@pytest.mark.parametrize(
    ("feed", "told"),
    [
        ('{url: https://port.example/, page: {item: "li["}}', "expected a CSS selector"),
        ("{url: https://port.example/, page: {title: h3}}", "the key item is missing"),
        ('{url: "@coast_radio", page: {item: li}}', "a channel of telegram is read without"),
        ("rsshub://herald/world", "settings.rsshub is missing"),
        ("rsshub://", "expected a route of rsshub"),
        ("https://t.me/+AbCdEf", "only members can read this channel"),
        ('"@no"', "4 to 32 letters a to z, digits and _"),
        ("https://t.me/s/no", "4 to 32 letters a to z, digits and _"),
        ("@coast_radio", "put single quotes"),
    ],
)
def test_what_is_no_public_channel_is_a_mistake(tmp_path: Path, feed: str, told: str) -> None:
    assert told.lower() in mistakes(tmp_path, f"feeds:\n  - {feed}\n").lower()


def test_two_spellings_of_a_channel_are_a_duplicate(tmp_path: Path) -> None:
    text = f"feeds:\n  - {CHANNEL}\n  - https://t.me/euphrates_post\n"

    assert "duplicate feed (first on line 2)" in mistakes(tmp_path, text)
