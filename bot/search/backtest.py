"""Hold a query against stored entries: search, backtest, forecast. Reads through the Archive port; sends and keeps nothing.

The search over keys narrows, the matcher decides. A query that is so broad that too many entries would have to be looked at is judged by
an even share of them, and says so.
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

MAX_EXAMINED = 1_500  #: entries that a forecast looks at; of more, an even share
MAX_COUNTED = 20_000  #: entries that a chart looks at; of more, an even share
MAX_HITS = 20  #: matches of a backtest that are shown
MANY_ALERTS_A_DAY = 30  #: alerts a day from which a person is asked whether that is meant


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored entry that matches."""

    entry: StoredEntry
    spans: tuple[Span, ...]
    also: tuple[int, ...] = ()  #: subscriptions that match it as well


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a query would have rung."""

    days: float  #: that the figures are of
    since: datetime
    stories: int
    entries: int
    by_day: tuple[tuple[date, int], ...]  #: each day and its stories, oldest first
    hits: tuple[Hit, ...]  #: the newest, at most SHOWN, one of each story
    overlap: tuple[
        tuple[int, int], ...
    ]  #: subscription and how many of the stories it rings for already, most first
    share: float = 1.0  #: of the entries that were looked at; below 1 the counts are estimates
    nothing_stored: bool = False  #: there is no past to judge by

    @property
    def about(self) -> str:
        """What stands before its counts: a word where they are estimates."""
        return "about " if self.share < 1 else ""

    @property
    def span(self) -> str:
        """The days in words."""
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
    """Matching entries, newest first."""
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
    """What the query would have rung in these days of that zone; `index` holds the subscriptions to compare with. One alert a story."""
    begins = archive.begins()
    days = min(days, max(1.0, (now - (begins or now)) / timedelta(days=1)))
    since = now - timedelta(days=days)
    found, step = sampling_plan(tree, archive, since, MAX_EXAMINED)
    entries = 0
    stories: dict[int, Hit] = {}
    also: dict[int, set[int]] = {}  # story to the subscriptions that any article of it matches
    for hit in _hits(tree, archive, found, feeds, since, step, index):
        if hit.entry.at < since:
            continue
        entries += 1
        also.setdefault(hit.entry.story_id, set()).update(hit.also)
        stories[hit.entry.story_id] = hit  # the earliest stays: it is the one that would have rung
    overlap = Counter(one for together in also.values() for one in together)
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
        nothing_stored=begins is None,
    )


def daily_counts(
    tree: Node,
    archive: Archive,
    now: datetime,
    days: int,
    feeds: Sequence[str] = (),
    zone: tzinfo = UTC,
) -> tuple[tuple[date, int, int], ...]:
    """Each of the last days of that zone with its stories and publishers, oldest first; a story counts on the day it began on."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    since = datetime.combine(first, time(), zone).astimezone(UTC)
    found, step = sampling_plan(tree, archive, since, MAX_COUNTED)
    began: dict[int, date] = {}
    publishers: dict[date, set[str]] = {}
    for hit in _hits(tree, archive, found, feeds, since, step):
        day = hit.entry.at.astimezone(zone).date()
        began[hit.entry.story_id] = min(day, began.get(hit.entry.story_id, day))
        publishers.setdefault(day, set()).add(
            hit.entry.article.source or hit.entry.article.publisher
        )
    stories = Counter(began.values())
    every = [first + timedelta(days=number) for number in range(days)]
    return tuple((day, stories[day] * step, len(publishers.get(day, ()))) for day in every)


def sampling_plan(
    tree: Node, archive: Archive, since: datetime | None, most: int
) -> tuple[str, int]:
    """The search that finds whatever matches, and each how manieth entry of it is to be looked at, lest there be more than `most`."""
    found = fts_expression(tree, archive.languages())
    return found, -(-archive.count(found, since) // most) or 1


def matching_entries(
    tree: Node,
    archive: Archive,
    found: str,
    feeds: Sequence[str],
    since: datetime | None,
    step: int,
) -> Iterator[tuple[StoredEntry, ArticleWords, tuple[Span, ...]]]:
    """Matching entries, newest first, with their words and what of them matched; `found` and `step` are those of `narrowed`."""
    beside = required_meta(tree)
    for entry in archive.entries(found, since, step):
        article = entry.article
        if feeds and article.selectors.isdisjoint(feeds):
            continue
        if not all(meta_matches(one, article) for one in beside):
            continue
        words = ArticleWords(article)
        spans = match(tree, words)
        if spans is not None:
            yield entry, words, spans


def _hits(
    tree: Node,
    archive: Archive,
    found: str,
    feeds: Sequence[str],
    since: datetime | None,
    step: int,
    index: Index | None = None,
) -> Iterator[Hit]:
    for entry, words, spans in matching_entries(tree, archive, found, feeds, since, step):
        yield Hit(
            entry,
            spans,
            tuple(one.subscription_id for one in index.match_words(words)) if index else (),
        )
