"""How much people may ask for: of each person, and of all who only read in a group.

In memory; a restart forgets it.
"""

from collections import deque
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

from bot.model.chat_events import ChatUpdate

GROUP_REPLIES = 8  #: replies a minute in a group to people who only read there
SAME_COMMAND = timedelta(seconds=20)  #: in which a group gets one reply to the same command
_SENDERS = 10_000  # whose times are remembered: those who wrote last
_SPAN = timedelta(minutes=1)


class _Times:
    """The newest times by sender."""

    def __init__(self) -> None:
        self._times: dict[Hashable, deque[datetime]] = {}

    def take(self, sender: Hashable, limit: int, now: datetime) -> bool:
        """Count a time; False where it is one too many of this minute. Those do not count."""
        times = self._times.pop(sender, None) or deque(maxlen=limit)
        if times.maxlen != limit:  # a saved feeds.yaml changed it
            times = deque(times, maxlen=limit)
        self._times[sender] = times
        if times and times[-1] > now:  # the clock was set back: those times say nothing
            times.clear()
        free = len(times) < limit or times[0] <= now - _SPAN
        if free:
            times.append(now)
        if len(self._times) > _SENDERS:
            del self._times[next(iter(self._times))]
        return free


class CommandQuota:
    """Counts the updates of each person, and of each chat where nobody is known."""

    def __init__(self, per_minute: Callable[[], int]) -> None:
        self._per_minute, self._times = per_minute, _Times()

        self._told = _Times()

    def exceeded(self, update: ChatUpdate, now: datetime) -> bool:
        """Count an update; whether it is one too many of this minute. Those do not count."""
        sender = update.user_id or update.address
        return not self._times.take(sender, self._per_minute(), now)

    def is_told(self, update: ChatUpdate, now: datetime) -> bool:
        """Whether somebody is told of it: once a minute, or nobody knows why no reply comes."""
        return self._told.take(update.user_id or update.address, 1, now)


class LookQuota:
    """Counts the hosts that newsbell looks at for a person in an hour, each once."""

    def __init__(self) -> None:
        self._seen: dict[int, dict[str, datetime]] = {}

    def take(self, update: ChatUpdate, host: str, limit: int, now: datetime) -> bool:
        """Count a host; False where it is one too many. Those do not count."""
        sender = update.user_id or update.address
        since = now - timedelta(hours=1)
        hosts = {name: at for name, at in self._seen.get(sender, {}).items() if at > since}
        if host not in hosts and len(hosts) >= limit:
            return False
        self._seen.pop(sender, None)
        self._seen[sender] = {**hosts, host: now}
        if len(self._seen) > _SENDERS:
            del self._seen[next(iter(self._seen))]
        return True


class GroupQuota:
    """Bounds the replies of a group to those who only read there.

    A group takes 20 messages a minute from a bot, of which its alerts need a part. What its
    administrators change is not counted: nobody can silence them.
    """

    def __init__(self) -> None:
        self._times = _Times()
        self._answered: dict[tuple[int, Hashable], datetime] = {}

    def exceeded(self, address: int, question: Hashable, now: datetime) -> bool:
        """Count a question; whether it gets no reply.

        `question` is None where the same question may be asked again at once.
        """
        self._answered = {
            key: at for key, at in self._answered.items() if at > now - SAME_COMMAND and at <= now
        }
        key = (address, question)
        if question is not None and key in self._answered:
            return True
        if not self._times.take(address, GROUP_REPLIES, now):
            return True
        self._answered[key] = now
        return False

    def changed(self, address: int) -> None:
        """Something changed in a group: the same question has another answer now."""
        self._answered = {key: at for key, at in self._answered.items() if key[0] != address}
