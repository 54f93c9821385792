"""What a configuration file declares, as far as the store keeps it. Not settings of the process."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.model.chats import DeclaredChat, DeclaredSubscription
from bot.model.feeds import DeclaredFeed


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The text of a configuration file without its secrets."""

    file: str  #: its name, without a folder
    text: str = field(repr=False)
    taken_at: datetime | None = None  #: when it took effect


@dataclass(frozen=True, slots=True)
class DesiredConfig:
    """Feeds, chats, subscriptions and admins of one file."""

    feeds: tuple[DeclaredFeed, ...]
    chats: tuple[DeclaredChat, ...]
    subscriptions: tuple[DeclaredSubscription, ...]
    admins: tuple[int, ...] = ()
    open: bool = False  #: everyone may use the bot
