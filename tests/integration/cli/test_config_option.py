"""The configuration file is named alike for every command; without one each names `init`."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from bot.cli.main import COMMANDS, main

ARGUMENTS = {
    "backup": ["folder"],
    "restore": [__file__],
    "backtest": ["radar"],
    "evidence": ["radar", "--out", "evidence.json"],
    "explain": ["radar"],
    "fetch": ["a.example"],
    "forget": ["7"],
    "move": ["--to", "new.db"],
    "names": ["Kyiv"],
    "send-test": ["desk"],
    "search": ["radar"],
    "story": ["radar"],
    "try-page": ["https://a.example/"],
}
WITHOUT_FILE = {"demo", "schema", "init"}


def leaves(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names of every command that does something."""
    if path:
        yield path
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(click.Context(command)):
        inner = command.get_command(click.Context(command), name)
        assert inner
        yield from leaves(inner, (*path, name))


READERS = [path for path in leaves() if path[0] not in WITHOUT_FILE]


def invoke(folder: Path, *arguments: str, variable: str | None = None) -> Result:
    with chdir(folder):
        return CliRunner().invoke(
            main,
            arguments,
            env={"NEWSBELL_CONFIG": variable, "COLUMNS": "80"},
            catch_exceptions=False,
            prog_name="newsbell",
        )


@pytest.mark.parametrize("path", READERS, ids=" ".join)
def test_without_a_file_a_command_says_so_in_a_line_and_names_init(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    result = invoke(tmp_path, *path, *ARGUMENTS.get(path[-1], []))

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "There is no feeds.yaml: `newsbell init` makes one, --config FILE names another.\n"
    )


@pytest.mark.parametrize("path", READERS, ids=" ".join)
def test_the_file_is_named_before_the_command_after_it_or_by_the_environment(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    rest = ARGUMENTS.get(path[-1], [])
    for arguments, variable in (
        (["-c", "a.yaml", *path, *rest], "b.yaml"),
        ([*path, "--config", "a.yaml", *rest], "b.yaml"),
        (["-c", "b.yaml", *path, "-c", "a.yaml", *rest], None),
        ([path[0], "-c", "a.yaml", *path[1:], *rest], None),
        ([*path, *rest], "a.yaml"),
    ):
        result = invoke(tmp_path, *arguments, variable=variable)
        assert result.stderr.startswith("There is no a.yaml: "), arguments


def test_newsbell_alone_prints_its_help(tmp_path: Path) -> None:
    alone = invoke(tmp_path)

    assert alone.exit_code == 0
    assert alone.stdout == invoke(tmp_path, "--help").stdout


def test_each_command_has_one_whole_line_in_the_help_at_80_columns(tmp_path: Path) -> None:
    listed = invoke(tmp_path, "--help").stdout.partition("Commands:\n")[2].splitlines()

    assert [line.split()[0] for line in listed] == sorted(COMMANDS)
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


ASKS_OTHERS = {"fetch", "try-page", "send-test", "run"}  # sites or Telegram


@pytest.mark.parametrize(
    "path", [path for path in READERS if path[-1] not in ASKS_OTHERS], ids=" ".join
)
def test_a_server_that_is_away_is_a_message_for_every_command(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    address = "postgresql://newsbell@127.0.0.1:1/newsbell"
    text = f'{{"settings": {{"database": "{address}"}}, "feeds": []}}'
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")

    result = invoke(tmp_path, *path, *ARGUMENTS.get(path[-1], []))  # raises what is no message

    assert result.exit_code in {0, 1, 2}
    assert "Traceback" not in result.output
