"""What each kind of chat can do: whether messages change, how long and how many they may be.

Values that its service documents; sends nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.model.chats import ChatKind


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one kind of chat can do."""

    edits: bool = True  #: a message that was sent can be changed
    #: a send that is repeated under the same id arrives once, so no try leaves a doubt
    idempotent: bool = False
    links: bool = True  #: words can be links
    collects: bool = True  #: several alerts that wait may become one message
    buttons: bool = False  #: presses reach newsbell
    stories: int = 25  #: of one message that collects several, so that each is named
    length: int = 4096  #: code points of a message, or what the service counts, with its markup
    gap: timedelta = timedelta(0)  #: between two messages to one chat
    budget: int = 0  #: messages to one chat within `span`; 0: no limit is known
    span: timedelta = timedelta(0)


_SECOND = timedelta(seconds=1.02)
ABILITIES: Mapping[ChatKind, Abilities] = {
    # Its limits are in `delivery.rate_limits`: they are those of the bot, and not of one chat.
    ChatKind.TELEGRAM: Abilities(buttons=True),
    ChatKind.TERMINAL: Abilities(collects=False, links=False),
    ChatKind.WEBHOOK: Abilities(idempotent=True, links=False, collects=False, length=1_000_000),
    ChatKind.DISCORD: Abilities(
        stories=10,
        length=2000,
        gap=timedelta(seconds=0.41),
        budget=30,
        span=timedelta(seconds=60.5),
    ),
    ChatKind.SLACK: Abilities(length=3000, gap=_SECOND),
    ChatKind.SLACK_WEBHOOK: Abilities(edits=False, length=3000, gap=_SECOND),
    # A homeserver lets some come at once, and says how long to wait after that.
    ChatKind.MATRIX: Abilities(idempotent=True, length=16_000, gap=timedelta(seconds=0.2)),
    ChatKind.MATTERMOST: Abilities(length=16_000, gap=timedelta(seconds=0.2)),
    ChatKind.NTFY: Abilities(
        idempotent=True,
        links=False,
        length=4000,
        gap=timedelta(seconds=0.2),
        budget=60,
        span=timedelta(seconds=300),
    ),
    ChatKind.EMAIL: Abilities(
        edits=False, length=100_000, gap=_SECOND, budget=30, span=timedelta(hours=1)
    ),
    ChatKind.APPRISE: Abilities(edits=False, links=False, length=4000, gap=_SECOND),
}
