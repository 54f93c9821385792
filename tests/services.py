"""Services other than Telegram on loopback, as their documentation describes them. Not assertions.

Each keeps the messages that a person would see: by the order in which they came, with their newest
text. `faults` are played for the next calls, one each.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiohttp import web

#: services whose stand-in is one
KINDS = ("webhook", "discord", "slack", "slack_webhook", "matrix", "mattermost", "ntfy")
SECRET = b"0123456789abcdef0123456789abcdef"
TOKEN = "token-of-the-stand-in"
Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Shown:
    """A message as a person sees it."""

    text: str
    reply_to: str = ""
    changes: int = 0
    content: dict[str, Any] = field(default_factory=dict)


def answer(status: int, content: Any = None, **headers: str) -> Fault:
    """A fault that answers so, and keeps nothing."""

    async def fault(_: web.Request) -> web.StreamResponse:
        body = content if isinstance(content, str) else json.dumps(content or {})
        return web.Response(status=status, text=body, headers=headers)

    return fault


async def cut_before(request: web.Request) -> web.StreamResponse:
    """The connection ends, and nothing is kept."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


class Services:
    """The state of all services of one server."""

    def __init__(self) -> None:
        self.messages: dict[str, Shown] = {}
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.faults: list[Fault | str] = []  #: "lost" keeps the message and answers nothing
        self.outage: Fault | None = None
        self.url = ""
        self._number = 0

    @property
    def texts(self) -> list[str]:
        """The texts of all messages, oldest first."""
        return [message.text for message in self.messages.values()]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Play a fault, or the service."""
        body = await request.read()
        self.calls.append((request.method, request.path, dict(request.headers), body))
        fault = self.faults.pop(0) if self.faults else self.outage
        if callable(fault):
            return await fault(request)
        name = request.path.split("/")[1]
        service = {
            "hook": self._webhook,
            "discord": self._discord,
            "api": self._mattermost if request.path.startswith("/api/v4") else self._slack,
            "slackhook": self._slack_hook,
            "_matrix": self._matrix,
        }.get(name, self._ntfy)
        response = service(request, body)
        if fault == "lost":
            return await cut_before(request)
        return response

    def _next(self) -> str:
        self._number += 1
        return f"m{self._number}"

    def _webhook(self, request: web.Request, body: bytes) -> web.Response:
        event = json.loads(body)
        self.messages.setdefault(
            request.headers["webhook-id"], Shown(event["data"]["text"], content=event)
        )
        return web.Response(status=204)

    def _discord(self, request: web.Request, body: bytes) -> web.Response:
        content = json.loads(body)
        if len(content["content"]) > 2000 or not content["content"]:
            return web.json_response({"message": "Invalid Form Body", "code": 50035}, status=400)
        if request.method == "PATCH":
            number = request.path.rpartition("/")[2]
            if number not in self.messages:
                return web.json_response({"message": "Unknown Message", "code": 10008}, status=404)
            return web.json_response(self._change(number, content["content"], content))
        if request.query.get("wait") != "true":
            return web.Response(status=204)
        return web.json_response(self._keep(content["content"], content))

    def _slack(self, request: web.Request, body: bytes) -> web.Response:
        content = json.loads(body)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if request.path.endswith("chat.update"):
            if content["ts"] not in self.messages:
                return web.json_response({"ok": False, "error": "message_not_found"})
            self._change(content["ts"], content["text"], content)
            return web.json_response({"ok": True, "channel": "C1", "ts": content["ts"]})
        number = self._keep(content["text"], content, content.get("thread_ts", ""))["id"]
        return web.json_response({"ok": True, "channel": "C1", "ts": number})

    def _slack_hook(self, _: web.Request, body: bytes) -> web.Response:
        content = json.loads(body)
        self._keep(content["text"], content)
        return web.Response(text="ok")

    def _matrix(self, request: web.Request, body: bytes) -> web.Response:
        content, transaction = json.loads(body), request.path.rpartition("/")[2]
        known = f"${transaction}"
        relation = content.get("m.relates_to", {})
        if relation.get("rel_type") == "m.replace":
            number = relation["event_id"]
            if self.messages[number].content.get("txn") != transaction:
                new = content["m.new_content"]
                self._change(number, new["body"], {**new, "txn": transaction})
            return web.json_response({"event_id": known})
        reply = relation.get("m.in_reply_to", {}).get("event_id", "")
        self.messages.setdefault(known, Shown(content["body"], reply, content=content))
        return web.json_response({"event_id": known})

    def _mattermost(self, request: web.Request, body: bytes) -> web.Response:
        content = json.loads(body)
        if request.method == "PUT":
            number = request.path.split("/")[-2]
            if number not in self.messages:
                return web.json_response({"message": "no such post"}, status=404)
            return web.json_response(self._change(number, content["message"], content))
        kept = self._keep(content["message"], content, content.get("root_id", ""))
        return web.json_response(kept, status=201)

    def _ntfy(self, request: web.Request, body: bytes) -> web.Response:
        sequence = request.headers["X-Sequence-ID"]
        title = request.headers["X-Title"].encode("utf-8", "surrogateescape").decode()
        text = f"{title}\n{body.decode()}"
        if sequence in self.messages:
            self._change(sequence, text, {})
        else:
            self.messages[sequence] = Shown(text)
        return web.json_response({"id": "x", "event": "message"})

    def _keep(self, text: str, content: dict[str, Any], reply_to: str = "") -> dict[str, str]:
        number = self._next()
        self.messages[number] = Shown(text, reply_to, content=content)
        return {"id": number}

    def _change(self, number: str, text: str, content: dict[str, Any]) -> dict[str, str]:
        message = self.messages[number]
        message.text, message.content = text, content
        message.changes += 1
        return {"id": number}

    def chat(self, kind: str) -> dict[str, Any]:
        """What feeds.yaml says of a chat here."""
        room = {"server": self.url, "token": TOKEN}
        return {
            "webhook": {"webhook": {"url": f"{self.url}/hook", "secret": whsec()}},
            "discord": {"discord": {"webhook": f"{self.url}/discord/1/zq7x-hook-of-the-desk"}},
            "slack": {"slack": {**room, "channel": "C1"}},
            "slack_webhook": {
                "slack": {"webhook": f"{self.url}/slackhook/T1/zq8x-hook-of-the-desk"}
            },
            "matrix": {"matrix": {**room, "room": "!room:example.org"}},
            "mattermost": {"mattermost": {**room, "channel": "c1"}},
            "ntfy": {"ntfy": {"server": self.url, "topic": "desk"}},
        }[kind]


def whsec() -> str:
    """The secret as feeds.yaml has it."""
    return "whsec_" + base64.b64encode(SECRET).decode()


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """All services on one address of loopback."""
    state = Services()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", state.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [address] = runner.addresses
    state.url = f"http://127.0.0.1:{address[1]}"
    try:
        yield state
    finally:
        await runner.cleanup()


class MailServer:
    """A server of SMTP (RFC 5321) that keeps mail; `replies` are given to the next commands."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.replies: dict[str, str] = {}  #: by command: a reply instead of the usual one
        self.cut_after_data = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client."""
        writer.write(b"220 stand-in ESMTP\r\n")
        while line := await reader.readline():
            command = line[:4].upper().decode("ascii", "replace").strip()
            if command == "DATA" and "DATA" not in self.replies:
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(BytesParser(policy=default).parsebytes(content[:-3]))
                if self.cut_after_data:
                    break
                writer.write(b"250 kept\r\n")
                continue
            usual = {"EHLO": "250 stand-in", "QUIT": "221 bye"}.get(command, "250 fine")
            writer.write(f"{self.replies.get(command, usual)}\r\n".encode())
            if command == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server on loopback."""
    state = MailServer()
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        await server.wait_closed()


def mail_chat(mail: MailServer) -> dict[str, Any]:
    """A chat whose mail goes to this server."""
    return {
        "email": {
            "host": "127.0.0.1",
            "port": mail.port,
            "security": "none",
            "from": "newsbell@example.org",
            "to": ["ann@example.org", "bob@example.org"],
        }
    }
