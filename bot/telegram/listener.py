"""Ask Telegram for updates and hand them on, one at a time.

An update counts as taken only after its reply was stored: the next request's offset comes from the
store, so a crash loses none and repeats none. After a week without updates Telegram begins anew
with other numbers, lower ones perhaps, so each offset is sent only once.
"""

import asyncio
import warnings
from collections.abc import Awaitable, Callable

import structlog
from structlog.contextvars import bound_contextvars
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot.errors import StoreError
from bot.model.chat_events import ChatUpdate, Press, Upload, UploadProblem
from bot.telegram.members import TelegramMembers
from bot.telegram.updates import (
    ALLOWED,
    FILE_SIZE,
    addressee,
    parse_update,
    wanted_document,
)

POLL_SECONDS = 25

log = structlog.stdlib.get_logger("newsbell.telegram")


class Listener:
    """The long-polling loop."""

    def __init__(
        self,
        bot: Bot,
        members: TelegramMembers,
        last_update: Callable[[], Awaitable[int]],
        handle: Callable[[ChatUpdate], Awaitable[str]],
    ) -> None:
        self._bot, self._members, self._last_update, self._handle = (
            bot,
            members,
            last_update,
            handle,
        )
        self.token_refused = False  #: as the last request for updates was answered
        self._taken = False  # Telegram has to be told that updates were taken

    async def run(self) -> None:
        """Listen until cancelled. Trouble is logged once and waited out."""
        trouble = ""
        while True:
            try:
                await self.poll_once()
                trouble, self.token_refused = "", False
            except (TelegramError, StoreError) as error:
                self.token_refused = _is_token_refused(error)
                reason, pause = _meaning(error)
                if reason != trouble:
                    log.warning("updates_unavailable", reason=reason, retry_after=pause)
                trouble = reason
                if isinstance(error, Conflict) and "webhook" in error.message.lower():
                    await self._give_up_webhook()
                    pause = 1.0
                await asyncio.sleep(pause)

    async def _give_up_webhook(self) -> None:
        """Asking is refused while Telegram has an address to call: an earlier run's."""
        try:
            await self._bot.delete_webhook()
        except TelegramError as error:
            log.debug("webhook_not_deleted", error=error.message)

    async def poll_once(self) -> None:
        """Ask for updates once and handle them. Raises TelegramError and StoreError."""
        # Without the database nothing could be taken; and a node that cannot reach it may lead no
        # more: then it would take the updates from the one that does.
        last = await self._last_update()
        offset = last + 1 if self._taken else None
        try:
            updates = await self._bot.get_updates(
                offset=offset, timeout=POLL_SECONDS, allowed_updates=ALLOWED
            )
        except (TelegramError, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 (the library raises anything at a bad update)
            log.warning("updates_unreadable", error=type(error).__name__)
            await self._poll_raw(offset)
            return
        self._taken = False
        for update in updates:
            await self.take(update)
            self._taken = True

    async def _poll_raw(self, offset: int | None) -> None:
        """Handle updates one by one, and ignore those that the library cannot read.

        Otherwise they would come again and again, and keep back all that follow.
        """
        with warnings.catch_warnings():
            # PTB advises to use get_updates, which reads all of them or none.
            warnings.simplefilter("ignore", PTBUserWarning)
            items = await self._bot.do_api_request(
                "getUpdates", api_kwargs={"offset": offset, "allowed_updates": ALLOWED}
            )
        self._taken = False
        for item in items if isinstance(items, list) else ():
            number = item.get("update_id") if isinstance(item, dict) else None
            if not isinstance(number, int):
                continue
            try:
                update = Update.de_json(item, self._bot)
            except Exception as error:  # noqa: BLE001 (as above)
                log.warning("update_ignored", update_id=number, error=type(error).__name__)
                await self._handle(ChatUpdate(update_id=number))
            else:
                await self.take(update)
            self._taken = True

    async def take(self, update: Update) -> None:
        """Handle one update. Raises TelegramError and StoreError; then it was not taken."""
        with bound_contextvars(update_id=update.update_id):
            try:
                await self._handle_update(update)
            except (TelegramError, StoreError):
                raise
            except Exception:  # our own mistake must not stop the others, nor come again for ever
                log.exception("update_failed")
                await self._handle(ChatUpdate(update_id=update.update_id))
                if update.callback_query:
                    await self._acknowledge(update.callback_query.id, "")

    async def _handle_update(self, update: Update) -> None:
        event = ChatUpdate(update_id=update.update_id)
        if await self._is_addressed(update):
            event = parse_update(update, await self._upload(update))
        toast = await self._handle(event)
        if isinstance(event, Press):
            await self._acknowledge(event.press_id, toast)

    async def _upload(self, update: Update) -> Upload | None:
        """Return the document that came along, or why it could not be fetched."""
        document = wanted_document(update)
        if document is None:
            return None
        name = document.file_name or ""
        if (document.file_size or 0) > FILE_SIZE:
            return Upload(name, problem=UploadProblem.TOO_LARGE)
        try:
            content = await (await document.get_file()).download_as_bytearray()
        except (BadRequest, Forbidden, InvalidToken):  # a file that is gone looks like a bad token
            return Upload(name, problem=UploadProblem.UNAVAILABLE)
        return Upload(name, bytes(content))

    async def _acknowledge(self, number: str, toast: str) -> None:
        """End the wait on the button.

        What the press did is kept already; a press that is too old to be answered is no trouble.
        """
        try:
            await self._bot.answer_callback_query(number, text=toast or None)
        except BadRequest as error:
            log.debug("press_not_answered", error=error.message)

    async def _is_addressed(self, update: Update) -> bool:
        """Whether the update is for this bot: `/help@other_bot` in a group is another's."""
        name = addressee(update)
        return not name or name.casefold() == (await self._members.name()).casefold()


def _is_token_refused(error: TelegramError | StoreError) -> bool:
    """Whether it is a 401; the library has the same error for a 404, of whatever is in between."""
    return isinstance(error, InvalidToken) and "not found" not in str(error).casefold()


def _meaning(error: TelegramError | StoreError) -> tuple[str, float]:
    """Return what is wrong, and the seconds until updates are asked for again."""
    match error:
        case Conflict():
            reason = "another program uses this bot's token; stop it, or create another bot"
            return reason, 30.0
        case InvalidToken():
            return "Telegram refuses the bot's token; set a valid one and restart", 300.0
        case RetryAfter():
            wait = error.retry_after
            seconds = wait if isinstance(wait, int) else wait.total_seconds()
            return "Telegram asks for a pause", float(seconds)
        case StoreError():
            return str(error), 5.0
        case _:
            return "Telegram cannot be reached", 5.0
