"""Stories: what grouping looks at and what it decides. Not alerts, not stored entries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Grouping(StrEnum):
    """How much belongs to one alert.

    Strict stories make a story, stories make a storyline.
    """

    STRICT = "strict"
    NORMAL = "normal"
    LOOSE = "loose"


@dataclass(frozen=True, slots=True)
class Report:
    """An entry as grouping looks at it."""

    id: int
    title: str
    summary: str
    language: str  #: ISO 639-1; empty where unknown
    publisher: str  #: key of its publisher group; never empty
    at: datetime  #: when it was published where that can be trusted, else when it was seen
    #: key of its canonical link; empty where that does not lead to the page of an article
    link: bytes = b""
    feed: int = 0  #: which of the publisher's feeds showed it


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """What grouping made of a report when it was new, instead of the words."""

    id: int
    publisher: str  #: key of its publisher group
    feed: int
    packed: str


@dataclass(frozen=True, slots=True)
class StoryIds:
    """The three stories an entry belongs to, each named by the id of its first entry."""

    strict: int
    story: int
    storyline: int

    def at(self, grouping: Grouping) -> int:
        """The story at one level."""
        match grouping:
            case Grouping.STRICT:
                return self.strict
            case Grouping.NORMAL:
                return self.story
            case Grouping.LOOSE:
                return self.storyline


class PairReason(StrEnum):
    """What two entries of a story have in common."""

    LINK = "link"
    HEADLINE = "headline"
    WORDS = "words"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Pair:
    """Why an entry belongs to a story: another entry of it, and how alike the two are."""

    other: int
    score: float  #: 0 to 1
    reason: PairReason


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories that turned out to be the same: `gone` is now a part of `kept`."""

    grouping: Grouping
    gone: int
    kept: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one entry belongs, and why."""

    id: int
    story_ids: StoryIds
    #: at most two, the best first: of its story, else of its storyline; empty for the first entry
    pairs: tuple[Pair, ...] = ()
    merges: tuple[Merge, ...] = ()  #: to be done before the entry is stored
    copy_of: int = (
        0  #: an earlier entry with nearly the same text, at another publisher; 0 for none
    )
    development: bool = False  #: news that joined a story and tells what nobody told before
    #: its publisher confirms what opened the story; False where it only belongs to it
    confirms: bool = True
