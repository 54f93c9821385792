"""Index of the entries in the window: by term, link, headline, phonetic key and story.

Finds candidates; what they are worth is decided in `window`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import islice
from operator import itemgetter
from typing import Any

from bot.model.stories import Grouping, Merge, Report, StoredFeatures, StoryIds
from bot.stories.features import Features
from bot.stories.groups import Groups, StoryGroups
from bot.stories.headline_kinds import Kind
from bot.stories.packed_features import Outline
from bot.stories.postings import Member, Posting, Term
from bot.stories.series import Series
from bot.stories.similarity import DocumentFrequencies, Similarity

MAX_CANDIDATES = 30  #: entries that are compared in full
POSTINGS_BUDGET = 600  #: postings that are read to find them
MAX_POSTINGS = 100  #: postings that are read of one term or phonetic key, the latest
MIN_OVERLAP = 0.08  #: least sum of the squared weights of the terms that a candidate shares
MIN_SERIES_HOURS = 18.0  #: least time between two headlines of a recurring series
MIN_AGAIN_HOURS = 0.25  #: least time between two posts of the same words that mean two occurrences

_WITHIN_REACH = MIN_OVERLAP * (1 - 1e-9)  # less, by more than floating point may be off
_INDEXED_KINDS = frozenset({Kind.NEWS, Kind.COMMENTARY})
_by_weight = itemgetter(1)


class EntryIndex:
    """Entries in order of id, with their indexes. Results depend on these entries alone.

    They are those within the span before the newest of them: no older one is ever in it.
    """

    def __init__(self, span: float) -> None:
        self._span = span  # hours
        self._now = 0.0  # hours since the Unix epoch
        self._by_time: list[tuple[float, int]] = []  # hours and ids, as a heap
        self._by_phonetic_key: dict[str, Posting] = defaultdict(Posting)
        self._by_link = Groups[bytes]()
        self._by_headline = Groups[str]()
        self._series = Series()
        self._languages: dict[str, int] = {}
        self._storylines = StoryGroups()
        self.members: dict[int, Member] = {}
        self.stories = Groups[int]()  #: members of each story, in order of id
        self._strict = Groups[int]()  # of each strict story, all but the one that opened it
        self.frequencies = DocumentFrequencies()

    @property
    def languages(self) -> frozenset[str]:
        """The languages of the entries."""
        return frozenset(self._languages)

    def add(self, member: Member, story_ids: StoryIds) -> None:
        """Add an entry whose terms are counted in `frequencies` already."""
        self._file(member, member.features, member.terms, story_ids)

    def restore(self, stored: StoredFeatures, entry: Outline, story_ids: StoryIds) -> None:
        """Add a stored entry, and count its terms."""
        member, terms = self.frequencies.restore(stored, entry)
        self._file(member, entry, terms, story_ids)

    def _file(
        self,
        member: Member,
        entry: Features | Outline,
        terms: Iterable[Term],
        story_ids: StoryIds,
    ) -> None:
        member.story_ids = story_ids
        self.members[entry.id] = member
        heappush(self._by_time, (entry.hours, entry.id))
        if entry.link:
            self._by_link.add(entry.link, member)
        self._by_headline.add(entry.headline, member)
        self._series.add(entry.publisher, entry.headline_template, entry.hours)
        self.stories.add(story_ids.story, member)
        if story_ids.strict != entry.id:
            self._strict.add(story_ids.strict, member)
        self._storylines.add(story_ids.storyline, (story_ids.story,))
        self._languages[entry.language] = self._languages.get(entry.language, 0) + 1
        if entry.kind in _INDEXED_KINDS:
            for term in terms:
                term.members.append(member)
            for key in entry.phonetic_keys:
                self._by_phonetic_key[key].append(member)

    @property
    def first_story(self) -> int:
        """The lowest number of a story or storyline; 0 where there is none."""
        return min(
            min(self.stories.by_key, default=0), min(self._storylines.by_storyline, default=0)
        )

    def has_story(self, grouping: Grouping, number: int) -> bool:
        """Whether there is a story, or a storyline, of this number."""
        return number in (self.stories if grouping is Grouping.NORMAL else self._storylines)

    def merge(self, merge: Merge) -> None:
        """Merge two stories, or two storylines.

        Nothing may be left of what is kept, where the entries have left that were in it.
        """
        if merge.grouping is Grouping.NORMAL:
            moved = self.stories.pop(merge.gone)
            for member in moved:
                member.story_ids = replace(member.story_ids, story=merge.kept)
            members = sorted([*self.stories.get(merge.kept), *moved], key=_id)
            self.stories.replace(merge.kept, members)
            storyline = moved[0].story_ids.storyline
            self._storylines.add(storyline, (merge.kept,))
            self._storylines.remove(storyline, merge.gone)
        else:
            stories = self._storylines.pop(merge.gone)
            for story in stories:
                for member in self.stories[story]:
                    member.story_ids = replace(member.story_ids, storyline=merge.kept)
            self._storylines.add(merge.kept, stories)

    def is_past(self, hours: float) -> bool:
        """Whether an entry of this time is too old to be added."""
        return hours < self._now - self._span

    def ends_before(self, hours: float) -> bool:
        """Whether all entries are too old once one of this time is added."""
        return self._now < hours - self._span

    def drain(self, limit: int) -> bool:
        """Let go of an index that nobody asks any more, by so many keys at most.

        To let go of all of it at once holds everybody up, as to remove many entries does.

        Returns: whether nothing is left.
        """
        parts: list[dict[Any, Any]] = [
            self._by_phonetic_key,
            self._by_link.by_key,
            self._by_headline.by_key,
            *self._series.by_publisher.values(),
            self._series.by_publisher,
            self._storylines.by_storyline,
            self.stories.by_key,
            self._strict.by_key,
            self.members,
            *self.frequencies.parts,
        ]
        for part in parts:
            for _ in range(min(limit, len(part))):
                part.popitem()
                limit -= 1
        return not any(parts)

    def advance(self, hours: float, limit: int | None = None) -> bool:
        """Move the present forward, never back, and remove the entries that are too old.

        Args:
            hours: the time of the entry that is added next.
            limit: how many entries are removed at most; None for all.

        Returns: whether none is left that is too old.
        """
        self._now = max(self._now, hours)
        by_time, oldest, removed = self._by_time, self._now - self._span, 0
        while by_time and by_time[0][0] < oldest:
            if removed == limit:
                return False
            self._remove(self.members[heappop(by_time)[1]])
            removed += 1
        return True

    def _remove(self, member: Member) -> None:
        entry, story_ids = member.features, member.story_ids
        del self.members[entry.id]
        if entry.link:
            self._by_link.remove(entry.link, member)
        self._by_headline.remove(entry.headline, member)
        self._series.remove(entry.publisher, entry.headline_template, entry.hours)
        self.stories.remove(story_ids.story, member)
        self._strict.remove(story_ids.strict, member)
        if story_ids.story not in self.stories:
            self._storylines.remove(story_ids.storyline, story_ids.story)
        self._languages[entry.language] -= 1
        if not self._languages[entry.language]:
            del self._languages[entry.language]
        member.gone = True
        if entry.kind in _INDEXED_KINDS:
            for term in member.terms:
                members = term.members
                if members[0] is member and not members.gone:
                    del members[0]
                else:
                    members.drop(member)
            for key in entry.phonetic_keys:
                members = self._by_phonetic_key[key]
                members.drop(member)
                if not members:
                    del self._by_phonetic_key[key]
        self.frequencies.remove(member)

    def strict_story(self, number: int) -> Iterator[Member]:
        """Yield the members of a strict story, in order of id."""
        opener = self.members.get(number)
        if opener and opener.story_ids.strict == number:
            yield opener
        yield from self._strict.get(number)

    def find_by_link(self, entry: Features | Report) -> Member | None:
        """Return the first entry with the same link.

        None where one feed has the link more than once: a page of several articles or warnings.
        """
        members = self._by_link.get(entry.link) if entry.link else ()
        feeds = {(entry.publisher, entry.feed)}
        feeds |= {(member.features.publisher, member.features.feed) for member in members}
        return members[0] if members and len(feeds) > len(members) else None

    def find_by_headline(self, entry: Features) -> Member | None:
        """Return the first entry with the same headline at another publisher."""
        for member in self._by_headline.get(entry.headline):
            other = member.features
            if other.publisher != entry.publisher and other.kind in _INDEXED_KINDS:
                return member
        return None

    def is_recurring(self, entry: Features) -> bool:
        """Whether the publisher repeats this headline, numbers and dates aside."""
        bounds = self._series.bounds(entry.publisher, entry.headline_template)
        return bounds is not None and (
            entry.hours - bounds[0] >= MIN_SERIES_HOURS
            or bounds[1] - entry.hours >= MIN_SERIES_HOURS
        )

    def is_said_again(self, entry: Features) -> bool:
        """Whether its feed had this headline before, word for word, and not just now."""
        return any(
            member.features.feed == entry.feed
            and member.features.publisher == entry.publisher
            and abs(member.features.hours - entry.hours) >= MIN_AGAIN_HOURS
            for member in self._by_headline.get(entry.headline)
        )

    def candidates(self, similarity: Similarity) -> list[Member]:
        """Return the entries that share the terms of most weight, as far as the budget reaches."""
        postings: list[tuple[float, list[Member]]] = []
        budget, left = POSTINGS_BUDGET, 0.0
        for term, weight in sorted(similarity.vector.items(), key=_by_weight, reverse=True):
            if members := term.members.latest(MAX_POSTINGS):
                postings.append((weight * weight, members))
                left += weight * weight
                budget -= len(members)
                if budget <= 0:
                    break
        overlaps: dict[Member, float] = {}
        overlap_of = overlaps.get
        postings.reverse()
        while postings and left >= _WITHIN_REACH:
            square, members = postings.pop()
            left -= square
            if overlaps:
                for member in members:
                    overlaps[member] = square + overlap_of(member, 0.0)
            else:
                overlaps.update(dict.fromkeys(members, square))
        # The terms that are left are too light for an entry that has none of the others, and they
        # are those that most entries have.
        for square, members in reversed(postings):
            for member in filter(overlaps.__contains__, members):
                overlaps[member] += square
        ranking = [member for member, overlap in overlaps.items() if overlap >= MIN_OVERLAP]
        ranking.sort(key=overlaps.__getitem__, reverse=True)
        return ranking[:MAX_CANDIDATES]

    def cross_language_candidates(
        self, entry: Features, hours: float
    ) -> Iterable[tuple[Member, list[str]]]:
        """Return entries in other languages with two or more of its phonetic keys, and these.

        Args:
            entry: the entry to compare with.
            hours: how far the two entries may be apart.
        """
        if not entry.language or not self._languages.keys() - {"", entry.language}:
            return []
        shared: dict[Member, list[str]] = {}
        for key in entry.phonetic_keys:
            posting = self._by_phonetic_key.get(key)
            if posting is None:
                continue
            members = (
                member
                for member in posting.newest_first()
                if member.features.language not in {"", entry.language}
            )
            for member in islice(members, MAX_POSTINGS):
                if abs(member.features.hours - entry.hours) <= hours:
                    shared.setdefault(member, []).append(key)
        return [(member, keys) for member, keys in shared.items() if len(keys) > 1]

    def phonetic_key_frequency(self, key: str) -> int:
        """Return the number of entries with this phonetic key."""
        posting = self._by_phonetic_key.get(key)
        return posting.live if posting else 0


def _id(member: Member) -> int:
    return member.features.id
