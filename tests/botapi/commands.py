"""What Telegram accepts as a bot's commands, their scopes and languages. Keeps none of them."""

from __future__ import annotations

import re
from typing import Final

from .errors import Json, bad_request

COMMAND_LIMIT: Final = 100
_NAME: Final = 32
_DESCRIPTION: Final = 256
_EVERYWHERE: Final = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
)
_CHATS: Final = frozenset({"chat", "chat_administrators", "chat_member"})


def check_scope(scope: Json, chat_kind: str | None) -> None:
    """Refuse a scope that names no chat it can be used in; the kind of the chat it names, if any.

    Raises:
        ApiError: the type is unknown, or the chat is a channel, or private and the scope is for
            groups.

    """
    kind = scope.get("type")
    if kind not in _EVERYWHERE | _CHATS:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    if chat_kind == "channel":
        raise bad_request("can't change commands in channel chats")
    if chat_kind == "private" and kind != "chat":
        raise bad_request("can't use specified scope in private chats")


def scope_key(scope: Json, chat_id: int | None) -> str:
    """Return the scope as tests name it: `default`, `chat:7`, `chat_member:-10:7`."""
    parts = [scope["type"]]
    if chat_id is not None:
        parts.append(chat_id)
    if scope["type"] == "chat_member":
        parts.append(scope["user_id"])
    return ":".join(map(str, parts))


def check_language(code: str) -> str:
    """Return a language code, which is empty or two small letters.

    Raises:
        ApiError: it is neither.
    """
    if code and not re.fullmatch("[a-z]{2}", code):
        raise bad_request("invalid language code specified")
    return code


def check_commands(commands: list[Json]) -> list[Json]:
    """Return the commands as Telegram keeps them: trimmed, without their slash.

    Raises:
        ApiError: a name or a description is empty, too long or of wrong characters, or there are
            too many.

    """
    checked = [_check_command(command) for command in commands]
    if len(checked) > COMMAND_LIMIT:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    return checked


def _check_command(command: Json) -> Json:
    name = str(command.get("command", "")).strip().removeprefix("/")
    description = str(command.get("description", "")).strip()
    if not name:
        raise bad_request("command must be non-empty")
    if len(name) > _NAME:
        raise bad_request(f"command length must not exceed {_NAME}")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > _DESCRIPTION:
        raise bad_request(f"command description length must not exceed {_DESCRIPTION}")
    if not re.fullmatch("[a-z0-9_]+", name):
        raise bad_request("BOT_COMMAND_INVALID")
    return {"command": name, "description": description}
