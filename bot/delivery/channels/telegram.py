"""Send and edit through python-telegram-bot, against any Bot API address. Paces nothing, retries nothing: the outbox does."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx
import structlog
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram import Message as TelegramMessage
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.delivery.channels.send_errors import classify
from bot.model.delivery import Delivery, DeliveryKind, Refused, SendOutcome, Sent, Undecided
from bot.model.message import File, Message

SEND_SECONDS = 25.0  #: read timeout of a send: a longer one leaves fewer sends undecided
POOL = 32

log = structlog.stdlib.get_logger("newsbell.telegram")


class _Bot(Bot):
    """A bot that does not show its token wherever it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.token.partition(':')[0]})"


@cache
def tls_context() -> ssl.SSLContext:
    """The context that httpx would make; reading the certificates takes longer than most sends."""
    return httpx.create_ssl_context()


@asynccontextmanager
async def bot(token: str, api: str) -> AsyncIterator[Bot]:
    """A bot for this address; no call is made yet, and its clients are closed at the end."""
    base = api.rstrip("/")
    shared = {"verify": tls_context()}
    sending = HTTPXRequest(
        connection_pool_size=POOL,
        read_timeout=SEND_SECONDS,
        write_timeout=15,
        connect_timeout=10,
        pool_timeout=20,
        httpx_kwargs=shared,
    )
    polling = HTTPXRequest(
        connection_pool_size=2, read_timeout=40, connect_timeout=10, httpx_kwargs=shared
    )
    made = _Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=sending,
        get_updates_request=polling,
    )
    await sending.initialize()
    await polling.initialize()
    try:
        yield made
    finally:
        await sending.shutdown()
        await polling.shutdown()


def entities_of(message: Message) -> list[MessageEntity]:
    """Our entities as Telegram's."""
    return [
        MessageEntity(one.kind, one.offset, one.length, url=one.url or None)
        for one in message.entities
    ]


class TelegramChannel:
    """Implements `ports.Channel`."""

    def __init__(self, made: Bot) -> None:
        self._bot = made

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Send the message, or edit the one the delivery names."""
        if not message.text.strip():
            return Refused("there is no text to send.")
        editing = delivery.kind is DeliveryKind.EDIT or delivery.edits
        try:
            answer = await (
                self._edit(delivery, message) if editing else self._send(delivery, message)
            )
        except TelegramError as error:
            return classify(error, delivery.message_id)
        except (
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ):  # JSON of another shape than python-telegram-bot expects
            log.exception("answer_unreadable", delivery_id=delivery.id)
            return Undecided("an answer that cannot be read")
        if isinstance(answer, TelegramMessage):
            return Sent(answer.message_id)
        return (
            Sent(delivery.message_id) if editing else Undecided("an answer that names no message")
        )

    async def _send(self, delivery: Delivery, message: Message) -> TelegramMessage:
        chat = delivery.chat
        if message.file:
            return await self._send_file(delivery, message, message.file)
        return await self._bot.send_message(
            chat.address,
            message.text,
            entities=entities_of(message),
            message_thread_id=chat.topic or None,
            link_preview_options=_preview(message),
            reply_markup=_keyboard(message),
            disable_notification=delivery.kind is DeliveryKind.NOTICE or None,
            reply_parameters=ReplyParameters(delivery.reply_to, allow_sending_without_reply=True)
            if delivery.reply_to
            else None,
        )

    async def _send_file(self, delivery: Delivery, message: Message, file: File) -> TelegramMessage:
        chat = delivery.chat
        common: dict[str, Any] = {
            "caption": message.text or None,
            "caption_entities": entities_of(message),
            "message_thread_id": chat.topic or None,
            "reply_markup": _keyboard(message),
            "reply_parameters": ReplyParameters(delivery.reply_to, allow_sending_without_reply=True)
            if delivery.reply_to
            else None,
        }
        if file.picture:
            return await self._bot.send_photo(
                chat.address, InputFile(file.content, file.name), **common
            )
        return await self._bot.send_document(
            chat.address, InputFile(file.content, file.name), **common
        )

    async def _edit(self, delivery: Delivery, message: Message) -> TelegramMessage | bool:
        return await self._bot.edit_message_text(
            message.text,
            chat_id=delivery.chat.address,
            message_id=delivery.message_id,
            entities=entities_of(message),
            link_preview_options=_preview(message),
            reply_markup=_keyboard(message),
        )


def _keyboard(message: Message) -> InlineKeyboardMarkup | None:
    rows = [
        [
            InlineKeyboardButton(one.text, url=one.url or None, callback_data=one.word or None)
            for one in row
        ]
        for row in message.buttons
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def _preview(message: Message) -> LinkPreviewOptions:
    return (
        LinkPreviewOptions(url=message.preview, prefer_small_media=True)
        if message.preview
        else LinkPreviewOptions(is_disabled=True)
    )
