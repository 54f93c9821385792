"""Try a subscription on stored entries: what it would have sent, and what it may send.

What it would have sent is `past_alerts`', how much of the past is known `coverage`'s, and what
follows for the future `rate`'s. Writes and sends nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.model.archive import StoryMember
from bot.ports import Archive
from bot.query.index import Index
from bot.query.tree import Node
from bot.search.coverage import Coverage
from bot.search.matches import Hit, hits, sampling_plan
from bot.search.past_alerts import PastMessage, Terms, messages_of
from bot.search.rate import Observation, Range, expected
from bot.stories.window import SPAN

MAX_EXAMINED = 1_500  #: entries that a forecast examines; of more, an even sample
MAX_HITS = 20  #: matches that a forecast shows
MANY_ALERTS_A_DAY = 30  #: alerts a day above which a person is asked to confirm
PERIOD = timedelta(days=7)  #: of stored entries that a forecast is made from
WEEK, DAY = timedelta(days=7), timedelta(days=1)
DEFAULT_TERMS = Terms()  #: those of a subscription without options


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many messages to expect."""

    next_day: Range  #: alerts in the next 24 hours
    next_week: Range  #: alerts in the next seven days
    weekly_notes: Range  #: notes in the next seven days

    @property
    def per_day(self) -> float:
        """Return alerts a day, on average over a week."""
        return self.next_week.mean / 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """The messages that a subscription would have sent, and how many to expect."""

    since: datetime  #: begin of the period, or of the part of it that is known
    now: datetime  #: end of it
    alerts: int  #: messages with a sound
    notes: int  #: silent ones, on developments
    entries: int  #: that match
    by_day: tuple[tuple[date, int], ...]  #: each day and its alerts, oldest first
    hits: tuple[Hit, ...]  #: the newest, at most MAX_HITS, one of each story
    #: subscriptions and how many of the stories they alert already, largest first
    overlap: tuple[tuple[int, int], ...]
    expectation: Expectation | None  #: None: too little of the past is known
    share: float = 1.0  #: of the stories that were examined; below 1 the counts are estimates
    nothing_stored: bool = False  #: there are no entries to judge by

    @property
    def days(self) -> float:
        """Return the length of the period."""
        return (self.now - self.since) / DAY

    @property
    def is_noisy(self) -> bool:
        """Return whether a person is asked before they get so many."""
        many = self.expectation.per_day if self.expectation else self.alerts
        return many > MANY_ALERTS_A_DAY


def backtest(
    tree: Node,
    archive: Archive,
    now: datetime,
    period: timedelta = PERIOD,
    terms: Terms = DEFAULT_TERMS,
    index: Index | None = None,
    zone: tzinfo = UTC,
) -> Forecast:
    """Return what a subscription would have sent in the period before now, and what it may send.

    `index` holds the subscriptions to compare with; days are those of the time zone.
    """
    begin = now - period
    coverage = Coverage.of(
        archive.feed_pasts(begin), archive.arrivals(begin), (begin, now), zone, terms.feeds
    )
    # A story of which an earlier entry matches has alerted before the period.
    earlier = begin - SPAN
    plan = sampling_plan(tree, archive, earlier, MAX_EXAMINED, terms.grouping)
    stories: dict[int, _MatchedStory] = {}
    for hit in hits(tree, archive, plan, terms.feeds, earlier, index):
        number = hit.entry.story_ids.at(terms.grouping)
        stories.setdefault(number, _MatchedStory()).add(hit)
    sent = list(_sent(archive, stories, coverage.now, terms))
    known = [item for item in sent if _is_covered(item.message, coverage)]
    shown = [item for item in known if item.message.at >= coverage.since]
    alerts = [item for item in shown if not item.message.silent]
    by_day = Counter(item.message.at.astimezone(zone).date() for item in alerts)
    # What matches is shown even where it is too old to be counted.
    newest = sorted(
        (item for item in sent if not item.message.silent and item.message.at >= begin),
        key=lambda item: (item.message.at, item.message.entry_id),
        reverse=True,
    )
    numbers = list(dict.fromkeys(item.number for item in newest))
    alerted = {item.number for item in alerts}
    overlap = Counter(other for number in alerted for other in stories[number].also)
    return Forecast(
        since=coverage.since,
        now=now,
        alerts=len(alerts) * plan.step,
        notes=(len(shown) - len(alerts)) * plan.step,
        entries=sum(story.count_since(coverage.since) for story in stories.values()) * plan.step,
        by_day=tuple((day, by_day[day] * plan.step) for day in _days(coverage.since, now, zone)),
        hits=tuple(stories[number].alerted for number in numbers[:MAX_HITS]),
        overlap=tuple((other, count * plan.step) for other, count in overlap.most_common()),
        expectation=_expectation(known, coverage, terms, plan.step),
        share=1 / plan.step,
        nothing_stored=archive.begins() is None,
    )


@dataclass(slots=True)
class _MatchedStory:
    """The matching entries of a story, given from the newest to the oldest."""

    hits: list[Hit] = field(default_factory=list)
    also: set[int] = field(default_factory=set)  #: subscriptions that any of them matches

    def add(self, hit: Hit) -> None:
        """Take in an earlier entry."""
        self.hits.append(hit)
        self.also.update(hit.also)

    @property
    def alerted(self) -> Hit:
        """Return the entry that the alert is of: the first that came."""
        return self.hits[-1]

    def count_since(self, since: datetime) -> int:
        """Return how many entries of a period match."""
        return sum(hit.entry.at >= since for hit in self.hits)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message with its story and storyline."""

    message: PastMessage
    number: int
    storyline: int


def _sent(
    archive: Archive, stories: Mapping[int, _MatchedStory], now: datetime, terms: Terms
) -> Iterator[_Sent]:
    """Yield what the stories would have sent until now."""
    members: dict[int, list[StoryMember]] = {}
    for member in archive.members(terms.grouping, stories):
        members.setdefault(member.story_ids.at(terms.grouping), []).append(member)
    for number, story in members.items():
        matched = {hit.entry.id for hit in stories[number].hits}
        for message in messages_of(story, matched, terms, now):
            yield _Sent(message, number, story[0].story_ids.storyline)


def _is_covered(message: PastMessage, coverage: Coverage) -> bool:
    start = coverage.starts.get(message.feed)
    return start is not None and message.at >= start


def _expectation(
    sent: Sequence[_Sent], coverage: Coverage, terms: Terms, step: int
) -> Expectation | None:
    """Return what to expect after these messages; None where they are of too short a time."""
    if coverage.too_early:
        return None
    alerts = [item for item in sent if not item.message.silent]
    sizes = Counter(item.storyline for item in alerts).values()
    cluster = sum(size * size for size in sizes) / (len(alerts) or 1)
    # Where half of the publishers are covered, a quarter of the pairs of them is.
    publishers = 1 if terms.options.or_after else terms.options.publishers
    seen = Observation(len(alerts), coverage.days(publishers), step, cluster)
    notes = replace(seen, count=len(sent) - len(alerts))
    day, week = coverage.days_to_come(DAY), coverage.days_to_come(WEEK)
    return Expectation(
        expected(seen, day, coverage.unseen),
        expected(seen, week, coverage.unseen),
        expected(notes, week, coverage.unseen),
    )


def _days(since: datetime, now: datetime, zone: tzinfo) -> list[date]:
    """Return the days from one moment to another in a zone."""
    first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
