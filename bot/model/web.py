"""Who may look at the web page, and what opens it. Values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

COMMAND_LINE = 0  #: who opened the page by a link of the command line: no person of Telegram


class WebTokenKind(StrEnum):
    """What a secret word of the web page opens."""

    LINK = "link"  #: a session, once
    SESSION = "session"  #: the pages, for who has the cookie
    FEED = "feed"  #: the alerts of a chat, for feed readers
    CHAT = "chat"  #: nothing by a word: a group in which a person asked for the page


@dataclass(frozen=True, slots=True)
class WebToken:
    """A secret word that is good now, without the word: of it only a hash is stored."""

    kind: WebTokenKind
    user_id: int  #: whose it is; `COMMAND_LINE` for the operator at the command line
    chat_id: int | None  #: the chat it was made in, or whose alerts it opens
    made_at: datetime
    expires_at: datetime
