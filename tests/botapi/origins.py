"""Where a forwarded message comes from, as the person who forwards it sees it.

Shows nothing of the world.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FromUser:
    """A person whose account may be linked to."""

    user_id: int


@dataclass(frozen=True, slots=True)
class FromHiddenUser:
    """A person who hides the account: only the name is left."""

    name: str


@dataclass(frozen=True, slots=True)
class FromChat:
    """A group in whose name an anonymous administrator wrote."""

    chat_id: int
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class FromChannel:
    """A post of a channel, which the bot need not be in."""

    chat_id: int
    message_id: int
    signature: str | None = None


Origin = FromUser | FromHiddenUser | FromChat | FromChannel
