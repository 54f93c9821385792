"""Numbers, names and files that no command can use are refused in words, at the place."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.main import main


def newsbell(folder: Path, *arguments: str) -> Result:
    config = folder / "feeds.yaml"
    if not config.exists():
        config.write_text("feeds: []\n", encoding="utf-8")
    return CliRunner().invoke(
        main, ["-c", str(config), *arguments], catch_exceptions=False, prog_name="newsbell"
    )


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize(
    "command", [("health", "--timeout"), ("demo", "--seconds"), ("backtest", "harbour", "--days")]
)
def test_an_option_takes_no_number_that_is_none(
    tmp_path: Path, command: tuple[str, ...], number: str
) -> None:
    result = newsbell(tmp_path, *command, number)
    assert result.exit_code == 2
    assert f"Invalid value for '{command[-1]}'" in result.output


@pytest.mark.parametrize("number", ["0", "-1", str(1 << 63)])
@pytest.mark.parametrize("action", ["retry", "drop"])
def test_a_number_that_no_delivery_can_have_is_refused(
    tmp_path: Path, action: str, number: str
) -> None:
    result = newsbell(tmp_path, "outbox", action, "--", number)
    assert result.exit_code == 2
    assert f"{number} is not in the range" in result.output


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chats.desk.telegram", {"chats": {"desk": {"telegram": 1 << 70}}}),
        ("chats.desk.telegram", {"chats": {"desk": {"telegram": -(1 << 63)}}}),
        ("chats.desk.topic", {"chats": {"desk": {"telegram": -5, "topic": 1 << 70}}}),
        ("settings.telegram.admins[0]", {"settings": {"telegram": {"admins": [1 << 70]}}}),
    ],
)
def test_an_id_that_telegram_cannot_have_is_a_mistake_at_its_place(
    tmp_path: Path, key: str, value: object
) -> None:
    (tmp_path / "feeds.yaml").write_text(json.dumps(value), encoding="utf-8")
    result = newsbell(tmp_path, "check")
    assert result.exit_code == 2
    assert f" {key}: expected " in result.output


def test_the_widest_id_of_telegram_is_none(tmp_path: Path) -> None:
    chats = {"a": {"telegram": (1 << 52) - 1}, "b": {"telegram": 1 - (1 << 52)}}
    (tmp_path / "feeds.yaml").write_text(json.dumps({"chats": chats}), encoding="utf-8")
    assert newsbell(tmp_path, "check").exit_code == 0


@pytest.mark.parametrize("user", ["", "two words", "ann\nExecStartPre=/bin/true", "-ann"])
def test_a_unit_runs_as_nobody_whose_name_would_be_more_than_a_name(
    tmp_path: Path, user: str
) -> None:
    result = newsbell(tmp_path, "systemd", f"--user={user}")
    assert result.exit_code == 2
    assert "expected the name of a user" in result.output


@pytest.mark.parametrize("user", ["ann", "news.bell", "_bell-2", "1000"])
def test_a_unit_runs_as_the_user_who_is_named(tmp_path: Path, user: str) -> None:
    assert f"\nUser={user}\n" in newsbell(tmp_path, "systemd", "--user", user).output


def test_a_document_that_nests_without_end_is_no_evidence(tmp_path: Path) -> None:
    file = tmp_path / "deep.json"
    file.write_text("[" * 200_000, encoding="utf-8")
    result = newsbell(tmp_path, "evidence", "--verify", str(file))
    assert result.exit_code == 1
    assert result.output == f"{file} is no evidence that this newsbell reads.\n"


@pytest.mark.parametrize("command", [("status",), ("search", "harbour"), ("run", "--once")])
def test_a_folder_in_place_of_the_database_is_called_one(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "feeds.yaml").write_text("settings: {database: kept}\n", encoding="utf-8")
    result = newsbell(tmp_path, *command)
    assert result.exit_code == 1
    assert f"{tmp_path / 'kept'} is a folder: let settings.database name a file" in result.output


@pytest.mark.parametrize("query", ["harbour OR " * 900 + "(", "(" + " harbour" * 600, "x" * 9000])
def test_of_a_long_query_only_what_stands_around_its_mistake_is_shown(
    tmp_path: Path, query: str
) -> None:
    result = newsbell(tmp_path, "search", query)
    assert result.exit_code == 2
    *_, shown, caret = result.output.splitlines()
    assert len(shown) <= 402
    assert caret.strip() == "^"
    assert len(caret) <= len(shown) + 1


@pytest.mark.parametrize("command", [("run", "--once"), ("status",)])
def test_the_database_of_another_program_stays_as_it_is(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table shelves (name text)")
    path.chmod(0o644)
    before = path.read_bytes()
    (tmp_path / "feeds.yaml").write_text("settings: {database: books.db}\n", encoding="utf-8")
    result = newsbell(tmp_path, *command)
    assert result.exit_code == 1
    assert "database" in result.output
    assert "Traceback" not in result.output
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o644)


def test_the_database_of_another_program_is_named_with_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "books.db")) as connection, connection:
        connection.execute("create table shelves (name text)")
    (tmp_path / "feeds.yaml").write_text("settings: {database: books.db}\n", encoding="utf-8")
    result = newsbell(tmp_path, "run", "--once")
    assert "is the database of another program, with the table shelves: let " in result.output
