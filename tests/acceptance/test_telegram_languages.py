"""The conversations of docs/telegram.md in every language: the same steps, screens of the same shape, nothing too long, no English left."""

import re
from pathlib import Path

import pytest
from botapi import BotApi, Message
from conversation import Conversation
from support import FeedServer, ManualClock
from telegram_harness import ANN, BOB
from test_telegram_page import blocks, scene

from bot.i18n.catalog import LANGUAGES

OTHERS = sorted(set(LANGUAGES) - {"en"})
#: what stands in messages and is of no language: names of the invented world, commands, queries, figures
FOREIGN = re.compile(
    r"[/@#]\w+|\b[\w.]*(?:Harbour|harbour|Ferry|ferry|Coast|Herald|Pier|pier|festival|alarm|Alarm|storm|Invented|Wire)\b.*|https?://\S+|`[^`]+`"
)
TELLTALE = re.compile(
    r"\b(?:the|this|and|with|your|which|what|from|shall|nothing|stories|story|feeds|chat)\b"
)


@pytest.mark.parametrize(("number", "kind", "script"), blocks())
async def test_each_conversation_goes_the_same_way_in_every_language(
    number: int, kind: str, script: str, tmp_path: Path, server: FeedServer
) -> None:
    del number
    own = script.replace("SITE", server.base.removeprefix("http://"))
    shapes: dict[str, list[tuple[int, list[int]]]] = {}
    steps: list[tuple[int, int, int]] = []
    for language in ("en", *OTHERS):
        folder = tmp_path / language
        folder.mkdir()
        async with BotApi() as api:
            made = await scene(folder, api, ManualClock(), server, kind)
            made.more["language"] = language  # type: ignore[index]
            for user in (ANN, BOB):
                api.users[user]["language_code"] = language
            async with Conversation(made, steps if language != "en" else None) as talk:
                await talk.played(own)
                steps = steps or talk.steps
                messages = [
                    message for chat in api.chats.values() for message in api.messages(chat.id)
                ]
        shapes[language] = [
            (message.chat_id, [len(row) for row in keyboard(message)]) for message in messages
        ]
        assert all(
            len(message.text) <= 4096 and "{" not in message.text.replace("{telegram", "")
            for message in messages
        )
        assert all(
            len(button["text"]) <= 40
            for message in messages
            for row in keyboard(message)
            for button in row
        )
        if language != "en":
            texts = [
                FOREIGN.sub("", line) for message in messages for line in message.text.splitlines()
            ]
            assert [text for text in texts if len(TELLTALE.findall(text)) > 1] == []
        assert shapes[language] == shapes["en"]


def keyboard(message: Message) -> list[list[dict[str, str]]]:
    found: list[list[dict[str, str]]] = (message.reply_markup or {}).get("inline_keyboard", [])
    return found
