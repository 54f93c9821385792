"""The entries of the window as they are found again: by words, link, headline, the sound of names, story. Nothing is decided here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any

from bot.model.stories import Grouping, Merge, StoryIds
from bot.stories.features import Features
from bot.stories.headline_kinds import Kind
from bot.stories.similarity import Rarity, Similarity

CANDIDATES = 30  #: entries that are compared in full
POSTINGS = 600  #: entries that are met on the way to them
RECENT = 100  #: of those that hold one word
LEAST = 0.08  #: share that the words in common have in the entry, squared
APART_HOURS = 18.0  #: between two headlines of a series

_weight = itemgetter(1)


@dataclass(slots=True, eq=False)
class Member:
    """An entry of the window, with its place."""

    features: Features
    story_ids: StoryIds


class EntryIndex:
    """Entries and their indexes. What is found depends on the entries that are there alone, in order of id."""

    def __init__(self, span: float) -> None:
        self._span = span  # hours
        self._now = 0.0
        self._by_hour: dict[int, list[Member]] = {}
        self._postings: dict[str, list[Member]] = {}
        self._sounds: dict[str, list[Member]] = {}
        self._links: dict[bytes, list[Member]] = {}
        self._forms: dict[str, list[Member]] = {}
        self._languages: dict[str, int] = {}
        self._storylines: dict[int, set[int]] = {}
        self.members: dict[int, Member] = {}
        self.stories: dict[int, list[Member]] = {}  #: story to its members, in order of id
        self.rarity = Rarity()

    def take(self, entry: Features, story_ids: StoryIds) -> None:
        """Put one in. Its words are counted already."""
        member = Member(entry, story_ids)
        self.members[entry.id] = member
        _add(self._by_hour, int(entry.hours), member)
        if entry.link:
            _add(self._links, entry.link, member)
        _add(self._forms, entry.form, member)
        _add(self.stories, story_ids.story, member)
        self._storylines.setdefault(story_ids.storyline, set()).add(story_ids.story)
        self._languages[entry.language] = self._languages.get(entry.language, 0) + 1
        if entry.kind is Kind.NEWS or entry.kind is Kind.ASIDE:
            postings = self._postings
            for term in entry.terms:
                if term in postings:
                    postings[term].append(member)
                else:
                    postings[term] = [member]
            for heard in entry.sounds:
                _add(self._sounds, heard, member)

    def move(self, merge: Merge) -> None:
        """Make two stories, or two storylines, one."""
        if merge.grouping is Grouping.NORMAL:
            moved = self.stories.pop(merge.gone)
            for member in moved:
                member.story_ids = replace(member.story_ids, story=merge.kept)
            self.stories[merge.kept] = sorted(self.stories[merge.kept] + moved, key=_id)
            lines = self._storylines[moved[0].story_ids.storyline]
            lines.discard(merge.gone)
            lines.add(merge.kept)
        else:
            stories = self._storylines.pop(merge.gone)
            for story in stories:
                for member in self.stories[story]:
                    member.story_ids = replace(member.story_ids, storyline=merge.kept)
            self._storylines[merge.kept] |= stories

    def on_to(self, hours: float) -> None:
        """Move the present on, never back, and let go what is too old."""
        if hours <= self._now:
            return
        self._now = hours
        gone = hours - self._span
        for hour in sorted(hour for hour in self._by_hour if hour <= gone):
            for member in self._by_hour.pop(hour):
                if member.features.hours < gone:
                    self._drop(member)
                else:
                    _add(self._by_hour, hour, member)

    def _drop(self, member: Member) -> None:
        entry, story_ids = member.features, member.story_ids
        del self.members[entry.id]
        _remove(self._links, entry.link, member)
        _remove(self._forms, entry.form, member)
        _remove(self.stories, story_ids.story, member)
        if story_ids.story not in self.stories:
            self._storylines[story_ids.storyline].discard(story_ids.story)
            if not self._storylines[story_ids.storyline]:
                del self._storylines[story_ids.storyline]
        self._languages[entry.language] -= 1
        if not self._languages[entry.language]:
            del self._languages[entry.language]
        for heard in entry.sounds:
            _remove(self._sounds, heard, member)
        self.rarity.drop(entry)
        for term in entry.terms:
            _remove(self._postings, term, member)

    def linked(self, entry: Features) -> Member | None:
        """The first entry with the same link, unless one feed has it under different headlines: a page of many stories."""
        same = self._links.get(entry.link, ()) if entry.link else ()
        feeds = {(entry.publisher, entry.feed): entry.headline}
        keywords = all(
            feeds.setdefault((one.features.publisher, one.features.feed), one.features.headline)
            == one.features.headline
            for one in same
        )
        return same[0] if same and keywords else None

    def named(self, entry: Features) -> Member | None:
        """The first entry with the same headline, at another publisher."""
        same = (
            one
            for one in self._forms.get(entry.form, ())
            if one.features.headline == entry.headline
        )
        return next(
            (
                one
                for one in same
                if one.features.publisher != entry.publisher and one.features.kind in _TELLING
            ),
            None,
        )

    def serial(self, entry: Features) -> bool:
        """Whether a publisher has this headline time and again, but for a number or a day."""
        return any(
            one.features.publisher == entry.publisher
            and abs(one.features.hours - entry.hours) >= APART_HOURS
            for one in self._forms.get(entry.form, ())
        )

    def similar(self, similarity: Similarity) -> list[Member]:
        """Entries that share the most telling words, as far as the budget reaches; of a usual word the latest that hold it."""
        met: dict[Member, float] = {}
        already = met.get
        left = POSTINGS
        for term, weight in sorted(similarity.vector.items(), key=_weight, reverse=True):
            if members := self._postings.get(term):
                square = weight * weight
                if len(members) > RECENT:
                    members = members[-RECENT:]
                for member in members:
                    met[member] = square + already(member, 0.0)
                left -= len(members)
                if left <= 0:
                    break
        found = [one for one in met.items() if one[1] >= LEAST]
        found.sort(key=_weight, reverse=True)
        return [member for member, _ in found[:CANDIDATES]]

    def foreign(self, entry: Features, hours: float) -> Iterable[tuple[Member, list[str]]]:
        """Entries in other languages of the last hours that share two names or more by their sound, and which."""
        if not entry.language or not self._languages.keys() - {"", entry.language}:
            return []
        met: dict[Member, list[str]] = {}
        for heard in entry.sounds:
            for member in islice(
                (
                    one
                    for one in reversed(self._sounds.get(heard, ()))
                    if one.features.language not in {"", entry.language}
                ),
                RECENT,
            ):
                if abs(member.features.hours - entry.hours) <= hours:
                    met.setdefault(member, []).append(heard)
        return [(member, shared) for member, shared in met.items() if len(shared) > 1]

    def holding(self, heard: str) -> int:
        """How many entries have a name by its sound."""
        return len(self._sounds.get(heard, ()))


_TELLING = frozenset({Kind.NEWS, Kind.ASIDE})


def _id(member: Member) -> int:
    return member.features.id


def _add(index: dict[Any, list[Member]], key: Any, member: Member) -> None:
    if key in index:
        index[key].append(member)
    else:
        index[key] = [member]


def _remove(index: dict[Any, list[Member]], key: Any, member: Member) -> None:
    if key in index and member in index[key]:
        index[key].remove(member)
        if not index[key]:
            del index[key]
