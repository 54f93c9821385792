"""Candidates for a new entry, clustered by the stories they belong to. No thresholds here."""

from dataclasses import dataclass
from typing import NamedTuple

from bot.model.stories import Grouping, Pair, PairReason
from bot.stories.postings import Member

SINGLE_PAIR_FACTOR = 0.9  #: factor for the score of a story with one similar entry only


class Candidate(NamedTuple):
    """An entry of the window with its similarity to the new one."""

    score: float
    member: Member
    contradicts: bool = False  # similar, but about another event


@dataclass(slots=True)
class Cluster:
    """A story of any level with its similarity to the new entry."""

    id: int
    score: float
    best: list[Candidate]  # at most two, the best first


def clusters_at(grouping: Grouping, candidates: list[Candidate]) -> list[Cluster]:
    """Group candidates by their stories of one level, the best first.

    The score of a story is the mean of its two best candidates.
    """
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        best = groups.setdefault(candidate.member.story_ids.at(grouping), [])
        if len(best) < 2:
            best.append(candidate)
    clusters = [
        Cluster(
            story,
            (best[0].score + best[1].score) / 2
            if len(best) > 1
            else best[0].score * SINGLE_PAIR_FACTOR,
            best,
        )
        for story, best in groups.items()
    ]
    clusters.sort(key=cluster_rank)
    return clusters


def is_contradicted(story: Cluster, candidates: list[Candidate]) -> bool:
    """Whether the most similar entry of a story is about another event."""
    for candidate in candidates:
        if candidate.member.story_ids.story == story.id:
            return candidate.contradicts
    return False


def candidate_rank(candidate: Candidate) -> tuple[float, int]:
    """Return a sort key: the highest score first, then the lowest id."""
    return -candidate.score, candidate.member.features.id


def cluster_rank(cluster: Cluster) -> tuple[float, int]:
    """Return a sort key: the highest score first, then the lowest id."""
    return -cluster.score, cluster.id


def word_pairs(candidates: list[Candidate]) -> tuple[Pair, ...]:
    """Return candidates as the reasons of a placement."""
    return tuple(
        Pair(candidate.member.features.id, round(candidate.score, 4), PairReason.WORDS)
        for candidate in candidates
    )
