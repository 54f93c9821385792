"""Conversations as text: who writes or presses what, and what the bot says then.

They run against a whole newsbell and a loopback Bot API.

    Ann: /subscribe harbour
    Bell: Subscribed. ...
    Ann: [Undo]
    Bell, changed: ...
    Bell, for a moment: ...

`(Story: HEADLINE)` brings an article, `(Changed: HEADLINE | HEADLINE)` gives it another headline,
`(Withdrawn: HEADLINE)` lets its feed take it back, `(2 h pass)` moves the clock, `(restart)` kills
newsbell and starts it again. Not assertions.
"""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from botapi import BotApi
from botapi import Message as BotMessage
from support import ManualClock
from telegram_harness import Address, ArticleSpec, TelegramHarness, open_harness

from bot.text.duration import parse_duration

LINE = re.compile(r"^(?P<who>[A-Z]\w*)(?: in (?P<where>[\w ]+))?: (?P<what>.*)$")
BELL = "Bell"
ANONYMOUS = "Anonymous"
_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Scene:
    """Who there is, and where."""

    api: BotApi
    clock: ManualClock
    folder: Path
    chats: Mapping[str, Address]  #: of feeds.yaml
    people: Mapping[str, int]
    places: Mapping[str, Address]  #: named in the script; a person's own chat needs no name
    more: Mapping[str, Any] = field(default_factory=dict)  #: for `desk`
    files: Mapping[str, bytes] = field(default_factory=dict)


class Conversation:
    """Runs a script and writes down what the bot says."""

    def __init__(self, scene: Scene, steps: list[tuple[int, int, int]] | None = None) -> None:
        self._scene = scene
        self.steps: list[
            tuple[int, int, int]
        ] = []  #: each press: which message of its chat, which row, which button
        self._given = (
            None if steps is None else list(steps)
        )  # in another language the labels are others, the places the same
        self._seen: dict[tuple[int, int], tuple[str, str]] = {}
        self._pressed = 0
        self._line = 0
        self._stack = AsyncExitStack()
        self.harness: TelegramHarness

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        scene = self._scene
        self.harness = await self._stack.enter_async_context(
            open_harness(scene.folder, scene.api, dict(scene.chats), scene.clock, **scene.more)
        )

    async def restart(self) -> None:
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self._open()

    async def played(self, script: str, *, restarts: bool = False) -> str:
        """Return the script's own lines, and after each what the bot said.

        With `restarts`, newsbell is started anew before each.
        """
        lines: list[str] = []
        for line in script.splitlines():
            if line.startswith((BELL, "  ")) or not line.strip():
                continue
            if restarts:
                await self.restart()
            lines.append(line)
            await self._step(line.strip())
            lines += self._news()
        return "\n".join(lines)

    async def _step(self, line: str) -> None:
        harness = self.harness
        if line.startswith("(Story: "):
            parts = line[8:-1].split(" | ")
            if not self._line or not parts[0].startswith("+ "):
                [self._line] = await harness.add(
                    ArticleSpec(parts[0], summary=parts[1] if len(parts) > 1 else "")
                )
            else:
                await harness.add(ArticleSpec(parts[0][2:], (self._line, self._line, self._line)))
        elif line.startswith("(Changed: "):
            await harness.revise(*line[10:-1].split(" | "))
        elif line.startswith("(Withdrawn: "):
            await harness.take_back(line[12:-1])
        elif line == "(restart)":
            await self.restart()
        elif match := re.fullmatch(r"\((\d+) (s|min|h|d) pass(?:es)?\)", line):
            span = parse_duration(f"{match[1]}{match[2][0]}")
            await self._pass(span)
        elif match := LINE.match(line):
            await self._does(match["who"], match["where"] or match["who"], match["what"])
        else:
            raise AssertionError(f"what is this? {line}")
        await harness.deliver(3 * _SECOND, _SECOND)

    async def _pass(self, span: timedelta) -> None:
        step = max(span / 20, _SECOND)
        await self.harness.deliver(span, step)

    async def _does(self, who: str, where: str, what: str) -> None:
        harness, scene = self.harness, self._scene
        place = scene.places.get(where) or scene.people[where]
        chat, topic = place if isinstance(place, tuple) else (place, None)
        user = scene.people.get(who, 0)
        anonymous = who == ANONYMOUS
        if what.startswith("["):
            message = self._with_button(chat, what[1:-1])
            harness.api.press(chat, user, message[0].message_id, message[1])
        elif what.startswith("📎 "):
            harness.api.upload(chat, user, what[2:], scene.files[what[2:]])
        elif what.startswith("↪ "):
            target = harness.api.messages(chat)[-1].message_id
            alert = [
                message
                for message in harness.api.messages(chat)
                if "🔔" in message.text or "👣" in message.text
            ]
            harness.api.say(chat, user, what[2:], topic, alert[-1].message_id if alert else target)
        elif what in {"👍", "👎"}:
            harness.api.react(chat, user, harness.api.messages(chat)[-1].message_id, what)
        else:
            harness.api.say(chat, user, what.replace("⏎", "\n"), topic, anonymous_admin=anonymous)
        await harness.listen()

    def _with_button(self, chat: int, label: str) -> tuple[BotMessage, str]:
        """The newest message that has this button, and what the button tells the bot."""
        messages = self.harness.api.messages(chat)
        if self._given is not None:
            number, row, place = self._given.pop(0)
            return messages[number], messages[number].keyboard[row][place]["callback_data"]
        for number, message in reversed(list(enumerate(messages))):
            for row, buttons_of in enumerate(message.keyboard):
                for place, button in enumerate(buttons_of):
                    if button["text"] == label:
                        self.steps.append((number, row, place))
                        return message, button["callback_data"]
        labels = [buttons(message) for message in self.harness.api.messages(chat)]
        raise AssertionError(f"there is no button {label} in {labels}")

    def _news(self) -> list[str]:
        """What the bot said since the last look."""
        lines: list[str] = []
        names = {
            self._address(place): name
            for name, place in {**self._scene.people, **self._scene.places}.items()
        }
        for chat, name in names.items():
            for message in self.harness.api.messages(chat):
                content = (message.text, buttons(message))
                before = self._seen.get((chat, message.message_id))
                if content != before:
                    how = ", changed" if before else ""
                    where = (
                        f" in {name}"
                        if chat < 0
                        else ""
                        if len(self._scene.people) == 1
                        else f" to {name}"
                    )
                    lines += written(f"{BELL}{where}{how}: ", message)
                    self._seen[(chat, message.message_id)] = content
        for answer in self.harness.api.answers[self._pressed :]:
            if answer.text:
                lines.append(f"{BELL}, for a moment: {answer.text}")
        self._pressed = len(self.harness.api.answers)
        return lines

    def _address(self, place: Address) -> int:
        return place[0] if isinstance(place, tuple) else place


def buttons(message: BotMessage) -> str:
    """The keyboard, row by row."""
    rows = message.keyboard
    return "\n".join(" ".join(f"[{button['text']}]" for button in row) for row in rows)


def written(lead: str, message: BotMessage) -> list[str]:
    """A message as a reader sees it, without what only directs its letters."""
    text = re.sub("[\u2066-\u2069\u2060]", "", message.text)
    file = message.attachment.get("document", {}).get("file_name") or (
        "picture" if "photo" in message.attachment else ""
    )
    lines = [
        *([f"📎 {file}"] if file else []),
        *text.split("\n"),
        *(buttons(message).split("\n") if buttons(message) else ()),
    ]
    return [lead + lines[0], *(f"      {line}".rstrip() for line in lines[1:])]
