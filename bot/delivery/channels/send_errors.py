"""Map the errors that python-telegram-bot raises to outcomes of a send. Decides nothing further.

Telegram has no machine-readable codes beyond `parameters`, so descriptions are compared, without
case: python-telegram-bot strips "Bad Request: " and capitalises. `BadRequest` is a `NetworkError`
there, so the order of the cases matters.
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
_SLOW_DOWN = "Telegram asks for a pause"
_DEFAULT_RETRY = 5  # seconds, where a 429 names no time
_REASON_LENGTH = 300  # characters of an error that are kept
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


def classify(error: TelegramError, message_id: int | None) -> SendOutcome:
    """The outcome of a send, or of an edit of the message `message_id`."""
    description = str(error).casefold()
    match error:
        case RetryAfter():
            return NotSent(_SLOW_DOWN, _retry_after(error), rate_limited=True)
        case ChatMigrated():
            return ChatMoved(error.new_chat_id)
        case Forbidden():
            return _forbidden(description)
        case InvalidToken():
            return ServiceDown("the token is not valid.")
        case Conflict():
            return NotSent("another program uses the same bot", timedelta(seconds=30))
        case BadRequest():
            return _bad_request(error, description, message_id)
        case TimedOut() | NetworkError():
            return _network(error, description)
        case _:
            # A body that is no JSON, with status 200: a proxy answered for the server.
            return Undecided("an unreadable answer")


def _forbidden(description: str) -> SendOutcome:
    if "blocked by the user" in description:
        return ChatClosed("the person blocked the bot.", probe=False)
    if "deactivated" in description:
        return ChatClosed("the person's account was deleted.", probe=False)
    if "can't initiate conversation" in description or "can't send messages to" in description:
        return ChatClosed("the person must first write to the bot.", probe=False)
    if "kicked" in description or "not a member" in description or "deleted" in description:
        return ChatClosed("the bot is no longer in the chat; add it again.", probe=False)
    return ChatClosed("Telegram does not allow the bot to write there.", probe=True)


def _bad_request(error: BadRequest, description: str, message_id: int | None) -> SendOutcome:
    if "message is not modified" in description:
        return Sent(message_id)
    if _has_any(description, _NO_MESSAGE):
        return MessageLost("the message is not there any more")
    if _has_any(description, _NO_CHAT):
        return ChatClosed(
            "Telegram does not know this chat; check its id, and that the bot is in it.",
            probe=False,
            final=False,
        )
    if _has_any(description, _NO_RIGHTS):
        return ChatClosed(
            "the bot may not write there; give it the right to send messages.", probe=True
        )
    if _has_any(description, _NO_TOPIC):
        return ChatClosed(
            "the topic is closed or deleted; reopen it, or set another one.", probe=True
        )
    return Refused(f"{str(error)[:_REASON_LENGTH]}.")


def _network(error: NetworkError, description: str) -> SendOutcome:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _NOT_SENT):
            return NotSent("Telegram cannot be reached")
        cause = cause.__cause__
    if description.startswith("too many requests"):
        match = _RETRY_AFTER.search(description)
        seconds = int(match.group(1)) if match else _DEFAULT_RETRY
        return NotSent(_SLOW_DOWN, timedelta(seconds=seconds), rate_limited=True)
    if description.startswith("internal server error: restart"):
        return NotSent("Telegram's server restarts")
    # The name of 413 differs by Python's version.
    if description.startswith(("request entity too large", "content too large")):
        return Refused("the message is too large.")
    # A 4xx that has no class of its own: this message is not accepted.
    if description.startswith(_REFUSALS):
        return Refused(f"{str(error)[:_REASON_LENGTH]}.")
    return Undecided("the connection ended before the answer")


def _retry_after(error: RetryAfter) -> timedelta:
    """The wait that Telegram names, as int or timedelta by version and environment."""
    after = error.retry_after
    return after if isinstance(after, timedelta) else timedelta(seconds=after)


def _has_any(description: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in description for phrase in phrases)
