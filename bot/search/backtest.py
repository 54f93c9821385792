"""Match a query against stored entries: search, backtest, daily counts. Writes and sends nothing.

A full-text search over keys yields candidates, the matcher decides. A query with too many
candidates is judged by an even sample of them, and the result says so.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.model.archive import StoredEntry
from bot.model.entries import Span
from bot.ports import Archive
from bot.query.index import Index
from bot.query.matcher import match, meta_matches
from bot.query.prefilter import fts_expression, required_meta
from bot.query.tree import Node
from bot.query.words import ArticleWords

MAX_EXAMINED = 1_500  #: entries that a forecast examines; of more, an even sample
MAX_COUNTED = 20_000  #: entries that a chart examines; of more, an even sample
MAX_HITS = 20  #: matches that a forecast shows
MANY_ALERTS_A_DAY = 30  #: alerts a day above which a person is asked to confirm


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored entry that matches."""

    entry: StoredEntry
    spans: tuple[Span, ...]
    also: tuple[int, ...] = ()  #: other subscriptions that match it


@dataclass(frozen=True, slots=True)
class Forecast:
    """The alerts that a query would have caused."""

    days: float  #: length of the period
    since: datetime
    stories: int
    entries: int
    by_day: tuple[tuple[date, int], ...]  #: each day and its stories, oldest first
    hits: tuple[Hit, ...]  #: the newest, at most MAX_HITS, one of each story
    #: subscriptions and how many of the stories they alert already, largest first
    overlap: tuple[tuple[int, int], ...]
    share: float = 1.0  #: of the entries that were examined; below 1 the counts are estimates
    nothing_stored: bool = False  #: there are no entries to judge by

    @property
    def about(self) -> str:
        """The word before the counts if they are estimates, else empty."""
        return "about " if self.share < 1 else ""

    @property
    def span(self) -> str:
        """The length of the period in words."""
        return f"{self.days:.0f} days" if self.days >= 1.5 else f"{24 * self.days:.0f} hours"

    @property
    def alerts_per_day(self) -> float:
        """Alerts a day."""
        return self.stories / self.days

    @property
    def alerts_per_week(self) -> float:
        """Alerts a week."""
        return 7 * self.alerts_per_day


def search(
    tree: Node, archive: Archive, feeds: Sequence[str] = (), since: datetime | None = None
) -> Iterator[Hit]:
    """Yield matching entries, newest first."""
    return _hits(tree, archive, fts_expression(tree, archive.languages()), feeds, since, 1)


def backtest(
    tree: Node,
    archive: Archive,
    now: datetime,
    days: float = 7,
    feeds: Sequence[str] = (),
    index: Index | None = None,
    zone: tzinfo = UTC,
) -> Forecast:
    """Return the alerts of a query in the last days, one a story.

    `index` holds the subscriptions to compare with; days are those of the time zone.
    """
    begin = archive.begins()
    days = min(days, max(1.0, (now - (begin or now)) / timedelta(days=1)))
    since = now - timedelta(days=days)
    expression, step = sampling_plan(tree, archive, since, MAX_EXAMINED)
    entries = 0
    stories: dict[int, Hit] = {}
    also: dict[int, set[int]] = {}  # story to the subscriptions that any article of it matches
    for hit in _hits(tree, archive, expression, feeds, since, step, index):
        if hit.entry.at < since:
            continue
        entries += 1
        also.setdefault(hit.entry.story_id, set()).update(hit.also)
        stories[hit.entry.story_id] = hit  # the earliest, which would have been alerted, stays
    overlap = Counter(number for numbers in also.values() for number in numbers)
    by_day = Counter(hit.entry.at.astimezone(zone).date() for hit in stories.values())
    first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
    all_days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    newest = sorted(stories.values(), key=lambda hit: hit.entry.at, reverse=True)[:MAX_HITS]
    return Forecast(
        days=days,
        since=since,
        stories=len(stories) * step,
        entries=entries * step,
        by_day=tuple((day, by_day[day] * step) for day in all_days),
        hits=tuple(newest),
        overlap=tuple((number, count * step) for number, count in overlap.most_common()),
        share=1 / step,
        nothing_stored=begin is None,
    )


def daily_counts(
    tree: Node,
    archive: Archive,
    now: datetime,
    days: int,
    feeds: Sequence[str] = (),
    zone: tzinfo = UTC,
) -> tuple[tuple[date, int, int], ...]:
    """Return stories and publishers of each of the last days, oldest first.

    A story counts on the day it began; days are those of the time zone.
    """
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, time(), zone).astimezone(UTC)
    expression, step = sampling_plan(tree, archive, since, MAX_COUNTED)
    began: dict[int, date] = {}
    publishers: dict[date, set[str]] = {}
    for hit in _hits(tree, archive, expression, feeds, since, step):
        day = hit.entry.at.astimezone(zone).date()
        began[hit.entry.story_id] = min(day, began.get(hit.entry.story_id, day))
        publishers.setdefault(day, set()).add(
            hit.entry.article.source or hit.entry.article.publisher
        )
    stories = Counter(began.values())
    all_days = [first + timedelta(days=number) for number in range(days)]
    return tuple((day, stories[day] * step, len(publishers.get(day, ()))) for day in all_days)


def sampling_plan(
    tree: Node, archive: Archive, since: datetime | None, limit: int
) -> tuple[str, int]:
    """Return the full-text search for a query, and a step: every `step`-th result is examined.

    With that step at most `limit` entries are examined.
    """
    expression = fts_expression(tree, archive.languages())
    return expression, -(-archive.count(expression, since) // limit) or 1


def matching_entries(
    tree: Node,
    archive: Archive,
    expression: str,
    feeds: Sequence[str],
    since: datetime | None,
    step: int,
) -> Iterator[tuple[StoredEntry, ArticleWords, tuple[Span, ...]]]:
    """Yield matching entries, newest first, with their words and the spans that matched.

    `expression` and `step` are those of `sampling_plan`.
    """
    conditions = required_meta(tree)
    for entry in archive.entries(expression, since, step):
        article = entry.article
        if feeds and article.selectors.isdisjoint(feeds):
            continue
        if not all(meta_matches(meta, article) for meta in conditions):
            continue
        words = ArticleWords(article)
        spans = match(tree, words)
        if spans is not None:
            yield entry, words, spans


def _hits(
    tree: Node,
    archive: Archive,
    expression: str,
    feeds: Sequence[str],
    since: datetime | None,
    step: int,
    index: Index | None = None,
) -> Iterator[Hit]:
    for entry, words, spans in matching_entries(tree, archive, expression, feeds, since, step):
        also = index.match_words(words) if index else ()
        yield Hit(entry, spans, tuple(row.subscription_id for row in also))
