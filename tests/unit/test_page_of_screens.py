"""docs/telegram.md shows each command, and each button that a screen has, at least once."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from bot.chat import router

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "telegram.md").read_text(encoding="utf-8")
TROUBLE = PAGE.partition("## When something is wrong")[2]
CHATS = "\n".join(re.findall(r"^```chat[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
#: their labels are words of newsbell; others are names, numbers and signs
MAKES_BUTTONS = {"button", "Button"}


def labels() -> Iterator[tuple[str, str]]:
    """The words on every button, with the file that has it."""
    folders = (ROOT / "bot" / "chat", ROOT / "bot" / "delivery")
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if getattr(node.func, "id", "") in MAKES_BUTTONS:
                for text in texts(node.args[0]):
                    yield text, file.name


def texts(node: ast.expr) -> Iterator[str]:
    """The literals of `gettext` within an expression."""
    for inner in ast.walk(node):
        is_text = isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") == "gettext"
        if is_text and isinstance(inner, ast.Call) and isinstance(inner.args[0], ast.Constant):
            yield str(inner.args[0].value)


def pattern(label: str) -> str:
    """An expression for a label with its values, and perhaps a sign, within its brackets."""
    words = re.sub(r"\\\{\w+\\\}", ".+?", re.escape(label))
    return rf"\[(?:[^\w\]]+ )?{words}(?: [^\w\]]+)?\]"


def test_every_command_is_written_on_the_page() -> None:
    commands = set(re.findall(r'"(/[a-z]+)": ', inspect.getsource(router)))
    written = set(re.findall(r"^\w+(?: in [\w ]+)?: (?:↪ )?(/[a-z]+)\b", CHATS, re.MULTILINE))

    assert len(commands) > 20
    assert commands - written == set()


def test_every_button_is_shown_on_the_page() -> None:
    missing = sorted(
        {text for text, _ in labels() if not re.search(pattern(text), CHATS + TROUBLE)}
    )

    assert len(set(labels())) > 40
    assert missing == []
