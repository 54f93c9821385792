"""Telegram's flood limits, as far as they are known. Takes the time as an argument."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

BURST: Final = 3
PER_CHAT: Final = (1, 1.0)
PER_GROUP: Final = (20, 60.0)
OVERALL: Final = (30, 1.0)


@dataclass(frozen=True)
class Violation:
    """One request that came too soon."""

    #: `chat`, `group` or `overall`
    limit: str
    chat_id: int
    method: str
    #: on the server's clock
    time: float
    #: what the 429 said
    retry_after: int


@dataclass
class _Window:
    most: int
    seconds: float
    times: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        return self.times[0] + self.seconds - now if len(self.times) >= self.most else 0.0


@dataclass
class FloodGate:
    """One message a second in a chat after a small burst, 20 a minute in a group, 30 a second."""

    chats: dict[int, float] = field(default_factory=dict)
    groups: dict[int, _Window] = field(default_factory=lambda: defaultdict(_group_window))
    overall: _Window = field(default_factory=lambda: _Window(*OVERALL))

    def admit(
        self, method: str, chat_id: int, now: float, *, group: bool, edit: bool
    ) -> Violation | None:
        """Count a request, or return the limit it breaks. An edit has no limit in its chat."""
        ready = self.chats.get(chat_id, -math.inf)
        waits = {
            "overall": self.overall.wait(now),
            "group": self.groups[chat_id].wait(now) if group else 0.0,
            "chat": 0.0 if edit else ready - (BURST - 1) * PER_CHAT[1] - now,
        }
        limit, wait = max(waits.items(), key=lambda item: item[1])
        if wait > 0:
            return Violation(limit, chat_id, method, now, max(1, math.ceil(wait)))
        self.overall.times.append(now)
        if group:
            self.groups[chat_id].times.append(now)
        if not edit:
            self.chats[chat_id] = max(ready, now) + PER_CHAT[1]
        return None


def _group_window() -> _Window:
    return _Window(*PER_GROUP)
