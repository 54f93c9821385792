"""Match a query against stored entries: search, and counts by day. Writes and sends nothing.

A full-text search over keys yields candidates, the matcher decides. Of a query with too many
candidates an even sample of stories is judged: all entries of a story, or none.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.model.archive import StoredEntry
from bot.model.entries import Span
from bot.model.stories import Grouping
from bot.ports import Archive
from bot.query.index import Index
from bot.query.matcher import match, meta_matches
from bot.query.prefilter import fts_expression, required_meta
from bot.query.tree import Node
from bot.query.words import ArticleWords
from bot.stories.window import SPAN

MAX_COUNTED = 20_000  #: entries that a chart examines; of more, an even sample


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored entry that matches."""

    entry: StoredEntry
    spans: tuple[Span, ...]
    also: tuple[int, ...] = ()  #: other subscriptions that match it


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Which stored entries are examined."""

    expression: str  #: a full-text search; empty: all entries
    step: int = 1  #: every `step`-th story
    grouping: Grouping = Grouping.NORMAL  #: what is a story


def search(
    tree: Node, archive: Archive, feeds: Sequence[str] = (), since: datetime | None = None
) -> Iterator[Hit]:
    """Yield matching entries, newest first."""
    plan = SamplingPlan(fts_expression(tree, archive.languages()))
    return hits(tree, archive, plan, feeds, since)


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
    # A story with an earlier entry began before the first day.
    since = datetime.combine(first, time(), zone).astimezone(UTC) - SPAN
    plan = sampling_plan(tree, archive, since, MAX_COUNTED)
    began: dict[int, date] = {}
    publishers: dict[date, set[str]] = {}
    for hit in hits(tree, archive, plan, feeds, since):
        day = hit.entry.at.astimezone(zone).date()
        began[hit.entry.story_id] = min(day, began.get(hit.entry.story_id, day))
        publishers.setdefault(day, set()).add(
            hit.entry.article.source or hit.entry.article.publisher
        )
    stories = Counter(began.values())
    all_days = [first + timedelta(days=number) for number in range(days)]
    return tuple((day, stories[day] * plan.step, len(publishers.get(day, ()))) for day in all_days)


def sampling_plan(
    tree: Node,
    archive: Archive,
    since: datetime | None,
    limit: int,
    grouping: Grouping = Grouping.NORMAL,
) -> SamplingPlan:
    """Return which entries to examine for a query, so that they are about `limit` at most."""
    expression = fts_expression(tree, archive.languages())
    return SamplingPlan(expression, -(-archive.count(expression, since) // limit) or 1, grouping)


def matching_entries(
    tree: Node, archive: Archive, plan: SamplingPlan, feeds: Sequence[str], since: datetime | None
) -> Iterator[tuple[StoredEntry, ArticleWords, tuple[Span, ...]]]:
    """Yield matching entries, newest first, with their words and the spans that matched."""
    conditions = required_meta(tree)
    for entry in archive.entries(plan.expression, since, plan.step, plan.grouping):
        article = entry.article
        if feeds and article.selectors.isdisjoint(feeds):
            continue
        if not all(meta_matches(meta, article) for meta in conditions):
            continue
        words = ArticleWords(article)
        spans = match(tree, words)
        if spans is not None:
            yield entry, words, spans


def hits(
    tree: Node,
    archive: Archive,
    plan: SamplingPlan,
    feeds: Sequence[str],
    since: datetime | None,
    index: Index | None = None,
) -> Iterator[Hit]:
    """Yield matching entries, newest first, with the subscriptions of `index` that match them."""
    for entry, words, spans in matching_entries(tree, archive, plan, feeds, since):
        also = index.match_words(words) if index else ()
        yield Hit(entry, spans, tuple(row.subscription_id for row in also))
