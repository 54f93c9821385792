"""Decide whether a feed that is read without fault has stopped to publish.

A feed has its own rhythm: nights, weekends, weeks. What is remembered of it is how many pauses it
made and how long the longest was, both of which fade within months. A pause that is far longer
than that is unlikely: the fewer pauses are known, the longer it has to be. Takes `now`; no I/O.

Not whether a feed can be read: one that fails says nothing about what it publishes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from bot.model.changed import changed
from bot.model.entries import RECENT, NewEntry, Silence
from bot.model.feeds import FeedState

LEARN = timedelta(days=14)  #: for which a feed is watched first: two of its weekends
FEWEST_PAUSES = 10  #: that have to be known of it
FADES = timedelta(days=90)  #: in which what is remembered of its pauses halves
TIMES_LONGEST = 2.0  #: how many of its longest pauses are a silence, where very many are known
UNLIKELY = 1000.0  #: one pause of so many is longer than all others by chance
UNWATCHED = timedelta(
    hours=1
)  #: beyond two intervals without a poll, after which no pause is known
_LATEST = 0.2  # weight of the newest delay


def with_news(state: FeedState, before: FeedState, new: Iterable[NewEntry]) -> FeedState:
    """Return the state of a feed after a poll without fault, with what its news say of its rhythm.

    `before` is the state before the poll, `state.last_poll_at` its time.
    """
    now = state.last_poll_at
    if now is None:
        return state
    if before.baseline_at is None or before.rhythm_at is None or before.news_at is None:
        return changed(
            state, rhythm_at=now, news_at=now, pauses=0.0, longest_pause=0.0, stopped=False
        )
    news = [entry for entry in new if entry.silent not in {Silence.BASELINE, Silence.ARCHIVE}]
    if not news:
        return state
    pause = now - before.news_at
    state = changed(state, news_at=now, stopped=False, delay=_delay(before.delay, news))
    if before.last_ok_at is None or now - before.last_ok_at > 2 * before.interval + UNWATCHED:
        return state  # newsbell did not run, or the feed failed: when it published, nobody knows
    kept = 0.5 ** (pause / FADES)
    return changed(
        state,
        pauses=before.pauses * kept + 1,
        longest_pause=max(pause.total_seconds(), before.longest_pause * kept),
    )


def is_silent(state: FeedState, now: datetime) -> bool:
    """Whether the pause of a feed is one that its history makes unlikely."""
    if state.rhythm_at is None or state.news_at is None or state.pauses < FEWEST_PAUSES:
        return False
    longest = timedelta(seconds=state.longest_pause)
    times = max(TIMES_LONGEST, sqrt(UNLIKELY / (state.pauses + 1)))
    return (
        state.news_at - state.rhythm_at >= LEARN
        and now - state.news_at > times * longest + 2 * state.interval
    )


def _delay(before: float | None, news: list[NewEntry]) -> float | None:
    """Seconds from the publication of an article to its sight, as a rule."""
    delays = [
        (entry.first_seen_at - entry.published).total_seconds()
        for entry in news
        if entry.published and timedelta(0) <= entry.first_seen_at - entry.published < RECENT
    ]
    if not delays:
        return before
    latest = median(delays)
    return latest if before is None else before + _LATEST * (latest - before)
