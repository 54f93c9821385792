"""Who looks at a page, at which chat, and in which language. The rights are those in chats.

A session has no rights of its own: what its person may do is asked at each visit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.chat.access import ChatType, Permission, denial_reason
from bot.chat.services import ChatConfig
from bot.i18n.catalog import Translator
from bot.model.chat_events import Role
from bot.model.chats import AlertOptions, Chat, Developments
from bot.search.past_alerts import Terms
from bot.web.address import address
from bot.web.blocks import Text


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody with a session."""

    user_id: int
    role: Role
    chats: tuple[Chat, ...]  #: that they may read, the private chat first
    changes: frozenset[int] = frozenset()  #: those of them that they may change
    sees_all: bool = False  #: the operator at the command line, who can read the database

    def may(self, permission: Permission) -> bool:
        """Whether they may do something in their private chat."""
        return (
            denial_reason(permission, self.role, ChatType.PRIVATE, allowed=True, chat_admin=True)
            is None
        )

    def may_change(self, chat: Chat) -> bool:
        """Whether they may change something of a chat."""
        return self.sees_all or chat.id in self.changes

    def chat(self, number: str) -> Chat | None:
        """Return the chat of this number, or their first; None: all that there is."""
        for chat in self.chats:
            if str(chat.id) == number:
                return chat
        return None if self.sees_all or not self.chats else self.chats[0]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page."""

    viewer: Viewer
    chat: Chat | None  #: whose news is shown; None: all
    translator: Translator
    now: datetime
    query: Mapping[str, str]  #: what follows the question mark of the address, or fills a form

    @property
    def chat_id(self) -> int | None:
        """The number of the chat; None: all."""
        return self.chat.id if self.chat else None

    def word(self, name: str) -> str:
        """Return a value of the address, cleaned of what nobody can see."""
        return self.query.get(name, "").strip()

    def number(self, name: str, most: int) -> int:
        """Return a value as a number from 0 to `most`; 0 where it is none."""
        text = self.query.get(name, "")
        return (
            min(int(text), most) if text.isascii() and text.isdecimal() and text[:9] == text else 0
        )

    def link(self, path: str, **values: object) -> str:
        """Return an address of a page about the same chat."""
        return address(path, chat=self.query.get("chat", ""), **values)

    def time(self, moment: datetime, text: str = "") -> Text:
        """Return a moment, or a text about it, with the moment itself."""
        return Text(text or self.translator.time(moment, self.now), moment=moment)

    def when(self, moment: datetime) -> str:
        """Return a moment as sentences have it."""
        at = self.translator.time(moment, self.now)
        return self.translator.gettext("at {time}", time=at)

    def terms(self, config: ChatConfig, options: AlertOptions) -> Terms:
        """Return what a subscription of the chat with these options would send."""
        chat = self.chat
        if chat is None:
            return Terms(options=options, grouping=config.grouping)
        told = chat.settings.developments or Developments.NOTE
        return Terms((), options, config.grouping_of(chat.id), told)
