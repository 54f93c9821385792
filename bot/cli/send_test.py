"""The command that sends a test message to a chat, past the outbox. It stores nothing."""

import asyncio
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path

import click

from bot.cli.common import archive, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, Misconfigured, failing
from bot.config.load import Config
from bot.delivery.channels.http import open_service_client
from bot.delivery.channels.services import service_channels
from bot.delivery.channels.telegram import TelegramChannel, open_bot
from bot.delivery.channels.terminal import TerminalChannel
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import (
    ChatClosed,
    ChatMoved,
    Delivery,
    DeliveryKind,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    Undecided,
)
from bot.model.message import Message
from bot.service.clock import SystemClock
from bot.store.read_only import is_absent
from bot.text.clean import plain
from bot.text.duration import in_words


@click.command("send-test")
@click.argument("chat")
@config_option
def send_test(path: Path, chat: str) -> None:
    """Send a test message to a chat and say what came of it.

    CHAT is the name of a chat, in feeds.yaml or made in Telegram, or its Telegram id.
    """
    config = readable(path)
    place = _place(chat, config)
    outcome = asyncio.run(_sent(place, config))
    if not isinstance(outcome, Sent):
        raise Fault(f"Nothing arrived in {chat}: {_reason(outcome)}")
    number = f" as message {outcome.message_id}" if place.kind is ChatKind.TELEGRAM else ""
    click.echo(f"The test message arrived in {plain(place.name)}{number}.")


def _place(text: str, config: Config) -> Chat:
    """Return the chat of a name or Telegram id. Raises Misconfigured."""
    known = {
        chat.name: Chat(0, chat.name, chat.kind, chat.address, chat.topic)
        for chat in config.declared.chats
    }
    if not is_absent(config.database):
        with failing():
            for number, fact in archive(config).chat_addresses().items():
                chat = Chat(number, fact.name, fact.kind, fact.address, fact.topic)
                known.setdefault(fact.name, chat)
    by_id = {str(chat.address): chat for chat in known.values() if chat.address and not chat.topic}
    place = known.get(text) or by_id.get(text)
    if place is None:
        near = get_close_matches(text, known, n=1)
        names = ", ".join(sorted(known)[:20]) or "none"
        hint = f"did you mean {near[0]}?" if near else f"chats: {names}."
        raise Misconfigured(f"There is no chat {text!r}; {hint}")
    return place


async def _sent(chat: Chat, config: Config) -> SendOutcome:
    text = "A test message of newsbell."
    delivery = Delivery(0, DeliveryKind.NOTICE, chat, 1, 0, plain=False, text=text)
    if chat.kind is ChatKind.TERMINAL:
        return await TerminalChannel().send(delivery, Message(text))
    if chat.kind is not ChatKind.TELEGRAM:
        async with open_service_client(config.proxies.network) as client:
            channels = service_channels(client, config.destinations.get, SystemClock())
            return await channels[chat.kind].send(delivery, Message(text))
    if not config.token:
        raise Misconfigured(
            "There is no token: set TELEGRAM_BOT_TOKEN, or settings.telegram.token_file."
        )
    token, api = config.token.get_secret_value(), config.settings.telegram.api
    async with open_bot(token, api, config.proxies.telegram) as bot:
        return await TelegramChannel(bot).send(delivery, Message(text))


def _reason(outcome: SendOutcome) -> str:
    match outcome:
        case ChatMoved(address):
            return f"the group is a supergroup now: put {address} into feeds.yaml."
        case NotSent(reason, retry_after=timedelta() as wait):
            return f"{reason.rstrip('.')}; its service asks for a pause of {in_words(wait)}."
        case Undecided(reason):
            return f"{reason.rstrip('.')}. It may have arrived all the same."
        case NotSent(reason) | Refused(reason) | ChatClosed(reason) | ServiceDown(reason):
            return f"{reason.rstrip('.')}."
        case _:
            return "The service gave an answer that fits no new message."
