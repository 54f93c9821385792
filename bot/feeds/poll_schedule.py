"""Decide when to poll a feed again, and what a failure changes.

Sources: RFC 9111 §4.2 (freshness), RFC 9110 §10.2.3 (Retry-After), RSS 2.0 (ttl, skipHours,
skipDays), RSS Syndication module. Takes `now` and a random number; no I/O, no clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.model.changed import changed
from bot.model.feeds import Failure, FeedDue, FeedHints, FeedState, Freshness, Hint, Redirection

FLOOR = timedelta(minutes=5)
CEILING = timedelta(hours=24)
UNKNOWN = timedelta(minutes=30)  #: before a feed's rate is known
#: longest interval of a feed that published within the day
ACTIVE_CEILING = timedelta(hours=1)
FULL_AGAIN = timedelta(days=8)  #: some servers answer 304 forever
NOTICE_AFTER = timedelta(hours=24)
NOTICE_FAILURES = 3
GONE_PROOF = 3
MOVE_POLLS = 3
MOVE_SPAN = timedelta(hours=24)
#: how a feed fails whose site is down; the wait for it is never long
OUTAGES = frozenset({Failure.DNS, Failure.CONNECT, Failure.TLS, Failure.TIMEOUT, Failure.SERVER})
#: other failures that all feeds of a host have at once, and that end for all at once
_OF_HOSTS = frozenset(
    {
        Failure.NOT_FOUND,
        Failure.LOGIN,
        Failure.BLOCKED,
        Failure.HTTP,
        Failure.REDIRECT,
        Failure.ENCODING,
        Failure.NOT_A_FEED,
        Failure.CHANGED_PAGE,
        Failure.ROBOTS,
    }
)
_NOT_ITS_OWN = frozenset({Failure.LOCAL, Failure.SLOW_DOWN})  # no fault of the feed's
FREQUENT = timedelta(minutes=5)  #: `every` up to which a feed is tried again sooner than others
FREQUENT_BACK_OFF = timedelta(minutes=15)  #: longest wait of such a feed in an outage
OUTAGE_INTERVALS = 5  #: likewise, in intervals of the feed
BACK_OFF = timedelta(hours=1)  #: longest wait of the others
DOUBTFUL = timedelta(days=1)  #: how long any other failure counts as an outage
LOCAL_PAUSE = timedelta(seconds=30)  #: where newsbell itself lacks open files
LONGEST_WAIT = timedelta(days=7)  #: what a server may ask for at most
AS_PUBLISHED = "as often as it publishes"  #: the reason of an adaptive interval
EVERY = "every"  #: the reason of an interval that feeds.yaml sets
SLOW_READ = 0.5  #: seconds of a processor from which a document is slow to read
READ_SHARE = 0.005  #: of a processor's time that one such feed may take
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """When to look next, and why then."""

    at: datetime
    interval: timedelta
    reason: str
    hint: timedelta = timedelta(0)  #: that the publisher asks for and `every` overrules
    hint_reason: str = ""  #: in what it asks


def adaptive(state: FeedState, now: datetime) -> timedelta:
    """Half the usual time between two entries, an hour at most.

    Longer only for a feed that has been quiet for long.
    """
    if state.rate <= 0 and state.newest is None:
        return UNKNOWN
    by_rate = timedelta(hours=0.5 / state.rate) if state.rate > 1e-3 else CEILING
    quiet = max(now - state.newest, timedelta(0)) if state.newest else timedelta(0)
    return min(max(min(by_rate, max(ACTIVE_CEILING, quiet / 20)), FLOOR), CEILING)


def after_success(
    feed: FeedDue,
    state: FeedState,
    freshness: Freshness,
    now: datetime,
    chance: float,
    reading: float = 0.0,
) -> Plan:
    """The next poll after a 200 or 304: the interval of feeds.yaml, or ours with the hints.

    Software writes hints that nobody chose, so they raise no interval that feeds.yaml sets.
    Retry-After does, and so does a document that took long to read: `reading`, in seconds of a
    processor.
    """
    hints = (
        (state.hints.ttl, CEILING, Hint.TTL),
        (freshness.max_age, CEILING, Hint.MAX_AGE),
    )
    requests = (
        (freshness.retry_after, LONGEST_WAIT, "the server's Retry-After"),
        (_reading_pause(reading), CEILING, "it takes long to read"),
    )
    jitter = 1 + _JITTER * chance
    if feed.every:
        hint, hint_reason = _longest(feed.every, "", hints)
        if not hint_reason and (state.hints.skip_hours or state.hints.skip_days):
            hint_reason = Hint.SKIPS
        interval, reason = _longest(feed.every, EVERY, requests)
        hint = hint if hint > feed.every else timedelta(0)
        return Plan(now + interval * jitter, interval, reason, hint, hint_reason)
    interval, reason = _longest(adaptive(state, now), AS_PUBLISHED, (*hints, *requests))
    at = now + interval * jitter
    awake = max(at, min(skip(at, state.hints), now + CEILING * jitter))
    return Plan(awake, interval, reason if awake == at else Hint.SKIPS)


def _longest(
    interval: timedelta, reason: str, requests: Iterable[tuple[timedelta | None, timedelta, str]]
) -> tuple[timedelta, str]:
    """The longest of an interval and what is asked for, each with its limit and its reason."""
    for request, limit, why in requests:
        if request and min(request, limit) > interval:
            interval, reason = min(request, limit), why
    return interval, reason


def longest_wait(interval: timedelta, reason: str) -> timedelta:
    """Return how far ahead of a poll the next can have been planned, by its stored plan."""
    return (max(interval, CEILING) if reason == Hint.SKIPS else interval) * (1 + _JITTER)


def _reading_pause(seconds: float) -> timedelta | None:
    """The interval in which a document that is slow to read takes its share of a reader."""
    return timedelta(seconds=seconds / READ_SHARE) if seconds >= SLOW_READ else None


def skip(at: datetime, hints: FeedHints) -> datetime:
    """The first moment from `at` on whose GMT hour and day the feed does not ask to skip."""
    for _ in range(24 * 8):
        if at.hour not in hints.skip_hours and at.weekday() not in hints.skip_days:
            return at
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at


def after_failure(
    feed: FeedDue, state: FeedState, freshness: Freshness, now: datetime, chance: float
) -> Plan:
    """The next try after a failure: twice as long each time, but not before the server allows.

    A site that is down is up again within minutes or hours, so the wait stays short.
    """
    step = feed.every or FLOOR
    if state.failure is Failure.HOSTILE:
        step = max(step, FLOOR)
    interval = min(step * 2 ** min(state.failures - 1, 20), longest_back_off(feed, state, now))
    reason = f"failed {state.failures} times in a row" if state.failures > 1 else "failed once"
    if state.failure is Failure.GONE and state.gone >= GONE_PROOF:
        interval, reason = CEILING, "the server says it is gone for good"
    if state.failure is Failure.INTERNAL:
        interval, reason = step, "newsbell itself failed"
    if state.failure is Failure.LOCAL:
        interval, reason = min(step, LOCAL_PAUSE), "the machine was out of open files"
    asked = min(freshness.retry_after or timedelta(0), LONGEST_WAIT)
    if asked > interval:
        interval, reason = asked, "the server's Retry-After"
    return Plan(now + interval * (1 + _JITTER * chance), interval, reason)


def longest_back_off(feed: FeedDue, state: FeedState, now: datetime) -> timedelta:
    """Return the longest wait after a failure, before jitter is added.

    What is no outage may yet be one (a page that says so in place of the feed, a 404 while a site
    is moved), so it counts as one for a day.
    """
    if state.failure in OUTAGES:
        longest = BACK_OFF
        if feed.every and feed.every <= FREQUENT:
            longest = min(OUTAGE_INTERVALS * feed.every, FREQUENT_BACK_OFF)
        return longest / (1 + _JITTER)
    if now - (state.failing_since or now) < DOUBTFUL:
        return max(feed.every or FLOOR, BACK_OFF / (1 + _JITTER))
    return CEILING


def failures_over(failure: Failure | None) -> frozenset[Failure]:
    """How other feeds of a host fail that are worth a try when one feed's failure is over."""
    if failure in OUTAGES:
        return OUTAGES
    return frozenset({failure}) if failure in _OF_HOSTS else frozenset()


def conditional(state: FeedState, now: datetime) -> bool:
    """Whether to send the stored validators: always, but for one fetch in eight days."""
    # A time after now was stored while the clock was ahead, and says nothing.
    return state.full_at is not None and timedelta(0) <= now - state.full_at < FULL_AGAIN


def succeeded(state: FeedState, now: datetime) -> FeedState:
    """The state without its failures."""
    return changed(
        state,
        last_ok_at=now,
        last_poll_at=now,
        failures=0,
        failing_since=None,
        failure=None,
        failure_text="",
        noticed=False,
        gone=0,
    )


def failed(
    state: FeedState, failure: Failure, text: str, now: datetime, *, drop_validators: bool = False
) -> FeedState:
    """The state with a further failure. An adopted redirect that fails three times is undone."""
    failing = changed(
        state,
        last_poll_at=now,
        failures=_failures(state, failure),
        failing_since=min(state.failing_since or now, now),
        failure=failure,
        failure_text=text,
        gone=state.gone + 1 if failure is Failure.GONE else 0,
        redirection=None,
    )
    if drop_validators:
        failing = changed(failing, etag=None, last_modified=None)
    if failing.adopted_url and failing.failures >= 3:
        failing = changed(failing, adopted_url=None, etag=None, last_modified=None)
    return failing


def _failures(state: FeedState, failure: Failure) -> int:
    """How many failures count: not what the machine lacks, nor what the host refused to all."""
    if failure is Failure.LOCAL:
        return max(1, state.failures)
    is_first = state.failures == 1 and state.failure in _NOT_ITS_OWN and failure != state.failure
    return 1 if is_first else state.failures + 1


def refused(state: FeedState, failure: Failure, text: str, now: datetime) -> FeedState:
    """The state after a refusal of its host: nothing that delays the feed, and its turn is kept."""
    return changed(
        state,
        last_poll_at=now,
        failures=max(1, state.failures),
        failing_since=min(state.failing_since or now, now),
        failure=failure,
        failure_text=text,
    )


def notice_due(state: FeedState, now: datetime) -> bool:
    """After three failures or 24 hours, whichever is later; once.

    At once at the third 410, and at a fault of newsbell itself.
    """
    if state.failure is Failure.INTERNAL and not state.noticed:
        return True
    if state.noticed or state.failures < NOTICE_FAILURES or state.failing_since is None:
        return False
    return now - state.failing_since >= NOTICE_AFTER or state.gone >= GONE_PROOF


def redirected(state: FeedState, permanent_url: str | None, now: datetime) -> FeedState:
    """Count polls that saw a permanent redirect; adopt it after three polls over a day.

    So a 301 that was meant to be temporary changes nothing.
    """
    if permanent_url is None:
        return changed(state, redirection=None) if state.redirection else state
    seen = state.redirection
    if seen is None or seen.url != permanent_url:
        return changed(state, redirection=Redirection(permanent_url, 1, now))
    seen = replace(seen, polls=seen.polls + 1, since=min(seen.since, now))
    if seen.polls >= MOVE_POLLS and now - seen.since >= MOVE_SPAN:
        return changed(state, adopted_url=permanent_url, redirection=None)
    return changed(state, redirection=seen)
