"""What becomes of an article after its alert was sent: it is withdrawn, corrected, carried on.

Not how chats hear of it (`alerts`), not the words of the messages.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChangeKind(StrEnum):
    """What became of an article that alerted."""

    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"
    PROGRESS = "progress"  #: an update of the incident that it tells of

    @property
    def is_wrong(self) -> bool:
        """Whether what was sent is not true, or no longer said."""
        return self is not ChangeKind.PROGRESS


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """A withdrawal, correction or update of an article."""

    kind: ChangeKind
    mark: bytes  #: BLAKE2b-128 of what it says: the same change is told once
    title: str  #: the headline, without the word that says so
    before: str = ""  #: the headline before, where that was another one
    status: str = ""  #: of an incident, as its page writes it
    text: str = ""  #: what is said of it, or the part of the text that is new


class UpdateFate(StrEnum):
    """What was decided about a change of an article in a chat, and what came of it."""

    TOLD = "told"  #: by a reply to the alert
    EDITED = "edited"  #: the alert's message is to show it
    SHOWN = "shown"  #: the alert's message shows it
    UNSENT = "unsent"  #: the alert had not been sent, and shows it when it is
    MUTED = "muted"  #: the chat had muted the storyline; the alert's message shows it
    UNWANTED = "unwanted"  #: nothing wanted it any more; the alert's message shows it
    UNTOLD = "untold"  #: the chat wants changed messages alone, and its messages never change


@dataclass(frozen=True, slots=True)
class UpdateView:
    """What a reply says of a change, as it reads when it is sent."""

    kind: ChangeKind
    of_story: int  #: that of the alert that it is about
    title: str
    before: str
    status: str
    text: str
    at: datetime  #: when newsbell learned of it
    loud: bool = False  #: it comes with a sound, as an alert does
