"""Assigns stories to new entries and follows merges. No I/O, no clock.

`window` decides what belongs together, `publishers` who published it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.model.entries import NewEntry, PlacedEntry
from bot.model.stories import Grouping, Merge, Report, StoryIds
from bot.stories.publishers import PublisherGroups
from bot.stories.window import Window
from bot.text.channel_link import post_link
from bot.text.clean import headline
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
    """Return the report of an entry, from its stored values.

    Args:
        number: id of the entry.
        words: headline, summary and language.
        publisher_group: key of the publisher's group.
        feed: id of the feed.
        link: the link, and the key of its canonical form or of the link that it is about.
        published: the time that the feed names, which is not trusted where it is after `seen`.
        seen: when the entry was first seen.
    """
    title, summary, language = words
    return Report(
        number,
        headline(title),
        summary,
        language,
        publisher_group,
        _at(published, seen),
        link[1] if names_page(link[0]) else b"",
        feed,
    )


def _at(published: datetime | None, seen: datetime) -> datetime:
    return min(published, seen) if published else seen


@dataclass(frozen=True, slots=True)
class Merges:
    """Merges of stories, with chains of them resolved."""

    done: tuple[Merge, ...]
    _targets: Mapping[tuple[Grouping, int], int]

    @classmethod
    def of(cls, done: Iterable[Merge]) -> "Merges":
        """Resolve merges, given in the order in which they were decided."""
        merges = tuple(done)
        targets: dict[tuple[Grouping, int], int] = {}
        for merge in merges:
            for story, target in targets.items():
                if story[0] is merge.grouping and target == merge.gone:
                    targets[story] = merge.kept
            targets[(merge.grouping, merge.gone)] = merge.kept
        return cls(merges, targets)

    def follow(self, grouping: Grouping, number: int) -> int:
        """Return the id of a story after all merges."""
        return self._targets.get((grouping, number), number)

    def resolve(self, story_ids: StoryIds) -> StoryIds:
        """Return the stories of an entry after all merges."""
        if not self._targets:
            return story_ids
        return StoryIds(
            self.follow(Grouping.STRICT, story_ids.strict),
            self.follow(Grouping.NORMAL, story_ids.story),
            self.follow(Grouping.LOOSE, story_ids.storyline),
        )


class Assigner:
    """Assigns stories to entries in the order of their ids and collects the merges."""

    def __init__(
        self,
        window: Window,
        publisher_groups: PublisherGroups,
        clock_ahead: timedelta = timedelta(0),
    ) -> None:
        """`clock_ahead` is how far the clock was set since the window was read."""
        self._window, self._publisher_groups = window, publisher_groups
        self._clock_ahead = clock_ahead
        self._merges: list[Merge] = []

    def assign(self, entry: NewEntry, publisher: str) -> PlacedEntry:
        """Return the entry with its stories at this moment; later merges may change them.

        `resolve_placements` brings a whole batch up to date.
        """
        attribution = self._publisher_groups.attribution(
            publisher, entry.source, entry.author, entry.title, entry.summary
        )
        report = report_of(
            entry.id,
            (entry.core or entry.title, entry.summary, entry.language),
            publisher_group=attribution.publisher_group,
            feed=entry.feed_id,
            link=(entry.link, entry.keys.quoted or entry.keys.link),
            published=entry.published,
            seen=self._seen(entry),
        )
        # A channel says the same words of the next occurrence, under another number.
        placement = self._window.add(report, repeats=bool(post_link(entry.link)))
        self._merges += placement.merges
        return PlacedEntry(
            entry,
            placement,
            attribution.publisher_group,
            attribution.origin,
            attribution.agency,
            # Of a time that is moved, the stored ones would know nothing.
            "" if self._clock_ahead else self._window.packed(entry.id),
        )

    def make_room(self, entry: NewEntry, limit: int) -> bool:
        """Remove what is too old for a window with this entry, `limit` at most, as the window does.

        Returns: whether the entry can be assigned without further removals.
        """
        return self._window.make_room(_at(entry.published, self._seen(entry)), limit)

    def _seen(self, entry: NewEntry) -> datetime:
        return entry.first_seen_at - self._clock_ahead

    @property
    def merges(self) -> Merges:
        """All merges so far."""
        return Merges.of(self._merges)


def resolve_placements(
    entries: Iterable[PlacedEntry], merges: Merges, origins: Mapping[int, str]
) -> list[PlacedEntry]:
    """Return the entries of a batch with their stories after all merges.

    A copy gets the origin of the entry it copies, unless it is credited to an agency.

    Args:
        entries: the batch, in order of id.
        merges: all merges that the batch caused.
        origins: the origins of stored entries that are copied in the batch, by id.
    """
    origin_of = dict(origins)
    resolved: list[PlacedEntry] = []
    for entry in entries:
        placement = entry.placement
        origin = entry.origin if entry.agency else origin_of.get(placement.copy_of, entry.origin)
        origin_of[entry.entry.id] = origin
        story_ids = merges.resolve(entry.story_ids)
        if (story_ids, origin) == (entry.story_ids, entry.origin):
            resolved.append(entry)
            continue
        placement = replace(placement, story_ids=story_ids)
        resolved.append(replace(entry, placement=placement, origin=origin))
    return resolved
