"""Give new entries their stories: hold each against the live window, and follow merges to where they lead. No I/O, no clock.

What belongs together is `window`'s to say; who says it, `publishers`'.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model.entries import NewEntry, PlacedEntry
from bot.model.stories import Grouping, Merge, Report, StoryIds
from bot.stories.publishers import PublisherGroups
from bot.stories.window import Window
from bot.text.url import names_page


def report_of(
    number: int,
    words: tuple[str, str, str],
    *,
    publisher_group: str,
    feed: int,
    link: tuple[str, bytes],
    published: datetime | None,
    seen: datetime,
) -> Report:
    """An entry as grouping looks at it, from what is kept of it: headline, summary and language; the link and its canonical key."""
    at = min(published, seen) if published else seen
    return Report(
        number, *words, publisher_group, at, link[1] if names_page(link[0]) else b"", feed
    )


@dataclass(frozen=True, slots=True)
class Merges:
    """What became of stories that merged, followed to the end of every chain."""

    done: tuple[Merge, ...]
    _kept: Mapping[tuple[Grouping, int], int]

    @classmethod
    def of(cls, done: Iterable[Merge]) -> "Merges":
        """Merges in the order in which they were decided."""
        steps = tuple(done)
        kept: dict[tuple[Grouping, int], int] = {}
        for merge in steps:
            for story_ids, to in kept.items():
                if story_ids[0] is merge.grouping and to == merge.gone:
                    kept[story_ids] = merge.kept
            kept[(merge.grouping, merge.gone)] = merge.kept
        return cls(steps, kept)

    def follow(self, grouping: Grouping, number: int) -> int:
        """Where a story went."""
        return self._kept.get((grouping, number), number)

    def resolve(self, story_ids: StoryIds) -> StoryIds:
        """Where an entry belongs after all merges."""
        if not self._kept:
            return story_ids
        return StoryIds(*(self.follow(grouping, story_ids.at(grouping)) for grouping in Grouping))


class Assigner:
    """Places entries one by one in the order in which they come; collects what merged meanwhile."""

    def __init__(self, window: Window, publisher_groups: PublisherGroups) -> None:
        self._window, self._publisher_groups = window, publisher_groups
        self._merges: list[Merge] = []

    def assign(self, entry: NewEntry, publisher: str) -> PlacedEntry:
        """The entry with its stories as they are now; what `settled` makes of it when all are placed is what holds."""
        attribution = self._publisher_groups.attribution(
            publisher, entry.source, entry.author, entry.title, entry.summary
        )
        report = report_of(
            entry.id,
            (entry.title, entry.summary, entry.language),
            publisher_group=attribution.publisher_group,
            feed=entry.feed_id,
            link=(entry.link, entry.keys.link),
            published=entry.published,
            seen=entry.first_seen_at,
        )
        placement = self._window.add(report)
        self._merges += placement.merges
        return PlacedEntry(
            entry, placement, attribution.publisher_group, attribution.origin, attribution.agency
        )

    @property
    def merges(self) -> Merges:
        """What merged since the beginning."""
        return Merges.of(self._merges)


def settled(
    entries: Iterable[PlacedEntry], merges: Merges, origins: Mapping[int, str]
) -> list[PlacedEntry]:
    """The entries of a batch where all its merges lead them, copies counted for whom their originals count.

    `origins` has those of stored originals.
    """
    known = dict(origins)
    result: list[PlacedEntry] = []
    for one in entries:
        origin = one.origin if one.agency else known.get(one.placement.copy_of, one.origin)
        known[one.entry.id] = origin
        story_ids = merges.resolve(one.story_ids)
        result.append(
            replace(one, placement=replace(one.placement, story_ids=story_ids), origin=origin)
        )
    return result
