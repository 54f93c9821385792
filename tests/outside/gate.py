"""A way to a PostgreSQL server that fails as networks do: cut, silent, or with answers lost.

Listens on loopback and leads to the server's socket. No assertions.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Self

_COMMIT = b"COMMIT\0"  # of the statement, and of the server's word that it was done


class _Way:
    """One connection: two ends, and what passes between them."""

    def __init__(self, gate: "Gate", near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._gate, self._near, self._far = gate, near, far
        self._loses_commit = False

    async def there(self, reader: asyncio.StreamReader) -> None:
        """Bring what the client says to the server."""
        while data := await reader.read(65536):
            await self._gate.open.wait()
            self._loses_commit = _COMMIT in data and self._gate.takes_commit(data)
            self._gate.saw(data)
            self._far.write(data)
            await self._far.drain()
        await self._gate.open.wait()

    async def back(self, reader: asyncio.StreamReader) -> None:
        """Bring what the server says to the client."""
        while data := await reader.read(65536):
            await self._gate.open.wait()
            if self._loses_commit and _COMMIT in data:
                return
            self._near.write(data)
            await self._near.drain()
        await self._gate.open.wait()

    def end(self) -> None:
        """End it on both sides, at once."""
        for writer in (self._near, self._far):
            writer.transport.abort()


class Gate:
    """Ways to one server."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._ways: set[_Way] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._mark: bytes | None = None  # the commit after this is lost; None: none is
        self.open = asyncio.Event()  #: cleared: nothing passes, and nobody is told
        self.open.set()
        self.lost = 0  #: answers to commits

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, url: str) -> str:
        """The address of the same database by this way."""
        name = url.partition("?")[0].rpartition("/")[2]
        return f"postgresql://newsbell@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def cut(self) -> None:
        """End all connections."""
        for way in list(self._ways):
            way.end()

    def lose_commit(self, mark: bytes = b"") -> None:
        """Lose the answer to the next commit, after a statement with these words; then cut."""
        self._mark = mark

    def saw(self, data: bytes) -> None:
        """Note what a client says."""
        if self._mark and self._mark in data:
            self._mark = b""

    def takes_commit(self, data: bytes) -> bool:
        """Whether the answer to this commit is to be lost."""
        self.saw(data)
        if self._mark != b"":
            return False
        self._mark = None
        self.lost += 1
        return True

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.open.wait()
        try:
            from_server, to_server = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        way = _Way(self, writer, to_server)
        self._ways.add(way)
        tasks = {asyncio.create_task(way.there(reader)), asyncio.create_task(way.back(from_server))}
        self._tasks |= tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            way.end()
            for task in tasks:
                task.cancel()
            with suppress(OSError):
                await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks -= tasks
            self._ways.discard(way)
