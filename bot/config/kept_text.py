"""Read again the text of a feeds.yaml that was once in force, kept without its secrets.

Secrets come from the environment and from files, as ever; those that stand in feeds.yaml itself
come from the file as it is now, as far as it can be read. Finds and keeps no text.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.config import yaml_locations
from bot.config.destinations import SECRET_KEYS
from bot.config.load import Config, read_config, read_document
from bot.config.yaml_locations import LEFT_OUT
from bot.errors import ConfigError, Mistake
from bot.model.database_address import (
    DEFAULT_DATABASE,
    DatabaseAddress,
    PostgresAddress,
    is_server,
    postgres_address,
)

_PASSWORD_FILE = re.compile(
    r"""^\s+database_password_file:\s*["']?([^"'#\n]+?)["']?\s*(?:#.*)?$""", re.MULTILINE
)
_TOKEN = re.compile(r"""(?:^|[\s{,])token:\s*["']?(\d+:[\w-]+)""", re.ASCII)
_DATABASE = re.compile(r"""^\s+database:\s*["']?([^"'#\n]+?)["']?\s*(?:#.*)?$""", re.MULTILINE)


class _Lenient(dict[str, str]):
    """An environment in which each variable is set; those that are not name nothing."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, LEFT_OUT if default is None else default)


def read_kept(
    path: Path, kept: str, current: str, environment: Mapping[str, str] | None = None
) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration of the text `kept`, and the feeds that go without a header.

    `current` is what the file at `path` holds now. Raises ConfigError where the kept text can not
    be used any more: another newsbell has other rules, or the bot's token is gone.
    """
    environment = yaml_locations.environment() if environment is None else environment
    lenient = _Lenient(environment)
    document = read_document(path, kept, lenient)
    token, headers = _secrets(path, current, lenient)
    feeds = _put_headers(document.data, headers)
    telegram = _section(document.data, "settings", "telegram")
    if _is_left_out(telegram.get("token")):
        del telegram["token"]
        if token:
            telegram["token"] = token
        elif not environment.get("TELEGRAM_BOT_TOKEN"):
            raise _unusable(
                path, "settings.telegram.token", "the bot's token is not known any more"
            )
    _put_proxies(path, document.data, current, lenient)
    _put_heartbeat(path, document.data, current, lenient)
    _put_chat_secrets(document.data, current, path, lenient)
    for place, text in _texts(document.data, ""):
        if LEFT_OUT in text:
            raise _unusable(path, place, "an environment variable is not set")
    config = read_config(path, document, environment)
    return config, tuple(feed.name for feed in config.declared.feeds if feed.url in feeds)


def databases(
    path: Path, text: str, environment: Mapping[str, str] | None = None
) -> list[DatabaseAddress]:
    """Return where the database of a file may be that cannot be read as a whole, likeliest first.

    Where nothing in the file names it, that is any database in the file's folder.
    """
    environment = yaml_locations.environment() if environment is None else environment
    names = [match.group(1) for match in _DATABASE.finditer(text)]
    servers: list[DatabaseAddress] = []
    for name in filter(is_server, names):
        with suppress(ValueError):
            servers.append(_with_password(postgres_address(name, environment), path, text))
    if servers:
        return servers
    found = [path.parent / name for name in (*names, DEFAULT_DATABASE)]
    found += sorted(path.parent.glob("*.db"))
    return [file for file in dict.fromkeys(found) if file.is_file()]


def _with_password(address: PostgresAddress, path: Path, text: str) -> PostgresAddress:
    """The address with the password of the file that a text names, if it can be read."""
    match = _PASSWORD_FILE.search(text)
    if match is None:
        return address
    try:
        return address.with_password((path.parent / match.group(1)).read_text("ascii").strip())
    except (OSError, UnicodeDecodeError):
        return address


def _secrets(
    path: Path, text: str, environment: Mapping[str, str]
) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    """Return the token and the headers by URL that a text holds, as far as it can be read."""
    match = _TOKEN.search(yaml_locations.COMMENT.sub("", text))
    token = match.group(1) if match else ""
    try:
        data = read_document(path, text, environment).data
    except ConfigError:
        return token, {}
    return token, {
        feed["url"]: feed["headers"]
        for feed in _list(data, "feeds")
        if isinstance(feed, dict)
        and isinstance(feed.get("url"), str)
        and isinstance(feed.get("headers"), dict)
    }


def _put_headers(data: Any, current: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Put header values in place, or leave the header out; return the URLs where one is missing."""
    missing = set()
    for feed in _list(data, "feeds"):
        headers = _section(feed, "headers")
        for name, value in list(headers.items()):
            if not _is_left_out(value):
                continue
            known = current.get(feed.get("url"), {}).get(name, LEFT_OUT)
            if _is_left_out(known):
                missing.add(str(feed.get("url")))
                del headers[name]
            else:
                headers[name] = known
    return missing


def _put_proxies(path: Path, data: Any, text: str, environment: Mapping[str, str]) -> None:
    """Put the addresses of proxies in place; without its proxy nothing may be asked for."""
    for name in ("network", "telegram"):
        section = _section(data, "settings", name)
        if not _is_left_out(section.get("proxy")):
            continue
        try:
            current = _section(read_document(path, text, environment).data, "settings", name)
        except ConfigError:
            current = {}
        if not isinstance(current.get("proxy"), str):
            raise _unusable(path, f"settings.{name}.proxy", "the proxy is not known any more")
        section["proxy"] = current["proxy"]


def _put_heartbeat(path: Path, data: Any, text: str, environment: Mapping[str, str]) -> None:
    """Put the address of the heartbeat in place; without it whoever waits for it gives alarm."""
    settings = _section(data, "settings")
    if not _is_left_out(settings.get("heartbeat")):
        return
    del settings["heartbeat"]
    with suppress(ConfigError):
        current = _section(read_document(path, text, environment).data, "settings")
        if isinstance(current.get("heartbeat"), str):
            settings["heartbeat"] = current["heartbeat"]


def _put_chat_secrets(data: Any, text: str, path: Path, environment: Mapping[str, str]) -> None:
    """Put what opens chats in place; a chat without it takes nothing until it is known again."""
    left_out = [
        (name, *keys)
        for name in _section(data, "chats")
        for keys in SECRET_KEYS
        if _is_left_out(_section(data, "chats", name, *keys[:-1]).get(keys[-1]))
    ]
    if not left_out:
        return
    try:
        current = read_document(path, text, environment).data
    except ConfigError:
        current = {}
    for name, *parents, key in left_out:
        known = _section(current, "chats", name, *parents).get(key)
        if not isinstance(known, str) or _is_left_out(known):
            place = ".".join(("chats", name, *parents, key))
            raise _unusable(path, place, "what opens this chat is not known any more")
        _section(data, "chats", name, *parents)[key] = known


def _section(data: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _list(data: Any, key: str) -> list[Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _texts(data: Any, place: str) -> Iterator[tuple[str, str]]:
    """All texts of the data, with the keys that lead to them."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{place}.{key}".removeprefix("."))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _texts(value, f"{place}[{index}]")


def _is_left_out(value: Any) -> bool:
    return isinstance(value, str) and LEFT_OUT in value


def _unusable(path: Path, place: str, problem: str) -> ConfigError:
    return ConfigError(str(path), (Mistake(1, 1, place, problem),))
