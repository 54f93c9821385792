"""What people do with messages: write, forward, change, remove, press buttons, react.

Each deed changes the world and queues the update a bot gets for it. Serves no request.
"""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import replace
from typing import Any, Final, assert_never

from .chats import Message
from .errors import Json
from .members import Membership
from .origins import FromChannel, FromChat, FromHiddenUser, FromUser, Origin
from .world import ANONYMOUS_ADMIN, CHANNEL_BOT

_FOUND: Final = re.compile(
    r"(?<![\w/<])(?P<bot_command>/\w{1,64}(?:@\w{3,32})?)(?![\w/])|(?P<url>https?://[^\s<>\"]+)",
    re.ASCII,
)


class People(Membership):
    """A world with people in it."""

    def __init__(self, bot_id: int) -> None:
        super().__init__(bot_id)
        #: callback queries the bot may still answer
        self.queries: set[str] = set()
        self._query_ids = itertools.count(1)

    def say(
        self,
        chat_id: int,
        user_id: int,
        text: str,
        thread_id: int | None = None,
        reply_to: int | None = None,
        *,
        anonymous_admin: bool = False,
        as_channel: int | None = None,
    ) -> int:
        """Let a person write; commands and links in the text become entities.

        In a channel the post has no author. In a group an anonymous administrator writes as the
        group, and `as_channel` is the channel in whose name the person writes.
        """
        sender_chat = chat_id if anonymous_admin else as_channel
        sender = (
            user_id if sender_chat is None else ANONYMOUS_ADMIN if anonymous_admin else CHANNEL_BOT
        )
        return self._write(
            chat_id, sender, text, thread_id=thread_id, reply_to=reply_to, sender_chat=sender_chat
        )

    def reopen_topic(self, chat_id: int, user_id: int, thread_id: int) -> int:
        """Let an administrator open a closed topic again: Telegram says so within it."""
        self.chats[chat_id].topics[thread_id].closed = False
        service: Json = {"forum_topic_reopened": {}}
        return self._write(chat_id, user_id, "", thread_id=thread_id, attachment=service)

    def upload(
        self,
        chat_id: int,
        user_id: int,
        filename: str,
        content: bytes,
        caption: str = "",
        thread_id: int | None = None,
    ) -> int:
        """Let a person send a document."""
        document = {"document": self.keep_file(filename, content)}
        return self._write(chat_id, user_id, caption, thread_id=thread_id, attachment=document)

    def forward(
        self, chat_id: int, user_id: int, origin: Origin, text: str, thread_id: int | None = None
    ) -> int:
        """Let a person forward a text from somewhere; the bot need not know the place."""
        return self._write(
            chat_id, user_id, text, thread_id=thread_id, forward_origin=self._origin_json(origin)
        )

    def edit(self, chat_id: int, message_id: int, text: str) -> int:
        """Let the author of a message change its text."""
        chat = self.chats[chat_id]
        message = chat.messages[message_id]
        entities = _entities(text)
        edited = replace(
            message, text=text, entities=entities, edits=[*message.edits, (text, entities)]
        )
        kind = "edited_channel_post" if chat.kind == "channel" else "edited_message"
        return self.updates.push(kind, self.message_json(self.store(chat, edited)))

    def remove(self, chat_id: int, message_id: int) -> None:
        """Let a person delete a message, also one of the bot; no update tells it."""
        chat = self.chats[chat_id]
        self.store(chat, replace(chat.messages[message_id], deleted=True))

    def backdate(self, chat_id: int, message_id: int, seconds: int) -> None:
        """Make a message that much older: some things can be done to young ones only."""
        chat = self.chats[chat_id]
        message = chat.messages[message_id]
        self.store(chat, replace(message, date=message.date - seconds))

    def press(self, chat_id: int, user_id: int, message_id: int, data: str) -> int:
        """Let a person press a button, also one the message no longer has.

        Anonymous administrators press under their own account: Telegram names who writes, not who
        presses, as the group.
        """
        chat = self.chats[chat_id]
        message = chat.messages[message_id]
        gone = {"chat": self.chat_json(chat), "message_id": message_id, "date": 0}
        query_id = f"{user_id}{next(self._query_ids):06}"
        self.queries.add(query_id)
        return self.updates.push(
            "callback_query",
            {
                "id": query_id,
                "from": self.person(user_id),
                "chat_instance": str(-chat_id),
                "message": gone if message.deleted else self.message_json(message),
                "data": data,
            },
        )

    def react(
        self,
        chat_id: int,
        user_id: int,
        message_id: int,
        emoji: str | None,
        *,
        anonymous_admin: bool = False,
    ) -> int | None:
        """Let a person react to a message, or take the reaction back with None.

        Return the update's id.

        None is returned where Telegram makes no update: in groups and channels the bot does not
        administer. Reactions in channels, and to what was forwarded from one automatically, are
        counted and name nobody.
        """
        chat = self.chats[chat_id]
        reactions = chat.reactions.setdefault(message_id, {})
        old = reactions.pop(user_id, None)
        if emoji:
            reactions[user_id] = emoji
        if chat.kind != "private" and chat.bot_status != "administrator":
            return None
        place: Json = {
            "chat": self.chat_json(chat),
            "message_id": message_id,
            "date": int(time.time()),
        }
        if chat.kind == "channel" or chat.messages[message_id].automatic:
            return self.updates.push(
                "message_reaction_count", place | {"reactions": _counted(list(reactions.values()))}
            )
        actor = (
            {"actor_chat": self.chat_json(chat)}
            if anonymous_admin
            else {"user": self.person(user_id)}
        )
        change = {"old_reaction": _reaction(old), "new_reaction": _reaction(emoji)}
        return self.updates.push("message_reaction", place | actor | change)

    def _write(
        self, chat_id: int, sender_id: int, text: str, *, reply_to: int | None = None, **more: Any
    ) -> int:
        self.person(sender_id)
        return self.publish(
            Message(
                next(self.chats[chat_id].ids),
                chat_id,
                more.pop("thread_id", None),
                text,
                _entities(text),
                None,
                reply_to,
                silent=False,
                sender_id=sender_id,
                **more,
            )
        )

    def _origin_json(self, origin: Origin) -> Json:
        date = {"date": int(time.time()) - 60}
        match origin:
            case FromUser():
                return {"type": "user", "sender_user": self.person(origin.user_id)} | date
            case FromHiddenUser():
                return {"type": "hidden_user", "sender_user_name": origin.name} | date
            case FromChat():
                return (
                    {"type": "chat", "sender_chat": self._place(origin.chat_id, "supergroup")}
                    | date
                    | _signature(origin)
                )
            case FromChannel():
                place = {
                    "type": "channel",
                    "chat": self._place(origin.chat_id, "channel"),
                    "message_id": origin.message_id,
                }
                return place | date | _signature(origin)
            case _:
                assert_never(origin)

    def _place(self, chat_id: int, kind: str) -> Json:
        known = self.chats.get(chat_id)
        return (
            self.chat_json(known)
            if known
            else {"id": chat_id, "type": kind, "title": f"Chat {chat_id}"}
        )


def _signature(origin: FromChat | FromChannel) -> Json:
    return {"author_signature": origin.signature} if origin.signature else {}


def _reaction(emoji: str | None) -> list[Json]:
    return [{"type": "emoji", "emoji": emoji}] if emoji else []


def _counted(emojis: list[str]) -> list[Json]:
    return [
        {"type": {"type": "emoji", "emoji": emoji}, "total_count": emojis.count(emoji)}
        for emoji in dict.fromkeys(emojis)
    ]


def _entities(text: str) -> list[Json]:
    return [
        {
            "type": match.lastgroup,
            "offset": len(text[: match.start()].encode("utf-16-le")) // 2,
            "length": len(match[0].encode("utf-16-le")) // 2,
        }
        for match in _FOUND.finditer(text)
    ]
