"""The loopback Bot API in a process of its own, so that its work is not on the measured event loop.

Measures nothing. Its clock is the system's monotonic one, which both processes share.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botapi import BotApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from multiprocessing.connection import Connection


@dataclass(frozen=True, slots=True)
class Arrival:
    """One call as the endpoint saw it."""

    method: str
    chat: int
    text: str
    time: float  #: monotonic seconds
    status: int | None


class Served:
    """What the endpoint does for another process."""

    def __init__(self, api: BotApi) -> None:
        """Serve this Bot API."""
        self._api = api

    def about(self) -> tuple[str, str]:
        """Return its address and the bot's token."""
        return self._api.url, self._api.token

    def enforce(self) -> None:
        """Refuse calls that break Telegram's limits."""
        self._api.enforce_limits = True

    def privates(self, users: Iterable[int]) -> None:
        """Let these people have started the bot."""
        for user in users:
            self._api.add_private(user)

    def groups(self, numbers: Iterable[int]) -> None:
        """Let the bot be in these groups."""
        for number in numbers:
            self._api.add_group(number, members={1000: "creator"})

    def forums(self, numbers: Iterable[int], topics: Iterable[int]) -> None:
        """Let the bot be in these forums."""
        topics = tuple(topics)
        for number in numbers:
            self._api.add_supergroup(number, members={1000: "creator"}, forum=True)
            for topic in topics:
                self._api.add_topic(number, topic)

    def say(self, user: int, text: str) -> float:
        """Let a person write to the bot; the time of the hand-over to the waiting poll."""
        now = time.monotonic()
        self._api.say(user, user, text)
        return now

    def press(self, user: int, data: str) -> float:
        """Let a person press a button of the newest message; the time of the hand-over."""
        number = self._api.messages(user)[-1].message_id
        now = time.monotonic()
        self._api.press(user, user, number, data)
        return now

    def polled(self) -> bool:
        """Say whether a poll waits for updates."""
        return self._api.updates._poller is not None  # noqa: SLF001 (the only way to know)

    def calls(self) -> list[Arrival]:
        """Return the calls since the last time, without polls."""
        calls, self._api.calls[:] = list(self._api.calls), []
        return [
            Arrival(
                call.method,
                int(call.params.get("chat_id") or 0),
                str(call.params.get("text", "")),
                call.time,
                call.status,
            )
            for call in calls
            if call.method != "getUpdates"
        ]

    def violations(self) -> list[str]:
        """Return the calls that broke a limit."""
        return [repr(violation) for violation in self._api.violations]


class Endpoint:
    """Calls the endpoint through a pipe."""

    def __init__(self, connection: Connection) -> None:
        """Use this connection."""
        self._connection = connection
        self._turn = asyncio.Lock()
        self.url = self.token = ""

    async def do(self, name: str, *values: Any) -> Any:
        """Call a method of `Served`."""
        async with self._turn:
            self._connection.send((name, values))
            return await asyncio.to_thread(self._connection.recv)


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    """Start the process, yield what calls it, end it."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(far,), daemon=True)
    process.start()
    try:
        served = Endpoint(near)
        served.url, served.token = await served.do("about")
        yield served
    finally:
        near.close()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()


def _serve(connection: Connection) -> None:
    asyncio.run(_serve_calls(connection))


async def _serve_calls(connection: Connection) -> None:
    ended = asyncio.Event()
    async with BotApi(clock=time.monotonic) as api:
        served = Served(api)

        def answer() -> None:
            try:
                name, values = connection.recv()
            except EOFError:
                loop.remove_reader(connection.fileno())
                ended.set()
                return
            connection.send(getattr(served, name)(*values))

        loop = asyncio.get_running_loop()
        loop.add_reader(connection.fileno(), answer)
        await ended.wait()
