"""The conversations of docs/telegram.md in every language: the same steps, screens of the same shape, nothing too long, no English left."""

import re
from pathlib import Path

import pytest
from botapi import BotApi
from conversation import Conversation
from corridor import ANN, BOB
from support import FeedServer, ManualClock
from test_telegram_page import blocks, scene

from bot.text.catalog import LANGUAGES

OTHERS = sorted(set(LANGUAGES) - {"en"})
#: what stands in messages and is of no language: names of the invented world, commands, queries, figures
FOREIGN = re.compile(
    r"[/@#]\w+|\b[\w.]*(?:Harbour|harbour|Ferry|ferry|Coast|Herald|Pier|pier|festival|alarm|Alarm|storm|Invented|Wire)\b.*|https?://\S+|`[^`]+`"
)
TELLTALE = re.compile(r"\b(?:the|this|and|with|your|which|what|from|shall|nothing|stories|story|feeds|chat)\b")


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize(("number", "kind", "script"), blocks())
async def test_each_conversation_goes_the_same_way(
    number: int, kind: str, script: str, language: str, tmp_path: Path, server: FeedServer
) -> None:
    del number
    own = script.replace("SITE", server.base.removeprefix("http://"))
    shapes: list[list[tuple[int, list[int]]]] = []
    steps: list[tuple[int, int, int]] = []
    for tongue in ("en", language):
        folder = tmp_path / tongue
        folder.mkdir()
        async with BotApi() as api:
            made = await scene(folder, api, ManualClock(), server, kind)
            made.more["language"] = tongue  # type: ignore[index]
            for user in (ANN, BOB):
                api.users[user]["language_code"] = tongue
            async with Conversation(made, steps if tongue != "en" else None) as talk:
                await talk.played(own)
                steps = talk.steps
                messages = [message for chat in api.chats.values() for message in api.messages(chat.id)]
        shapes.append([(message.chat_id, [len(row) for row in (message.reply_markup or {}).get("inline_keyboard", ())]) for message in messages])
        assert all(len(message.text) <= 4096 and "{" not in message.text.replace("{telegram", "") for message in messages)
        buttons = [button["text"] for message in messages for row in (message.reply_markup or {}).get("inline_keyboard", ()) for button in row]
        assert all(len(text) <= 40 for text in buttons)
        if tongue != "en":
            texts = [FOREIGN.sub("", line) for message in messages for line in message.text.splitlines()]
            assert [text for text in texts if len(TELLTALE.findall(text)) > 1] == []
    assert shapes[0] == shapes[1]
