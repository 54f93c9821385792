"""Who has a session, and what they may read now. Asks the store and Telegram at each visit."""

import secrets
from datetime import timedelta

from bot.chat.access import ChatType, Permission, denial_reason
from bot.model.chat_events import Role
from bot.model.web import COMMAND_LINE, WebToken, WebTokenKind
from bot.web.services import WebServices
from bot.web.visit import Viewer

SESSION = timedelta(days=30)  #: for how long a session lasts


def new_word() -> str:
    """Return a secret word that nobody guesses; whole where links are found in texts."""
    return secrets.token_hex(24)


class Sessions:
    """The sessions of the page."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    async def open(self, link: str) -> str | None:
        """Use a link; return the word of its session, None where the link is not good.

        Raises StoreError.
        """
        session, now = new_word(), self._services.now()
        opened = await self._services.web.open_session(link, session, now, now + SESSION)
        return session if opened else None

    async def viewer(self, session: str) -> Viewer | None:
        """Return who has a session; None where it is over, or its person lost access.

        Raises StoreError.
        """
        services = self._services
        token = await services.web.token(WebTokenKind.SESSION, session, services.now())
        if token is None:
            return None
        if token.user_id == COMMAND_LINE:
            chats = tuple(await services.all_chats())
            return Viewer(COMMAND_LINE, Role.OWNER, chats, sees_all=True)
        return await self._person(token)

    async def _person(self, token: WebToken) -> Viewer | None:
        services = self._services
        person = await services.chats.person(token.user_id)
        own = await services.chats.chat(token.chat_id or 0)
        allowed = own is not None and own.allowed
        reason = denial_reason(
            Permission.READ, person.role, ChatType.PRIVATE, allowed=allowed, chat_admin=False
        )
        if reason is not None or own is None:
            return None
        user_id, asks = token.user_id, services.is_admin
        linked = [chat for chat in await services.chats.linked_channels(user_id) if chat.allowed]
        channels = [chat for chat in linked if await asks(chat.address, user_id)]
        groups = [
            chat
            for chat in await services.web.chats_of(user_id)
            if await services.is_member(chat.address, user_id)
        ]
        led = [chat for chat in groups if await asks(chat.address, user_id)]
        changes = frozenset(chat.id for chat in (own, *channels, *led))
        return Viewer(user_id, person.role, (own, *channels, *groups), changes)
