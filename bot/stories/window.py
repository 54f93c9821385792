"""The live window of the stories: which entries of the last days an entry is like, and which stories it therefore belongs to. No I/O, no clock.

Everything is decided by what the window holds at that moment, entries and their places, and nothing else is remembered: restored from
the store it goes on as if it had never stopped. An entry is in the window for `SPAN` from its own time; a story ends with its last entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import log
from typing import NamedTuple

from bot.model.stories import Grouping, Merge, Pair, PairReason, Placement, Report, StoryIds
from bot.stories.contradictions import differ, tolls
from bot.stories.entry_index import EntryIndex, Member
from bot.stories.features import Features, features
from bot.stories.headline_kinds import Kind
from bot.stories.similarity import Similarity

SPAN = timedelta(hours=72)  #: how long a story takes in further entries

STRICT, STORY, STORYLINE = 0.36, 0.24, 0.17  #: least likeness to join, by level
ALONE = 0.9  #: factor where a story has only one entry yet
_EVIDENCE = (
    1,
    3,
)  # words that two entries share at least; the second of one publisher, whose headlines are made alike
_TWIN = 5  # words of a headline that one publisher has twice, for it to be an article that came again and not one of a series
MERGE = 1.1  #: times STORY that two stories have to be alike to be one
_MERGE_PAIRS, _MERGE_MEMBERS = (
    6,
    8,
)  # the best pairs that decide, at least; among so many entries of each
_FAINT = 0.05  # likeness that says nothing
_ASKED = 6  # members of a story that are compared beside the candidates
_BRIDGED = 3  # stories beside the best one that an entry may join to it
COPY = 0.92  #: likeness of a text that was only handed on
_COPIED = 0.8  # share of the words of the shorter of two texts under one headline, from which one is a copy
TELLING = 3  #: words that a headline needs for it to say the same as an equal one
_ABROAD_HOURS = 12.0  # between reports in two languages
_ABROAD_SHARED, _ABROAD_SHARE, _ABROAD_RARE = (
    3,
    0.34,
    0.02,
)  # names and numbers they share, of those they have; how usual the rarest may be


class _Scored(NamedTuple):
    score: float
    member: Member
    apart: bool = False  # alike, and yet of another thing


@dataclass(slots=True)
class _Found:
    """A story and how much an entry is like it."""

    story: int
    score: float
    pairs: list[_Scored]  # the two that are the most like


class Window:
    """The entries of the last hours and their stories."""

    def __init__(self, span: timedelta = SPAN) -> None:
        self._entries = EntryIndex(span.total_seconds() / 3600)

    def __len__(self) -> int:
        return len(self._entries.members)

    def add(self, report: Report) -> Placement:
        """Decide where an entry belongs and take it in. Called in order of arrival."""
        entry = features(report)
        self._entries.on_to(entry.hours)
        self._entries.rarity.add(entry)
        placement = self._decide(entry)
        for merge in placement.merges:
            self._entries.move(merge)
        self._entries.take(entry, placement.story_ids)
        return placement

    def restore(self, report: Report, story_ids: StoryIds) -> None:
        """Take in an entry of the store with the place that it was given, in order of id. Nothing is decided."""
        entry = features(report)
        self._entries.on_to(entry.hours)
        self._entries.rarity.add(entry)
        self._entries.take(entry, story_ids)

    def _decide(self, entry: Features) -> Placement:
        if same := self._entries.linked(entry):
            return _with(entry, same, PairReason.LINK)
        alone = Placement(entry.id, StoryIds(entry.id, entry.id, entry.id))
        if entry.kind is Kind.DIGEST or self._serial(entry):
            return alone
        if (
            entry.kind is not Kind.LIVE
            and entry.of_title >= TELLING
            and (same := self._entries.named(entry))
        ):
            return _with(entry, same, PairReason.HEADLINE)
        similarity = Similarity.of(entry, self._entries.rarity)
        scored = self._scored(entry, similarity)
        copy = next(
            (
                one.member.features.id
                for one in scored
                if one.score >= COPY and one.member.features.publisher != entry.publisher
            ),
            0,
        )
        stories = [
            found for found in self._stories(similarity, scored) if not _vetoed(found, scored)
        ]
        if stories and entry.kind is not Kind.LIVE:
            return self._join(entry, scored, stories, copy)
        if abroad := self._abroad(entry):
            return abroad
        lines = _groups(scored, _storyline)
        if lines and lines[0].score >= STORYLINE:
            story_ids = StoryIds(entry.id, entry.id, lines[0].story)
            return Placement(entry.id, story_ids, _pairs(lines[0].pairs), copy_of=copy)
        return alone

    def _serial(self, entry: Features) -> bool:
        """Whether it is one of a series of headlines made to a pattern; the dead that are counted every day are none."""
        return self._entries.serial(entry) and not tolls(entry.title)

    def _scored(self, entry: Features, similarity: Similarity) -> list[_Scored]:
        """The entries that are the most like, the best first."""
        scored: list[_Scored] = []
        for member in self._entries.similar(similarity):
            other = member.features
            score = similarity.to(other)
            if score < _FAINT or (
                other.language != entry.language and other.language and entry.language
            ):
                continue
            if score >= STORYLINE and (
                self._serial(other) or not _evident(entry, other, similarity)
            ):
                continue
            scored.append(_Scored(score, member, score >= STORY * ALONE and differ(entry, other)))
        scored.sort(key=_rank)
        return scored

    def _stories(self, similarity: Similarity, scored: list[_Scored]) -> list[_Found]:
        """The stories that an entry is like enough to join. Of a story that only one candidate stands for, others are asked as well."""
        stories: list[_Found] = []
        for found in _groups(scored, _story):
            if found.score < STORY:
                break
            members = self._entries.stories[found.story]
            if len(found.pairs) > 1 or len(members) == 1:
                stories.append(found)
                continue
            first = found.pairs[0]
            others = [one for one in members[-_ASKED:] if one is not first.member]
            second = max(
                (_Scored(similarity.to(one.features), one) for one in others),
                key=lambda one: one.score,
            )
            if (score := (first.score + second.score) / 2) >= STORY:
                stories.append(_Found(found.story, score, [first, second]))
        return sorted(stories, key=_best_first)

    def _join(
        self, entry: Features, scored: list[_Scored], stories: list[_Found], copy: int
    ) -> Placement:
        best = stories[0]
        strict = _groups(
            [one for one in scored if one.member.story_ids.story == best.story and not one.apart],
            _strict,
        )[0]
        merges = self._merges(best, stories[1 : 1 + _BRIDGED])
        story_ids = best.pairs[0].member.story_ids
        story, line = story_ids.story, story_ids.storyline
        for merge in merges:
            if merge.grouping is Grouping.NORMAL:
                story = merge.kept
            else:
                line = merge.kept
        story_ids = StoryIds(strict.story if strict.score >= STRICT else entry.id, story, line)
        return Placement(entry.id, story_ids, _pairs(best.pairs), merges, copy)

    def _merges(self, best: _Found, others: list[_Found]) -> tuple[Merge, ...]:
        """At most one story that turns out to be the same as the best: the entry is like both, and they are like each other."""
        for other in others:
            if self._alike(best.story, other.story) < MERGE * STORY:
                continue
            kept, gone = sorted((best.story, other.story))
            line, left = sorted(
                (
                    best.pairs[0].member.story_ids.storyline,
                    other.pairs[0].member.story_ids.storyline,
                )
            )
            joined = (Merge(Grouping.LOOSE, left, line),) if left != line else ()
            return (*joined, Merge(Grouping.NORMAL, gone, kept))
        return ()

    def _alike(self, one: int, other: int) -> float:
        """How alike two stories are: the mean of the best pairs between them; not at all where a pair tells of two things."""
        scores: list[float] = []
        theirs = self._entries.stories[other][-_MERGE_MEMBERS:]
        for member in self._entries.stories[one][-_MERGE_MEMBERS:]:
            similarity = Similarity.of(member.features, self._entries.rarity)
            if any(differ(member.features, their.features) for their in theirs):
                return 0.0
            scores += [similarity.to(their.features) for their in theirs]
        best = sorted(scores, reverse=True)[
            : max(_MERGE_PAIRS, len(scores) // 2 - _MERGE_PAIRS // 2)
        ]
        return sum(best) / len(best)

    def _abroad(self, entry: Features) -> Placement | None:
        """The story of an entry in another language that has nearly all names and numbers in common, within hours."""
        best: tuple[float, Member] | None = None
        usual = max(5.0, _ABROAD_RARE * len(self._entries.members))
        for member, shared in self._entries.foreign(entry, _ABROAD_HOURS):
            share = len(shared) / min(len(entry.sounds), len(member.features.sounds))
            if (
                len(shared) < _ABROAD_SHARED
                or share < _ABROAD_SHARE
                or min(map(self._entries.holding, shared)) > usual
            ):
                continue
            score = share * (1 - 1 / (1 + log(len(shared))))
            if best is None or score > best[0]:
                best = (score, member)
        if best is None:
            return None
        story_ids = best[1].story_ids
        return Placement(
            entry.id,
            StoryIds(entry.id, story_ids.story, story_ids.storyline),
            (Pair(best[1].features.id, round(best[0], 4), PairReason.NAMES),),
        )


def _evident(entry: Features, other: Features, similarity: Similarity) -> bool:
    """Whether two entries share enough words for their likeness to say anything."""
    own = entry.publisher == other.publisher
    if own and entry.form == other.form and entry.of_title < _TWIN:
        return False
    return similarity.shared(other) >= _EVIDENCE[own]


def _with(entry: Features, same: Member, reason: PairReason) -> Placement:
    """The place of an entry that says the very same."""
    elsewhere = same.features.publisher != entry.publisher
    copied = elsewhere and (
        reason is PairReason.LINK
        or (same.features.headline == entry.headline and _same_text(entry, same.features))
    )
    copy = same.features.id if copied else 0
    return Placement(entry.id, same.story_ids, (Pair(same.features.id, 1.0, reason),), copy_of=copy)


def _same_text(one: Features, other: Features) -> bool:
    """Whether two entries under one headline say the same below it, as far as they say anything."""
    if one.bare or other.bare:
        return True
    first, second = set(one.terms), set(other.terms)
    return len(first & second) >= _COPIED * min(len(first), len(second))


def _groups(scored: list[_Scored], of: Callable[[StoryIds], int]) -> list[_Found]:
    """The stories of one level that an entry is like, the most alike first: by the mean of the two best members."""
    groups: dict[int, list[_Scored]] = {}
    for one in scored:
        pairs = groups.setdefault(of(one.member.story_ids), [])
        if len(pairs) < 2:
            pairs.append(one)
    found = [
        _Found(
            story,
            (pairs[0].score + pairs[1].score) / 2 if len(pairs) > 1 else pairs[0].score * ALONE,
            pairs,
        )
        for story, pairs in groups.items()
    ]
    found.sort(key=_best_first)
    return found


def _vetoed(found: _Found, scored: list[_Scored]) -> bool:
    """Whether the member that the entry is the most like tells of another thing."""
    return next((one.apart for one in scored if one.member.story_ids.story == found.story), False)


def _rank(one: _Scored) -> tuple[float, int]:
    return -one.score, one.member.features.id


def _best_first(one: _Found) -> tuple[float, int]:
    return -one.score, one.story


def _strict(story_ids: StoryIds) -> int:
    return story_ids.strict


def _story(story_ids: StoryIds) -> int:
    return story_ids.story


def _storyline(story_ids: StoryIds) -> int:
    return story_ids.storyline


def _pairs(found: list[_Scored]) -> tuple[Pair, ...]:
    return tuple(
        Pair(one.member.features.id, round(one.score, 4), PairReason.WORDS) for one in found
    )
