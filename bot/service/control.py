"""A socket by which the command line asks a running newsbell how it is, or to do something.

The database has one writer, so a second process does not write to it.

One JSON line each way. The socket is the owner's alone.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ActionRefused, NewsbellError

#: what is asked about feeds
RETRY_FEEDS, ASK_HOSTS = "retry feeds", "ask hosts"
FEED_REQUESTS = frozenset({RETRY_FEEDS, ASK_HOSTS})
OUTBOX_REQUESTS = frozenset({"retry", "drop"})
#: what is asked about the web page; `word` is a secret that the command line made up
WEB_LINK, WEB_REVOKE, WEB_FEED, WEB_NO_FEED = "web link", "web revoke", "web feed", "web no feed"
WEB_REQUESTS = frozenset({WEB_LINK, WEB_REVOKE, WEB_FEED, WEB_NO_FEED})
FORGET = "forget"  #: with the number of a person or chat
# Keys of their own, so that an older newsbell takes no numbers for those of deliveries.
_SUBJECTS = {RETRY_FEEDS: "feeds", ASK_HOSTS: "feeds", FORGET: "people"}
HEALTH = "health"  #: asks how newsbell is, and changes nothing
_LINE = 1_048_576
_SECONDS = 10.0
Handler = Callable[[str, tuple[int, ...]], Awaitable[int]]
#: what to do, a secret word or its hash, a chat
WebHandler = Callable[[str, str | bytes, int], Awaitable[int]]
Report = Callable[[], Mapping[str, Any]]
_PATH_LENGTH = 107  # bytes of the path of a socket (unix(7))


def socket_path(database: Path) -> Path:
    """Return the path of a database's socket."""
    return database.with_name(database.name + ".sock")


async def answer_to(
    request: Mapping[str, Any],
    handler: Handler,
    web: WebHandler | None = None,
    health: Report | None = None,
) -> dict[str, Any]:
    """Do what a request says, and return the answer, or why there is none."""
    try:
        do = str(request["do"])
        if do == HEALTH and health:
            return {HEALTH: health()}
        if do in WEB_REQUESTS and web:
            # Of another machine the hash comes alone: it stood in the database for a while.
            word = bytes.fromhex(request["hash"]) if "hash" in request else str(request["word"])
            return {"done": await web(do, word, int(request["chat"]))}
        ids = request[subject_of(do)]
        return {"done": await handler(do, tuple(int(number) for number in ids))}
    except NewsbellError as error:
        return {"error": str(error)}
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"The request could not be read: {type(error).__name__}."}


def subject_of(do: str) -> str:
    """Return the key under which a request has its numbers."""
    return _SUBJECTS.get(do, "ids")


@asynccontextmanager
async def control(
    database: Path,
    handler: Handler,
    health: Report | None = None,
    web: WebHandler | None = None,
) -> AsyncIterator[None]:
    """Listen while the context lasts; `health` says how newsbell is.

    Where the path is too long for a socket, newsbell runs without.
    """
    path = socket_path(database)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer: dict[str, Any]
        try:
            request = json.loads(await asyncio.wait_for(reader.readline(), _SECONDS))
        except (ValueError, RecursionError, TimeoutError) as error:
            answer = {"error": f"The request could not be read: {type(error).__name__}."}
        else:
            answer = await answer_to(request, handler, web, health)
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
    try:
        answer = _answer(database, {"do": do, subject_of(do): list(ids)}, _SECONDS)
    except TimeoutError:
        return None
    if answer is None:
        return None
    if "error" in answer:
        raise ActionRefused(str(answer["error"]))
    done = answer.get("done")
    return int(done) if done is not None else None


def ask_web(database: Path, do: str, word: str, chat: int) -> int | None:
    """Ask the newsbell that runs on this database about its web page.

    None where no newsbell answers. Raises ActionRefused with its reason where it refuses.
    """
    try:
        answer = _answer(database, {"do": do, "word": word, "chat": chat}, _SECONDS)
    except TimeoutError:
        return None
    if answer is None:
        return None
    if "error" in answer:
        raise ActionRefused(str(answer["error"]))
    return int(answer.get("done", 0))


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What came of asking a newsbell how it is."""

    listens: bool  #: a process has the socket open, whether it answers or not
    health: Mapping[str, Any] | None = None  #: see `Health.record`; None where none came


def ask_health(database: Path, seconds: float = _SECONDS) -> HealthAnswer:
    """Ask the newsbell that runs on this database how it is, and wait so long for the answer."""
    # Without ids: to an earlier newsbell any request with them is one to change deliveries.
    try:
        answer = _answer(database, {"do": HEALTH}, seconds)
    except TimeoutError:
        return HealthAnswer(listens=True)
    if answer is None:
        return HealthAnswer(listens=False)
    health = answer.get(HEALTH)
    return HealthAnswer(listens=True, health=health if isinstance(health, dict) else None)


def has_socket(database: Path) -> bool:
    """Whether a newsbell on this database surely has a socket: its path is short enough."""
    return len(os.fsencode(socket_path(database.absolute()))) <= _PATH_LENGTH


def _answer(database: Path, request: Mapping[str, Any], seconds: float) -> Mapping[str, Any] | None:
    """Return what the newsbell that runs answers; None where none listens, or it makes no sense.

    Raises TimeoutError where one listens and does not answer in time.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(socket_path(database)))
        except OSError:
            return None
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(connection.makefile().readline() or "{}")
        except TimeoutError:
            raise
        except (OSError, ValueError):
            return None
    return answer if isinstance(answer, dict) else None
