"""Write a message's text and entities in the markup of other services. No I/O.

Telegram takes entities as they are; others want HTML, Markdown or a structure of their own. What a
service has no style for stays plain.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

from bot.delivery.composer import JOINER, units
from bot.model.message import Message
from bot.text.clean import cut

_TAGS = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "strikethrough": "del",
    "code": "code",
    "pre": "code",
}
_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~>@:])")
_TRIMMED = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style."""

    text: str
    kinds: frozenset[str] = frozenset()
    url: str = ""


def runs(message: Message) -> Iterator[Run]:
    """Cut the text where its style changes."""
    content = message.text.encode("utf-16-le")
    edges = {0, len(content) // 2}
    for entity in message.entities:
        edges |= {entity.offset, entity.offset + entity.length}
    ordered = sorted(edge for edge in edges if edge <= len(content) // 2)
    for start, end in pairwise(ordered):
        inside = [
            entity
            for entity in message.entities
            if entity.offset <= start and end <= entity.offset + entity.length
        ]
        text = content[2 * start : 2 * end].decode("utf-16-le", "replace")
        links = (entity.url for entity in inside if entity.kind == "text_link")
        kinds = frozenset(entity.kind for entity in inside) - {"text_link", "text_mention"}
        yield Run(text.replace(JOINER, ""), kinds, next(links, ""))


def plain_text(message: Message) -> str:
    """Return the text, without what keeps Telegram from making links of it."""
    return message.text.replace(JOINER, "")


def to_html(message: Message) -> str:
    """Return HTML, without a frame around it."""
    return "".join(
        _linked_html(url, "".join(_html(run) for run in part)) for url, part in _by_link(message)
    )


def to_markdown(message: Message, bold: str = "**", underline: str = "**") -> str:
    """Return Markdown, as Discord and Mattermost read it; they differ in underlined text."""
    marks = {
        "bold": bold,
        "underline": underline,
        "italic": "*",
        "strikethrough": "~~",
    }
    return "".join(
        _linked_markdown(url, "".join(_marked(run, marks) for run in part))
        for url, part in _by_link(message)
    )


def to_slack(message: Message) -> list[dict[str, Any]]:
    """Return blocks of Slack: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block."""
    elements: list[dict[str, Any]] = []
    for run in runs(message):
        style = {
            name: True
            for name, kinds in (
                ("bold", {"bold", "underline"}),
                ("italic", {"italic"}),
                ("strike", {"strikethrough"}),
                ("code", {"code", "pre"}),
            )
            if run.kinds & kinds
        }
        element: dict[str, Any] = {"type": "text", "text": run.text}
        if run.url:
            element = {"type": "link", "url": run.url, "text": run.text}
        elements.append(element | ({"style": style} if style else {}))
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "elements": [section]}]


def fitting(message: Message, limit: int, write: Callable[[Message], str]) -> Message:
    """Return the message, cut so that what is written of it has at most `limit` code points.

    Links go before words, the last first: a message of many stories still names them all.
    """
    while len(write(message)) > limit:
        links = [entity for entity in message.entities if entity.kind == "text_link"]
        if not links:
            break
        rest = tuple(entity for entity in message.entities if entity is not links[-1])
        message = replace(message, entities=rest)
    else:
        return message
    low, high = 0, len(message.text)
    while low < high:
        middle = (low + high + 1) // 2
        if len(write(shortened(message, middle))) <= limit:
            low = middle
        else:
            high = middle - 1
    return shortened(message, low)


def shortened(message: Message, length: int) -> Message:
    """Return the message with at most so many code points of its text."""
    text = cut(message.text, length) if length < len(message.text) else message.text
    end = units(text)
    entities = (
        replace(entity, length=min(entity.length, end - entity.offset))
        for entity in message.entities
        if entity.offset < end
    )
    return replace(message, text=text, entities=tuple(entities))


def _by_link(message: Message) -> Iterator[tuple[str, Iterable[Run]]]:
    return groupby(runs(message), key=lambda run: run.url)


def _html(run: Run) -> str:
    text = html.escape(run.text).replace("\n", "<br>")
    for kind in sorted(run.kinds):
        if tag := _TAGS.get(kind):
            text = f"<{tag}>{text}</{tag}>"
    return text


def _linked_html(url: str, text: str) -> str:
    return f'<a href="{html.escape(url)}">{text}</a>' if _is_web(url) else text


def _marked(run: Run, marks: dict[str, str]) -> str:
    """Marks stand next to letters: with a space between they would be read as signs."""
    match = _TRIMMED.fullmatch(run.text)
    lead, text, tail = match.groups() if match else ("", run.text, "")
    if not text:
        return run.text
    text = _MARKDOWN_SIGNS.sub(r"\\\1", text)
    for mark in dict.fromkeys(marks[kind] for kind in sorted(run.kinds) if kind in marks):
        lines = (f"{mark}{line}{mark}" if line.strip() else line for line in text.split("\n"))
        text = "\n".join(lines)
    return f"{lead}{text}{tail}"


def _linked_markdown(url: str, text: str) -> str:
    if not _is_web(url) or not text.strip():
        return text
    target = url.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("\n", "")
    return f"[{text}](<{target}>)"


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))
