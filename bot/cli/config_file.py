"""How the configuration file of a command is read. No store, no command."""

from pathlib import Path

from bot.cli.faults import Misconfigured, plural
from bot.config.load import Config, load
from bot.errors import ConfigError


def loaded(path: Path) -> Config:
    """Return the configuration. Raises Misconfigured with all its mistakes."""
    try:
        return load(path)
    except ConfigError as error:
        raise misconfigured(path, error) from None


def misconfigured(path: Path, error: ConfigError) -> Misconfigured:
    """Return the fault of a file with all its mistakes, or of one that is not there."""
    if not path.exists():
        return Misconfigured(
            f"There is no {path}: `newsbell init` makes one, --config FILE names another."
        )
    count = plural(len(error.mistakes), "mistake")
    return Misconfigured(f"{error}\n\n{count} in {path}.")
