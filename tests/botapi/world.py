"""The chats, the people and the messages that exist, and who may do what in them.

Holds state and answers for it; it parses no request and moves no bytes.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .chats import Chat, Message, Topic
from .errors import Json, bad_request, forbidden
from .files import describe
from .updates import UpdateQueue

ANONYMOUS_ADMIN: Final = 1087968824
CHANNEL_BOT: Final = 136817688
SERVICE: Final = 777000
_STRANGERS: Final[dict[int, Json]] = {
    ANONYMOUS_ADMIN: {
        "id": ANONYMOUS_ADMIN,
        "is_bot": True,
        "first_name": "Group",
        "username": "GroupAnonymousBot",
    },
    CHANNEL_BOT: {
        "id": CHANNEL_BOT,
        "is_bot": True,
        "first_name": "Channel",
        "username": "Channel_Bot",
    },
    SERVICE: {"id": SERVICE, "is_bot": False, "first_name": "Telegram"},
}


class World:
    """Everything that exists beside the requests."""

    def __init__(self, bot_id: int) -> None:
        self.bot_id = bot_id
        self.updates = UpdateQueue()
        #: every file sent either way, by file_id: name and content
        self.files: dict[str, tuple[str, bytes]] = {}
        self.chats: dict[int, Chat] = {}
        me = {"id": bot_id, "is_bot": True, "first_name": "Bell", "username": "bell_bot"}
        self.users: dict[int, Json] = {bot_id: me, **_STRANGERS}
        self._common_ids = itertools.count(2)

    def add_private(
        self, user_id: int, first_name: str = "Ann", username: str | None = None,
        language_code: str = "en",
    ) -> None:  # fmt: skip
        """Add a person who has started the bot."""
        user = {"id": user_id, "is_bot": False, "first_name": first_name}
        self.users[user_id] = {
            **user, **({"username": username} if username else {}), "language_code": language_code,
        }  # fmt: skip
        self.chats[user_id] = Chat(
            user_id, "private", username=username, members={user_id: "member"}, ids=self._common_ids
        )

    def add_group(
        self, chat_id: int, title: str = "Group", members: Mapping[int, str] | None = None
    ) -> None:
        """Add a basic group; members are user ids with creator, administrator or member."""
        self._add(Chat(chat_id, "group", title, ids=self._common_ids), members)

    def add_supergroup(
        self, chat_id: int, title: str = "Supergroup", members: Mapping[int, str] | None = None,
        *, forum: bool = False, username: str | None = None,
    ) -> None:  # fmt: skip
        """Add a supergroup, with topics if it is a forum."""
        self._add(Chat(chat_id, "supergroup", title, username, forum), members)

    def add_channel(
        self, chat_id: int, title: str = "Channel", members: Mapping[int, str] | None = None,
        *, username: str | None = None,
    ) -> None:  # fmt: skip
        """Add a channel that the bot administers, or has the status that the members give it."""
        self._add(Chat(chat_id, "channel", title, username, bot_status="administrator"), members)

    def link(self, channel_id: int, group_id: int) -> None:
        """Make a supergroup the discussion group of a channel: Telegram forwards posts into it."""
        self.chats[channel_id].linked, self.chats[group_id].linked = group_id, channel_id

    def add_topic(self, chat_id: int, thread_id: int, name: str = "Topic") -> None:
        """Add a topic to a forum; the General topic is there already and has no id."""
        self.chats[chat_id].topics[thread_id] = Topic(name)

    def close_topic(self, chat_id: int, thread_id: int) -> None:
        """Close a topic: the bot's messages to it get TOPIC_CLOSED."""
        self.chats[chat_id].topics[thread_id].closed = True

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic: it is not found any more."""
        del self.chats[chat_id].topics[thread_id]

    def messages(self, chat_id: int, thread_id: int | None = None) -> list[Message]:
        """Return the bot's messages in a chat or one of its topics, the deleted ones too."""
        return [
            message
            for message in self.chats[chat_id].messages.values()
            if message.sender_id is None and thread_id in {None, message.thread_id}
        ]

    def keep_file(self, filename: str, content: bytes, kind: str = "document") -> Json:
        """Store a file and return the Bot API's description of it."""
        file_id = f"file{len(self.files) + 1}"
        self.files[file_id] = (filename, content)
        return describe(file_id, filename, content, kind)

    def reach(self, chat_id: object, *, reading: bool = False) -> Chat:
        """Return the chat a request names, if the bot may speak of it at all.

        A public one may be read from outside.

        Raises:
            ApiError: there is no such chat for the bot.

        """
        if chat_id in {None, ""}:
            raise bad_request("chat_id is empty")
        if chat_id == self.bot_id:
            raise forbidden("the bot can't send messages to the bot")
        chat = self.find(chat_id)
        if chat is None and chat_id in self.users:
            raise forbidden("bot can't initiate conversation with a user")
        if chat is None:
            raise bad_request("chat not found")
        outside = chat.bot_status == "left"
        if outside and reading and chat.username:
            return chat
        if chat.trouble:
            raise chat.trouble
        if outside:
            raise (
                forbidden(f"bot is not a member of the {chat.named()}")
                if chat.username
                else bad_request("chat not found")
            )
        return chat

    def store(self, chat: Chat, message: Message) -> Message:
        """Put a message into its chat, or its new state over the old.

        A new post goes on into the linked group.
        """
        new = message.message_id not in chat.messages
        chat.messages[message.message_id] = message
        if new and chat.kind == "channel" and chat.linked:
            self._forward_automatically(chat, message, self.chats[chat.linked])
        return message

    def _forward_automatically(self, channel: Chat, post: Message, group: Chat) -> None:
        origin = {
            "type": "channel",
            "date": post.date,
            "chat": self.chat_json(channel),
            "message_id": post.message_id,
        }
        copy = replace(
            post,
            message_id=next(group.ids),
            chat_id=group.id,
            thread_id=None,
            reply_to=None,
            sender_id=SERVICE,
            sender_chat=channel.id,
            forward_origin=origin,
            automatic=True,
        )
        self.store(group, copy)
        if group.bot_status in {"member", "administrator"} and not group.trouble:
            self.updates.push("message", self.message_json(copy))

    def chat_json(self, chat: Chat) -> Json:
        """Return the Bot API's chat object."""
        user = self.users.get(chat.id, {})
        fields = {
            "id": chat.id, "type": chat.kind, "title": chat.title, "username": chat.username,
            "first_name": user.get("first_name"), "is_forum": chat.forum,
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value}

    def message_json(self, message: Message, *, replies: bool = True) -> Json:
        """Return the Bot API's message object."""
        chat = self.chats[message.chat_id]
        fields: dict[str, Any] = {
            "message_id": message.message_id,
            "date": message.date,
            "chat": self.chat_json(chat),
            **self._author(chat, message),
            **message.attachment,
        }
        if message.forward_origin:
            fields["forward_origin"] = message.forward_origin
        if message.automatic:
            fields["is_automatic_forward"] = True
        text = "caption" if message.attachment else "text"
        if message.text:
            fields[text] = message.text
        if message.entities:
            fields["caption_entities" if message.attachment else "entities"] = message.entities
        if message.reply_markup and "inline_keyboard" in message.reply_markup:
            fields["reply_markup"] = message.reply_markup
        if message.edits:
            fields["edit_date"] = int(time.time())
        if message.thread_id is not None:
            fields |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if replies:
            fields |= self._replied(chat, message)
        return fields

    def _add(self, chat: Chat, members: Mapping[int, str] | None) -> None:
        chat.members = dict(members or {})
        chat.bot_status = chat.members.pop(self.bot_id, chat.bot_status)
        for user_id in chat.members:
            self.person(user_id)
        self.chats[chat.id] = chat

    def person(self, user_id: int) -> Json:
        """Return a user, who need not have started the bot."""
        stranger = {"id": user_id, "is_bot": False, "first_name": f"User{user_id}"}
        return self.users.setdefault(user_id, stranger)

    def find(self, chat_id: object) -> Chat | None:
        """Return the chat of an id or of a public @name, whatever the bot may do there."""
        if isinstance(chat_id, int):
            return self.chats.get(chat_id)
        named = [c for c in self.chats.values() if c.username and c.kind != "private"]
        return next((c for c in named if f"@{c.username}" == chat_id), None)

    def _author(self, chat: Chat, message: Message) -> Json:
        if chat.kind == "channel":
            return {"sender_chat": self.chat_json(chat)}
        author: Json = {"from": self.person(message.sender_id or self.bot_id)}
        return author | (
            {"sender_chat": self.chat_json(self.chats[message.sender_chat])}
            if message.sender_chat
            else {}
        )

    def _replied(self, chat: Chat, message: Message) -> Json:
        """Return the message it answers; in a topic, people answer at least its first one."""
        target = chat.messages.get(message.reply_to or 0)
        if target:
            return {"reply_to_message": self.message_json(target, replies=False)}
        topic = chat.topics.get(message.thread_id or 0)
        if topic is None or message.thread_id is None or message.sender_id is None:
            return {}
        created = {"forum_topic_created": {"name": topic.name, "icon_color": 7322096}}
        first = Message(
            message.thread_id, chat.id, message.thread_id, "", [], None, None, silent=False,
            attachment=created, sender_id=message.sender_id,
        )  # fmt: skip
        return {"reply_to_message": self.message_json(first, replies=False)}
