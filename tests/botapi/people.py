"""What people do: write, press buttons, block the bot, throw it out, upgrade groups.

Each deed changes the world and queues the update a bot gets for it. Serves no request.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import Final

from .errors import Json, bad_request, forbidden
from .world import Chat, Message, World

ANONYMOUS_ADMIN: Final = 1087968824
_FOUND: Final = re.compile(
    r"(?<![\w/<])(?P<bot_command>/\w{1,64}(?:@\w{3,32})?)(?![\w/])|(?P<url>https?://[^\s<>\"]+)",
    re.ASCII,
)


class People(World):
    """A world with people in it."""

    def __init__(self, bot_id: int) -> None:
        super().__init__(bot_id)
        #: callback queries the bot may still answer
        self.queries: set[str] = set()
        self._query_ids = itertools.count(1)
        self.users[ANONYMOUS_ADMIN] = {
            "id": ANONYMOUS_ADMIN, "is_bot": True, "first_name": "Group",
            "username": "GroupAnonymousBot",
        }  # fmt: skip

    def say(
        self, chat_id: int, user_id: int, text: str, thread_id: int | None = None,
        reply_to: int | None = None, *, anonymous_admin: bool = False,
    ) -> int:  # fmt: skip
        """Let a person write; commands and links in the text become entities."""
        if anonymous_admin:
            user_id = ANONYMOUS_ADMIN
        message_id = next(self.chats[chat_id].ids)
        message = Message(
            message_id, chat_id, thread_id, text, _entities(text), None, reply_to,
            silent=False, sender_id=user_id, anonymous=anonymous_admin,
        )  # fmt: skip
        return self._publish(message)

    def upload(self, chat_id: int, user_id: int, filename: str, content: bytes, caption: str = "") -> int:
        """Let a person send a document."""
        message_id = next(self.chats[chat_id].ids)
        document = {"document": self.keep_file(filename, content)}
        message = Message(
            message_id, chat_id, None, caption, _entities(caption), None, None,
            silent=False, sender_id=user_id, attachment=document,
        )  # fmt: skip
        return self._publish(message)

    def press(self, chat_id: int, user_id: int, message_id: int, data: str) -> int:
        """Let a person press a button, also one the message no longer has."""
        chat = self.chats[chat_id]
        message = chat.messages[message_id]
        gone = {"chat": self.chat_json(chat), "message_id": message_id, "date": 0}
        query_id = f"{user_id}{next(self._query_ids):06}"
        self.queries.add(query_id)
        return self.updates.push("callback_query", {
            "id": query_id,
            "from": self.person(user_id),
            "chat_instance": str(-chat_id),
            "message": gone if message.deleted else self.message_json(message),
            "data": data,
        })  # fmt: skip

    def block(self, user_id: int) -> None:
        """Let a person block the bot."""
        chat = self.chats[user_id]
        chat.trouble = forbidden("bot was blocked by the user")
        self._my_status(chat, user_id, "member", "kicked")

    def unblock(self, user_id: int) -> None:
        """Let a person unblock the bot."""
        chat = self.chats[user_id]
        chat.trouble = None
        self._my_status(chat, user_id, "kicked", "member")

    def deactivate(self, user_id: int) -> None:
        """Let an account be deleted; no update tells the bot."""
        self.chats[user_id].trouble = forbidden("user is deactivated")

    def kick(self, chat_id: int) -> None:
        """Throw the bot out of a group, a supergroup or a channel."""
        chat = self.chats[chat_id]
        chat.trouble = forbidden(f"bot was kicked from the {chat.named()}")
        self._my_status(chat, _chief(chat), chat.bot_status, "kicked")

    def invite(self, chat_id: int) -> None:
        """Take the bot back after a kick."""
        chat = self.chats[chat_id]
        chat.trouble = None
        self._my_status(chat, _chief(chat), "kicked", chat.bot_status)

    def delete_group(self, chat_id: int) -> None:
        """Delete a group; no update tells the bot."""
        self.chats[chat_id].trouble = forbidden("the group chat was deleted")

    def restrict(self, chat_id: int) -> None:
        """Take the right to send anything from the bot; no update tells it."""
        self.chats[chat_id].restricted = True

    def unrestrict(self, chat_id: int) -> None:
        """Give the right to send back."""
        self.chats[chat_id].restricted = False

    def migrate(self, group_id: int, new_supergroup_id: int) -> None:
        """Upgrade a basic group; both chats get a service message about it."""
        old = self.chats[group_id]
        self.add_supergroup(new_supergroup_id, old.title, {**old.members, self.bot_id: old.bot_status})
        for chat_id, service in (
            (group_id, {"migrate_to_chat_id": new_supergroup_id}),
            (new_supergroup_id, {"migrate_from_chat_id": group_id}),
        ):
            message = Message(
                next(self.chats[chat_id].ids), chat_id, None, "", [], None, None, silent=False,
                attachment=service, sender_id=ANONYMOUS_ADMIN, anonymous=True,
            )  # fmt: skip
            self._publish(message)
        old.trouble = bad_request(
            "group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": new_supergroup_id},
        )

    def keep_file(self, filename: str, content: bytes) -> Json:
        """Store a file and return the Bot API's description of it."""
        file_id = f"file{len(self.files) + 1}"
        self.files[file_id] = (filename, content)
        return {
            "file_id": file_id, "file_unique_id": f"unique{file_id}",
            "file_name": filename, "file_size": len(content),
        }  # fmt: skip

    def _publish(self, message: Message) -> int:
        chat = self.chats[message.chat_id]
        self.person(message.sender_id or self.bot_id)
        shown = self.message_json(self.store(chat, message))
        return self.updates.push("channel_post" if chat.kind == "channel" else "message", shown)

    def _my_status(self, chat: Chat, by: int, old: str, new: str) -> None:
        me = self.users[self.bot_id]
        self.updates.push("my_chat_member", {
            "chat": self.chat_json(chat),
            "from": self.person(by),
            "date": int(time.time()),
            "old_chat_member": member_json(me, old),
            "new_chat_member": member_json(me, new),
        })  # fmt: skip


def member_json(user: Json, status: str) -> Json:
    """Return the Bot API's member object."""
    member: Json = {"user": user, "status": status}
    if status == "creator":
        return member | {"is_anonymous": False}
    if status == "kicked":
        return member | {"until_date": 0}
    if status != "administrator":
        return member
    rights = (
        "can_be_edited", "is_anonymous", "can_promote_members", "can_restrict_members",
        "can_post_stories", "can_edit_stories", "can_delete_stories",
    )  # fmt: skip
    granted = ("can_manage_chat", "can_delete_messages", "can_manage_video_chats",
               "can_change_info", "can_invite_users", "can_post_messages", "can_edit_messages",
               "can_pin_messages")  # fmt: skip
    return member | dict.fromkeys(rights, False) | dict.fromkeys(granted, True)


def _chief(chat: Chat) -> int:
    """Return who would do an administrator's deed here."""
    ranked = sorted(chat.members, key=lambda user: chat.members[user] != "creator")
    return ranked[0] if ranked else ANONYMOUS_ADMIN


def _entities(text: str) -> list[Json]:
    return [
        {
            "type": match.lastgroup,
            "offset": len(text[: match.start()].encode("utf-16-le")) // 2,
            "length": len(match[0].encode("utf-16-le")) // 2,
        }
        for match in _FOUND.finditer(text)
    ]
