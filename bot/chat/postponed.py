"""Updates whose handling takes long: stored as JSON, and how many of each chat wait.

They are stored as the task of a screen, so that a crash loses none. Handles nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bot.model.chat_events import ChatUpdate, Command, Press, Text, WrittenMessage

WAITING = 5  #: postponed updates of one chat at a time; more are refused

_KINDS: Mapping[str, type[ChatUpdate]] = {kind.__name__: kind for kind in (Command, Text, Press)}


class Postponed:
    """How many postponed updates of each chat are not handled yet. A restart forgets them."""

    def __init__(self) -> None:
        self._waiting: Counter[int] = Counter()

    def waiting(self, chat_id: int) -> int:
        """Return how many of a chat wait."""
        return self._waiting[chat_id]

    def is_full(self, chat_id: int) -> bool:
        """Whether no other may wait."""
        return self._waiting[chat_id] >= WAITING

    def add(self, chat_id: int) -> None:
        """Count another one."""
        self._waiting[chat_id] += 1

    def done(self, chat_id: int) -> None:
        """One of a chat was handled, or is given up."""
        self._waiting[chat_id] -= 1
        if self._waiting[chat_id] <= 0:
            del self._waiting[chat_id]


def can_wait(update: ChatUpdate) -> bool:
    """Whether an update can be stored: it brings no document."""
    has_upload = isinstance(update, WrittenMessage) and update.upload is not None
    return type(update).__name__ in _KINDS and not has_upload


def stored(update: ChatUpdate) -> Mapping[str, Any]:
    """Return an update as JSON. Inverse of `restored`."""
    values = {
        field.name: getattr(update, field.name)
        for field in fields(update)
        if field.name != "upload"
    }
    return {"kind": type(update).__name__, "update": values}


def restored(values: Mapping[str, Any]) -> ChatUpdate:
    """Return an update from its JSON."""
    return _KINDS[values["kind"]](**values["update"])
