"""Decide whether an alert that nobody has seen may go out, by those who want it now.

Asked anew whenever a subscription, a stance or a chat changes. No I/O, no clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.alerts import PRIORITIES, Priority, Stance
from bot.model.chats import AlertOptions


@dataclass(frozen=True, slots=True)
class Claim:
    """A subscription in force that matches an alert."""

    options: AlertOptions
    since: datetime  #: when the first article that it matches came


@dataclass(frozen=True, slots=True)
class UnsentAlert:
    """What decides about an alert that was not sent yet."""

    claims: Sequence[Claim]
    publishers: int  #: independent ones of its story
    stance: Stance | None = None  #: of the chat on its storyline
    followed: bool = False  #: it was made because the chat follows the storyline
    note: bool = False  #: a reply to an alert: it waits for no publishers and is never breaking
    loud: bool = False  #: such a reply with a sound: as urgent as those that want it


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an alert may go out."""

    priority: Priority | None = None  #: with which it goes out; None: it waits
    due_at: datetime | None = None  #: when it goes out even with too few publishers
    again: bool = False  #: enough publishers carry the story for a second alert
    rises_at: datetime | None = None  #: when the wait of a more urgent subscription ends


def readiness(alert: UnsentAlert, now: datetime) -> Readiness:
    """Return whether an alert may go out now, and else until when it waits."""
    if alert.stance is Stance.MUTE:
        return Readiness()
    options, count = [claim.options for claim in alert.claims], alert.publishers
    if alert.note:
        wanted = bool(options) or alert.followed or alert.stance is Stance.FOLLOW
        urgent = most_urgent(options) if alert.loud else max(most_urgent(options), Priority.NORMAL)
        return Readiness(urgent if wanted else None)
    again = any(0 < item.alert_again_at <= count for item in options)
    ends = _ends(alert.claims)
    over = [item for end, item in ends if end <= now]
    follows = alert.followed or alert.stance is Stance.FOLLOW
    if follows or enough(options, count):
        due_at, priority = None, release_priority(options, count, follows=follows)
        priority = min(priority, most_urgent(over)) if over else priority
    else:
        due_at = min((end for end, _ in ends), default=None)
        if not over:
            return Readiness(None, due_at, again)
        priority = most_urgent(over)
    later = (end for end, item in ends if end > now and PRIORITIES[item.urgency] < priority)
    return Readiness(priority, due_at, again, min(later, default=None))


def enough(options: Iterable[AlertOptions], publishers: int) -> bool:
    """Return whether any subscription waits for no further publisher."""
    return any(item.publishers <= publishers for item in options)


def first_due(options: Iterable[AlertOptions], since: datetime) -> datetime | None:
    """Return when an alert goes out even if too few publishers carry its story."""
    waits: list[timedelta] = [item.or_after for item in options if item.or_after is not None]
    return since + min(waits) if waits else None


def waited_priority(claims: Iterable[Claim], now: datetime) -> Priority | None:
    """Return that of the most urgent subscription whose wait is over; None where none has an end.

    Asked once a wait is over: the one that ends first is, whatever the clock said when it began.
    """
    ends = _ends(claims)
    if not ends:
        return None
    first = min(end for end, _ in ends)
    return most_urgent(item for end, item in ends if end <= max(now, first))


def _ends(claims: Iterable[Claim]) -> list[tuple[datetime, AlertOptions]]:
    """When the waits of those end that wait for a time."""
    return [
        (claim.since + claim.options.or_after, claim.options)
        for claim in claims
        if claim.options.or_after is not None
    ]


def most_urgent(options: Iterable[AlertOptions]) -> Priority:
    """Return the priority of the most urgent subscription."""
    return min((PRIORITIES[item.urgency] for item in options), default=Priority.NORMAL)


def release_priority(
    options: Collection[AlertOptions], publishers: int, *, follows: bool
) -> Priority:
    """Return the priority of an alert that waits for no further publisher.

    Who `follows` the storyline does not wait for publishers, but is not disturbed as though enough
    of them had the story: a breaking subscription that waits for them is a normal one.
    """
    if not follows:
        return ready_priority(options, publishers, most_urgent(options))
    at_most = max(most_urgent(options), Priority.NORMAL)
    return min(at_most, ready_priority(options, publishers, at_most))


def ready_priority(options: Iterable[AlertOptions], publishers: int, default: Priority) -> Priority:
    """Return that of the most urgent subscription that waits for no further publisher."""
    ready = (PRIORITIES[item.urgency] for item in options if item.publishers <= publishers)
    return min(ready, default=default)
