"""Map the errors that python-telegram-bot raises to outcomes of a send. Decides nothing further.

What a server names in its answers (a pause, another address) has types and bounds here.

Telegram has no machine-readable codes beyond `parameters`, so descriptions are compared, without
case: python-telegram-bot strips "Bad Request: " and capitalises. `BadRequest` is a `NetworkError`
there, so the order of the cases matters.
"""

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TypeGuard

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
    NO_TOPIC,
    ChatClosed,
    ChatMoved,
    MessageLost,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    ServiceFault,
    Undecided,
)

LONGEST_PAUSE = 86_400  #: seconds: the longest pause that a server may ask for
LARGEST_ID = (1 << 52) - 1  #: of a chat, as the Bot API documents it
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)
_SERVER_ERRORS = tuple(status.phrase.casefold() for status in HTTPStatus if status >= 500)
_REDIRECTS = tuple(status.phrase.casefold() for status in HTTPStatus if 300 <= status < 400)
_REFUSALS = tuple(status.phrase.casefold() for status in HTTPStatus if 400 <= status < 500)
_NO_ADDRESS = "Telegram says that the group became a supergroup, and names no usable address"
#: statuses whose meaning needs no readable body
_JUDGED = (
    "too many requests",
    "request entity too large",
    "content too large",
    "unknown httperror (5",
    *_SERVER_ERRORS,
)
_SLOW_DOWN = "Telegram asks for a pause"
_DEFAULT_RETRY = 5  # seconds, where a 429 names no time
_REASON_LENGTH = 300  # characters of an error that are kept
_RETRY_AFTER = re.compile(r"retry after (\d{1,20})\b")
_UNREADABLE = "parsing the server response"  #: what python-telegram-bot says of a web page
_PORTAL = "something that is not Telegram answers: a login page of the network, or a proxy"
_NO_CHAT = ("chat not found", "private chat not found", "peer_id_invalid")
_NO_RIGHTS = (
    "not enough rights",
    "have no write access",
    "chat_write_forbidden",
    "chat_send_plain_forbidden",
    "chat_restricted",
    "need administrator rights",
)
_TOPIC_ERRORS = ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")
_CLOSED_TOPIC = "topic_closed"
_NO_MESSAGE = (
    "message to edit not found",
    "message can't be edited",
    "message to delete not found",
    "message can't be deleted",
    "message_id_invalid",
)


def classify(error: TelegramError, message_id: int | None, address: int = 0) -> SendOutcome:
    """The outcome of a send to `address`, or of an edit of the message `message_id`."""
    description = str(error).casefold()
    if _UNREADABLE in description and not description.startswith(_JUDGED):
        return ServiceDown(_PORTAL, ServiceFault.PORTAL)
    match error:
        case RetryAfter():
            return NotSent(_SLOW_DOWN, _bounded(_seconds(error)), rate_limited=True)
        case ChatMigrated():
            return _moved(error.new_chat_id, address)
        case Forbidden():
            return _forbidden(description)
        case InvalidToken():
            return _token(description)
        case Conflict():
            return NotSent("another program uses the same bot", timedelta(seconds=30))
        case BadRequest():
            return _bad_request(error, description, message_id)
        case TimedOut() | NetworkError():
            return _network(error, description)
        case _:
            # A body that is no JSON, with status 200: a proxy answered for the server.
            return unreadable()


def unreadable() -> Undecided:
    """The outcome of an answer with status 200 that nobody can read."""
    return Undecided(_PORTAL, ServiceFault.PORTAL)


def clean_parameters(body: bytes) -> bytes:
    """The body of a refusal with only such parameters as it may have; any other body unchanged."""
    if b'"parameters"' not in body:
        return body
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return body  # python-telegram-bot says so
    if not isinstance(answer, dict):
        return body
    parameters = answer.pop("parameters", None)
    clean: dict[str, int] = {}
    if isinstance(parameters, dict):
        seconds, address = parameters.get("retry_after"), parameters.get("migrate_to_chat_id")
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
            clean["retry_after"] = min(seconds, LONGEST_PAUSE)
        if is_id(address):
            clean["migrate_to_chat_id"] = address
    return json.dumps(answer | ({"parameters": clean} if clean else {})).encode()


def is_id(value: object) -> TypeGuard[int]:
    """Whether this can be the number of a chat."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < abs(value) <= LARGEST_ID


def _moved(address: object, own: int) -> SendOutcome:
    """A supergroup has an address below zero, and another one than its group."""
    if is_id(address) and address < 0 and address != own:
        return ChatMoved(address)
    return NotSent(_NO_ADDRESS)


def _token(description: str) -> ServiceDown:
    """401 is the answer to a token that is not valid; 404 may come from whatever is in between."""
    if description.startswith("not found"):
        return ServiceDown("the Bot API's address is not found (404)", ServiceFault.PORTAL)
    return ServiceDown("the token is not valid.", ServiceFault.REFUSED)


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
    if "upgraded to a supergroup" in description:
        return NotSent(_NO_ADDRESS)
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
    if _has_any(description, _TOPIC_ERRORS):
        return replace(NO_TOPIC, soon=_CLOSED_TOPIC in description)
    return Refused(f"{str(error)[:_REASON_LENGTH]}.")


def _network(error: NetworkError, description: str) -> SendOutcome:
    if description.startswith("too many requests"):
        match = _RETRY_AFTER.search(description)
        seconds = int(match.group(1)) if match else _DEFAULT_RETRY
        return NotSent(_SLOW_DOWN, _bounded(seconds), rate_limited=True)
    if description.startswith("internal server error: restart"):
        return ServiceDown("Telegram's server restarts", ServiceFault.ERROR)
    if description.startswith(("unknown httperror (5", *_SERVER_ERRORS)):
        return Undecided(_first_words(error), ServiceFault.ERROR)
    if description.startswith(_REDIRECTS):
        return ServiceDown(_PORTAL, ServiceFault.PORTAL)
    # The name of 413 differs by Python's version.
    if description.startswith(("request entity too large", "content too large")):
        return Refused("the message is too large.")
    # A 4xx that has no class of its own: this message is not accepted.
    if description.startswith(_REFUSALS):
        return Refused(f"{str(error)[:_REASON_LENGTH]}.")
    return _connection(error)


def _connection(error: NetworkError) -> SendOutcome:
    """What became of the connection."""
    causes = list(_causes(error))
    if any(isinstance(cause, httpx.PoolTimeout) for cause in causes):
        return NotSent("too many requests to Telegram are under way")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ServiceDown("the certificate of Telegram's address fails", ServiceFault.CERTIFICATE)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ServiceDown(f"no secure connection: {_PORTAL}", ServiceFault.PORTAL)
    if any(isinstance(cause, httpx.ProxyError) for cause in causes):
        return ServiceDown("the proxy gives no way to Telegram", ServiceFault.UNREACHABLE)
    if any(isinstance(cause, _NOT_CONNECTED) for cause in causes):
        return ServiceDown("Telegram cannot be reached", ServiceFault.UNREACHABLE)
    if isinstance(error, TimedOut):
        return Undecided("Telegram does not answer in time", ServiceFault.SILENT)
    return Undecided("the connection ended before the answer", ServiceFault.BROKEN)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_words(error: NetworkError) -> str:
    """A 5xx in words, without the page that came with it."""
    words = str(error).partition(". Parsing")[0]
    return f"Telegram answers with an error of its own: {words[:_REASON_LENGTH]}"


def _seconds(error: RetryAfter) -> int:
    """The wait that Telegram names, as int or timedelta by version and environment."""
    after = error.retry_after
    return int(after.total_seconds()) if isinstance(after, timedelta) else after


def _bounded(seconds: int) -> timedelta:
    return timedelta(seconds=min(max(seconds, 1), LONGEST_PAUSE))


def _has_any(description: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in description for phrase in phrases)
