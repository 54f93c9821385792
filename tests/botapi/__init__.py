"""A Telegram Bot API on loopback for tests: real HTTP, real refusals, planned faults.

It is no mock of python-telegram-bot and no Telegram: it keeps to what is known of the API's
answers, forgets everything when it is left, and opens no connection but to a webhook on loopback.

    async with BotApi() as api:
        api.add_private(7)
        async with Bot(api.token, base_url=f"{api.url}/bot") as bot:
            await bot.send_message(7, "hello")
        assert api.messages(7)[0].text == "hello"

From the ground up: errors, links, html, text, keyboards, commands, files, params, faults, limits,
updates, webhook; chats and world (what exists), members, origins and people (what they do), sending
and asking (the methods), answers and server (the wire).
"""

from .asking import CallbackAnswer
from .chats import Message
from .faults import (
    DropAfter,
    DropBefore,
    Fault,
    Hang,
    NotJson,
    Refuse,
    ServerError,
    Slow,
    TooManyRequests,
)
from .limits import Violation
from .origins import FromChannel, FromChat, FromHiddenUser, FromUser
from .server import BotApi, Call
from .webhook import Post

__all__ = [
    "BotApi",
    "Call",
    "CallbackAnswer",
    "DropAfter",
    "DropBefore",
    "Fault",
    "FromChannel",
    "FromChat",
    "FromHiddenUser",
    "FromUser",
    "Hang",
    "Message",
    "NotJson",
    "Post",
    "Refuse",
    "ServerError",
    "Slow",
    "TooManyRequests",
    "Violation",
]
