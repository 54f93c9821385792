"""The methods that ask and set: the bot itself, chats, members, commands, files, callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .chats import Chat
from .commands import check_commands, check_language, check_scope, scope_key
from .errors import ArticleSpec, Json, bad_request, forbidden
from .files import DOWNLOAD_BYTES, path_of
from .sending import Sending
from .webhook import Hook, Webhook, read_hook

ANSWER: Final = 200


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
        #: commands by scope (`default`, `chat:7`, `chat_member:-10:7`) and language (`de`, or
        #: empty)
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.webhook = Webhook(self.updates, self.stir)
        self._paths: dict[str, str] = {}

    def stir(self, running: int) -> None:
        """Hear that something began (1) or ended (-1)."""

    def get_me(self, _: Json) -> Json:
        """Serve getMe."""
        return self.users[self.bot_id] | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def set_webhook(self, params: Json) -> ArticleSpec:
        """Serve setWebhook; an empty address deletes the webhook."""
        before = self.webhook.hook
        self.updates.allow(params.get("allowed_updates"))
        drop = bool(params.get("drop_pending_updates"))
        if not params.get("url"):
            self._switch(None, drop=drop)
            return ArticleSpec(
                True, "Webhook was deleted" if before else "Webhook is already deleted"
            )
        hook = read_hook(params)
        if hook == before and not drop:
            return ArticleSpec(True, "Webhook is already set")
        self._switch(hook, drop=drop)
        return ArticleSpec(True, "Webhook was set")

    def delete_webhook(self, params: Json) -> ArticleSpec:
        """Serve deleteWebhook; the kinds of updates once chosen stay chosen."""
        return self.set_webhook({"drop_pending_updates": params.get("drop_pending_updates")})

    def get_webhook_info(self, _: Json) -> Json:
        """Serve getWebhookInfo."""
        return self.webhook.info()

    def _switch(self, hook: Hook | None, *, drop: bool) -> None:
        self.updates.set_webhook(hook.url if hook else "", drop_pending=drop)
        self.webhook.set(hook)

    def answer_callback_query(self, params: Json) -> bool:
        """Serve answerCallbackQuery."""
        query_id = str(params.get("callback_query_id"))
        text = str(params.get("text") or "")
        if query_id not in self.queries:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        if len(text) > ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answers.append(CallbackAnswer(query_id, text, bool(params.get("show_alert"))))
        return True

    def set_my_commands(self, params: Json) -> bool:
        """Serve setMyCommands; no commands at all are as good as deleted."""
        key = self._scope(params)
        commands = check_commands(params.get("commands") or [])
        self.commands.pop(key, None)
        if commands:
            self.commands[key] = commands
        return True

    def get_my_commands(self, params: Json) -> list[Json]:
        """Serve getMyCommands: those of exactly this scope and language."""
        return self.commands.get(self._scope(params), [])

    def delete_my_commands(self, params: Json) -> bool:
        """Serve deleteMyCommands."""
        self.commands.pop(self._scope(params), None)
        return True

    def get_chat(self, params: Json) -> Json:
        """Serve getChat, for a public channel also from outside."""
        chat = self.reach(params.get("chat_id"), reading=True)
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription",
                 "gifts_from_channels")  # fmt: skip
        return self.chat_json(chat) | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        } | ({"linked_chat_id": chat.linked} if chat.linked else {})  # fmt: skip

    def get_chat_member(self, params: Json) -> Json:
        """Serve getChatMember."""
        chat = self._with_members(params)
        user_id = params.get("user_id") or 0
        if not isinstance(user_id, int) or user_id <= 0:
            raise bad_request("invalid user_id specified")
        if user_id not in self.users:
            raise bad_request("user not found")
        if chat.kind == "private" and user_id not in {chat.id, self.bot_id}:
            raise bad_request("member not found")
        return self.member_json(chat, user_id)

    def get_chat_administrators(self, params: Json) -> list[Json]:
        """Serve getChatAdministrators: people and this bot, no other bots."""
        chat = self._with_members(params)
        if chat.kind == "private":
            raise bad_request("there are no administrators in the private chat")
        everyone = {**chat.members, self.bot_id: chat.bot_status}
        heads = [
            user for user, status in everyone.items() if status in {"creator", "administrator"}
        ]
        return [
            self.member_json(chat, user)
            for user in heads
            if user == self.bot_id or not self.person(user)["is_bot"]
        ]

    def get_file(self, params: Json) -> Json:
        """Serve getFile; from then on the path can be fetched."""
        file_id = params.get("file_id", "")
        if file_id not in self.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        name, content = self.files[file_id]
        if len(content) > DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        path = path_of(file_id, name)
        self._paths[path] = file_id
        return {
            "file_id": file_id,
            "file_unique_id": f"unique{file_id}",
            "file_size": len(content),
            "file_path": path,
        }

    def fetched(self, path: str) -> bytes | None:
        """Return the file at a path that getFile gave, or None."""
        file_id = self._paths.get(path)
        return self.files[file_id][1] if file_id else None

    def _with_members(self, params: Json) -> Chat:
        """Return a chat whose members the bot may ask for.

        Those of channels are for administrators.
        """
        chat = self.reach(params.get("chat_id"), reading=True)
        if chat.kind == "channel" and chat.bot_status != "administrator":
            raise bad_request("member list is inaccessible")
        if chat.bot_status == "left":
            raise forbidden(f"bot is not a member of the {chat.named()}")
        return chat

    def _scope(self, params: Json) -> tuple[str, str]:
        scope: Json = params.get("scope") or {"type": "default"}
        chat = self.reach(scope["chat_id"]) if "chat_id" in scope else None
        check_scope(scope, chat.kind if chat else None)
        if scope["type"] == "chat_member" and scope.get("user_id") not in self.users:
            raise bad_request("user not found")
        return scope_key(scope, chat.id if chat else None), check_language(
            str(params.get("language_code") or "")
        )
