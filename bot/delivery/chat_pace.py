"""Decide when a chat outside Telegram may be sent to: a gap, and a number within a span.

Each such chat has its service for itself: what one is told does not concern the others. What was
sent before a start is forgotten; a service that minds says so, and is waited for. Takes `now`;
sends nothing.
"""

from collections import deque
from datetime import datetime

from bot.model.abilities import ABILITIES
from bot.model.chats import ChatKind
from bot.model.clock import ClockStep

_REMEMBERED = 1000  #: chats


class ChatPace:
    """Recent sends of each chat."""

    def __init__(self) -> None:
        self._sends: dict[int, deque[datetime]] = {}

    def allowed_at(self, kind: ChatKind, chat_id: int, now: datetime) -> datetime:
        """Return when the chat may be sent to; `now` for at once."""
        abilities, sends = ABILITIES[kind], self._sends.get(chat_id)
        if not sends:
            return now
        moments = [now, min(sends[-1], now) + abilities.gap]
        if abilities.budget and len(sends) >= abilities.budget:
            moments.append(min(sends[-abilities.budget], now) + abilities.span)
        return max(moments)

    def begin(self, kind: ChatKind, chat_id: int, now: datetime) -> None:
        """A send starts."""
        abilities = ABILITIES[kind]
        if not abilities.gap and not abilities.budget:
            return
        sends = self._sends.setdefault(chat_id, deque(maxlen=max(abilities.budget, 1)))
        sends.append(now)
        if len(self._sends) > _REMEMBERED:
            self._sends.pop(next(iter(self._sends)))

    def clock_set(self, step: ClockStep) -> None:
        """Move all remembered times with the clock, which somebody set."""
        for sends in self._sends.values():
            moved = [step.happened_at(at) for at in sends]
            sends.clear()
            sends.extend(moved)
