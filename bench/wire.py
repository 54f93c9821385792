"""A loopback HTTP server of N feeds, each on an address of its own: `http://127.1.x.y:PORT/feed/K`.

`python -m bench.wire --feeds 1000` prints one line of JSON with its port, then serves until it is
ended. Every body is compressed once, before, so that serving costs little. Not a general server:
GET, one POST, no TLS, no errors but 404.

    POST /control/phase   {"label": "r1mixed", "modes": ["validators", "bare", ...]}, a mode a feed
    POST /control/reset   set the counts to zero
    GET  /control/counts  [[requests, conditional ones, answers 304, answers in gzip], ...], by feed
    GET  /control/truth   {feed number: marker of the new item published in this phase}

Modes: `validators` sends ETag and Last-Modified, and 304 to a client that knows them; `bare` sends
the same body without them and never 304; `new` is `validators` with one invented item before all
others, so another body and other validators.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvloop

from bench import corpus

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = ("validators", "bare", "new")
#: as gzip_comp_level of an ordinary server
_LEVEL = 5


def address(feed: int, port: int) -> str:
    """Return the URL of a feed: no two share an address."""
    return f"http://127.1.{feed // 250}.{feed % 250 + 1}:{port}/feed/{feed}"


@dataclass(frozen=True)
class Body:
    """One document, ready to be sent."""

    #: as it is
    plain: bytes
    #: compressed
    packed: bytes
    #: quoted, as in the header
    etag: bytes
    #: an HTTP date
    modified: bytes

    @classmethod
    def of(cls, document: bytes, modified: bytes) -> Body:
        """Compress and name the document."""
        etag = b'"%x-%x"' % (len(document), zlib.crc32(document))
        return cls(document, gzip.compress(document, _LEVEL, mtime=0), etag, modified)


@dataclass
class Feed:
    """One feed, and the requests for it in this phase."""

    #: the document every phase begins from
    base: Body
    #: the document of this phase
    body: Body
    #: one of MODES
    mode: str = "validators"
    #: the marker of the new item; empty where there is none
    marker: str = ""
    #: requests, conditional requests, answers 304, answers in gzip
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    def answer(self, headers: dict[bytes, bytes]) -> bytes:
        """Return the whole response to a GET with these headers."""
        tag, since = headers.get(b"if-none-match"), headers.get(b"if-modified-since")
        self.counts[0] += 1
        self.counts[1] += bool(tag or since)
        validators = b"ETag: %s\r\nLast-Modified: %s\r\n" % (self.body.etag, self.body.modified)
        if self.mode == "bare":
            validators = b""
        elif self.body.etag in tag if tag else since == self.body.modified:
            self.counts[2] += 1
            return _answer(b"304 Not Modified", validators, b"")
        if b"gzip" in headers.get(b"accept-encoding", b""):
            self.counts[3] += 1
            return _answer(b"200 OK", validators + b"Content-Encoding: gzip\r\n", self.body.packed)
        return _answer(b"200 OK", validators, self.body.plain)


def _answer(status: bytes, headers: bytes, body: bytes, kind: bytes = b"application/xml") -> bytes:
    length = (
        b""
        if status.startswith(b"304")
        else b"Content-Type: %s\r\nContent-Length: %d\r\n" % (kind, len(body))
    )
    return b"HTTP/1.1 %s\r\nVary: Accept-Encoding\r\n%s%s\r\n%s" % (status, headers, length, body)


class Wire:
    """All feeds, and the requests they take."""

    def __init__(self, documents: list[bytes], feeds: int) -> None:
        """Make the feeds from the documents, in turn."""
        date = format_datetime(datetime.now(UTC), usegmt=True).encode()
        bases = (Body.of(corpus.vary(documents[k % len(documents)], k), date) for k in range(feeds))
        self.feeds = [Feed(base, base) for base in bases]

    def respond(
        self, method: bytes, path: bytes, headers: dict[bytes, bytes], content: bytes
    ) -> bytes:
        """Return the whole response to one request."""
        if method == b"GET" and path.startswith(b"/feed/"):
            number = int(path[6:]) if path[6:].isdigit() else len(self.feeds)
            if number < len(self.feeds):
                return self.feeds[number].answer(headers)
        controls: dict[tuple[bytes, bytes], Callable[[], object]] = {
            (b"POST", b"/control/phase"): lambda: self.begin(**json.loads(content)),
            (b"POST", b"/control/reset"): self.reset,
            (b"GET", b"/control/counts"): lambda: [feed.counts for feed in self.feeds],
            (b"GET", b"/control/truth"): lambda: {
                k: feed.marker for k, feed in enumerate(self.feeds) if feed.marker
            },
        }
        control = controls.get((method, path))
        if control is None:
            return _answer(b"404 Not Found", b"", b"")
        return _answer(b"200 OK", b"", json.dumps(control()).encode(), b"application/json")

    def begin(self, label: str, modes: list[str]) -> int:
        """Set the mode of every feed; return how many have a new item."""
        now = datetime.now(UTC)
        for number, (feed, mode) in enumerate(zip(self.feeds, modes, strict=True)):
            if mode not in MODES:
                raise ValueError(mode)
            feed.mode, feed.body, feed.marker = mode, feed.base, ""
            if mode == "new":
                feed.marker = f"zq{label}k{number:05d}"
                document = corpus.with_new_item(feed.base.plain, feed.marker, format_datetime(now))
                # an hour on: never the date of the base, not even within its second
                modified = datetime.fromtimestamp(now.timestamp() + 3600, UTC)
                feed.body = Body.of(document, format_datetime(modified, usegmt=True).encode())
        self.reset()
        return sum(1 for feed in self.feeds if feed.marker)

    def reset(self) -> None:
        """Set the counts to zero."""
        for feed in self.feeds:
            feed.counts = [0, 0, 0, 0]


class Connection(asyncio.Protocol):
    """One connection, kept open until the other side closes it or asks for that."""

    def __init__(self, wire: Wire) -> None:
        """Begin with nothing received."""
        self._wire = wire
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while self._transport and (end := self._received.find(b"\r\n\r\n")) >= 0:
            first, *lines = self._received[:end].split(b"\r\n")
            pairs = (line.partition(b":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            stop = end + 4 + int(headers.get(b"content-length", b"0"))
            if len(self._received) < stop:
                return
            content, self._received = self._received[end + 4 : stop], self._received[stop:]
            method, path, version = first.split(b" ")
            self._transport.write(self._wire.respond(method, path, headers, content))
            if headers.get(b"connection", b"").lower() == b"close" or version == b"HTTP/1.0":
                self._transport.close()
                return


async def serve(wire: Wire, port: int, about: dict[str, str | float]) -> None:
    """Listen on every loopback address at once; print the port; serve until ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(wire), "0.0.0.0", port, backlog=4096)
    about["port"] = server.sockets[0].getsockname()[1]
    print(json.dumps(about), flush=True)
    await server.serve_forever()


def main() -> None:
    """Load the documents and serve."""
    parser = argparse.ArgumentParser(description="serve N feeds on loopback")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--data", type=Path, help="folder of real documents; else invented ones")
    options = parser.parse_args()
    source = corpus.load(options.data)
    wire = Wire(source.documents, options.feeds)
    about: dict[str, str | float] = {
        "corpus": source.describe(),
        "served_kb": sum(len(feed.base.plain) for feed in wire.feeds) / options.feeds / 1000,
        "gzip_kb": sum(len(feed.base.packed) for feed in wire.feeds) / options.feeds / 1000,
    }
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(wire, options.port, about))


if __name__ == "__main__":
    main()
