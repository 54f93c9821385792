"""python-telegram-bot as a client of the loopback Bot API. Not assertions about the project."""

from typing import Any

import pytest
from botapi import BotApi
from telegram import Bot
from telegram.error import BadRequest, TelegramError
from telegram.request import HTTPXRequest

from bot.delivery.channels.telegram import tls_context

#: a client without it would read all certificates anew
TLS = tls_context()


def client(api: BotApi, token: str = "") -> Bot:
    """Return a bot of this endpoint, to be entered; with another token it is a stranger."""
    return Bot(
        token or api.token,
        base_url=f"{api.url}/bot",
        base_file_url=f"{api.url}/file/bot",
        request=HTTPXRequest(httpx_kwargs={"verify": TLS}),
        get_updates_request=HTTPXRequest(httpx_kwargs={"verify": TLS}),
    )


async def refused(sending: Any, error: type[TelegramError] = BadRequest) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(error) as caught:
        await sending
    assert type(caught.value) is error
    return str(caught.value)
