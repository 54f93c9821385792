"""`newsbell move`: what it asks for, what it says, and what to change in feeds.yaml afterwards."""

import sqlite3
from contextlib import chdir, closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from postgres_server import PostgresServer
from support import prepare_database

from bot.cli.main import main
from bot.model.database_address import PASSWORD_VARIABLE, PostgresAddress
from bot.store.engines import unfinished
from bot.store.engines.sqlite import Database

CONFIG = "feeds:\n  - url: https://wire.example/rss\nchats:\n  here: {terminal: true}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with feeds.yaml and a database."""
    (tmp_path / "feeds.yaml").write_text(CONFIG)
    prepare_database(tmp_path / "newsbell.db")
    return tmp_path


@pytest.fixture(autouse=True)
def engine() -> None:
    """These tests choose the engine themselves."""


def command(folder: Path, *arguments: str) -> Result:
    with chdir(folder):
        return CliRunner().invoke(
            main, arguments, catch_exceptions=False, env={PASSWORD_VARIABLE: ""}
        )


def advised(result: Result) -> str:
    """The part of feeds.yaml that a move prints."""
    return result.stdout.partition("then start newsbell:\n\n")[2].partition("\n\n")[0]


def configured(folder: Path, result: Result) -> Result:
    """Change feeds.yaml as a move says, and look at the state."""
    (folder / "feeds.yaml").write_text(f"{CONFIG}{advised(result)}\n")
    return command(folder, "status")


def test_a_move_says_what_to_change_and_that_works(folder: Path, postgres: PostgresServer) -> None:
    server = postgres.empty("command")
    (folder / "database.password").write_text("secret\n")
    (folder / "database.password").chmod(0o600)
    first = command(folder, "move", "--to", server.url, "--password-file", "database.password")

    assert first.exit_code == 0
    assert first.stdout.startswith("Copied ")
    assert "they are the same." in first.stdout
    assert f"Until then it uses {Path('newsbell.db')}, which is unchanged." in first.stdout
    assert yaml.safe_load(advised(first)) == {
        "settings": {"database": server.url, "database_password_file": "database.password"}
    }
    assert [line.split()[0] for line in first.stderr.splitlines()] == ["Copying", "Comparing"]
    assert configured(folder, first).exit_code == 0

    back = command(folder, "move", "--to", "back.db")
    assert yaml.safe_load(advised(back)) == {"settings": {"database": "back.db"}}
    assert "without database_password_file" in back.stdout
    assert configured(folder, back).exit_code == 0
    assert (folder / "back.db").stat().st_mode & 0o077 == 0


def test_a_target_outside_the_folder_is_named_by_its_whole_path(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "feeds.yaml").rename(folder / "below" / "feeds.yaml")
    (folder / "newsbell.db").rename(folder / "below" / "newsbell.db")
    result = command(folder, "move", "-c", "below/feeds.yaml", "--to", "new.db")

    assert yaml.safe_load(advised(result)) == {"settings": {"database": str(folder / "new.db")}}


@pytest.mark.parametrize("mode", [0o644, 0o640])
def test_a_password_that_others_can_read_is_refused(folder: Path, mode: int) -> None:
    (folder / "password").write_text("secret")
    (folder / "password").chmod(mode)
    to = "postgresql://newsbell@127.0.0.1:9/newsbell"
    result = command(folder, "move", "--to", to, "--password-file", "password")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "--password-file: others can read password: run `chmod 600 password`.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "mysql://db/newsbell"], "expected a file, or postgresql://USER@HOST/DATABASE"),
        (["--to", "postgresql://newsbell@db"], "expected the name of the database"),
        (["--to", "postgresql://n:secret@db/n"], "put it into the file of --password-file"),
        (["--to", "new.db", "--password-file", "feeds.yaml"], "in a file has no password"),
    ],
)
def test_a_wrong_address_is_said_and_no_password_is_shown(
    folder: Path, arguments: list[str], said: str
) -> None:
    result = command(folder, "move", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "secret" not in result.stderr


def test_what_cannot_be_moved_is_said_in_a_line(folder: Path) -> None:
    result = command(folder, "move", "--to", "newsbell.db")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "newsbell.db is the database itself: name another place.\n"


@pytest.mark.parametrize("arguments", [["run", "--once"], ["status"], ["search", "harbour"]])
def test_commands_refuse_a_part_of_a_database_and_say_how_to_finish_it(
    folder: Path, arguments: list[str]
) -> None:
    with closing(sqlite3.connect(folder / "newsbell.db")) as connection:
        connection.row_factory = sqlite3.Row
        unfinished.create(Database(connection), {unfinished.SOURCE: "former.db"})
        connection.commit()
    result = command(folder, *arguments)

    assert result.exit_code == 1
    assert "holds a part of former.db: a move into it has not ended" in result.stderr
    assert "newsbell move --to " in result.stderr


def test_a_server_that_does_not_answer_is_said(folder: Path) -> None:
    address = PostgresAddress("postgresql://newsbell@127.0.0.1:9/newsbell")
    result = command(folder, "move", "--to", address.url)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"The database {address} cannot be opened: ")
    assert result.stderr.endswith(" Check that the server runs, and --to.\n")


def test_a_password_that_is_missing_is_asked_for_by_the_option(
    folder: Path, postgres: PostgresServer
) -> None:
    target = postgres.empty("unopened").url.replace("newsbell@", "guarded@")
    with postgres.administer() as connection:
        connection.execute("create role guarded login password 'right'")
    with postgres.passwords():
        result = command(folder, "move", "--to", target)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(" Give a password: --password-file.\n")
