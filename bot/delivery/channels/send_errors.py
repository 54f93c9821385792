"""Read what python-telegram-bot makes of Telegram's answers as one of our outcomes. Sends nothing, decides nothing further.

Telegram has no machine-readable codes beyond `parameters`, so descriptions are compared, without case: python-telegram-bot strips
"Bad Request: " and capitalises. `BadRequest` is a `NetworkError` there, so the order of the questions matters.
"""

import re
from datetime import timedelta
from http import HTTPStatus

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.model.delivery import (
    ChatClosed,
    ChatMoved,
    MessageLost,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    Undecided,
)

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_REFUSALS = tuple(status.phrase.casefold() for status in HTTPStatus if 400 <= status < 500)
_RETRY_AFTER = re.compile(r"retry after (\d{1,6})\b")
_NO_CHAT = ("chat not found", "private chat not found", "peer_id_invalid")
_NO_RIGHTS = (
    "not enough rights",
    "have no write access",
    "chat_write_forbidden",
    "chat_send_plain_forbidden",
    "chat_restricted",
    "need administrator rights",
)
_NO_TOPIC = ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")
_NO_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message to delete not found",
    "message can't be deleted",
    "message_id_invalid",
)


def wait(error: RetryAfter) -> timedelta:
    """The wait that Telegram names, as int or timedelta by version and environment."""
    after = error.retry_after
    return after if isinstance(after, timedelta) else timedelta(seconds=after)


def classify(error: TelegramError, message_id: int | None) -> SendOutcome:
    """The outcome of a send, or of an edit of the message `message_id`."""
    text = str(error)
    plain = text.casefold()
    match error:
        case RetryAfter():
            return NotSent("Telegram asks for a pause", wait(error), flood=True)
        case ChatMigrated():
            return ChatMoved(error.new_chat_id)
        case Forbidden():
            return _forbidden(plain)
        case InvalidToken():
            return ServiceDown("the token is not valid.")
        case Conflict():
            return NotSent("another program uses the same bot", timedelta(seconds=30))
        case BadRequest():
            return _bad_request(plain, text, message_id)
        case TimedOut() | NetworkError():
            return _network(error, plain)
        case _:
            # A body that is no JSON, with status 200: the front answered, and nobody knows what the server did.
            return Undecided("an answer that cannot be read")


def _forbidden(plain: str) -> SendOutcome:
    if "blocked by the user" in plain:
        return ChatClosed("the person blocked the bot.", probe=False)
    if "deactivated" in plain:
        return ChatClosed("the person's account is gone.", probe=False)
    if "can't initiate conversation" in plain or "can't send messages to" in plain:
        return ChatClosed("the person has to write to the bot first.", probe=False)
    if "kicked" in plain or "not a member" in plain or "deleted" in plain:
        return ChatClosed("the bot is not in the chat any more: add it again.", probe=False)
    return ChatClosed("Telegram does not let the bot write there.", probe=True)


def _bad_request(plain: str, text: str, message_id: int | None) -> SendOutcome:
    if "message is not modified" in plain:
        return Sent(message_id)
    if any(one in plain for one in _NO_MESSAGE):
        return MessageLost("the message is not there any more")
    if any(one in plain for one in _NO_CHAT):
        return ChatClosed(
            "Telegram knows no such chat: check its number, and that the bot is in it.",
            probe=False,
            final=False,
        )
    if any(one in plain for one in _NO_RIGHTS):
        return ChatClosed(
            "the bot may not write there: give it the right to send messages.", probe=True
        )
    if any(one in plain for one in _NO_TOPIC):
        return ChatClosed(
            "the topic is closed or deleted: open it again, or give another one.", probe=True
        )
    return Refused(f"{text[:300]}.")


def _network(error: NetworkError, plain: str) -> SendOutcome:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _NOT_SENT):
            return NotSent("Telegram cannot be reached")
        cause = cause.__cause__
    if plain.startswith("too many requests"):
        named = _RETRY_AFTER.search(plain)
        return NotSent(
            "Telegram asks for a pause",
            timedelta(seconds=int(named.group(1)) if named else 5),
            flood=True,
        )
    if plain.startswith("internal server error: restart"):
        return NotSent("Telegram's server restarts")
    if plain.startswith(
        ("request entity too large", "content too large")
    ):  # the name of 413 differs by Python's version
        return Refused("the message is too large.")
    if plain.startswith(_REFUSALS):  # a 4xx that has no class of its own: this message is not taken
        return Refused(f"{str(error)[:300]}.")
    return Undecided("the connection ended before the answer")
