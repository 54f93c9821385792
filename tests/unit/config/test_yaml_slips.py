"""What people write in place of YAML is told with its line, a caret and what to write instead."""

from pathlib import Path

import pytest
import yaml

from bot.config.load import load
from bot.errors import ConfigError

FILE = """\
chats:
  here: {{terminal: true}}
feeds:
  - https://a.example/
subscriptions:
  - name: A
    query: {}
    to: [here]
"""


def mistakes(folder: Path, text: str) -> str:
    path = folder / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(path, {})
    return str(raised.value).replace(str(path), "feeds.yaml")


@pytest.mark.parametrize(
    ("query", "remedy", "column"),
    [
        ('"air defence" AND radar', "'\"air defence\" AND radar'", 26),
        ("'air defence' AND radar", "'\"air defence\" AND radar'", 26),
        ("'the harbour's end'", "'the harbour''s end'", 25),
        ("@port AND radar", "'@port AND radar'", 12),
        ("* AND radar", "'* AND radar'", 13),
        ("%50", "'%50'", 12),
        ("> radar", "'> radar'", 14),
        ("[radar] AND sonar", "'[radar] AND sonar'", 20),
        ("title: radar", "'title: radar'", 17),
        ("- radar", "'- radar'", 12),
    ],
)
def test_a_query_that_needs_quotes_is_shown_with_them(
    tmp_path: Path, query: str, remedy: str, column: int
) -> None:
    said, line, caret = mistakes(tmp_path, FILE.format(query)).split("\n")

    assert said.startswith(f"feeds.yaml:7:{column} (the file): is not valid YAML here: ")
    assert said.endswith(f"Put single quotes around the whole value: {remedy}")
    assert line == f"        query: {query}"
    assert caret.index("^") == 4 + column - 1
    (tmp_path / "feeds.yaml").write_text(FILE.format(remedy), encoding="utf-8")
    data = yaml.safe_load((tmp_path / "feeds.yaml").read_text("utf-8"))
    assert isinstance(data["subscriptions"][0]["query"], str)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.format("x").replace("    query", "\t query"), "7:1 .* a tab indents"),
        (FILE.format("x").replace("    query", "\u00a0   query"), "7:1 .* a no-break space"),
        (FILE.format("x").replace("    query", "   query"), "7:4 .* begins in another column"),
        (FILE.format("x").replace("query:", "query"), "7:5 .* a colon and a space .* missing"),
        (FILE.format("x").replace("query: ", "query:"), "7:5 .* a space behind the colon"),
        (FILE.format('"radar AND sonar'), "7:12 .* this quote is never closed"),
        (FILE.format("!radar"), "7:12 .* begins with !radar"),
        ("names: {a: [@b]}", "put single quotes around the text that begins with it"),
        ('names: {a: ["b" c]}', "put single quotes around the whole of it"),
    ],
)
def test_what_else_is_no_yaml_is_told_with_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(mistakes(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "settings: {telegram: {token: 123:sesame: x}}",
        "feeds:\n  - {url: 'https://a.example/?key=sesame' x}",
        "feeds:\n  - url: https://a.example/\n    headers:\n      Authorization: @sesame",
        'feeds:\n  - "https://a.example/?key=sesame" x',
    ],
)
def test_no_line_is_shown_that_may_hold_a_secret(tmp_path: Path, text: str) -> None:
    assert "sesame" not in mistakes(tmp_path, text)


def test_a_hashtag_that_is_a_comment_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(FILE.format("radar #harbour  # a comment"), encoding="utf-8")
    (warning,) = load(path, {}).warnings
    path.write_text(FILE.format("radar # a comment"), encoding="utf-8")

    assert (warning.line, warning.path) == (7, "subscriptions[0].query")
    assert "#harbour" in warning.message
    assert load(path, {}).warnings == ()
