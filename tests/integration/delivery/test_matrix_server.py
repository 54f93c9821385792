"""A room on a real homeserver (Synapse): one event a story that is replaced as it grows.

Skipped where Synapse is not installed: `python -m venv .venv-synapse` and `pip install
matrix-synapse` in it make it run; SYNAPSE names another Python.
"""

import asyncio
import hashlib
import hmac
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from botapi import BotApi
from support import ManualClock
from telegram_harness import ArticleSpec, open_harness

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(os.environ.get("SYNAPSE", ROOT / ".venv-synapse" / "bin" / "python"))
SECRET = "shared-secret-of-the-test"
STARTUP = 600  # tries, a tenth of a second apart


@dataclass(frozen=True, slots=True)
class Homeserver:
    """A running Synapse with one account in one room."""

    url: str
    token: str
    room: str

    async def events(self) -> list[dict[str, Any]]:
        """The newest events of the room, oldest first."""
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers) as client:
            answer = await client.get(
                f"/_matrix/client/v3/rooms/{self.room}/messages", params={"dir": "b", "limit": 50}
            )
        events: list[dict[str, Any]] = answer.json()["chunk"]
        return [event for event in reversed(events) if event["type"] == "m.room.message"]

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        return {"Authorization": f"Bearer {self.token}"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configuration(folder: Path, port: int) -> dict[str, Any]:
    """A homeserver on loopback that speaks with no other."""
    listener = {
        "port": port,
        "type": "http",
        "tls": False,
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client"]}],
    }
    return {
        "server_name": "newsbell.test",
        "report_stats": False,
        "pid_file": str(folder / "pid"),
        "signing_key_path": str(folder / "signing.key"),
        "media_store_path": str(folder / "media"),
        "listeners": [listener],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "registration_shared_secret": SECRET,
        "trusted_key_servers": [],
        "rc_message": {"per_second": 2, "burst_count": 3},
    }


async def account(client: httpx.AsyncClient) -> str:
    """Register as an administrator of the server would; the access token."""
    path = "/_synapse/admin/v1/register"
    nonce = (await client.get(path)).json()["nonce"]
    parts = (nonce, "bell", "password-of-the-test", "notadmin")
    mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
    body = {"nonce": nonce, "username": parts[1], "password": parts[2], "mac": mac, "admin": False}
    token: str = (await client.post(path, json=body)).json()["access_token"]
    return token


@asynccontextmanager
async def homeserver(folder: Path) -> AsyncIterator[Homeserver]:
    """A Synapse that ends with the test."""
    port = free_port()
    (folder / "homeserver.yaml").write_text(yaml.safe_dump(configuration(folder, port)))
    command = [str(PYTHON), "-m", "synapse.app.homeserver", "-c", str(folder / "homeserver.yaml")]
    maker = await asyncio.create_subprocess_exec(*command, "--generate-keys")
    assert await maker.wait() == 0
    with (folder / "out.txt").open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            for _ in range(STARTUP):
                assert process.returncode is None, (folder / "out.txt").read_text()
                try:
                    await client.get("/health")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            token = await account(client)
            created = await client.post(
                "/_matrix/client/v3/createRoom",
                json={},
                headers={"Authorization": f"Bearer {token}"},
            )
            yield Homeserver(url, token, created.json()["room_id"])
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(not PYTHON.exists(), reason="Synapse is not installed: see the module")
async def test_a_story_is_one_event_that_is_replaced(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    async with homeserver(tmp_path) as server:
        place = {"server": server.url, "room": server.room, "token": server.token}
        chats = {"desk": {"matrix": place}}
        async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
            [story] = await harness.add(ArticleSpec("desk: fire at the <mill>"))
            await harness.deliver()
            ids = (0, story, story)
            await harness.add(ArticleSpec("desk: fire at the mill", ids, origin="Second"))
            await harness.deliver(timedelta(minutes=2), timedelta(seconds=10))
            await harness.add(ArticleSpec("desk: owner of the mill quits", ids, development=True))
            await harness.bring(*(f"desk: {number}" for number in range(6)))  # over its rate
            await harness.deliver(timedelta(minutes=3), timedelta(seconds=1))
        events = await server.events()
    contents = [event["content"] for event in events]
    first = contents[0]
    assert first["formatted_body"].count("&lt;mill&gt;") == 1
    changes = [content for content in contents if "m.new_content" in content]
    assert changes
    assert {change["m.relates_to"]["event_id"] for change in changes} == {events[0]["event_id"]}
    replies = [
        content for content in contents if "m.in_reply_to" in content.get("m.relates_to", {})
    ]
    assert [reply["m.relates_to"]["m.in_reply_to"]["event_id"] for reply in replies] == [
        events[0]["event_id"]
    ]
    for number in range(6):
        assert sum(content["body"].startswith(f"desk: {number}") for content in contents) == 1
