"""Rewrite a site's answer into strict HTTP/1.1 before aiohttp parses it. No I/O.

Browsers and curl read answers that RFC 9112 forbids and aiohttp refuses: blanks before a colon,
lines without one, lengths that are repeated, lines that end in LF. Here each gets the one meaning
that those give it, and what has no clear meaning is dropped. Nothing is forwarded to anybody, and
after an answer that was not strict the connection is closed, so that no part of it can be taken
for the next answer (request smuggling).
"""

import re
from enum import Enum, auto

from aiohttp import ClientError

HEAD_LENGTH = 256 * 1024  #: bytes of the status line and the headers
HEADERS = 2000  #: lines of headers
CHUNKS = 100_000  #: of an answer; each costs time, however small it is
_CHUNK_LINE = 16 * 1024  # bytes of a line that gives the size of a chunk
_INTERIM = 20  # answers 1xx before the final one
_STATUS_LINE = re.compile(
    rb"(?:HTTP/(?P<major>\d{1,2})(?:\.(?P<minor>\d{1,2}))?|ICY)[ \t]+(?P<status>[1-9]\d\d)(?!\d)",
    re.IGNORECASE,
)
_BEGINNINGS = (b"http/", b"icy ")
_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_STRICT_LINE = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"\+?(\d{1,18})")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_CHUNKS = "The site's answer is chunked in a way that cannot be read."
#: headers about the connection and the framing: written anew
_FRAMING = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-connection",
        b"sec-websocket-key1",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


class MalformedResponseError(ClientError):
    """An answer that cannot be read as HTTP; says in a sentence what is wrong with it."""


class _Part(Enum):
    """What comes next."""

    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    UNTIL_CLOSED = auto()
    DONE = auto()


class ResponseRewriter:
    """Rewrites one answer, in whatever pieces it arrives."""

    def __init__(self) -> None:
        self.error: MalformedResponseError | None = None  #: nothing more can be read
        self.must_close = False  #: the connection must not be used again
        self._part = _Part.HEAD
        self._waiting = b""  # what is not complete yet
        self._left = 0  # bytes of the body or chunk that are still to come
        self._chunked: list[bytes] = []  # bytes of chunks that are not written yet
        self._chunks = self._interim = 0

    @property
    def has_head(self) -> bool:
        """Whether the headers are complete."""
        return self._part is not _Part.HEAD

    @property
    def is_done(self) -> bool:
        """Whether the answer is complete."""
        return self._part is _Part.DONE

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has arrived."""
        return self.has_head or bool(self._waiting) or self._interim > 0

    def feed(self, data: bytes) -> bytes:
        """Return the strict form of what can be read now; `error` says why no more can be."""
        if self.error:
            return b""
        written: list[bytes] = []
        searched = max(len(self._waiting) - 3, 0)
        data, self._waiting = self._waiting + data, b""
        position: int | None = 0
        try:
            while position is not None and position < len(data):
                if self._part is _Part.HEAD:
                    position = self._read_head(data, position, searched, written)
                    searched = 0
                else:
                    position = self._read_body(data, position, written)
        except MalformedResponseError as error:
            self.error, self.must_close = error, True
        self._write_chunks(written)
        return b"".join(written)

    def _read_body(self, data: bytes, position: int, written: list[bytes]) -> int | None:
        """Read one part of the body; return where the next begins, None where more must arrive."""
        match self._part:
            case _Part.LENGTH | _Part.CHUNK:
                piece = data[position : position + self._left]
                self._left -= len(piece)
                if self._part is _Part.CHUNK:
                    self._chunked.append(piece)
                    after = _Part.CHUNK_END
                else:
                    written.append(piece)
                    after = _Part.DONE
                self._part = self._part if self._left else after
                return position + len(piece)
            case _Part.CHUNK_SIZE:
                return self._read_chunk_size(data, position, written)
            case _Part.CHUNK_END:
                return self._read_chunk_end(data, position)
            case _Part.UNTIL_CLOSED:
                written.append(data[position:])
            case _:
                self.must_close = True  # nobody asked for what follows the end
        return None

    def _read_head(
        self, data: bytes, position: int, searched: int, written: list[bytes]
    ) -> int | None:
        """As `_read_body`; no end of the head is before `searched`."""
        while data[position : position + 1] in {b"\r", b"\n"}:
            position += 1
        start = data[position : position + 5].lower()
        if not any(start.startswith(word[: len(start)]) for word in _BEGINNINGS):
            raise MalformedResponseError(_no_http(data[position:]))
        end = _HEAD_END.search(data, max(position, searched))
        if (end.end() if end else len(data)) - position > HEAD_LENGTH:
            raise MalformedResponseError(
                f"The headers of the site's answer are longer than {HEAD_LENGTH // 1024} KiB."
            )
        if end is None:
            self._waiting = data[position:]
            return None
        lines = _LINE_END.split(data[position : end.start()])
        if len(lines) > HEADERS + 1:
            raise MalformedResponseError(f"The site's answer has more than {HEADERS} headers.")
        self._write_head(lines, written)
        return end.end()

    def _write_head(self, lines: list[bytes], written: list[bytes]) -> None:
        match = _STATUS_LINE.match(lines[0])
        if match is None:
            raise MalformedResponseError(
                "The site's answer begins with a status that cannot be read."
            )
        status = int(match["status"])
        if status == 101:
            raise MalformedResponseError(
                "The site wants to speak another protocol than HTTP (101)."
            )
        if status < 200:
            self._interim += 1
            if self._interim > _INTERIM:
                raise MalformedResponseError("The site announces an answer again and again (1xx).")
            return
        headers, is_strict = _headers(lines[1:])
        framing = self._frame(status, headers)
        self.must_close = (
            self.must_close
            or not is_strict
            or self._part is _Part.UNTIL_CLOSED
            or not _keeps_alive(match["major"], match["minor"], headers)
        )
        written.append(b"HTTP/1.1 %d OK\r\n" % status)
        written += [
            b"%s: %s\r\n" % header for header in headers if header[0].lower() not in _FRAMING
        ]
        written.append(framing)
        written.append(b"Connection: close\r\n\r\n" if self.must_close else b"\r\n")

    def _frame(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Decide where the body ends (RFC 9112 §6.3); return the header that says so."""
        codings = [
            coding.partition(b";")[0].strip().lower()
            for coding in _list(headers, b"transfer-encoding")
        ]
        lengths = _list(headers, b"content-length")
        if status in {204, 304}:
            self._part = _Part.DONE
            return b""
        if b"chunked" in codings:
            self.must_close = len(codings) > 1 or bool(lengths)
            self._part = _Part.CHUNK_SIZE
            return b"Transfer-Encoding: chunked\r\n"
        numbers = {
            int(match[1]) for length in lengths if (match := _LENGTH.fullmatch(length)) is not None
        }
        if len(numbers) > 1:
            raise MalformedResponseError("The site names two different lengths for one answer.")
        if not numbers or set(codings) - {b"identity"}:
            self._part = _Part.UNTIL_CLOSED
            return b""
        self.must_close = len(lengths) > 1 or bool(codings) or not lengths[0].isdigit()
        self._left = numbers.pop()
        self._part = _Part.LENGTH if self._left else _Part.DONE
        return b"Content-Length: %d\r\n" % self._left

    def _read_chunk_size(self, data: bytes, position: int, written: list[bytes]) -> int | None:
        end = data.find(b"\n", position)
        if (len(data) if end < 0 else end) - position > _CHUNK_LINE:
            raise MalformedResponseError(_CHUNKS)
        if end < 0:
            self._waiting = data[position:]
            return None
        line = data[position:end]
        match = _CHUNK_SIZE.fullmatch(line.strip(b" \t\r"))
        if match is None:
            raise MalformedResponseError(_CHUNKS)
        self._left = int(match[1], 16)
        self.must_close = self.must_close or not line.endswith(b"\r")
        if self._left:
            self._chunks += 1
            if self._chunks > CHUNKS:
                raise MalformedResponseError("The site's answer has too many chunks.")
            self._part = _Part.CHUNK
            return end + 1
        # Trailers say nothing that is used. Those that have not arrived are not waited for.
        self._write_chunks(written)
        written.append(b"0\r\n\r\n")
        self._part = _Part.DONE
        trailers = _HEAD_END.search(data, end)
        if trailers is None:
            self.must_close = True
            return None
        return trailers.end()

    def _read_chunk_end(self, data: bytes, position: int) -> int | None:
        if data[position:] == b"\r":
            self._waiting = b"\r"
            return None
        for end in (b"\r\n", b"\n"):
            if data.startswith(end, position):
                self.must_close = self.must_close or end == b"\n"
                self._part = _Part.CHUNK_SIZE
                return position + len(end)
        raise MalformedResponseError(_CHUNKS)

    def _write_chunks(self, written: list[bytes]) -> None:
        """Write what has arrived of the chunks as one."""
        if self._chunked:
            body = b"".join(self._chunked)
            self._chunked.clear()
            written += (b"%x\r\n" % len(body), body, b"\r\n")


def _headers(lines: list[bytes]) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Return the headers that have a name and a value, and whether all lines were strict."""
    matches = list(map(_STRICT_LINE.fullmatch, lines))
    if None not in matches:  # as nearly all answers are
        return [(match[1], match[2].strip(b" \t")) for match in matches if match], True
    headers: list[tuple[bytes, list[bytes]]] = []
    is_strict, skipped = True, True
    for line in lines:
        if line[:1] in {b" ", b"\t"}:  # the obsolete continuation of the line before
            is_strict = False
            if not skipped:
                headers[-1][1].append(line)
            continue
        raw_name, colon, value = line.partition(b":")
        name = raw_name.rstrip(b" \t")
        skipped = not colon or not _NAME.fullmatch(name)
        is_strict = is_strict and not skipped and name == raw_name
        if not skipped:
            headers.append((name, [value]))
    values = [(name, b" ".join(part.strip(b" \t\r") for part in parts)) for name, parts in headers]
    is_strict = is_strict and not any(_CONTROL.search(value) for _, value in values)
    return [(name, _CONTROL.sub(b" ", value).strip()) for name, value in values], is_strict


def _list(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """The items of a header whose value is a list, however often it is there."""
    return [
        item.strip()
        for header, value in headers
        if header.lower() == name
        for item in value.split(b",")
        if item.strip()
    ]


def _keeps_alive(
    major: bytes | None, minor: bytes | None, headers: list[tuple[bytes, bytes]]
) -> bool:
    options = {option.lower() for option in _list(headers, b"connection")}
    if b"close" in options:
        return False
    return (int(major or 1), int(minor or 0)) >= (1, 1) or b"keep-alive" in options


def _no_http(data: bytes) -> str:
    if data.startswith((b"\x15\x03", b"\x16\x03")):
        return "The site answers as for https, but its address begins with http."
    return "Something answers that does not speak HTTP."
