"""The conversations of docs/telegram.md in other languages: the same steps and shapes of screens.

Nothing is too long and no English is left. A run takes two other languages for each conversation,
which change from day to day; `SOAK=1` takes all, and starts newsbell again before each step.
"""

import re
from pathlib import Path

import pytest
from botapi import BotApi
from conversation import Conversation
from sampling import SOAK, share
from support import FeedServer, ManualClock
from telegram_harness import ANN, BOB
from test_telegram_page import blocks, scene

from bot.i18n.catalog import LANGUAGES

pytestmark = pytest.mark.slow

OTHERS = sorted(set(LANGUAGES) - {"en"})
#: What is of no language: names of the invented world, commands, queries, figures.
FOREIGN = re.compile(
    r"feeds\.yaml|[/@#]\w+|https?://\S+|`[^`]+`|\b[\w.]*"
    r"(?:[Hh]arbour|[Ff]erry|Coast|Herald|[Pp]ier|festival|[Aa]larm|storm|Invented|Wire)\b.*"
)
TELLTALE = re.compile(
    r"\b(?:the|this|and|with|your|which|what|from|shall|nothing|stories|story|feeds|chat)\b"
)


@pytest.mark.parametrize(("number", "kind", "script"), blocks())
async def test_each_conversation_goes_the_same_way_in_other_languages(
    number: int, kind: str, script: str, tmp_path: Path, server: FeedServer
) -> None:
    others = share([*OTHERS[number % 5 :], *OTHERS[: number % 5]], 3)
    own = script.replace("SITE", server.base.removeprefix("http://"))
    shapes: dict[str, list[tuple[int, list[int]]]] = {}
    steps: list[tuple[int, int, int]] = []
    for language in ("en", *others):
        folder = tmp_path / language
        folder.mkdir()
        async with BotApi() as api:
            made = await scene(folder, api, ManualClock(), server, kind)
            made.more["language"] = language  # type: ignore[index]
            for user in (ANN, BOB):
                api.users[user]["language_code"] = language
            async with Conversation(made, steps if language != "en" else None) as talk:
                await talk.played(own, restarts=SOAK)
                steps = steps or talk.steps
                messages = [
                    message for chat in api.chats.values() for message in api.messages(chat.id)
                ]
        shapes[language] = [
            (message.chat_id, [len(row) for row in message.keyboard]) for message in messages
        ]
        assert all(
            len(message.text) <= 4096 and "{" not in message.text.replace("{telegram", "")
            for message in messages
        )
        assert all(
            len(button["text"]) <= 40
            for message in messages
            for row in message.keyboard
            for button in row
        )
        if language != "en":
            texts = [
                FOREIGN.sub("", line) for message in messages for line in message.text.splitlines()
            ]
            assert [text for text in texts if len(TELLTALE.findall(text)) > 1] == []
        assert shapes[language] == shapes["en"]
