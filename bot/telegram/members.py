"""Who administers a chat, and what the bot is called, as Telegram says.

Remembers an answer for a minute; decides nothing.
"""

import asyncio

from telegram import Bot, ChatMember, ChatMemberAdministrator, ChatMemberRestricted
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.text.clean import plain

MEMBER_SECONDS = 60.0  #: how long an administrator is taken for one without asking again
_REMEMBERED = 1000
_ADMINS = {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
_MEMBERS = {*_ADMINS, ChatMember.MEMBER, ChatMember.RESTRICTED}


class TelegramMembers:
    """Implements `ports.Members`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: dict[tuple[int, int], tuple[float, str]] = {}
        self._name = ""

    async def name(self) -> str:
        """The bot's own name, without the @. Raises TelegramError."""
        self._name = self._name or (await self._bot.get_me()).username or ""
        return self._name

    async def link(self, word: str) -> str:
        """The address that opens the bot with this word."""
        return f"https://t.me/{await self.name()}?start={word}"

    async def is_admin(self, address: int, user_id: int) -> bool:
        """Whether the person is an owner or administrator of the chat."""
        return await self._status(address, user_id) in _ADMINS

    async def is_member(self, address: int, user_id: int) -> bool:
        """Whether the person is in the chat."""
        return await self._status(address, user_id) in _MEMBERS

    async def _status(self, address: int, user_id: int) -> str:
        """What the person is in the chat; asked once in a while."""
        now = asyncio.get_running_loop().time()
        known = self._known.get((address, user_id))
        if known and now - known[0] < MEMBER_SECONDS:
            return known[1]
        try:
            member = await self._bot.get_chat_member(address, user_id)
            status: str = member.status
            if isinstance(member, ChatMemberRestricted) and not member.is_member:
                status = ChatMember.LEFT
        except ChatMigrated as moved:
            status = await self._status(moved.new_chat_id, user_id)
        except (BadRequest, Forbidden):  # a chat that cannot be asked has no members for us
            status = ChatMember.LEFT
        self._known[(address, user_id)] = (now, status)
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        return status

    async def channel(self, name: str, user_id: int) -> tuple[int, str] | None:
        """Return address and title of a channel by its name or number.

        None where the person does not administer it, or the bot may not post.
        """
        try:
            chat = await self._bot.get_chat(int(name) if name.lstrip("-").isdecimal() else name)
            if chat.type != chat.CHANNEL or not await self.is_admin(chat.id, user_id):
                return None
            me = await self._bot.get_chat_member(chat.id, (await self._bot.get_me()).id)
        except TelegramError:
            return None
        may_post = isinstance(me, ChatMemberAdministrator) and me.can_post_messages is not False
        return (chat.id, plain(chat.title or name)) if may_post else None
