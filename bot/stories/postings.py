"""Members of the window by a key that many share: a term or a phonetic key. No decisions.

Lists in order of id, of which only the latest are read. To remove a member from its place in each
list would take longer the more lists are long, so it stays there, marked as gone, until it is first
or the list is half of such. What is read is the same as if it were removed at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.model.stories import StoredFeatures, StoryIds
from bot.stories.features import Features
from bot.stories.packed_features import unpack

_NONE = StoryIds(0, 0, 0)
_LATE = frozenset(("features", "terms", "largest_weight"))


@dataclass(slots=True, eq=False)
class Term:
    """A term of the entries in one language. One object, so that they find its counts in it."""

    name: str
    prior: int  #: added to the count of a common term
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
        self.largest_weight = max(features.tf_weights, default=0.0)
        self.story_ids, self.gone = _NONE, False


class StoredMember(Member):
    """One that was read from the store. What its features are is made when it is first asked for.

    Few of the entries that a start reads are ever compared with another.
    """

    __slots__ = ("_known", "_stored")

    def __init__(self, stored: StoredFeatures, known: Mapping[str, Term]) -> None:
        """`known` are the terms of its language, among which its own are counted."""
        self._stored, self._known = stored, known
        self.story_ids, self.gone = _NONE, False

    def __getattr__(self, name: str) -> Any:
        """Make what is not there yet: Python asks here for empty slots alone."""
        if name not in _LATE:
            raise AttributeError(name)
        features = unpack(self._stored)
        self.features = features
        self.terms = tuple(map(self._known.__getitem__, features.terms))
        self.largest_weight = max(features.tf_weights, default=0.0)
        del self._stored, self._known
        return getattr(self, name)


class Postings:
    """The members that have each key."""

    __slots__ = ("_gone", "_members")

    def __init__(self) -> None:
        self._members: dict[str, list[Member]] = defaultdict(list)
        self._gone: dict[str, int] = {}  # how many of the members of a key are gone; never 0

    def add(self, keys: Iterable[str], member: Member) -> None:
        """Add a member that came after all others."""
        postings = self._members
        for key in keys:
            postings[key].append(member)

    @property
    def by_key(self) -> dict[str, list[Member]]:
        """What holds the members. Not to be changed while they are asked for."""
        return self._members

    def remove(self, keys: Iterable[str], member: Member) -> None:
        """Remove a member that was added with these keys and is marked as gone."""
        postings, gone = self._members, self._gone
        for key in keys:
            members = postings[key]
            if members[0] is not member:
                count = gone[key] = gone.get(key, 0) + 1
                if 2 * count > len(members):
                    members[:] = [other for other in members if not other.gone]
                    del gone[key]
            elif len(members) == 1:
                del postings[key]
            else:
                self._remove_first(key, members)

    def _remove_first(self, key: str, members: list[Member]) -> None:
        """Remove the first member of a key, and the next ones as far as they are gone as well."""
        count = 1
        if key in self._gone:
            while count < len(members) and members[count].gone:
                count += 1
            if left := self._gone[key] - (count - 1):
                self._gone[key] = left
            else:
                del self._gone[key]
        del members[:count]
        if not members:
            del self._members[key]

    def latest(self, key: str, limit: int) -> list[Member]:
        """Return the latest members of a key, in order of id. Not to be changed."""
        members = self._members.get(key)
        if members is None:
            return []
        latest = members[-limit:] if len(members) > limit else members
        if key not in self._gone:
            return latest
        left = [member for member in latest if not member.gone]
        if len(left) == len(latest) or len(latest) == len(members):
            return left
        left = list(islice(self.newest_first(key), limit))
        left.reverse()
        return left

    def newest_first(self, key: str) -> Iterator[Member]:
        """Yield the members of a key, the latest first."""
        return (member for member in reversed(self._members.get(key, ())) if not member.gone)

    def count(self, key: str) -> int:
        """Return the number of members that have a key."""
        return len(self._members.get(key, ())) - self._gone.get(key, 0)
