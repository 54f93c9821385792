"""Answers that break the rules of HTTP and that browsers and curl read all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from raw_server import Talk, listening
from support import ManualClock

from bot.fetch.client import Client, Limits, open_client
from bot.fetch.connection import LenientHandler
from bot.fetch.url_guard import UrlGuard
from bot.model.feeds import Fetched, FetchOutcome, FetchRequest, NotModified

BODY = b"<rss version='2.0'><channel><title>Invented harbour</title></channel></rss>"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    async with open_client(
        UrlGuard([ip_network("127.0.0.0/8")]), Limits(), ManualClock(), "test"
    ) as opened:
        yield opened


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    """The address of a feed whose server talks like this over each connection."""
    async with listening(talk, lingers=True) as place:
        yield f"http://{place}/feed"


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers in turn, and keeps its connections open."""
    requests: list[bytes] = []
    waiting = list(answers)
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        while waiting:
            requests.append(b"%d " % number + await reader.readuntil(b"\r\n\r\n"))
            writer.write(waiting.pop(0))

    async with serving(talk) as url:
        yield url, requests


async def fetched(*answers: bytes) -> FetchOutcome:
    async with answering(*answers) as (url, _), client() as opened:
        return await opened.fetch(FetchRequest(url))


CHUNKED = b"Transfer-Encoding: chunked\r\n"
ODD = {
    "a header without a colon": OK + b"Broken header line\r\n" + LENGTH + b"\r\n" + BODY,
    "a blank before the colon": OK + b"Content-Length : %d\r\n\r\n" % len(BODY) + BODY,
    "brackets in a name": OK + b"X-[1]: 2\r\n" + LENGTH + b"\r\n" + BODY,
    "UTF-8 in a name": OK + "X-Größe: 1\r\n".encode() + LENGTH + b"\r\n" + BODY,
    "a name that is empty": OK + b": 1\r\n" + LENGTH + b"\r\n" + BODY,
    "a zero byte in a value": OK + b"X-A: a\0b\r\n" + LENGTH + b"\r\n" + BODY,
    "a carriage return in a value": OK + b"X-A: a\rb\r\n" + LENGTH + b"\r\n" + BODY,
    "a blank before the first name": OK + b" X-A: 1\r\n" + LENGTH + b"\r\n" + BODY,
    "a header over two lines": OK + b"X-A: a\r\n\tb\r\n" + LENGTH + b"\r\n" + BODY,
    "two equal lengths": OK + LENGTH + LENGTH + b"\r\n" + BODY,
    "two lengths in a line": OK + LENGTH.strip() + b", %d\r\n\r\n" % len(BODY) + BODY,
    "a length with a plus": OK + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY,
    "a length and a word": OK + b"Content-Length: none\r\n" + LENGTH + b"\r\n" + BODY,
    "the coding identity": OK + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + BODY,
    "chunks and a length": OK + CHUNKED + b"Content-Length: 3\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (len(BODY), BODY),
    "chunks that end in LF": OK + CHUNKED + b"\r\n%x\n%s\n0\n\n" % (len(BODY), BODY),
    "a blank after the size": OK + CHUNKED + b"\r\n%x  \r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "chunks named twice": OK + CHUNKED + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\n\r\n"
    % (len(BODY), BODY),
    "chunks without a last line": OK + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\n" % (len(BODY), BODY),
    "chunks with trailers": OK + CHUNKED + b"\r\n%x;a=b\r\n%s\r\n000\r\nX-A: 1\r\nodd\r\n\r\n"
    % (len(BODY), BODY),
    "two blanks in the status line": b"HTTP/1.1  200  OK\r\n" + LENGTH + b"\r\n" + BODY,
    "a status line without words": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + BODY,
    "a status line in small letters": b"http/1.1 200 ok\r\n" + LENGTH + b"\r\n" + BODY,
    "a version without a dot": b"HTTP/2 200\r\n" + LENGTH + b"\r\n" + BODY,
    "a radio's answer": b"ICY 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "empty lines before it": b"\r\n\r\n" + OK + LENGTH + b"\r\n" + BODY,
    "lines that end in LF": b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(BODY) + BODY,
    "lines that end in both": OK + b"X-A: 1\n" + LENGTH + b"\n" + BODY,
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + LENGTH + b"\r\n" + BODY,
    "an upgrade offered": OK + b"Upgrade: h2,h2c\r\nConnection: Upgrade\r\n" + LENGTH + b"\r\n"
    + BODY,
    "a value of 64 KiB": OK + b"X-Policy: %s\r\n" % (b"x" * 65536) + LENGTH + b"\r\n" + BODY,
    "500 headers": OK + b"".join(b"X-%d: 1\r\n" % n for n in range(500)) + LENGTH + b"\r\n" + BODY,
}  # fmt: skip


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_is_read_as_browsers_read_it(answer: bytes) -> None:
    outcome = await fetched(answer)
    assert isinstance(outcome, Fetched), outcome
    assert (outcome.body, outcome.truncated) == (BODY, False)


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_is_read_in_pieces_of_a_byte(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head, end, rest = answer.partition(b"Content-Length")
        for piece in (head, end, *(rest[at : at + 1] for at in range(min(len(rest), 120)))):
            writer.write(piece)
            await asyncio.sleep(0)
        writer.write(rest[120:])

    async with serving(talk) as url, client() as opened:
        outcome = await opened.fetch(FetchRequest(url))
    assert isinstance(outcome, Fetched), outcome
    assert outcome.body == BODY


async def test_headers_around_a_broken_one_count() -> None:
    odd = b'broken\r\n folded\r\nETag : "a"\r\nContent-Type: text/xml\r\n'
    outcome = await fetched(OK + odd + LENGTH + b"\r\n" + BODY)
    assert isinstance(outcome, Fetched)
    assert (outcome.etag, outcome.content_type) == ('"a"', "text/xml")


async def test_a_body_whose_length_cannot_be_read_ends_with_the_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: -1\r\n\r\n" + BODY)
        writer.write_eof()

    async with serving(talk) as url, client() as opened:
        outcome = await opened.fetch(FetchRequest(url))
    assert isinstance(outcome, Fetched), outcome
    assert (outcome.body, outcome.truncated) == (BODY, False)


@pytest.mark.parametrize("size", [b"xyz", b"-1", b"", b"10000000000000000000"])
async def test_chunks_that_make_no_sense_cut_the_body_off(size: bytes) -> None:
    outcome = await fetched(
        OK + CHUNKED + b"\r\n%x\r\n%s\r\n%s\r\nmore\r\n" % (len(BODY), BODY, size)
    )
    assert isinstance(outcome, Fetched), outcome
    assert (outcome.body, outcome.truncated) == (BODY, True)


# The connection


STRICT = OK + LENGTH + b"\r\n" + BODY


async def connections(first: bytes) -> list[bytes]:
    """The numbers of the connections that two requests took, the first answered like this."""
    async with answering(first, STRICT) as (url, requests), client() as opened:
        for _ in range(2):
            outcome = await opened.fetch(FetchRequest(url))
            assert isinstance(outcome, Fetched), outcome
        return [request.partition(b" ")[0] for request in requests]


async def test_the_connection_of_a_strict_answer_is_kept() -> None:
    assert await connections(STRICT) == [b"1", b"1"]
    chunked = OK + CHUNKED + b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    assert await connections(chunked) == [b"1", b"1"]


@pytest.mark.parametrize(
    "name",
    [
        "a header without a colon",
        "a blank before the colon",
        "two equal lengths",
        "chunks and a length",
        "chunks that end in LF",
        "a radio's answer",
    ],
)
async def test_the_connection_of_an_odd_answer_is_closed(name: str) -> None:
    assert await connections(ODD[name]) == [b"1", b"2"]


async def test_what_follows_an_answer_is_never_taken_for_the_next() -> None:
    smuggled = OK + b"ETag: smuggled\r\nContent-Length: 0\r\n\r\n"
    assert await connections(STRICT + smuggled) == [b"1", b"2"]


async def test_what_arrives_on_an_idle_connection_is_no_answer() -> None:
    late, numbers = asyncio.Event(), [1, 2]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STRICT)
        if numbers.pop(0) == 1:
            await late.wait()
            writer.write(OK + b"ETag: late\r\nContent-Length: 0\r\n\r\n")

    async with serving(talk) as url, client() as opened:
        await opened.fetch(FetchRequest(url))
        late.set()
        for _ in range(20):
            await asyncio.sleep(0)
        outcome = await opened.fetch(FetchRequest(url))
    assert isinstance(outcome, Fetched)
    assert (outcome.body, outcome.etag) == (BODY, None)


async def test_a_304_leaves_the_connection_open() -> None:
    first = OK + b'ETag: "a"\r\n' + LENGTH + b"\r\n" + BODY
    unchanged = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"
    async with answering(first, unchanged, STRICT) as (url, seen), client() as opened:
        await opened.fetch(FetchRequest(url))
        assert isinstance(await opened.fetch(FetchRequest(url, '"a"')), NotModified)
        assert isinstance(await opened.fetch(FetchRequest(url)), Fetched)
        assert [request[:1] for request in seen] == [b"1", b"1", b"1"]


async def test_the_protocol_of_the_connections_is_ours() -> None:
    """A newer aiohttp that made its protocols elsewhere would be strict again, silently."""
    async with answering(OK + LENGTH + b"\r\n" + BODY[:9]) as (url, _), client() as opened:
        response = await opened._routes._direct.session.get(url)
        assert response.connection is not None
        assert isinstance(response.connection.protocol, LenientHandler)
        response.close()


# Redirects


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/new feed.xml", "/new%20feed.xml"),
        (b"  /lead.xml  ", "/lead.xml"),
        (b"\\back\\slash.xml", "/back/slash.xml"),
        (b"/caf\xe9.xml", "/caf%E9.xml"),
        ("/café.xml".encode(), "/caf%C3%A9.xml"),
        (b"/a?title=two words&x=<y>", "/a?title=two%20words&x=%3Cy%3E"),
        (b"/a%2Fb%20c", "/a%2Fb%20c"),
        (b"/a#fragment", "/a"),
        (b"sub/a.xml", "/sub/a.xml"),
    ],
)
async def test_a_location_is_followed_as_browsers_follow_it(location: bytes, path: str) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    async with answering(redirect, STRICT) as (url, requests), client() as opened:
        outcome = await opened.fetch(FetchRequest(url))
    assert isinstance(outcome, Fetched), outcome
    assert requests[1].startswith(b"1 GET " + path.encode() + b" HTTP/1.1\r\n")
    assert outcome.url == url.removesuffix("/feed") + path
