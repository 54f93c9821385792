"""The way to Telegram: straight or by the proxy of feeds.yaml, whatever the environment says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from botapi import BotApi

from bot.delivery.channels.telegram import TelegramChannel, open_bot
from bot.model.delivery import ServiceDown, ServiceFault

NOWHERE = "http://127.0.0.1:1"


@asynccontextmanager
async def http_proxy(api: BotApi, heads: list[bytes]) -> AsyncIterator[str]:
    """An HTTP proxy that leads to the stand-in of the Bot API, and nowhere else."""
    host, _, port = api.url.removeprefix("http://").partition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        method, _, rest = head.partition(b" ")
        path = b"/" + rest.removeprefix(b"http://api.example/")
        source, sink = await asyncio.open_connection(host, int(port))
        sink.write(method + b" " + path.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        writer.write(await source.read())
        await writer.drain()
        sink.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        yield app


async def test_calls_go_through_the_proxy_with_its_login(api: BotApi) -> None:
    heads: list[bytes] = []
    async with http_proxy(api, heads) as place:
        made = open_bot(api.token, "http://api.example", f"http://desk:sesame@{place}")
        async with made as bot:
            assert (await bot.get_me()).is_bot
    assert heads[0].startswith(b"POST http://api.example/bot")
    assert b"Proxy-Authorization: Basic ZGVzazpzZXNhbWU=\r\n" in heads[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
async def test_proxies_of_the_environment_get_no_token(
    api: BotApi, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, NOWHERE)
    async with open_bot(api.token, api.url) as bot:
        assert (await bot.get_me()).is_bot


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_a_proxy_that_is_not_there_is_an_outage_and_leaves_nothing_in_doubt(
    api: BotApi, scheme: str
) -> None:
    async with open_bot(api.token, api.url, f"{scheme}://127.0.0.1:1") as bot:
        outcome = await TelegramChannel(bot).check()
    assert isinstance(outcome, ServiceDown)
    assert outcome.fault is ServiceFault.UNREACHABLE


async def test_a_proxy_that_refuses_the_tunnel_is_named(api: BotApi) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with open_bot(api.token, "https://api.example", proxy) as bot:
            outcome = await TelegramChannel(bot).check()
    assert outcome == ServiceDown("the proxy gives no way to Telegram", ServiceFault.UNREACHABLE)
