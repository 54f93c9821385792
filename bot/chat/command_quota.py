"""How many updates one person may send in a minute. In memory; a restart forgets them."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.model.chat_events import ChatUpdate

_PERSONS = 10_000  # whose times are remembered before old ones are dropped
_SPAN = timedelta(minutes=1)


class CommandQuota:
    """Counts the updates of each person, and of each chat where nobody is known."""

    def __init__(self, per_minute: Callable[[], int]) -> None:
        self._per_minute = per_minute
        self._times: dict[int, deque[datetime]] = {}

    def exceeded(self, update: ChatUpdate, now: datetime) -> bool:
        """Count an update; whether it is one too many of this minute. Those do not count."""
        sender = update.user_id or update.address
        times = self._times.setdefault(sender, deque(maxlen=self._per_minute()))
        full = len(times) == times.maxlen and times[0] > now - _SPAN
        if not full:
            times.append(now)
        if len(self._times) > _PERSONS:
            self._times = {
                person: recent
                for person, recent in self._times.items()
                if recent and recent[-1] > now - _SPAN
            }
        return full
