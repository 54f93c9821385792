"""Decide when a chat is quiet, when its digest is due, and how what waits becomes messages.

Times of the day are the chat's own, so they move with its clock when that changes: a time that a
spring night leaves out counts at the moment after the gap; of a time that an autumn night has
twice, the first counts for a beginning and the second for an end. Takes `now`; no I/O.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.model.abilities import ABILITIES
from bot.model.alerts import BundleKind
from bot.model.schedule import ChatSchedule, Page, SchedulePlan, WaitingStory

DIGEST_AT = (8 * 60,)  #: where a chat does not say: eight in the morning, in minutes of the day
PAGE_STORIES = 25  #: stories of one message
PAGE_LENGTH = 3_300  #: characters of their lines; the rest is for heading and spacing
_LINE = 70  # characters of a story's line beside its headline
_DAY = timedelta(days=1)


def plan(chat: ChatSchedule, zone: tzinfo, now: datetime) -> SchedulePlan:
    """What the chat's clock says at this moment."""
    settings, most = chat.chat.settings, ABILITIES[chat.chat.kind].stories
    quiet = settings.quiet or (0, 0)
    until = quiet_until(quiet, zone, now)
    pages: list[Page] = []
    if until is None and chat.quiet_until is not None:
        waiting = [story for story in chat.waiting if not story.digest]
        if len(waiting) > 1:
            pages += _pages(BundleKind.CATCH_UP, waiting, most)
    times = DIGEST_AT if settings.digest_at is None else settings.digest_at
    digest = [story for story in chat.waiting if story.digest]
    # A time after now was stored while the clock was ahead.
    last_digest = min(chat.digested_at or now, now)
    due = chat.digested_at is not None and _last(times, zone, now) > last_digest
    enough = bool(settings.digest_from) and len(digest) >= (settings.digest_from or 0)
    # While it is quiet nothing could be sent; and a page does not go out earlier if a story on it
    # becomes breaking.
    if until is None and digest and (due or enough or (not times and not settings.digest_from)):
        pages += _pages(BundleKind.DIGEST, digest, most)
    digested = now if due and until is None else last_digest
    moments = [until] if until else [_next(quiet[0], zone, now)] if quiet[0] != quiet[1] else []
    moments += [_next(minutes, zone, now) for minutes in times]
    moments += [chat.rises_at] if chat.rises_at else []
    next_at = min(moments, default=None)
    # A digest that comes due while it is quiet goes out when that ends.
    digest_at = until if until and due else _after_quiet(times, quiet, zone, now)
    return SchedulePlan(chat.chat.id, until, digested, next_at, tuple(pages), digest_at)


def quiet_until(quiet: tuple[int, int], zone: tzinfo, now: datetime) -> datetime | None:
    """The end of the quiet hours that this moment lies in; None where it is not quiet."""
    begins, ends = quiet
    if begins == ends:
        return None
    today = now.astimezone(zone).date()
    for day in (today - _DAY, today):
        start = _moment(datetime.combine(day, _time(begins)), zone)
        last = datetime.combine(day if ends > begins else day + _DAY, _time(ends))
        # The later one where clocks show it twice, or not at all.
        end = max(_moment(last, zone), _moment(last, zone, fold=1))
        if start <= now < end:
            return end
    return None


def _after_quiet(
    times: Iterable[int], quiet: tuple[int, int], zone: tzinfo, now: datetime
) -> datetime | None:
    """When the next of these times of the day comes, or the quiet hours that it lies in end."""
    at = min((_next(minutes, zone, now) for minutes in times), default=None)
    return at and (quiet_until(quiet, zone, at) or at)


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _moment(local: datetime, zone: tzinfo, fold: int = 0) -> datetime:
    """A local time as a moment.

    Within a gap, the moment as if clocks changed after it, or with `fold` before it.
    """
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _days(zone: tzinfo, now: datetime) -> list[datetime]:
    today = datetime.combine(now.astimezone(zone).date(), time())
    return [today - _DAY, today, today + _DAY]


def _last(times: Iterable[int], zone: tzinfo, now: datetime) -> datetime:
    """The last of these times of the day that has come."""
    moments = [
        _moment(day + timedelta(minutes=minutes), zone)
        for minutes in times
        for day in _days(zone, now)
    ]
    return max((moment for moment in moments if moment <= now), default=now - 2 * _DAY)


def _next(minutes: int, zone: tzinfo, now: datetime) -> datetime:
    """When this time of the day comes next."""
    return min(
        moment
        for day in _days(zone, now)
        if (moment := _moment(day + timedelta(minutes=minutes), zone)) > now
    )


def _pages(form: BundleKind, stories: Iterable[WaitingStory], most: int) -> list[Page]:
    ordered = in_order(stories)
    return [
        Page(form, tuple(ordered[place].delivery_id for place in page))
        for page in pages([story.length for story in ordered], most)
    ]


def pages(lengths: Sequence[int], most: int = PAGE_STORIES) -> list[list[int]]:
    """The places of stories, message by message, so that each message names all its stories.

    `lengths` are those of the headlines, in order; a message holds `most` stories.
    """
    result: list[list[int]] = []
    free = 0
    for place, length in enumerate(lengths):
        if not result or length + _LINE > free or len(result[-1]) == most:
            result.append([])
            free = PAGE_LENGTH
        result[-1].append(place)
        free -= length + _LINE
    return result


def in_order(stories: Iterable[WaitingStory]) -> Sequence[WaitingStory]:
    """By number of publishers, the largest first; stories of a storyline stay together."""
    by_line: dict[int, list[WaitingStory]] = {}
    for story in stories:
        by_line.setdefault(story.storyline_id, []).append(story)
    lines = [
        sorted(line, key=lambda story: (-story.publishers, story.created_at))
        for line in by_line.values()
    ]
    lines.sort(key=lambda line: (-line[0].publishers, line[0].created_at))
    return [story for line in lines for story in line]
