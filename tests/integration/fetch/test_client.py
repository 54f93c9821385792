"""Fetching over real HTTP: requests, redirects, limits, and an outcome for any response."""

import asyncio
import gzip
import resource
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from support import FeedServer, ManualClock, feed_server

from bot.fetch import client as module
from bot.fetch.body import TooLarge, Undecodable, decode
from bot.fetch.client import ACCEPT, Client, Limits, open_client, user_agent
from bot.fetch.url_guard import UrlGuard
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, FetchRequest, NotModified

BODY = b"<rss version='2.0'><channel><title>Invented</title></channel></rss>"
AGENT = user_agent("1.0", "https://bell.example/about", 3)
MIB = 1024 * 1024


@asynccontextmanager
async def fetcher(limits: Limits | None = None) -> AsyncIterator[Client]:
    async with open_client(
        UrlGuard([ip_network("127.0.0.0/8")]), limits or Limits(), ManualClock(), AGENT
    ) as fetching:
        yield fetching


async def fetch(
    url: str, limits: Limits | None = None, **request: str | tuple[tuple[str, str], ...]
) -> FetchOutcome:
    async with fetcher(limits) as fetching:
        return await fetching.fetch(FetchRequest(url, **request))  # type: ignore[arg-type]


async def failure(url: str, limits: Limits | None = None, **request: str) -> FetchFailed:
    outcome = await fetch(url, limits, **request)
    assert isinstance(outcome, FetchFailed), outcome
    assert outcome.text.endswith(".")
    return outcome


async def body(url: str, limits: Limits | None = None) -> tuple[bytes, bool]:
    outcome = await fetch(url, limits)
    assert isinstance(outcome, Fetched), outcome
    return outcome.body, outcome.truncated


def answers(
    status: int, headers: Mapping[str, str]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    return answer


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: bytes | Talk) -> AsyncIterator[str]:
    """A server that says exactly these bytes and hangs up, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if isinstance(talk, bytes):
                writer.write(talk)
                await writer.drain()
            else:
                await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"


# What is asked


async def test_a_request_has_only_the_headers_it_needs(server: FeedServer) -> None:
    server.put("/a", BODY)
    await fetch(server.url("/a?b=c"))
    (seen,) = server.seen
    assert seen.method == "GET"
    assert dict(seen.headers) == {
        "Host": server.base.removeprefix("http://"),
        "User-Agent": "newsbell/1.0 (+https://bell.example/about; 3 subscribers)",
        "Accept": ACCEPT,
        "Accept-Encoding": "gzip",
    }


def test_the_user_agent_without_a_contact_and_with_one_subscriber() -> None:
    assert user_agent("1.0", "", 1) == "newsbell/1.0 (+no contact given; 1 subscriber)"


async def test_referrers_are_not_sent_and_cookies_not_kept_for_another_fetch(
    server: FeedServer,
) -> None:
    server.handle("/a", answers(302, {"Location": "/b", "Set-Cookie": "who=me; Path=/"}))
    server.put("/b", BODY, headers={"Set-Cookie": "again=1"})
    async with fetcher() as fetching:
        await fetching.fetch(FetchRequest(server.url("/a")))
        await fetching.fetch(FetchRequest(server.url("/b")))
    assert [seen.path for seen in server.seen] == ["/a", "/b", "/b"]
    assert [seen.headers.get("Cookie") for seen in server.seen] == [None, "who=me", None]
    for seen in server.seen:
        assert not {"Referer", "Origin", "If-None-Match", "If-Modified-Since"} & set(seen.headers)


async def test_a_cookie_that_has_to_come_back_within_a_redirect_does(server: FeedServer) -> None:
    async def check(request: web.Request) -> web.Response:
        if request.cookies.get("seen") == "1":
            return web.Response(body=BODY)
        return web.Response(
            status=302, headers={"Location": "/a", "Set-Cookie": "seen=1; Path=/; HttpOnly"}
        )

    server.handle("/a", check)
    assert await body(server.url("/a")) == (BODY, False)


async def test_a_cookie_goes_to_no_other_host(server: FeedServer) -> None:
    async with feed_server("127.0.0.2") as other:
        cookies = {"Set-Cookie": "who=me; Path=/"}
        server.handle("/a", answers(302, {"Location": other.url("/b"), **cookies}))
        other.handle("/b", answers(302, {"Location": server.url("/c")}))
        server.put("/c", BODY)
        assert await body(server.url("/a")) == (BODY, False)
        assert [seen.headers.get("Cookie") for seen in other.seen] == [None]
        assert [seen.headers.get("Cookie") for seen in server.seen] == [None, "who=me"]


async def test_a_cookie_of_the_site_is_sent_beside_that_of_the_feed(server: FeedServer) -> None:
    server.handle("/a", answers(302, {"Location": "/b", "Set-Cookie": "seen=1"}))
    server.put("/b", BODY)
    await fetch(server.url("/a"), headers=(("Cookie", "login=sesame"),))
    assert [seen.headers.get("Cookie") for seen in server.seen] == [
        "login=sesame",
        "login=sesame; seen=1",
    ]


async def test_headers_of_the_feed_are_sent_and_replace_ours_whatever_their_case(
    server: FeedServer,
) -> None:
    server.put("/a", BODY)
    await fetch(
        server.url("/a"), headers=(("Authorization", "Bearer sesame"), ("user-agent", "mine"))
    )
    (seen,) = server.seen
    assert seen.headers["Authorization"] == "Bearer sesame"
    assert [value for name, value in seen.headers.items() if name.lower() == "user-agent"] == [
        "mine"
    ]


ETAGS = [
    '"a"',
    'W/"a"',
    "bare",
    '"with space"',
    'W/"é-Ünï-新聞"',
    '"a", "b"',
    '""',
    "'single'",
    '"a""b"',
    '"\\"',
    "-",
    '"' + "x" * 900 + '"',
]


@pytest.mark.parametrize("etag", ETAGS, ids=range(len(ETAGS)))
async def test_validators_are_sent_back_byte_for_byte(etag: str) -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nLast-Modified: yesterday,  about noon \r\n"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        ).encode()
        writer.write(head + BODY)
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")

    async with raw_server(talk) as url, fetcher() as fetching:
        first = await fetching.fetch(FetchRequest(url))
        assert isinstance(first, Fetched)
        assert (first.etag, first.last_modified) == (etag, "yesterday,  about noon")
        assert isinstance(
            await fetching.fetch(FetchRequest(url, first.etag, first.last_modified)), NotModified
        )
    assert f"\r\nIf-None-Match: {etag}\r\n".encode() in asked[0]
    assert b"\r\nIf-Modified-Since: yesterday,  about noon\r\n" in asked[0]


@pytest.mark.parametrize("etag", [b'"\xe9"', b'"' + b"x" * 1100 + b'"'])
async def test_a_validator_that_could_not_be_sent_back_unchanged_is_dropped(etag: bytes) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nETag: "
        + etag
        + b"\r\nLast-Modified: x\r\nContent-Length: "
        + str(len(BODY)).encode()
        + b"\r\n\r\n"
    )
    async with raw_server(head + BODY) as url:
        outcome = await fetch(url)
    assert isinstance(outcome, Fetched)
    assert (outcome.etag, outcome.last_modified) == (None, "x")


async def test_a_304_has_its_own_validators_and_freshness(server: FeedServer) -> None:
    server.handle("/a", answers(304, {"ETag": '"new"', "Cache-Control": "max-age=600"}))
    outcome = await fetch(server.url("/a"), etag='"old"', last_modified="then")
    assert isinstance(outcome, NotModified)
    assert (outcome.etag, outcome.last_modified, outcome.freshness.max_age) == (
        '"new"',
        None,
        timedelta(minutes=10),
    )


async def test_a_304_that_was_not_asked_for_is_a_failure(server: FeedServer) -> None:
    """Otherwise a server that always says 304 would look well and never bring anything."""
    server.handle("/a", answers(304, {}))
    assert (await failure(server.url("/a"))).failure is Failure.HTTP


# Redirects


@pytest.mark.parametrize(
    ("status", "permanent"), [(301, True), (302, False), (303, False), (307, False), (308, True)]
)
async def test_a_redirect_is_followed_and_only_a_permanent_redirect_is_reported(
    server: FeedServer, status: int, permanent: bool
) -> None:
    server.handle("/a", answers(status, {"Location": "../b?x=%2F"}))
    server.put("/b", BODY)
    outcome = await fetch(server.url("/a"))
    assert isinstance(outcome, Fetched)
    assert (outcome.body, outcome.url) == (BODY, server.url("/b?x=%2F"))
    assert outcome.permanent_url == (server.url("/b?x=%2F") if permanent else None)
    assert [seen.method for seen in server.seen] == ["GET", "GET"]


async def test_a_chain_is_permanent_only_if_all_its_redirects_are(server: FeedServer) -> None:
    server.handle("/a", answers(301, {"Location": "/b"}))
    server.handle("/b", answers(302, {"Location": "/c"}))
    server.put("/c", BODY)
    outcome = await fetch(server.url("/a"))
    assert isinstance(outcome, Fetched)
    assert outcome.permanent_url is None


@pytest.mark.parametrize(("hops", "arrives"), [(1, True), (10, True), (11, False)])
async def test_ten_redirects_are_followed_and_no_more(
    server: FeedServer, hops: int, arrives: bool
) -> None:
    for hop in range(hops):
        server.handle(f"/{hop}", answers(302, {"Location": f"/{hop + 1}"}))
    server.put(f"/{hops}", BODY)
    outcome = await fetch(server.url("/0"))
    assert isinstance(outcome, Fetched) is arrives
    if isinstance(outcome, FetchFailed):
        assert outcome.failure is Failure.REDIRECT
    assert len(server.seen) == min(hops + 1, 11)


async def test_a_loop_of_redirects_ends(server: FeedServer) -> None:
    server.handle("/a", answers(301, {"Location": "/a"}))
    failed = await failure(server.url("/a"))
    assert (failed.failure, failed.text) == (Failure.REDIRECT, "The site redirects in a circle.")
    assert len(server.seen) == 2


async def test_a_redirect_without_location_is_a_failure_with_a_message(server: FeedServer) -> None:
    server.handle("/a", answers(301, {}))
    assert (
        await failure(server.url("/a"))
    ).text == "The site redirects without saying where to (301)."


@pytest.mark.parametrize(
    "location", [b"http://[::1", b"http://example.com:port/", b"//caf\xe9.example/"]
)
async def test_a_redirect_to_no_address_is_a_failure_with_a_message(location: bytes) -> None:
    async with raw_server(
        b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    ) as url:
        assert (await failure(url)).failure is Failure.REDIRECT


async def test_credentials_stay_with_their_origin(server: FeedServer) -> None:
    async with feed_server("127.0.0.2") as other:
        server.handle("/a", answers(301, {"Location": "/b"}))
        server.handle("/b", answers(301, {"Location": other.url("/c")}))
        other.put("/c", BODY)
        outcome = await fetch(
            server.url("/a"),
            headers=(("Authorization", "Bearer sesame"), ("X-Key", "sesame")),
            etag='"a"',
        )
        assert [seen.headers.get("Authorization") for seen in server.seen] == ["Bearer sesame"] * 2
        assert not {"Authorization", "X-Key", "If-None-Match"} & set(other.seen[0].headers)
    assert isinstance(outcome, Fetched)
    assert (
        outcome.permanent_url is None
    )  # adopted, the other origin would get the credentials with every poll


async def test_validators_go_to_the_address_behind_a_redirect_that_gave_them(
    server: FeedServer,
) -> None:
    server.handle("/a", answers(302, {"Location": "/b"}))
    server.put("/b", BODY, headers={"ETag": '"b"'})
    server.put("/c", BODY, headers={"ETag": '"b"'})
    async with fetcher() as fetching:
        request = FetchRequest(server.url("/a"))
        first = await fetching.fetch(request)
        assert isinstance(first, Fetched)
        conditional = FetchRequest(request.url, first.etag, first.last_modified)
        assert isinstance(await fetching.fetch(conditional), NotModified)
        server.handle("/a", answers(302, {"Location": "/c"}))
        assert isinstance(
            await fetching.fetch(conditional), Fetched
        )  # the same words from another address mean nothing
    assert [(seen.path, seen.headers.get("If-None-Match")) for seen in server.seen] == [
        ("/a", None), ("/b", None), ("/a", None), ("/b", '"b"'), ("/a", None), ("/c", None),
    ]  # fmt: skip


# Bounds


async def test_of_many_redirected_feeds_the_first_are_fetched_without_validators_again(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REDIRECTED_FEEDS", 3)
    for number in range(5):
        server.handle(f"/{number}", answers(302, {"Location": f"/{number}/feed"}))
        server.put(f"/{number}/feed", BODY, headers={"ETag": '"b"'})
    async with fetcher() as fetching:
        for number in range(5):
            await fetching.fetch(FetchRequest(server.url(f"/{number}")))
        outcomes = [
            await fetching.fetch(FetchRequest(server.url(f"/{number}"), '"b"'))
            for number in (4, 3, 2, 0, 1)
        ]
    assert [type(outcome) for outcome in outcomes] == [NotModified] * 3 + [Fetched] * 2


async def test_a_slow_drip_ends_at_the_deadline() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"<")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(drip) as url, asyncio.timeout(10):
        failed = await failure(url, Limits(deadline=timedelta(seconds=0.5)))
    assert failed.failure is Failure.TIMEOUT


async def test_a_silent_server_ends_at_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(silent) as url, asyncio.timeout(10):
        assert (
            await failure(url, Limits(deadline=timedelta(seconds=0.3)))
        ).failure is Failure.TIMEOUT


async def test_redirects_share_one_deadline(server: FeedServer) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.Response(status=302, headers={"Location": f"/a?{len(server.seen)}"})

    server.handle("/a", slow)
    assert (
        await failure(server.url("/a"), Limits(deadline=timedelta(seconds=0.7)))
    ).failure is Failure.TIMEOUT


@pytest.mark.parametrize(("size", "fits"), [(MIB, True), (MIB + 1, False), (3 * MIB, False)])
async def test_the_limit_applies_to_encoded_bytes(
    server: FeedServer, size: int, fits: bool
) -> None:
    server.put("/a", b"x" * size)
    outcome = await fetch(server.url("/a"), Limits(body=MIB))
    assert isinstance(outcome, Fetched) is fits
    if isinstance(outcome, FetchFailed):
        assert (outcome.failure, outcome.text) == (
            Failure.TOO_LARGE,
            "The feed is larger than 1 MiB.",
        )


@pytest.mark.parametrize("layers", [1, 2])
async def test_the_limit_applies_to_decoded_bytes(server: FeedServer, layers: int) -> None:
    bomb = bytes(30 * MIB)
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    server.put("/a", bomb, headers={"Content-Encoding": "gzip"})
    assert (await failure(server.url("/a"), Limits(body=MIB))).failure is Failure.TOO_LARGE


async def test_an_endless_body_ends_at_the_limit() -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(pour) as url:
        assert (await failure(url, Limits(body=MIB))).failure is Failure.TOO_LARGE


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(5000)),
        b"X-Long: " + b"x" * 300_000 + b"\r\n",
        b"X-%s: 1\r\n" % (b"n" * 300_000),
    ],
    ids=["many", "long value", "long name"],
)
async def test_too_many_or_too_long_headers_are_a_failure(head: bytes) -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 2\r\n\r\nok") as url:
        failed = await failure(url)
    assert failed.failure is Failure.HTTP
    assert "headers" in failed.text


@pytest.mark.parametrize(
    ("talk", "text"),
    [
        (b"", "The site closed the connection without an answer."),
        (b"\x00\x01\x02\r\n\r\n", "Something answers that does not speak HTTP."),
        (b"SSH-2.0-x\r\n", "Something answers that does not speak HTTP."),
        (
            b"\x15\x03\x01\x00\x02\x02\x50",
            "The site answers as for https, but its address begins with http.",
        ),
        (
            b"HTTP/1.1 999999 OK\r\n\r\n",
            "The site's answer begins with a status that cannot be read.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Ty",
            "The site ended the connection within its answer's headers.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            "The site names two different lengths for one answer.",
        ),
        (
            b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            "The site wants to speak another protocol than HTTP (101).",
        ),
    ],
)
async def test_an_answer_that_is_not_http_is_a_failure_that_says_what_is_wrong(
    talk: bytes, text: str
) -> None:
    async with raw_server(talk) as url:
        assert (await failure(url)).text == text


async def test_an_answer_that_breaks_off_says_so() -> None:
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with raw_server(reset) as url:
        failed = await failure(url)
    assert failed.failure is Failure.CONNECT
    assert "Error" not in failed.text


async def test_a_closed_port_and_an_unknown_name_are_different_failures() -> None:
    assert (await failure("http://127.0.0.1:1/")).failure is Failure.CONNECT
    assert (await failure("http://no-such-host.invalid/")).failure is Failure.DNS


async def test_a_server_without_tls_is_a_failure_of_tls(server: FeedServer) -> None:
    assert (await failure(server.url("/a").replace("http:", "https:"))).failure is Failure.TLS


# Codings


ENCODED = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "gzip by its old name": ("x-gzip", gzip.compress(BODY)),
    "gzip in capitals": ("GZIP", gzip.compress(BODY)),
    "gzip in two members": ("gzip", gzip.compress(BODY[:20]) + gzip.compress(BODY[20:])),
    "gzip with something after it": ("gzip", gzip.compress(BODY) + b"\0" * 20),
    "gzip twice": ("gzip", gzip.compress(gzip.compress(BODY))),
    "gzip that does not say so": ("", gzip.compress(BODY)),
    "plain that says gzip": ("gzip", BODY),
    "deflate": ("deflate", zlib.compress(BODY)),
    "deflate without its header": ("deflate", zlib.compress(BODY)[2:-4]),
    "identity": ("identity", BODY),
    "the coding of a store": ("aws-chunked", BODY),
    "a charset": ("UTF-8", BODY),
    "none": ("none", BODY),
    "gzip said twice": ("gzip, gzip", gzip.compress(BODY)),
    "identity and gzip": ("identity, gzip", gzip.compress(BODY)),
    "a parameter": ("gzip; q=1", gzip.compress(BODY)),
    "an empty parameter": ("gzip;", gzip.compress(BODY)),
    "plain that says br": ("br", BODY),
    "plain that says zstd": ("zstd", b"\xef\xbb\xbf\n" + BODY),
    "plain that says deflate": ("deflate", BODY),
    "gzip that says br": ("br", gzip.compress(BODY)),
    "gzip that says deflate": ("deflate", gzip.compress(BODY)),
    "deflate within gzip": ("deflate, gzip", gzip.compress(zlib.compress(BODY))),
}


@pytest.mark.parametrize(("coding", "sent"), ENCODED.values(), ids=ENCODED.keys())
async def test_a_body_is_decoded_whatever_coding_is_declared(
    server: FeedServer, coding: str, sent: bytes
) -> None:
    server.put("/a", sent, headers={"Content-Encoding": coding} if coding else {})
    got, truncated = await body(server.url("/a"))
    assert (got.removeprefix(b"\xef\xbb\xbf\n"), truncated) == (BODY, False)


async def known_again(
    server: FeedServer, sent: bytes, content_type: str = "text/xml"
) -> tuple[bytes, bool]:
    """Fetch a gzip body, then what is sent; return the latter, and whether it is known.

    The first is `BODY` in gzip, as `text/xml`.
    """
    first = gzip.compress(BODY, mtime=0)
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/xml"}
    server.put("/a", first, headers=headers)
    server.put("/b", sent, headers={**headers, "Content-Type": content_type})
    async with fetcher() as client:
        before = await client.fetch(FetchRequest(server.url("/a")))
        assert isinstance(before, Fetched)
        assert before.digest
        outcome = await client.fetch(FetchRequest(server.url("/b"), known=before.digest))
    assert isinstance(outcome, Fetched)
    return outcome.body, outcome.is_known


async def test_a_known_compressed_body_is_left_out(server: FeedServer) -> None:
    assert await known_again(server, gzip.compress(BODY, mtime=0)) == (b"", True)


async def test_a_body_that_is_compressed_otherwise_is_read(server: FeedServer) -> None:
    assert await known_again(server, gzip.compress(BODY, mtime=7)) == (BODY, False)


async def test_a_known_body_of_another_type_is_read(server: FeedServer) -> None:
    sent = gzip.compress(BODY, mtime=0)
    assert await known_again(server, sent, "text/xml; charset=koi8-r") == (BODY, False)


async def test_a_plain_body_has_no_digest(server: FeedServer) -> None:
    server.put("/a", BODY)
    outcome = await fetch(server.url("/a"))
    assert isinstance(outcome, Fetched)
    assert (outcome.digest, outcome.is_known) == (b"", False)


async def test_a_large_compressed_body_is_decoded_off_the_loop(server: FeedServer) -> None:
    large = bytes(range(256)) * 1000
    server.put("/a", gzip.compress(large, compresslevel=0), headers={"Content-Encoding": "gzip"})
    assert await body(server.url("/a")) == (large, False)


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("br", b"\x0b\x02\x80ok\x03"),
        ("zstd", b"(\xb5/\xfd"),
        ("gzip, br", b"x"),
        ("gzip", b"\x1f\x8b\x08broken"),
        ("deflate", b"neither compressed nor a document"),
    ],
)
async def test_a_coding_that_was_not_asked_for_or_is_broken_is_a_failure(
    server: FeedServer, coding: str, sent: bytes
) -> None:
    server.put("/a", sent, headers={"Content-Encoding": coding})
    assert (await failure(server.url("/a"))).failure is Failure.ENCODING


async def test_a_truncated_body_is_marked_as_truncated(server: FeedServer) -> None:
    text = b"".join(b"<p>%d</p>" % number for number in range(2000))
    server.put("/gzip", gzip.compress(text)[:-200], headers={"Content-Encoding": "gzip"})
    got, truncated = await body(server.url("/gzip"))
    assert truncated
    assert text.startswith(got)
    assert got
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + BODY) as url:
        assert await body(url) == (BODY, True)
    async with raw_server(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY)
    ) as url:
        assert await body(url) == (BODY, True)


def test_a_body_of_very_many_gzip_members_is_rejected() -> None:
    with pytest.raises(Undecodable):
        decode(gzip.compress(b"") * 100_000, "gzip", MIB)
    with pytest.raises(TooLarge):
        decode(gzip.compress(bytes(MIB)) * 2, "gzip", MIB + 1)


# Refusals


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Failure.HTTP),
        (401, Failure.LOGIN),
        (402, Failure.HTTP),
        (403, Failure.BLOCKED),
        (404, Failure.NOT_FOUND),
        (407, Failure.LOGIN),
        (410, Failure.GONE),
        (418, Failure.HTTP),
        (429, Failure.SLOW_DOWN),
        (451, Failure.BLOCKED),
        (500, Failure.SERVER),
        (503, Failure.SERVER),
        (521, Failure.SERVER),
        (204, Failure.HTTP),
        (206, Failure.HTTP),
        (300, Failure.HTTP),
        (600, Failure.HTTP),
    ],
)
async def test_each_status_has_its_failure(
    server: FeedServer, status: int, expected: Failure
) -> None:
    server.put("/a", b"" if status == 204 else "No.", status=status)
    failed = await failure(server.url("/a"))
    assert failed.failure is expected
    assert str(status) in failed.text
    assert not failed.drop_validators


@pytest.mark.parametrize("coding", ["", "gzip"])
@pytest.mark.parametrize("status", [403, 503])
async def test_a_challenge_for_browsers_is_recognised(
    server: FeedServer, status: int, coding: str
) -> None:
    page = b"<!doctype html><title>Just a moment...</title>" + b"<p>wait</p>" * 50
    headers = {"Content-Type": "text/html"} | ({"Content-Encoding": "gzip"} if coding else {})
    server.put("/page", gzip.compress(page) if coding else page, status=status, headers=headers)
    server.put("/header", "", status=status, headers={"cf-mitigated": "challenge"})
    for path in ("/page", "/header"):
        failed = await failure(server.url(path))
        assert (failed.failure, failed.text) == (
            Failure.BLOCKED,
            f"The site answers with a challenge page for browsers ({status}).",
        )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", ["7200", "Mon, 02 Mar 2026 14:00:00 GMT"])
async def test_retry_after_is_parsed_in_both_forms(
    server: FeedServer, status: int, header: str
) -> None:
    server.put(
        "/a",
        "",
        status=status,
        headers={"Retry-After": header, "Date": "Mon, 02 Mar 2026 12:00:00 GMT"},
    )
    assert (await failure(server.url("/a"))).freshness.retry_after == timedelta(hours=2)


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 9999\r\n\r\npartial",
        b"Content-Length: 9999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n50\r\nab",
    ],
)
@pytest.mark.parametrize("hangs", [True, False])
async def test_retry_after_is_used_even_if_the_body_never_comes(
    rest: bytes, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE_WAIT", 0.2)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\n" + rest)
        if hangs:
            await reader.read()

    async with raw_server(talk) as url:
        failed = await failure(url)
    assert (failed.failure, failed.freshness.retry_after) == (
        Failure.SLOW_DOWN,
        timedelta(minutes=1),
    )


@pytest.mark.parametrize(
    ("status", "dropped"),
    [(400, True), (412, True), (416, True), (501, True), (404, False), (500, False), (403, False)],
)
async def test_a_server_that_rejects_conditions_gets_none_the_next_time(
    server: FeedServer, status: int, dropped: bool
) -> None:
    server.put("/a", "", status=status)
    assert (await failure(server.url("/a"), etag='"a"')).drop_validators is dropped
    assert (await failure(server.url("/a"), last_modified="b")).drop_validators is dropped
    assert (await failure(server.url("/a"))).drop_validators is False


class _Names(AbstractResolver):
    """A resolver that knows one name, which leads inside."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != "inside.example":
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host, host="10.1.2.3", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_discreet_client_does_not_tell_which_names_exist_inside() -> None:
    async with open_client(
        UrlGuard(), Limits(), ManualClock(), AGENT, _Names(), discreet=True
    ) as client:
        known = await client.fetch(FetchRequest("http://inside.example/feed"))
        unknown = await client.fetch(FetchRequest("http://nothing.example/feed"))
    assert known == unknown
    async with open_client(UrlGuard(), Limits(), ManualClock(), AGENT, _Names()) as client:
        told = await client.fetch(FetchRequest("http://inside.example/feed"))
    assert isinstance(told, FetchFailed)
    assert told.failure is Failure.PRIVATE


async def test_a_lack_of_open_files_is_no_fault_of_the_site(server: FeedServer) -> None:
    server.put("/feed", BODY)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with fetcher() as client:
        await client.fetch(FetchRequest(server.url("/other")))
        async with feed_server() as other:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            try:
                outcome = await client.fetch(FetchRequest(other.url("/feed")))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(outcome, FetchFailed)
    assert outcome.failure is Failure.LOCAL


async def test_connections_are_kept_to_a_few_hosts_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT_HOSTS", 3)
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(feed_server(f"127.0.0.{number}"))
            for number in range(2, 8)
        ]
        client = await stack.enter_async_context(fetcher())
        for server in servers:
            server.put("/feed", BODY)
            assert isinstance(await client.fetch(FetchRequest(server.url("/feed"))), Fetched)
        connections = [server.seen[0].headers.get("Connection") for server in servers]
        assert connections[3:] == ["close"] * 3
        connector = client._routes._direct.session.connector
        assert connector is not None
        assert sum(map(len, connector._conns.values())) == 3


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Encoding: \xff\xfe\x80",
        b"Content-Type: text/xml; charset=\xff",
        b'ETag: "\xff"',
        b"Last-Modified: \xed\xa0\x80",
        b"Location: http://a\xff.example/\xed\xa0\x80",
        b"Retry-After: " + b"9" * 5000,
        b"Retry-After: Mon, 01 Jan 9999 00:00:00 -9999",
        b"Cache-Control: max-age=" + b"9" * 5000,
        b"Age: \xd9\xa3",
        b"Expires: Mon, 01 Jan 0001 00:00:00 +2359",
        b"Date: Mon, 99 Foo 99999 99:99:99 +99999999999999",
    ],
)
@pytest.mark.parametrize("status", [b"200 OK", b"301 \xff\xff", b"429 \xed\xa0\x80"])
async def test_what_comes_of_a_hostile_header_can_be_stored(header: bytes, status: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n" + header + b"\r\n\r\n"
    async with raw_server(answer) as url:
        outcome = await fetch(url)
    for field in ("text", "etag", "last_modified", "content_type", "permanent_url"):
        (getattr(outcome, field, None) or "").encode()
    fresh = outcome.freshness
    for span in (fresh.max_age, fresh.retry_after):
        assert span is None or timedelta(0) <= span <= timedelta(days=366)
