"""Decide how often a host may be asked: what its refusals teach, and how that is forgotten again.

A refusal says that the time since the request before was too short. So the host is left alone for
a while, and asked at a longer interval from then on. The interval is shortened where it held: after
some requests that came one soon after the other, or after some hours. Where a shorter one is
refused, the proven one returns, and the next try takes twice as long to come.

No I/O, no clock; times are those of the wall clock.
"""

from datetime import datetime, timedelta
from enum import Enum

from bot.feeds.poll_schedule import LONGEST_WAIT, OUTAGES
from bot.model.changed import changed
from bot.model.feeds import Failure, FeedDue, FetchFailed, FetchOutcome
from bot.model.hosts import PATIENCE, HostPace

#: interval from which a host is not waited for: its feeds are given back, the database says when
HELD = timedelta(seconds=5)
FIRST_LESSON = timedelta(minutes=1)  #: interval after a first refusal, unless it asks for less
LONGEST_LESSON = timedelta(minutes=10)  #: to which it grows at once after a further one
LONGEST = timedelta(hours=1)  #: longest interval, and wait after refusals that name no time
MARGIN = timedelta(minutes=1)  #: wait that is doubled where a host asks for less
QUIET = timedelta(hours=1)  #: without a refusal, after which a shorter interval is tried as well
ALONE = timedelta(hours=1)  #: after which refusals are a feed's own that no other of its host gets
MAX_PATIENCE = 320  #: requests let in before a shorter interval is tried, at most
LONGEST_PAUSE = timedelta(minutes=4)  #: to which the waits of a host grow that names short ones
ASKED = "it asked for fewer requests"  #: the reason of a wait
REFUSED_MORE = "it refused more requests"  #: likewise
AS_SET = "feeds.yaml says so"  #: likewise
#: failures of which nobody knows whether the host minds requests
_UNHEARD = OUTAGES | {
    Failure.BLOCKED,
    Failure.SLOW_DOWN,
    Failure.LOCAL,
    Failure.PRIVATE,
    Failure.INTERNAL,
}
_SOON = 1.5  # intervals within which a request counts as one soon after the other
_NONE = timedelta(0)


class Refusal(Enum):
    """What an answer asks of its host."""

    NO = "no"
    PAUSE = "pause"  #: it names a time until which the host is to be left alone
    LIMIT = "limit"  #: there were too many requests
    NOT_ITS_OWN = "not its own"  #: nothing, and what it seemed to ask last time was the feed's


def refusal(
    feed: FeedDue, answer: FetchOutcome, pace: HostPace, now: datetime, *, others_work: bool
) -> tuple[Refusal, bool]:
    """Return what an answer asks of its host, and whether the feed was refused with it.

    `others_work` says that the host has other feeds, and answered for this one or for them. Then a
    403 is the host's, unless this feed alone gets it twice while the host was left alone between;
    and what is the host's otherwise is the feed's own where it alone has been refused for long.
    """
    failure = answer.failure if isinstance(answer, FetchFailed) else None
    if failure and others_work and _is_refused_alone(feed, failure, pace, now):
        return Refusal.NO, False
    if failure is Failure.SLOW_DOWN:
        return Refusal.LIMIT, True
    if failure is Failure.BLOCKED and (
        answer.freshness.retry_after or (others_work and _is_throttle(feed, pace))
    ):
        return Refusal.LIMIT, True
    if answer.freshness.retry_after:
        return Refusal.PAUSE, failure is not None
    if failure is Failure.BLOCKED and feed.state.failure is Failure.SLOW_DOWN:
        return Refusal.NOT_ITS_OWN, False
    return Refusal.NO, False


def _is_refused_alone(feed: FeedDue, failure: Failure, pace: HostPace, now: datetime) -> bool:
    """Whether a feed has been refused for long, while its host let others in."""
    kind = Failure.SLOW_DOWN if failure is Failure.BLOCKED else failure
    since = now - (feed.state.failing_since or now)
    return feed.state.failure is kind and pace.refusals == 0 and since >= ALONE


def _is_throttle(feed: FeedDue, pace: HostPace) -> bool:
    """Whether a 403 means the host: it refused several feeds, or this one for the first time."""
    return pace.refusals >= 2 or feed.state.failure not in {Failure.BLOCKED, Failure.SLOW_DOWN}


def after_answer(
    pace: HostPace, answer: FetchOutcome, kind: Refusal, spacing: timedelta, now: datetime
) -> HostPace:
    """Return the pace after an answer; `spacing` is the interval that feeds.yaml sets."""
    asked = answer.freshness.retry_after
    if kind is Refusal.LIMIT:
        return _refused(pace, asked, now)
    if kind is Refusal.NOT_ITS_OWN:
        # Further feeds that are refused now are a sign that it was the host after all.
        return HostPace(refusals=pace.refusals, asked_at=now)
    paced = _let_in(pace, now) if _is_let_in(answer) else changed(pace, asked_at=now)
    if kind is Refusal.PAUSE and asked:
        return _paused(paced, answer, asked, now)
    interval = max(paced.interval, spacing)
    if interval < HELD:
        return changed(paced, not_before=None, reason="")
    reason = REFUSED_MORE if paced.interval > spacing else AS_SET
    return changed(paced, not_before=now + interval, reason=reason)


def needs_storing(before: HostPace, after: HostPace, now: datetime) -> bool:
    """Whether a pace has something that has to outlive the process, or had."""
    return any(
        pace.interval or pace.proven or pace.refusals or (pace.not_before and pace.not_before > now)
        for pace in (before, after)
    )


def _is_let_in(answer: FetchOutcome) -> bool:
    """Whether the host answered as it does where it minds no request."""
    return not isinstance(answer, FetchFailed) or answer.failure not in _UNHEARD


def _paused(pace: HostPace, answer: FetchOutcome, asked: timedelta, now: datetime) -> HostPace:
    """The pace after Retry-After alone. Where it comes with failures, short waits grow a little."""
    wait = min(asked, LONGEST_WAIT)
    if isinstance(answer, FetchFailed):
        pace = changed(pace, refusals=pace.refusals + 1)
        wait = max(wait, min(HELD * 2 ** min(pace.refusals - 1, 10), LONGEST_PAUSE))
    return changed(pace, not_before=now + wait, reason=ASKED)


def _refused(pace: HostPace, asked: timedelta | None, now: datetime) -> HostPace:
    gap, refusals = _gap(pace, now), pace.refusals + 1
    interval, patience = pace.interval, pace.patience
    # Further refusals in a row teach nothing: the host is left alone for longer.
    if refusals == 1 or not interval:
        interval, patience = _lesson(pace, asked, gap)
    wait = min(interval * 2 ** min(refusals - 1, 10), LONGEST)
    if asked:
        # Many a host names a time that is too short.
        wait = max(wait, asked, min(2 * asked, MARGIN))
    return HostPace(
        not_before=now + min(wait, LONGEST_WAIT),
        reason=ASKED,
        interval=interval,
        # After a long time without requests it did not refuse for their number.
        refused_interval=gap if gap < interval else _NONE,
        since=now,
        patience=patience,
        refusals=refusals,
        asked_at=now,
    )


def _lesson(pace: HostPace, asked: timedelta | None, gap: timedelta) -> tuple[timedelta, int]:
    """The interval, and the patience with it, after a refusal that follows on an answer."""
    if pace.proven:
        return pace.proven, min(2 * pace.patience, MAX_PATIENCE)
    if pace.interval:
        longer = max(2 * pace.interval, min(1.25 * gap, LONGEST_LESSON))
        return min(longer, LONGEST), pace.patience
    return min(max(asked or FIRST_LESSON, HELD), FIRST_LESSON), pace.patience


def _let_in(pace: HostPace, now: datetime) -> HostPace:
    is_soon = pace.asked_at is not None and _gap(pace, now) <= _SOON * pace.interval
    pace = changed(pace, refusals=0, asked_at=now)
    if not pace.interval:
        # For a while it is remembered what held, so that a refusal now does not begin anew.
        is_over = pace.proven and now - min(pace.since or now, now) >= QUIET
        return HostPace(asked_at=now) if is_over else pace
    held = pace.held + is_soon
    quiet = now - min(pace.since or now, now)
    if held < pace.patience and quiet < QUIET * (pace.patience / PATIENCE):
        return changed(pace, held=held)
    return _shortened(pace, now)


def _shortened(pace: HostPace, now: datetime) -> HostPace:
    """The pace with a shorter interval to be tried, halfway to what was refused."""
    refused, patience = pace.refused_interval, pace.patience
    if pace.proven:  # the last try held, so the limit is elsewhere than it was
        refused, patience = refused / 2, max(patience // 2, PATIENCE)
    interval = max(pace.interval / 2, (pace.interval + refused) / 2)
    if interval < HELD:
        return HostPace(proven=HELD, since=now, patience=patience, asked_at=now)
    return changed(
        pace,
        interval=interval,
        proven=pace.interval,
        refused_interval=refused,
        since=now,
        held=0,
        patience=patience,
    )


def _gap(pace: HostPace, now: datetime) -> timedelta:
    """The time since the last answer; zero where there was none."""
    return max(now - pace.asked_at, _NONE) if pace.asked_at else _NONE
