"""The methods that ask and set: the bot itself, chats, members, commands, files, callbacks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from .errors import Json, bad_request
from .people import member_json
from .sending import Sending

MOST_COMMANDS: Final = 100
ANSWER: Final = 200
DOWNLOAD_BYTES: Final = 20 << 20
_NAME: Final = 32
_DESCRIPTION: Final = 256


@dataclass(frozen=True)
class CallbackAnswer:
    """What the bot answered to a press."""

    callback_query_id: str
    text: str
    show_alert: bool


class Asking(Sending):
    """A world a bot can also ask about."""

    def __init__(self, bot_id: int) -> None:
        super().__init__(bot_id)
        #: the bot's answers to presses, in order
        self.answers: list[CallbackAnswer] = []
        #: commands by scope (JSON with sorted keys) and language
        self.commands: dict[tuple[str, str], list[Json]] = {}

    def get_me(self, _: Json) -> Json:
        """Serve getMe."""
        rights = {"can_join_groups": True, "can_read_all_group_messages": False}
        return self.users[self.bot_id] | rights | {"supports_inline_queries": False}

    def set_webhook(self, params: Json) -> bool:
        """Serve setWebhook."""
        drop = bool(params.get("drop_pending_updates"))
        self.updates.set_webhook(str(params.get("url", "")), drop_pending=drop)
        return True

    def delete_webhook(self, params: Json) -> bool:
        """Serve deleteWebhook."""
        return self.set_webhook(params | {"url": ""})

    def answer_callback_query(self, params: Json) -> bool:
        """Serve answerCallbackQuery."""
        query_id = str(params.get("callback_query_id"))
        text = str(params.get("text") or "")
        if query_id not in self.queries:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(text) > ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answers.append(CallbackAnswer(query_id, text, bool(params.get("show_alert"))))
        return True

    def set_my_commands(self, params: Json) -> bool:
        """Serve setMyCommands."""
        commands: list[Json] = params.get("commands") or []
        for command in commands:
            _check_command(command)
        if len(commands) > MOST_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        self.commands[self._scope(params)] = commands
        return True

    def get_my_commands(self, params: Json) -> list[Json]:
        """Serve getMyCommands."""
        return self.commands.get(self._scope(params), [])

    def delete_my_commands(self, params: Json) -> bool:
        """Serve deleteMyCommands."""
        self.commands.pop(self._scope(params), None)
        return True

    def get_chat(self, params: Json) -> Json:
        """Serve getChat."""
        chat = self.reach(params.get("chat_id"))
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
                 "gifts_from_channels")  # fmt: skip
        return self.chat_json(chat) | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }

    def get_chat_member(self, params: Json) -> Json:
        """Serve getChatMember."""
        chat = self.reach(params.get("chat_id"))
        user = self.users.get(params.get("user_id", 0))
        if user is None:
            raise bad_request("user not found")
        members = {**chat.members, self.bot_id: chat.bot_status}
        return member_json(user, members.get(user["id"], "left"))

    def get_chat_administrators(self, params: Json) -> list[Json]:
        """Serve getChatAdministrators."""
        chat = self.reach(params.get("chat_id"))
        if chat.kind == "private":
            raise bad_request("there are no administrators in the private chat")
        members = {**chat.members, self.bot_id: chat.bot_status}
        return [member_json(self.users[user_id], status) for user_id, status in members.items() if status in {"creator", "administrator"}]

    def get_file(self, params: Json) -> Json:
        """Serve getFile."""
        file_id = params.get("file_id", "")
        if file_id not in self.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        name, content = self.files[file_id]
        if len(content) > DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        return {
            "file_id": file_id, "file_unique_id": f"unique{file_id}",
            "file_size": len(content), "file_path": f"documents/{file_id}/{name}",
        }  # fmt: skip

    def _scope(self, params: Json) -> tuple[str, str]:
        scope: Json = params.get("scope") or {"type": "default"}
        if "chat_id" in scope and self.reach(scope["chat_id"]).kind == "channel":
            raise bad_request("can't change commands in channel chats")
        return json.dumps(scope, sort_keys=True), str(params.get("language_code") or "")


def _check_command(command: Json) -> None:
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
    if not (name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()):
        raise bad_request("BOT_COMMAND_INVALID")
