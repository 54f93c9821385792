"""The configuration file of a command: its option, and how it is read. No store, no command."""

from pathlib import Path

import click

from bot.cli.faults import Misconfigured, plural
from bot.config.load import Config, load
from bot.errors import ConfigError

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


def loaded(path: Path) -> Config:
    """Return the configuration. Raises Misconfigured with all its mistakes."""
    try:
        return load(path)
    except ConfigError as error:
        raise misconfigured(path, error) from None


def misconfigured(path: Path, error: ConfigError) -> Misconfigured:
    """Return the fault of a file with all its mistakes."""
    count = plural(len(error.mistakes), "mistake")
    return Misconfigured(f"{error}\n\n{count} in {path}.")
