"""A message, a topic and a chat as Telegram keeps them.

Values and state, no rules but their own names.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .errors import ApiError, Json

GENERAL_TOPIC: Final = 1
_NAMES: Final = {
    "private": "private chat", "group": "group chat",
    "supergroup": "supergroup chat", "channel": "channel chat",
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A message of the bot or of a person, as it is now."""

    message_id: int
    chat_id: int
    #: the forum topic, or None
    thread_id: int | None
    #: the text shown, or the caption of a file
    text: str
    #: as the Bot API gives them: dicts with offsets in UTF-16 units
    entities: list[Json]
    reply_markup: Json | None
    #: the id of the message it answers
    reply_to: int | None
    silent: bool
    #: what each edit of the text changed it to, in order
    edits: list[tuple[str, list[Json]]] = field(default_factory=list)
    deleted: bool = False
    #: link_preview_options as sent
    link_preview: Json | None = None
    #: the file or the service part, as the Bot API shows it
    attachment: Json = field(default_factory=dict)
    #: the user who wrote it; None is the bot
    sender_id: int | None = None
    #: the chat in whose name it was written: the group of an anonymous administrator, or a channel
    sender_chat: int | None = None
    #: where it was forwarded from, as the Bot API shows it
    forward_origin: Json | None = None
    #: whether Telegram itself forwarded it from the linked channel
    automatic: bool = False
    date: int = field(default_factory=lambda: int(time.time()))

    @property
    def keyboard(self) -> list[list[Json]]:
        """The rows of its inline keyboard; none where it has none."""
        rows: list[list[Json]] = (self.reply_markup or {}).get("inline_keyboard", [])
        return rows


@dataclass
class Topic:
    """A topic of a forum."""

    name: str
    closed: bool = False


@dataclass
class Chat:
    """A chat and everything in it."""

    id: int
    kind: str
    title: str = ""
    username: str | None = None
    forum: bool = False
    members: dict[int, str] = field(default_factory=dict)
    bot_status: str = "member"
    #: rights of administrators, the bot among them, that differ from the usual
    rights: dict[int, dict[str, bool]] = field(default_factory=dict)
    #: the discussion group of a channel, the channel of a discussion group
    linked: int | None = None
    #: emoji by message and user
    reactions: dict[int, dict[int, str]] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(2))
    #: what every request about the chat gets: blocked, kicked, deleted, upgraded
    trouble: ApiError | None = None
    restricted: bool = False

    @property
    def is_group(self) -> bool:
        """Say whether the limits of groups hold here."""
        return self.kind in {"group", "supergroup"}

    def named(self) -> str:
        """Return what error texts call it."""
        return _NAMES[self.kind]
