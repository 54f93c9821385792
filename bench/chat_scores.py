"""What a chat that asks for everything would feel of a grouping: hidden news, needless alerts.

Counted against labelled rows (columns `event`, `story`, `kind`, `joins`, `ambiguous`). Knows
nothing of how articles are grouped; `story_scores` groups them. Not pair scores of one level alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A labelled row, and what a chat saw of it."""

    row: Row
    group: Hashable  #: after all merges
    fate: str  #: when it came: alert, note or edit

    @property
    def subject(self) -> str:
        """The event that it is about: for commentary, the one that it may join."""
        return self.row.get("joins") or self.row["event"]


@dataclass(frozen=True, slots=True)
class ChatScores:
    """Counts over one window, or the sum of several."""

    events: int = 0  #: with an article of kind news
    hidden: int = 0  #: of them, without an alert for any article, nor for one that is about it
    untold: int = 0  #: of the hidden ones, without a note as well
    late: int = 0  #: events whose first article did not alert and a later one did
    alerts: int = 0
    needless: int = 0  #: alerts beyond the first for one subject
    notes: int = 0
    joins: int = 0  #: articles added to an alert
    unrelated: int = 0  #: of them, to one with no earlier article of their running story
    hits: int = 0  #: pairs of one event in one group
    grouped: int = 0  #: pairs in one group, without those of a comment and its event
    wanted: int = 0  #: pairs of one event

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> ChatScores:
        """Count over rows in the order in which they came, the ambiguous ones left out."""
        alerted: defaultdict[str, list[int]] = defaultdict(list)
        noted: set[str] = set()
        first: dict[str, int] = {}
        members: defaultdict[Hashable, list[Seen]] = defaultdict(list)
        joins = unrelated = 0
        for place, item in enumerate(seen):
            if item.row.get("kind", "news") == "news":
                first.setdefault(item.row["event"], place)
            # The first of its group that counts opens it, whatever an ambiguous one did before.
            if item.fate == "alert" or not members[item.group]:
                alerted[item.subject].append(place)
            else:
                joins += 1
                stories = {other.row["story"] for other in members[item.group]}
                unrelated += item.row["story"] not in stories
                if item.fate == "note":
                    noted.add(item.row["event"])
            members[item.group].append(item)
        hidden = [event for event in first if not alerted[event]]
        pairs = [pair for group in members.values() for pair in combinations(group, 2)]
        sizes = Counter(item.row["event"] for item in seen)
        return cls(
            events=len(first),
            hidden=len(hidden),
            untold=sum(event not in noted for event in hidden),
            late=sum(bool(alerted[event]) and alerted[event][0] > first[event] for event in first),
            alerts=sum(map(len, alerted.values())),
            needless=sum(len(places) - 1 for places in alerted.values() if places),
            notes=sum(item.fate == "note" for item in seen),
            joins=joins,
            unrelated=unrelated,
            hits=sum(_is_one(*pair) for pair in pairs),
            grouped=sum(_is_one(*pair) or not _is_tolerated(*pair) for pair in pairs),
            wanted=sum(count * (count - 1) // 2 for count in sizes.values()),
        )

    def __add__(self, other: ChatScores) -> ChatScores:
        """Return the counts of both."""
        names = [field.name for field in fields(self)]
        return ChatScores(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def f1(self) -> float:
        """F1 of pairs on `event`."""
        return 2 * self.hits / ((self.grouped + self.wanted) or 1)

    def line(self) -> str:
        """Return the counts in a line."""
        return (
            f"hidden {self.hidden}/{self.events} ({self.hidden / (self.events or 1):.1%}), "
            f"neither alerted nor noted {self.untold}, late {self.late}; "
            f"needless {self.needless}/{self.alerts} ({self.needless / (self.alerts or 1):.1%}); "
            f"notes {self.notes}; "
            f"unrelated {self.unrelated}/{self.joins} ({self.unrelated / (self.joins or 1):.1%}); "
            f"pairs {self.hits / (self.grouped or 1):.3f}/{self.hits / (self.wanted or 1):.3f}"
            f"/{self.f1:.3f}"
        )


def _is_one(first: Seen, second: Seen) -> bool:
    return first.row["event"] == second.row["event"]


def _is_tolerated(first: Seen, second: Seen) -> bool:
    """Whether one is a comment that may join the other's event, or both comment on one event."""
    joins, other = first.row.get("joins"), second.row.get("joins")
    return bool(joins and joins in {second.row["event"], other}) or bool(
        other and other == first.row["event"]
    )
