"""The live window: clusters the entries of the last days into stories. No I/O, no clock.

Each decision depends on the entries in the window and their stories, and on nothing else, so that
a window restored from the store continues as if it had never stopped. An entry stays in the window
for `SPAN` from its own time; a story ends with its last entry. One that is older than that when it
comes is no part of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from math import log
from operator import attrgetter

from bot.model.stories import (
    Grouping,
    Merge,
    Pair,
    PairReason,
    Placement,
    Report,
    StoredFeatures,
    StoryIds,
)
from bot.stories import contradictions, developments
from bot.stories.clusters import (
    SINGLE_PAIR_FACTOR,
    Candidate,
    Cluster,
    candidate_rank,
    cluster_rank,
    clusters_at,
    is_contradicted,
    word_pairs,
)
from bot.stories.contradictions import agree, contradicts, mentions_casualties
from bot.stories.entry_index import EntryIndex
from bot.stories.features import Features, extract_features
from bot.stories.headline_kinds import Kind
from bot.stories.packed_features import hours_of, outline, pack
from bot.stories.postings import Member
from bot.stories.similarity import Similarity

SPAN = timedelta(hours=72)  #: how long a story takes in further entries

STRICT_THRESHOLD = 0.36  #: least score to join a strict story
STORY_THRESHOLD = 0.26  #: least score of news to join a story whose first entry is as old
AGE_FACTOR = 0.01  #: by which the threshold grows with the logarithm of the opener's age in hours
STORYLINE_THRESHOLD = 0.17  #: least score to join a storyline, and of commentary to join a story
MERGE_FACTOR = 1.0  #: of STORY_THRESHOLD, the least similarity of two stories to be merged
HEADLINE_THRESHOLD = 0.24  #: the same, where it and the opener are headlines alone
OPENER_THRESHOLD = 0.20  #: least similarity of news to the opener of a story that it joins
HEADLINE_OPENER_THRESHOLD = 0.10  #: the same of news to an opener, both without summaries
#: least mean similarity to two entries of the opener's strict story, in place of the opener's
CORE_THRESHOLD = 0.28
MERGE_OPENER_THRESHOLD = 0.10  #: least similarity of the openers of two stories to be merged
COPY_THRESHOLD = 0.92  #: similarity from which an entry is a copy of another
MIN_HEADLINE_TERMS = 3  #: terms of a headline that is compared for equality
_MIN_TERMS = 3  # of an entry that is compared by words: fewer fit too many others
_MIN_SHARED_TERMS = 1  # of two entries, for their similarity to count
_MIN_SHARED_TERMS_SAME_PUBLISHER = 3  # one publisher's headlines resemble each other in style
_MIN_REPEATED_TERMS = 5  # of a headline that one publisher repeats for one article, not a series
_MIN_MERGE_PAIRS = 6  # pairs between two stories whose mean is their similarity
_MAX_MERGE_MEMBERS = 8  # latest entries of each story that are compared for a merge
_MIN_SCORE = 0.05  # lower similarities are ignored
_MAX_STORY_MEMBERS = 6  # latest entries of a story that are compared beside the candidates
_MAX_MERGE_STORIES = 3  # stories beside the best that are considered for a merge
_COPY_OVERLAP = 0.8  # share of the shorter text's terms in both, for texts under one headline
_KEYS = 20  # of an index that take as long to let go as one entry does to be removed
_CROSS_LANGUAGE_HOURS = 12.0  # longest time between reports in two languages
_CROSS_LANGUAGE_MIN_KEYS = 3  # phonetic keys that both contain
_CROSS_LANGUAGE_MIN_SHARE = 0.34  # of these in the shorter list of phonetic keys
_CROSS_LANGUAGE_MAX_FREQUENCY = 0.02  # of the rarest of these, as a share of all entries
_CROSS_LANGUAGE_MAX_COUNT = 5.0  # of the rarest of these, where the window has few entries


class Window:
    """The entries of the last hours and their stories."""

    def __init__(self, span: timedelta = SPAN) -> None:
        self._span = span.total_seconds() / 3600
        self._index = EntryIndex(self._span)
        self._left: list[EntryIndex] = []  # of entries that are all too old, not yet let go

    def __len__(self) -> int:
        return len(self._index.members)

    def add(self, report: Report, *, repeats: bool = False) -> Placement:
        """Decide to which stories an entry belongs, and add it. To be called in order of id.

        One that is older than the span is not added. It joins what has its link, nothing else.
        `repeats` says that its feed has the same words for another occurrence, as sirens do.
        """
        if self._index.is_past(_hours(report.at)):
            member = self._index.find_by_link(report)
            return _place_by_link(report, member) if member else _new_story(report.id)
        member = self._count(extract_features(report))
        placement = self._place(member, repeats=repeats)
        for merge in placement.merges:
            self._index.merge(merge)
        self._index.add(member, placement.story_ids)
        return placement

    def restore(self, stored: Report | StoredFeatures, story_ids: StoryIds) -> None:
        """Add a stored entry with its stored stories. To be called in order of id."""
        if isinstance(stored, StoredFeatures):
            hours = hours_of(stored)
            if not self._index.is_past(hours):
                self._advance(hours)  # first: it may begin another index
                self._index.restore(stored, outline(stored, hours), story_ids)
        elif not self._index.is_past(_hours(stored.at)):
            member = self._count(extract_features(stored))
            self._index.add(member, story_ids)

    @property
    def first_story(self) -> int:
        """The lowest number of a story or storyline; 0 in an empty window."""
        return self._index.first_story

    def follow(self, merges: Iterable[Merge]) -> None:
        """Merge what was merged where the entries came from; known merges change nothing.

        To be called when all entries are restored that were stored with these merges.
        """
        targets = {(merge.grouping, merge.gone): merge.kept for merge in merges}
        for grouping in (Grouping.LOOSE, Grouping.NORMAL):  # stories of one storyline are merged
            for level, gone in targets:
                if level is grouping and self._index.has_story(level, gone):
                    kept = gone
                    while (further := targets.get((level, kept), kept)) < kept:
                        kept = further
                    self._index.merge(Merge(level, gone, kept))

    def expect(self, stored: Iterable[Report | StoredFeatures]) -> None:
        """Leave out what will be too old once these are restored; they are themselves, later.

        To add what leaves again before the end is half of the work. To be called before `restore`.
        """
        for entry in stored:
            if isinstance(entry, StoredFeatures):  # the time of others may be another then
                self._index.advance(hours_of(entry))

    def prepare(self, languages: Iterable[str] = ()) -> None:
        """Make what entries in these languages and those of the window are compared by.

        Takes long, once.
        """
        self._index.frequencies.catch_up()
        contradictions.prepare()
        developments.prepare({*self._index.languages, *languages})

    def packed(self, number: int) -> str:
        """Return the features of an entry, to be stored with it; empty if it is not in the window.

        Those of one that was too old for the window are not needed.
        """
        member = self._index.members.get(number)
        return pack(member.features) if member else ""

    def make_room(self, at: datetime, limit: int) -> bool:
        """Remove entries that are too old once one of this time is added, `limit` at most.

        Changes nothing about the result: `add` removes what is left. It takes long where many are
        too old at once; a caller that must not be held up removes them bit by bit.

        Returns: whether none is left that is too old.
        """
        self._leave(_hours(at))
        if not self._index.advance(_hours(at), limit):
            return False
        while self._left:
            if not self._left[-1].drain(limit * _KEYS):
                return False
            del self._left[-1]
        return True

    def _leave(self, hours: float) -> None:
        """Begin anew where a quiet time left all entries behind: to remove each takes longer."""
        if len(self) and self._index.ends_before(hours):
            self._left.append(self._index)
            self._index = EntryIndex(self._span)

    def _count(self, entry: Features) -> Member:
        """Advance the window to an entry and count its terms."""
        self._advance(entry.hours)
        return self._index.frequencies.add(entry)

    def _advance(self, hours: float) -> None:
        self._leave(hours)
        self._left.clear()
        self._index.advance(hours)

    def _place(self, newcomer: Member, *, repeats: bool) -> Placement:
        entry = newcomer.features
        if member := self._index.find_by_link(entry):
            return _place_by_link(entry, member)
        new_story = _new_story(entry.id)
        if entry.kind is Kind.DIGEST or self._is_series(entry):
            return new_story
        if repeats and self._index.is_said_again(entry):
            return new_story
        if (
            entry.kind is not Kind.LIVE
            and entry.title_length >= MIN_HEADLINE_TERMS
            and (member := self._index.find_by_headline(entry))
        ):
            return _place_by_headline(entry, member)
        if len(entry.terms) < _MIN_TERMS:
            return new_story
        similarity = Similarity.of(newcomer, self._index.frequencies)
        candidates = self._candidates(entry, similarity)
        copy_of = _copied_entry(entry, candidates)
        stories = [
            story
            for story in self._similar_stories(similarity, candidates)
            if not is_contradicted(story, candidates)
            and (entry.kind is not Kind.NEWS or self._is_news_of(similarity, story.id))
        ]
        if stories and entry.kind is not Kind.LIVE:
            return self._join(similarity, candidates, stories, copy_of)
        if placement := self._join_other_language(entry):
            return placement
        storylines = clusters_at(Grouping.LOOSE, candidates)
        if storylines and storylines[0].score >= STORYLINE_THRESHOLD:
            story_ids = StoryIds(entry.id, entry.id, storylines[0].id)
            return Placement(
                entry.id,
                story_ids,
                word_pairs(storylines[0].best),
                copy_of=copy_of,
                development=entry.kind is Kind.NEWS,
            )
        return new_story

    def _is_series(self, entry: Features) -> bool:
        """Whether a headline is one of a recurring series. Daily casualty counts are no series."""
        return self._index.is_recurring(entry) and not mentions_casualties(entry.title_terms)

    def _candidates(self, entry: Features, similarity: Similarity) -> list[Candidate]:
        """Return the most similar entries, the best first.

        Without storylines in which no entry reaches the lowest of all thresholds: neither they nor
        their stories, whose score is that of their best entry at most, can decide anything.
        """
        candidates: list[Candidate] = []
        least = _threshold(entry, entry) * SINGLE_PAIR_FACTOR  # of any story, however young
        members = self._index.candidates(similarity)
        storylines = similarity.storylines_in_reach(STORYLINE_THRESHOLD, members)
        for member in members:
            if member.story_ids.storyline not in storylines:
                continue
            other = member.features
            score = similarity.to(member)
            if score < _MIN_SCORE or (
                other.language != entry.language and other.language and entry.language
            ):
                continue
            if len(other.terms) < _MIN_TERMS:
                continue
            if score >= STORYLINE_THRESHOLD and (
                self._is_series(other) or not _share_enough_terms(entry, member, similarity)
            ):
                continue
            contradiction = score >= least and contradicts(entry, other)
            candidates.append(Candidate(score, member, contradiction))
        candidates.sort(key=candidate_rank)
        return candidates

    def _similar_stories(
        self, similarity: Similarity, candidates: list[Candidate]
    ) -> list[Cluster]:
        """Return the stories similar enough to join, the best first.

        A story with one candidate among several members is judged by a second member as well.
        """
        stories: list[Cluster] = []
        for story in clusters_at(Grouping.NORMAL, candidates):
            members = self._index.stories[story.id]
            threshold = _threshold(similarity.entry, members[0].features)
            if story.score < threshold:
                continue
            if len(story.best) > 1 or len(members) == 1:
                stories.append(story)
                continue
            first = story.best[0]
            second = max(
                (
                    Candidate(similarity.to(member), member)
                    for member in members[-_MAX_STORY_MEMBERS:]
                    if member is not first.member
                ),
                key=attrgetter("score"),
            )
            if (score := (first.score + second.score) / 2) >= threshold:
                stories.append(Cluster(story.id, score, [first, second]))
        return sorted(stories, key=cluster_rank)

    def _is_news_of(self, similarity: Similarity, story: int) -> bool:
        """Whether news resembles what opened a story, not only what drifted in later.

        A chat has seen the headline of the opener: what differs from it is news to the chat.
        """
        opener = self._index.stories[story][0]
        score = similarity.to(opener)
        bare = similarity.entry.headline_only and opener.features.headline_only
        if score >= (HEADLINE_OPENER_THRESHOLD if bare else OPENER_THRESHOLD):
            return True
        core = [score] + [
            similarity.to(member)
            for member in self._index.strict_story(opener.story_ids.strict)
            if member is not opener
        ]
        core.sort(reverse=True)
        return len(core) > 1 and (core[0] + core[1]) / 2 >= CORE_THRESHOLD

    def _join(
        self,
        similarity: Similarity,
        candidates: list[Candidate],
        stories: list[Cluster],
        copy_of: int,
    ) -> Placement:
        """Place an entry in the best story, with a merge where it shows that two are one."""
        entry, best = similarity.entry, stories[0]
        strict_story = self._strict_story(entry, candidates, best.id)
        merges = self._merges(best, stories[1 : 1 + _MAX_MERGE_STORIES])
        story_ids = best.best[0].member.story_ids
        story, storyline = story_ids.story, story_ids.storyline
        for merge in merges:
            if merge.grouping is Grouping.NORMAL:
                story = merge.kept
            else:
                storyline = merge.kept
        known = any(
            member.features.kind is Kind.NEWS for member in self._index.strict_story(strict_story)
        )
        return Placement(
            entry.id,
            StoryIds(strict_story, story, storyline),
            word_pairs(best.best),
            merges,
            copy_of,
            development=entry.kind is Kind.NEWS and not known,
            confirms=_confirms(similarity, strict_story, self._index.stories[best.id][0]),
        )

    def _strict_story(self, entry: Features, candidates: list[Candidate], story: int) -> int:
        """Return the strict story of a story that an entry belongs to; else it opens one.

        Whatever the words have in common, an entry that tells of another happening than all that
        was told there is not the same occurrence.
        """
        clusters = clusters_at(
            Grouping.STRICT,
            [
                candidate
                for candidate in candidates
                if candidate.member.story_ids.story == story and not candidate.contradicts
            ],
        )
        for cluster in clusters:
            if cluster.score < STRICT_THRESHOLD:
                break
            members = self._index.strict_story(cluster.id)
            if any(
                agree(entry, member.features) for member in islice(members, _MAX_STORY_MEMBERS)
            ) and self._is_told(entry.developments, cluster.id):
                return cluster.id
        return entry.id

    def _is_told(self, developments: frozenset[str], strict_story: int) -> bool:
        """Whether the members of a strict story tell of all these together."""
        left = developments
        members = self._index.strict_story(strict_story)
        while left and (member := next(members, None)):
            left -= member.features.told
        return not left

    def _merges(self, best: Cluster, others: list[Cluster]) -> tuple[Merge, ...]:
        """Merge the best story with at most one other that is similar to it and to the entry."""
        for other in others:
            if self._story_similarity(
                best.id, other.id
            ) < MERGE_FACTOR * STORY_THRESHOLD or not self._are_openers_similar(best.id, other.id):
                continue
            kept, gone = sorted((best.id, other.id))
            kept_storyline, gone_storyline = sorted(
                (
                    best.best[0].member.story_ids.storyline,
                    other.best[0].member.story_ids.storyline,
                )
            )
            story_merge = Merge(Grouping.NORMAL, gone, kept)
            if gone_storyline == kept_storyline:
                return (story_merge,)
            return (Merge(Grouping.LOOSE, gone_storyline, kept_storyline), story_merge)
        return ()

    def _story_similarity(self, story: int, other: int) -> float:
        """Return the mean of the best pairs between two stories, 0 where a pair contradicts."""
        scores: list[float] = []
        other_members = self._index.stories[other][-_MAX_MERGE_MEMBERS:]
        for member in self._index.stories[story][-_MAX_MERGE_MEMBERS:]:
            similarity = Similarity.of(member, self._index.frequencies)
            if any(contradicts(member.features, peer.features) for peer in other_members):
                return 0.0
            scores += [similarity.between(peer) for peer in other_members]
        count = max(_MIN_MERGE_PAIRS, len(scores) // 2 - _MIN_MERGE_PAIRS // 2)
        best = sorted(scores, reverse=True)[:count]
        return sum(best) / len(best)

    def _are_openers_similar(self, story: int, other: int) -> bool:
        """Whether the first entries of two stories are similar, whatever came in between.

        These are what a chat has seen of them: an entry that resembles both is no bridge.
        """
        first, second = (self._index.stories[number][0] for number in (story, other))
        similarity = Similarity.of(first, self._index.frequencies)
        return similarity.between(second) >= MERGE_OPENER_THRESHOLD and _share_enough_terms(
            first.features, second, similarity
        )

    def _join_other_language(self, entry: Features) -> Placement | None:
        """Place an entry with one in another language that shares most of its names and numbers."""
        best: tuple[float, Member] | None = None
        max_frequency = max(
            _CROSS_LANGUAGE_MAX_COUNT, _CROSS_LANGUAGE_MAX_FREQUENCY * len(self._index.members)
        )
        for member, keys in self._index.cross_language_candidates(entry, _CROSS_LANGUAGE_HOURS):
            share = len(keys) / min(len(entry.phonetic_keys), len(member.features.phonetic_keys))
            if (
                len(keys) < _CROSS_LANGUAGE_MIN_KEYS
                or share < _CROSS_LANGUAGE_MIN_SHARE
                or min(map(self._index.phonetic_key_frequency, keys)) > max_frequency
            ):
                continue
            score = share * (1 - 1 / (1 + log(len(keys))))
            if best is None or score > best[0]:
                best = (score, member)
        if best is None:
            return None
        score, member = best
        story_ids = StoryIds(entry.id, member.story_ids.story, member.story_ids.storyline)
        return Placement(
            entry.id,
            story_ids,
            (Pair(member.features.id, round(score, 4), PairReason.NAMES),),
            development=entry.kind is Kind.NEWS,
        )


def _threshold(entry: Features, opener: Features) -> float:
    """Return the least score to join the story of an opener."""
    if entry.kind is not Kind.NEWS:
        return STORYLINE_THRESHOLD
    headlines = entry.headline_only and opener.headline_only
    threshold = HEADLINE_THRESHOLD if headlines else STORY_THRESHOLD
    return threshold + AGE_FACTOR * log(1 + abs(entry.hours - opener.hours))


def _confirms(similarity: Similarity, strict_story: int, opener: Member) -> bool:
    """Whether an entry's publisher counts as one that confirms what opened the story."""
    first = opener.features
    return strict_story == opener.story_ids.strict or (
        similarity.between(opener) >= OPENER_THRESHOLD and agree(similarity.entry, first)
    )


def _share_enough_terms(entry: Features, member: Member, similarity: Similarity) -> bool:
    """Whether two entries share enough terms for their similarity to count."""
    other = member.features
    if entry.publisher != other.publisher:
        return similarity.shares_terms(member, _MIN_SHARED_TERMS)
    if (
        entry.headline_template == other.headline_template
        and entry.title_length < _MIN_REPEATED_TERMS
    ):
        return False
    return similarity.shares_terms(member, _MIN_SHARED_TERMS_SAME_PUBLISHER)


def _hours(at: datetime) -> float:
    return at.timestamp() / 3600


def _new_story(number: int) -> Placement:
    """Place an entry alone."""
    return Placement(number, StoryIds(number, number, number))


def _place_by_link(entry: Features | Report, member: Member) -> Placement:
    """Place an entry in all stories of an entry with the same link."""
    other = member.features
    return _place_with(entry.id, member, PairReason.LINK, other.publisher != entry.publisher)


def _place_by_headline(entry: Features, member: Member) -> Placement:
    """Place an entry in all stories of an entry with the same headline at another publisher."""
    other = member.features
    is_copy = other.headline == entry.headline and _is_same_text(entry, other)
    return _place_with(entry.id, member, PairReason.HEADLINE, is_copy)


def _place_with(number: int, member: Member, reason: PairReason, is_copy: bool) -> Placement:
    other = member.features.id
    return Placement(
        number,
        member.story_ids,
        (Pair(other, 1.0, reason),),
        copy_of=other if is_copy else 0,
    )


def _is_same_text(entry: Features, other: Features) -> bool:
    """Whether the summaries of two entries under one headline agree, where both have one."""
    if entry.headline_only or other.headline_only:
        return True
    first, second = set(entry.terms), set(other.terms)
    return len(first & second) >= _COPY_OVERLAP * min(len(first), len(second))


def _copied_entry(entry: Features, candidates: list[Candidate]) -> int:
    """Return the id of the best candidate of which an entry is a copy, 0 where there is none."""
    for candidate in candidates:
        other = candidate.member.features
        if candidate.score >= COPY_THRESHOLD and other.publisher != entry.publisher:
            return other.id
    return 0
