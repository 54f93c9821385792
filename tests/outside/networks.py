"""Machines of a test: network namespaces with cables between them. Needs Linux, root and iproute2.

A namespace has no name and ends with the process that made it, however that ends. Nothing of the
machine's own network changes: what a test serves on loopback is brought into each namespace by a
relay of this process, at the same addresses. No assertions.
"""

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Self

_NET = 0x40000000  # CLONE_NEWNET
_PROGRAMS = ("ip", "nsenter", "unshare")
_SEND = b"/sendMessage"


def missing() -> str:
    """Why there can be no namespaces here; empty where there can."""
    if os.geteuid() != 0:
        return "network namespaces are made by root"
    absent = [name for name in _PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"there is no {absent[0]} here: install iproute2 and util-linux"
    command = [_program("unshare"), "--net", "true"]
    tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (our own)
    return "" if tried.returncode == 0 else "this machine lets nobody make network namespaces"


def _program(name: str) -> str:
    return shutil.which(name) or name


@dataclass
class Machine:
    """A namespace, held by a process of its own."""

    holder: subprocess.Popen[bytes]
    sends: list[float] = field(default_factory=list)  #: when it asked for a message to be sent

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command is started with to run there."""
        return ("nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--")

    def run(self, *command: str) -> None:
        """Run a command there."""
        whole = [*self.inside, *command]
        done = subprocess.run(whole, capture_output=True, check=False)  # noqa: S603 (our own)
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {done.stderr.decode().strip()}")

    def listen(self, port: int) -> socket.socket:
        """Listen there on all its addresses."""
        made: list[socket.socket] = []

        def work() -> None:
            with Path(f"/proc/{self.holder.pid}/ns/net").open() as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _NET) == 0:
                    made.append(socket.create_server(("", port)))

        thread = Thread(target=work)  # the namespace of a thread ends with it
        thread.start()
        thread.join()
        if not made:
            raise OSError("the namespace cannot be entered")
        return made[0]


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine with nothing but loopback."""
    holder = subprocess.Popen(  # noqa: S603 (our own)
        [_program("unshare"), "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        if holder.stdout.readline() != b"up\n":
            raise OSError("no namespace could be made")
        yield Machine(holder)
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()


@dataclass(frozen=True)
class Cable:
    """A connection of a machine with the one that others talk to."""

    near: Machine
    far: Machine
    name: str  #: of its far end
    here: str  #: the address at the near end
    there: str  #: the address at the far end

    def connect(self) -> None:
        """Lay it."""
        near, far = self.near.holder.pid, self.far.holder.pid
        subprocess.run(  # noqa: S603 (our own)
            [
                *("ip", "link", "add", "db", "netns", str(near), "type", "veth"),
                *("peer", "name", self.name, "netns", str(far)),
            ],
            check=True,
        )
        for end, name, address in ((self.near, "db", self.here), (self.far, self.name, self.there)):
            end.run("ip", "address", "add", f"{address}/24", "dev", name)
            end.run("ip", "link", "set", name, "up")

    def cut(self, how: str) -> None:
        """Let nothing pass; nobody is told, but a machine sees that its own cable is unplugged."""
        match how:
            case "unplugged":
                self.near.run("ip", "link", "set", "db", "down")
            case "silent":
                self.far.run("ip", "link", "set", self.name, "down")
            case "one-way":  # what the near end says arrives, and no answer comes
                self.far.run("ip", "route", "add", "blackhole", f"{self.here}/32")
            case _:
                raise ValueError(how)

    def mend(self) -> None:
        """Let all pass again."""
        self.near.run("ip", "link", "set", "db", "up")
        self.far.run("ip", "link", "set", self.name, "up")
        with suppress(OSError):  # there may be none
            self.far.run("ip", "route", "del", "blackhole", f"{self.here}/32")


class Relay:
    """Brings what listens on loopback here into a machine, at the same addresses and port."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine, self._port = machine, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        listening = self._machine.listen(self._port)
        self._server = await asyncio.start_server(self._come, sock=listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")
        try:
            from_server, to_server = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        tasks = {
            asyncio.create_task(self._bring(reader, to_server)),
            asyncio.create_task(self._bring(from_server, writer)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= tasks
        for end in (writer, to_server):
            end.close()

    async def _bring(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if _SEND in data:
                self._machine.sends.append(time.monotonic())
            writer.write(data)
            await writer.drain()
