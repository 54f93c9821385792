"""The documents say what the code does: keys, commands, options, examples, numbers, links."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from support import NOON

from bot.alerts import options
from bot.chat import router
from bot.cli.main import COMMANDS as LATE
from bot.cli.main import main
from bot.cli.schema import schema_text
from bot.config.changes import is_live
from bot.config.load import load
from bot.config.schema import (
    ArticleShape,
    ChatShape,
    FeedShape,
    FileShape,
    HostShape,
    SubscriptionShape,
)
from bot.delivery.channels.terminal import record
from bot.model.alerts import AlertView
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import Delivery, DeliveryKind, DeliveryState, SendOutcome
from bot.model.entries import Article, Span
from bot.model.feeds import Failure
from bot.model.message import Message
from bot.query import regex
from bot.query.matcher import match
from bot.query.parser import DEPTH, DISTANCE, LENGTH, NEARS, TERMS, parse
from bot.query.words import ArticleWords
from bot.text.duration import in_words
from bot.text.language import language_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/queries.md",
    "docs/configuration.md",
    "docs/sources.md",
    "docs/commands.md",
    "docs/operations.md",
    "docs/capacity.md",
    "docs/design.md",
    "docs/telegram.md",
)
WRITTEN_ELSEWHERE = {"docs/benchmarks.md"}
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its rank or above."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert match, f"there is no heading {heading}"
    rest = text[match.end() :]
    code = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    bare = code.sub(
        lambda block: " " * len(block.group()), rest
    )  # a comment in an example is no heading
    end = re.search(rf"^#{{1,{len(match.group(1))}}} ", bare, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> Iterator[list[str]]:
    """The cells of all table rows; a cell holds no `|`."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|-"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def fenced(text: str, language: str) -> list[str]:
    """Fenced blocks of a language, without their indentation."""
    blocks = (block for block in _FENCE.finditer(text) if block.group(2) == language)
    return [
        re.sub(rf"^{block.group(1)}", "", block.group(3), flags=re.MULTILINE) for block in blocks
    ]


# feeds.yaml


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


PLACES = {
    ChatShape: ".NAME",
    HostShape: ".NAME",
    **dict.fromkeys((ArticleShape, FeedShape, SubscriptionShape), "[]"),
}


def keys(model: type[BaseModel] = FileShape, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that the file may hold, as the documents write it, with its default."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        place = f"{path}.{key}" if path else key
        yield place, field.get_default(call_default_factory=True)
        if place in {"names", "publisher_groups"}:
            yield f"{place}.NAME", PydanticUndefined
        if place == "text":
            yield f"{place}.TAG", PydanticUndefined
        for inner in _models(field.annotation):
            yield from keys(inner, place + PLACES.get(inner, ""))


KEYS = dict(keys())


def documented() -> dict[str, str]:
    """The tables of configuration.md: key to what stands beside it."""
    return {
        row[0].strip("`"): row[1].strip("`")
        for row in rows(page("docs/configuration.md"))
        if row[0].strip("`") in KEYS
    }


def test_every_key_of_the_file_is_documented() -> None:
    missing = KEYS.keys() - documented().keys() - {"settings"}

    assert not missing
    assert "## settings" in page("docs/configuration.md")


def test_no_key_is_documented_that_the_file_does_not_know() -> None:
    named = {
        key
        for key in re.findall(r"^\| `([^`]+)` \|", page("docs/configuration.md"), re.MULTILINE)
        if "." in key and " " not in key
    }

    assert named <= KEYS.keys()


def test_what_takes_effect_at_once_is_said_alike() -> None:
    """By the table of the settings, by `newsbell plan`, and in the log."""
    table = section(page("docs/configuration.md"), "settings")
    said = {
        row[0].strip("`"): row[3] == "at once"
        for row in rows(table)
        if len(row) == 4 and row[0].strip("`") in KEYS
    }
    wrong = [
        key
        for key, at_once in said.items()
        if is_live(key.removeprefix("settings.")) != at_once
        and not any(other.startswith(f"{key}.") for other in said)
    ]

    assert wrong == []


def test_keys_named_elsewhere_exist() -> None:
    for name in PAGES:
        for key in re.findall(r"`(settings\.[\w.]+)`", page(name)):
            assert key in KEYS, f"{name} names {key}"


@pytest.mark.parametrize(
    "key",
    [
        key
        for key, default in KEYS.items()
        if isinstance(default, str | int | timedelta) and default != ""
    ],
)
def test_the_documented_default_is_the_default(key: str) -> None:
    default = KEYS[key]

    assert documented()[key] == (
        in_words(default) if isinstance(default, timedelta) else str(default)
    )


YAML = [
    pytest.param(name, block, id=f"{name}-{number}")
    for name in PAGES
    for number, block in enumerate(fenced(page(name), "yaml"))
]


def _config(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    for name in re.findall(r"token_file: ([\w.-]+)", text):
        secret = tmp_path / name
        secret.write_text("123456:invented", encoding="ascii")
        secret.chmod(0o600)
    return load(path, dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "123456:invented"))


@pytest.mark.parametrize(("name", "text"), YAML)
def test_every_example_of_the_file_loads(name: str, text: str, tmp_path: Path) -> None:
    assert re.search(r"^feeds:", text, re.MULTILINE), f"an example of {name} is not a whole file"

    assert _config(tmp_path, text)


def test_the_sample_file_loads() -> None:
    assert load(ROOT / "feeds.yaml", {}).declared.feeds


def test_the_sample_file_names_no_key_that_does_not_exist(tmp_path: Path) -> None:
    """Lines that are commented out are examples as well."""
    text = re.sub(r"^( +)# (?=\w+: )", r"\1", page("feeds.yaml"), flags=re.MULTILINE)

    assert _config(tmp_path, text).settings.telegram.admins


def test_the_schema_for_editors_is_of_this_version() -> None:
    assert json.loads(page("docs/feeds.schema.json")) == json.loads(schema_text())


# Queries


def _names() -> dict[str, tuple[str, ...]]:
    example = fenced(section(page("docs/configuration.md"), "names"), "yaml")[0]
    return {name: tuple(spellings) for name, spellings in yaml.safe_load(example)["names"].items()}


QUERIES = [row for row in rows(page("docs/queries.md")) if row[0].startswith("`") and len(row) == 3]


@pytest.mark.parametrize(("query", "hits", "misses"), QUERIES)
def test_a_query_of_the_table_matches_what_the_table_says(
    query: str, hits: str, misses: str
) -> None:
    tree = parse(query.strip("`"), _names())

    for headline in hits.split("; "):
        assert (
            match(tree, ArticleWords(Article(headline, language=language_of(headline)))) is not None
        ), headline
    for headline in misses.split("; "):
        assert (
            match(tree, ArticleWords(Article(headline, language=language_of(headline)))) is None
        ), headline


def test_every_query_of_the_documents_is_read() -> None:
    examples = [
        line
        for name in PAGES
        for block in fenced(page(name), "query")
        for line in block.splitlines()
    ]
    examples += [
        query
        for name in PAGES
        for query in re.findall(
            r"^/subscribe (.+)$|`/subscribe ([^`]*\"[^`]*)`", page(name), re.MULTILINE
        )
        for query in query
        if query
    ]

    assert len(examples) >= 6
    for example in examples:
        parse(options.split(example)[1], _names())


def test_the_limits_of_a_query_are_documented() -> None:
    rules = page("docs/queries.md")

    assert (
        f"{LENGTH:,} characters, {TERMS} words, phrases and items of its lists, {NEARS} NEAR "
        f"with at most {DISTANCE} words between" in rules
    )
    assert (
        f"and {DEPTH} parentheses within each other; an expression has at most "
        f"{regex.LENGTH} characters and {regex.MEMORY // 1024} KB" in rules
    )


# Commands


def commands(
    command: click.Command = main, path: str = "newsbell"
) -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree with its whole name."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner, name
            yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = section(page("docs/commands.md"), f"`{name}`")
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert re.search(rf"`{re.escape(option)}[` ]", text), f"{name} {option}"
        else:
            assert parameter.human_readable_name in text, f"{name} {parameter.human_readable_name}"


@pytest.mark.parametrize("name", LATE)
def test_the_list_of_commands_says_of_each_what_its_own_help_does(name: str) -> None:
    command = COMMANDS[f"newsbell {name}"]

    assert command.name == name
    assert click.Command(name, help=LATE[name][1]).get_short_help_str(400) == (
        command.get_short_help_str(400)
    )


def test_help_imports_no_command() -> None:
    program = (
        "import sys, click.testing, bot.cli.main; "
        "click.testing.CliRunner().invoke(bot.cli.main.main, ['--help'], catch_exceptions=False); "
        "print(*{'bot.config', 'bot.service', 'bot.store'} & sys.modules.keys())"
    )
    ended = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False, capture_output=True
    )

    assert (ended.returncode, ended.stdout.strip()) == (0, b"")


def test_reading_the_state_imports_neither_pipelines_nor_what_makes_tables() -> None:
    program = (
        "import sys, bot.store.read_only; "
        "print(*{'sqlite_utils', 'bot.ports', 'bot.stories', 'bot.store.polls'}"
        " & sys.modules.keys())"
    )
    ended = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False, capture_output=True
    )

    assert (ended.returncode, ended.stdout.strip()) == (0, b"")


def test_no_command_or_option_is_documented_that_does_not_exist() -> None:
    text = page("docs/commands.md")
    headings = [heading.strip("`") for heading in _HEADING.findall(text) if heading.startswith("`")]

    assert set(headings) == set(COMMANDS)
    for name in headings:
        named = set(re.findall(r"^\| (`-[^|]+) \|", section(text, f"`{name}`"), re.MULTILINE))
        options = {option.split()[0] for cell in named for option in re.findall(r"`([^`]+)`", cell)}
        known = {
            option
            for parameter in COMMANDS[name].params
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        }
        assert options <= known | {"-h", "--help"}, name


def test_the_readme_lists_every_command_of_the_first_rank() -> None:
    table = {row[0].strip("`") for row in rows(section(page("README.md"), "Commands"))}

    assert {f"newsbell {name}" for name in LATE} <= table


def test_every_chat_command_is_documented() -> None:
    answered = set(re.findall(r'"(/[a-z]+)": ', inspect.getsource(router)))
    table = {
        match.group()
        for row in rows(section(page("docs/commands.md"), "Chat commands"))
        if (match := re.match(r"/[a-z]+", row[0].strip("`")))
    }

    assert answered == table
    assert len(answered) >= 6


def test_every_state_of_a_delivery_is_documented() -> None:
    table = {
        row[0].strip("`") for row in rows(section(page("docs/commands.md"), "`newsbell outbox`"))
    }

    assert {state.value for state in DeliveryState} <= table


# JSON lines


def _alert(story: int) -> AlertView:
    return AlertView(
        story,
        "Radar",
        "Radar",
        "https://harbour.example/1",
        "",
        "Harbour Wire",
        "Harbour Wire",
        "",
        NOON,
        NOON,
        ("Radar",),
        (Span("title", 0, 5),),
        catch_up=False,
    )


def _line(kind: DeliveryKind, alerts: int, doubts: int = 0) -> dict[str, Any]:
    chat = Chat(1, "here", ChatKind.TERMINAL, 0, 0)
    delivery = Delivery(
        1,
        kind,
        chat,
        1,
        doubts,
        plain=False,
        alerts=tuple(_alert(number) for number in range(alerts)),
        text="Well again.",
    )
    return record(delivery, Message("Well again."), 1)


@pytest.mark.parametrize(
    ("kind", "alerts"),
    [
        (DeliveryKind.ALERT, 1),
        (DeliveryKind.EDIT, 1),
        (DeliveryKind.ALERT, 2),
        (DeliveryKind.NOTICE, 0),
    ],
)
def test_the_example_of_a_json_line_has_the_fields_of_a_real_one(
    kind: DeliveryKind, alerts: int
) -> None:
    real = _line(kind, alerts)
    examples = [
        json.loads(line)
        for block in fenced(page("docs/commands.md"), "json")
        for line in block.splitlines()
    ]
    example = next(example for example in examples if example["type"] == real["type"])

    assert list(example) == list(real)
    if "alerts" in real:
        assert list(example["alerts"][0]) == list(real["alerts"][0])


def test_every_field_of_a_json_line_is_documented() -> None:
    table = {row[0].strip("`") for row in rows(section(page("docs/commands.md"), "JSON lines"))}
    lines = [
        _line(DeliveryKind.ALERT, 1, doubts=1),
        _line(DeliveryKind.ALERT, 2),
        _line(DeliveryKind.NOTICE, 0),
    ]

    assert {field for line in lines for field in line} <= table


# Operations and design


def test_every_failure_is_explained() -> None:
    table = [
        row[0].strip("`") for row in rows(section(page("docs/operations.md"), "When a feed fails"))
    ]

    assert sorted(failure.value for failure in Failure) == sorted(set(table) - {"failure"})


def test_every_outcome_of_a_send_is_in_the_table_of_the_policy() -> None:
    table = section(page("docs/design.md"), "Delivery policy")

    assert [
        outcome.__name__
        for outcome in get_args(SendOutcome)
        if f"| `{outcome.__name__}`" not in table
    ] == []


NUMBERS = [
    row[:2] for row in rows(section(page("docs/design.md"), "Numbers")) if row[0].startswith("`")
]


@pytest.mark.parametrize(("constant", "value"), NUMBERS)
def test_a_number_of_the_design_is_that_of_the_code(constant: str, value: str) -> None:
    module, _, name = constant.strip("`").rpartition(".")
    real = getattr(importlib.import_module(f"bot.{module}"), name)

    assert (in_words(real) if isinstance(real, timedelta) else str(real)) == value


def test_every_package_is_in_the_table_of_the_design() -> None:
    text = section(page("docs/design.md"), "Packages")
    packages = {
        path.stem
        for path in (ROOT / "bot").iterdir()
        if not path.name.startswith(("__init__", "__pycache__", "py.typed"))
    }

    assert {package for package in packages if f"`{package}`" not in text} == set()


# Links


def _anchors(name: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```", "", page(name), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_the_project_leads_somewhere(name: str) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", page(name), flags=re.MULTILINE | re.DOTALL)
    for link in _LINK.findall(text):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        path = ((ROOT / name).parent / target).resolve() if target else ROOT / name
        place = str(path.relative_to(ROOT))
        assert path.exists() or place in WRITTEN_ELSEWHERE, f"{name} links to {link}"
        if anchor and path.exists():
            assert anchor in _anchors(place), f"{name} links to {link}"


def test_every_page_of_the_folder_is_linked_from_the_readme() -> None:
    linked = {link.partition("#")[0] for link in _LINK.findall(page("README.md"))}

    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked
