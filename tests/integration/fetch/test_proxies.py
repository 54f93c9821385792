"""Feeds through a proxy: which way a request takes, and what a failing proxy is told as."""

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import ip_network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from raw_server import Talk, listening
from support import FeedServer, ManualClock

from bot.fetch.client import Limits, open_client
from bot.fetch.url_guard import NOT_PUBLIC, UrlGuard
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, FetchRequest

BODY = b"<rss version='2.0'><channel><title>Invented quay</title></channel></rss>"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
PUBLIC, PRIVATE = "93.184.216.34", "10.1.2.3"
NAMES = {"feeds.example": PUBLIC, "inside.example": PRIVATE, "own.example": "127.0.0.1"}


class Names(AbstractResolver):
    """Knows these names."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = NAMES.get(host, host)
        if not address[0].isdigit():
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def http_proxy(heads: list[bytes], answer: bytes = ANSWER) -> Talk:
    """An HTTP proxy that gives this answer itself."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)

    return talk


def socks_proxy(asked: list[tuple[object, ...]], login: bytes = b"", reply: int = 0) -> Talk:
    """A SOCKS5 proxy (RFC 1928, RFC 1929) behind which every site answers alike."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x02" if login else b"\x05\x00")
        if login:
            parts = []
            await reader.readexactly(1)
            for _ in range(2):
                (size,) = await reader.readexactly(1)
                parts.append(await reader.readexactly(size))
            writer.write(b"\x01\x00" if b":".join(parts) == login else b"\x01\x01")
        *_, kind = await reader.readexactly(4)
        if kind == 3:
            (size,) = await reader.readexactly(1)
            host: object = (await reader.readexactly(size)).decode()
        else:
            host = socket.inet_ntoa(await reader.readexactly(4))
        asked.append((host, int.from_bytes(await reader.readexactly(2), "big")))
        writer.write(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if not reply:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)

    return talk


async def fetched(
    url: str, proxy: str, *allow: str, discreet: bool = False, headers: Mapping[str, str] = {}
) -> FetchOutcome:
    guard = UrlGuard([ip_network(network) for network in allow])
    async with open_client(
        guard, Limits(), ManualClock(), "test", Names(), discreet=discreet, proxy=proxy
    ) as client:
        return await client.fetch(FetchRequest(url, headers=tuple(headers.items())))


async def test_a_feed_comes_through_an_http_proxy_with_its_login() -> None:
    heads: list[bytes] = []
    async with listening(http_proxy(heads)) as place:
        outcome = await fetched("http://feeds.example/a?b", f"http://desk:sesame@{place}")
    assert isinstance(outcome, Fetched), outcome
    assert outcome.body == BODY
    (head,) = heads
    assert head.startswith(b"GET http://feeds.example/a?b HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic ZGVzazpzZXNhbWU=\r\n" in head


async def test_an_answer_through_a_proxy_is_read_as_leniently() -> None:
    odd = ANSWER.replace(b"\r\n", b"\r\nno colon here\r\n", 1)
    async with listening(http_proxy([], odd)) as place:
        outcome = await fetched("http://feeds.example/", f"http://{place}")
    assert isinstance(outcome, Fetched), outcome


async def test_a_secure_feed_is_asked_for_by_a_tunnel() -> None:
    heads: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.0 200 Connection established\r\n\r\n")
        heads.append(await reader.readexactly(3))
        writer.write(b"HTTP/1.1 400 no TLS here\r\n\r\n")

    async with listening(tunnel) as place:
        outcome = await fetched("https://feeds.example/", f"http://{place}")
    assert heads[0].startswith(b"CONNECT feeds.example:443 HTTP/1.1\r\n")
    assert heads[1] == b"\x16\x03\x01", "a handshake of TLS goes through the tunnel"
    assert isinstance(outcome, FetchFailed)
    assert outcome.failure is Failure.TLS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", "wants a login (407)"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "refuses the connection (403)"),
    ],
)
async def test_a_proxy_that_refuses_the_tunnel_is_named(answer: bytes, words: str) -> None:
    async with listening(http_proxy([], answer)) as place:
        outcome = await fetched("https://feeds.example/", f"http://{place}")
    assert isinstance(outcome, FetchFailed)
    assert words in outcome.text
    assert outcome.failure is Failure.CONNECT


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_a_proxy_that_is_not_there_is_named(scheme: str) -> None:
    outcome = await fetched("http://feeds.example/", f"{scheme}://127.0.0.1:1")
    assert outcome == FetchFailed(
        Failure.CONNECT, "The proxy of settings.network.proxy cannot be reached."
    )


@pytest.mark.parametrize(("scheme", "host"), [("socks5", PUBLIC), ("socks5h", "feeds.example")])
async def test_a_feed_comes_through_a_socks_proxy(scheme: str, host: str) -> None:
    asked: list[tuple[object, ...]] = []
    async with listening(socks_proxy(asked, b"desk:sesame")) as place:
        outcome = await fetched("http://feeds.example/", f"{scheme}://desk:sesame@{place}")
    assert isinstance(outcome, Fetched), outcome
    assert outcome.body == BODY
    assert asked == [(host, 80)]


async def test_a_socks_proxy_that_refuses_is_named() -> None:
    async with listening(socks_proxy([], reply=2)) as place:
        outcome = await fetched("http://feeds.example/", f"socks5://{place}")
    assert isinstance(outcome, FetchFailed)
    assert outcome.text == "The proxy of settings.network.proxy refuses the connection to the site."


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("url", ["http://inside.example/", f"http://{PRIVATE}/"])
async def test_no_proxy_is_asked_for_a_private_address(scheme: str, url: str) -> None:
    asked: list[tuple[object, ...]] = []
    async with listening(socks_proxy(asked)) as place:
        outcome = await fetched(url, f"{scheme}://{place}")
    assert outcome == FetchFailed(Failure.PRIVATE, NOT_PUBLIC)
    assert asked == []


async def test_a_redirect_to_a_private_address_is_refused_behind_a_proxy() -> None:
    heads: list[bytes] = []
    redirect = b"HTTP/1.1 302 x\r\nLocation: http://inside.example/\r\nContent-Length: 0\r\n\r\n"
    async with listening(http_proxy(heads, redirect)) as place:
        outcome = await fetched("http://feeds.example/", f"http://{place}")
    assert outcome == FetchFailed(Failure.PRIVATE, NOT_PUBLIC)
    assert len(heads) == 1


async def test_a_name_that_only_the_proxy_knows_is_for_feeds_of_the_file_alone() -> None:
    heads: list[bytes] = []
    async with listening(http_proxy(heads)) as place:
        own = await fetched("http://far.example/", f"http://{place}")
        of_a_chat = await fetched("http://far.example/", f"http://{place}", discreet=True)
    assert isinstance(own, Fetched)
    assert isinstance(of_a_chat, FetchFailed)
    assert of_a_chat.failure is Failure.DNS
    assert len(heads) == 1


async def test_what_is_allowed_of_the_own_network_needs_no_proxy(server: FeedServer) -> None:
    server.put("/a", BODY)
    heads: list[bytes] = []
    async with listening(http_proxy(heads)) as place:
        outcome = await fetched(server.url("/a"), f"http://{place}", "127.0.0.0/8")
    assert isinstance(outcome, Fetched), outcome
    assert heads == []


async def test_proxies_of_the_environment_are_not_used(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/a", BODY)
    heads: list[bytes] = []
    async with listening(http_proxy(heads)) as place:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{place}")
            monkeypatch.setenv(name.lower(), f"http://{place}")
        outcome = await fetched(server.url("/a"), "", "127.0.0.0/8")
    assert isinstance(outcome, Fetched), outcome
    assert heads == []
