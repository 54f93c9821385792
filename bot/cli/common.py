"""What the commands of the command line share: the option for the configuration file, faults with their exit codes, loading. No command."""

import sys
from pathlib import Path
from typing import Any

import click

from bot.config.load import Config, load
from bot.errors import ConfigError, NewsbellError, QueryError
from bot.query.parser import parse
from bot.query.tree import Node
from bot.service import logs
from bot.store.archive import Archive
from bot.store.sqlite import ReadOnlyDatabase

DEFAULT = Path("feeds.yaml")
config_option = click.option(
    "--config",
    "-c",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT,
    envvar="NEWSBELL_CONFIG",
    show_default=True,
    help="The configuration file (also NEWSBELL_CONFIG).",
)


class Fault(click.ClickException):
    """Work that failed: exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the message, without secrets."""
        click.echo(logs.redact(self.format_message()), file=file or sys.stderr)


class Misconfigured(Fault):
    """A faulty file or query: exit code 2."""

    exit_code = 2


def loaded(path: Path) -> Config:
    """The configuration; a fault with every mistake of it."""
    try:
        return load(path)
    except ConfigError as error:
        many = len(error.mistakes)
        raise Misconfigured(
            f"{error}\n\n{many} mistake{'s' if many != 1 else ''} in {path}."
        ) from None


def read_only(config: Config) -> ReadOnlyDatabase:
    """A reader of the database; a fault where there is none."""
    try:
        return ReadOnlyDatabase(config.database)
    except NewsbellError as error:
        raise Fault(str(error)) from None


def archive(config: Config) -> Archive:
    """The stored entries; a fault where there are none."""
    if not config.database.exists():
        raise Fault(f"There is no database at {config.database} yet: run `newsbell run` first.")
    return Archive(config.database)


def read_query(query: str, config: Config) -> Node:
    """The tree of a query; a fault with its place where it cannot be read."""
    try:
        return parse(query, config.names)
    except QueryError as error:
        raise Misconfigured(f"{error.message}\n\n{error.caret()}") from None
