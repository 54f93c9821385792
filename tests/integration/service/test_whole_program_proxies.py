"""A whole newsbell behind the proxies of its feeds.yaml."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from support import NOON, ManualClock, Recorder, item, newsbell, rss

FEED = rss(item("1", "Harbour closed by storm", at=NOON - timedelta(hours=1)))
ME = {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Bell", "username": "bell_bot"}}


async def test_feeds_and_telegram_go_through_their_proxies_and_never_through_the_environments(
    tmp_path: Path, clock: ManualClock, terminal: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split()[1])
        feed = "feeds.invalid" in asked[-1]
        body = FEED.encode() if feed else json.dumps(ME).encode()
        kind = "application/rss+xml" if feed else "application/json"
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    config = {
        "settings": {
            "network": {"proxy": "${DESK_PROXY}"},
            "telegram": {"proxy": proxy, "api": "http://api.invalid"},
        },
        "chats": {"here": {"terminal": True}},
        "feeds": [{"url": "http://feeds.invalid/feed", "name": "Wire"}],
        "subscriptions": [{"name": "All", "query": "harbour", "to": "here"}],
    }
    environment = {"TELEGRAM_BOT_TOKEN": "123456:ABC", "DESK_PROXY": proxy}
    made = newsbell(
        tmp_path, json.dumps(config), clock=clock, terminal=terminal, environment=environment
    )
    async with server, made as app:
        await app.run_once()
        assert app.bot
        assert (await app.bot.get_me()).username == "bell_bot"
    assert asked[0] == "http://feeds.invalid/feed"
    assert "http://api.invalid/bot123456:ABC/getMe" in asked
    assert terminal.titles() == ["Harbour closed by storm"]
