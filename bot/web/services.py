"""What pages read: stored articles, the state of newsbell, sessions. Built by the service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.chat.services import AdminService, ChatConfig, DailyCounts, SearchService
from bot.i18n.catalog import Translator
from bot.model.chats import Chat, ChatSettings
from bot.ports import ChatStore, Clock, HubStore, WebStore


@dataclass(frozen=True, slots=True)
class Revision:
    """Which feeds.yaml is in force."""

    file: str
    digest: str  #: the first digits of a hash of its text
    rejected: bool = False  #: what stands in the file now has mistakes; this is an earlier one


@dataclass(frozen=True, slots=True)
class WebServices:
    """All that the web page is built from."""

    web: WebStore
    chats: ChatStore
    clock: Clock
    search: SearchService
    admin: AdminService
    config: Callable[[], ChatConfig]
    revision: Callable[[], Revision]
    translator: Callable[[ChatSettings], Translator]
    #: whether a person administers the chat at an address, or is in it
    is_admin: Callable[[int, int], Awaitable[bool]]
    is_member: Callable[[int, int], Awaitable[bool]]
    #: draws daily counts as SVG; the last argument: for a dark page. Raises ChartError
    chart: Callable[[DailyCounts, Translator, bool], Awaitable[bytes]]
    public: str  #: address by which people reach the page
    hubs: HubStore
    told: Callable[[int], None]  #: a hub tells of news of this feed

    async def all_chats(self) -> list[Chat]:
        """Return the chats that are allowed. Raises StoreError."""
        status = await self.search.whole_status()
        return [chat for chat, _, _ in status.chats if chat.allowed]

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()
