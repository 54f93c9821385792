"""What people did and what outlets published, and when, by the log of whoever made them do it.

The other side of the evidence: nothing here was asked of newsbell, but the numbers that it gave
chats and subscriptions. Times are seconds since 1970 on the program's wall clock. No I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Where = tuple[int, int]  #: a chat of Telegram and its topic; 0 for none


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription asked for from a moment on."""

    at: float
    query: str
    feeds: frozenset[str] = frozenset()  #: names of feeds or tags; empty: all
    options: Mapping[str, Any] = field(default_factory=dict)  #: as feeds.yaml names them
    paused: bool = False


@dataclass
class Subscribed:
    """A subscription, from its making on."""

    number: int  #: newsbell's
    name: str
    chats: frozenset[Where]
    wishes: list[Wish]
    is_declared: bool = False
    gone: list[tuple[float, float | None]] = field(default_factory=list)  #: deleted, and back

    @property
    def made_at(self) -> float:
        """When it was made."""
        return self.wishes[0].at

    @property
    def names(self) -> set[str]:
        """All that messages may call it: one that a chat made is called by its query."""
        return {self.name, *(() if self.is_declared else (wish.query for wish in self.wishes))}

    @property
    def wish(self) -> Wish:
        """What it asks for now."""
        return self.wishes[-1]

    @property
    def is_gone(self) -> bool:
        """Whether it is deleted now."""
        return bool(self.gone) and self.gone[-1][1] is None

    def wish_at(self, moment: float) -> Wish | None:
        """What it asked for at a moment; None before it was made."""
        made = [wish for wish in self.wishes if wish.at <= moment]
        return made[-1] if made else None

    def wishes_about(self, begin: float, end: float) -> list[Wish]:
        """What it asked for at any time between two moments, unless it was deleted throughout."""
        if any(gone < begin and (back is None or back > end) for gone, back in self.gone):
            return []
        made = [wish for wish in self.wishes if wish.at <= end]
        early = [wish for wish in made if wish.at < begin]
        return [*early[-1:], *(wish for wish in made if wish.at >= begin)]

    def change(self, at: float, **values: Any) -> None:
        """Ask for something else from now on."""
        self.wishes.append(replace(self.wish, at=at, **values))


@dataclass
class Chat:
    """A chat."""

    where: Where
    name: str
    made_at: float
    user: int = 0  #: who writes there
    number: int = 0  #: newsbell's
    #: at which its alerts were made: strict, story or storyline; the newest last
    levels: list[str] = field(default_factory=lambda: ["story"])
    quiet: tuple[int, int] | None = None  #: minutes of the day in UTC
    digest: tuple[int, ...] = (8 * 60,)
    blocked: list[tuple[float, float | None]] = field(default_factory=list)


@dataclass
class Published:
    """An article."""

    number: int
    link: str
    feed: str
    publisher: str
    tags: frozenset[str]
    titles: list[tuple[float, str]]
    text: str
    dated: float
    agency: str = ""
    served_at: float | None = None  #: when it was in a document that was fetched
    is_first: bool = False  #: it was in the first document of its feed that was fetched
    is_old: bool = False  #: it was published as a part of an archive
    readers: frozenset[Where] | None = None  #: who added its feed; None: it is everybody's

    @property
    def title(self) -> str:
        """Its present headline."""
        return self.titles[-1][1]


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody muted or followed a storyline, or ended that."""

    at: float
    where: Where
    link: str  #: of the article whose message was used
    stance: str  #: mute, follow or empty


@dataclass
class History:
    """All of it."""

    chats: dict[Where, Chat] = field(default_factory=dict)
    subscriptions: dict[int, Subscribed] = field(default_factory=dict)
    articles: dict[str, Published] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    #: the lists of words of feeds.yaml, and since when
    lists: list[tuple[float, dict[str, list[str]]]] = field(default_factory=lambda: [(0.0, {})])
    outages: list[tuple[float, float | None]] = field(default_factory=list)
    dropped: list[float] = field(default_factory=list)  #: when deliveries were dropped by hand

    @property
    def names(self) -> dict[str, list[str]]:
        """The lists of words that are in force."""
        return self.lists[-1][1]

    def of_chat(self, where: Where) -> list[Subscribed]:
        """The subscriptions of a chat, the deleted ones too."""
        return [s for s in self.subscriptions.values() if where in s.chats]
