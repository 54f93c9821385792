"""The shape and the words of the code: sizes, widths, and words that name nothing in this field.

Layers and imports are checked by import-linter, everything else about style by ruff.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL_PARTS = 24
FUNCTION_LINES = 60
LINE_WIDTH = 100

#: Lists of English words, which hold every word: data.
WORD_LISTS = ("bot/names/common_words.py", "bot/stories/stop_words.py")

_OLD_WORDS = re.compile(
    r"(?<![a-z])(?:ring(?:s|ing|er|ers)?|rang|rung|manieth|befell?|befalls|lest|thereof)(?![a-z])",
    re.IGNORECASE,
)
#: Words in stored data: buttons of earlier versions carry them.
_STORED = {("bot/chat/handlers/start.py", '"ring"')}
#: Old keys of feeds.yaml that still work.
_OLD_KEYS = re.compile(r"ring_again_(?:at|after)")
_PARTS = re.compile(
    r"(?<![a-z])(?:houses?|rooms?|corridors?|knock(?:s|ed|ing)?|deeds?)(?![a-z])", re.IGNORECASE
)
#: the word of Matrix for its chats
_OF_MATRIX = {
    "bot/config/destinations.py",
    "bot/config/schema.py",
    "bot/delivery/channels/matrix.py",
    "bot/model/destinations.py",
}
_ROOM_FOR = re.compile(
    r"\b(?:no|has|have|leaves?|makes?) room\b|\broom (?:for|left)\b", re.IGNORECASE
)


class Passage(NamedTuple):
    """A piece of a file that a person reads."""

    path: str
    line: int
    text: str
    kind: str  #: `name`, `comment`, `docstring` or `string`


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Path below the root and text of every Python file in these folders."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if path not in WORD_LISTS:
                yield path, file.read_text(encoding="utf-8")


@cache
def parsed(text: str) -> ast.Module:
    return ast.parse(text)


def docstring_lines(tree: ast.Module) -> set[int]:
    """The first lines of all docstrings of a module."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.body[0].lineno
        for node in ast.walk(tree)
        if isinstance(node, owners) and ast.get_docstring(node, clean=False) is not None
    }


def passages(path: str, text: str, words: re.Pattern[str]) -> Iterator[Passage]:
    """Names, comments and strings of a Python file; nothing where none of the words is in it."""
    if not words.search(f"{path}\n{text}"):
        return
    docstrings = docstring_lines(parsed(text))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line = token.start[0]
        if token.type == tokenize.NAME:
            yield Passage(path, line, split_name(token.string), "name")
        elif token.type == tokenize.COMMENT:
            yield Passage(path, line, token.string, "comment")
        elif token.type == tokenize.STRING:
            kind = "docstring" if line in docstrings else "string"
            yield Passage(path, line, token.string, kind)
    yield Passage(path, 0, split_name(Path(path).stem), "name")


def split_name(name: str) -> str:
    """Return the words of an identifier, separated by spaces."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


def pages() -> Iterator[Passage]:
    """The lines of the documents."""
    for file in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]):
        path = file.relative_to(ROOT).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            yield Passage(path, number, line, "comment")


def listed(hits: Iterator[Passage]) -> list[str]:
    """Passages that break a rule, as a person wants to see them."""
    own = "tests/unit/test_structure.py"  # it has to name the words
    return [f"{hit.path}:{hit.line}: {hit.text}" for hit in hits if hit.path != own]


def test_the_package_has_few_top_level_parts() -> None:
    parts = {
        entry.name
        for entry in (ROOT / "bot").iterdir()
        if (entry / "__init__.py").is_file() or (entry.suffix == ".py" and entry.stem != "__init__")
    }
    assert len(parts) <= TOP_LEVEL_PARTS


def test_no_function_of_the_package_is_long() -> None:
    functions = (
        Passage(path, node.lineno, f"{node.name} has {lines} lines", "name")
        for path, text in sources("bot")
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    )
    assert listed(functions) == []


def test_no_line_of_code_is_wide() -> None:
    lines = (
        Passage(path, number, f"{len(line)} columns", "comment")
        for path, text in sources("bot", "tests", "bench", "data")
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > LINE_WIDTH
    )
    assert listed(lines) == []


def test_alerts_are_never_called_rings() -> None:
    code = (
        passage
        for path, text in sources("bot", "tests", "bench", "data")
        for passage in passages(path, text, _OLD_WORDS)
    )
    hits = (
        hit
        for hit in chain(code, pages())
        if _OLD_WORDS.search(_OLD_KEYS.sub("", hit.text)) and (hit.path, hit.text) not in _STORED
    )
    assert listed(hits) == []


def test_no_variable_is_called_one() -> None:
    names = (
        Passage(path, getattr(node, "lineno", 0), "one", "name")
        for path, text in sources("bot", "tests", "bench", "data")
        if re.search(r"\bone\b", text)
        for node in ast.walk(parsed(text))
        if "one" in (getattr(node, "id", ""), getattr(node, "arg", ""), getattr(node, "attr", ""))
    )
    assert listed(names) == []


def test_parts_of_the_code_are_called_by_their_names() -> None:
    """Strings outside docstrings are data: headlines, queries, and columns of the database."""
    hits = (
        passage
        for path, text in sources("bot")
        for passage in passages(path, text, _PARTS)
        if passage.kind != "string"
        and _PARTS.search(_ROOM_FOR.sub("", passage.text))
        and not (passage.path in _OF_MATRIX and re.search(r"\broom", passage.text))
    )
    assert listed(hits) == []


#: Parameters with few values: languages, stemmers, phonetic symbols and modes.
_FEW_VALUES = {"language", "name", "symbol", "mode"}


def test_caches_without_a_bound_are_of_what_has_few_values() -> None:
    unbounded = (
        Passage(path, node.lineno, node.name, "name")
        for path, text in sources("bot")
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.FunctionDef)
        and any(
            ast.unparse(decorator) in {"cache", "functools.cache", "lru_cache(maxsize=None)"}
            for decorator in node.decorator_list
        )
        and {parameter.arg for parameter in node.args.args} - _FEW_VALUES
    )
    assert listed(unbounded) == []
