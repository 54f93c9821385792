"""Ask Telegram for updates and hand them on, one at a time.

An update counts as taken only after its answer was kept: the next request's offset comes from the store, so a crash loses none and
repeats none. Telegram begins anew with numbers, lower ones perhaps, after a week without updates, so each offset is given only once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram import Bot, ChatMember, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.commands.updates import ALLOWED, incoming
from bot.errors import StoreError
from bot.model.chats import Incoming, Press

POLL_SECONDS = 25
MEMBER_SECONDS = 60.0  #: how long an administrator is taken for one without asking again
_CHANGING = ("/subscribe", "/unsubscribe", "/confirm", "/follow", "/unfollow", "/mute", "/unmute", "/stories")

_PRESSES = (Press.MUTE, Press.FOLLOW)

log = logging.getLogger("newsbell.commands")


class Listener:
    """The long-polling loop."""

    def __init__(self, bot: Bot, last_update: Callable[[], Awaitable[int]], handle: Callable[[Incoming], Awaitable[str]]) -> None:
        self._bot, self._last_update, self._handle = bot, last_update, handle
        self._members: dict[tuple[int, int], tuple[float, bool]] = {}
        self._taken = False  # Telegram has to be told that updates were taken
        self._name = ""

    async def run(self) -> None:
        """Listen until cancelled. Trouble is logged once and waited out."""
        trouble = ""
        while True:
            try:
                await self._take()
                trouble = ""
            except (TelegramError, StoreError) as error:
                said, pause = _meaning(error)
                if said != trouble:
                    log.warning("commands wait: %s", said)
                trouble = said
                await asyncio.sleep(pause)

    async def _take(self) -> None:
        offset = await self._last_update() + 1 if self._taken else None
        updates = await self._bot.get_updates(offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED)
        self._taken = False
        for update in updates:
            try:
                await self._one(update)
            except (TelegramError, StoreError):
                raise
            except Exception:  # an update that trips over our own mistake must not stop the others, nor come again for ever
                log.exception("an update broke", extra={"count": update.update_id})
                await self._handle(_nothing(update))
            self._taken = True

    async def _one(self, update: Update) -> None:
        message = incoming(update)
        if message is None or not await self._is_meant(message):
            message = _nothing(update)
        elif not message.may_change and message.user_id and (message.text.lower().startswith(_CHANGING) or message.press in _PRESSES):
            message = replace(message, may_change=await self._is_admin(message.address, message.user_id))
        toast = await self._handle(message)
        if message.press_id:
            await self._answer_press(message.press_id, toast)

    async def _answer_press(self, number: str, toast: str) -> None:
        """End the wait on the button. What the press did is kept already; a press that is too old to be answered is no trouble."""
        try:
            await self._bot.answer_callback_query(number, text=toast or None)
        except BadRequest as error:
            log.debug("a press was not answered: %s", error.message)

    async def _is_meant(self, message: Incoming) -> bool:
        """Whether the message is for this bot: `/help@other_bot` in a group is another's."""
        _, at, name = (message.text.split(maxsplit=1) or [""])[0].partition("@")
        if not at or not message.text.startswith("/"):
            return True
        self._name = self._name or (await self._bot.get_me()).username or ""
        return name.casefold() == self._name.casefold()

    async def _is_admin(self, address: int, user_id: int) -> bool:
        now = asyncio.get_running_loop().time()
        known = self._members.get((address, user_id))
        if known and now - known[0] < MEMBER_SECONDS:
            return known[1]
        try:
            member = await self._bot.get_chat_member(address, user_id)
            is_admin = member.status in {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
        except (BadRequest, Forbidden):  # a chat that cannot be asked has no administrators for us
            is_admin = False
        self._members[(address, user_id)] = (now, is_admin)
        if len(self._members) > 1000:
            self._members.clear()
        return is_admin


def _nothing(update: Update) -> Incoming:
    """An update that is nothing to newsbell, but has to be counted as taken."""
    return Incoming(update.update_id, 0, 0, "", 0, "")


def _meaning(error: TelegramError | StoreError) -> tuple[str, float]:
    match error:
        case Conflict():
            return "another program asks for this bot's messages; stop it, or give this one a token of its own.", 30.0
        case InvalidToken():
            return "Telegram refuses the bot's token; set a valid one and restart.", 300.0
        case RetryAfter():
            after = error.retry_after
            return "Telegram asks for a pause.", float(after if isinstance(after, int) else after.total_seconds())
        case StoreError():
            return str(error), 5.0
        case _:
            return "Telegram cannot be reached.", 5.0
