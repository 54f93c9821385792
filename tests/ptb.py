"""python-telegram-bot as a client of the loopback Bot API, and what it says when it is refused. Not assertions about the project."""

import ssl
from typing import Any

import pytest
from botapi import BotApi
from telegram import Bot
from telegram.error import BadRequest, TelegramError
from telegram.request import HTTPXRequest

#: every client would load the certificates anew, and none needs them
TLS = ssl.create_default_context()


def client(api: BotApi, token: str = "") -> Bot:
    """A bot of this endpoint, to be entered; with another token than the endpoint's it is a stranger."""
    return Bot(
        token or api.token,
        base_url=f"{api.url}/bot",
        base_file_url=f"{api.url}/file/bot",
        request=HTTPXRequest(httpx_kwargs={"verify": TLS}),
        get_updates_request=HTTPXRequest(httpx_kwargs={"verify": TLS}),
    )


async def refused(sending: Any, error: type[TelegramError] = BadRequest) -> str:
    """What python-telegram-bot says about a refusal."""
    with pytest.raises(error) as caught:
        await sending
    assert type(caught.value) is error
    return str(caught.value)
