"""Remember at which chats newsbell itself failed, and when each is tried again. No I/O, no clock.

The fault of one chat must neither stop the others nor be tried again without a pause.
"""

from collections.abc import Collection
from datetime import datetime

from bot.delivery.policy import backoff

REMEMBERED = 1000  #: chats above which those that may be tried again are forgotten


class ChatFaults:
    """Chats that wait because of an error of newsbell itself."""

    def __init__(self) -> None:
        self._faults: dict[int, tuple[int, datetime]] = {}  # chat to failures and next try

    def failed(self, chat_id: int, now: datetime) -> int:
        """Let the chat wait, longer each time; how often it has failed in a row."""
        count = self._faults.get(chat_id, (0, now))[0] + 1
        self._faults[chat_id] = (count, now + backoff(count))
        if len(self._faults) > REMEMBERED:
            waiting = self.waiting(now)
            self._faults = {chat: row for chat, row in self._faults.items() if chat in waiting}
        return count

    def works(self, chat_ids: Collection[int]) -> None:
        """Forget the faults of these chats."""
        for chat_id in chat_ids:
            self._faults.pop(chat_id, None)

    def waiting(self, now: datetime) -> set[int]:
        """The chats that are not to be tried yet; none longer than the longest pause."""
        return {
            chat_id
            for chat_id, (count, at) in self._faults.items()
            if now < at <= now + backoff(count)
        }

    def next_at(self, now: datetime) -> datetime | None:
        """When the next of the chats that wait is to be tried."""
        waiting = self.waiting(now)
        return min((self._faults[chat_id][1] for chat_id in waiting), default=None)
