"""The command that copies the database to another place, on SQLite or PostgreSQL.

It changes neither feeds.yaml nor the database that this names.
"""

import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bot.cli.common import readable
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, failing, plural
from bot.config.load import Config, is_mounted_secret
from bot.model.database_address import DatabaseAddress, is_server, postgres_address
from bot.store.move import Moved
from bot.store.move import move as copy_database

_OTHERS = 0o077  # who is not the owner
_PASSWORD_FILE = "--password-file"  # noqa: S105 (a name)


class _Bar:
    """Shows how far it is: a bar in a terminal, else a line for each part of the work."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def began(self, doing: str, rows: int) -> None:
        """Something begins that looks at so many rows."""
        self._end()
        if not self._console.is_terminal:
            click.echo(f"{doing} {_rows(rows)}.", err=True)
            return
        columns = (
            TextColumn(f"{doing} {_rows(rows)}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._progress.start()
        self._progress.add_task(doing, total=rows)

    def advanced(self, rows: int) -> None:
        """So many more rows are done."""
        if self._progress:
            self._progress.advance(self._progress.task_ids[0], rows)

    def _end(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()


@click.command()
@click.option(
    "--to",
    "text",
    metavar="ADDRESS",
    required=True,
    help="Where to: a file, or postgresql://USER@HOST/DATABASE.",
)
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file with the password for a server.",
)
@config_option
def move(path: Path, text: str, password_file: Path | None) -> None:
    """Copy the database to another place: a file or PostgreSQL.

    Stop newsbell first. The target has to be new; an attempt that was ended goes on. The database
    that feeds.yaml names is not changed, and used until you change feeds.yaml.
    """
    config = readable(path)
    target = _target(text, password_file)
    with failing(), _Bar() as bar:
        moved = copy_database(config.database, target, bar)
    click.echo(_told(moved))
    click.echo(_what_follows(config, target, password_file))


def _target(text: str, password_file: Path | None) -> DatabaseAddress:
    """The address of the target. Raises Misconfigured."""
    if not is_server(text):
        if "://" in text:
            raise Misconfigured("--to: expected a file, or postgresql://USER@HOST/DATABASE.")
        if password_file is not None:
            raise Misconfigured("--password-file: a database in a file has no password.")
        return Path(text)
    try:
        address = postgres_address(text, os.environ)
    except ValueError as error:
        said = str(error).replace("settings.database_password_file", "--password-file")
        raise Misconfigured(f"--to: {said}.") from None
    address = replace(address, written_in="--to", password_in=_PASSWORD_FILE)
    return address.with_password(_password(password_file)) if password_file else address


def _password(file: Path) -> str:
    """The password in a file that is kept from others. Raises Misconfigured."""
    try:
        text = file.read_text(encoding="ascii").strip()
        mode = file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no plain text"
        raise Misconfigured(f"--password-file: {file} cannot be read: {reason}.") from None
    if os.name == "posix" and mode & _OTHERS and not is_mounted_secret(file):
        raise Misconfigured(
            f"--password-file: others can read {file.name}: run `chmod 600 {file.name}`."
        )
    return text


def _told(moved: Moved) -> str:
    """What was done, in sentences."""
    count = f"{_rows(moved.rows)} of {plural(moved.tables, 'table')}"
    sentences = [f"Copied {count}, and compared them: they are the same."]
    if moved.resumed:
        sentences.append(f"An earlier attempt had copied {_rows(moved.resumed)}.")
    if moved.changed:
        sentences.append(
            f"{plural(moved.changed, 'text')} held zero bytes, which PostgreSQL cannot keep; they "
            "were left out."
        )
    return " ".join(sentences)


def _what_follows(config: Config, target: DatabaseAddress, password_file: Path | None) -> str:
    """What to change, and what to do with the former database."""
    folder = config.path.absolute().parent
    lines = ["", f"Change {config.path.name}, then start newsbell:", "", "settings:"]
    if isinstance(target, Path):
        lines.append(f"  database: {_from(folder, target)}")
        if not isinstance(config.database, Path):
            lines.append("  # without database_password_file")
    else:
        lines.append(f"  database: {target.url}")
        if password_file:
            lines.append(f"  database_password_file: {_from(folder, password_file)}")
    return "\n".join((*lines, "", f"Until then it uses {config.database}, which is unchanged."))


def _from(folder: Path, file: Path) -> Path:
    """A file as feeds.yaml names it."""
    file = file.absolute()
    return file.relative_to(folder) if file.is_relative_to(folder) else file


def _rows(number: int) -> str:
    return f"{number:,} {'row' if number == 1 else 'rows'}"
