"""`hosts:` of feeds.yaml: which key means which host."""

from datetime import timedelta
from pathlib import Path

import pytest
from support import config_text, newsbell

from bot.config.load import load
from bot.errors import ConfigError

HOSTS = """
hosts:
  meridian.example: {requests_a_minute: 1}
  old.meridian.example: {spacing: 90s}
  "*.lantern.*": {requests_a_minute: 0.5}
  harbour.example:8080: {spacing: 3s}
  Mill.example: {spacing: 7s}
  10.0.0.1: {spacing: 2s}
"""


@pytest.mark.parametrize(
    ("host", "seconds"),
    [
        ("meridian.example", 60),
        ("meridian.example:8080", 60),
        ("www.meridian.example", 60),
        ("old.meridian.example", 90),
        ("notmeridian.example", 1),
        ("feeds.lantern.example", 120),
        ("harbour.example:8080", 3),
        ("harbour.example", 1),
        ("mill.example", 7),
        ("10.0.0.1", 2),
        ("10.0.0.2", 0),
    ],
)
async def test_a_host_is_asked_as_its_longest_key_says(
    tmp_path: Path, host: str, seconds: float
) -> None:
    text = config_text([], network={"allow": ["10.0.0.0/8"]})
    async with newsbell(tmp_path, text) as app:
        assert app.live.spacing(host) <= timedelta(seconds=1)  # before the file says so
        (tmp_path / "feeds.yaml").write_text(HOSTS + "settings: {network: {allow: [10.0.0.0/8]}}")
        await app.reload()
        assert app.live.spacing(host) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ("{a.example: {}}", "expected either spacing or requests_a_minute"),
        ("{a.example: {requests_a_minute: fast}}", "expected a number"),
        ("{a.example: {spacing: 1s, requests_a_minute: 2}}", "expected either spacing or"),
        ("{a.example: {requests_a_minute: 0}}", "greater than 0"),
        ("{a.example: {requests_a_minute: 0.0001}}", "a request a day at least"),
        ("{a.example: {spacing: 2d}}", "a request a day at least"),
        ("{a.example: {spacin: 2s}}", "did you mean spacing?"),
        ("{a.example: 60}", "expected keys with values"),
        ("{'https://a.example/': {spacing: 1s}}", "expected the name of a host"),
        ("[a.example]", "expected keys with values"),
    ],
)
def test_a_mistake_under_hosts_has_its_place_and_a_remedy(
    tmp_path: Path, hosts: str, said: str
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(f"hosts: {hosts}\n")
    with pytest.raises(ConfigError) as error:
        load(path, {})
    (mistake,) = error.value.mistakes
    assert mistake.line == 1
    assert said in mistake.message
