"""Members of the window by a key that many share: a term or a phonetic key. No decisions.

Lists in order of id, of which only the latest are read. To remove a member from its place in each
list would take longer the more lists are long, so it stays there, marked as gone, until it is first
or the list is half of such. What is read is the same as if it were removed at once.

A term has its list in itself: what counts it or reads it looks its name up once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.model.stories import StoredFeatures, StoryIds
from bot.stories.features import Features, tf_weight
from bot.stories.packed_features import Sketch, sketch, unpack

_NONE = StoryIds(0, 0, 0)
_LATE = frozenset(("features", "terms", "largest_weight"))


@dataclass(slots=True, eq=False)
class Term:
    """A term of the entries in one language. One object, so that they find its counts in it."""

    name: str
    prior: int  #: added to the count of a common term
    members: "Posting"  #: those that are found by it, in whichever language
    count: int = 0  #: how many entries contain it
    log_count: float = 0.0  #: logarithm of the count with the prior


class Member:
    """An entry of the window and its stories."""

    __slots__ = ("features", "gone", "largest_weight", "story_ids", "terms")

    features: Features
    terms: tuple[Term, ...]  #: those of `features`, in the same order
    largest_weight: float  #: of the `tf_weights` of `features`
    story_ids: StoryIds
    gone: bool  #: it has left the window

    def __init__(self, features: Features, terms: tuple[Term, ...]) -> None:
        """`terms` are those of the features, in the same order."""
        self.features, self.terms = features, terms
        self.largest_weight = tf_weight(max(features.counts, default=0))
        self.story_ids, self.gone = _NONE, False


class StoredMember(Member):
    """One that was read from the store. What its features are is made when it is first asked for.

    Few of the entries that a start reads are ever compared with another.
    """

    __slots__ = ("_known", "_stored")

    def __init__(self, stored: StoredFeatures, known: Mapping[str, Term]) -> None:
        """`known` are the terms of its language, among which its own are counted."""
        self._stored: StoredFeatures | None = stored  # None once its features are made
        self._known = known
        self.story_ids, self.gone = _NONE, False

    def sketch(self) -> Sketch | None:
        """Return what is known of it without making its features; None once they are made."""
        return sketch(self._stored) if self._stored else None

    def __getattr__(self, name: str) -> Any:
        """Make what is not there yet: Python asks here for empty slots alone."""
        if name not in _LATE or self._stored is None:
            raise AttributeError(name)
        features = unpack(self._stored)
        self.features = features
        self.terms = tuple(map(self._known.__getitem__, features.terms))
        self.largest_weight = tf_weight(max(features.counts, default=0))
        self._stored = None
        return getattr(self, name)


class Posting(list[Member]):
    """The members that have one key, in order of id, with some that are gone."""

    __slots__ = ("gone",)

    def __init__(self) -> None:
        super().__init__()
        self.gone = 0  #: how many of them are gone

    def drop(self, member: Member) -> None:
        """Remove a member that is marked as gone."""
        if self[0] is not member:
            self.gone += 1
            if 2 * self.gone > len(self):
                self[:] = [other for other in self if not other.gone]
                self.gone = 0
            return
        count = 1  # the next ones as well, as far as they are gone
        if self.gone:
            while count < len(self) and self[count].gone:
                count += 1
            self.gone -= count - 1
        del self[:count]

    def latest(self, limit: int) -> list[Member]:
        """Return the latest members, in order of id. Not to be changed."""
        latest = self[-limit:] if len(self) > limit else self
        if not self.gone:
            return latest
        left = [member for member in latest if not member.gone]
        if len(left) == len(latest) or len(latest) == len(self):
            return left
        left = list(islice(self.newest_first(), limit))
        left.reverse()
        return left

    def newest_first(self) -> Iterator[Member]:
        """Yield the members, the latest first."""
        return (member for member in reversed(self) if not member.gone)

    @property
    def live(self) -> int:
        """How many are not gone."""
        return len(self) - self.gone
