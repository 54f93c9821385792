"""Decide which new entries of a poll get no alert of their own, and learn what is usual of a feed.

A feed that shows its archive, or all of it under other names, must not alert for each article,
and a feed that publishes much must not be taken for one. Which entries are new is decided by
`entry_identity`. No I/O, no clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.changed import changed
from bot.model.entries import RECENT, NewEntry, Silence
from bot.model.feeds import FeedState

FLOOD_FLOOR = 10  #: that few new entries at once are never a flood
FRESH_FLOOR = 30  #: the same, for those dated after all known entries
MAX_TRUST = 2.0  #: floods in a row whose old articles are taken for an archive, at most
_STEP = 0.25  # what an ordinary poll adds to that or takes from it
_AHEAD = timedelta(hours=1)  # by that much clocks differ
_UNCOUNTED = frozenset({Silence.BASELINE, Silence.ARCHIVE})  # they say nothing of what is usual


@dataclass(frozen=True, slots=True)
class Guarded:
    """The new entries of a poll, and what the feed is known for after it."""

    entries: tuple[NewEntry, ...]
    state: FeedState
    flood: int = 0  #: how many new entries came at once; 0: an ordinary poll
    archived: int = 0  #: how many of these are the feed's archive


def guard(
    state: FeedState, new: Sequence[NewEntry], order: Sequence[int], now: datetime, *, cut: bool
) -> Guarded:
    """Mark the new entries that get no alert of their own, and learn from all.

    Args:
        state: the feed's before this poll.
        new: the new entries.
        order: the ids of the document's entries in its order; 0 for what was not read.
        now: when the feed was polled.
        cut: whether this document or an earlier one was too long to be read whole.
    """
    if state.baseline_at is None:
        silent = tuple(changed(entry, silent=Silence.BASELINE) for entry in new)
        return Guarded(silent, _learned(state, silent, now))
    old = _old(state, new, order, now)
    old_flood = len(old) > max(FLOOD_FLOOR, 3 * state.most_old)
    archive: set[int] = set()
    if state.trust >= 1 and old_flood:
        archive = old
    elif state.trust >= 1 and cut:
        # Of a document that is too long, the older part comes within reach bit by bit.
        begin = state.baseline_at - RECENT
        archive = {entry.id for entry in new if entry.published and entry.published < begin} & old
    told = [entry for entry in new if entry.id not in archive]
    flood = old_flood or _is_flood(state, told, now)
    entries = tuple(_marked(entry, archive, is_flood=flood) for entry in new)
    trust = state.trust
    if new:
        looks_old = bool(archive) or 2 * len(old) > len(new)
        trust += (-1 if archive and old_flood else -_STEP) if looks_old else _STEP
    learned = changed(
        _learned(state, entries, now),
        most_old=max(state.most_old, len(old - archive)),
        trust=min(max(trust, 0.0), MAX_TRUST),
    )
    return Guarded(entries, learned, len(new) if flood else 0, len(archive) if flood else 0)


def _marked(entry: NewEntry, archive: Collection[int], *, is_flood: bool) -> NewEntry:
    if entry.id in archive:
        return changed(entry, silent=Silence.ARCHIVE)
    return changed(entry, silent=Silence.FLOOD) if is_flood else entry


def _old(
    state: FeedState, new: Sequence[NewEntry], order: Sequence[int], now: datetime
) -> set[int]:
    """The new entries that look like old articles.

    By their dates: the last good poll would have shown them. Without a date by their place: below
    all known entries. A feed whose news looks like that loses `trust`, and then it counts as news.
    """
    last_ok = min(state.last_ok_at or now, now)
    newest = state.newest or last_ok
    new_ids = {entry.id for entry in new}
    known = [place for place, number in enumerate(order) if number and number not in new_ids]
    # Below may stand what the last poll left unread of its news.
    is_rest = state.cut and not state.body_hash
    below = set(order[known[-1] + 1 :]) if known and not is_rest else set[int]()
    return {
        entry.id
        for entry in new
        if (
            entry.published < last_ok - RECENT and entry.published <= newest
            if entry.published
            else entry.id in below
        )
    }


def _is_flood(state: FeedState, new: Sequence[NewEntry], now: datetime) -> bool:
    """Whether so many are new at once as the feed never had before."""
    newest = state.newest
    fresh = sum(
        bool(entry.published and newest and newest < entry.published <= now + _AHEAD)
        for entry in new
    )
    elapsed = (now - (state.last_ok_at or now)).total_seconds() / 3600
    usual = max(3 * state.most_new, int(3 * state.rate * elapsed))
    return len(new) - fresh > max(FLOOD_FLOOR, usual) or fresh > max(FRESH_FLOOR, usual)


def _learned(state: FeedState, new: Sequence[NewEntry], now: datetime) -> FeedState:
    """The state with what these entries say of the feed; a flood is what it does from now on."""
    dates = [
        entry.published for entry in new if entry.published and entry.published <= now + _AHEAD
    ]
    return changed(
        state,
        newest=max([*dates, state.newest] if state.newest else dates, default=None),
        most_new=max(state.most_new, _count(new)),
        rate=_rate(state, new, now),
    )


def _rate(state: FeedState, new: Sequence[NewEntry], now: datetime) -> float:
    """New entries an hour, decayed with a half-life of 50 hours.

    Of a first document it is taken from the dates.
    """
    if state.baseline_at is None or state.last_ok_at is None:
        dates = sorted(entry.published for entry in new if entry.published)
        span = (dates[-1] - dates[0]).total_seconds() / 3600 if len(dates) > 1 else 0.0
        return len(dates) / max(span, 1.0) if len(dates) > 1 else 0.0
    hours = max((now - state.last_ok_at).total_seconds() / 3600, 1e-4)
    keep: float = 0.5 ** (hours / 50)
    return state.rate * keep + (1 - keep) * _count(new) / hours


def _count(new: Sequence[NewEntry]) -> int:
    return sum(entry.silent not in _UNCOUNTED for entry in new)
