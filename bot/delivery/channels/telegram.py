"""Send and edit through python-telegram-bot, against any Bot API address.

Limits no rate and retries nothing: `rate_limits` and `policy` do.
"""

import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx
import structlog
from telegram import (
    Bot,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
    User,
)
from telegram import Message as TelegramMessage
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.delivery.channels.send_errors import classify, clean_parameters, is_id, unreadable
from bot.model.chats import GENERAL_TOPIC, Chat
from bot.model.delivery import (
    Delivery,
    DeliveryKind,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    Undecided,
)
from bot.model.message import MENTION, Button, Entity, File, Message

SEND_TIMEOUT = 25.0  #: seconds; a longer one leaves fewer sends undecided
CHECK_TIMEOUT = 10.0  #: seconds for the question whether the service works
POOL = 32  #: connections for sends

# What python-telegram-bot raises for JSON of another shape than it expects.
_ODD_SHAPE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

log = structlog.stdlib.get_logger("newsbell.telegram")


class _Bot(Bot):
    """A bot that does not show its token wherever it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.token.partition(':')[0]})"


class _Request(HTTPXRequest):
    """Cleans what an answer names before python-telegram-bot trusts it."""

    def __init__(self, answered: Callable[[], None], **more: Any) -> None:
        """`answered` is called with each answer that is no error."""
        super().__init__(**more)
        self._answered = answered

    async def do_request(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Return status and body."""
        status, body = await super().do_request(*args, **more)
        if status < HTTPStatus.BAD_REQUEST:
            if body.startswith(b"{"):  # not the page of a network's login
                self._answered()
            return status, body
        return status, clean_parameters(body)


@cache
def tls_context() -> ssl.SSLContext:
    """The context that httpx would make; reading the certificates takes longer than most sends."""
    return httpx.create_ssl_context()


@asynccontextmanager
async def open_bot(
    token: str, api: str, proxy: str = "", answered: Callable[[], None] = lambda: None
) -> AsyncIterator[Bot]:
    """A bot at this address. No call is made yet; its clients are closed at the end.

    `answered` is called whenever Telegram answers with anything but an error.
    Proxies of the environment are not used: the token goes where feeds.yaml says.
    """
    # Pauses as timedelta, the form that python-telegram-bot announces for good.
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    base = api.rstrip("/")
    shared = {"verify": tls_context(), "trust_env": False}
    sending = _Request(
        answered,
        connection_pool_size=POOL,
        read_timeout=SEND_TIMEOUT,
        write_timeout=15,
        connect_timeout=10,
        pool_timeout=20,
        proxy=proxy or None,
        httpx_kwargs=shared,
    )
    polling = _Request(
        answered,
        connection_pool_size=2,
        read_timeout=40,
        connect_timeout=10,
        proxy=proxy or None,
        httpx_kwargs=shared,
    )
    bot = _Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=sending,
        get_updates_request=polling,
    )
    await sending.initialize()
    await polling.initialize()
    try:
        yield bot
    finally:
        await sending.shutdown()
        await polling.shutdown()


def entities_of(message: Message) -> list[MessageEntity]:
    """Our entities as Telegram's."""
    return [_entity(entity) for entity in message.entities]


def _entity(entity: Entity) -> MessageEntity:
    if entity.kind != MessageEntity.TEXT_MENTION:
        return MessageEntity(entity.kind, entity.offset, entity.length, url=entity.url or None)
    person = User(int(entity.url.removeprefix(MENTION)), "", is_bot=False)
    return MessageEntity(entity.kind, entity.offset, entity.length, user=person)


class TelegramChannel:
    """Implements `ports.Channel`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Send the message, or edit the one the delivery names."""
        if not message.text.strip():
            return Refused("there is no text to send.")
        editing = delivery.kind is DeliveryKind.EDIT or delivery.edits
        try:
            if editing:
                answer = await self._edit(delivery, message)
            else:
                answer = await self._send(delivery, message)
        except TelegramError as error:
            return classify(error, delivery.message_id, delivery.chat.address)
        except _ODD_SHAPE as error:
            log.warning("answer_unreadable", error=type(error).__name__)
            return unreadable()
        if isinstance(answer, TelegramMessage) and is_id(answer.message_id):
            return Sent(answer.message_id)
        if editing:
            return Sent(delivery.message_id)
        return unreadable()

    async def check(self) -> SendOutcome | None:
        """What is wrong with the service; None where it answers."""
        try:
            await self._bot.get_me(
                read_timeout=CHECK_TIMEOUT, write_timeout=CHECK_TIMEOUT, connect_timeout=10
            )
        except TelegramError as error:
            outcome = classify(error, None)
        except _ODD_SHAPE as error:
            log.warning("answer_unreadable", error=type(error).__name__)
            outcome = unreadable()
        else:
            return None
        if isinstance(outcome, ServiceDown):
            return outcome
        # What was asked for sends nothing: a message surely did not arrive.
        if isinstance(outcome, Undecided) and outcome.fault:
            return ServiceDown(outcome.reason, outcome.fault)
        return None

    async def _send(self, delivery: Delivery, message: Message) -> TelegramMessage:
        chat = delivery.chat
        if message.file:
            return await self._send_file(delivery, message, message.file)
        return await self._bot.send_message(
            chat.address,
            message.text,
            entities=entities_of(message),
            message_thread_id=_thread(chat),
            link_preview_options=_preview(message),
            reply_markup=_keyboard(message),
            disable_notification=delivery.kind is DeliveryKind.NOTICE or delivery.silent or None,
            reply_parameters=_reply_parameters(delivery),
        )

    async def _send_file(self, delivery: Delivery, message: Message, file: File) -> TelegramMessage:
        chat = delivery.chat
        content = InputFile(file.content, file.name)
        common: dict[str, Any] = {
            "caption": message.text or None,
            "caption_entities": entities_of(message),
            "message_thread_id": _thread(chat),
            "reply_markup": _keyboard(message),
            "reply_parameters": _reply_parameters(delivery),
        }
        if file.picture:
            return await self._bot.send_photo(chat.address, content, **common)
        return await self._bot.send_document(chat.address, content, **common)

    async def _edit(self, delivery: Delivery, message: Message) -> TelegramMessage | bool:
        return await self._bot.edit_message_text(
            message.text,
            chat_id=delivery.chat.address,
            message_id=delivery.message_id,
            entities=entities_of(message),
            link_preview_options=_preview(message),
            reply_markup=_inline(message),
        )


def _thread(chat: Chat) -> int | None:
    """Return the topic to write to; none for General, which the Bot API refuses to find."""
    return None if chat.topic in {0, GENERAL_TOPIC} else chat.topic


def _reply_parameters(delivery: Delivery) -> ReplyParameters | None:
    if not delivery.reply_to:
        return None
    return ReplyParameters(delivery.reply_to, allow_sending_without_reply=True)


def _keyboard(message: Message) -> InlineKeyboardMarkup | ForceReply | None:
    if message.asks:
        return ForceReply(selective=True)
    return _inline(message)


def _inline(message: Message) -> InlineKeyboardMarkup | None:
    rows = [[_button(button) for button in row] for row in message.buttons]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        button.text, url=button.url or None, callback_data=button.word or None
    )


def _preview(message: Message) -> LinkPreviewOptions:
    if not message.preview:
        return LinkPreviewOptions(is_disabled=True)
    return LinkPreviewOptions(url=message.preview, prefer_small_media=True)
