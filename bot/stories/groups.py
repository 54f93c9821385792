"""Values by a key that few of them share: entries by link, headline or story. No decisions.

Most keys have one value, which stands for itself there: a list or a set of one would take more
memory than all else that is kept by the key.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from bot.stories.postings import Member

Key = TypeVar("Key", bound=Hashable)


class Groups(Generic[Key]):
    """The members that have each key, in the order in which they were added."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[Key, Member | list[Member]] = {}  #: not to be changed

    def __contains__(self, key: Key) -> bool:
        return key in self.by_key

    def __getitem__(self, key: Key) -> list[Member]:
        """Return the members of a key that has some. Not to be changed."""
        held = self.by_key[key]
        return held if isinstance(held, list) else [held]

    def get(self, key: Key) -> Sequence[Member]:
        """Return the members of a key."""
        return self[key] if key in self.by_key else ()

    def add(self, key: Key, member: Member) -> None:
        """Add a member behind those of its key."""
        held = self.by_key.setdefault(key, member)
        if held is member:
            return
        if isinstance(held, list):
            held.append(member)
        else:
            self.by_key[key] = [held, member]

    def remove(self, key: Key, member: Member) -> None:
        """Remove a member of a key, if it is one."""
        held = self.by_key.get(key)
        if held is member:
            del self.by_key[key]
        elif isinstance(held, list) and member in held:
            held.remove(member)
            if len(held) == 1:
                self.by_key[key] = held[0]

    def replace(self, key: Key, members: list[Member]) -> None:
        """Let a key have these members, one at least, and no other."""
        self.by_key[key] = members if len(members) > 1 else members[0]

    def pop(self, key: Key) -> list[Member]:
        """Remove a key that has members; return them."""
        members = self[key]
        del self.by_key[key]
        return members


class StoryGroups:
    """The numbers of the stories of each storyline."""

    __slots__ = ("by_storyline",)

    def __init__(self) -> None:
        self.by_storyline: dict[int, int | set[int]] = {}  #: not to be changed

    def __contains__(self, storyline: int) -> bool:
        return storyline in self.by_storyline

    def add(self, storyline: int, stories: Iterable[int]) -> None:
        """Add stories to a storyline. One that it has already is no other."""
        for story in stories:
            held = self.by_storyline.setdefault(storyline, story)
            if isinstance(held, set):
                held.add(story)
            elif held != story:
                self.by_storyline[storyline] = {held, story}

    def remove(self, storyline: int, story: int) -> None:
        """Remove a story of a storyline."""
        held = self.by_storyline[storyline]
        if isinstance(held, set):
            held.discard(story)
            if len(held) == 1:
                self.by_storyline[storyline] = held.pop()
        elif held == story:
            del self.by_storyline[storyline]

    def pop(self, storyline: int) -> set[int]:
        """Remove a storyline; return its stories."""
        held = self.by_storyline.pop(storyline)
        return held if isinstance(held, set) else {held}
