"""A socket by which the command line asks a running newsbell to change its outbox or poll feeds.

The database has one writer, so a second process does not write to it.

One JSON line each way. The socket is the owner's alone.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bot.errors import ActionRefused, NewsbellError

#: what is asked about feeds; their ids have a key of their own, so that an older newsbell that
#: still runs does not take them for those of deliveries
RETRY_FEEDS, ASK_HOSTS = "retry feeds", "ask hosts"
FEED_REQUESTS = frozenset({RETRY_FEEDS, ASK_HOSTS})
_LINE = 1_048_576
_SECONDS = 10.0
Handler = Callable[[str, tuple[int, ...]], Awaitable[int]]


def socket_path(database: Path) -> Path:
    """Return the path of a database's socket."""
    return database.with_name(database.name + ".sock")


@asynccontextmanager
async def control(database: Path, handler: Handler) -> AsyncIterator[None]:
    """Listen while the context lasts.

    Where the path is too long for a socket, newsbell runs without.
    """
    path = socket_path(database)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await asyncio.wait_for(reader.readline(), _SECONDS))
            do = str(request["do"])
            ids = request["feeds" if do in FEED_REQUESTS else "ids"]
            done = await handler(do, tuple(int(number) for number in ids))
            answer: dict[str, Any] = {"done": done}
        except NewsbellError as error:
            answer = {"error": str(error)}
        except (ValueError, KeyError, TypeError, TimeoutError) as error:
            answer = {"error": f"The request could not be read: {type(error).__name__}."}
        writer.write(json.dumps(answer).encode() + b"\n")
        with suppress(OSError):
            await writer.drain()
        writer.close()

    with suppress(FileNotFoundError):
        path.unlink()
    try:
        mask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(serve, path, limit=_LINE)
        finally:
            os.umask(mask)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        with suppress(FileNotFoundError):
            path.unlink()


def ask(database: Path, do: str, ids: tuple[int, ...]) -> int | None:
    """Ask the newsbell that runs on this database; return how many it changed.

    None where no newsbell answers. Raises ActionRefused with its reason where it refuses.
    """
    path = socket_path(database)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(str(path))
            subject = "feeds" if do in FEED_REQUESTS else "ids"
            connection.sendall(json.dumps({"do": do, subject: list(ids)}).encode() + b"\n")
            answer = json.loads(connection.makefile().readline() or "{}")
        except (OSError, ValueError):
            return None
    if "error" in answer:
        raise ActionRefused(str(answer["error"]))
    done = answer.get("done")
    return int(done) if done is not None else None
