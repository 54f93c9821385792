"""Members of chats: blocking, kicking, promoting, upgrading, and the updates they cause.

Serves no request and writes no text.
"""

from __future__ import annotations

import time
from typing import Final

from .chats import Chat, Message
from .errors import Json, bad_request, forbidden
from .world import ANONYMOUS_ADMIN, World

_RIGHTS: Final = {
    "can_be_edited": False, "is_anonymous": False, "can_manage_chat": True, "can_change_info": True,
    "can_delete_messages": True, "can_invite_users": True, "can_restrict_members": False,
    "can_promote_members": False, "can_manage_video_chats": True, "can_post_stories": False,
    "can_edit_stories": False, "can_delete_stories": False,
}  # fmt: skip
_RIGHTS_BY_KIND: Final[dict[str, dict[str, bool]]] = {
    "channel": {"can_post_messages": True, "can_edit_messages": True},
    "group": {"can_pin_messages": True},
    "supergroup": {"can_pin_messages": True, "can_manage_topics": False},
}
_OUTSIDE: Final = frozenset({"left", "kicked"})


class Membership(World):
    """A world in which people come, go and rise."""

    def set_member(self, chat_id: int, user_id: int, status: str, **rights: bool) -> None:
        """Give someone a status, and an administrator rights such as `can_post_messages=False`.

        Nobody is told.
        """
        chat = self.chats[chat_id]
        self.person(user_id)
        if user_id == self.bot_id:
            chat.bot_status = status
        else:
            chat.members[user_id] = status
        chat.rights[user_id] = rights

    def add_to_channel(
        self, chat_id: int, by: int, *, title: str = "Channel", **rights: bool
    ) -> int:
        """Let a person make the bot an administrator of a channel, which is created if absent."""
        if chat_id not in self.chats:
            self.add_channel(chat_id, title, {by: "creator", self.bot_id: "left"})
        return self.promote(chat_id, by, **rights)

    def promote(self, chat_id: int, by: int | None = None, **rights: bool) -> int:
        """Make the bot an administrator, or change the rights of one."""
        chat = self.chats[chat_id]
        before = self._my_member(chat)
        chat.trouble, chat.bot_status = None, "administrator"
        chat.rights[self.bot_id] = rights
        return self._tell(chat, by, before)

    def demote(self, chat_id: int, by: int | None = None) -> int:
        """Take the administrator's rights from the bot.

        A channel has no bots but administrators, so there it is out.
        """
        chat = self.chats[chat_id]
        before = self._my_member(chat)
        chat.bot_status = "left" if chat.kind == "channel" else "member"
        if chat.kind == "channel":
            chat.trouble = forbidden(f"bot is not a member of the {chat.named()}")
        return self._tell(chat, by, before)

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

    def kick(self, chat_id: int, by: int | None = None) -> None:
        """Throw the bot out of a group, a supergroup or a channel."""
        chat = self.chats[chat_id]
        chat.trouble = forbidden(f"bot was kicked from the {chat.named()}")
        self._my_status(chat, self._doer(chat, by), chat.bot_status, "kicked")

    def invite(self, chat_id: int, by: int | None = None) -> None:
        """Take the bot back after a kick."""
        chat = self.chats[chat_id]
        chat.trouble = None
        self._my_status(chat, self._doer(chat, by), "kicked", chat.bot_status)

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
        self.add_supergroup(
            new_supergroup_id, old.title, {**old.members, self.bot_id: old.bot_status}
        )
        for chat_id, service in (
            (group_id, {"migrate_to_chat_id": new_supergroup_id}),
            (new_supergroup_id, {"migrate_from_chat_id": group_id}),
        ):
            message = Message(
                next(self.chats[chat_id].ids), chat_id, None, "", [], None, None, silent=False,
                attachment=service, sender_id=ANONYMOUS_ADMIN, sender_chat=chat_id,
            )  # fmt: skip
            self.publish(message)
        old.trouble = bad_request(
            "group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": new_supergroup_id},
        )

    def publish(self, message: Message) -> int:
        """Put someone's message into its chat and queue the update about it.

        Return the update's id.
        """
        chat = self.chats[message.chat_id]
        posted = self.message_json(self.store(chat, message))
        return self.updates.push("channel_post" if chat.kind == "channel" else "message", posted)

    def member_json(self, chat: Chat, user_id: int, status: str | None = None) -> Json:
        """Return the Bot API's member object, by default of what the user is there now."""
        now = chat.bot_status if user_id == self.bot_id else chat.members.get(user_id, "left")
        status = status or now
        member: Json = {"user": self.person(user_id), "status": status}
        if status == "creator":
            return member | {"is_anonymous": False}
        if status == "kicked":
            return member | {"until_date": 0}
        if status != "administrator":
            return member
        return member | _RIGHTS | _RIGHTS_BY_KIND.get(chat.kind, {}) | chat.rights.get(user_id, {})

    def may(self, chat: Chat, right: str) -> bool:
        """Say whether the bot has an administrator's right."""
        return bool(self.member_json(chat, self.bot_id).get(right))

    def _my_member(self, chat: Chat) -> Json:
        kicked = chat.trouble is not None and chat.bot_status not in _OUTSIDE
        return self.member_json(chat, self.bot_id, "kicked" if kicked else None)

    def _my_status(self, chat: Chat, by: int, old: str, new: str) -> None:
        self._changed(
            chat,
            by,
            self.member_json(chat, self.bot_id, old),
            self.member_json(chat, self.bot_id, new),
        )

    def _tell(self, chat: Chat, by: int | None, before: Json) -> int:
        return self._changed(
            chat, self._doer(chat, by), before, self.member_json(chat, self.bot_id)
        )

    def _changed(self, chat: Chat, by: int, old: Json, new: Json) -> int:
        return self.updates.push("my_chat_member", {
            "chat": self.chat_json(chat),
            "from": self.person(by),
            "date": int(time.time()),
            "old_chat_member": old,
            "new_chat_member": new,
        })  # fmt: skip

    def _doer(self, chat: Chat, by: int | None) -> int:
        """Return who acts as administrator: who is named, else the creator, else any member."""
        ranked = sorted(chat.members, key=lambda user: chat.members[user] != "creator")
        return by if by is not None else next(iter(ranked), ANONYMOUS_ADMIN)
