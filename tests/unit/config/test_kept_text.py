"""A good feeds.yaml is kept without secrets, and read again where the file is broken."""

from pathlib import Path

import pytest

from bot.config.kept_text import databases, read_kept
from bot.config.load import Config, load
from bot.errors import ConfigError

TOKEN = "7203344:AAEhBOweik6ad9r-invented_token_of_tests"
FEEDS = """\
# of the night desk; the old token was 55:old-secret
settings:
  timezone: Europe/Berlin
  telegram: {token: "%s", admins: [5001]} # keep it private
  database: "night desk.db"
feeds:
  - https://plain.example.org/feed  # no header
  - url: https://paid.example.org/feed
    name: "Paid # 1"
    headers:
      Authorization: 'Bearer letter-box'
      X-Key: >-
        of-several-letters
      Accept-Language: de
  - url: https://env.example.org/feed
    headers: {Cookie: "id=${NIGHT_COOKIE}"}
chats:
  desk: {telegram: -1001234567890}
subscriptions:
  - {name: All, query: 'harbour OR "#port"', to: [desk]}
"""
ENVIRONMENT = {"NIGHT_COOKIE": "crumbs-of-the-night"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "feeds.yaml"
    file.write_text(FEEDS % TOKEN, encoding="utf-8")
    return file


@pytest.fixture
def good(path: Path) -> Config:
    return load(path, ENVIRONMENT)


def test_no_secret_and_no_comment_is_in_the_kept_text(good: Config) -> None:
    for secret in (TOKEN, "letter-box", "of-several-letters", "crumbs", "55:old-secret", "private"):
        assert secret not in good.text
    assert "${NIGHT_COOKIE}" in good.text
    assert "Paid # 1" in good.text
    assert '"#port"' in good.text


def test_a_proxy_with_its_password_is_kept_out_and_put_in_place_again(path: Path) -> None:
    text = FEEDS.replace("settings:", "settings:\n  network: {proxy: 'http://a:sesame@b:8'}", 1)
    path.write_text(text % TOKEN, encoding="utf-8")
    good = load(path, ENVIRONMENT)
    assert "sesame" not in good.text
    again, _ = read_kept(path, good.text, text % TOKEN, ENVIRONMENT)
    assert again.proxies == good.proxies
    with pytest.raises(ConfigError, match=r"settings\.network\.proxy"):
        read_kept(path, good.text, FEEDS % TOKEN, ENVIRONMENT)


def test_with_the_secrets_at_hand_it_is_the_same_configuration(path: Path, good: Config) -> None:
    again, without = read_kept(path, good.text, FEEDS % TOKEN, ENVIRONMENT)
    assert (again.declared, again.settings, again.headers, again.token) == (
        good.declared,
        good.settings,
        good.headers,
        good.token,
    )
    assert without == ()


def test_secrets_of_a_file_with_a_wrong_key_are_found_in_it(path: Path, good: Config) -> None:
    broken = (FEEDS % TOKEN).replace("timezone:", "timezzone:").replace("letter-box", "new-letters")
    again, without = read_kept(path, good.text, broken, ENVIRONMENT)
    assert again.headers["https://paid.example.org/feed"]["Authorization"] == "Bearer new-letters"
    assert again.settings.timezone == "Europe/Berlin"
    assert without == ()


def test_a_file_that_is_no_yaml_still_gives_its_token_but_no_header(
    path: Path, good: Config
) -> None:
    """A header in a line says nothing of the site that may read it."""
    broken = (FEEDS % TOKEN).replace("feeds:", "feeds: [")
    again, without = read_kept(path, good.text, broken, ENVIRONMENT)
    assert again.token
    assert again.token.get_secret_value() == TOKEN
    assert again.headers["https://paid.example.org/feed"] == {}
    assert again.headers["https://env.example.org/feed"] == {"Cookie": "id=crumbs-of-the-night"}
    assert without == ("Paid # 1",)


def test_a_header_is_left_out_whose_variable_is_not_set(path: Path, good: Config) -> None:
    again, without = read_kept(path, good.text, FEEDS % TOKEN, {})
    assert again.headers["https://env.example.org/feed"] == {}
    assert without == ("env.example.org",)


def test_without_the_token_the_kept_text_cannot_be_used(path: Path, good: Config) -> None:
    with pytest.raises(ConfigError, match="token is not known"):
        read_kept(path, good.text, "", ENVIRONMENT)
    again, _ = read_kept(path, good.text, "", {**ENVIRONMENT, "TELEGRAM_BOT_TOKEN": TOKEN})
    assert again.token


def test_a_variable_elsewhere_that_is_not_set_makes_it_unusable(path: Path) -> None:
    path.write_text("feeds: ['https://x.example.org/${PLACE}']\n", encoding="utf-8")
    kept = load(path, {"PLACE": "harbour"}).text
    with pytest.raises(ConfigError, match=r"feeds\[0\]"):
        read_kept(path, kept, "", {})


def test_the_database_is_found_in_a_file_that_is_no_yaml(path: Path) -> None:
    (path.parent / "night desk.db").touch()
    assert databases(path, FEEDS + "\n]")[0] == path.parent / "night desk.db"
    assert databases(path, "")[0] == path.parent / "night desk.db"
