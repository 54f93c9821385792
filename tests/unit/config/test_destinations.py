"""Chats of other services in feeds.yaml: what each needs, and where its secrets stay."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.config.kept_text import read_kept
from bot.config.load import Config, load
from bot.errors import ConfigError
from bot.model.chats import ChatKind
from bot.model.destinations import (
    HookDestination,
    MailDestination,
    TokenDestination,
    WebhookDestination,
)

HOOK = "https://hooks.example/services/zq1-secret-of-the-desk"
KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
MAIL = {"host": "mail.example", "from": "bell@example.org", "to": ["ann@example.org"]}


def read(folder: Path, chat: dict[str, Any], **environment: str) -> Config:
    path = folder / "feeds.yaml"
    path.write_text(json.dumps({"chats": {"desk": chat}, "feeds": []}), encoding="utf-8")
    return load(path, environment)


def mistake(folder: Path, chat: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        read(folder, chat)
    [only] = raised.value.mistakes
    return f"{only.path}: {only.message}"


@pytest.mark.parametrize(
    ("chat", "kind", "expected"),
    [
        ({"discord": {"webhook": "${S}"}}, ChatKind.DISCORD, HookDestination(HOOK)),
        ({"slack": {"webhook": "${S}"}}, ChatKind.SLACK_WEBHOOK, HookDestination(HOOK)),
        ({"apprise": {"url": "${S}"}}, ChatKind.APPRISE, HookDestination(HOOK)),
        (
            {"slack": {"channel": "C1", "token": "${S}"}},
            ChatKind.SLACK,
            TokenDestination("https://slack.com", "C1", HOOK),
        ),
        (
            {"matrix": {"server": "https://m.example", "room": "!a:b", "token": "${S}"}},
            ChatKind.MATRIX,
            TokenDestination("https://m.example", "!a:b", HOOK),
        ),
        (
            {"ntfy": {"topic": "desk-7"}},
            ChatKind.NTFY,
            TokenDestination("https://ntfy.sh", "desk-7"),
        ),
        (
            {"email": {**MAIL, "user": "bell", "password": "${S}"}},
            ChatKind.EMAIL,
            MailDestination(
                *("mail.example", 587, "starttls", "bell", HOOK, "bell@example.org"),
                to=("ann@example.org",),
            ),
        ),
        (
            {"webhook": {"url": "https://a.example/x", "secret": KEY}},
            ChatKind.WEBHOOK,
            WebhookDestination("https://a.example/x", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ),
    ],
)
def test_a_chat_is_where_the_file_says(
    tmp_path: Path, chat: dict[str, Any], kind: ChatKind, expected: object
) -> None:
    config = read(tmp_path, chat, S=HOOK)
    assert config.destinations == {"desk": expected}
    assert [place.kind for place in config.declared.chats] == [kind]


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        ({"discord": {}}, "chats.desk.discord.webhook: the key webhook or webhook_file is missing"),
        ({"discord": {"webhook": "x"}}, "chats.desk.discord.webhook: expected"),
        ({"discord": {"webhook_file": "no"}}, "chats.desk.discord.webhook_file: cannot be read"),
        ({"slack": {"token": "x"}}, "chats.desk.slack: expected either `channel`"),
        ({"slack": {"channel": "C1"}}, "chats.desk.slack.token: the key token or token_file"),
        (
            {"matrix": {"server": "https://m", "room": "a", "token": "t"}},
            "room: expected an id such as",
        ),
        ({"ntfy": {"topic": "a b"}}, "chats.desk.ntfy.topic: expected a topic"),
        ({"email": {**MAIL, "user": "bell"}}, "chats.desk.email.password: the key password"),
        ({"email": {**MAIL, "to": ["nobody"]}}, "chats.desk.email.to[0]: expected an address"),
        ({"webhook": {"url": "https://a.example", "secret": "short"}}, "chats.desk.webhook.secret"),
        ({"discord": {"webhook": HOOK}, "terminal": True}, "chats.desk: expected one of"),
    ],
)
def test_what_a_chat_lacks_is_told_with_its_place(
    tmp_path: Path, chat: dict[str, Any], expected: str
) -> None:
    found = mistake(tmp_path, chat)
    assert expected in found
    assert "zq1" not in found


@pytest.mark.parametrize(
    "chat",
    [
        {"discord": {"webhook": HOOK}},
        {"slack": {"channel": "C1", "token": HOOK}},
        {"webhook": {"url": HOOK, "secret": KEY}},
        {"email": {**MAIL, "user": "bell", "password": HOOK}},
    ],
)
def test_a_secret_of_the_file_is_not_kept_and_comes_back_from_the_file(
    tmp_path: Path, chat: dict[str, Any]
) -> None:
    config = read(tmp_path, chat)
    assert "zq1" not in config.text
    assert KEY not in config.text
    assert "zq1" not in repr(config)
    current = (tmp_path / "feeds.yaml").read_text(encoding="utf-8")
    again, _ = read_kept(tmp_path / "feeds.yaml", config.text, current, {})
    assert again.destinations == config.destinations
    with pytest.raises(ConfigError, match="what opens this chat is not known any more"):
        read_kept(tmp_path / "feeds.yaml", config.text, "{}", {})
